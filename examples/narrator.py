"""How the examples tell what they do: a line for each step, with the time it took. No Incus in here."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["Narrator"]

WIDTH = 60
"""Column at which the times start."""


class Narrator:
    """Prints steps, what came out of them, and the total time."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def say(self, text: str) -> None:
        """Print a line of its own."""
        print(text, flush=True)

    @contextmanager
    def step(self, title: str) -> Generator[None]:
        """Print what is being done, and when it is done, how long that took."""
        print(f"{title} ".ljust(WIDTH, "."), end=" ", flush=True)
        began = time.perf_counter()
        try:
            yield
        except BaseException:
            print("not done", flush=True)
            raise
        print(f"{time.perf_counter() - began:6.3f} s", flush=True)

    def result(self, text: str) -> None:
        """Print what came out of the last step."""
        for line in text.splitlines() or [""]:
            print(f"    {line}", flush=True)

    def end(self, text: str) -> None:
        """Print the total time."""
        print(f"{text} ".ljust(WIDTH, ".") + f" {time.perf_counter() - self._began:6.3f} s", flush=True)
