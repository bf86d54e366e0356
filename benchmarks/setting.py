"""What is measured against: a private daemon with one instance, and a server that replays the daemon's answer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from incus_sdk import Client
from incus_sdk.testing import PrivateIncus

from .raw import RawConnections, recorded_request
from .replay import replaying

__all__ = ["NAME", "Setting", "prepared"]

NAME = "bench"


@dataclass(frozen=True)
class Setting:
    """Where to measure.

    Attributes:
        daemon: Socket of the private daemon.
        replay: Socket of the replay server.
        version: Version of the daemon.
        request: What the library sends to read the instance.
    """

    daemon: str
    replay: str
    version: str
    request: bytes


@contextmanager
def prepared() -> Generator[Setting]:
    """Start both servers."""
    with PrivateIncus() as daemon, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        request, answer = asyncio.run(_recorded(daemon, Path(folder)))
        with replaying(answer, Path(folder)) as replay:
            yield Setting(daemon.socket, replay, daemon.version, request)


async def _recorded(daemon: PrivateIncus, folder: Path) -> tuple[bytes, bytes]:
    """Make the instance; return the request that reads it, and the daemon's answer."""
    async with Client(daemon.endpoint) as client:
        await client.instances.create(NAME, {"type": "image", "alias": daemon.IMAGE}, wait=True)
    request = await recorded_request(NAME, folder)
    async with RawConnections(daemon.socket, request) as raw:
        return request, await raw.get()
