"""Ctrl-C at every stage of a call of the sync face: it ends at once, and the client can be used; signal handlers."""

from __future__ import annotations

import asyncio
import gc
import selectors
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from incus_sdk import IncusConnectionError
from incus_sdk.sync import Client, _call, _held, _portal

from . import blocking_daemon
from .blocking_daemon import Daemon
from .sync_scripts import PATIENCE, run, running

STAGES = {
    "waiting for the head": 'client.api.get("/hang")',
    "in a body": 'client.api.read_raw("/half")',
    "waiting for an operation": 'client.wait_for_operation("hang", timeout=None)',
    "in a download": 'client.api.download("/half", sys.argv[2])',
    "reading a stream": """
        with client.api.stream("GET", "/half") as response:
            response.read()
    """,
    "iterating over a stream": """
        with client.api.stream("GET", "/half") as response:
            for piece in response:
                assert piece
    """,
    "receiving from a websocket": """
        with client.api.websocket("/socket") as socket:
            socket.send("hello")
            for message in socket:
                print(message)
    """,
    "reading a raw stream": """
        with client.api.upgrade("/raw", "sftp") as stream:
            stream.write(b"hello")
            print(stream.readexactly(5).decode())
            stream.read()
    """,
    "in a block": """
        with client.api.websocket("/socket") as socket:
            socket.send("hello")
            print(socket.recv())
            time.sleep(60)
    """,
}
"""What a script does when Ctrl-C is pressed. Those that the server cannot tell about print a line."""

SCRIPT = """
import time

with Client(url) as client:
    try:
        {}
    except KeyboardInterrupt:
        print("interrupted")
    print(client.instances.get("web").name)
print(threading.active_count())
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with blocking_daemon.running(tmp_path / "s") as server:
        yield server


@pytest.mark.parametrize("stage", STAGES)
def test_the_call_ends_and_the_client_goes_on(daemon: Daemon, tmp_path: Path, stage: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    doing = STAGES[stage]
    with running(SCRIPT.format(doing.strip()), daemon.url, str(folder / "file")) as script:
        if "print" in doing:
            assert script.line() == "hello"
        else:
            assert daemon.hanging.wait(PATIENCE)
        script.interrupt()
        assert script.end() == (0, "interrupted\nweb\n1\n", "")
    assert daemon.hung_up.wait(PATIENCE)
    assert list(folder.iterdir()) == []


def test_a_second_time(daemon: Daemon) -> None:
    """Nothing is left behind that the next one meets."""
    doing = """
        for _ in range(2):
            try:
                client.api.get("/hang")
            except KeyboardInterrupt:
                print("interrupted", flush=True)
    """
    with running(SCRIPT.format(doing.strip()), daemon.url) as script:
        for _ in range(2):
            assert daemon.hanging.wait(PATIENCE)
            daemon.hanging.clear()
            script.interrupt()
            assert script.line() == "interrupted"
        assert script.end() == (0, "web\n1\n", "")


def test_a_script_that_does_not_catch_it(daemon: Daemon) -> None:
    with running("with Client(url) as client:\n    client.api.get('/hang')", daemon.url) as script:
        assert daemon.hanging.wait(PATIENCE)
        script.interrupt()
        _, out, err = script.end()
    assert out == ""
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert err.count("Traceback") == 1
    assert "Warning" not in err


CONNECTING = """
client = Client(url, verify=False, timeout=60)
try:
    client.connect()
except KeyboardInterrupt:
    print("interrupted", flush=True)
try:
    client.connect()
except Exception as error:
    print(type(error).__name__)
client.disconnect()
print(threading.active_count())
"""


def test_connecting_to_who_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with running(CONNECTING, url) as script:
            silent, _ = server.accept()
            assert silent.recv(1)  # the handshake has begun
            script.interrupt()
            assert script.line() == "interrupted"
            while silent.recv(65536):
                pass  # until it has hung up
            server.close()
            silent.close()
            assert script.end() == (0, "IncusConnectionError\n1\n", "")


def test_in_a_body_of_the_user(daemon: Daemon) -> None:
    doing = """
        def pieces():
            yield b"one"
            print("hello", flush=True)
            time.sleep(60)

        client.api.post("/1.0/files", pieces())
    """
    with running(SCRIPT.format(doing.strip()), daemon.url) as script:
        assert script.line() == "hello"
        script.interrupt()
        assert script.end() == (0, "interrupted\nweb\n1\n", "")


def test_sending_a_body_that_nobody_takes(daemon: Daemon) -> None:
    doing = """
        def pieces():
            while True:
                yield bytes(1 << 20)

        client.api.request("GET", "/hang", data=pieces())
    """
    with running(SCRIPT.format(doing.strip()), daemon.url) as script:
        assert daemon.hanging.wait(PATIENCE)
        script.interrupt()
        assert script.end() == (0, "interrupted\nweb\n1\n", "")


OTHERS = """
client = Client(url)
with client.api.websocket("/socket") as socket:
    got = []
    other = threading.Thread(target=lambda: got.append(socket.recv()))
    other.start()
    try:
        client.api.get("/hang")
    except KeyboardInterrupt:
        socket.send("for the other")
    other.join()
