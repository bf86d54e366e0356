"""One request and its answer. httptools parses; what it cannot know is decided here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httptools

from ..exceptions import IncusConnectionError, IncusError, IncusProtocolError, IncusTimeoutError
from .errors import UNKNOWN
from .inbox import Inbox
from .response import Response, StreamResponse

if TYPE_CHECKING:
    from .connection import Connection
    from .request import Request

MAX_HEAD = 1 << 18
"""Bytes of a head, or of trailers and other framing in a row, that are taken from a server."""

_HEAD, _BODY, _DONE, _SWITCHED = range(4)


class Exchange:
    """The receiver of one answer, and the target of its parser's callbacks.

    Attributes:
        arrived: Done with the answer, or for a streamed one with its head; fails if there will be none.
        touched: Whether any byte of an answer came.
        sending: Whether a part of the request's body is still to be sent.
        held: Whether it is the caller's turn, to produce more of the body.
        early: After a switch of protocols, the bytes that came behind the head.
    """

    __slots__ = (
        "_headers",
        "_inbox",
        "_keep",
        "_overhead",
        "_parser",
        "_pieces",
        "_state",
        "_streamed",
        "_to_the_end",
        "arrived",
        "connection",
        "early",
        "held",
        "request",
        "sending",
        "status",
        "touched",
    )

    def __init__(self, connection: Connection, request: Request, *, streamed: bool = False) -> None:
        self.connection = connection
        self.request = request
        self.arrived: asyncio.Future[None] = connection.loop.create_future()
        self.touched = self.held = False
        self.sending = request.body is not None
        self.early = b""
        self.status = 0
        self._streamed = streamed
        self._state = _HEAD
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._inbox: Inbox | None = None
        self._keep = self._to_the_end = False
        self._overhead = 0
        # A fresh parser each time: HEAD answers and early ends leave the old one in the middle of a message.
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def begin(self, silence: float | None) -> None:
        """Write the head of the request and start to listen."""
        connection = self.connection
        connection.receiver = self
        connection.watch(silence)
        connection.transport.write(self.request.data)

    def response(self) -> Response:
        """The whole answer, once it has arrived."""
        pieces = self._pieces
        return Response(self.status, self._headers, pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def stream(self) -> StreamResponse:
        """The answer to read from, once its head has arrived."""
        assert self._inbox is not None  # noqa: S101 - made in on_headers_complete before `arrived` is done
        return StreamResponse(self.status, self._headers, self._inbox)

    def repeatable(self, error: BaseException) -> bool:
        """Whether the same request may be sent again after this error: not if an answer had begun."""
        return isinstance(error, IncusConnectionError) and self.request.repeatable and not self.touched

    def abandon(self) -> None:
        """Stop listening. Unless the answer was complete, nobody knows what comes next: the connection goes."""
        if not self.arrived.cancel() and not self.arrived.cancelled():
            self.arrived.exception()  # seen, so that the event loop does not complain
        if self.connection.receiver is self:
            self.connection.abort()

    # -- the connection's receiver --------------------------------------------------------------------------------

    def feed(self, data: memoryview) -> None:
        self.touched = True
        parser = self._parser
        if parser is None:  # something follows a switch of protocols, or the last bytes of a lost connection
            return
        # httptools has no limit of its own: it would collect a header without end.
        if self._overhead > MAX_HEAD:
            self._break(f"its head or trailers are longer than {MAX_HEAD} bytes")
            return
        self._overhead += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            self._switch(bytes(data[switch.args[0] :]))
        except httptools.HttpParserError as error:
            self._break(str(error.__context__ or error))
        else:
            if self._state == _DONE:
                self._finish(keep=self._keep)

    def eof(self) -> None:
        # httptools cannot be told that the input is over, so a body that ends with the connection is ended here.
        if self._state == _BODY and self._to_the_end and self.connection.ended_well:
            self._finish(keep=False)

    def lost(self, error: BaseException | None) -> None:
        self._fail(error if isinstance(error, IncusError) else self._broken(error))

    def counting(self) -> bool:
        return not self.held and (self._inbox is None or self._inbox.waiting)

    def silent(self, limit: float) -> None:
        what = "the server took nothing more" if self.connection.writing_paused else "no byte came from the server"
        error = IncusTimeoutError(f"{self._label}: {what} for {limit:g} seconds{self._doubt}")
        error.sent = True
        self.connection.fail(error)

    # -- the parser's target --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._state == _DONE:
            raise IncusProtocolError("more data follows the end of the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._state == _HEAD:  # later ones are trailers
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None  # noqa: S101 - it is calling
        status = self.status = parser.get_status_code()
        if status < 200:
            self._interim(status, parser)
            return
        self._state = _BODY
        self._keep = parser.should_keep_alive()
        if self.request.method == "HEAD":
            # The parser cannot know that no body follows, and so takes the connection for unusable or waits for one.
            self._keep = self._persistent(parser)
            self._state = _DONE
        elif not self._keep:
            self._to_the_end = status not in (204, 304) and not self._delimited()
        if self._streamed:
            self._inbox = Inbox(self.connection)
            self._arrive()

    def on_body(self, data: bytes) -> None:
        if self._state != _BODY:
            raise IncusProtocolError("more data follows the end of the answer")
        self._overhead = 0
        if self._inbox is not None:
            self._inbox.put(data)
        else:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        if self._state == _BODY:  # not for informational answers
            self._state = _DONE

    def _interim(self, status: int, parser: httptools.HttpResponseParser) -> None:
        if status == 101:
            if self.request.upgrade is None or not parser.should_upgrade():
                raise IncusProtocolError("it switches to another protocol (101), which nobody asked for")
            self._state = _SWITCHED
        else:
            self._headers = []

    def _persistent(self, parser: httptools.HttpResponseParser) -> bool:
        closes = any(key == b"connection" and b"close" in value.lower() for key, value in self._headers)
        return not closes and parser.get_http_version() == "1.1"

    def _delimited(self) -> bool:
        return any(
            key == b"content-length" or (key == b"transfer-encoding" and value.lower().endswith(b"chunked"))
            for key, value in self._headers
        )

    # -- ends -----------------------------------------------------------------------------------------------------

    @property
    def _label(self) -> str:
        return self.request.label

    @property
    def _doubt(self) -> str:
        """What is to be added to the message of an end without an answer."""
        return "" if self.request.repeatable else UNKNOWN

    def _arrive(self) -> None:
        if not self.arrived.done():
            self.arrived.set_result(None)

    def _finish(self, *, keep: bool) -> None:
        """The answer is complete."""
        self._parser = None  # it refers to this object: without the cut every request would leave a cycle behind
        self._state = _DONE
        if self._inbox is not None:
            self._inbox.end()
        self._arrive()
        # What is left of a body that was answered early would be read as the next request.
        self.connection.done(reusable=keep and not self.sending)

    def _switch(self, early: bytes) -> None:
        self._parser = None
        if self.arrived.done():
            self.connection.abort()
            return
        self.early = early
        self.connection.pause_reading()  # until there is somebody who understands the new protocol
        self._arrive()

    def _break(self, why: str) -> None:
        if self._state == _DONE:  # the answer itself is good
            self._finish(keep=False)
        else:
            text = f"{self._label}: the answer is not HTTP as it should be: {why}{self._doubt}"
            self.connection.fail(IncusProtocolError(text))

    def _fail(self, error: IncusError) -> None:
        self._parser = None
        if self._inbox is not None:
            self._inbox.end(error)
        if not self.arrived.done():
            self.arrived.set_exception(error)

    def _broken(self, cause: BaseException | None) -> IncusConnectionError:
        text = f"{self._label}: the server hung up without an answer"
        if self.touched:
            text = f"{self._label}: the connection broke, the answer was cut off in its "
            text += "body" if self._state == _BODY else "head"
        error = IncusConnectionError(text + self._doubt, cause, sent=True)
        error.__cause__ = cause
        return error
