"""What the server answers to a change: at once, or by an operation in the background."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, cast

from ._failures import after_a_change, operation_error, subject
from ._paths import fill
from .exceptions import IncusArgumentError, IncusError, IncusNotFoundError, IncusOperationError, add_to_message
from .models.progress import OperationProgress

if TYPE_CHECKING:
    from .api_client import APIClient

__all__ = ["ExecResponse", "OperationResponse"]

RUNNING = 103
FINISHED = 200
"""Status codes from here on are final: 200 success, 400 failure, 401 cancelled."""

AMBIGUOUS = frozenset({126, 127})
"""Exit codes that servers take for a command which could not be started, even if the command itself ended with them."""


class OperationResponse(dict[str, Any]):
    """The server's answer to a change.

    It is the envelope of the answer as a `dict`; `response["metadata"]` is the operation as the server describes it,
    and the properties read from there. A change that the server made at once is a finished one with an empty `id`.

    Waiting and refreshing update this very object. It can be copied, pickled and written as JSON; copies by
    `dict.copy()` are plain, pickled ones are no longer connected to a client.
    """

    __slots__ = ("_api",)
    _api: APIClient | None

    def __init__(self, envelope: dict[str, Any], api: APIClient | None = None) -> None:
        super().__init__(envelope)
        self._api = api

    @property
    def id(self) -> str:
        """Identifier of the operation, empty when the server made the change at once."""
        return str(self._operation.get("id") or "")

    @property
    def status(self) -> str:
        """State in the server's words: `Running`, `Success`, `Failure`, `Cancelled` and others."""
        return str(self._operation.get("status") or "Success")

    @property
    def done(self) -> bool:
        """Whether it has ended, as far as this object knows; `refresh()` asks the server."""
        return self._code >= FINISHED

    @property
    def resources(self) -> dict[str, list[str]]:
        """Paths of what it works on, by kind: `{"instances": ["/1.0/instances/web"]}`."""
        resources = _mapping(self._operation.get("resources"))
        return {kind: [str(url) for url in urls or ()] for kind, urls in resources.items() if _is_list(urls)}

    @property
    def progress(self) -> OperationProgress | None:
        """How far it had come when this object was last updated."""
        return OperationProgress.from_metadata(self._details)

    @property
    def _operation(self) -> dict[str, Any]:
        return _mapping(self.get("metadata"))

    @property
    def _details(self) -> dict[str, Any]:
        return _mapping(self._operation.get("metadata"))

    @property
    def _code(self) -> int:
        code = self._operation.get("status_code")
        return code if isinstance(code, int) and code else (RUNNING if self.id else FINISHED)

    async def wait(self, timeout: float | None = None) -> Self:
        """Wait until it has ended well (`GET /1.0/operations/{id}/wait`).

        Args:
            timeout: Seconds to wait at most; the operation itself goes on after that. `None` waits for ever.

        Raises:
            IncusOperationError: It failed; subclasses tell the cause, where it is known.
            IncusOperationCancelledError: It was cancelled.
            IncusOperationTimeoutError: It is still running.
            IncusOperationLostError: The server has forgotten it, so nobody knows how it ended.
            IncusArgumentError: It is a token, which ends when somebody uses it.
        """
        if not self.id:
            return self
        if self.done:  # asking again would be in vain: the server forgets it soon
            if self._code != FINISHED:
                raise operation_error(self._operation)
            return self
        if self._operation.get("class") == "token":
            raise IncusArgumentError(f"{self!r} is a token: it ends when somebody uses it, so do not wait for that")
        try:
            self._take(await self._bound().wait(self.id, timeout))
        except IncusError as error:
            if isinstance(error, IncusOperationError) and error.response and "id" in error.response:
                self._take({**self._operation, **error.response})
            elif not isinstance(error, IncusArgumentError):  # nobody but this object can tell now what was waited for
                add_to_message(error, f" ({subject(self._operation)})")
            raise
        return self

    async def refresh(self) -> Self:
        """Read its state from the server again (`GET /1.0/operations/{id}`), for `status` and `progress`.

        Raises:
            IncusNotFoundError: The server has forgotten it; it does so five seconds after the end.
        """
        if self.id:
            self._take(await self._bound().read(fill("/1.0/operations/{id}", {"id": self.id}), dict[str, Any]))
        return self

    async def cancel(self) -> Self:
        """Ask the server to cancel it (`DELETE /1.0/operations/{id}`).

        Raises:
            IncusBadRequestError: It cannot be cancelled, or has ended already.
        """
        if not self.id:
            raise IncusArgumentError("there is nothing to cancel: the server made this change at once")
        await self._bound().operation("DELETE", fill("/1.0/operations/{id}", {"id": self.id}))
        return self

    def _bound(self) -> APIClient:
        if self._api is None:
            raise IncusArgumentError(f"{self!r} is a copy without a client; wait with client.wait_for_operation(id)")
        return self._api

    def _take(self, operation: dict[str, Any]) -> None:
        code = operation.get("status_code")
        if self.id and self.done and isinstance(code, int) and code < FINISHED:
            return  # an older answer, to another task that asked: what has ended stays so
        self["metadata"] = operation
        self["status"], self["status_code"] = operation.get("status"), operation.get("status_code")

    def __repr__(self) -> str:
        # Short, since the whole dict can hold the secrets of an operation's websockets.
        what = self._operation.get("description") or "change"
        return f"<{type(self).__name__} {what!r} {self.status}{f' {self.id[:8]}' if self.id else ''}>"

    def __rich_repr__(self) -> list[str]:
        """Have `rich` print no more than that either."""
        return [self._operation.get("description") or "change", self.status, self.id[:8]]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class ExecResponse(OperationResponse):
    """The answer to `execute`: an `OperationResponse` with the command's result.

    Once it has ended, and if its output was recorded, `response["metadata"]["output"]` is
    `{"stdout": …, "stderr": …}`, the texts themselves. They have been fetched and removed from the server then.
    """

    __slots__ = ("_left", "_recorded")
    _recorded: dict[str, bytes]
    _left: list[str]

    def __init__(
        self, envelope: dict[str, Any], api: APIClient | None = None, recorded: dict[str, bytes] | None = None
    ) -> None:
        super().__init__(envelope, api)
        self._recorded = recorded or {}
        self._left = []  # paths of recordings that are fetched, and still to be removed

    @property
    def returncode(self) -> int | None:
        """The command's exit code (128 + n if signal n ended it); `None` while it runs."""
        value = self._details.get("return")
        return int(value) if isinstance(value, int | float) else None

    @property
    def stdout_bytes(self) -> bytes:
        """What the command wrote to its standard output, if it was recorded."""
        return self._recorded.get("stdout", b"")

    @property
    def stderr_bytes(self) -> bytes:
        """What the command wrote to its standard error, if it was recorded."""
        return self._recorded.get("stderr", b"")

    @property
    def stdout(self) -> str:
        """`stdout_bytes` as UTF-8; bytes that are none are replaced by U+FFFD."""
        return self.stdout_bytes.decode(errors="replace")

    @property
    def stderr(self) -> str:
        """`stderr_bytes` as UTF-8; bytes that are none are replaced by U+FFFD."""
        return self.stderr_bytes.decode(errors="replace")

    async def wait(self, timeout: float | None = None) -> Self:
        """Wait until the command has ended, then fetch its recorded output and remove it from the server.

        An exit code other than 0 is a result, no error. With two exceptions that servers make: they say "Command not
        found" of every 127 and "Command not executable" of every 126, so these raise unless recorded output shows that
        the command did run.

        If the wait is broken off, recorded output stays on the server until the next `wait()`; if the server has
        forgotten the operation, until somebody deletes it (`GET` and `DELETE …/logs/exec-output`).

        Args:
            timeout: Seconds to wait at most; the command itself goes on after that. `None` waits for ever.

        Raises:
            IncusOperationError: The command could not be run; see `OperationResponse.wait`.
        """
        try:
            await super().wait(timeout)
        except IncusOperationError:
            if not self.done:
                raise
            ambiguous = self.returncode in AMBIGUOUS  # then only the output can tell, so it must not fail to come
            with suppress(IncusNotFoundError if ambiguous else IncusError):
                await self._collect()
            if not ambiguous or not (self.stdout_bytes or self.stderr_bytes):
                raise
        else:
            await self._collect()
        return self

    async def _collect(self) -> None:
        """Fetch what was recorded, once, and remove it from the server."""
        paths = {} if "output" in self._operation else _recordings(self._details)
        recorded: dict[str, bytes] = {}
        for stream, path in paths.items():
            try:
                with after_a_change("the command has ended, and only fetching its output failed"):
                    recorded[stream] = (await self._bound().read_raw(path)).body
            except IncusNotFoundError:
                if "output" in self._operation:  # another task that waits has been quicker
                    return
                raise
        if paths:
            self._recorded = recorded
            self._operation["output"] = {"stdout": self.stdout, "stderr": self.stderr}
            self._left = list(paths.values())
        while self._left:
            path = self._left[0]
            with suppress(IncusError):  # the output is here; what is left on the server is no reason to lose it
                await self._bound().operation("DELETE", path)
            if path in self._left:  # unless another task that waits has been quicker
                self._left.remove(path)

    def _take(self, operation: dict[str, Any]) -> None:
        output = self._operation.get("output")
        super()._take(operation)
        if output is not None:  # it is no longer on the server
            self._operation["output"] = output

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), None, self._recorded)


def _recordings(details: dict[str, Any]) -> dict[str, str]:
    """Paths of the recorded output: the server numbers the streams, and may append a project that the client adds."""
    output = _mapping(details.get("output"))
    names = {"1": "stdout", "2": "stderr"}
    return {names[key]: str(url).partition("?")[0] for key, url in output.items() if key in names}


# Operations stay as the server sent them, so that what is odd about one shows only here, and must not break the rest.


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _is_list(value: object) -> bool:
    return value is None or isinstance(value, list)
