"""The scripted daemon, for all tests below."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from .daemon import Daemon


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncGenerator[Daemon]:
    """A daemon that gives the answers of the test; afterwards, nothing may be left over."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    daemon = Daemon(tmp_path / "socket")
    await daemon.server.start()
    yield daemon
    async with asyncio.timeout(10):
        await daemon.stop()
    gc.collect()  # lets the loop complain about errors that nobody has looked at
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not complaints
    assert not left
