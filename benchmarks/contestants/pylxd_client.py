"""pylxd, the client of LXD, which many use with Incus."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

from ._running import FEW, Stopwatch, Threads

__all__ = ["Player"]


class Player:
    """A client; and for many calls at once, threads with a client each, as its sessions are not safe to share.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance to read, or of one to make.
        image: Alias of the image to make it from.
    """

    def __init__(self, socket: str, name: str = "", image: str = "") -> None:
        self._pylxd = import_module("pylxd")  # so that the rest of the benchmarks works, and is checked, without
        self._socket, self._name, self._image = socket, name, image
        self._client = self._pylxd.Client(endpoint=socket)
        self._threads = Threads()
        self._local = threading.local()

    def get(self, repetitions: int) -> None:
        """One after another."""
        for _ in range(repetitions):
            self._client.instances.get(self._name)

    def get_at_once(self, repetitions: int) -> None:
        """64 at once."""
        self._threads.at_once(self._get, repetitions)

    def get_by_few(self, repetitions: int) -> None:
        """8 at once."""
        self._threads.at_once(self._get, repetitions, FEW)

    def _get(self) -> None:
        client = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._pylxd.Client(endpoint=self._socket)
        client.instances.get(self._name)

    def list(self, repetitions: int) -> None:
        """Its instances. It drops the state that it has read, so there is none to look at."""
        for _ in range(repetitions):
            instances: list[Any] = self._client.instances.all(recursion=2)
            if not all(each.name and each.status for each in instances):
                raise ValueError("the status of an instance is missing")

    def life(self, repetitions: int) -> dict[str, float]:
        """Create, start, echo, stop, delete."""
        watch = Stopwatch()
        for _ in range(repetitions):
            self._life(watch)
        return watch.steps

    def _life(self, watch: Stopwatch) -> None:
        watch.start()
        config = {"name": self._name, "source": {"type": "image", "alias": self._image}}
        instance = self._client.instances.create(config, wait=True)
        watch.done("create")
        instance.start(wait=True)
        watch.done("start")
        result = instance.execute(["echo", "hello"])
        watch.done("echo")
        instance.stop(force=True, wait=True)
        watch.done("stop")
        instance.delete(wait=True)
        watch.done("delete")
        if result.stdout != "hello\n":
            raise ValueError(f"echo gave {result.stdout!r}")

    def close(self) -> None:
        """End the threads."""
        self._threads.close()
