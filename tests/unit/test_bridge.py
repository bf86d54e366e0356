"""The sync client's way into its event loop; the server is scripted."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import os
import resource
import selectors
import signal
import threading
import time
import traceback
from collections.abc import AsyncGenerator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path

import pytest

import incus_sdk
import incus_sdk.sync
from incus_sdk import IncusConnectionError, IncusNotFoundError, IncusOperationError
from incus_sdk.sync import Client, OperationResponse
from incus_sdk.sync._held import held
from incus_sdk.sync._portal import Portal

from .blocking_daemon import Daemon, running

PATIENCE = 10
"""Seconds that a test waits for what must happen."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with running(tmp_path / "s") as server:
        yield server


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Client]:
    with Client(daemon.url) as client:
        yield client


@pytest.fixture
def portal() -> Iterator[Portal]:
    async def nothing_to_disconnect() -> None:
        pass

    portal = Portal(nothing_to_disconnect)
    yield portal
    portal.close()


def loop_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "incus_sdk"]


class TestCalls:
    def test_results(self, client: Client) -> None:
        assert client.instances.get("web").status == "Running"
        assert client.get_server_info()["metadata"] == {"api_status": "stable"}

    def test_errors_keep_their_traceback(self, client: Client) -> None:
        with pytest.raises(IncusNotFoundError) as caught:
            client.instances.get("other")
        frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert frames[0] == "test_errors_keep_their_traceback"
        assert "_api_error" in frames or "envelope" in frames

    def test_errors_are_no_garbage_for_the_collector(self, client: Client) -> None:
        gc.collect()
        gc.disable()
        try:
            with contextlib.suppress(IncusNotFoundError):
                client.instances.get("other")
            assert [item for item in gc.get_objects() if isinstance(item, IncusNotFoundError)] == []
        finally:
            gc.enable()

    def test_bound_objects_and_operations_go_on_with_the_same_client(self, client: Client) -> None:
        web = client.instances.get("web")
        operation = web.delete()
        assert isinstance(operation, OperationResponse)
        assert operation.status == "Running"
        with pytest.raises(IncusOperationError, match="no luck"):
            operation.wait()
        assert operation.status == "Failure"

    def test_many_threads_at_once(self, client: Client) -> None:
        with ThreadPoolExecutor(8) as pool:
            instances = list(pool.map(client.instances.get, ["web"] * 200))
        assert [web.name for web in instances] == ["web"] * 200

    async def test_inside_of_a_running_loop(self, client: Client) -> None:
        assert asyncio.get_running_loop().is_running()
        assert client.instances.get("web").name == "web"

    def test_views_share_loop_and_connections(self, client: Client) -> None:
        view = client.use_project("other")
        with view:
            assert view.instances.get("web").name == "web"
        assert view.api.project == "other"
        assert client.use_target("node2").api.target == "node2"
        assert len(loop_threads()) == 1
        assert client.instances.get("web").name == "web"  # leaving the view has closed nothing

    def test_calling_from_inside_of_the_loop_is_refused(self, portal: Portal) -> None:
        async def nested() -> None:
            portal.run(asyncio.sleep, 0)

        with pytest.raises(RuntimeError, match="inside its own event loop"):
            portal.run(nested)
        portal.run(asyncio.sleep, 0)

    def test_the_context_of_the_caller_is_there(self, portal: Portal) -> None:
        variable: ContextVar[str] = ContextVar("variable", default="unset")

        async def read() -> str:
            return variable.get()

        variable.set("mine")
        assert portal.run(read) == "mine"


