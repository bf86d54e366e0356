"""What a daemon says while it is going down, and what becomes of that."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest

from incus_sdk import Client, IncusConnectionError, IncusError, IncusUnavailableError
from incus_sdk.testing import PrivateIncus

from ..conftest import ROOTFS
from .deeds import ROOT_DISK

STOPS = 10
"""The last of what a daemon says, it says for some hundredths of a second: that can be missed."""

Call = Callable[[Client], Awaitable[object]]

_numbers = itertools.count()


@pytest.mark.parametrize("version", ["6.0", "7.0"] if ROOTFS else ["6.0"])
async def test_a_daemon_that_stops(version: str) -> None:
    rootfs = ROOTFS if version == "7.0" else None
    async with PrivateIncus(rootfs=rootfs, network=False) as daemon, Client(daemon.endpoint, retries=0) as client:
        box = await client.instances.launch(daemon.IMAGE, "box", profiles=[], devices=ROOT_DISK)
        refusal = await _while_stopping(daemon, client, box.name, _make_profile, "shutting down")
        assert "has not begun with it" in refusal
        last = f"/1.0/profiles/profile-{next(_numbers) - 1}"
        assert last not in await client.api.read_list("/1.0/profiles", str)
        closed = await _while_stopping(daemon, client, box.name, _list, "database is closed")
        assert "may be half done" in closed


async def _make_profile(client: Client) -> None:
    await client.api.post("/1.0/profiles", {"name": f"profile-{next(_numbers)}"})


async def _list(client: Client) -> None:
    await client.instances.list()


async def _while_stopping(daemon: PrivateIncus, client: Client, box: str, call: Call, text: str) -> str:
    """Repeat a call while the daemon is stopped, until it is refused with that text; return the message."""
    for _ in range(STOPS):
        # A daemon that stops waits for the commands that it runs.
        await client.instances.execute(box, ["sleep", "1"])
        restart = asyncio.create_task(asyncio.to_thread(daemon.restart))
        try:
            message = await _until_refused(client, call, text)
        finally:
            await restart
        if message:
            return message
    pytest.fail(f"{STOPS} times the daemon went without saying {text!r}")


async def _until_refused(client: Client, call: Call, text: str) -> str:
    while True:
        try:
            await call(client)
        except IncusUnavailableError as error:
            if text in str(error).lower():
                return str(error)
        except IncusConnectionError:
            return ""
        except IncusError as error:
            pytest.fail(f"a daemon that stops said: {error}")
