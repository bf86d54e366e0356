"""Each call that waits is broken off wherever it waits: nothing is left behind, and the client goes on working.

Where a call waits is not written down here, it is counted on a first run; which calls there are comes from the classes.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from incus_sdk import Client

from ..unit.transport.scripted.conftest import Identity
from .answers_soak import content
from .calls_cancel import BIG, CALLS, DIFFERENT, DISTINCT, SOURCE, waiting
from .server_soak import Daemon
from .steps_cancel import WAYS, Way, Work, by_cancel, by_late_cancel, by_sibling, by_timeout, ended, whole
from .verbs_cancel import owners, verbs
from .world_cancel import World, turns

Test = Callable[[World], Awaitable[None]]
Run = Callable[[Test], None]

VERBS = verbs()
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["asyncio"])
def loop(request: pytest.FixtureRequest) -> str:
    """The event loop; tests that ask for both say so."""
    return str(request.param)


@pytest.fixture
def run(link: str, loop: str, tmp_path: Path, identity: Identity) -> Run:
    """Runs a test in an event loop of its own, and checks that none of its errors stayed unseen."""

    async def main(test: Test, complaints: list[dict[str, Any]]) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        daemon = Daemon(remember=True)
        async with daemon.serving(tmp_path / "socket", identity.context) as port:
            tls = {"endpoint": f"https://127.0.0.1:{port}", "verify": identity.path}
            await test(World(daemon, tls if link == "tls" else {"endpoint": f"unix://{tmp_path / 'socket'}"}))
        gc.collect()  # lets the loop complain about errors that nobody has looked at

    def start(test: Test) -> None:
        complaints: list[dict[str, Any]] = []
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(main(test, complaints))
        assert not complaints

    return start


# -- all calls --------------------------------------------------------------------------------------------------------


def test_every_call_that_waits_is_covered() -> None:
    there_are = {name for owner in owners() for name in waiting(owner)}
    covered = {name.partition(",")[0] for name in CALLS} | {name for calls in VERBS.values() for name in calls}
    assert there_are - covered == set()
    assert {name.partition(",")[0] for name in CALLS} - there_are == set()


@pytest.mark.parametrize("owner", VERBS)
@pytest.mark.parametrize("link", ["unix"], indirect=True)
def test_verbs_are_broken_off_wherever_they_wait(run: Run, owner: str) -> None:
    """One that cannot be called like this needs an entry in `CALLS`, and so does one that makes more of its answers."""

    async def test(world: World) -> None:
        for name, call in VERBS[owner].items():
            try:
                assert await world.break_off(call, warm=True, way=by_cancel, made_up=True)
            except Exception as error:
                error.add_note(f"in {name}")
                raise

    run(test)


@pytest.mark.parametrize("way", ["cancel", "late cancel"])
@pytest.mark.parametrize("name", DISTINCT)
def test_a_call_is_broken_off_wherever_it_waits(run: Run, name: str, way: str) -> None:
    async def test(world: World) -> None:
        cold = await world.break_off(CALLS[name], warm=False, way=WAYS[way])
        warm = await world.break_off(CALLS[name], warm=True, way=WAYS[way])
        assert name.endswith(".disconnect") or 0 < warm < cold

    run(test)


@pytest.mark.parametrize("way", ["timeout", "sibling"])
@pytest.mark.parametrize("name", DIFFERENT)
@pytest.mark.parametrize("link", ["unix"], indirect=True)
def test_a_call_is_broken_off_by_what_is_around_it(run: Run, name: str, way: str) -> None:
    async def test(world: World) -> None:
        for warm in (False, True):
            await world.break_off(CALLS[name], warm=warm, way=WAYS[way])

    run(test)


@pytest.mark.parametrize("loop", LOOPS, indirect=True)
@pytest.mark.parametrize("name", DIFFERENT)
def test_a_call_is_broken_off_at_each_turn_of_the_event_loop(run: Run, name: str) -> None:
    """What it waits for goes through stages of its own, such as a TLS handshake."""

    async def test(world: World) -> None:
        for warm in (False, True):
            await world.interrupt(CALLS[name], warm=warm)

    run(test)


# -- what a call leaves to the server ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [by_cancel, by_timeout, by_sibling])
def test_an_operation_goes_on_when_nobody_waits_for_it_any_more(run: Run, way: Way) -> None:
    """Nothing is sent to stop it, and who still has it can wait again."""

    async def test(world: World) -> None:
        client: Client = await world.renew()
        await way(client.instances.create(world.name("stall-0-1-9"), SOURCE, wait=True), 1)
        created, waited = world.targets
        assert created == "POST /1.0/instances"
        assert waited.startswith("GET /1.0/operations/task.web-")
        assert waited.endswith("/wait")
        await world.check()

        client = await world.renew()
        operation = await client.instances.start(world.name("stall-0-1-1"))
        await way(operation.wait(), 0)
        assert not operation.done
        assert (await operation.wait()).status == "Success"
        assert [target.partition(" ")[0] for target in world.targets] == ["PUT", "GET", "GET"]
        await world.check()

    run(test)


def test_recorded_output_that_was_not_fetched_can_still_be(run: Run) -> None:
    """Who breaks off between the output's two halves leaves both on the server, until waiting again removes them."""

    async def test(world: World) -> None:
        client: Client = await world.renew()
        command = await client.instances.execute("web", ["true"], record_output=True)
        await by_cancel(command.wait(), 2)  # it has ended, the output is being read
        assert [target.rpartition(".")[2] for target in world.targets[2:]] == ["stdout", "stderr"]
        assert command.stdout == ""
        assert (await command.wait()).stdout == "web.stdout of web"
        assert [target for target in world.targets if target.startswith("DELETE")] == [
            f"DELETE /1.0/instances/web/logs/exec-output/web.{stream}" for stream in ("stdout", "stderr")
        ]
        await world.check()

    run(test)


