"""Answers of the server: the envelope, what is in it, and what it says went wrong."""

from __future__ import annotations

from typing import Any, TypeVar

from ._encoding import DecodeError, Envelope, Raw, decode
from ._failures import answer_error
from ._transport import Response
from .exceptions import IncusProtocolError

__all__ = ["check", "envelope", "metadata", "open_envelope", "upgraded", "whole"]

T = TypeVar("T")


def envelope(response: Response, request: str) -> Envelope:
    """Decode the envelope of an answer.

    Args:
        response: The answer.
        request: Method and path that it answers, for messages.

    Raises:
        IncusAPIError: The server refused, by the HTTP status or by the type of the envelope, whichever says so.
        IncusProtocolError: It is no envelope.
    """
    opened = open_envelope(response, request)
    if opened.type == "error" or response.status >= 400:
        status = opened.error_code or response.status
        raise answer_error(request, status, opened.error or "no reason given", whole(response, request))
    return opened


def whole(response: Response, request: str) -> dict[str, Any]:
    """Decode an answer with all that is in its envelope; whether it is a refusal, `envelope` tells.

    Raises:
        IncusProtocolError: It has another shape.
    """
    return _decode(response.body, dict[str, Any], request)


def open_envelope(response: Response, request: str) -> Envelope:
    """Decode the envelope of an answer, whatever it says; for all but waiting, `envelope` is the one to call."""
    try:
        return decode(response.body, Envelope)
    except DecodeError as error:
        start = bytes(response.body[:200]).decode(errors="replace")
        if response.status >= 400:  # a proxy's page, or a server that is going down
            raise answer_error(request, response.status, start or "no reason given", None) from None
        raise IncusProtocolError(
            f"{request}: the answer (status {response.status}) is none of an Incus server: {error}; it starts {start!r}"
        ) from error


def metadata(opened: Envelope, model: type[T], request: str) -> T:
    """Decode what the envelope holds.

    Raises:
        IncusProtocolError: It has another shape.
    """
    return _decode(opened.metadata, model, request)


def _decode(data: bytes | Raw, model: type[T], request: str) -> T:
    try:
        return decode(data, model)
    except DecodeError as error:
        raise IncusProtocolError(f"{request}: the answer has an unexpected shape: {error}") from error


def check(response: Response, request: str) -> Response:
    """Return an answer that is no envelope unless it is a refusal; then raise that."""
    if response.status >= 400:
        envelope(response, request)
    return response


def upgraded(answer: T | Response, request: str) -> T:
    """Return the open connection, unless the server refused to upgrade it; then raise that."""
    if isinstance(answer, Response):
        envelope(answer, request)
        raise IncusProtocolError(f"{request}: the server answered with status {answer.status} instead of upgrading")
    return answer
