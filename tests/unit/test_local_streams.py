"""The standard streams of this process."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from incus_sdk._local_streams import CHUNK, LocalInput, LocalOutput

DATA = os.urandom(3 * CHUNK + 7)


async def test_files_are_read_and_written_in_large_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file takes any number of bytes at once, other than a pipe that cannot be opened once more."""
    sizes: list[int] = []
    write = os.write

    def counted(fd: int, data: memoryview) -> int:
        sizes.append(len(data))
        return write(fd, data)

    monkeypatch.setattr(os, "write", counted)
    with (tmp_path / "file").open("w+b", buffering=0) as file:
        with closing(LocalOutput(file.fileno())) as output:
            await output.write(DATA)
        assert sizes == [CHUNK, CHUNK, CHUNK, 7]
        file.seek(0)
        with closing(LocalInput(file.fileno())) as source:
            pieces = [await source.read() for _ in range(5)]
    assert ([*map(len, pieces)], b"".join(pieces) == DATA) == ([CHUNK, CHUNK, CHUNK, 7, 0], True)
