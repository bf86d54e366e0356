"""A private Incus daemon to play with, or for as long as one command takes."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

from ._errors import PrivateIncusError
from ._private_incus import PrivateIncus

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = """\
Without a command the daemon runs until Ctrl-C. A command finds it in INCUS_ENDPOINT and, as the program `incus` does,
in INCUS_DIR and INCUS_SOCKET; its exit status becomes that of the whole.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts a private daemon, and ends it after the command or at SIGINT or SIGTERM.

    Returns:
        The exit status: the command's, 128 + the signal that killed it, or 1 if there was no daemon.
    """
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with PrivateIncus(driver=options.driver, https=options.https, rootfs=options.rootfs) as daemon:
            if options.command:
                return _run(options.command, daemon)
            sys.stdout.write(_describe(daemon, https=options.https))
            sys.stdout.flush()
            signal.pause()
    except PrivateIncusError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130 if options.command else 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m incus_sdk.testing", description=__doc__, epilog=_EPILOG)
    parser.add_argument("--rootfs", metavar="DIR", help="run the Incus of this root file system, not the machine's own")
    parser.add_argument("--driver", default="dir", help="storage driver of the pool: dir (the default) or btrfs")
    parser.add_argument("--https", action="store_true", help="serve HTTPS as well, and make a trusted certificate")
    parser.add_argument("command", nargs="*", help="a command to run, after `--`")
    return parser


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _go_on(*_: object) -> None:
    """Unlike SIG_IGN, a handler is not inherited by the command."""


def _run(command: list[str], daemon: PrivateIncus) -> int:
    # The terminal sends Ctrl-C to the command as well: that decides what comes of it.
    signal.signal(signal.SIGINT, _go_on)
    environ = os.environ | daemon.environ() | {"INCUS_ENDPOINT": daemon.endpoint}
    try:
        process = subprocess.Popen(command, env=environ)
    except OSError as error:
        sys.stderr.write(f"{command[0]!r} cannot be run: {error.strerror}\n")
        return 127

    def terminate(*_: object) -> None:
        process.terminate()

    signal.signal(signal.SIGTERM, terminate)
    status = process.wait()
    return status if status >= 0 else 128 - status


def _describe(daemon: PrivateIncus, *, https: bool) -> str:
    environ = daemon.environ()
    setting = [f"{name}={value}" for name, value in environ.items()]
    facts = {
        "socket": daemon.socket,
        "endpoint": daemon.endpoint,
        "INCUS_DIR": environ["INCUS_DIR"],
        "incus": shlex.join(["env", *setting, "incus", "list"]),
        "image": daemon.IMAGE,
        "log": str(daemon.log),
    }
    if https:
        facts |= {"https": daemon.https, "trusted": " ".join(daemon.client_cert), "server": daemon.server_cert}
    lines = [f"  {name:10} {value}" for name, value in facts.items()]
    return "\n".join([f"Incus {daemon.version} is up; Ctrl-C ends it.", *lines, ""])


if __name__ == "__main__":
    sys.exit(main())
