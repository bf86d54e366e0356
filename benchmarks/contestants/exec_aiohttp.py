"""aiohttp, with the same steps by hand: start a command, connect its four sockets at once, read, ask how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from ._commands import ECHO, PIECE, check_count, check_echo, reading, writing, written
from ._running import one_after_another

__all__ = ["Player"]


class Player:
    """A session in an event loop.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance.
        size: Bytes to stream.
        file: A file of that size.
    """

    def __init__(self, socket: str, name: str, size: str = "0", file: str = "") -> None:
        self._aiohttp = import_module("aiohttp")  # so that the rest of the benchmarks works, and is checked, without
        self._name, self._size, self._file = name, int(size), Path(file)
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._connect(socket))

    async def _connect(self, socket: str) -> Any:
        connector = self._aiohttp.UnixConnector(path=socket, limit=0)
        return self._aiohttp.ClientSession("http://incus", connector=connector)

    def run(self, repetitions: int) -> None:
        """`echo`, one after another."""
        self._runner.run(one_after_another(self._run, repetitions))

    def run_at_once(self, repetitions: int) -> None:
        """All at once."""
        self._runner.run(self._run_at_once(repetitions))

    async def _run_at_once(self, repetitions: int) -> None:
        await asyncio.gather(*(self._run() for _ in range(repetitions)))

    async def _run(self) -> None:
        async with self._started(ECHO) as (operation, sockets):
            with suppress(ConnectionError):  # it has ended already
                await sockets["0"].send_str("")
            output, _ = await asyncio.gather(self._read(sockets["1"]), self._read(sockets["2"]))
            check_echo(await self._code(operation), output)

    def stdout(self, repetitions: int) -> None:
        """Read what a command writes, piece by piece."""
        self._runner.run(one_after_another(self._stdout, repetitions))

    async def _stdout(self) -> None:
        count = 0
        async with self._started(writing(self._size)) as (operation, sockets):
            async for piece in self._pieces(sockets["1"]):
                count += len(piece)
            await self._code(operation)
        check_count(count, self._size)

    def stdin(self, repetitions: int) -> None:
        """Write a file for a command to read, piece by piece."""
        self._runner.run(one_after_another(self._stdin, repetitions))

    async def _stdin(self) -> None:
        async with self._started(reading()) as (operation, sockets):
            with self._file.open("rb", buffering=0) as file:
                while piece := file.read(PIECE):
                    await sockets["0"].send_bytes(piece)
            await sockets["0"].send_str("")
            report = await self._read(sockets["2"])
            await self._code(operation)
        check_count(written(report.decode()), self._size)

    @asynccontextmanager
    async def _started(self, command: list[str]) -> AsyncGenerator[tuple[str, dict[str, Any]]]:
        """Start a command; give its operation, and its websockets by their names."""
        body = {"command": command, "wait-for-websocket": True}
        async with self._session.post(f"/1.0/instances/{self._name}/exec", json=body) as response:
            response.raise_for_status()
            started = await response.json()
        operation, secrets = started["operation"], started["metadata"]["metadata"]["fds"]
        names = ("0", "1", "2", "control")
        opened = await asyncio.gather(*(self._open(f"{operation}/websocket", name, secrets[name]) for name in names))
        try:
            yield operation, dict(zip(names, opened, strict=True))
        finally:
            await asyncio.gather(*(each.close() for each in opened if each is not None))

    async def _open(self, path: str, name: str, secret: str) -> Any:
        try:
            # Its answers to pings would be exceptions where the server has hung up meanwhile.
            return await self._session.ws_connect(f"{path}?secret={secret}", max_msg_size=0, autoping=False)
        except self._aiohttp.WSServerHandshakeError:
            if name != "control":  # which comes too late for a command that has ended already
                raise

    async def _read(self, socket: Any) -> bytes:
        return b"".join([piece async for piece in self._pieces(socket)])

    async def _pieces(self, socket: Any) -> AsyncGenerator[bytes]:
        kind = self._aiohttp.WSMsgType
        async for message in socket:
            if message.type is kind.BINARY:
                yield message.data
            elif message.type is kind.TEXT:  # the end
                return

    async def _code(self, operation: str) -> int:
        async with self._session.get(f"{operation}/wait") as response:
            response.raise_for_status()
            code: int = (await response.json())["metadata"]["metadata"]["return"]
            return code

    def close(self) -> None:
        """Close the session."""
        self._runner.run(self._session.close())
        self._runner.close()
