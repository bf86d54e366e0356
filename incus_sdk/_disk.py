"""Bodies that are read from files, without holding up the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any, BinaryIO, TypeVar

__all__ = ["CHUNK", "FileBody", "in_thread"]

T = TypeVar("T")
CHUNK = 1 << 18
"""Bytes that are read from a file at a time."""


class FileBody:
    """The content of a file, as the body of a request; it can be sent more than once.

    Args:
        path: The file.

    Attributes:
        size: Its size in bytes.

    Raises:
        OSError: It cannot be read.
    """

    def __init__(self, path: os.PathLike[str]) -> None:
        self._path = path
        with self._open() as file:  # so that what cannot be read is known before a request has begun
            self.size: int = os.fstat(file.fileno()).st_size

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        file = self._open()
        try:
            while piece := await in_thread(file.read, CHUNK):
                yield piece
        finally:
            file.close()

    def _open(self) -> BinaryIO:
        return open(self._path, "rb")  # noqa: PTH123 - pathlib takes its time to load; closed by who reads


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Run a function that may block in a thread; a caller that is cancelled still waits until it has returned."""
    running = asyncio.get_running_loop().run_in_executor(None, function, *arguments)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):  # cancelled once more
                await asyncio.wait((running,))
        running.exception()  # seen
        raise
