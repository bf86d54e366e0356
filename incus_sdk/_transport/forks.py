"""What belongs to the parent of a process that was forked."""

from __future__ import annotations

import os

__all__ = ["forget"]


def forget(descriptor: int) -> None:
    """Let go of what a descriptor refers to, in a child process; its number stays taken.

    For objects here would close whatever had the same number later. A child may have no number to spare.

    Raises:
        OSError: There is no such descriptor, or no `/dev/null`.
    """
    os.close(descriptor)
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    if nowhere != descriptor:
        os.dup2(nowhere, descriptor, inheritable=False)
        os.close(nowhere)
