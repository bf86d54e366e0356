"""Answers that are written to files, without holding up the event loop."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterable
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self, cast

from ._disk import in_thread
from .exceptions import IncusProtocolError

__all__ = ["Sink", "Sinking", "Target", "write_all"]


class Writable(Protocol):
    """A binary file, or whatever takes bytes as one does."""

    def write(self, data: bytes, /) -> object:
        """Take bytes."""


Target = str | os.PathLike[str] | Writable
"""Where an answer is written to: the path of a file, or a binary file that is open."""


class Sink:
    """Writes a file so that it is there as a whole or not at all: under another name until the end.

    Args:
        target: Path of the file, which is replaced if it exists; or an open file, which is only written to. What a
            symbolic link leads to is replaced, not the link; devices and pipes are written to.
        sha256: What the content must have, in hexadecimal digits.
        what: What is written, for messages.

    Attributes:
        size: Bytes written so far.

    Raises:
        OSError: The file cannot be made.
        TypeError: The target is something else.
    """

    def __init__(self, target: Target, sha256: str | None = None, what: str = "the answer") -> None:
        self.size = 0
        self._expected, self._what = sha256 and sha256.lower(), what
        self._hash: Any = None
        if sha256 is not None:
            import hashlib

            self._hash = hashlib.sha256()
        self._path = self._part = ""
        self._own: BinaryIO | None = None
        if isinstance(target, str | os.PathLike):
            self._own = self._open(os.path.realpath(target))
        elif not hasattr(target, "write"):
            kind = type(target).__name__
            raise TypeError(f"{what}: the target must be the path of a file, or a binary file, not {kind}")
        self._file: Writable = self._own or cast("Writable", target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    # pathlib takes its time to load, and most that is downloaded is small.

    def _open(self, path: str) -> BinaryIO:
        mode = os.stat(path).st_mode if os.path.exists(path) else stat.S_IFREG  # noqa: PTH110, PTH116 - pathlib, as said above
        if not stat.S_ISREG(mode):  # nor does a pipe that nobody reads hold up everything
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            os.set_blocking(descriptor, True)
            return open(descriptor, "wb")  # noqa: PTH123 - closed by `discard`
        self._path, self._part = path, f"{path}.{os.urandom(4).hex()}.part"
        try:
            file = open(self._part, "xb")  # noqa: SIM115, PTH123 - (the same)
        except OSError as error:
            error.filename = path  # nobody has ever heard of the other
            raise
        if stat.S_IMODE(mode):
            os.fchmod(file.fileno(), stat.S_IMODE(mode))
        return file

    def write(self, piece: bytes) -> None:
        """Add bytes."""
        if self._hash is not None:
            self._hash.update(piece)
        self._file.write(piece)
        self.size += len(piece)

    def finish(self) -> None:
        """Check what was written, and give the file its name.

        Raises:
            IncusProtocolError: It has another checksum than it should.
        """
        if self._hash is not None and self._hash.hexdigest() != self._expected:
            raise IncusProtocolError(
                f"{self._what}: what came has the SHA-256 {self._hash.hexdigest()}, not {self._expected}"
            )
        if self._own is not None:
            self._own.close()  # before the file gets its name: what is still to be written can fail
        if self._part:
            os.replace(self._part, self._path)  # noqa: PTH105 - pathlib, as said above
            self._part = ""

    def discard(self) -> None:
        """Remove what there is of a file that was not finished."""
        with suppress(OSError):
            if self._own is not None:
                self._own.close()
        with suppress(OSError):
            if self._part:
                os.unlink(self._part)  # noqa: PTH108 - pathlib, as said above
        self._part = ""


class Sinking(Protocol):
    """What takes an answer piece by piece, like `Sink`."""

    size: int

    def write(self, piece: bytes, /) -> None:
        """Take bytes."""

    def finish(self) -> None:
        """Keep what came: it is all."""


async def write_all(pieces: AsyncIterable[bytes], sink: Sinking) -> int:
    """Write all that comes, keep it as it came to its end, and return its size; who made the sink discards it."""
    async for piece in pieces:
        await in_thread(sink.write, piece)
    sink.finish()
    return sink.size
