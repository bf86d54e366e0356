"""What the inside of a capsule gets to see: its own root, /proc, /sys, /run and control groups."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from . import _linux

if TYPE_CHECKING:
    from ._settings import Settings

__all__ = ["build_view"]


def build_view(settings: Settings, groups: list[Path]) -> None:
    """Mounts all of it, in the mount namespace of the calling process, which is the first of the capsule."""
    _linux.mount("none", "/", flags=_linux.MS_REC | _linux.MS_PRIVATE)
    if settings.cgroup2:
        _make_room(groups[0])
    # Held by descriptor, as the mounts that follow may hide it: temporary folders are below /tmp or /run.
    directory = os.open(settings.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    root = _lay_root(settings.rootfs, f"{settings.directory}/root") if settings.rootfs else ""
    _linux.mount("tmpfs", f"{root}/run", "tmpfs", options="mode=755")
    Path(f"{root}/run/lock").mkdir()
    Path(f"{root}/var/lib/lxcfs").mkdir(exist_ok=True)
    _place(directory, root + settings.directory)
    if root:
        _change_root(root)
    _linux.mount("proc", "/proc", "proc")
    _mount_sys(settings)


def _make_room(group: Path) -> None:
    # A group of version 2 that hands on controllers, as LXC's groups for containers need it, may hold no process.
    scope = group / "init.scope"
    scope.mkdir()
    (scope / "cgroup.procs").write_text("0")


def _lay_root(rootfs: str, scratch: str) -> str:
    """Lays a writable layer, kept in memory, over the root file system, and returns where."""
    Path(scratch).mkdir()
    _linux.mount("tmpfs", scratch, "tmpfs", options="mode=755")
    root = f"{scratch}/merged"
    for folder in (f"{scratch}/upper", f"{scratch}/work", root):
        Path(folder).mkdir()
    layers = f"lowerdir={rootfs},upperdir={scratch}/upper,workdir={scratch}/work"
    _linux.mount("overlay", root, "overlay", options=layers)
    _linux.mount("/dev", f"{root}/dev", flags=_linux.MS_BIND | _linux.MS_REC)
    _linux.mount("tmpfs", f"{root}/tmp", "tmpfs", options="mode=1777")
    return root


def _place(directory: int, target: str) -> None:
    Path(target).mkdir(parents=True, exist_ok=True)
    _linux.mount(f"/proc/self/fd/{directory}", target, flags=_linux.MS_BIND)
    os.close(directory)
    # Temporary folders are often mounted nodev and nosuid, which containers cannot live with.
    _linux.mount("none", target, flags=_linux.MS_REMOUNT | _linux.MS_BIND)


def _change_root(root: str) -> None:
    # Not chroot: in a changed root the kernel refuses user namespaces, and with them every unprivileged container.
    old = "mnt/.old"
    Path(root, old).mkdir(parents=True)
    os.chdir(root)
    subprocess.run(["pivot_root", ".", old], check=True)
    os.chdir("/")
    _linux.unmount(f"/{old}", _linux.MNT_DETACH)


def _mount_sys(settings: Settings) -> None:
    # A fresh /sys, for it to show the devices of this network namespace.
    if settings.cgroup2:
        _linux.mount("sysfs", "/sys", "sysfs")
        _linux.mount("cgroup2", "/sys/fs/cgroup", "cgroup2")
        return
    kept = f"{settings.directory}/cgroup"
    Path(kept).mkdir()
    _linux.mount("/sys/fs/cgroup", kept, flags=_linux.MS_BIND | _linux.MS_REC)
    _linux.mount("sysfs", "/sys", "sysfs")
    _linux.mount(kept, "/sys/fs/cgroup", flags=_linux.MS_MOVE)
