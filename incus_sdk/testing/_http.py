"""Requests to a daemon over its unix socket, with nothing but the standard library.

The client that this package is about is not used here: a daemon to test it against must come up without it.
"""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection, HTTPException
from typing import Any

from ._errors import PrivateIncusError

__all__ = ["UnixAPI"]


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("incus", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class UnixAPI:
    """The API of the daemon behind a unix socket."""

    def __init__(self, path: str, timeout: float = 60.0) -> None:
        self._path = path
        self._timeout = timeout

    def ready(self) -> bool:
        """Tells whether the daemon answers and has finished starting."""
        try:
            self.request("GET", "/internal/ready")
        except (PrivateIncusError, HTTPException, OSError):
            return False
        return True

    def request(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Sends a request and waits for the operation that it may have started.

        Args:
            method: The HTTP method.
            path: With leading slash.
            body: Bytes go out as they are, all else as JSON.
            headers: More headers.

        Returns:
            The metadata of the answer; of the finished operation, if there was one.

        Raises:
            PrivateIncusError: The daemon refused or did not answer, or the operation failed.
            OSError: There is no daemon.
        """
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        connection = _UnixConnection(self._path, self._timeout)
        try:
            connection.request(method, path, data, headers or {})
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except TimeoutError as error:
            raise PrivateIncusError(f"{method} {path}: the daemon did not answer within {self._timeout} s") from error
        finally:
            connection.close()
        if answer["type"] == "error":
            raise PrivateIncusError(f"{method} {path}: {answer['error']}", answer["error_code"], answer)
        if answer["type"] == "async":
            return self._wait(f"{method} {path}", answer["operation"])
        metadata: dict[str, Any] = answer["metadata"] or {}
        return metadata

    def _wait(self, what: str, operation: str) -> dict[str, Any]:
        finished = self.request("GET", f"{operation}/wait")
        if finished["status_code"] != 200:
            raise PrivateIncusError(f"{what}: {finished['err'] or finished['status']}", finished["status_code"])
        return finished
