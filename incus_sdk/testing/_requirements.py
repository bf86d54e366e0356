"""What a private daemon needs of the machine: looked up first, so that what is missing has a name."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ._errors import PrivateIncusError

__all__ = ["Programs", "find_programs"]

_FOLDERS = (
    "/usr/libexec/incus",
    "/usr/lib/incus",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
)

_PACKAGES = {
    "incusd": "incus-base (on Debian 12 from bookworm-backports)",
    "lxcfs": "lxcfs",
    "nft": "nftables",
    "dnsmasq": "dnsmasq-base",
    "mkfs.btrfs": "btrfs-progs",
    "busybox": "busybox-static",
    "ip": "iproute2",
    "pivot_root": "util-linux",
    "openssl": "openssl",
}


@dataclass(frozen=True)
class Programs:
    """Paths of the programs; those of the daemon's side as seen from its root file system."""

    incusd: str
    lxcfs: str
    busybox: str
    """Empty if no image is wanted."""


def find_programs(rootfs: str, *, driver: str, network: bool, https: bool, image: bool) -> Programs:
    """Finds what a daemon with these options needs.

    Raises:
        PrivateIncusError: This is not Linux, we are not root, or something is not installed.
    """
    if sys.platform != "linux":
        raise PrivateIncusError(f"a private Incus daemon needs Linux, this is {sys.platform}")
    if os.geteuid() != 0:
        raise PrivateIncusError(f"a private Incus daemon must be started as root, not as user {os.geteuid()}")
    if rootfs and not Path(rootfs).is_dir():
        raise PrivateIncusError(f"rootfs {rootfs!r} is not a folder")
    inside = ["incusd", "lxcfs"] + ["nft", "dnsmasq"] * network + ["mkfs.btrfs"] * (driver == "btrfs")
    outside = ["ip"] + ["busybox"] * image + ["pivot_root"] * bool(rootfs) + ["openssl"] * https
    found = {name: _find(name, rootfs) for name in inside} | {name: _find(name, "") for name in outside}
    _check(found, rootfs, inside)
    busybox = found.get("busybox", "")
    if busybox and not _is_static(busybox):
        raise PrivateIncusError(
            f"{busybox} needs shared libraries, which the test image has not: {_install('busybox')}"
        )
    return Programs(found["incusd"], found["lxcfs"], busybox)


def _find(name: str, rootfs: str) -> str:
    for folder in _FOLDERS:
        if os.access(f"{rootfs}{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    return ""


def _check(found: dict[str, str], rootfs: str, inside: list[str]) -> None:
    missing = [name for name, path in found.items() if not path]
    if missing:
        within = f" in {rootfs}" if rootfs and set(missing) & set(inside) else ""
        names = ", ".join(missing)
        raise PrivateIncusError(f"{names} not found{within}; looked in {', '.join(_FOLDERS)}. {_install(*missing)}")


def _install(*names: str) -> str:
    return "Install the Debian packages " + ", ".join(_PACKAGES[name] for name in names)


def _is_static(program: str) -> bool:
    # The name of the dynamic loader stands right behind the headers of an executable that wants one.
    with Path(program).open("rb") as file:
        return b"/ld-" not in file.read(4096)
