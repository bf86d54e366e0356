"""What `python -m incus_sdk` prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["dump", "table", "write"]


def write(text: str) -> None:
    """Print a text, at once: whether anybody reads shows now."""
    sys.stdout.write(text)
    sys.stdout.flush()


def dump(value: object) -> None:
    """Print a value as JSON."""
    import json

    write(f"{json.dumps(value, indent=2)}\n")


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows, with their columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    write("".join(f"{'  '.join(map(str.ljust, row, widths)).rstrip()}\n" for row in rows))
