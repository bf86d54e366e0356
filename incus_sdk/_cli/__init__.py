"""`python -m incus_sdk`: what it is asked to do, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..exceptions import IncusError, IncusOperationBadRequestError, IncusOperationNotFoundError
from ._arguments import parsed

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["main"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a shell."""

UNREAD = 141
"""Exit code when nobody reads the output any more, as of a program that does not handle that."""

CODES = {IncusOperationNotFoundError: 127, IncusOperationBadRequestError: 126}
"""Exit codes of commands that could not be run, as of a shell; any other failure is 1."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say, and return the exit code; a wrong argument ends the process with 2.

    Args:
        arguments: Those behind the name of the program; by default those of this process.
    """
    _open_all()
    options = parsed(sys.argv[1:] if arguments is None else arguments)
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as `__main__` sets it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return asyncio.run(_done(options))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python still has to write there
        return UNREAD
    except (IncusError, OSError) as error:
        sys.stderr.write(f"incus_sdk: {_in_a_line(error)}\n")
        return next((code for kind, code in CODES.items() if isinstance(error, kind)), 1)


async def _done(options: Namespace) -> int:
    cert = (options.cert, options.key) if options.key else options.cert
    client = Client(options.endpoint, cert, options.verify, options.project)
    try:
        return await _verb(options.verb)(client, options)
    finally:
        await client.disconnect()


def _verb(name: str) -> Callable[[Client, Namespace], Coroutine[Any, Any, int]]:
    if name in {"push", "pull"}:
        from . import _files

        return _files.push if name == "push" else _files.pull
    from . import _verbs

    verbs = {"info": _verbs.info, "ls": _verbs.ls, "wait": _verbs.wait, "exec": _verbs.shell, "shell": _verbs.shell}
    return verbs[name]


def _open_all() -> None:
    """Open the standard streams that are closed: else the next connection would be taken for one of them."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _in_a_line(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, IncusError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)!r}: {error.strerror}"
    lines = [" ".join(line.split()) for line in str(error).splitlines()]
    return "; ".join(filter(None, lines)).replace(":; ", ": ")  # what follows a colon is a list
