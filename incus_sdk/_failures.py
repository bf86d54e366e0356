"""What the server said, turned into the exception that fits.

An answer is sorted by its status. Some causes come with status 500 or inside a background operation, where the server
gives a text and nothing else; one table decides them. Its texts are those of Incus 6.0 and 7.0, each row is met by a
test on a real daemon of the versions that it names. The server's own text is always part of the message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import exceptions as ex
from ._paths import name_and_project

__all__ = ["TABLE", "Cause", "answer_error", "operation_error"]

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
    404: ex.IncusOperationNotFoundError,
    409: ex.IncusOperationConflictError,
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One row: a text of the server, and what it means.

    Attributes:
        where: Description of the operation, or the request that was answered; empty for any.
        text: Regular expression, searched for in the server's text.
        status: Status that says what the text says; `None` leaves the class open and only adds the hint.
        versions: Server versions that say it so.
        hint: What to do about it.
    """

    where: str
    text: str
    status: int | None
    versions: tuple[str, ...]
    hint: str = ""


BOTH = ("6.0", "7.0")

TABLE: tuple[Cause, ...] = (
    Cause(
        "Creating instance",
        r"UNIQUE constraint failed: instances\.",
        409,
        ("6.0",),
        "An instance of that name exists.",
    ),
    Cause("POST /1.0/instances", r'^Instance ".*" already exists', 409, ("7.0",)),
    Cause(
        "Creating instance",
        r"^Image not provided for instance creation",
        404,
        BOTH,
        "This server has no image of that alias or fingerprint; an image of the public server is named with its "
        "prefix, as in images:debian/13.",
    ),
    Cause("POST /1.0/instances", r'^Requested profile ".*" doesn\'t exist', 404, BOTH),
    Cause(
        "Creating instance",
        r"Failed getting remote image",
        None,
        BOTH,
        "It is the Incus server that downloads the image: it must reach that address.",
    ),
    Cause("Creating instance", r"(Unknown configuration key|Invalid value|Invalid device type)", 400, BOTH),
    Cause(
        "Creating instance", r"Storage pool not found", 404, BOTH, "The root disk names it, which may be a profile's."
    ),
    Cause("Creating instance", r"is not supported on this server", 400, BOTH),
    Cause("Creating instance", r"^Requested image's type .* doesn't match instance type", 400, BOTH),
    Cause("PATCH /1.0/instances", r"^Invalid (config|devices):", 400, BOTH),
    Cause("Updating instance", r"^Invalid (config|devices):", 400, BOTH),
    Cause(
        "Updating instance",
        r"^Volatile idmap keys can't be deleted by the user",
        400,
        BOTH,
        "A replacement must hold the whole definition; update() changes only what it names, edit() keeps the rest.",
    ),
    Cause("Executing command", r"^Command not found", 404, BOTH),
    Cause("Executing command", r"^Command not executable", 400, BOTH),
    Cause("instance", r"Instance is busy running a", 409, BOTH, "Wait for that operation, then try again."),
    Cause("Starting instance", r"is already running", 409, BOTH, "If it is frozen, unfreeze() it."),
    Cause("Restarting instance", r"^Instance is not running", 409, BOTH, "If it is frozen, unfreeze() it."),
    Cause("instance", r"is already (running|stopped|frozen)", 409, BOTH),
    Cause("instance", r"^The (instance|container) isn't running", 409, BOTH),
    Cause("instance", r"^Stateful (stop|start) requires", 400, BOTH),
    Cause(
        "instance",
        r"Failed shutting down instance.*context deadline exceeded",
        None,
        BOTH,
        "It did not stop by itself in time: give it longer with timeout=, or stop it with force=True.",
    ),
    Cause("Renaming instance", r"^Renaming of running instance not allowed", 409, BOTH, "Stop it first."),
    Cause("DELETE /1.0/instances", r"^Instance is running", 400, BOTH, "Stop it first."),
    Cause(
        "",
        r"request body too large",
        400,
        ("7.0",),
        "This server takes 1 MiB in a request; a file of any size can be written with put_files().",
    ),
    Cause("exec", r"^Instance is (frozen|not running)", 400, BOTH, "Commands run in running instances only."),
)
"""Searched from the top; the first row that fits counts."""


def _cause(where: str, text: str) -> Cause | None:
    return next((row for row in TABLE if row.where in where and re.search(row.text, text)), None)


def answer_error(request: str, status: int, text: str, response: dict[str, Any] | None) -> ex.IncusAPIError:
    """Return the exception for an answer that refuses a request.

    Args:
        request: Method and path, as in `DELETE /1.0/instances/web`.
        status: HTTP status, or the error code of the envelope.
        text: What the server said.
        response: The envelope, where there was one.
    """
    cause = _cause(request, text)
    # The server's status counts, unless it is the 500 that it gives when it has not thought about one.
    meant = cause.status if cause and cause.status and status == 500 else status
    message = _message(f"{request}: {text} (status {status})", cause)
    return _BY_STATUS.get(meant, ex.IncusAPIError)(message, status, response)


def operation_error(operation: dict[str, Any]) -> ex.IncusOperationError:
    """Return the exception for a background operation that has ended without success."""
    identifier = str(operation.get("id") or "")
    what = _subject(operation)
    if operation.get("status_code") == 401:  # its `err` may be empty, and some clients take that for success
        text = operation.get("err") or "it was cancelled"
        return ex.IncusOperationCancelledError(f"{what}: {text}", identifier, operation)
    text = str(operation.get("err") or "it failed; the server did not say why")
    cause = _cause(str(operation.get("description") or ""), text)
    kind = _BY_STATUS_IN_OPERATION.get(cause.status or 0) if cause else None
    error = (kind or ex.IncusOperationError)(_message(f"{what}: {text}", cause), identifier, operation)
    error.status_code = operation.get("status_code")
    return error


def _subject(operation: dict[str, Any]) -> str:
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
