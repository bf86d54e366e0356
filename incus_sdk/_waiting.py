"""Waiting until an operation has ended, on servers that differ in how they say so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from ._answers import envelope, metadata, open_envelope
from ._failures import after_a_change, operation_error
from ._paths import fill, quote_name
from ._requests import label
from ._transport import Response
from .exceptions import (
    IncusError,
    IncusNotFoundError,
    IncusOperationLostError,
    IncusOperationTimeoutError,
    IncusProtocolError,
    add_to_message,
)

__all__ = ["Send", "until_done"]

SLICE = 60
"""Seconds of one `/wait` request. Asking again each minute is what notices a server that has silently gone away."""

BREATH = 1.0
"""Seconds before the next question to a server that does not wait as it was asked to."""

STILL_RUNNING = "context deadline exceeded"
"""What servers before 6.0.5 and 6.12 say when the slice is over."""


class Send(Protocol):
    """Makes a GET, repeated where the connection breaks; `silence` is the time that the server may say nothing."""

    async def __call__(
        self, method: str, path: str, params: Mapping[str, object] | None = None, *, silence: float | None = ...
    ) -> Response: ...


async def until_done(send: Send, operation_id: str, timeout: float | None, silence: float | None) -> dict[str, Any]:
    """Return an operation when it has ended well.

    Args:
        send: Makes the requests.
        operation_id: Identifier of the operation, or its path.
        timeout: Seconds to wait at most; 0 only looks.
        silence: Seconds that the server may be silent beyond what it was asked to wait.

    Raises:
        IncusOperationError: It failed, was cancelled, is still running, or is forgotten by the server.
    """
    quote_name(operation_id)  # refuses what is no text
    path = fill("/1.0/operations/{id}", {"id": operation_id.removeprefix("/1.0/operations/")})
    try:
        with after_a_change():
            operation = await _ended(send, path, timeout, silence)
    except IncusNotFoundError as error:
        raise IncusOperationLostError(
            f"operation {operation_id}: the server does not know it (any more), so how it ended is unknown. Servers "
            "forget an operation five seconds after its end, and all of them when they restart: look at what it "
            "worked on",
            operation_id,
            error.response,
        ) from None
    except IncusError as error:
        again = f"wait_for_operation({operation_id!r})"
        add_to_message(
            error, f"; how the operation ends is unknown: it goes on unless the server has died, {again} asks again"
        )
        raise
    if operation["status_code"] == 200:
        return operation
    if _is_final(operation):
        raise operation_error(operation)
    what = f"{operation.get('description') or 'operation'} (operation {operation_id})"
    message = f"{what} is still {operation.get('status') or 'running'} after {timeout} s, and goes on"
    raise IncusOperationTimeoutError(message, operation_id, operation)


async def _ended(send: Send, path: str, timeout: float | None, silence: float | None) -> dict[str, Any]:
    """Return the operation when it has ended, whichever way, or as it is when the time is over."""
    if timeout == 0:  # a wait that is broken off would cost a connection
        return await _look(send, path)
    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            return await _wait(send, path, silence)
    except TimeoutError:
        if not limit.expired():  # the server fell silent, which is another thing
            raise
    return await _look(send, path)


async def _wait(send: Send, path: str, silence: float | None) -> dict[str, Any]:
    clock = asyncio.get_running_loop().time
    while True:
        asked = clock()
        operation = await _wait_once(send, path, silence)
        if _is_final(operation):
            return operation
        if clock() - asked < BREATH:
            await asyncio.sleep(BREATH)


async def _wait_once(send: Send, path: str, silence: float | None) -> dict[str, Any]:
    """Return the operation as it is at its end or after one slice of waiting.

    Servers before 6.0.5 and 6.12 answer a failed operation, and one that is still running after the slice, with an
    error envelope in an answer of status 200: the operation itself tells the two apart.
    """
    request = label("GET", f"{path}/wait")
    patience = None if silence is None else SLICE + silence
    response = await send("GET", f"{path}/wait", {"timeout": SLICE}, silence=patience)
    opened = open_envelope(response, request)
    if opened.type != "error" or response.status >= 400:
        return _operation(response, request)
    try:
        return await _look(send, path)
    except IncusNotFoundError:  # forgotten in between, so it had ended: the text of the answer is all there is
        if opened.error == STILL_RUNNING:
            raise
        return {"id": path.rpartition("/")[2], "status": "Failure", "status_code": 400, "err": opened.error}


async def _look(send: Send, path: str) -> dict[str, Any]:
    return _operation(await send("GET", path), label("GET", path))


def _operation(response: Response, request: str) -> dict[str, Any]:
    """Take the operation out of an answer; without a code nobody could tell whether it has ended."""
    operation = metadata(envelope(response, request), dict[str, Any], request)
    if not isinstance(operation.get("status_code"), int):
        code = operation.get("status_code")
        raise IncusProtocolError(f"{request}: the answer is no operation: its status_code is {code!r}")
    return operation


def _is_final(operation: Mapping[str, Any]) -> bool:
    return bool(operation["status_code"] >= 200)
