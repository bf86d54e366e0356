"""Threads that share a sync client, and calls from within calls."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import pytest

from incus_sdk import IncusConnectionError
from incus_sdk.sync import Client

from . import blocking_daemon
from .blocking_daemon import Daemon

PATIENCE = 30
"""Seconds that a test waits for what must happen."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with blocking_daemon.running(tmp_path / "s") as server:
        yield server


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Client]:
    with Client(daemon.url) as client:
        yield client


def test_one_client_of_many_threads(daemon: Daemon) -> None:
    """Which all make its first call at the same time, so that it has one loop nevertheless."""
    client, gate = Client(daemon.url), threading.Barrier(16)

    def work(number: int) -> list[str]:
        gate.wait(PATIENCE)
        return [client.use_project(f"p{number}").instances.get("web").name for _ in range(20)]

    with client, ThreadPoolExecutor(16) as pool:
        client.disconnect()
        client.connect()
        assert list(pool.map(work, range(16))) == [["web"] * 20] * 16
        assert [thread.name for thread in threading.enumerate()].count("incus_sdk") == 1


@pytest.mark.parametrize("path", ["/hang", "/half", "/socket"])
def test_closed_by_one_thread_while_another_waits(daemon: Daemon, path: str) -> None:
    client, begun = Client(daemon.url), threading.Event()

    def wait() -> None:
        if path == "/socket":
            with client.api.websocket(path) as socket:
                socket.send("hello")
                socket.recv()
                begun.set()
                socket.recv()
        client.api.read_raw(path)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        assert (begun if path == "/socket" else daemon.hanging).wait(PATIENCE)
        client.disconnect()
        with pytest.raises(IncusConnectionError, match=r"was (closed|disconnected) while|closed"):
            waiting.result(PATIENCE)


