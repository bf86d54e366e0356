"""A daemon that goes away while it is asked, and comes back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from incus_sdk import Client, IncusConnectionError, IncusOperationLostError
from incus_sdk.testing import PrivateIncus

from .support import Face, Server, call, entered


@pytest.fixture
def daemon(server: Server) -> PrivateIncus:
    """The daemon, if it may be killed."""
    if server.private is None:
        pytest.skip("the daemon of INCUS_SDK_TEST_ENDPOINT is somebody else's")
    return server.private


async def test_killed_while_a_command_is_waited_for(
    daemon: PrivateIncus, client: Client, face: Face, server: Server
) -> None:
    answer = await call(client.instances.execute(server.box, ["sleep", "30"]))
    waiting = face.start(answer.wait)
    assert (await call(answer.refresh())).status == "Running"
    started = time.monotonic()
    await asyncio.to_thread(daemon.kill_daemon)
    with pytest.raises((IncusConnectionError, IncusOperationLostError)):
        await waiting
    assert time.monotonic() - started < 15
    await asyncio.to_thread(daemon.wait_ready)
    assert (await call(client.instances.get(server.box))).status == "Running"
    assert (await call(client.instances.execute(server.box, ["true"], wait=True))).returncode == 0


async def test_gone_and_back(daemon: PrivateIncus, client: Client, server: Server) -> None:
    assert await call(client.instances.exists(server.box))
    await asyncio.to_thread(daemon.hold)
    try:
        with pytest.raises(IncusConnectionError, match=r"unix\.socket") as caught:
            await call(client.instances.start(server.box))
        assert caught.value.cause is not None
    finally:
        await asyncio.to_thread(daemon.resume)
    assert (await call(client.instances.get(server.box))).status == "Running"


async def test_restarted_between_two_requests(daemon: PrivateIncus, client: Client, server: Server) -> None:
    """The connections of the pool are dead then, which no caller needs to know, even where nothing is sent twice."""
    assert await call(client.instances.exists(server.box))
    await asyncio.to_thread(daemon.restart)
    await call(client.instances.put_files(server.box, "/tmp/x", b"after"))
    assert await call(client.instances.get_files(server.box, "/tmp/x")) == b"after"


async def test_not_there_from_the_start(face: Face, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/no-such.socket"
    with pytest.raises(IncusConnectionError, match=r"no-such\.socket"):
        async with entered(face.client(nowhere)):
            pytest.fail("there is nothing to connect to")
    with pytest.raises(IncusConnectionError, match=r"no-such\.socket"):
        await call(face.client(nowhere).instances.list())
