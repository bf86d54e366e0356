"""A program from its start to its end, in a process of its own."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path

__all__ = ["Player"]

PATIENCE = 60
"""Seconds after which a program is ended."""


class Player:
    """A program.

    Args:
        command: It and its arguments, as a JSON list.
        needs: Name of a module that has to be there; none if empty.
        cwd: Folder to run it in.
        **environ: Its environment, beside the path.
    """

    def __init__(self, command: str, needs: str, cwd: str, **environ: str) -> None:
        if needs:
            self._check(f"import {needs}", cwd)
        self._command: list[str] = json.loads(command)
        self._cwd, self._environ = cwd, environ
        if not Path(self._command[0]).exists():
            raise ImportError(f"there is no program {self._command[0]}")

    def _check(self, script: str, cwd: str) -> None:
        done = subprocess.run([sys.executable, "-c", script], check=False, cwd=cwd, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise ImportError(done.stderr.strip().rpartition("\n")[2])

    def run(self, repetitions: int) -> None:
        """Run it that often, one after another."""
        for _ in range(repetitions):
            with subprocess.Popen(
                self._command, cwd=self._cwd, env=self._environ, stdout=subprocess.DEVNULL
            ) as process:
                _await_end(process)
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, self._command)

    def close(self) -> None:
        """Nothing is open."""


def _await_end(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end; not by `wait(timeout)`, which looks at growing intervals, of 50 ms in the end."""
    descriptor = os.pidfd_open(process.pid)
    try:
        if not select.select([descriptor], [], [], PATIENCE)[0]:
            process.kill()
    finally:
        os.close(descriptor)
