"""What a client may believe of the server after its calls, and how that is compared with what is so."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Generic, TypeVar

from incus_sdk import (
    IncusConnectionError,
    IncusError,
    IncusOperationError,
    IncusOperationLostError,
    IncusUnavailableError,
)

__all__ = ["Belief", "flaw", "may_have_happened"]

T = TypeVar("T")

DOUBT = ("is unknown", "may be half done", "has been made")
"""What a message says when something may have been done, or not, or has been and only reading it failed."""

CLOSED = "database is closed"
"""What a daemon says in its last moments, of changes as well that it had begun before it was told to stop."""


class Belief(Generic[T]):
    """All that the server can hold, going by what calls have returned and raised.

    Args:
        value: What it holds at first.
    """

    def __init__(self, value: T) -> None:
        self.possible = {value}
        self.torn = False

    @contextmanager
    def change(self, value: T, *, tears: bool = False) -> Generator[None]:
        """Learn from the call in the block, which makes the server hold the value if it succeeds.

        Args:
            value: What the call writes.
            tears: Whether a call that is broken off can leave something between the old value and the new one.
        """
        try:
            yield
        except IncusError as error:
            if may_have_happened(error):
                self.possible.add(value)
                self.torn = self.torn or tears
            raise
        self.possible, self.torn = {value}, False

    def check(self, what: str, actual: T) -> None:
        """Fail if the server holds something else; what it holds is known from then on."""
        assert self.torn or actual in self.possible, (
            f"{what} is {actual!r:.80}, but the calls said that it is {self.possible!r:.80}"
        )
        self.possible, self.torn = {actual}, False


def may_have_happened(error: IncusError) -> bool:
    """Tell whether a change may have been made although it raised, going by what the error tells its reader."""
    if isinstance(error, IncusUnavailableError):
        return CLOSED in str(error)
    sent = isinstance(error, IncusConnectionError) and error.sent
    return sent or isinstance(error, IncusOperationLostError) or _doubts(error)


def flaw(error: IncusError, *, changes: bool) -> str:
    """Say what is wrong with an error that a daemon's end has caused, if anything.

    Args:
        error: What a call raised.
        changes: Whether the call changes something on the server; then the message must be clear about the outcome.
    """
    expected = isinstance(error, IncusConnectionError | IncusUnavailableError | IncusOperationLostError)
    # What runs in the background meets the closed database as well, and fails as any operation does.
    if not expected and not (isinstance(error, IncusOperationError) and CLOSED in str(error)):
        return "says nothing of a daemon that went away"
    if changes and may_have_happened(error) and not _doubts(error):
        return "conceals that nobody knows what came of it"
    if isinstance(error, IncusConnectionError) and _doubts(error) and not error.sent:
        return "says that nothing was sent, and yet that the outcome is unknown"
    return ""


def _doubts(error: IncusError) -> bool:
    return any(words in str(error) for words in DOUBT)