class TestLife:
    def test_one_thread_for_each_client_from_its_first_call_on(self, daemon: Daemon) -> None:
        clients = [Client(daemon.url), Client(daemon.url)]
        assert loop_threads() == []
        for client in clients:
            client.connect()
        assert len(loop_threads()) == 2
        assert all(thread.daemon for thread in loop_threads())
        for client in clients:
            client.disconnect()
            client.disconnect()
        assert loop_threads() == []

    def test_after_disconnect(self, daemon: Daemon) -> None:
        client = Client(daemon.url)
        view = client.use_project("other")
        with client:
            web = client.instances.get("web")
        for call in (client.get_server_info, view.get_server_info, web.refresh):
            with pytest.raises(IncusConnectionError, match=r"disconnected; connect\(\)"):
                call()
        with client:
            assert view.instances.get("web").name == "web"
        assert loop_threads() == []

    def test_disconnect_ends_calls_of_other_threads(self, daemon: Daemon) -> None:
        client = Client(daemon.url)
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(client.api.get, "/hang")
            assert daemon.hanging.wait(PATIENCE)
            client.disconnect()
            with pytest.raises(IncusConnectionError):
                call.result(PATIENCE)

    @pytest.mark.parametrize("bound", [False, True])
    def test_garbage_takes_its_thread_along(self, daemon: Daemon, bound: bool) -> None:
        """Its first connection knows of the call that has opened it, and so could keep the result, which is bound."""
        client = Client(daemon.url)
        if bound:
            client.instances.get("web")
        client.connect()
        (thread,) = loop_threads()
        del client
        gc.collect()
        thread.join(PATIENCE)
        assert not thread.is_alive()

    def test_connecting_while_the_thread_still_ends(self, daemon: Daemon) -> None:
        """As when Ctrl-C has come in the middle of `disconnect`: what is opened from then on is not closed with it."""
        client = Client(daemon.url)
        for _ in range(50):
            client.connect()
            client.api._portal._loop.end()  # pyright: ignore[reportPrivateUsage] - the half of `close` before it waits
            client.connect()
            assert client.instances.get("web").name == "web"
        client.disconnect()
        assert loop_threads() == []

    def test_a_first_call_in_the_middle_of_a_first_call(self, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
        """A signal handler may make it, at any line; here it is called while the loop is made."""
        client, names, make = Client(daemon.url), list[str](), asyncio.SelectorEventLoop

        def handled(selector: selectors.BaseSelector) -> asyncio.SelectorEventLoop:
            monkeypatch.undo()
            names.append(client.instances.get("web").name)
            return make(selector)

        monkeypatch.setattr(asyncio, "SelectorEventLoop", handled)
        assert client.instances.get("web").name == "web"
        assert names == ["web"]
        assert len(loop_threads()) == 1
        client.disconnect()
        assert loop_threads() == []

    def test_too_many_threads(self, client: Client) -> None:
        client.disconnect()
        size = threading.stack_size(1 << 46)  # of which the system has not even one
        try:
            with pytest.raises(IncusConnectionError, match="cannot be started: can't start new thread"):
                client.connect()
        finally:
            threading.stack_size(size)
        client.connect()

    def test_a_call_that_never_began(self, portal: Portal) -> None:
        """It can be made again: nothing was sent."""
        loop = portal._loop  # pyright: ignore[reportPrivateUsage] - what it is told happens one after the other

        def end_when_it_is_next() -> None:
            while not loop._inbox:  # pyright: ignore[reportPrivateUsage] - nothing else tells
                time.sleep(0.001)
            loop.end()

        loop.tell(end_when_it_is_next)
        with pytest.raises(IncusConnectionError, match="disconnected") as caught:
            portal.run(asyncio.sleep, 0)
        assert not caught.value.sent

    @pytest.mark.parametrize("free", [0, 3, 4])
    def test_without_descriptors(self, daemon: Daemon, free: int) -> None:
        """A loop takes four, and a connection one more."""
        client, before = Client(daemon.url, retries=0), descriptors()
        with few_descriptors(free), pytest.raises(IncusConnectionError, match="Too many open files"):
            client.connect()
        assert len(descriptors() - before) == (4 if free == 4 else 0)
        client.connect()
        assert client.instances.get("web").name == "web"
        client.disconnect()
        assert loop_threads() == []


def descriptors() -> set[int]:
    """Return those that are in use, and one more."""
    return {int(path.name) for path in Path("/proc/self/fd").iterdir()}


@contextlib.contextmanager
def few_descriptors(free: int) -> Generator[None]:
    """Leave so many descriptors to be had by this process."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(descriptors()) + 1 + free, limits[1]))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(free):
            os.close(taken.pop())
        yield
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class TestWakingUp:
    """How threads make the loop listen."""

    def test_without_an_eventfd(self, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not every build of Python has it, and no system but Linux."""
        monkeypatch.delattr(os, "eventfd", raising=False)
        with Client(daemon.url) as client, ThreadPoolExecutor(8) as pool:
            instances = list(pool.map(client.instances.get, ["web"] * 200))
        assert [web.name for web in instances] == ["web"] * 200
        assert loop_threads() == []

    def test_what_fails_holds_up_nobody(self, portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
        reached = threading.Event()

        def block_and_fail() -> None:
            assert told.wait(PATIENCE)
            raise MemoryError("mine")

        told = threading.Event()
        portal._loop.tell(block_and_fail)  # pyright: ignore[reportPrivateUsage] - no call that is told of fails so
        portal._loop.tell(reached.set)  # pyright: ignore[reportPrivateUsage] - nor would one come right behind it
        told.set()
        assert reached.wait(PATIENCE)
        assert "mine" in caplog.text


@contextlib.contextmanager
def interrupt_when(event: threading.Event) -> Generator[None]:
    """Press Ctrl-C when the event has come."""

    def press() -> None:
        assert event.wait(PATIENCE)
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        thread.join()


class TestInterrupt:
    def test_the_request_is_cancelled_and_the_client_goes_on(self, daemon: Daemon, client: Client) -> None:
        with interrupt_when(daemon.hanging):
            client.api.get("/hang")
        assert daemon.hung_up.wait(PATIENCE)
        assert client.instances.get("web").name == "web"

    def test_the_coroutine_has_ended_before_it_is_raised(self, portal: Portal) -> None:
        started, ended = threading.Event(), threading.Event()

        async def slow_to_end() -> None:
            try:
                started.set()
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)
                ended.set()

        with interrupt_when(started):
            portal.run(slow_to_end)
        assert ended.is_set()

    def test_in_a_body_of_the_user(self, client: Client) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"first"
            signal.raise_signal(signal.SIGINT)
            yield b"never sent"

        with pytest.raises(KeyboardInterrupt):
            client.api.post("/1.0/files", pieces())
        assert client.instances.get("web").name == "web"


class TestBodies:
    def test_an_iterable_is_read_in_the_calling_thread(self, daemon: Daemon, client: Client) -> None:
        threads: set[threading.Thread] = set()

        def pieces() -> Iterator[bytes]:
            for number in range(3):
                threads.add(threading.current_thread())
                yield b"%d" % number
            client.get_server_info()  # a call within a call

        client.api.post("/1.0/files", pieces())
        assert daemon.bodies == [b"012"]
        assert threads == {threading.current_thread()}

    def test_a_file(self, daemon: Daemon, client: Client) -> None:
        content = bytes(range(256)) * 4096
        client.api.post("/1.0/files", io.BytesIO(content))
        client.api.post("/1.0/files", [content[:10], content[10:]])
        assert daemon.bodies == [content, content]

    def test_errors_in_it_come_through(self, client: Client) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"first"
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            client.api.post("/1.0/files", pieces())
        assert client.instances.get("web").name == "web"

    def test_an_end_before_the_beginning(self, client: Client) -> None:
        """What no future takes, and who waits for one would wait for."""

        class Broken:
            def __iter__(self) -> Iterator[bytes]:
                raise StopIteration("mine")

        with pytest.raises(RuntimeError, match=r"StopIteration.*mine"):
            client.api.post("/1.0/files", Broken())
        assert client.instances.get("web").name == "web"

    def test_none_is_no_end(self, client: Client) -> None:
        with pytest.raises(TypeError, match="must give bytes, not NoneType"):
            client.api.post("/1.0/files", [b"a", None, b"c"])  # type: ignore[list-item] # pyright: ignore[reportArgumentType] - refused
        assert client.instances.get("web").name == "web"

    def test_a_text_is_refused(self, client: Client) -> None:
        with pytest.raises(TypeError, match="str"):
            client.api.post("/1.0/files", "text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - refused


class TestStreams:
    def test_download(self, client: Client) -> None:
        with client.api.stream("GET", "/stream") as response:
            assert (response.status, response.content_length) == (200, 100_000)
            assert response.read(10) == b"x" * 10
            assert sum(len(piece) for piece in response) == 99_990
            assert response.read() == b""

    def test_an_error_in_the_block_comes_through(self, client: Client) -> None:
        def read_and_fail() -> None:
            with client.api.stream("GET", "/stream") as response:
                assert response.read(1) == b"x"
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            read_and_fail()
        assert client.instances.get("web").name == "web"

    def test_disconnecting_in_it_does_not_hide_what_the_block_raises(self, client: Client) -> None:
        def disconnect_and_fail() -> None:
            with client.api.stream("GET", "/stream"):
                client.disconnect()
                raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            disconnect_and_fail()
        client.connect()
        with client.api.stream("GET", "/stream"):
            client.disconnect()

    def test_nor_does_disconnecting_while_it_is_left(self, portal: Portal) -> None:
        leaving = threading.Event()

        @contextlib.asynccontextmanager
        async def slow_to_leave() -> AsyncGenerator[None]:
            try:
                yield
            finally:
                leaving.set()
                await asyncio.Event().wait()

        def close() -> None:
            assert leaving.wait(PATIENCE)
            portal.close()

        with ThreadPoolExecutor(1) as pool:
            pool.submit(close)
            with pytest.raises(ZeroDivisionError, match="mine"), held(portal, slow_to_leave()):
                raise ZeroDivisionError("mine")

    def test_refused_stream(self, client: Client) -> None:
        with pytest.raises(IncusNotFoundError), client.api.stream("GET", "/nothing"):
            pytest.fail("the block must not be entered")

    def test_websocket(self, daemon: Daemon, client: Client) -> None:
        with client.api.websocket("/socket") as socket:
            socket.send("hello")
            assert socket.recv() == "hello"
            socket.ping()
            for text in ("a", "b", "end"):
                socket.send(text)
            assert [message for message in socket if message] == ["a", "b"]
        assert daemon.hung_up.wait(PATIENCE)

    def test_websocket_of_two_threads(self, client: Client) -> None:
        with client.api.websocket("/socket") as socket, ThreadPoolExecutor(1) as pool:
            receiving = pool.submit(socket.recv)
            socket.send("to the other")
            assert receiving.result(PATIENCE) == "to the other"

    def test_raw_stream(self, daemon: Daemon, client: Client) -> None:
        with client.api.upgrade("/raw", "sftp") as stream:
            stream.write(b"hello")
            assert stream.readexactly(5) == b"hello"
            stream.write(b"again")
            assert next(stream) == b"again"
        assert daemon.hung_up.wait(PATIENCE)

    def test_an_error_in_the_block_drops_the_stream(self, daemon: Daemon, client: Client) -> None:
        stream = client.api.upgrade("/raw", "sftp")

        def write_and_fail() -> None:
            with stream:
                stream.write(b"hello")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_and_fail()
        assert daemon.hung_up.wait(PATIENCE)
        with pytest.raises(IncusConnectionError):
            stream.write(b"more")


def test_the_package_offers_the_same_names() -> None:
    assert set(incus_sdk.sync.__all__) == set(incus_sdk.__all__) - {"__version__"}
    for name in incus_sdk.sync.__all__:
        assert getattr(incus_sdk.sync, name).__name__ == name
