"""incus_sdk."""

from __future__ import annotations

import asyncio
from functools import partial

from incus_sdk import Client

from ._running import FEW, Stopwatch, at_once, one_after_another

__all__ = ["Player"]


class Player:
    """A client in an event loop.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance to read, or of one to make.
        image: Alias of the image to make it from.
    """

    def __init__(self, socket: str, name: str = "", image: str = "") -> None:
        self._name, self._image = name, image
        self._client = Client(f"unix://{socket}")
        self._runner = asyncio.Runner()
        self._runner.run(self._client.connect())

    def get(self, repetitions: int) -> None:
        """One after another."""
        self._runner.run(one_after_another(partial(self._client.instances.get, self._name), repetitions))

    def get_at_once(self, repetitions: int) -> None:
        """64 at once."""
        self._runner.run(at_once(partial(self._client.instances.get, self._name), repetitions))

    def get_by_few(self, repetitions: int) -> None:
        """8 at once."""
        self._runner.run(at_once(partial(self._client.instances.get, self._name), repetitions, FEW))

    def list(self, repetitions: int) -> None:
        """Typed instances, and something of the state of each."""
        self._runner.run(self._list(repetitions))

    async def _list(self, repetitions: int) -> None:
        for _ in range(repetitions):
            instances = await self._client.instances.list(recursion=2)
            if not all(each.name and each.state and each.state.memory.usage >= 0 for each in instances):
                raise ValueError("the state of an instance is missing")

    def life(self, repetitions: int) -> dict[str, float]:
        """Create, start, echo, stop, delete."""
        watch = Stopwatch()
        for _ in range(repetitions):
            self._runner.run(self._life(watch))
        return watch.steps

    async def _life(self, watch: Stopwatch) -> None:
        instances, name = self._client.instances, self._name
        watch.start()
        await instances.create(name, {"type": "image", "alias": self._image}, wait=True)
        watch.done("create")
        await instances.start(name, wait=True)
        watch.done("start")
        result = await instances.execute(name, ["echo", "hello"], record_output=True, wait=True)
        watch.done("echo")
        await instances.stop(name, force=True, wait=True)
        watch.done("stop")
        await instances.delete(name, wait=True)
        watch.done("delete")
        if result.stdout != "hello\n":
            raise ValueError(f"echo gave {result.stdout!r}")

    def close(self) -> None:
        """Disconnect."""
        self._runner.run(self._client.disconnect())
        self._runner.close()
