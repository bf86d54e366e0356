"""What can go wrong, by cause.

::

    IncusError
    ├── IncusConfigurationError            a certificate, an endpoint or an environment variable is wrong
    ├── IncusArgumentError                 (also ValueError) a value that no server would take; nothing was sent
    ├── IncusConnectionError               nobody answers, the peer is not the one expected, a connection broke
    │   └── IncusBrokenPipeError           (also BrokenPipeError) a command in an instance takes no more input
    ├── IncusTimeoutError                  (also TimeoutError) connecting took too long, or the server fell silent
    │   └── IncusProcessTimeoutError       a command in an instance took too long, and was ended
    ├── IncusProtocolError                 the answer is not what an Incus server sends
    ├── IncusMissingExtensionError         the server lacks an API extension that the call needs
    ├── IncusProcessError                  a command in an instance ended with another exit code than 0
    ├── IncusAPIError                      the server refused; by status:
    │   ├── IncusBadRequestError           400
    │   ├── IncusAuthenticationError       401
    │   ├── IncusPermissionError           403
    │   ├── IncusNotFoundError             404
    │   ├── IncusConflictError             409
    │   ├── IncusPreconditionFailedError   412, somebody else changed the object meanwhile
    │   └── IncusUnavailableError          503, starting up or shutting down
    └── IncusOperationError                a background operation did not succeed
        ├── IncusOperationCancelledError   somebody cancelled it
        ├── IncusOperationTimeoutError     (also IncusTimeoutError) it is still running, the wait is over
        ├── IncusOperationLostError        the server no longer knows it: how it ended is unknown
        ├── IncusOperationNotFoundError    (also IncusNotFoundError) it failed for want of something
        ├── IncusOperationConflictError    (also IncusConflictError) it failed because of what is there already
        ├── IncusOperationPermissionError  (also IncusPermissionError) it failed because the project does not allow it
        └── IncusOperationBadRequestError  (also IncusBadRequestError) it failed because of what was asked for

All of them can be pickled. Messages hold what was tried and what the server said, never a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "IncusAPIError",
    "IncusArgumentError",
    "IncusAuthenticationError",
    "IncusBadRequestError",
    "IncusBrokenPipeError",
    "IncusConfigurationError",
    "IncusConflictError",
    "IncusConnectionError",
    "IncusError",
    "IncusMissingExtensionError",
    "IncusNotFoundError",
    "IncusOperationBadRequestError",
    "IncusOperationCancelledError",
    "IncusOperationConflictError",
    "IncusOperationError",
    "IncusOperationLostError",
    "IncusOperationNotFoundError",
    "IncusOperationPermissionError",
    "IncusOperationTimeoutError",
    "IncusPermissionError",
    "IncusPreconditionFailedError",
    "IncusProcessError",
    "IncusProcessTimeoutError",
    "IncusProtocolError",
    "IncusTimeoutError",
    "IncusUnavailableError",
]

# Every constructor takes its message alone, the rest by default: that is what makes the instances picklable
# (`BaseException.__reduce__` calls the class with `args` and then restores `__dict__`).


class IncusError(Exception):
    """Anything that this library raises on its own account.

    Attributes:
        message: The text, as `str()` gives it.
        status_code: Code that the server gave, `None` where there was none. The class says more: servers give 500 for
            many a cause that has a code of its own.
        response: The server's answer, decoded; `None` where there was none.
    """

    def __init__(
        self, message: str = "", status_code: int | None = None, response: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message: str = message
        self.status_code: int | None = status_code
        self.response: dict[str, Any] | None = response


def add_to_message(error: IncusError, text: str) -> None:
    """Append to the message of an error what only a caller further up knows."""
    error.message += text
    error.args = (error.message,)


class IncusConfigurationError(IncusError):
    """What the client was given to connect with does not hold: an endpoint, a certificate, an environment variable."""


class IncusArgumentError(IncusError, ValueError):
    """A value that cannot be right, refused before anything was sent."""


class IncusConnectionError(IncusError):
    """The server could not be reached, was not the one expected, or the connection broke.

    Attributes:
        cause: What the operating system or the TLS layer said, if anything.
        sent: Whether a request had gone out already. Then the server may have acted on it, although no answer came.
    """

    def __init__(self, message: str = "", cause: BaseException | None = None, *, sent: bool = False) -> None:
        super().__init__(message)
        self.cause: BaseException | None = cause
        self.sent: bool = sent


class IncusBrokenPipeError(IncusConnectionError, BrokenPipeError):
    """A command in an instance takes no more input: it has ended, or its connection broke."""


class IncusTimeoutError(IncusError, TimeoutError):
    """Connecting took longer than the client's `timeout`, or the server was silent for that long.

    Attributes:
        sent: Whether a request had gone out already. Then the server may have acted on it, although no answer came.
    """

    sent: bool = False


class IncusProtocolError(IncusError):
    """The answer is not one that an Incus server gives: broken HTTP, no JSON, no envelope."""


class IncusMissingExtensionError(IncusError):
    """The call needs an API extension that this server does not have; nothing was sent.

    Attributes:
        extension: Name of the extension, as in `api_extensions` of `GET /1.0`.
    """

    def __init__(self, message: str = "", extension: str = "") -> None:
        super().__init__(message)
        self.extension: str = extension


class IncusAPIError(IncusError):
    """The server refused a request; subclasses tell the usual reasons apart."""


class IncusBadRequestError(IncusAPIError):
    """400: the server cannot do what was asked."""


class IncusAuthenticationError(IncusAPIError):
    """401: the server does not accept the credentials."""


class IncusPermissionError(IncusAPIError):
    """403: not allowed, or not trusted; or more than a limit of the project allows."""


class IncusNotFoundError(IncusAPIError):
    """404: there is no such thing."""


class IncusConflictError(IncusAPIError):
    """409: something is in the way."""


class IncusPreconditionFailedError(IncusAPIError):
    """412: the object was changed by somebody else since it was read."""


class IncusUnavailableError(IncusAPIError):
    """503: the server is starting up or shutting down."""


class IncusOperationError(IncusError):
    """A background operation failed, was cancelled, or its end is not known.

    Attributes:
        operation_id: Identifier of the operation.
        response: The operation as the server last described it.
    """

    def __init__(self, message: str = "", operation_id: str = "", response: dict[str, Any] | None = None) -> None:
        super().__init__(message, None, response)
        self.operation_id: str = operation_id


class IncusOperationCancelledError(IncusOperationError):
    """The operation was cancelled before it had done its work."""


class IncusOperationTimeoutError(IncusOperationError, IncusTimeoutError):
    """The operation had not finished when the wait was over; it goes on."""

    sent: bool = True


class IncusOperationLostError(IncusOperationError):
    """The server no longer knows the operation, so nobody can tell how it ended.

    Servers forget an operation five seconds after its end, and all of them when they restart.
    """


class IncusOperationNotFoundError(IncusOperationError, IncusNotFoundError):
    """The operation failed because something that it needs does not exist."""


class IncusOperationConflictError(IncusOperationError, IncusConflictError):
    """The operation failed because of what exists or is going on already."""


class IncusOperationPermissionError(IncusOperationError, IncusPermissionError):
    """The operation failed because a limit of the project is reached, or the project does not allow it."""


class IncusOperationBadRequestError(IncusOperationError, IncusBadRequestError):
    """The operation failed because it cannot be done to this object."""


class IncusProcessError(IncusError):
    """A command in an instance ended with another exit code than 0, and that was to be checked.

    Attributes:
        command: The program and its arguments.
        returncode: Its exit code; 128 + n if signal n ended it.
        stdout: What it wrote to its standard output, as text if that was wanted.
        stderr: What it wrote to its standard error, as text if that was wanted.
    """

    def __init__(
        self,
        message: str = "",
        command: Sequence[str] = (),
        returncode: int = 0,
        stdout: str | bytes = b"",
        stderr: str | bytes = b"",
    ) -> None:
        super().__init__(message)
        self.command: list[str] = list(command)
        self.returncode: int = returncode
        self.stdout: str | bytes = stdout
        self.stderr: str | bytes = stderr


class IncusProcessTimeoutError(IncusTimeoutError):
    """A command in an instance took longer than it was given, and was ended.

    Attributes:
        command: The program and its arguments.
        timeout: Seconds that it was given.
        returncode: Its exit code, 143 or 137 as a rule; `None` if it did not even end when it was killed.
        stdout: What it wrote to its standard output until then, as text if that was wanted.
        stderr: What it wrote to its standard error until then, as text if that was wanted.
    """

    sent: bool = True

    def __init__(
        self,
        message: str = "",
        command: Sequence[str] = (),
        timeout: float = 0.0,
        returncode: int | None = None,
        stdout: str | bytes = b"",
        stderr: str | bytes = b"",
    ) -> None:
        super().__init__(message)
        self.command: list[str] = list(command)
        self.timeout: float = timeout
        self.returncode: int | None = returncode
        self.stdout: str | bytes = stdout
        self.stderr: str | bytes = stderr
