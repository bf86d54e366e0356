"""What the contract tests share: one way to write a test for both faces, and a server that only listens."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from incus_sdk import Client, Instance, OperationResponse
from incus_sdk.testing import PrivateIncus
from incus_sdk.testing._image import build_image

T = TypeVar("T")

NOTHING = {"type": "none"}
"""Source of an instance that is empty, which takes a few milliseconds to make."""

MIB = 1024 * 1024

BEGUN = 0.2
"""Seconds after which a daemon has begun what it was told to do, even if it is busy."""


# Tests are written once, against the types of the async face. With the sync face the same calls have already returned
# what they await there: so `await call(client.instances.get("web"))` works with both.


async def call(value: Awaitable[T]) -> T:
    """Return the result of a call on either face."""
    result: object = value
    if inspect.isawaitable(result):
        return await value
    return cast("T", result)


async def cancelled(operation: OperationResponse) -> OperationResponse:
    """Cancel an operation a moment after its start.

    Daemons that are told to before they have begun die of it, on busy machines: a nil pointer in `Operation.Start`, in
    6.0.4 and in 7.0.2.
    """
    await asyncio.sleep(BEGUN)
    return await call(operation.cancel())


async def still_runs(instance: Instance) -> None:
    """Ask a few times: 6.0.4 seldom says, right after a console session, that a container was stopped."""
    for _ in range(10):
        if (await instance.refresh()).status == "Running":
            return
        await asyncio.sleep(0.2)
    logs = await instance.get_logs()
    pytest.fail(f"it has ended: {logs.get('lxc.log', '')[-2000:]}")


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@asynccontextmanager
async def entered(manager: AbstractAsyncContextManager[T]) -> AsyncGenerator[T]:
    """Enter a context manager of either face."""
    either: object = manager
    if isinstance(either, AbstractContextManager):
        with cast("AbstractContextManager[T]", either) as value:
            yield value
    else:
        async with manager as value:
            yield value


def image_content(variant: str, part: str = "") -> bytes:
    """Return a small image, different for each variant; or one of its parts, `metadata.yaml` or `rootfs`."""
    content = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(_image())) as whole, tarfile.open(fileobj=content, mode="w") as tar:
        for member in whole:
            if member.name.startswith(part):
                file = whole.extractfile(member) if member.isreg() else None
                member.name = member.name if part != "rootfs" else f".{member.name.removeprefix(part)}"
                tar.addfile(member, file)
        if part != "rootfs":
            tar.addfile(tarfile.TarInfo(f"templates/{variant}"), io.BytesIO())
    return content.getvalue()


@cache
def _image() -> bytes:
    return build_image(shutil.which("busybox") or "busybox")


class Face:
    """One of the two faces of the library.

    Args:
        name: `async` or `sync`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.blocking = name == "sync"
        self._threads = ThreadPoolExecutor(max_workers=128)

    def kind(self, name: str) -> type:
        """Return a class of this face's instances."""
        package = "incus_sdk.sync" if self.blocking else "incus_sdk"
        return cast("type", getattr(import_module(f"{package}.api.instances"), name))

    def client(self, endpoint: str, **options: Any) -> Client:
        """Return a client of this face, not connected yet."""
        if not self.blocking:
            return Client(endpoint, **options)
        from incus_sdk.sync import Client as SyncClient

        return cast("Client", cast("object", SyncClient(endpoint, **options)))

    def start(self, make: Callable[[], Awaitable[T]]) -> asyncio.Future[T]:
        """Begin a call beside others; a blocking one in a thread of its own, where it cannot hold up the test."""
        if self.blocking:
            blocking = cast("Callable[[], T]", make)
            return asyncio.get_running_loop().run_in_executor(self._threads, blocking)
        return asyncio.ensure_future(make())

    def close(self) -> None:
        """End the threads of calls that were begun."""
        self._threads.shutdown()


@dataclass(frozen=True, slots=True)
class Server:
    """A daemon that tests run on.

    Attributes:
        endpoint: Its address.
        version: As the table of failures names it, such as `6.0`.
        box: Name of a running instance that tests share; they leave it as they found it.
        private: The daemon itself, if it is ours to kill.
    """

    endpoint: str
    version: str
    box: str
    private: PrivateIncus | None


@dataclass(slots=True)
class Request:
    """What a `Listener` got."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body, decoded."""
        return cast("dict[str, Any]", json.loads(self.body))


@dataclass(slots=True)
class Listener:
    """A server that notes what it gets: for what a real daemon would not tell, or do for real.

    Attributes:
        endpoint: Its address.
        requests: What it got.
        answers: Metadata of the answers to the first requests; it refuses the rest.
    """

    endpoint: str
    requests: list[Request] = field(default_factory=list[Request])
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.decode(), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(method, target, headers, body))
        status, envelope = 400, {"type": "error", "error": "noted", "error_code": 400, "metadata": None}
        if self.answers:
            status, envelope = 200, {"type": "sync", "status_code": 200, "metadata": self.answers.pop(0)}
        answer = json.dumps(envelope).encode()
        start = f'HTTP/1.1 {status} Status\r\nETag: "an-etag"\r\nContent-Length: {len(answer)}\r\n\r\n'
        writer.write(start.encode() + answer)


@asynccontextmanager
async def listening() -> AsyncGenerator[Listener]:
    """Yield a listener on a socket of its own."""
    with tempfile.TemporaryDirectory() as folder:
        listener = Listener(f"unix://{folder}/unix.socket")
        server = await asyncio.start_unix_server(listener.serve, f"{folder}/unix.socket")
        try:
            yield listener
        finally:
            server.close()
            await server.wait_closed()
