"""Scripts that use the sync face, each in an interpreter of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["PATIENCE", "Script", "run", "running"]

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 30
"""Seconds that a test waits for what must happen, on however busy a machine."""

START = """
import sys, threading
from incus_sdk.sync import Client

url = sys.argv[1]
"""


class Script:
    """A script that runs.

    Args:
        process: Its process.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        """Wait for the next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def say(self, line: str) -> None:
        """Give it a line to read."""
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return its exit status, and what else it wrote on its output and as errors."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@contextmanager
def running(script: str, *arguments: str) -> Generator[Script]:
    """Start a script that gets the address of a server as its first argument, with all warnings on."""
    source = START + textwrap.dedent(script)
    command = [sys.executable, "-W", "always", "-u", "-c", source, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT, text=True, start_new_session=True
    ) as process:
        try:
            yield Script(process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # children, too: they would keep the pipes open


def run(script: str, *arguments: str) -> tuple[int, str, str]:
    """Run a script to its end, and return its exit status, output and errors."""
    with running(script, *arguments) as process:
        return process.end()
