"""The process in which a contestant lives, so that no one's modules, threads and garbage are another's burden.

The harness writes a line for each run, the worker measures it and answers with a line. Between two runs the contestant
is idle: others have their turn.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from .harness import BrokenDownError, Sample

__all__ = ["UnavailableError", "Worker", "working"]

ROOT = Path(__file__).parent.parent


class UnavailableError(Exception):
    """A contestant cannot take part here; the message says why."""


class Worker:
    """A contestant's process.

    Args:
        process: The process.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def read(self) -> Any:
        """The next line from the process.

        Raises:
            UnavailableError: What the contestant needs is not installed.
            BrokenDownError: It failed; the traceback is on the standard error.
        """
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise BrokenDownError(f"its process ended with status {self._process.wait()}; the reason is above")
        message = json.loads(line)
        if "unavailable" in message:
            raise UnavailableError(message["unavailable"])
        return message

    def run(self, method: str, repetitions: int) -> Sample:
        """Have a method of the contestant called, and what that cost per repetition."""
        if self._process.stdin is None:
            raise RuntimeError("a contestant's process was started without a pipe to it")
        print(method, repetitions, file=self._process.stdin, flush=True)
        return Sample(**self.read())


@contextmanager
def working(module: str, arguments: Mapping[str, str]) -> Generator[Worker]:
    """Start a contestant's process.

    Args:
        module: Name of its module in `benchmarks.contestants`.
        arguments: Keywords for its class.

    Raises:
        UnavailableError: What the contestant needs is not installed.
    """
    command = [sys.executable, "-m", "benchmarks.worker", module, json.dumps(dict(arguments))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT, text=True) as process:
        try:
            worker = Worker(process)
            worker.read()
            yield worker
        finally:
            if process.stdin:
                process.stdin.close()


def memory(line: str) -> int:
    """Bytes that this process has in memory (`VmRSS`), or the most that it has had (`VmHWM`); 0 if nobody can tell.

    `ru_maxrss` does not do: a new process inherits its parent's. So of a contestant that has other processes do the
    work, it is not known.
    """
    if _children():
        return 0
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(each.split()[1]) * 1024 for each in lines if each.startswith(f"{line}:")), 0)


def main(module: str, arguments: Mapping[str, str]) -> None:
    """Do what the lines of the standard input say, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the harness, which then ends this
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a contestant prints is no answer
    try:
        contestant = import_module(f"benchmarks.contestants.{module}").Player(**arguments)
    except ImportError as error:
        print(json.dumps({"unavailable": str(error)}), file=answers, flush=True)
        return
    print(json.dumps({}), file=answers, flush=True)
    idle = memory("VmRSS")
    for line in sys.stdin:
        method, repetitions = line.split()
        sample = _sample(getattr(contestant, method), int(repetitions), idle)
        print(json.dumps(sample), file=answers, flush=True)
    contestant.close()


def _sample(method: Callable[[int], Mapping[str, float] | None], repetitions: int, idle: int) -> dict[str, object]:
    cpu, wall = _cpu(), time.perf_counter()
    steps = method(repetitions) or {}
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    peak = memory("VmHWM")
    return {
        "wall": wall / repetitions,
        "cpu": cpu / repetitions,
        "memory": peak,
        "growth": max(0, peak - idle),
        "steps": {name: seconds / repetitions for name, seconds in steps.items()},
    }


def _cpu() -> float:
    return time.process_time() + _children()


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