def test_connecting_while_another_disconnects(daemon: Daemon) -> None:
    """There is one loop at a time, or connections of one would be used in the other."""
    client, over, strange = Client(daemon.url), time.monotonic() + 1, list[BaseException]()

    def connect() -> None:
        while time.monotonic() < over:
            try:
                client.connect()
                client.instances.get("web")
            except IncusConnectionError as error:
                if "disconnected" not in str(error) and "closed" not in str(error):
                    strange.append(error)
            except BaseException as error:  # noqa: BLE001 - the test says which
                strange.append(error)

    def disconnect() -> None:
        while time.monotonic() < over:
            client.disconnect()
            time.sleep(0.0005)  # lets the others get in

    threads = [threading.Thread(target=work, daemon=True) for work in (*[connect] * 4, disconnect)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert strange == []
    client.connect()
    assert client.instances.get("web").name == "web"
    client.disconnect()
    assert "incus_sdk" not in [thread.name for thread in threading.enumerate()]


def test_a_thread_with_the_identifier_of_the_loop_s(client: Client) -> None:
    """Systems give it out again when the loop's thread has ended; its successor is told what is the matter."""
    stream, gate = client.api.websocket("/socket"), threading.Barrier(8)
    client.disconnect()

    def receive() -> None:
        gate.wait(PATIENCE)  # so that all of them are alive, and one has it
        stream.recv()

    with ThreadPoolExecutor(8) as pool:
        for receiving in [pool.submit(receive) for _ in range(8)]:
            with pytest.raises(IncusConnectionError, match="disconnected"):
                receiving.result(PATIENCE)


def test_disconnecting_while_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that asks a name server cannot be ended, and need not be waited for."""
    asked, answer = threading.Event(), threading.Event()

    def look_up(*_: object, flags: int = 0, **__: object) -> list[object]:
        if not flags:  # whether it is an address already is asked first, in the loop
            asked.set()
            answer.wait(PATIENCE * 2)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    client = Client("https://slow.example:8443", verify=False)
    with ThreadPoolExecutor(2) as pool:
        connecting = pool.submit(client.connect)
        try:
            assert asked.wait(PATIENCE)
            pool.submit(client.disconnect).result(PATIENCE)
            with pytest.raises(IncusConnectionError, match="closed while connecting"):
                connecting.result(PATIENCE)
        finally:
            answer.set()


def test_what_was_opened_before_a_new_beginning(client: Client) -> None:
    """Streams of a client that has been closed do not come back with it."""
    socket = client.api.websocket("/socket")
    manager = client.api.stream("GET", "/stream")
    response = manager.__enter__()
    client.disconnect()
    client.connect()
    for call in (socket.recv, response.read):
        with pytest.raises(IncusConnectionError, match="disconnected"):
            call()
    manager.__exit__(None, None, None)
    assert client.instances.get("web").name == "web"


def test_a_thread_that_ends_with_something_open(daemon: Daemon, client: Client) -> None:
    opened: list[contextlib.AbstractContextManager[object]] = []

    def leave_it_open() -> None:
        opened.append(client.api.stream("GET", "/half"))
        opened[0].__enter__()

    thread = threading.Thread(target=leave_it_open)
    thread.start()
    thread.join()
    assert client.instances.get("web").name == "web"
    opened.clear()  # whoever drops it last closes it
    assert daemon.hung_up.wait(PATIENCE)


def test_a_generator_that_the_loop_s_thread_collects(daemon: Daemon, client: Client) -> None:
    """The garbage collector works wherever it is called."""
    cycle: list[object] = [client.api.stream("GET", "/half")]
    cycle[0].__enter__()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] - a manager
    cycle.append(cycle)
    gc.disable()
    try:
        del cycle

        async def collect() -> None:
            gc.collect()

        client.api._portal.run(collect)  # pyright: ignore[reportPrivateUsage] - the only way into that thread
    finally:
        gc.enable()
    assert daemon.hung_up.wait(PATIENCE)
    assert client.instances.get("web").name == "web"


def test_ending_a_thread_from_outside(daemon: Daemon, client: Client) -> None:
    """As timeouts of test runners do, with an exception that comes out of nowhere."""
    import ctypes

    class Stop(BaseException):
        pass

    def work() -> None:
        with contextlib.suppress(Stop):
            client.api.get("/hang")

    thread = threading.Thread(target=work)
    thread.start()
    assert daemon.hanging.wait(PATIENCE)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stop))
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert daemon.hung_up.wait(PATIENCE)
    assert client.instances.get("web").name == "web"


class TestWithin:
    """Calls from what the user has handed in."""

    def test_a_body_that_makes_calls_of_its_own(self, daemon: Daemon, client: Client) -> None:
        def pieces() -> Iterator[bytes]:
            for _ in range(3):
                client.api.post("/1.0/files", (client.instances.get("web").name.encode() for _ in range(2)))
                yield b"outer"

        client.api.post("/1.0/files", pieces())
        assert daemon.bodies == [b"webweb"] * 3 + [b"outer" * 3]

    def test_a_body_that_closes_the_client(self, client: Client) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"one"
            client.disconnect()
            yield b"two"

        with pytest.raises(IncusConnectionError, match=r"(disconnected|closed) while"):
            client.api.post("/1.0/files", pieces())
        client.connect()

    def test_a_body_that_begins_to_be_read(self, client: Client) -> None:
        threads: set[threading.Thread] = set()

        class Pieces:
            def __iter__(self) -> Iterator[bytes]:
                threads.add(threading.current_thread())
                return iter([client.instances.get("web").name.encode()])

        client.api.post("/1.0/files", Pieces())
        assert threads == {threading.current_thread()}

    def test_a_file_that_is_written_to(self, client: Client) -> None:
        threads: set[threading.Thread] = set()

        class Target:
            def write(self, data: bytes) -> None:
                threads.add(threading.current_thread())
                assert client.instances.get("web").name == "web"

        assert client.api.download("/stream", Target()) == 100_000
        assert threads == {threading.current_thread()}

    def test_a_signal_handler(self, daemon: Daemon, client: Client) -> None:
        class EnoughError(Exception):
            pass

        names: list[str] = []

        def handle(number: int, frame: FrameType | None) -> None:
            names.append(client.instances.get("web").name)
            raise EnoughError

        before = signal.signal(signal.SIGALRM, handle)
        try:
            main = threading.main_thread().ident or 0

            def ring() -> None:
                assert daemon.hanging.wait(PATIENCE)
                signal.pthread_kill(main, signal.SIGALRM)

            waiting = threading.Thread(target=ring)
            waiting.start()
            with pytest.raises(EnoughError):
                client.api.get("/hang")
            waiting.join()
        finally:
            signal.signal(signal.SIGALRM, before)
        assert names == ["web"]
        assert daemon.hung_up.wait(PATIENCE)

    def test_a_log_handler_in_the_loop_s_thread_is_told(self, client: Client) -> None:
        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                try:
                    client.get_server_info()
                except RuntimeError as error:
                    errors.append(error)

        errors: list[RuntimeError] = []
        logger, handler = logging.getLogger("incus_sdk.transport"), Handler()
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        try:
            client.instances.get("web")
        finally:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)
        assert "inside its own event loop" in str(errors[0])

    async def test_a_loop_that_runs(self, client: Client) -> None:
        """As in notebooks; and in threads that the loop has started."""
        assert client.instances.get("web").name == "web"
        assert (await asyncio.to_thread(client.instances.get, "web")).name == "web"
        with client.api.stream("GET", "/stream") as response:
            assert len(response.read()) == 100_000


def test_signals_belong_to_the_main_thread(daemon: Daemon, client: Client) -> None:
    """A call in another thread neither gets them nor keeps the main thread from getting them."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.api.get, "/hang")
        assert daemon.hanging.wait(PATIENCE)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert client.instances.get("web").name == "web"
        assert not waiting.done()
        client.disconnect()
        with pytest.raises(IncusConnectionError):
            waiting.result(PATIENCE)
