"""Ctrl-C at every stage of a call of the sync face: it ends at once, and the client can be used."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from incus_sdk.sync import _call, _portal

from . import blocking_daemon
from .blocking_daemon import Daemon
from .sync_scripts import PATIENCE, running

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


FILES = {_call.__file__, _portal.__file__}


async def work() -> str:
    return "done"


def interrupted_at(number: int, call: Callable[[], object]) -> bool:
    """Make a call that is interrupted at that line of the bridge; tell whether it has so many."""
    left, main = number, threading.get_ident()

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal left
        if getattr(frame, "f_code").co_filename not in FILES or threading.get_ident() != main:  # noqa: B009 - typed so
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - it returns itself
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_at_any_line() -> None:
    """An interrupt between any two lines of the bridge leaves no call behind: each line is tried."""

    async def nothing() -> None:
        pass

    entrance = _portal.Entrance(nothing)
    portal = entrance.portal()
    number = 1
    while interrupted_at(number, lambda: portal.run(work)):
        assert portal.run(work) == "done"
        number += 1
    assert number > 20
    entrance.close()


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
