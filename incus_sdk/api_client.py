"""The client below the groups: requests, scope, the envelope, errors, retries and waiting."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import asynccontextmanager
from os import PathLike
from typing import Any, TypeVar, cast

from . import config
from ._answers import check, envelope, metadata, upgraded, whole
from ._requests import Body, Params, label, scoped_target, wire
from ._transport import DEFAULT, RawStream, Response, StreamResponse, Transport, WebSocket
from ._waiting import until_done
from .exceptions import IncusArgumentError, IncusConnectionError, IncusProtocolError
from .operations import OperationResponse

__all__ = ["APIClient", "Body", "Params"]

T = TypeVar("T")
PathOrPEM = str | bytes | PathLike[str]

SAFE = frozenset({"GET", "HEAD"})
_log = logging.getLogger("incus_sdk.api")


class _Link:
    """The connections that all views of a client share."""

    __slots__ = ("cert", "closed", "connected", "endpoint", "retries", "timeout", "transport", "verify")

    def __init__(self, endpoint: str | None, cert: Any, verify: Any, timeout: float | None, retries: int) -> None:
        self.endpoint, self.cert, self.verify, self.timeout, self.retries = endpoint, cert, verify, timeout, retries
        self.transport: Transport | None = None
        self.closed = False
        self.connected = False  # at least one answer came: what is refused from then on may be a restart

    def open(self) -> Transport:
        if self.closed:
            raise IncusConnectionError("this client is disconnected; connect() or another with block opens it again")
        if self.transport is None:
            found = config.resolve_endpoint(self.endpoint, self.cert, self.verify)
            self.transport = Transport(found, timeout=self.timeout)
        return self.transport


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
        retries: How often a connection that could not be made, or a GET that got no whole answer, is tried again.
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
        _at_least_zero(timeout, "timeout")
        if timeout == 0:
            raise IncusArgumentError("timeout cannot be 0: nothing would be in time; None waits for ever")
        if not isinstance(retries, int):
            raise TypeError(f"retries must be a whole number, not {retries!r}")
        _at_least_zero(retries, "retries")
        self._link = _Link(endpoint, cert, verify, timeout, retries)
        self._project = project
        self.target: str | None = target

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
        view._project = self._project if project is None else project
        view.target = self.target if target is None else target
        return view

    async def connect(self) -> None:
        """Open a first connection, so that an address that does not work shows early; requests do so by themselves.

        Raises:
            IncusConnectionError: No daemon was found, or it could not be reached.
            IncusConfigurationError: The endpoint or the certificates cannot be used.
        """
        # With a question, not by opening a connection alone: on its unix socket Incus 6.0 accepts nobody else's as long
        # as one has said nothing, so a silent one would hold up all other programs, and the daemon's own.
        self._link.closed = False
        await self._link.open().request("GET", "/")
        self._link.connected = True

    async def disconnect(self) -> None:
        """Close all connections, those of views included; calls under way fail.

        Calls raise `IncusConnectionError` from then on, until the next `connect()`.
        """
        self._link.closed = True
        transport, self._link.transport = self._link.transport, None
        if transport is not None:
            await transport.close()

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
            data: Body: a mapping is sent as JSON, bytes and async iterators of bytes as they are.
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
        request = label("GET", path)
        return metadata(envelope(await self._send("GET", path, params), request), model, request)

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
            body: A mapping is sent as JSON, bytes and async iterators of bytes as they are.
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
            raise IncusProtocolError(f"{label(method, path)}: the answer names no operation, so nobody can wait for it")
        return response

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
        body, headers = wire(data, headers)
        target = self._target(path, params)
        async with self._link.open().stream(method, target, headers=headers, body=body) as response:
            if response.status >= 400:
                check(Response(response.status, response.headers, await response.read()), label(method, path))
            yield response

    async def websocket(self, path: str, params: Params | None = None) -> WebSocket:
        """Open a websocket, as `/1.0/events` and the sockets of an operation are.

        Raises:
            IncusAPIError: The server refused.
        """
        answer = await self._link.open().websocket(self._target(path, params))
        return upgraded(answer, label("GET", path))

    async def upgrade(
        self, path: str, protocol: str, *, method: str = "GET", params: Params | None = None, data: Body = None
    ) -> RawStream:
        """Turn a connection into a stream of another protocol (`sftp`, `nbd`, `tcp`).

        Raises:
            IncusAPIError: The server refused.
        """
        body, headers = wire(data, None)
        target = self._target(path, params)
        answer = await self._link.open().upgrade(
            method, target, protocol, headers=headers, body=cast("bytes | None", body)
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
        _at_least_zero(timeout, "timeout")
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
        body, headers = wire(data, headers)
        target = self._target(path, params)
        transport = self._link.open()
        attempt = 0
        while True:
            pause = min(0.2 * 4**attempt, 5.0) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
            try:
                response = await transport.request(method, target, headers=headers, body=body, silence=silence)
            except IncusConnectionError as error:
                disconnected = self._link.transport is not transport
                if disconnected or attempt >= self._link.retries or not self._repeatable(method, error, data):
                    raise
                _log.debug("%s: %s; again in %.1f s", label(method, path), error, pause)
            else:
                self._link.connected = True
                if response.status != 503 or method not in SAFE or attempt >= self._link.retries:
                    return response
                _log.debug("%s: the server is not ready; again in %.1f s", label(method, path), pause)
            attempt += 1
            await asyncio.sleep(pause)

    def _repeatable(self, method: str, error: IncusConnectionError, data: Body) -> bool:
        """Whether a failed request may be sent again: it never reached the server, or changes nothing there."""
        if isinstance(data, AsyncIterable):
            return False  # it is used up
        return self._link.connected and (not error.sent or method in SAFE)

    def _target(self, path: str, params: Params | None) -> str:
        self._link.open()  # the restricted user socket, if that is what it finds, comes with a project
        return scoped_target(path, params, self.project, self.target)


def _at_least_zero(value: object, what: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be a number, not {value!r}")
    if not value >= 0:  # nor is NaN
        raise IncusArgumentError(f"{what} cannot be {value}: it must be 0 or more")
