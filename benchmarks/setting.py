"""What is measured against: a private daemon with a running instance, and servers that replay the daemon's answers."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from incus_sdk import Client
from incus_sdk.sync import Client as SyncClient
from incus_sdk.testing import PrivateIncus

from .answers import Answer, listing
from .replay import replaying

__all__ = ["NAME", "Daemon", "Setting", "prepared", "recorded_request", "replayed"]

NAME = "bench"
SIZES = (1_000, 10_000)
INSTANCE = f"/1.0/instances/{NAME}"
LISTING = "/1.0/instances?recursion=2"
NOTHING = b'{"type":"error","error_code":404,"error":"nothing here"}'
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(NOTHING), NOTHING)


@dataclass(frozen=True)
class Daemon:
    """A real daemon.

    Attributes:
        socket: Path of its socket.
        version: Its version.
        image: Alias of an image for containers.
        environ: Environment in which the `incus` command talks to it.
    """

    socket: str
    version: str
    image: str
    environ: dict[str, str]


@dataclass(frozen=True)
class Setting:
    """Where to measure.

    Attributes:
        folder: An empty folder, of which nothing is imported.
        replay: Socket of the replay server, which knows the server and one instance.
        replays: The same for servers that know many instances, by their number.
        request: What the library sends to read the instance.
        daemon: The daemon that the answers are from, if it is there.
    """

    folder: Path
    replay: str
    request: bytes
    replays: dict[int, str] = field(default_factory=dict[int, str])
    daemon: Daemon | None = None


@contextmanager
def prepared(sizes: Sequence[int] = SIZES) -> Generator[Setting]:
    """Start a daemon, record its answers, and start the servers that replay them."""
    with PrivateIncus() as incus, ExitStack() as stack:
        _start_instance(incus.endpoint, incus.IMAGE)
        server, instance, instances = (record(incus.socket, path) for path in ("/1.0", INSTANCE, LISTING))
        daemon = Daemon(incus.socket, incus.version, incus.IMAGE, {"PATH": os.environ["PATH"], **incus.environ()})
        yield stack.enter_context(replayed(server, instance, instances, sizes, daemon))


@contextmanager
def replayed(
    server: Answer, instance: Answer, instances: Answer, sizes: Sequence[int] = SIZES, daemon: Daemon | None = None
) -> Generator[Setting]:
    """Start the servers that replay these answers.

    Args:
        server: The answer about the server.
        instance: About the instance.
        instances: A listing of one instance with its state; the others are made from that.
        sizes: How many instances there are to be in listings.
        daemon: Where the answers are from.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        empty = folder / "empty"
        empty.mkdir()
        answers = {"/1.0": server.whole, INSTANCE: instance.whole}
        replay = stack.enter_context(replaying(answers, folder / "one"))
        replays = {
            size: stack.enter_context(
                replaying({**answers, "/1.0/instances": listing(instances, size).whole}, folder / str(size))
            )
            for size in sizes
        }
        request = asyncio.run(recorded_request(NAME, folder))
        yield Setting(empty, replay, request, replays, daemon)


def _start_instance(endpoint: str, image: str) -> None:
    """Make the instance, start it, and wait until it has an address, as instances on a network do."""
    with SyncClient(endpoint) as client:
        client.instances.create(NAME, {"type": "image", "alias": image}, wait=True)
        client.instances.start(NAME, wait=True)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            networks = client.instances.state(NAME).network.values()
            if any(address.scope == "global" for network in networks for address in network.addresses):
                return
            time.sleep(0.1)
    raise RuntimeError(f"the instance {NAME!r} has got no address within 30 s")


def record(path: str, target: str) -> Answer:
    """What a server answers to a GET, to the last byte."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: incus\r\n\r\n".encode())
        data = b""
        while not Answer.is_whole(data):
            data += connection.recv(65536)
    return Answer(data)


async def recorded_request(name: str, folder: Path) -> bytes:
    """The bytes that the library sends to read one instance."""
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(NOT_FOUND)
        await writer.drain()
        writer.close()

    path = str(folder / "record.socket")
    server = await asyncio.start_unix_server(answer, path)
    client = Client(f"unix://{path}")
    async with server:
        await client.instances.exists(name)
        await client.disconnect()
    return heads[0]