client.disconnect()
print(got)
"""


def test_other_threads_go_on(daemon: Daemon) -> None:
    """Ctrl-C is the main thread's: whoever else waits with the same client, or even the same stream, is left alone."""
    with running(OTHERS, daemon.url) as script:
        assert daemon.hanging.wait(PATIENCE)
        script.interrupt()
        assert script.end() == (0, "['for the other']\n", "")


HANDLER = """
import faulthandler, signal
from incus_sdk.sync import _call, _portal

def trace(frame, event, argument):
    global left
    if frame.f_code.co_filename not in {_call.__file__, _portal.__file__}:
        return None
    if event == "line":
        left -= 1
        if left == 0:
            signal.raise_signal(signal.SIGUSR1)
    return trace

names, number = [], 0
signal.signal(signal.SIGUSR1, lambda *_: names.append(client.instances.get("web").name))
faulthandler.dump_traceback_later(20, exit=True)
with Client(url) as client:
    while len(names) == number:  # a call that has so many lines
        left = number = number + 1
        sys.settrace(trace)
        name = client.instances.get("web").name
        sys.settrace(None)
        assert name == "web"
print(number > 20, set(names))
"""


def test_a_signal_handler_that_makes_a_call_at_any_line(daemon: Daemon) -> None:
    """The two wait for the same loop, and the one that was interrupted cannot do its part meanwhile."""
    assert run(HANDLER, daemon.url) == (0, "True {'web'}\n", "")


