"""Several files in one body (`multipart/form-data`), as images in two parts are sent and answered."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import ExitStack
from os import PathLike
from typing import Any, Self, cast

from ._disk import FileBody
from ._sink import Sink, Target
from .exceptions import IncusArgumentError, IncusProtocolError

__all__ = ["Form", "ImageSink", "PartReader"]

LONGEST_HEAD = 1 << 14
"""Bytes that the headers of a part have at most; those of servers have less than 300."""


class Form:
    """A body of several files, which are read while it is sent.

    Args:
        parts: Content of each file, by the name of its part, in the order in which the server wants them: bytes, the
            `Path` of a file, or an iterator of bytes.

    Raises:
        OSError: A file cannot be read.
        TypeError: A part is something else.
    """

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self._parts = dict(parts)
        self._boundary = os.urandom(16).hex()

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the request: the type, and the length if each part has one."""
        headers = {"Content-Type": f"multipart/form-data; boundary={self._boundary}"}
        sizes = [_size(name, content) for name, content in self._parts.items()]
        frame = sum(len(self._head(name)) + 2 for name in self._parts) + len(self._end)
        if None not in sizes:
            headers["Content-Length"] = str(frame + sum(size or 0 for size in sizes))
        return headers

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        for name, content in self._parts.items():
            yield self._head(name)
            if isinstance(content, bytes | bytearray | memoryview):
                yield bytes(cast("bytes", content))
            else:
                async for piece in _pieces(content):
                    yield piece
            yield b"\r\n"
        yield self._end

    def _head(self, name: str) -> bytes:
        disposition = f'form-data; name="{name}"; filename="{name}"'
        head = f"--{self._boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: application/octet-stream"
        return f"{head}\r\n\r\n".encode()

    @property
    def _end(self) -> bytes:
        return f"--{self._boundary}--\r\n".encode()


def _pieces(content: Any) -> AsyncIterable[bytes]:
    return FileBody(cast("PathLike[str]", content)) if isinstance(content, PathLike) else content


def _size(name: str, content: Any) -> int | None:
    kind = type(content).__name__
    if isinstance(content, bytes | bytearray | memoryview):
        return memoryview(cast("bytes", content)).nbytes
    if isinstance(content, PathLike):
        return FileBody(cast("PathLike[str]", content)).size
    if isinstance(content, AsyncIterable):
        return None
    raise TypeError(
        f"{name} must be bytes, the Path of a file or an iterator of bytes, not {kind}"
        f"{'; write Path(...) around the name of a file' if isinstance(content, str) else ''}"
    )


class PartReader:
    """Takes such a body apart while it comes, in pieces of any size.

    Args:
        boundary: What stands between the parts.
        begin: Called with the name of each part; returns what its bytes are given to.
    """

    def __init__(self, boundary: str, begin: Callable[[str], Callable[[bytes], object]]) -> None:
        self._mark = b"\r\n--" + boundary.encode("latin-1")
        self._begin = begin
        self._buffer = bytearray(b"\r\n")  # so that the first boundary, at the very start, looks like the others
        self._take: Callable[[bytes], object] | None = None
        self._step: Callable[[], bool] = self._body
        self.done = False

    def feed(self, piece: bytes) -> None:
        """Take bytes."""
        self._buffer += piece
        while not self.done and self._step():
            pass

    def _body(self) -> bool:
        """Give out what is certainly content; at a boundary, go on to what stands behind it."""
        end = self._buffer.find(self._mark)
        ready = end if end >= 0 else max(0, len(self._buffer) - len(self._mark) + 1)
        if ready and self._take is not None:
            self._take(bytes(self._buffer[:ready]))
        del self._buffer[: ready + len(self._mark) if end >= 0 else ready]
        if end >= 0:
            self._step = self._head
        return end >= 0

    def _head(self) -> bool:
        if self._buffer.startswith(b"--"):
            self.done = True
            return False
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > LONGEST_HEAD:
                raise IncusProtocolError("the answer's parts have no headers, or no end of them")
            return False
        self._take = self._begin(_parameter(bytes(self._buffer[:end]).decode("latin-1"), "name"))
        del self._buffer[: end + 4]
        self._step = self._body
        return True


def _parameter(header: str, name: str) -> str:
    """Return a parameter of a header, such as `name` of `form-data; name="metadata"; filename="x"`."""
    for line in header.splitlines():
        for item in line.split(";")[1:]:
            key, _, value = item.strip().partition("=")
            if key.lower() == name:
                return value.strip('"')
    return ""


class ImageSink:
    """Writes an image that is downloaded, in one file or two, and checks that it is the one that was asked for.

    The fingerprint of an image is the SHA-256 of its content, of both files one behind the other if there are two.

    Args:
        target: Where the file goes, or the metadata of an image in two files; see `Sink`.
        rootfs: Where the root file system goes, if the image has one of its own.
        what: What is written, for messages.
    """

    def __init__(self, target: Target, rootfs: Target | None, what: str) -> None:
        self.size = 0
        self._what = what
        with ExitStack() as stack:  # if one of them cannot be written, nothing is left of the other
            self._sinks = {"metadata": stack.enter_context(Sink(target, None, what))}
            if rootfs is not None:
                self._sinks["rootfs"] = stack.enter_context(Sink(rootfs, None, what))
            self._opened = stack.pop_all()
        self._begun: list[Sink] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def expect(self, fingerprint: str, header: Callable[[str], str | None]) -> None:
        """Be told what is coming, before the first piece.

        Args:
            fingerprint: What the content must have, or the beginning of it.
            header: Gives the headers of the answer.

        Raises:
            IncusArgumentError: It comes in two files, and there is no place for the second.
        """
        import hashlib

        kind = header("content-type") or ""
        boundary = _parameter(kind, "boundary") if kind.startswith("multipart/") else ""
        if boundary and "rootfs" not in self._sinks:
            raise IncusArgumentError(
                f"{self._what}: this image is in two files, metadata and root file system; say with rootfs= where to "
                "put the second one"
            )
        self._hash = hashlib.sha256()
        # The fingerprint of an image that the server has made of an OCI one is not that of these bytes.
        self._expected = "" if header("x-incus-type") == "oci" else fingerprint.lower()
        self._parts = PartReader(boundary, self._begin) if boundary else None
        if not boundary:
            self._begun.append(self._sinks["metadata"])

    def write(self, piece: bytes) -> None:
        """Take bytes of the answer."""
        if self._parts is not None:
            self._parts.feed(piece)
        else:
            self._add(self._begun[0], piece)

    def finish(self) -> None:
        """Check what was written, and give the files their names.

        Raises:
            IncusProtocolError: It is not what was asked for, or not all of it.
        """
        if self._parts is not None and not (self._parts.done and len(self._begun) == 2):
            raise IncusProtocolError(f"{self._what}: the answer ended before both files had come")
        digest = self._hash.hexdigest()
        if not digest.startswith(self._expected):
            raise IncusProtocolError(f"{self._what}: what came has the SHA-256 {digest}, not {self._expected}")
        for sink in self._begun:
            sink.finish()

    def _begin(self, name: str) -> Callable[[bytes], object]:
        kind = name.partition(".")[0]  # that of virtual machines is called rootfs.img
        sink = self._sinks.get(kind)
        if sink is None or sink in self._begun:
            raise IncusProtocolError(f"{self._what}: the answer has an unexpected part {name!r:.80}")
        self._begun.append(sink)
        return lambda piece: self._add(sink, piece)

    def _add(self, sink: Sink, piece: bytes) -> None:
        self._hash.update(piece)
        sink.write(piece)
        self.size += len(piece)
