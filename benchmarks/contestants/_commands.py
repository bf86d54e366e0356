"""The commands that run in the instance, and whether they did what was wanted."""

from __future__ import annotations

__all__ = ["AT_A_TIME", "ECHO", "PIECE", "check_count", "check_echo", "reading", "writing", "written"]

ECHO = ["echo", "hi"]

PIECE = 1 << 17
"""Bytes that are read from a file at a time, to be written to a command."""

RECORD = 50_000
"""Bytes that the commands read and write at a time: less than a pipe holds. Sizes are multiples of it."""

AT_A_TIME = 8
"""How many processes of the `incus` command run at a time, where there are many to run."""


def writing(size: int) -> list[str]:
    """A command that writes that many bytes to its standard output, faster than they can be fetched."""
    return ["dd", "if=/dev/zero", f"bs={RECORD}", f"count={size // RECORD}"]


def reading() -> list[str]:
    """A command that reads its standard input to the end, and tells on its standard error how much it was."""
    return ["dd", "of=/dev/null", f"bs={RECORD}", "iflag=fullblock"]


def written(report: str) -> int:
    """How many bytes `reading` has read, by what it told."""
    return int(report.partition("+0 records in")[0]) * RECORD


def check_echo(code: int, output: object) -> None:
    """Raise if that is not what `ECHO` comes to."""
    if code or output not in {"hi\n", b"hi\n"}:
        raise ValueError(f"echo ended with {code} and gave {output!r}")


def check_count(count: int, size: int) -> None:
    """Raise if not all bytes have arrived."""
    if count != size:
        raise ValueError(f"{count} of {size} bytes arrived")