@pytest.mark.parametrize("way", [by_cancel, by_late_cancel])
def test_a_download_that_is_broken_off_leaves_no_file(run: Run, way: Way, tmp_path: Path) -> None:
    async def test(world: World) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        for at in itertools.count():
            client: Client = await world.renew()
            waits = await way(client.api.download("/1.0/stream/web/900000", folder / "file"), at)
            await world.check()
            if waits <= at:
                assert (folder / "file").stat().st_size == 900_000
                return
            assert list(folder.iterdir()) == []

    run(test)


# -- between two attempts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [by_cancel, by_timeout, by_sibling])
@pytest.mark.parametrize("fault", ["refuse-503", "cut-0", "cut-50", "reset-99"])
def test_a_call_is_broken_off_in_the_pause_before_it_is_repeated(run: Run, way: Way, fault: str) -> None:
    async def test(world: World) -> None:
        client: Client = await world.renew()
        await way(client.instances.get(world.name(f"{fault}-0-9")), 1 + (fault == "cut-0"))
        await world.check()
        assert world.targets == world.targets[:1] * (1 + (fault == "cut-0"))  # once more at once, on a fresh connection

    run(test)


# -- while the client is disconnected ---------------------------------------------------------------------------------


async def _hanging(world: World) -> list[asyncio.Task[object]]:
    """Calls of several kinds that are under way and never end."""

    async def stream() -> None:
        async with client.api.stream("GET", f"/1.0/stream/{world.name('stall-50-0-9')}/1000") as response:
            await response.read()

    async def listen() -> None:
        websocket = await client.api.websocket("/1.0/socket/web")
        async for _ in websocket:
            pass

    async def receive() -> None:
        raw = await client.api.upgrade("/1.0/raw/web", "echo")
        await raw.read()

    client = world.client
    works: list[Work] = [client.instances.get(world.name("stall-0-0-9")), stream(), listen(), receive()]
    works += [client.instances.put_files(world.name("stall-0-0-9"), "/a", BIG)]
    tasks = [asyncio.ensure_future(whole(work)) for work in works]
    await world.until("all hang", lambda: sum(peer.busy for peer in world.daemon.peers) == len(tasks))
    await turns(5)
    return tasks


@pytest.mark.parametrize("loop", LOOPS, indirect=True)
def test_disconnecting_is_broken_off_while_calls_are_under_way(run: Run) -> None:
    """The calls end all the same, and so do their connections."""

    async def test(world: World) -> None:
        ends: list[bool] = []
        for count in range(1, 8):
            client: Client = await world.renew()
            tasks = await _hanging(world)
            disconnecting = asyncio.ensure_future(client.disconnect())
            await turns(count)
            ends.append(disconnecting.cancel())
            assert await ended(disconnecting) == ("cancelled" if ends[-1] else "done")
            for task in tasks:
                assert await ended(task) in {"IncusConnectionError", "WebSocketClosed"}
            await world.check(reopen=True)
        assert ends[0]
        assert not ends[-1]

    run(test)


@pytest.mark.parametrize("loop", LOOPS, indirect=True)
@pytest.mark.parametrize("before", range(1, 30, 3))
def test_calls_are_broken_off_while_the_client_is_disconnected(run: Run, before: int) -> None:
    """Whoever cancels a call finds it cancelled, whatever else ends it at the same time."""

    async def test(world: World) -> None:
        for count in range(4):
            client: Client = await world.renew(warm=False)
            works: list[Work] = [client.instances.get(world.name("stall-50-0-9")) for _ in range(2)]
            tasks = [asyncio.ensure_future(whole(work)) for work in works]
            await turns(before)  # some of them have it connecting, or shaking hands
            disconnecting = asyncio.ensure_future(client.disconnect())
            await turns(count)
            cancelled = tasks[0].cancel()
            assert await ended(tasks[0]) == ("cancelled" if cancelled else "IncusConnectionError")
            assert await ended(tasks[1]) == "IncusConnectionError"
            assert await ended(disconnecting) == "done"
            await world.check(reopen=True)

    run(test)


# -- what a read that was broken off had got --------------------------------------------------------------------------


@pytest.mark.parametrize("way", [by_cancel, by_late_cancel, by_timeout])
@pytest.mark.parametrize("loop", LOOPS, indirect=True)
def test_a_read_that_is_broken_off_loses_nothing(run: Run, way: Way) -> None:
    async def test(world: World) -> None:
        async def broken_off(read: Callable[[], Awaitable[Any]]) -> Any:
            """Break a read off and read again, unless what it reads was there already."""
            got: list[Any] = []

            async def first() -> None:
                got.append(await read())

            await way(first(), 0)
            return got[0] if got else await read()

        client: Client = await world.renew()
        websocket = await client.api.websocket("/1.0/socket/web")
        await websocket.recv()
        raw = await client.api.upgrade("/1.0/raw/web", "echo")
        await raw.readexactly(3)
        for number in range(10):
            await websocket.send(str(number))
            assert await broken_off(websocket.recv) == str(number)
            await raw.write(b"12345")
            assert await broken_off(lambda: raw.readexactly(5)) == b"12345"
        name, got = world.name("slow-1-0-1"), b""
        async with client.api.stream("GET", f"/1.0/stream/{name}/100000") as response:
            while piece := await broken_off(lambda: response.read(200_000)):
                got += piece
        assert got == content(name, 100_000)
        websocket.abort()
        raw.abort()
        await world.check()

    run(test)
