"""What the server tells of a file in the headers of its answer."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ..models import FileStatus

__all__ = ["file_status"]


class _Answer(Protocol):
    def header(self, name: str) -> str | None: ...


def file_status(answer: _Answer) -> FileStatus:
    """Return what the headers of an answer about a file say."""
    kind = answer.header("x-incus-type") or "file"
    size = answer.header("content-length") if kind == "file" else None
    return FileStatus(
        type=kind,
        size=None if size is None else int(size),
        mode=int(answer.header("x-incus-mode") or "0", 8),
        uid=int(answer.header("x-incus-uid") or 0),
        gid=int(answer.header("x-incus-gid") or 0),
        modified=_time(answer.header("x-incus-modified")),
    )


def _time(text: str | None) -> datetime | None:
    """Read a time as Go prints it: `2026-01-02 03:04:05 +0000 UTC`."""
    if not text:
        return None
    date, clock, offset, *_ = f"{text} +0000".split(" ")
    try:
        return datetime.fromisoformat(f"{date}T{clock}{offset}")
    except ValueError:
        return None
