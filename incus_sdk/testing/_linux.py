"""The system calls that the capsule needs and Python 3.11 has no names for (some came with 3.12, some never will)."""

from __future__ import annotations

import ctypes
import os

__all__ = [
    "CLONE_NEWCGROUP",
    "CLONE_NEWNET",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "MNT_DETACH",
    "MS_BIND",
    "MS_MOVE",
    "MS_PRIVATE",
    "MS_REC",
    "MS_REMOUNT",
    "die_with_parent",
    "mount",
    "open_process",
    "setns",
    "unmount",
    "unshare",
]

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_SYS_PIDFD_OPEN = 434  # the same on every architecture, as all calls since Linux 5.1

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leaves the namespaces that `flags` names for new ones (for `CLONE_NEWPID`, of the children to come)."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Joins the namespace behind `descriptor`."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """`mount(2)`, with the arguments in the order of that call."""
    status = _libc.mount(source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _check(status, f"mount {kind or source} on {target}")


def unmount(target: str, flags: int = 0) -> None:
    """`umount2(2)`."""
    _check(_libc.umount2(os.fsencode(target), flags), f"umount {target}")


def die_with_parent(signal: int) -> None:
    """Asks the kernel to send `signal` to this process as soon as its parent is gone."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def open_process(pid: int) -> int:
    """Gives a descriptor that becomes readable when the process ends.

    `os.pidfd_open` does the same, but portable builds of Python are compiled against kernels that lack it.
    """
    return _check(_libc.syscall(_SYS_PIDFD_OPEN, pid, 0), f"pidfd_open {pid}")


def _check(status: int, what: str) -> int:
    if status < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return status
