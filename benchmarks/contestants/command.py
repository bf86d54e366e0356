"""The `incus` command, a process for each step, as scripts call it."""

from __future__ import annotations

import shutil
import subprocess

from ._running import Stopwatch

__all__ = ["Player"]


class Player:
    """The command.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance to make.
        image: Alias of the image to make it from.
        **environ: Environment in which the command is on its own.
    """

    def __init__(self, socket: str, name: str, image: str, **environ: str) -> None:
        command = shutil.which("incus")
        if command is None:
            raise ImportError("there is no command `incus`")
        self._command, self._name, self._image = command, name, image
        self._environ = {**environ, "INCUS_SOCKET": socket}

    def life(self, repetitions: int) -> dict[str, float]:
        """Create, start, echo, stop, delete."""
        watch = Stopwatch()
        for _ in range(repetitions):
            self._life(watch)
        return watch.steps

    def _life(self, watch: Stopwatch) -> None:
        watch.start()
        self._run("create", self._image, self._name)
        watch.done("create")
        self._run("start", self._name)
        watch.done("start")
        output = self._run("exec", self._name, "--", "echo", "hello")
        watch.done("echo")
        self._run("stop", self._name, "--force")
        watch.done("stop")
        self._run("delete", self._name)
        watch.done("delete")
        if output != "hello\n":
            raise ValueError(f"echo gave {output!r}")

    def _run(self, *arguments: str) -> str:
        command = [self._command, *arguments]
        return subprocess.run(
            command, check=True, env=self._environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        ).stdout

    def close(self) -> None:
        """Nothing is open."""
