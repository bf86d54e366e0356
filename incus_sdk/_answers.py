"""Answers of the server: the envelope, what is in it, and what it says went wrong."""

from __future__ import annotations

from typing import Any, TypeVar

from ._encoding import DecodeError, Envelope, Raw, decode, decode_reply
from ._failures import answer_error
from ._requests import label
from ._transport import Response, StreamResponse
from ._transport.errors import UNKNOWN
from .exceptions import IncusProtocolError, add_to_message

__all__ = ["answered", "check", "envelope", "metadata", "open_envelope", "refused_late", "upgraded", "whole"]

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
        opened = decode(response.body, Envelope)
    except DecodeError as error:
        start = bytes(response.body[:200]).decode(errors="replace")
        if response.status >= 400:  # a proxy's page, or a server that is going down
            refusal = answer_error(request, response.status, start or "no reason given", None)
            if response.status >= 500:  # a proxy that lost its server, perhaps
                add_to_message(refusal, _doubt(request))
            raise refusal from None
        _check_redirect(response, request)
        raise IncusProtocolError(
            f"{request}: the answer (status {response.status}) is none of an Incus server: {error}; it starts {start!r}"
            f"{_doubt(request)}"
        ) from error
    _check_redirect(response, request)
    return opened


def _check_redirect(response: Response, request: str) -> None:
    """Refuse to be sent elsewhere: no Incus server does that, and whoever is there was not checked."""
    if 300 <= response.status < 400:
        where = (response.header("location") or "nowhere").partition("?")[0]  # a query may hold secrets
        raise IncusProtocolError(
            f"{request}: the server redirects to {where!r:.200} (status {response.status}); an Incus server does not, "
            f"and redirects are not followed: is the address right, is there a proxy in between?{_doubt(request)}"
        )


def _doubt(request: str) -> str:
    """What is to be added to a message about an answer that cannot be read."""
    return "" if request.startswith(("GET ", "HEAD ")) else UNKNOWN


def answered(response: Response, model: type[T], method: str, path: str) -> T:
    """Decode what an answer holds, envelope and all; raises as `envelope` and `metadata` do."""
    if response.status < 300:
        try:
            reply = decode_reply(response.body, model)
        except DecodeError:
            pass  # a refusal with an HTTP status of success, or something odd: what exactly, is told below
        else:
            if reply.type != "error":
                return reply.metadata
    request = label(method, path)
    return metadata(envelope(response, request), model, request)


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
        text = f"{request}: the answer has an unexpected shape: {error}{_doubt(request)}"
        raise IncusProtocolError(text) from error


def check(response: Response, request: str) -> Response:
    """Return an answer that is no envelope unless it is a refusal; then raise that."""
    if response.status >= 300:
        envelope(response, request)
    return response


def refused_late(path: str, response: StreamResponse) -> bool:
    """Whether an answer with a status of success is a refusal: of a dump of memory, whose headers go out too early.

    A dump comes in chunks, so nothing tells its length beforehand.
    """
    return path.partition("?")[0].endswith("/debug/memory") and response.header("content-length") is not None


def upgraded(answer: T | Response, request: str) -> T:
    """Return the open connection, unless the server refused to upgrade it; then raise that."""
    if isinstance(answer, Response):
        envelope(answer, request)
        raise IncusProtocolError(f"{request}: the server answered with status {answer.status} instead of upgrading")
    return answer
