"""Opening connections, and saying why that failed."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import grp
import logging
import os
import platform
import pwd
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from incus_sdk._transport import tcp
from incus_sdk._transport.dial import Dialer
from incus_sdk.config import Endpoint, resolve_endpoint
from incus_sdk.exceptions import IncusConfigurationError, IncusConnectionError, IncusTimeoutError

from .peers import Caller, Server, cancel_ever_later, listen_only, make_identity, nothing_left, speak, tls_server


def at(path: Path) -> Endpoint:
    return Endpoint(f"unix://{path}", str(path))


def https(port: int, host: str = "127.0.0.1", **fields: Any) -> Endpoint:
    return Endpoint(f"https://{host}:{port}", host=host, port=port, **fields)


async def failure(endpoint: Endpoint, timeout: float | None = 10) -> IncusConnectionError:
    with pytest.raises(IncusConnectionError) as caught:
        await Dialer(endpoint, timeout).dial(Caller)
    assert caught.value.cause is caught.value.__cause__
    return caught.value


become_somebody_else = pytest.mark.skipif(
    os.geteuid() != 0 or platform.machine() != "x86_64",
    reason="only root can become somebody else, and the number of the system call is that of x86-64",
)


def bind(path: Path) -> None:
    """Leave a socket behind on which nobody listens."""
    path.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


class TestUnix:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "unix.socket"

    async def test_connects(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        dialer = Dialer(at(path), None)
        with caplog.at_level(logging.DEBUG, "incus_sdk.transport"):
            async with await asyncio.start_unix_server(answer, path):
                caller = await dialer.dial(Caller)
                assert await caller.finish() == b"GET /secret HTTP/1.1\r\n"
        assert dialer.host == b"incus"
        assert f"connected to unix://{path}" in caplog.text

    async def test_missing(self, path: Path) -> None:
        error = await failure(at(path))
        assert error.message == f"cannot connect to unix://{path}: no such file"
        assert isinstance(error.cause, FileNotFoundError)

    async def test_missing_folder(self, path: Path) -> None:
        assert "there is no folder" in (await failure(at(path.parent / "nowhere" / "unix.socket"))).message

    async def test_nothing_listens(self, path: Path) -> None:
        bind(path)
        error = await failure(at(path))
        assert "the daemon is not running" in error.message
        assert isinstance(error.cause, ConnectionRefusedError)

    async def test_regular_file(self, path: Path) -> None:
        await asyncio.to_thread(path.touch)
        assert "this is a file, not a socket" in (await failure(at(path))).message

    async def test_folder(self, path: Path) -> None:
        assert "this is a folder, not a socket" in (await failure(at(path.parent))).message

    async def test_socket_of_another_kind(self, path: Path) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(str(path))
            assert "Protocol wrong type for socket" in (await failure(at(path))).message

    async def test_path_too_long(self, tmp_path: Path) -> None:
        path = tmp_path / ("long" * 30)
        with pytest.raises(IncusConfigurationError, match="too long"):
            await Dialer(at(path), 10).dial(Caller)

    async def test_full_queue(self, path: Path) -> None:
        """A daemon that is too busy, or held up, to take connections: who comes waits for room, as the system does."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
            listener.bind(str(path))
            listener.listen(0)
            listener.setblocking(False)
            first.connect(str(path))
            async with nothing_left():
                with pytest.raises(IncusTimeoutError, match="waiting until the daemon takes those who came before"):
                    await Dialer(at(path), 0.1).dial(Caller)
            dialling = asyncio.create_task(Dialer(at(path), 10).dial(Caller))
            await asyncio.sleep(0)
            accepted = [(await loop.sock_accept(listener))[0] for _ in range(2)]
            assert await loop.sock_recv(accepted[1], 100) == b"GET /secret HTTP/1.1\r\n\r\n"
            await loop.sock_sendall(accepted[1], b"hello")
            assert await (await dialling).finish() == b"hello"
            for sock in accepted:
                sock.close()

    async def test_variable_is_named(self, path: Path) -> None:
        endpoint = resolve_endpoint(environ={"INCUS_SOCKET": str(path)})
        assert f"unix://{path} (from INCUS_SOCKET): no such file" in (await failure(endpoint)).message

    async def test_search_is_told_in_full(self, tmp_path: Path) -> None:
        first, second = tmp_path / "run", tmp_path / "lib"
        second.mkdir()
        bind(first / "unix.socket")
        (second / "unix.socket").touch()
        endpoint = resolve_endpoint(environ={}, folders=(str(first), str(second)))
        lines = (await failure(endpoint)).message.splitlines()
        assert lines[0] == "found no Incus daemon on this machine that can be used:"
        assert lines[1].startswith(f"  {first}/unix.socket: nothing listens")
        assert lines[2] == f"  {first}/unix.socket.user: no such file"
        assert lines[3] == f"  {second}/unix.socket: this is a file, not a socket"
        assert "INCUS_SOCKET" in lines[-1]

    async def test_search_mentions_what_was_not_tried(self, tmp_path: Path) -> None:
        folders = (str(tmp_path / "run"), str(tmp_path / "lib"))
        for folder in folders:
            bind(Path(folder, "unix.socket"))
        message = (await failure(resolve_endpoint(environ={}, folders=folders))).message
        assert f"{folders[1]}/unix.socket: a socket that was not tried" in message

    async def test_search_in_a_named_folder(self, tmp_path: Path) -> None:
        message = (await failure(resolve_endpoint(environ={"INCUS_DIR": str(tmp_path)}))).message
        assert "that can be used in INCUS_DIR:" in message
        assert "/run/incus" not in message

    @become_somebody_else
    async def test_no_permission(self, path: Path) -> None:
        """As another user: for root everything is permitted."""
        message = await asyncio.to_thread(as_nobody, self._no_permission, path)
        assert "no permission: it belongs to group 'daemon' (mode rw-rw----)" in message
        assert "usermod -aG daemon nobody" in message

    @become_somebody_else
    async def test_no_permission_to_enter_the_folder(self, path: Path) -> None:
        assert "no permission to look into the folder" in await asyncio.to_thread(
            as_nobody, self._no_permission, path, folder_mode=0o700
        )

    async def _no_permission(self, path: Path) -> str:
        error = await failure(at(path))
        assert isinstance(error.cause, PermissionError)
        return error.message


