"""What the server said, turned into the exception that fits.

An answer is sorted by its status. Some causes come with status 500 or inside a background operation, where the server
gives a text and nothing else; the table in `_causes` decides them. The server's own text is always part of the message.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import exceptions as ex
from ._paths import name_and_project

if TYPE_CHECKING:
    from ._causes import Cause

__all__ = ["answer_error", "operation_error", "subject"]

_BY_STATUS: dict[int, type[ex.IncusAPIError]] = {
    400: ex.IncusBadRequestError,
    401: ex.IncusAuthenticationError,
    403: ex.IncusPermissionError,
    404: ex.IncusNotFoundError,
    409: ex.IncusConflictError,
    412: ex.IncusPreconditionFailedError,
    503: ex.IncusUnavailableError,
}

_BY_STATUS_IN_OPERATION: dict[int, type[ex.IncusOperationError]] = {
    400: ex.IncusOperationBadRequestError,
    403: ex.IncusOperationPermissionError,
    404: ex.IncusOperationNotFoundError,
    409: ex.IncusOperationConflictError,
}


def _cause(where: str, text: str) -> Cause | None:
    from ._causes import TABLE  # it is long, and most programs never need it

    return next((row for row in TABLE if row.where in where and re.search(row.text, text)), None)


@contextmanager
def after_a_change(what: str = "") -> Generator[None]:
    """Mark errors in the block: what fails here has sent something before, even if its own request never left.

    Args:
        what: What has been done by then, for the message.
    """
    try:
        yield
    except (ex.IncusConnectionError, ex.IncusTimeoutError) as error:
        error.sent = True
        if what:
            ex.add_to_message(error, f"; {what}")
        raise


def answer_error(request: str, status: int, text: str, response: dict[str, Any] | None) -> ex.IncusAPIError:
    """Return the exception for an answer that refuses a request.

    Args:
        request: Method and path, as in `DELETE /1.0/instances/web`.
        status: HTTP status, or the error code of the envelope.
        text: What the server said.
        response: The envelope, where there was one.
    """
    cause = _cause(request, text)
    # The server's status counts, unless it is one that it gives when it has not thought about it: 500, or just 400.
    meant = cause.status if cause and cause.status and status in {400, 500} else status
    message = _message(f"{request}: {text} (status {status})", cause)
    return _BY_STATUS.get(meant, ex.IncusAPIError)(message, status, response)


def operation_error(operation: dict[str, Any]) -> ex.IncusOperationError:
    """Return the exception for a background operation that has ended without success."""
    identifier = str(operation.get("id") or "")
    what = subject(operation)
    if operation.get("status_code") == 401:  # its `err` may be empty, and some clients take that for success
        text = operation.get("err") or "it was cancelled"
        return ex.IncusOperationCancelledError(f"{what}: {text}", identifier, operation)
    text = str(operation.get("err") or "it failed; the server did not say why")
    cause = _cause(str(operation.get("description") or ""), text)
    kind = _BY_STATUS_IN_OPERATION.get(cause.status or 0) if cause else None
    error = (kind or ex.IncusOperationError)(_message(f"{what}: {text}", cause), identifier, operation)
    error.status_code = operation.get("status_code")
    return error


def subject(operation: dict[str, Any]) -> str:
    """What an operation does and to what: `Creating instance web`."""
    description = str(operation.get("description") or "operation")
    resources = _as(dict, operation.get("resources"))
    urls = _as(list, resources.get("instances") or next((urls for urls in resources.values() if urls), None))
    names = [name_and_project(url)[0] for url in urls[:3] if isinstance(url, str)]
    return " ".join([description, *names])


def _as(kind: type[Any], value: Any) -> Any:
    """What is odd about an answer must not hide why the operation failed."""
    return value if isinstance(value, kind) else kind()


def _message(text: str, cause: Cause | None) -> str:
    return f"{text}. {cause.hint}" if cause and cause.hint else text
