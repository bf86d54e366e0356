"""Commands for instances: what is asked of the server, checked before anything is sent; the same on both faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any, TypeAlias, TypedDict

from ._link import at_least_zero
from ._values import content_bytes, string_values, text, text_list, whole_number
from .exceptions import IncusArgumentError

__all__ = [
    "Arguments",
    "Buffer",
    "Command",
    "CommandOptions",
    "Environment",
    "RunOptions",
    "RunSettings",
    "command_for",
    "run_settings",
    "terminal_size",
]

Arguments: TypeAlias = Sequence[str | bytes | PurePath]
"""The program and its arguments; no shell is involved."""

Environment: TypeAlias = Mapping[str, str | int | float | bool | PurePath]
"""Environment variables; numbers and booleans are written as texts."""

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Bytes in any form."""


class CommandOptions(TypedDict, total=False):
    """Options that all commands take; see `InstancesAPI.run`."""

    environment: Environment | None
    user: int | None
    group: int | None
    cwd: str | PurePosixPath | None


class RunOptions(CommandOptions, total=False):
    """Options of `run` that do not decide the type of its result; see `InstancesAPI.run`."""

    input: str | Buffer | None
    check: bool
    timeout: float | None
    capture: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A command for an instance.

    Attributes:
        instance: Name of the instance.
        path: Path of the request that starts it.
        body: Body of that request.
    """

    instance: str
    path: str
    body: dict[str, Any]

    @property
    def args(self) -> list[str]:
        """The program and its arguments."""
        args: list[str] = self.body["command"]
        return args


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a command is run to its end, beside what it is.

    Attributes:
        input: What it reads.
        check: Whether an exit code other than 0 raises.
        timeout: Seconds that it may take.
        capture: Whether its output is wanted.
        decode: Makes the wanted type out of output; it never fails.
    """

    input: Buffer
    check: bool
    timeout: float | None
    capture: bool
    decode: Callable[[bytes], Any]


def command_for(
    instance: str,
    path: str,
    arguments: Arguments,
    *,
    environment: Environment | None = None,
    user: int | None = None,
    group: int | None = None,
    cwd: str | PurePosixPath | None = None,
    size: tuple[int, int] | None = None,
) -> Command:
    """Return a command that waits for its websockets; with a `size`, in columns and rows, on a terminal.

    Raises:
        IncusArgumentError: A value is out of range, or cannot be sent.
        TypeError: A value is of a wrong type.
    """
    args = text_list(arguments, "command", "['sh', '-c', '…']")
    if not args:
        raise IncusArgumentError("command is empty: it needs at least the program to run")
    body: dict[str, Any] = {
        "command": args,
        "environment": _variables(environment or {}),
        "wait-for-websocket": True,
        "record-output": False,
        "interactive": size is not None,
    }
    for key, number in (("user", user), ("group", group)):
        if number is not None:
            body[key] = whole_number(key, number, 0, 0xFFFF_FFFF)
    if cwd is not None:
        body["cwd"] = text(cwd, "cwd")
    if size is not None:
        body["width"], body["height"] = terminal_size(*size)
    return Command(instance, path, body)


def _variables(environment: Environment) -> dict[str, str]:
    for name in (values := string_values(environment, "environment")):
        if not name or "=" in name:
            raise IncusArgumentError(f"environment: {name!r:.80} cannot be the name of a variable")
    return values


def terminal_size(columns: int, rows: int) -> tuple[int, int]:
    """Check the size of a terminal, which the kernel counts with 16 bits."""
    return whole_number("columns", columns, 0, 0xFFFF), whole_number("rows", rows, 0, 0xFFFF)


def run_settings(
    *,
    input: str | Buffer | None = None,
    check: bool = False,
    timeout: float | None = None,
    capture: bool = True,
    text: bool = False,
    encoding: str | None = None,
) -> RunSettings:
    """Return how a command is run, from the arguments of `InstancesAPI.run`.

    Raises:
        IncusArgumentError: A value cannot be right.
        TypeError: A value is of a wrong type.
    """
    at_least_zero(timeout, "timeout")
    decode = _decoder(encoding or "utf-8") if text or encoding is not None else bytes
    return RunSettings(_encoded(input, encoding), check, timeout, capture, decode)


def _decoder(encoding: str) -> Callable[[bytes], str]:
    try:
        b"\xff".decode(encoding, "replace")
    except (LookupError, UnicodeError) as error:
        raise IncusArgumentError(f"encoding cannot be {encoding!r:.80}: {error}") from None
    return lambda data: data.decode(encoding, "replace")


def _encoded(value: str | Buffer | None, encoding: str | None) -> Buffer:
    if value is None:
        return b""
    if not isinstance(value, str) or encoding is None:
        return content_bytes(value, "input")
    try:
        return value.encode(encoding)
    except UnicodeEncodeError as error:
        reason = error.reason
    raise IncusArgumentError(f"input cannot be written as {encoding}: {reason}")  # unchained: that error holds it
