"""TCP connections: name lookup, and a race between addresses so that a dead one costs little."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Sequence
from typing import Any

__all__ = ["RACE_DELAY", "connect_tcp", "look_up", "take_turns"]

# How long an address may keep the next one waiting: the delay that RFC 8305 recommends.
RACE_DELAY = 0.25

Address = tuple[socket.AddressFamily, Any]

# A peer that vanished without a word is noticed within about 90 s, however long a stream is silent.
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


async def look_up(host: str, port: int) -> list[Address]:
    """Resolve a host into addresses, the families taking turns, in the order of the system's preference.

    Args:
        host: A name or an address.
        port: The port.

    Raises:
        OSError: If there is no such host, or it has no address.
    """
    kind = socket.SOCK_STREAM
    try:
        # Addresses need no thread of the executor, which would outlive the call.
        infos = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)
    return take_turns([(family, address) for family, _, _, _, address in infos])


def take_turns(addresses: Sequence[Address]) -> list[Address]:
    """Let families alternate, so that a network without one of them costs one delay, not one for each address."""
    families = dict.fromkeys(family for family, _ in addresses)
    columns = [[item for item in addresses if item[0] == family] for family in families]
    return [item for row in itertools.zip_longest(*columns) for item in row if item is not None]


async def connect_tcp(addresses: Sequence[Address]) -> socket.socket:
    """Connect to the first address that answers: the next one is tried when one fails or stays silent for a while.

    asyncio has this too ("happy eyeballs"), but only as one call with name lookup and TLS, and uvloop has not.

    Args:
        addresses: What `look_up` returned.

    Raises:
        OSError: If no address can be reached; it is the error of the first one, with notes about the others.
    """
    sockets: list[socket.socket] = []
    try:
        winner = await _race(addresses, sockets)
        sockets.remove(winner)
        return winner
    finally:
        for loser in sockets:
            loser.close()


async def _race(addresses: Sequence[Address], sockets: list[socket.socket]) -> socket.socket:
    if len(addresses) == 1:
        return await _connect(addresses[0], sockets)
    attempts: list[asyncio.Task[socket.socket]] = []
    try:
        for address in addresses:
            attempts.append(asyncio.create_task(_connect(address, sockets)))
            winner = await _first(attempts, RACE_DELAY)
            if winner is not None:
                return winner
        winner = await _first(attempts, None)
        if winner is not None:
            return winner
        raise _together([attempt.exception() for attempt in attempts])
    finally:
        # The caller closes the sockets; by then no task may wait for one.
        for attempt in attempts:
            attempt.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)


async def _first(attempts: Sequence[asyncio.Task[socket.socket]], patience: float | None) -> socket.socket | None:
    """The first success; `None` once all have failed, or if there is none for a while."""
    running = [attempt for attempt in attempts if not attempt.done()]
    deadline = None if patience is None else asyncio.get_running_loop().time() + patience
    while running:
        rest = None if deadline is None else max(0, deadline - asyncio.get_running_loop().time())
        done, pending = await asyncio.wait(running, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
        for attempt in done:
            if attempt.exception() is None:
                return attempt.result()
        if not done:
            return None
        running = list(pending)
    return None


async def _connect(address: Address, sockets: list[socket.socket]) -> socket.socket:
    family, target = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    sockets.append(sock)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    await asyncio.get_running_loop().sock_connect(sock, target)
    return sock


def _together(errors: Sequence[BaseException | None]) -> BaseException:
    first, *others = [error for error in errors if error is not None] or [OSError("the name has no address")]
    for error in others:
        first.add_note(str(error))
    return first