def test_a_signal_handler_that_disconnects_during_the_first_call(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client stays disconnected; here it is called while the loop is made."""
    client, make = Client(daemon.url), asyncio.SelectorEventLoop

    def handled(selector: selectors.BaseSelector) -> asyncio.SelectorEventLoop:
        monkeypatch.undo()
        client.disconnect()
        return make(selector)

    monkeypatch.setattr(asyncio, "SelectorEventLoop", handled)
    for _ in range(2):
        with pytest.raises(IncusConnectionError, match="disconnected"):
            client.instances.get("web")
    assert "incus_sdk" not in [thread.name for thread in threading.enumerate()]


FILES = {_call.__file__, _held.__file__, _portal.__file__}


async def work() -> str:
    return "done"


async def nothing() -> None:
    pass


def press() -> None:
    raise KeyboardInterrupt


def interrupted_at(number: int, call: Callable[[], object], interrupt: Callable[[], object] = press) -> bool:
    """Make a call that is interrupted at that line of the bridge, by Ctrl-C or otherwise; tell if it has so many."""
    left, main = number, threading.get_ident()

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal left
        if getattr(frame, "f_code").co_filename not in FILES or threading.get_ident() != main:  # noqa: B009 - typed so
            return None
        if event == "line":
            left -= 1
            if left == 0:
                interrupt()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - it returns itself
    try:
        with suppress(KeyboardInterrupt):
            call()
    finally:
        sys.settrace(before)
    return left <= 0


def test_at_any_line() -> None:
    """An interrupt between any two lines of the bridge leaves no call behind: each line is tried."""
    entrance = _portal.Entrance(nothing)
    portal = entrance.portal()
    number = 1
    while interrupted_at(number, lambda: portal.run(work)):
        assert portal.run(work) == "done"
        number += 1
    assert number > 20
    entrance.close()


@pytest.mark.parametrize("by_then", [False, True])
def test_at_any_line_of_a_block(by_then: bool) -> None:
    """What was entered is left, even if the interrupt comes while that happens: a command ends, for example."""
    state: list[str] = []

    @asynccontextmanager
    async def command() -> AsyncGenerator[None]:
        state.append("entered")
        try:
            yield
        finally:
            state.append("left")

    def block() -> None:
        with _held.held(portal, command(), by_then=by_then):
            pass

    portal, number = _portal.Portal(nothing), 1
    while interrupted_at(number, block):
        portal.run(work)
        assert state in ([], ["entered", "left"]), f"interrupted at line {number}"
        state.clear()
        number += 1
    assert number > 50
    portal.close()


def test_at_any_line_of_the_end() -> None:
    """The loop still hears what another thread tells it in that moment, and ends when it is told to once more."""
    number, interrupted = 0, True
    while interrupted:
        number += 1
        portal, heard = _portal.Portal(nothing), threading.Event()
        loop = portal._loop  # pyright: ignore[reportPrivateUsage] - a call would be refused from the first line on

        def interrupt(tell: Callable[..., None] = loop.tell, heard: threading.Event = heard) -> None:
            other = threading.Thread(target=tell, args=(heard.set,))
            other.start()
            other.join()
            press()

        interrupted = interrupted_at(number, portal.close, interrupt)
        for _ in range(PATIENCE * 100):
            if heard.wait(0.01) or not loop.thread.is_alive():
                break
        else:
            pytest.fail(f"interrupted at line {number}, it sleeps")
        portal.close()
        assert not loop.thread.is_alive()
    assert number > 10


def test_another_thread_that_disconnects_at_any_line_of_connecting() -> None:
    """The next loop begins when the last one has ended, or what is opened in it would be closed at once."""
    loops: set[asyncio.AbstractEventLoop] = set()
    closing = threading.Event()

    async def begin() -> int:
        loops.add(asyncio.get_running_loop())
        return len(loops)

    async def disconnect() -> None:
        closing.set()
        await asyncio.sleep(0.01)  # long enough to be overtaken
        loops.discard(asyncio.get_running_loop())

    def connect(entrance: _portal.Entrance) -> None:
        entrance.reopen()
        with suppress(IncusConnectionError):
            assert entrance.portal().run(begin) == 1

    def close(other: threading.Thread) -> None:
        other.start()
        closing.wait(0.01)  # in vain where the lock is held

    number, interrupted = 0, True
    while interrupted:
        number += 1
        entrance = _portal.Entrance(disconnect)
        entrance.portal().run(begin)
        closing.clear()
        other = threading.Thread(target=entrance.close)
        interrupted = interrupted_at(number, partial(connect, entrance), partial(close, other))
        if interrupted:
            other.join(PATIENCE)
            assert not other.is_alive()
        entrance.close()
        assert loops == set()
    assert number > 20


def _first_call(entrance: _portal.Entrance) -> str:
    return entrance.portal().run(work)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of a loop that is interrupted before it has a thread
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # which pytest makes of that
def test_at_any_line_of_the_first_call() -> None:
    """A loop that is interrupted as it starts ends by itself, and closes nothing that belongs to the next one."""
    ended: list[str] = []

    async def disconnect() -> None:
        ended.append("disconnected")

    number, interrupted = 0, True
    while interrupted:
        number += 1
        ended.clear()
        entrance = _portal.Entrance(disconnect)
        interrupted = interrupted_at(number, partial(_first_call, entrance))
        assert entrance.portal().run(work) == "done"
        gc.collect()  # lets go of the loop that was interrupted
        threads = [thread for thread in threading.enumerate() if thread.name == "incus_sdk"]
        entrance.close()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        assert ended == ["disconnected"]
    assert number > 40


def test_a_handler_that_disconnects_at_any_line_of_the_first_call() -> None:
    """The client stays disconnected, and no loop is left behind."""
    number, interrupted = 0, True
    while interrupted:
        number += 1
        entrance = _portal.Entrance(nothing)
        with suppress(IncusConnectionError):
            interrupted = interrupted_at(number, partial(_first_call, entrance), entrance.close)
        if interrupted:
            with pytest.raises(IncusConnectionError):
                entrance.portal()
        entrance.close()
        assert "incus_sdk" not in [thread.name for thread in threading.enumerate()]
    assert number > 40


def test_a_handler_that_makes_a_call_at_any_line_of_the_first_call() -> None:
    """Both get the same loop."""
    number, interrupted = 0, True
    while interrupted:
        number += 1
        entrance, seen = _portal.Entrance(nothing), list[_portal.Portal]()

        def handle(entrance: _portal.Entrance = entrance, seen: list[_portal.Portal] = seen) -> None:
            assert _first_call(entrance) == "done"
            seen.append(entrance.portal())

        interrupted = interrupted_at(number, partial(_first_call, entrance), handle)
        assert set(seen) <= {entrance.portal()}, f"interrupted at line {number}"
        entrance.close()
    assert number > 40
