"""What goes wrong with a private daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import IncusError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PrivateIncusError", "last_lines", "quote_log"]


class PrivateIncusError(IncusError):
    """A private daemon could not be started, set up, controlled or cleared away; the message quotes its log."""


def quote_log(log: Path) -> str:
    """Returns the end of a log under its name, or nothing if nothing was written."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return f"the end of {log}:\n{last_lines(text)}" if text.strip() else ""


def last_lines(text: str, count: int = 20) -> str:
    """Returns as many lines of the end of the text as one wants to read in an error."""
    return "\n".join(text.rstrip().splitlines()[-count:])
