"""Binary messages, taken out of what a websocket receives; all other frames are left to the websockets library.

The output of commands comes in frames of at most 32 KiB, 30,000 for each gigabyte. The library's parser copies their
bytes three times and makes thirty Python calls for each, which would be a third of what reading them takes.
"""

from __future__ import annotations

from collections.abc import Generator

__all__ = ["Frames"]

FIN, CONTROL = 0x80, 0x08
"""Bits of the first byte: of the last frame of a message, and of a frame that is part of none."""

WHOLE_BINARY = 0x82
"""The first byte of a binary message that comes in one frame, without extensions."""

TWO_BYTES, EIGHT_BYTES = 126, 127
"""What the second byte is when the length follows it; higher ones tell of a mask, which servers must not use."""


class Frames:
    """The frames in a stream of bytes, which comes in pieces of any size.

    Args:
        max_size: Bytes that a binary message may have, or it is left to the library; `None` for any number.
    """

    __slots__ = ("_fragmented", "_head", "_left", "_max_size", "_parts")

    def __init__(self, max_size: int | None) -> None:
        self._max_size = max_size
        self._head = b""  # of a frame, as far as it is here
        self._left = 0  # bytes that are still to come of the frame under way
        self._parts: list[bytes] | None = None  # of that frame, if it is a binary message
        self._fragmented = False  # whether the message under way comes in several frames

    def split(self, data: memoryview) -> Generator[bytes | memoryview]:
        """Take the next bytes; give each binary message that is whole with them as `bytes`, and the rest as views."""
        if self._head:
            data, self._head = memoryview(self._head + data), b""
        start, end = 0, len(data)
        while start < end:
            if not self._left:
                begin = self._begin(data, start)
                if begin < 0:
                    self._head = bytes(data[start:])
                    return
                start = begin
            stop = min(start + self._left, end)
            piece, start = data[start:stop], stop
            self._left -= len(piece)
            if self._parts is None:
                yield piece
            else:
                self._parts.append(bytes(piece))
                if not self._left:
                    yield b"".join(self._parts)

    def _begin(self, data: memoryview, start: int) -> int:
        """Look at the head of a frame.

        Returns:
            Where to go on: behind the head of a binary message, at that of another frame; -1 if it is not all here.
        """
        here = len(data) - start
        length = data[start + 1] if here > 1 else 0
        size = {TWO_BYTES: 4, EIGHT_BYTES: 10}.get(length, 2)
        if here < size:
            return -1
        if size > 2:
            length = int.from_bytes(data[start + 2 : start + size], "big")
        if data[start] == WHOLE_BINARY and self._wanted(data[start + 1], length):
            self._parts, self._left = [], length
            return start + size
        if not data[start] & CONTROL:
            self._fragmented = not data[start] & FIN
        self._parts, self._left = None, size + length
        return start

    def _wanted(self, second: int, length: int) -> bool:
        """Whether a binary message is to be taken: whatever is odd about others, the library says in its words."""
        small = self._max_size is None or length <= self._max_size
        return small and length > 0 and second <= EIGHT_BYTES and not self._fragmented
