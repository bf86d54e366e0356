"""The process beside a capsule that makes it, and clears it away whatever becomes of the owner.

It outlives the owner on purpose: it ends the capsule when it is told to, when the owner's end of the socket closes, or
when the owner's process is gone (which is not the same: a forked child may still hold that end). If it is killed
itself, the kernel kills the capsule, and a living owner removes what then remains.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from . import _cgroups, _linux, _network
from ._capsule import run_capsule
from ._errors import quote_log
from ._settings import Settings

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["clear_away", "main"]


def main() -> None:
    """Runs the supervisor; the command line holds the settings and the numbers of the two sockets."""
    settings = Settings.load(sys.argv[1])
    lease, control = (_adopt(int(number)) for number in sys.argv[2:4])
    alarm = _catch_termination()
    if not settings.keep_directory:
        try:
            Path(settings.directory).mkdir()
        except OSError as error:  # what is there is not ours to clear away
            _tell(lease, {"failure": str(error), "log": "", "left": []})
            return
    pid = 0
    failure = ""
    try:
        Path(settings.directory).chmod(0o711)
        groups = _cgroups.create(settings.name, cgroup2=settings.cgroup2)
        pid, door = _fork_capsule(settings, groups, lease, control)
        control.close()
        _tell(lease, _connect_capsule(settings, pid, door))
        _wait_for_an_end(settings, pid, lease, alarm)
    except Exception as error:  # noqa: BLE001 - whatever it was, the owner gets to read it
        failure = f"{type(error).__name__}: {error}"
    _finish(settings, pid, lease, failure)


def _catch_termination() -> int:
    """Returns a descriptor that becomes readable on SIGTERM, so that it interrupts nothing half done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _only_wake)
    alarm, ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
    return alarm


def _only_wake(number: int, frame: FrameType | None) -> None:
    """What there is to do is done by whoever waits for the descriptor."""


def _adopt(number: int) -> socket.socket:
    adopted = socket.socket(fileno=number)
    adopted.set_inheritable(False)  # nothing started from here may keep it open
    return adopted


def _fork_capsule(
    settings: Settings, groups: list[Path], lease: socket.socket, control: socket.socket
) -> tuple[int, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    _linux.unshare(_linux.CLONE_NEWPID)
    pid = os.fork()
    if pid:
        theirs.close()
        _linux.setns(home, _linux.CLONE_NEWPID)  # the children to come belong outside again
        os.close(home)
        return pid, ours
    status = 1
    try:
        ours.close()
        lease.close()
        os.close(home)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)  # which for a process 1 means: not at all
        run_capsule(settings, groups, theirs, control)
        status = 0
    except BaseException:  # noqa: BLE001 - the supervisor's own code must not run on in the child
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _connect_capsule(settings: Settings, pid: int, door: socket.socket) -> dict[str, object]:
    with door:
        if not door.recv(64):
            raise OSError("process 1 of the capsule ended early")
        gateway, address = _network.create_link(settings.name, pid) if settings.uplink else ("", "")
        door.send(json.dumps({"address": address}).encode())
    return {"pid": pid, "gateway": gateway, "address": address}


def _wait_for_an_end(settings: Settings, pid: int, lease: socket.socket, alarm: int) -> None:
    owner = _linux.open_process(settings.owner)
    if os.getppid() != settings.owner:
        return  # gone already, and its number may be somebody else's
    poll = select.poll()
    for descriptor in (owner, _linux.open_process(pid), lease.fileno(), alarm):
        poll.register(descriptor, select.POLLIN)
    poll.poll()


def _finish(settings: Settings, pid: int, lease: socket.socket, failure: str) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # Returns when every other process of the capsule is gone as well.
        os.waitpid(pid, 0)
    log = quote_log(settings.daemon_log)
    left = clear_away(settings)
    _tell(lease, {"failure": failure, "log": log, "left": left})


def _tell(lease: socket.socket, message: dict[str, object]) -> None:
    with contextlib.suppress(OSError):
        lease.send(json.dumps(message).encode(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def clear_away(settings: Settings) -> list[str]:
    """Removes what does not end with the capsule's processes, and returns what could not be removed."""
    left = _network.remove_link(settings.name) if settings.uplink else []
    left += _cgroups.remove(settings.name)
    directory = Path(settings.directory)
    if settings.keep_directory:
        for entry in directory.iterdir():
            _remove(entry)
        left += [str(entry) for entry in directory.iterdir()]
    else:
        _remove(directory)
        left += [str(directory)] if directory.exists() else []
    return left + _wait_for_loops(settings.directory)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _wait_for_loops(directory: str, timeout: float = 2.0) -> list[str]:
    # Loop devices detach by themselves once unmounted, a moment later; sysfs has no event for it.
    deadline = time.monotonic() + timeout
    while (loops := _loops(directory)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return loops


def _loops(directory: str) -> list[str]:
    loops: list[str] = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if backing.read_text().startswith(f"{directory}/"):
                loops.append(f"/dev/{backing.parent.parent.name}")
    return loops
