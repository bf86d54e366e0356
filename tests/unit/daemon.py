"""A daemon that gives the answers of a test, request by request, on a real unix socket."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from incus_sdk import APIClient, Client
from incus_sdk.config import Endpoint

from .transport.scripted.server import PATIENCE, Peer, Server

UUID = "9d208065-b99b-4976-9673-e019f5bbee0e"
WAIT = f"/1.0/operations/{UUID}/wait"
OPERATION = f"/1.0/operations/{UUID}"


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Attributes:
        method: HTTP method.
        target: Path and query, as they were sent.
        headers: Headers; names in lower case.
        body: The body, put together if it came in chunks.
        connection: Number of the connection that it came on.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qsl(urlsplit(self.target).query, keep_blank_values=True)
        assert len(pairs) == len(dict(pairs)), f"a key is there twice: {self.target}"
        return dict(pairs)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[Peer, Request], Awaitable[None]]
Answer = bytes | Behaviour
"""An answer as it is sent, or what to do instead."""


def reply(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """An HTTP answer; what is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


def envelope(kind: str, **fields: object) -> dict[str, object]:
    """An envelope with all its keys, as servers send it."""
    empty = {"status": "", "status_code": 0, "operation": "", "error_code": 0, "error": "", "metadata": None}
    return {"type": kind, **empty, **fields}


def sync(metadata: object, headers: Mapping[str, str] | None = None) -> bytes:
    """An answer that is there at once."""
    return reply(envelope("sync", status="Success", status_code=200, metadata=metadata), 200, headers)


def error(code: int, text: str, status: int | None = None) -> bytes:
    """A refusal; older servers give that of `/wait` with an HTTP status of 200."""
    return reply(envelope("error", error_code=code, error=text), code if status is None else status)


def operation(status: str = "Running", code: int = 103, **fields: object) -> dict[str, object]:
    """An operation, as the metadata of an answer."""
    return {
        "id": UUID,
        "class": "task",
        "description": "Starting instance",
        "status": status,
        "status_code": code,
        "resources": {"instances": ["/1.0/instances/web"]},
        "metadata": None,
        "may_cancel": False,
        "err": "",
        "location": "none",
        **fields,
    }


def started(**fields: object) -> bytes:
    """The answer that a background operation has been started."""
    metadata = operation(**fields)  # type: ignore[arg-type]  # those with other types have no other name here
    whole = envelope(
        "async", status="Operation created", status_code=100, operation=f"/1.0/operations/{UUID}", metadata=metadata
    )
    return reply(whole, 202, {"Location": f"/1.0/operations/{UUID}"})


SUCCESS = sync(operation("Success", 200))
RUNNING = sync(operation())


async def hang_up(peer: Peer, _: Request) -> None:
    """Close the connection without an answer."""
    peer.cut()


async def silence(peer: Peer, _: Request) -> None:
    """Never answer; end when the client has hung up."""
    while await peer.reader.read(1 << 16):
        pass


class Daemon:
    """The daemon, and clients of it.

    Attributes:
        requests: What has come so far.
        answers: What is still to be given, in this order.
    """

    def __init__(self, socket: Path) -> None:
        self.requests: list[Request] = []
        self.answers: deque[Answer] = deque()
        self.server = Server(self._serve, Endpoint(f"unix://{socket}", socket=str(socket)), None)
        self._clients: list[APIClient] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def client(self, **options: Any) -> Client:
        client = Client(self.server.endpoint.url, **options)
        self._clients.append(client.api)
        return client

    def api(self, **options: Any) -> APIClient:
        api = APIClient(self.server.endpoint.url, **options)
        self._clients.append(api)
        return api

    def will(self, *answers: Answer) -> None:
        """Add to the answers."""
        self.answers.extend(answers)

    @property
    def targets(self) -> list[str]:
        """Methods and targets of the requests so far."""
        return [f"{request.method} {request.target}" for request in self.requests]

    @property
    def last(self) -> Request:
        return self.requests[-1]

    async def stop(self) -> None:
        for client in self._clients:
            await client.disconnect()
        if self._tasks:  # they see the end of their connections
            await asyncio.wait(self._tasks, timeout=PATIENCE)
        await self.server.stop()
        assert not self.server.failures
        assert not self.answers, f"{len(self.answers)} answers nobody asked for, after {self.targets}"

    async def _serve(self, peer: Peer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        while head := await peer.head():
            request = await _read(peer, head)
            self.requests.append(request)
            assert self.answers, f"nothing is planned for {self.targets[-1]}"
            answer = self.answers.popleft()
            if isinstance(answer, bytes):
                await peer.send(answer)
            else:
                await answer(peer, request)


async def _read(peer: Peer, head: bytes) -> Request:
    start, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = start.split(" ")
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(": ") for line in lines):
        assert name.lower() not in headers, f"{name} is there twice"
        headers[name.lower()] = value
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await peer.reader.readline(), 16):
            body += (await peer.reader.readexactly(size + 2))[:-2]
        await peer.reader.readline()
    else:
        body = await peer.reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body, peer.number)
