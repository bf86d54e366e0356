"""Ctrl-C in scripts that work on a real daemon: nothing is left there but what had been asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from incus_sdk import Client
from incus_sdk.testing import PrivateIncus

from ..conftest import ROOTFS
from ..contract.commands import LONG, asleep, no_sleepers
from ..contract.support import names
from ..unit.sync_scripts import running
from .deeds import ROOT_DISK

BOX = "box"
COMMAND = f'["sh", "-c", "echo $$ > /tmp/pid; echo begun; exec sleep {LONG}"]'
KILL = ["sh", "-c", "kill $(cat /tmp/pid)"]

STAGES = {
    "run": f"web.run({COMMAND})",
    "run with input": f"web.run({COMMAND}, input=bytes(16 << 20))",
    "execute": f"web.execute({COMMAND}, wait=True, wait_for_websocket=False)",
    "run of many": f"""
        for outcome in client.instances.run_many(["{BOX}"], {COMMAND}):
            print(outcome)
    """,
    "reading": f"""
        with web.process({COMMAND}) as process:
            assert process.stdout.readline() == b"begun\\n"
            process.stdout.read()
    """,
    "iterating": f"""
        with web.process({COMMAND}, tty=True) as process:
            for line in process.stdout:
                assert line == b"begun\\r\\n"
    """,
    "writing": f"""
        with web.process({COMMAND}) as process:
            process.stdin.write(bytes(16 << 20))
    """,
    "waiting": f"""
        with web.process({COMMAND}) as process:
            process.wait()
    """,
    "in a block": f"""
        with web.process({COMMAND}) as process:
            time.sleep(60)
    """,
}
STAYS = {"execute"}
"""What was asked for goes on: the server runs it in the background, as all that is waited for by itself."""

SCRIPT = """
import time

with Client(url) as client:
    web = client.instances.get("box")
    try:
        {}
    except KeyboardInterrupt:
        print("interrupted")
    print(client.instances.get("box").status, web.run(["echo", "hello"]).stdout)
print(threading.active_count())
"""


@pytest.fixture(scope="module", params=["6.0", "7.0"] if ROOTFS else ["6.0"])
def daemon(request: pytest.FixtureRequest) -> Generator[PrivateIncus]:
    """A daemon with one container."""
    from incus_sdk.sync import Client as SyncClient

    with PrivateIncus(rootfs=ROOTFS if request.param == "7.0" else None, network=False) as daemon:
        with SyncClient(daemon.endpoint) as client:
            client.instances.launch(daemon.IMAGE, BOX, profiles=[], devices=ROOT_DISK)
        yield daemon


@pytest.fixture
async def admin(daemon: PrivateIncus) -> AsyncGenerator[Client]:
    async with Client(daemon.endpoint) as client:
        yield client


@pytest.mark.parametrize("stage", STAGES)
async def test_the_command_is_ended(daemon: PrivateIncus, admin: Client, stage: str) -> None:
    before = len(await admin.operations.list())
    with running(SCRIPT.format(STAGES[stage].strip()), daemon.endpoint) as script:
        await asleep(admin, BOX)
        script.interrupt()
        assert script.end() == (0, "interrupted\nRunning b'hello\\n'\n1\n", "")
    if stage in STAYS:
        await admin.instances.run(BOX, KILL)
    await no_sleepers(admin, BOX)
    running_now = [operation for operation in await admin.operations.list() if operation.status == "Running"]
    assert len(running_now) <= before


async def test_a_wait_for_an_operation(daemon: PrivateIncus, admin: Client) -> None:
    """The server goes on with what was asked for; the script can wait for it again."""
    script = f"""
    with Client(url) as client:
        operation = client.instances.execute("{BOX}", {COMMAND})
        try:
            print(operation.id, flush=True)
            operation.wait()
        except KeyboardInterrupt:
            print(operation.refresh().status)
        sys.stdin.read(1)
        print(operation.wait().returncode)
    """
    with running(script, daemon.endpoint) as process:
        assert process.line()
        await asleep(admin, BOX)
        process.interrupt()
        assert process.line() == "Running"
        await admin.instances.run(BOX, KILL)
        assert process.end() == (0, "143\n", "")


async def test_a_download(daemon: PrivateIncus, tmp_path: Path) -> None:
    """No part of the file is left."""
    script = """
    class Stream:
        def write(self, data):
            print("begun", flush=True)
            sys.stdin.read(1)

    with Client(url) as client:
        image = client.images.list()[0]
        try:
            client.images.export(image.fingerprint, Stream())
        except KeyboardInterrupt:
            print("interrupted")
        print(client.images.export(image.fingerprint, sys.argv[2]) > 0)
    """
    with running(script, daemon.endpoint, str(tmp_path / "image")) as process:
        assert process.line() == "begun"
        process.interrupt()
        assert process.end() == (0, "interrupted\nTrue\n", "")
    assert names(tmp_path) == ["image"]


async def test_restarts_between_and_during_calls(daemon: PrivateIncus, admin: Client) -> None:
    """A script does not notice a restart between calls; a wait that was broken off by one is told so."""
    script = f"""
    from incus_sdk import IncusError

    with Client(url, retries=8) as client:
        web = client.instances.get("{BOX}")
        print("first", flush=True)
        sys.stdin.readline()
        web.refresh()
        print(web.status, flush=True)
        try:
            web.run({COMMAND})
        except IncusError as error:
            print("told")
        web.refresh()
        print(web.status)
    """
    with running(script, daemon.endpoint) as process:
        assert process.line() == "first"
        daemon.restart()
        process.say("go on")
        assert process.line() == "Running"
        await asleep(admin, BOX)
        daemon.kill_daemon()
        daemon.wait_ready()
        assert process.end() == (0, "told\nRunning\n", "")
    async with Client(daemon.endpoint) as client:
        await client.instances.run(BOX, KILL)