def as_nobody(attempt: Callable[[Path], Coroutine[Any, Any, str]], path: Path, folder_mode: int = 0o755) -> str:
    """Run something as user nobody, on a socket of group daemon: ids belong to threads in the kernel."""
    _ = grp, pwd  # loaded by now, for the other user may not be allowed to read this Python's files
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        path.chmod(0o660)
        os.chown(path, 0, 1)
        # pytest's folders are open to their owner only.
        modes = [(parent, parent.stat().st_mode & 0o7777) for parent in path.parents]
        closed = [(parent, mode) for parent, mode in modes if mode & 0o055 == 0]
        try:
            for parent, _ in closed:
                parent.chmod(0o755)
            path.parent.chmod(folder_mode)
            libc = ctypes.CDLL(None, use_errno=True)
            # The raw calls change this thread alone, where those of libc would change the whole process.
            set_effective = functools.partial(libc.syscall, 117, -1)
            assert set_effective(65534, -1) == 0
            try:
                return asyncio.run(attempt(path))
            finally:
                assert set_effective(0, -1) == 0
        finally:
            for parent, mode in closed:
                parent.chmod(mode)


class TestTcp:
    async def test_nothing_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        error = await failure(https(port, verify=False))
        assert f"nothing listens on port {port}" in error.message
        assert "core.https_address" in error.message
        assert isinstance(error.cause, ConnectionRefusedError)

    async def test_unknown_name(self) -> None:
        assert "'nowhere.invalid' cannot be resolved" in (await failure(https(1, "nowhere.invalid"))).message

    async def test_variable_is_named(self) -> None:
        endpoint = resolve_endpoint(environ={"INCUS_ENDPOINT": "https://nowhere.invalid"})
        assert "https://nowhere.invalid:8443 (from INCUS_ENDPOINT)" in (await failure(endpoint)).message

    def test_host_header(self) -> None:
        assert Dialer(https(8443, "name.example"), 1).host == b"name.example:8443"
        assert Dialer(https(443, "2001:db8::1"), 1).host == b"[2001:db8::1]:443"
        assert Dialer(https(443, "fe80::1%eth0"), 1).host == b"[fe80::1]:443"

    async def test_options_of_the_socket(self, tmp_path: Path) -> None:
        async with tls_server(make_identity(tmp_path, "server")) as server:
            caller = await Dialer(https(server.port, verify=False), 10).dial(Caller)
            sock = caller.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
            await caller.finish()

    async def test_protocol_is_connected_once(self, tmp_path: Path) -> None:
        async with tls_server(make_identity(tmp_path, "server")) as server:
            caller = await Dialer(https(server.port, verify=False), 10).dial(Caller)
            await caller.finish()
        assert caller.connected == 1

    async def test_buffered_protocol(self, tmp_path: Path) -> None:
        """The kind that the connections of this library are."""

        class Buffered(asyncio.BufferedProtocol):
            def __init__(self) -> None:
                self.buffer = bytearray(100)
                self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

            def connection_made(self, transport: Any) -> None:
                self.transport = transport
                transport.write(b"hello")

            def get_buffer(self, sizehint: int) -> bytearray:
                return self.buffer

            def buffer_updated(self, nbytes: int) -> None:
                self.answer.set_result(bytes(self.buffer[:nbytes]))

        async with tls_server(make_identity(tmp_path, "server")) as server:
            protocol = await Dialer(https(server.port, verify=False), 10).dial(Buffered)
            assert b"200 OK" in await asyncio.wait_for(protocol.answer, 10)
            protocol.transport.abort()

    async def test_many_at_once(self, tmp_path: Path) -> None:
        async with nothing_left():
            identity = make_identity(tmp_path, "server")
            async with tls_server(identity) as server:
                dialer = Dialer(https(server.port, verify=str(identity.crt)), 10)
                callers = await asyncio.gather(*(dialer.dial(Caller) for _ in range(20)))
                assert len({await caller.finish() for caller in callers}) == 1


