"""Binary messages are taken out of a stream of frames, and all the rest is left as it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from incus_sdk._transport.frames import Frames

BINARY, TEXT, CONT, PING = Opcode.BINARY, Opcode.TEXT, Opcode.CONT, Opcode.PING
SIZES = st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536, 70_000])


def frame(data: bytes, opcode: Opcode = BINARY, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


def split(frames: Frames, parts: Iterable[bytes]) -> list[bytes | memoryview]:
    """Feed parts from a buffer that is used again and again, as connections do."""
    found: list[bytes | memoryview] = []
    for part in parts:
        buffer = bytearray(part)
        for piece in frames.split(memoryview(buffer)):
            if isinstance(piece, bytes):
                found.append(piece)
            elif found and isinstance(found[-1], memoryview):
                found[-1] = memoryview(bytes(found[-1]) + piece)
            else:
                found.append(memoryview(bytes(piece)))
        buffer[:] = b"\xaa" * len(buffer)
    return found


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, bool]:
    """The frames of a message, and whether it is a binary one in one frame."""
    data = bytes([draw(st.integers(0, 255))]) * draw(SIZES)
    kind = draw(st.sampled_from(["binary", "text", "fragments", "ping"]))
    if kind == "binary":
        return frame(data), bool(data)  # an empty one is no hurry
    if kind == "ping":
        return frame(data[:125], PING), False
    if kind == "text":
        return frame(data, TEXT), False
    return frame(data, fin=False) + frame(b"!", PING) + frame(data, CONT, fin=False) + frame(data, CONT), False


@given(st.lists(messages(), max_size=8), st.lists(st.integers(0), max_size=12))
def test_whatever_pieces_they_come_in(sent: list[tuple[bytes, bool]], cuts: list[int]) -> None:
    expected: list[bytes] = []
    others = False
    for data, binary in sent:
        if binary or not others:
            expected.append(b"")
        expected[-1] += data
        others = not binary
    found = split(Frames(None), pieces(b"".join(data for data, _ in sent), cuts))
    assert [frame(each) if isinstance(each, bytes) else bytes(each) for each in found] == expected


def test_each_byte_alone() -> None:
    data = [frame(b"x" * 300), frame(b"", TEXT), frame(b"y" * 70_000), frame(b"z")]
    found = split(Frames(None), pieces(b"".join(data), range(90_000)))
    assert found == [b"x" * 300, memoryview(data[1]), b"y" * 70_000, b"z"]


@pytest.mark.parametrize(
    "odd",
    [
        b"\x82\x81abcdx",  # masked, which is for clients
        b"\x82\xfe\x00\x01abcdx",
        b"\xc2\x01x",  # a reserved bit
        b"\x83\x01x",  # no such opcode
        frame(b"x" * 1001),  # too big
        frame(b"x", fin=False) + frame(b"y"),  # a message within another
    ],
    ids=["masked", "masked and long", "reserved", "opcode", "size", "within"],
)
def test_what_is_odd_is_left_to_the_library(odd: bytes) -> None:
    good, *rest = split(Frames(1000), [frame(b"good") + odd])
    assert good == b"good"
    assert b"".join(rest).startswith(odd[:2])
    assert all(isinstance(each, memoryview) for each in rest)
