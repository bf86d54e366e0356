"""What comes of commands in instances: plain data, the same on both faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, AnyStr, Generic

from .exceptions import IncusError, IncusProcessError

__all__ = ["CompletedProcess", "RunOutcome"]

SAID = 200
"""Characters of its last words that the message about a failed command repeats."""


@dataclass(frozen=True, slots=True, repr=False)
class CompletedProcess(Generic[AnyStr]):
    """A command that has ended.

    Attributes:
        args: The program and its arguments.
        returncode: Its exit code; 128 + n if signal n ended it.
        stdout: What it wrote to its standard output; empty if that was not captured.
        stderr: What it wrote to its standard error; empty if that was not captured.
        instance: Name of the instance that it ran in.
    """

    args: list[str]
    returncode: int
    stdout: AnyStr
    stderr: AnyStr
    instance: str = ""

    def check_returncode(self) -> None:
        """Raise unless the exit code is 0.

        Raises:
            IncusProcessError: It is another; the error has the output, too.
        """
        if self.returncode:
            text = f"{named(self.args, self.instance)} ended with {_ending(self.returncode)}{_last_words(self.stderr)}"
            raise IncusProcessError(text, self.args, self.returncode, self.stdout, self.stderr)

    def __repr__(self) -> str:
        # Neither arguments nor output: both can be long, and hold secrets.
        what = f"{type(self).__name__} {self.args[:1]!r:.60} returncode={self.returncode}"
        return f"<{what} stdout={len(self.stdout)} stderr={len(self.stderr)}>"


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a command in one of several instances; either `process` or `error` is there.

    Attributes:
        instance: Name of the instance.
        process: The command that has ended there, whatever its exit code is.
        error: Why there is none: the instance does not run, or has no such command.
    """

    instance: str
    process: CompletedProcess[Any] | None = None
    error: IncusError | None = None

    @property
    def ok(self) -> bool:
        """Whether the command ran, and ended with 0."""
        return self.process is not None and self.process.returncode == 0


def named(args: list[str], instance: str) -> str:
    """Name a command in messages: by its program alone, since arguments can be secrets."""
    return f"{args[0]!r:.80} in {instance}"


def _ending(returncode: int) -> str:
    return f"exit code {returncode}" + (f" (signal {returncode - 128})" if returncode > 128 else "")


def _last_words(stderr: str | bytes) -> str:
    """What it complained about, which most programs say last."""
    text = stderr if isinstance(stderr, str) else stderr[-4 * SAID :].decode(errors="replace")
    lines = text.rstrip().rsplit("\n", 1)
    # Nothing that a terminal would obey: messages end up on some.
    words = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in lines[-1].strip()[-SAID:])
    return f": {words}" if words else ""
