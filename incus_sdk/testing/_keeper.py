"""The work of a capsule's process 1: to keep the daemon running, or down, as the owner wants it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _linux

if TYPE_CHECKING:
    import socket
    from types import FrameType
    from typing import TextIO

    from ._settings import Settings

__all__ = ["Keeper", "start_lxcfs"]

_PATH = "/usr/libexec/incus:/usr/lib/incus:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def start_lxcfs(lxcfs: str, timeout: float = 2.0) -> None:
    """Starts the file system that shows containers their own /proc, and waits until it is mounted."""
    deadline = time.monotonic() + timeout
    with Path("/proc/self/mounts").open() as mounts:
        changed = select.poll()
        changed.register(mounts, select.POLLPRI)
        before = _count_lxcfs(mounts)  # the machine's own may be in sight
        _spawn([lxcfs, "/var/lib/lxcfs"], {"PATH": _PATH})
        while _count_lxcfs(mounts) == before:
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise TimeoutError(f"{lxcfs} did not mount /var/lib/lxcfs within {timeout} s")
            changed.poll(rest * 1000)


def _count_lxcfs(mounts: TextIO) -> int:
    mounts.seek(0)
    return sum(" /var/lib/lxcfs fuse" in line for line in mounts)


def _spawn(arguments: list[str], environment: dict[str, str], log: Path | None = None) -> int:
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    if log:
        actions.append((os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        actions.append((os.POSIX_SPAWN_DUP2, 1, 2))
    return os.posix_spawn(arguments[0], arguments, environment, file_actions=actions, setsid=True)


class Keeper:
    """Starts the daemon, starts it again when it dies, buries what is orphaned, and obeys the owner.

    Commands are single words: `status`, `kill`, `hold`, `resume`, `restart`. Each is answered, once it has been
    carried out, with the state of the daemon.
    """

    _HOPELESS = 1.0
    """A daemon that fails within so many seconds is not started again: it would only fail again."""

    _PATIENCE = 30.0
    """Seconds that it has to end in good order: it waits for its operations, which may be for ever."""

    def __init__(self, settings: Settings, control: socket.socket) -> None:
        self._settings = settings
        self._control = control
        self._pid = 0
        self._started = 0.0
        self._exit: int | None = None

    def run(self) -> None:
        """Does its work until it is killed."""
        wake, alarm = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, _only_wake)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        self._start()
        sources: list[int] = [wake, self._control.fileno()]
        while True:
            ready, _, _ = select.select(sources, [], [])
            if wake in ready:
                os.read(wake, 4096)
                self._bury()
            if self._control.fileno() in ready and not self._obey():
                # The owner is gone; the supervisor sees to the rest.
                sources.remove(self._control.fileno())

    def _start(self) -> None:
        settings = self._settings
        environment = {
            "PATH": _PATH,
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "INCUS_DIR": settings.directory,
            "INCUS_SKIP_INSTANCE_TYPES": "true",  # a list that it would fetch from the internet
            "INCUS_SECURITY_APPARMOR": "false",  # its profiles are the kernel's, they would outlive the capsule
        }
        self._exit = None
        self._started = time.monotonic()
        self._pid = _spawn([settings.incusd, "--verbose"], environment, settings.daemon_log)

    def _end(self, number: int) -> None:
        if not self._pid:
            return
        with os.fdopen(_linux.open_process(self._pid)) as ended:
            os.kill(self._pid, number)
            if not select.select([ended], [], [], self._PATIENCE)[0]:
                os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        self._note_end(status)

    def _note_end(self, status: int) -> None:
        self._exit = os.waitstatus_to_exitcode(status)
        self._pid = 0

    def _bury(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._pid:
                    self._note_end(ended[1])
                    # Status 0 means that somebody shut it down on purpose.
                    if self._exit and time.monotonic() - self._started > self._HOPELESS:
                        self._start()

    def _obey(self) -> bool:
        command = self._control.recv(64).decode()
        if command in {"kill", "hold"}:
            self._end(signal.SIGKILL)
        elif command == "restart":
            self._end(signal.SIGTERM)
        if command in {"kill", "restart", "resume"} and not self._pid:
            self._start()
        if command:
            self._control.send(json.dumps({"running": bool(self._pid), "exit": self._exit}).encode())
        return bool(command)


def _only_wake(number: int, frame: FrameType | None) -> None:
    """What there is to do is done by whoever waits for the descriptor."""
