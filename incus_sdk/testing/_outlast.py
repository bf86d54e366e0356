"""Blocking work that a coroutine waits for to the very end, cancelled or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["outlast"]


async def outlast(work: Callable[[], None], on_cancel: Callable[[], None] | None = None) -> None:
    """Runs `work` in a thread and returns when it has ended.

    A cancelled caller waits for it too, as nobody else would: `on_cancel` is called at once, the cancellation is
    raised afterwards, and an error of the work is dropped in its favour.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
            if on_cancel:
                on_cancel()
    if cancelled:
        running.exception()  # looked at, so that asyncio does not complain that nobody did
        raise cancelled
    running.result()
