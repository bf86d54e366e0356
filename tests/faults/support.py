"""What the fault tests share: a daemon on either kind of link, the calls that are put to it, and what is demanded."""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from incus_sdk import APIClient, Client, IncusError, IncusTimeoutError
from incus_sdk.config import Endpoint

from ..contract.support import Face
from ..unit.daemon import Behaviour, Daemon, Request, reply
from ..unit.transport.peers import descriptors
from ..unit.transport.scripted.conftest import Identity
from ..unit.transport.scripted.server import Peer, Server

T = TypeVar("T")

PATIENCE = 30
"""Seconds after which something hangs, on however busy a machine."""

UNKNOWN = "is unknown"
"""What every message says when a change may have been made, or not."""

UUID = "9d208065-b99b-4976-9673-e019f5bbee0e"
OPERATION = f"/1.0/operations/{UUID}"

CHECK = reply({"type": "sync", "metadata": ["alive"]})


class Faulty(Daemon):
    """A scripted daemon on a unix socket or over TLS, whose clients know it by its certificate."""

    def __init__(self, link: str, folder: Path, identity: Identity) -> None:
        super().__init__(folder / "socket")
        self.link = link
        self._folder = folder
        self._identity = identity
        if link == "tls":
            endpoint = Endpoint("https://127.0.0.1", host="127.0.0.1", port=0, verify=identity.path)
            self.server = Server(self._serve, endpoint, identity.context)

    @property
    def url(self) -> str:
        endpoint = self.server.endpoint
        return endpoint.url if self.link == "unix" else f"https://127.0.0.1:{endpoint.port}"

    @property
    def options(self) -> dict[str, Any]:
        """What its clients have to be given beside the address."""
        return {"verify": self._identity.path} if self.link == "tls" else {}

    def client(self, **options: Any) -> Client:
        client = Client(self.url, **self.options, **options)
        self._clients.append(client.api)
        return client

    def api(self, **options: Any) -> APIClient:
        return self.client(**options).api

    async def alone(self, sockets: int) -> None:
        """Wait until all connections but the last one are closed at both ends.

        Args:
            sockets: How many sockets the process had before the first connection.
        """
        async with asyncio.timeout(PATIENCE):
            for peer in self.server.peers[:-1]:
                await peer.over.wait()
            await until(lambda: len(descriptors()) <= sockets + 2)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until it is so: of the end of a socket nobody tells."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for is not ours to set an event
            await asyncio.sleep(0)


# -- what a daemon does instead of answering --------------------------------------------------------------------------


def cut(answer: bytes, how: str) -> Behaviour:
    """Send this much of an answer and end the connection: in good order, without TLS's end (dropped), or by a reset."""

    async def behave(peer: Peer, _: Request) -> None:
        await peer.send(answer)
        if how == "closed":
            await peer.hang_up()
        elif how == "dropped":
            peer.cut()
        else:
            await reset(peer)

    return behave


def stall(answer: bytes, silent: asyncio.Event | None = None) -> Behaviour:
    """Send this much of an answer, set the event, then send nothing more until the client has hung up."""

    async def behave(peer: Peer, _: Request) -> None:
        await peer.send(answer)
        if silent is not None:
            silent.set()
        while await peer.reader.read(1 << 16):
            pass

    return behave


async def reset(peer: Peer) -> None:
    """Drop the connection so that the client's system reports it as an error, as far as the kind of link allows."""
    sock = peer.writer.get_extra_info("socket")
    if sock.family == socket.AF_INET:
        # What was written must have left before the reset throws the rest away; it is little, so it has.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.cut()


# -- calls -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One call of a user, with the answers that it gets from a daemon in good health.

    Attributes:
        make: Makes it.
        answers: One for each of its requests.
        requests: What messages call these requests.
        right: Whether a result is the right one.
    """

    make: Callable[[Client], Awaitable[Any]]
    answers: tuple[bytes, ...]
    requests: tuple[str, ...]
    right: Callable[[Any], bool]

    def changes(self, step: int) -> bool:
        """Whether that request is a change, so that it must not be repeated."""
        return not self.requests[step].startswith("GET ")


def chunked(body: bytes, head: bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") -> bytes:
    """An answer in two chunks, as servers written in Go send what is longer."""
    parts = [part for part in (body[:9], body[9:]) if part]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


INSTANCE = reply({"type": "sync", "metadata": {"name": "web"}})
STARTED = reply({"type": "async", "operation": OPERATION, "metadata": {"id": UUID, "status_code": 103}}, 202)
DONE = reply({"type": "sync", "metadata": {"id": UUID, "status_code": 200}})
FILE = reply(b"hello", 200, {"X-Incus-type": "file"})

CALLS = {
    "envelope": Call(
        lambda client: client.instances.get("web"),
        (INSTANCE,),
        ("GET /1.0/instances/web",),
        lambda result: result.name == "web",
    ),
    "chunked": Call(
        lambda client: client.instances.get("web"),
        (chunked(b'{"type":"sync","metadata":{"name":"web"}}'),),
        ("GET /1.0/instances/web",),
        lambda result: result.name == "web",
    ),
    "file": Call(
        lambda client: client.instances.get_files("web", "/f"),
        (FILE,),
        ("GET /1.0/instances/web/files",),
        lambda result: result == b"hello",
    ),
    "change": Call(
        lambda client: client.instances.put_files("web", "/f", b"x"),
        (reply({"type": "sync", "metadata": {}}),),
        ("POST /1.0/instances/web/files",),
        lambda result: result.done and not result.id,
    ),
    "background": Call(
        lambda client: client.instances.start("web", wait=True),
        (STARTED, DONE),
        ("PUT /1.0/instances/web/state", f"GET {OPERATION}/wait"),
        lambda result: result.status == "Success" and result.done and result.id == UUID,
    ),
}


def started(face: Face, call: Call, client: Client) -> asyncio.Future[Any]:
    """Begin a call on either face."""
    return face.start(lambda: call.make(client))


# -- what is demanded -------------------------------------------------------------------------------------------------


async def outcome(result: Awaitable[T]) -> T | IncusError:
    """Return what comes of a call: its result, or its error. Anything else, a hang too, fails the test."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await result
        except IncusError as error:
            return error


def told(error: object, request: str, *, doubt: bool = False) -> IncusError:
    """Check that an error names the request, and says so if the change may have been made."""
    assert isinstance(error, IncusError), f"a result where none can be: {error!r}"
    assert error.message.startswith(request), error.message
    assert (UNKNOWN in error.message) == doubt, error.message
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    return error


async def check(daemon: Faulty, client: Client, face: Face) -> None:
    """Prove that the client works, by a call that leaves it with one connection that was used before."""
    async with asyncio.timeout(PATIENCE):
        while True:
            daemon.will(CHECK)
            try:
                answer = await face.start(lambda: client.api.get("/1.0"))
            except IncusTimeoutError:  # of a client with a tiny timeout, on a busy machine
                daemon.answers.clear()
                continue
            assert answer["metadata"] == ["alive"]
            return


@asynccontextmanager
async def using(daemon: Faulty, face: Face, **options: Any) -> AsyncGenerator[Client]:
    """A client of either face."""
    client = face.client(daemon.url, **daemon.options, **options)
    try:
        yield client
    finally:
        await face.start(client.disconnect)


def as_type(value: object, kind: type[T]) -> T:
    """Return the value, which must be of that type."""
    assert isinstance(value, kind), f"{value!r}"
    return value
