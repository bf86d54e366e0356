"""The owner's side of a capsule: the supervisor's process and the two sockets to talk through."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._errors import PrivateIncusError, last_lines, quote_log

if TYPE_CHECKING:
    from ._settings import Settings

__all__ = ["Capsule"]

_PACKAGE_ROOT = str(Path(__file__).parents[2])

# Isolated and without `site`, which halves the time that it takes; the owner's module path comes along instead.
_BOOT = "import sys; sys.path[:] = sys.argv.pop(1).split(':'); from incus_sdk.testing._supervisor import main; main()"


class Capsule:
    """A capsule with a daemon in it, from its making to its end.

    Whatever happens to this process, the supervisor that is started here clears away all that it has made. So nothing
    at all is made before it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._final: dict[str, Any] | None = None
        self._lease, lease = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A file without a name: it needs no clearing away.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - it is read when the capsule ends
        with lease, control:
            self._process = _start_supervisor(settings, lease.fileno(), control.fileno(), self._complaints.fileno())

    @property
    def pid(self) -> int:
        """Its process 1, as the machine numbers it."""
        return int(self._made["pid"])

    @property
    def address(self) -> str:
        """Its address on the link to the machine; empty without one."""
        return str(self._made["address"])

    @property
    def gateway(self) -> str:
        """The machine's address on that link; empty without one."""
        return str(self._made["gateway"])

    def wait_made(self, timeout: float) -> None:
        """Waits until the namespaces exist and process 1 is about to start the daemon."""
        self._lease.settimeout(timeout)
        try:
            self._made = self._receive()
        except TimeoutError as error:
            message = f"the namespaces in {self._settings.directory} were not made within {timeout} s"
            raise PrivateIncusError(message) from error
        self._lease.settimeout(None)

    def command(self, word: str) -> dict[str, Any]:
        """Has process 1 do something to the daemon, and returns the state that the daemon is in afterwards."""
        with self._lock:
            try:
                self._control.send(word.encode())
                answer = self._control.recv(4096)
            except OSError:
                answer = b""
        if not answer:
            self._receive()  # says what has happened, by raising
        state: dict[str, Any] = json.loads(answer)
        return state

    def end(self) -> list[str]:
        """Ends the capsule and removes all that belongs to it.

        Returns:
            What could not be removed.
        """
        with contextlib.suppress(OSError):
            self._lease.send(b"stop")
        self._control.close()
        self._process.wait()
        with contextlib.suppress(PrivateIncusError):
            self._receive()
        self._lease.close()
        self._complaints.close()
        if self._final is None:
            return self._clear_away_after_supervisor()
        left: list[str] = self._final["left"]
        return left

    def _receive(self) -> dict[str, Any]:
        """Returns the supervisor's first message, that the capsule is made; raises on the other one, that it ended."""
        while self._final is None:
            try:
                data = self._lease.recv(1 << 18)
            except ConnectionError:
                data = b""
            if not data:
                break
            message: dict[str, Any] = json.loads(data)
            if "left" not in message:
                return message
            self._final = message
        raise self._failure()

    def _failure(self) -> PrivateIncusError:
        complaints = os.pread(self._complaints.fileno(), 1 << 20, 0).decode(errors="replace")
        final = self._final or {"failure": "its supervisor was killed", "log": quote_log(self._settings.daemon_log)}
        parts = (
            f"the namespaces of the private Incus daemon in {self._settings.directory} ended unexpectedly",
            final["failure"],
            last_lines(complaints),
            final["log"],
        )
        return PrivateIncusError("\n".join(part for part in parts if part))

    def _clear_away_after_supervisor(self) -> list[str]:
        from . import _linux
        from ._supervisor import clear_away

        # The supervisor's death is that of process 1 too, which takes the kernel a moment.
        if self._made:
            with contextlib.suppress(ProcessLookupError), os.fdopen(_linux.open_process(self.pid)) as ended:
                select.select([ended], [], [], 10)
        return clear_away(self._settings)


def _start_supervisor(settings: Settings, lease: int, control: int, complaints: int) -> subprocess.Popen[bytes]:
    paths = [_PACKAGE_ROOT, *(os.path.abspath(path) for path in sys.path)]  # noqa: PTH100 - text for another process
    command = [sys.executable, "-I", "-S", "-c", _BOOT, ":".join(paths), settings.dump(), str(lease), str(control)]
    environment = os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin"}
    # A session of its own: Ctrl-C in the owner's terminal is for the owner.
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=complaints,
        stderr=complaints,
        cwd="/",
        env=environment,
        pass_fds=(lease, control),
        start_new_session=True,
    )
