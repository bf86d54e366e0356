"""`APIClient` for threads that wait: what the generated sync code stands on.

Each method is the one of the same name in `incus_sdk.APIClient`, run in the client's loop; see there for the details.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from operator import attrgetter
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, runtime_checkable

from .. import api_client
from .._requests import Body as AsyncBody
from .._requests import Params, label
from .._transport import Response
from ..api_client import PathOrPEM
from ._call import lend
from ._held import held, obtained
from ._portal import Entrance, Portal
from ._streams import RawStream, StreamResponse, WebSocket
from .operations import OperationResponse

if TYPE_CHECKING:
    from .._sink import Sinking, Target

__all__ = ["APIClient", "Body", "Params", "RawStream", "StreamResponse", "WebSocket"]

T = TypeVar("T")
CHUNK = 256 * 1024
"""Bytes that are read from a file at a time."""


@runtime_checkable
class _Readable(Protocol):
    def read(self, n: int, /) -> bytes: ...


Body = Mapping[str, object] | bytes | bytearray | memoryview | PathLike[str] | _Readable | Iterable[bytes] | None


class APIClient:
    """Requests to one Incus server, within one scope.

    Everything that the groups of a `Client` do goes through here. Use it for what has no method yet: paths are those of
    the REST API, answers are checked, errors are raised as `IncusError`. Any number of threads may use it at once.

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
        self._inner = api_client.APIClient(endpoint, cert, verify, project, timeout, retries=retries, target=target)
        self._entrance = Entrance(self._inner.disconnect)

    @property
    def _portal(self) -> Portal:
        return self._entrance.portal()

    @property
    def project(self) -> str | None:
        """Project that requests are made in; `None` is the server's `default`."""
        return self._inner.project

    @property
    def target(self) -> str | None:
        """Cluster member that requests are directed to."""
        return self._inner.target

    @property
    def endpoint(self) -> str:
        """Address of the server, as in `unix:///run/incus/unix.socket`; looked for now if nobody named it."""
        return self._inner.endpoint

    def scoped(self, *, project: str | None = None, target: str | None = None) -> APIClient:
        """Return a view of this client in another project, or on another cluster member, over the same connections."""
        view = object.__new__(type(self))
        view._inner = self._inner.scoped(project=project, target=target)
        view._entrance = self._entrance
        return view

    def connect(self) -> None:
        """Open a first connection, so that an address that does not work shows early; requests do so by themselves.

        Raises:
            IncusConnectionError: No daemon was found, or it could not be reached.
            IncusConfigurationError: The endpoint or the certificates cannot be used.
            IncusProtocolError: Who answers is no Incus server.
        """
        self._entrance.reopen()
        self._portal.run(self._inner.connect)

    def disconnect(self) -> None:
        """Close all connections, those of views included, and end the client's thread; calls under way fail.

        Calls raise `IncusConnectionError` from then on, until the next `connect()`.
        """
        self._entrance.close()

    # -- the REST API as it is ----------------------------------------------------------------------------------------

    def request(
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
            data: Body: a mapping is sent as JSON; bytes, iterables of bytes and binary files as they are. Iterables and
                files are read in the calling thread.
            headers: Further request headers.

        Raises:
            IncusAPIError: The server refused; subclasses tell the reasons apart.
            IncusConnectionError: No answer came. Its `sent` says whether the server may have acted on the request.
            IncusProtocolError: The answer is none that an Incus server gives.
        """
        return self._portal.run(self._inner.request, method, path, params, _lent(data), headers)

    def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a GET; see `request`."""
        return self.request("GET", path, params)

    def post(self, path: str, data: Body = None, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a POST; see `request`."""
        return self.request("POST", path, params, data)

    def put(self, path: str, data: Body = None, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a PUT; see `request`."""
        return self.request("PUT", path, params, data)

    def patch(self, path: str, data: Body = None, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a PATCH; see `request`."""
        return self.request("PATCH", path, params, data)

    def delete(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """Return the envelope of a DELETE; see `request`."""
        return self.request("DELETE", path, params)

    # -- typed --------------------------------------------------------------------------------------------------------

    def read(self, path: str, model: type[T], params: Params | None = None) -> T:
        """Return the metadata of a GET as the model; raises as `request` does."""
        return cast("T", self._portal.run(self._inner.read, path, cast("type[Any]", model), params))

    def read_list(self, path: str, model: type[T], params: Params | None = None) -> list[T]:
        """Return the metadata of a GET as a list of the model, empty where the server says null."""
        return cast("list[T]", self._portal.run(self._inner.read_list, path, cast("type[Any]", model), params))

    def read_with_etag(self, path: str, params: Params | None = None) -> tuple[dict[str, Any], str]:
        """Return the metadata of a GET just as the server sent it, and its ETag for a later `operation(etag=…)`."""
        return self._portal.run(self._inner.read_with_etag, path, params)

    def read_raw(self, path: str, params: Params | None = None) -> Response:
        """Return the answer of a GET that is no envelope: the bytes of a file or a log, with their headers."""
        return self._portal.run(self._inner.read_raw, path, params)

    def operation(
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
        answer = self._portal.run(self._inner.operation, method, path, _lent(body), params, headers, etag)
        return OperationResponse(dict(answer), self)

    def send_files(self, path: str, files: Mapping[str, Body], headers: Mapping[str, str]) -> OperationResponse:
        """Send several files, by the names of their parts, in one `multipart/form-data`; see `operation`."""
        lent = {name: _lent(content) for name, content in files.items()}
        return OperationResponse(dict(self._portal.run(self._inner.send_files, path, lent, headers)), self)

    # -- streams ------------------------------------------------------------------------------------------------------

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        data: Body = None,
        headers: Mapping[str, str] | None = None,
    ) -> Generator[StreamResponse]:
        """Make a request whose answer is read piece by piece; leaving the context early drops the connection.

        Raises:
            IncusAPIError: The server refused.
        """
        portal = self._portal
        with held(portal, self._inner.stream(method, path, params, _lent(data), headers), by_then=True) as inner:
            yield StreamResponse(inner, portal)

    def download(
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
        """Write an answer to a file, and return its size in bytes; see the method of `incus_sdk.APIClient`."""
        from .._sink import Sink

        with (
            Sink(target, sha256, label(method, path)) as sink,
            self.stream(method, path, params, data, headers) as response,
        ):
            return _write_all(response, sink)

    def download_image(
        self, path: str, target: Target, rootfs: Target | None, fingerprint: str, params: Params | None = None
    ) -> int:
        """Write an image, which may come in two files, and check its fingerprint; see `ImagesAPI.export`."""
        from .._forms import ImageSink

        with ImageSink(target, rootfs, label("GET", path)) as sink, self.stream("GET", path, params) as response:
            sink.expect(fingerprint, response.header)
            return _write_all(response, sink)

    def websocket(self, path: str, params: Params | None = None) -> WebSocket:
        """Open a websocket, as `/1.0/events` and the sockets of an operation are.

        Raises:
            IncusAPIError: The server refused.
        """
        portal = self._portal
        return WebSocket(obtained(portal, self._inner.websocket, path, params), portal)

    def upgrade(
        self, path: str, protocol: str, *, method: str = "GET", params: Params | None = None, data: Body = None
    ) -> RawStream:
        """Turn a connection into a stream of another protocol (`sftp`, `nbd`, `tcp`).

        Raises:
            IncusAPIError: The server refused.
        """
        portal, body = self._portal, _lent(data)
        inner = obtained(portal, self._inner.upgrade, path, protocol, method=method, params=params, data=body)
        return RawStream(inner, portal)

    # -- waiting ------------------------------------------------------------------------------------------------------

    def require_extension(self, extension: str, request: str = "this call") -> None:
        """Make sure that the server has an API extension; it is asked (`GET /1.0`) unless it is known to have it.

        Args:
            extension: Name of the extension, as in `network_address_set`.
            request: What needs it, for the message.

        Raises:
            IncusMissingExtensionError: The server does not have it; a stranger who is told of none can only call.
        """
        self._portal.run(self._inner.require_extension, extension, request)

    def wait(self, operation_id: str, timeout: float | None = None) -> dict[str, Any]:
        """Wait until an operation has ended well, and return it as the server describes it.

        Args:
            operation_id: Its identifier, or its path as in the answer that announced it.
            timeout: Seconds to wait at most; the operation itself goes on after that. 0 only looks.

        Raises:
            IncusOperationError: It failed, was cancelled (`IncusOperationCancelledError`), is still running
                (`IncusOperationTimeoutError`) or forgotten by the server (`IncusOperationLostError`).
        """
        return self._portal.run(self._inner.wait, operation_id, timeout)


parts: Callable[[APIClient], tuple[api_client.APIClient, Portal]] = attrgetter("_inner", "_portal")
"""The async client in a sync one, and its loop, started if need be: for other code written by hand."""


def _write_all(pieces: Iterable[bytes], sink: Sinking) -> int:
    for piece in pieces:
        sink.write(piece)
    sink.finish()
    return sink.size


def _lent(body: Body) -> AsyncBody:
    """Return the body for the other face, which takes asynchronous iterators in place of iterables and files."""
    if isinstance(body, _Readable):
        return lend(iter(_reader(body), b""))
    if body is None or isinstance(body, Mapping | bytes | bytearray | memoryview | str | PathLike):
        return cast("AsyncBody", body)  # a text is refused there, as it is for everybody
    return lend(body)


def _reader(file: _Readable) -> Callable[[], bytes]:
    return lambda: file.read(CHUNK)
