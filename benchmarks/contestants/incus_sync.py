"""incus_sdk without asyncio."""

from __future__ import annotations

from functools import partial

from incus_sdk.sync import Client

from ._running import FEW, Stopwatch, Threads

__all__ = ["Player"]


class Player:
    """A client, and threads for many calls at once.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance to read, or of one to make.
        image: Alias of the image to make it from.
    """

    def __init__(self, socket: str, name: str = "", image: str = "") -> None:
        self._name, self._image = name, image
        self._client = Client(f"unix://{socket}")
        self._client.connect()
        self._threads = Threads()

    def get(self, repetitions: int) -> None:
        """One after another."""
        for _ in range(repetitions):
            self._client.instances.get(self._name)

    def get_at_once(self, repetitions: int) -> None:
        """64 at once."""
        self._threads.at_once(partial(self._client.instances.get, self._name), repetitions)

    def get_by_few(self, repetitions: int) -> None:
        """8 at once."""
        self._threads.at_once(partial(self._client.instances.get, self._name), repetitions, FEW)

    def list(self, repetitions: int) -> None:
        """Typed instances, and something of the state of each."""
        for _ in range(repetitions):
            instances = self._client.instances.list(recursion=2)
            if not all(each.name and each.state and each.state.memory.usage >= 0 for each in instances):
                raise ValueError("the state of an instance is missing")

    def life(self, repetitions: int) -> dict[str, float]:
        """Create, start, echo, stop, delete."""
        watch = Stopwatch()
        for _ in range(repetitions):
            self._life(watch)
        return watch.steps

    def _life(self, watch: Stopwatch) -> None:
        instances, name = self._client.instances, self._name
        watch.start()
        instances.create(name, {"type": "image", "alias": self._image}, wait=True)
        watch.done("create")
        instances.start(name, wait=True)
        watch.done("start")
        result = instances.execute(name, ["echo", "hello"], record_output=True, wait=True)
        watch.done("echo")
        instances.stop(name, force=True, wait=True)
        watch.done("stop")
        instances.delete(name, wait=True)
        watch.done("delete")
        if result.stdout != "hello\n":
            raise ValueError(f"echo gave {result.stdout!r}")

    def close(self) -> None:
        """Disconnect."""
        self._threads.close()
        self._client.disconnect()