class TestRace:
    """Several addresses: the loopback network has as many as needed."""

    @pytest.fixture
    def silent(self) -> Any:
        """An address that does not even refuse: its queue of connections is full."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            fillers = [socket.socket() for _ in range(3)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            yield (socket.AF_INET, listener.getsockname())
            for filler in fillers:
                filler.close()

    @pytest.fixture
    def refusing(self) -> Any:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            return (socket.AF_INET, sock.getsockname())

    async def test_next_address_after_a_refusal(self, refusing: Any) -> None:
        async with nothing_left(), Server(speak) as server:
            began = asyncio.get_running_loop().time()
            sock = await tcp.connect_tcp([refusing, (socket.AF_INET, ("127.0.0.1", server.port))])
            assert asyncio.get_running_loop().time() - began < tcp.RACE_DELAY
            assert sock.getpeername()[1] == server.port
            sock.close()

    async def test_next_address_beside_a_silent_one(self, silent: Any) -> None:
        async with nothing_left(), Server(speak) as server:
            sock = await asyncio.wait_for(
                tcp.connect_tcp([silent, (socket.AF_INET, ("127.0.0.1", server.port))]), timeout=5
            )
            assert sock.getpeername()[1] == server.port
            sock.close()

    async def test_all_fail(self, refusing: Any) -> None:
        async with nothing_left():
            with pytest.raises(ConnectionRefusedError) as caught:
                await tcp.connect_tcp([refusing, (socket.AF_INET, ("127.0.0.1", 1))])
            assert "Errno 111" in caught.value.__notes__[0]

    async def test_no_address(self) -> None:
        with pytest.raises(OSError, match="no address"):
            await tcp.connect_tcp([])

    async def test_families_take_turns(self) -> None:
        both = [(socket.AF_INET6, 1), (socket.AF_INET6, 2), (socket.AF_INET6, 3), (socket.AF_INET, 4)]
        assert [address for _, address in tcp.take_turns(both)] == [1, 4, 2, 3]

    async def test_cancelled(self, silent: Any) -> None:
        async with nothing_left():
            race = asyncio.create_task(tcp.connect_tcp([silent, silent]))
            done, _ = await asyncio.wait([race], timeout=tcp.RACE_DELAY * 1.5)
            assert not done
            race.cancel()
            with pytest.raises(asyncio.CancelledError):
                await race

    async def test_timeout_names_the_step(self, silent: Any) -> None:
        async with nothing_left():
            port = silent[1][1]
            with pytest.raises(
                IncusTimeoutError, match=rf"longer than 0.05 s; it was connecting to '127.0.0.1', port {port}"
            ):
                await Dialer(https(port), 0.05).dial(Caller)


class TestTimeoutAndCancellation:
    async def test_silence_during_the_handshake(self) -> None:
        async with nothing_left(), Server(listen_only) as server:
            with pytest.raises(IncusTimeoutError, match="it was waiting for the TLS handshake"):
                await Dialer(https(server.port), 0.2).dial(Caller)
            assert (await server.visit()).received  # the socket is closed: the server has seen the end

    async def test_cancelled_during_the_handshake(self) -> None:
        async with nothing_left(), Server(listen_only) as server:
            dialling = asyncio.create_task(Dialer(https(server.port), None).dial(Caller))
            await server.arrival()
            dialling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dialling
            await server.visit()

    async def test_cancelled_at_every_turn_of_the_loop(self, tmp_path: Path) -> None:
        """However far it has come, nothing stays behind; at last it comes through."""
        async with nothing_left():
            identity = make_identity(tmp_path, "server")
            async with tls_server(identity) as server:
                dialer = Dialer(https(server.port, verify=str(identity.crt)), 10)
                await cancel_ever_later(dialer)
                for number in range(len(server.visits)):
                    await server.visit(number)

    async def test_wrong_peer_leaves_nothing(self, tmp_path: Path) -> None:
        async with nothing_left():
            pinned = make_identity(tmp_path, "pinned")
            async with tls_server(make_identity(tmp_path, "impostor")) as server:
                await failure_of_peer(https(server.port, verify=str(pinned.crt)))
                await server.visit()

    async def test_refused_certificate_leaves_nothing(self, tmp_path: Path) -> None:
        async with nothing_left(), tls_server(make_identity(tmp_path, "server")) as server:
            error = await failure(https(server.port))
            assert isinstance(error.cause, ssl.SSLError)
            await server.visit()


async def failure_of_peer(endpoint: Endpoint) -> None:
    with pytest.raises(IncusConnectionError, match="not the server that is pinned"):
        await Dialer(endpoint, 10).dial(Caller)


def test_import_loads_nothing_that_only_https_needs() -> None:
    """A script on a unix socket pays nothing for TLS, TCP and proxies."""
    import subprocess
    import sys

    code = "import sys, incus_sdk.config, incus_sdk._transport.dial; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "incus_sdk._transport.dial" in loaded
    for name in ("tls", "tcp", "proxy"):
        assert f"incus_sdk._transport.{name}" not in loaded
    assert "incus_sdk._pem" not in loaded
    assert "incus_sdk._proxies" not in loaded
