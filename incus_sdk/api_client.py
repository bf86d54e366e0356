"""The client below the groups: requests, scope, the envelope, errors, retries and waiting."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._answers import answered, check, envelope, metadata, refused_late, upgraded, whole
from ._link import Link, at_least_zero
from ._requests import Body, Params, label, may_be_later, scope_name, scoped_target, wire
from ._transport import DEFAULT, UNKNOWN, RawStream, Response, StreamResponse
from ._waiting import until_done
from .exceptions import IncusMissingExtensionError, IncusProtocolError
from .operations import OperationResponse

if TYPE_CHECKING:
    from ._sink import Target
    from ._transport import Transport
    from ._transport.websocket import WebSocket as WebSocket  # noqa: PLC0414 - for annotations above; it loads slowly

__all__ = ["APIClient", "Body", "Params", "RawStream", "StreamResponse"]

T = TypeVar("T")
PathOrPEM = str | bytes | PathLike[str]


class APIClient:
    """Requests to one Incus server, within one scope.

    Everything that the groups of a `Client` do goes through here. Use it for what has no method yet: paths are those of
    the REST API, answers are checked, errors are raised as `IncusError`.

    Args:
        endpoint: See `Client`.
        cert: See `Client`.
        verify: See `Client`.
        project: Project that requests are made in; `None` leaves it to the server (`default`).
        timeout: Seconds for connecting, and of silence of the server; never a total. `None` waits for ever.
        retries: How often a connection that could not be made, or a GET that got no whole answer or a 503, is tried
            again; see `Client`.
        target: Cluster member that requests are directed to.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        cert: tuple[PathOrPEM, PathOrPEM] | PathOrPEM | None = None,
        verify: bool | PathOrPEM = True,
        project: str | None = None,
        timeout: float | None = 30,
        *,
        retries: int = 2,
        target: str | None = None,
    ) -> None:
        self._link = Link(endpoint, cert, verify, timeout, retries)
        self._project = scope_name(project)
        self.target: str | None = scope_name(target)

    @property
    def project(self) -> str | None:
        """Project that requests are made in; `None` is the server's `default`."""
        if self._project is None and self._link.transport is not None:
            return self._link.transport.endpoint.project
        return self._project

    @property
    def endpoint(self) -> str:
        """Address of the server, as in `unix:///run/incus/unix.socket`; looked for now if nobody named it."""
        return self._link.open().endpoint.url

    def scoped(self, *, project: str | None = None, target: str | None = None) -> APIClient:
        """Return a view of this client in another project, or on another cluster member, over the same connections."""
        view = object.__new__(type(self))
        view._link = self._link
        view._project = scope_name(project) or self._project
        view.target = scope_name(target) or self.target
        return view

    async def connect(self) -> None:
        """Open a first connection, so that an address that does not work shows early; requests do so by themselves.

        Raises:
            IncusConnectionError: No daemon was found, or it could not be reached.
            IncusConfigurationError: The endpoint or the certificates cannot be used.
            IncusProtocolError: Who answers is no Incus server.
        """
        # With a question, not by opening a connection alone: on its unix socket Incus 6.0 accepts nobody else's as long
        # as one has said nothing, so a silent one would hold up all other programs, and the daemon's own.
        self._link.closed = False
        envelope(await self._link.persist("GET", "/", lambda transport: transport.request("GET", "/")), "GET /")

    async def disconnect(self) -> None:
        """Close all connections, those of views included; calls under way fail.

        Calls raise `IncusConnectionError` from then on, until the next `connect()`.
        """
        await self._link.close()

    # -- the REST API as it is ----------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        data: Body = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Make a request and return the envelope of its answer.

        Args:
            method: HTTP method.
            path: Path from `/1.0` on, with names already quoted.
            params: Query; the scope's `project` and `target` are added unless they are there.
            data: Body: a mapping is sent as JSON; bytes, files (given by their `Path`) and async iterators of bytes as
                they are.
            headers: Further request headers.

        Raises:
            IncusAPIError: The server refused; subclasses tell the reasons apart.
            IncusConnectionError: No answer came. Its `sent` says whether the server may have acted on the request.
            IncusProtocolError: The answer is none that an Incus server gives.
        """
        response = await self._send(method, path, params, data, headers)
        envelope(response, label(method, path))
        return whole(response, label(method, path))

    async def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a GET; see `request`."""
        return await self.request("GET", path, params)

    async def post(self, path: str, data: Body = None, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a POST; see `request`."""
        return await self.request("POST", path, params, data)

    async def put(self, path: str, data: Body = None, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a PUT; see `request`."""
        return await self.request("PUT", path, params, data)

    async def patch(self, path: str, data: Body = None, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a PATCH; see `request`."""
        return await self.request("PATCH", path, params, data)

    async def delete(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a DELETE; see `request`."""
        return await self.request("DELETE", path, params)

    # -- typed ------------------------------------------------------------------------------------------------------

    async def read(self, path: str, model: type[T], params: Params | None = None) -> T:
        """Return the metadata of a GET as the model; raises as `request` does."""
        return answered(await self._send("GET", path, params), model, "GET", path)

    async def read_list(self, path: str, model: type[T], params: Params | None = None) -> list[T]:
        """Return the metadata of a GET as a list of the model, empty where the server says null."""
        optional = cast("type[list[T] | None]", list[model] | None)  # type: ignore[valid-type]  # a type made at run time
        return await self.read(path, optional, params) or []

    async def read_with_etag(self, path: str, params: Params | None = None) -> tuple[dict[str, Any], str]:
        """Return the metadata of a GET just as the server sent it, and its ETag for a later `operation(etag=…)`."""
        request = label("GET", path)
        response = await self._send("GET", path, params)
        return metadata(envelope(response, request), dict[str, Any], request), response.header("etag") or ""

    async def read_raw(self, path: str, params: Params | None = None) -> Response:
        """Return the answer of a GET that is no envelope: the bytes of a file or a log, with their headers."""
        return check(await self._send("GET", path, params), label("GET", path))

    async def operation(
        self,
        method: str,
        path: str,
        body: Body = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
    ) -> OperationResponse:
        """Make a change and return the server's answer, be it made at once or in the background.

        Args:
            method: HTTP method.
            path: Path from `/1.0` on, with names already quoted.
            body: See `data` of `request`.
            params: Query; the scope is added.
            headers: Further request headers.
            etag: Makes the server refuse if the object has changed since it gave out this ETag.

        Raises:
            IncusPreconditionFailedError: The object has changed.
            IncusAPIError: The server refused for another reason.
            IncusConnectionError: No answer came; see `request`.
        """
        if etag:
            headers = {**(headers or {}), "If-Match": etag}
        answer = await self.request(method, path, params, body, headers)
        answer["metadata"] = answer.get("metadata") or {}
        response = OperationResponse(answer, self)
        if answer["type"] == "async" and not response.id:
            # A failure in the background could not be told from a change that was made at once.
            text = f"{label(method, path)}: the answer names no operation, so nobody can wait for it{UNKNOWN}"
            raise IncusProtocolError(text)
        return response

    async def send_files(self, path: str, files: Mapping[str, Body], headers: Mapping[str, str]) -> OperationResponse:
        """Send several files, by the names of their parts, in one `multipart/form-data`; see `operation`."""
        from ._forms import Form

        form = Form(files)
        return await self.operation("POST", path, form, None, {**headers, **form.headers})

    # -- extensions ---------------------------------------------------------------------------------------------------

    async def require_extension(self, extension: str, request: str = "this call") -> None:
        """Make sure that the server has an API extension; it is asked (`GET /1.0`) unless it is known to have it.

        Args:
            extension: Name of the extension, as in `network_address_set`.
            request: What needs it, for the message.

        Raises:
            IncusMissingExtensionError: The server does not have it; a stranger who is told of none can only call.
        """
        if extension in self._link.extensions:
            return
        server: dict[str, Any] = await self.read("/1.0", dict[str, Any])
        self._link.extensions = told = frozenset[str](server.get("api_extensions") or ())
        if extension in told or (not told and server.get("auth") == "untrusted"):
            return
        environment: dict[str, Any] = server.get("environment") or {}
        version = environment.get("server_version")
        raise IncusMissingExtensionError(
            f"{request} needs the API extension {extension!r}, which this server"
            f"{f' (Incus {version})' if version else ''} does not have",
            extension,
        )

    async def _check_extensions(self, method: str, path: str, params: Params | None, data: Body) -> None:
        """Refuse what this server would ignore or not know, before it is sent."""
        from ._extensions import NEWER, required

        depth = (params or {}).get("recursion", 0)
        for extension in required(method, path.partition("?")[0], depth if isinstance(depth, int) else 0, data):
            if extension in NEWER:
                await self.require_extension(extension, label(method, path))

    # -- streams ------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        data: Body = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[StreamResponse]:
        """Make a request whose answer is read piece by piece; leaving the context early drops the connection.

        Raises:
            IncusAPIError: The server refused.
        """
        if may_be_later(path, params, data):
            await self._check_extensions(method, path, params, data)
        body, headers = wire(data, headers)
        target = self._target(path, params)
        async with AsyncExitStack() as stack:

            async def begin(transport: Transport) -> StreamResponse:
                await stack.aclose()  # what an attempt before this one has left
                return await stack.enter_async_context(transport.stream(method, target, headers=headers, body=body))

            response = await self._link.persist(method, path, begin, again=not isinstance(data, AsyncIterable))
            if response.status >= 300 or refused_late(path, response):
                envelope(Response(response.status, response.headers, await response.read()), label(method, path))
            yield response

    async def download(
        self,
        path: str,
        target: Target,
        params: Params | None = None,
        *,
        method: str = "GET",
        data: Body = None,
        headers: Mapping[str, str] | None = None,
        sha256: str | None = None,
    ) -> int:
        """Write an answer to a file, and return its size in bytes.

        A file of that name appears, or is replaced, only when all of it has come: what breaks off leaves nothing.

        Args:
            path: Path from `/1.0` on, with names already quoted.
            target: Path of the file; or a binary file that is open, which gets what comes as it comes.
            params: Query; the scope is added.
            method: HTTP method.
            data: Body of the request.
            headers: Further request headers.
            sha256: The checksum that it must have, in hexadecimal digits.

        Raises:
            IncusAPIError: The server refused.
            IncusConnectionError: The connection broke before the end.
            IncusProtocolError: The checksum is another.
            OSError: The file cannot be written.
        """
        from ._sink import Sink, write_all

        with Sink(target, sha256, label(method, path)) as sink:  # before anything is sent: it may be a dear request
            async with self.stream(method, path, params, data, headers) as response:
                return await write_all(response, sink)

    async def download_image(
        self, path: str, target: Target, rootfs: Target | None, fingerprint: str, params: Params | None = None
    ) -> int:
        """Write an image, which may come in two files, and check its fingerprint; see `ImagesAPI.export`."""
        from ._forms import ImageSink
        from ._sink import write_all

        with ImageSink(target, rootfs, label("GET", path)) as sink:
            async with self.stream("GET", path, params) as response:
                sink.expect(fingerprint, response.header)
                return await write_all(response, sink)

    async def websocket(self, path: str, params: Params | None = None) -> WebSocket:
        """Open a websocket, as `/1.0/events` and the sockets of an operation are.

        Raises:
            IncusAPIError: The server refused.
        """
        target = self._target(path, params)
        answer = await self._link.persist("GET", path, lambda transport: transport.websocket(target))
        return upgraded(answer, label("GET", path))

    async def upgrade(
        self, path: str, protocol: str, *, method: str = "GET", params: Params | None = None, data: Body = None
    ) -> RawStream:
        """Turn a connection into a stream of another protocol (`sftp`, `nbd`, `tcp`).

        Raises:
            IncusAPIError: The server refused.
        """
        if may_be_later(path, params, data):
            await self._check_extensions(method, path, params, data)
        body, headers = wire(data, None)
        target = self._target(path, params)
        answer = await self._link.persist(
            method,
            path,
            lambda transport: transport.upgrade(
                method, target, protocol, headers=headers, body=cast("bytes | None", body)
            ),
        )
        return upgraded(answer, label(method, path))

    # -- waiting ------------------------------------------------------------------------------------------------------

    async def wait(self, operation_id: str, timeout: float | None = None) -> dict[str, Any]:
        """Wait until an operation has ended well, and return it as the server describes it.

        Args:
            operation_id: Its identifier, or its path as in the answer that announced it.
            timeout: Seconds to wait at most; the operation itself goes on after that. 0 only looks.

        Raises:
            IncusOperationError: It failed, was cancelled (`IncusOperationCancelledError`), is still running
                (`IncusOperationTimeoutError`) or forgotten by the server (`IncusOperationLostError`).
        """
        at_least_zero(timeout, "timeout")
        return await until_done(self._send, operation_id, timeout, self._link.timeout)

    # -- one request --------------------------------------------------------------------------------------------------

    async def _send(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        data: Body = None,
        headers: Mapping[str, str] | None = None,
        *,
        silence: float | None = DEFAULT,
    ) -> Response:
        """Send a request, again where that can do no harm."""
        if may_be_later(path, params, data):
            await self._check_extensions(method, path, params, data)
        body, headers = wire(data, headers)
        target = self._target(path, params)
        return await self._link.persist(
            method,
            path,
            lambda transport: transport.request(method, target, headers=headers, body=body, silence=silence),
            again=data is None or not isinstance(data, AsyncIterable),  # which would be used up
        )

    def _target(self, path: str, params: Params | None) -> str:
        self._link.open()  # the restricted user socket, if that is what it finds, comes with a project
        return scoped_target(path, params, self.project, self.target)
