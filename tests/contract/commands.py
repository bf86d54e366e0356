"""What tests of commands share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable
from typing import TypeVar, cast

from incus_sdk import Client

T = TypeVar("T")
LONG = 86_398
"""Seconds that a command sleeps which is not meant to end; no other command sleeps so long."""


async def everything(values: AsyncIterable[T]) -> list[T]:
    """Return what there is to iterate over, on either face."""
    either: object = values
    if isinstance(either, Iterable):
        return list(cast("Iterable[T]", either))
    return [value async for value in values]


async def sleepers(admin: Client, name: str) -> int:
    """How many long sleeps there are in an instance."""
    done = await admin.instances.run(name, ["ps", "-o", "args"], check=True, text=True)
    return done.stdout.splitlines().count(f"sleep {LONG}")


async def no_sleepers(admin: Client, name: str) -> None:
    """Wait until there are none: the server kills in its own time."""
    async with asyncio.timeout(30):
        while await sleepers(admin, name):
            pass  # asking takes a while


async def asleep(admin: Client, name: str) -> None:
    """Wait until there is one."""
    async with asyncio.timeout(30):
        while not await sleepers(admin, name):
            pass  # asking takes a while
