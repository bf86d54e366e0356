"""The image that every private daemon has: busybox and next to nothing else, put together on the spot."""

from __future__ import annotations

import io
import platform
import subprocess
import tarfile

__all__ = ["build_image"]

_CREATED = 1700000000
"""The one time stamp in the image: the same busybox gives the same image, byte for byte."""

_FOLDERS = ("bin", "dev", "etc", "mnt", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "usr/bin", "usr/sbin")
_FOLDERS_BELOW_VAR = ("var", "var/lib", "var/log", "var/tmp")

# Busybox' own init takes almost three seconds to halt. This one goes at the first signal, and as it never waits for
# an address, a container is up at once.
_INIT = """\
#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
trap 'exit 0' PWR TERM INT USR1 USR2
echo "busybox is up"
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
    ip link set eth0 up
    udhcpc -q -b -t 20 -T 1 -i eth0 -s /etc/udhcpc.script >/dev/null 2>&1 &
fi
[ -x /etc/rc.local ] && /etc/rc.local &
while :; do
    sleep 3600 &
    wait $!
done
"""

_DHCP = """\
#!/bin/sh
case "$1" in
deconfig)
    ip addr flush dev "$interface" scope global ;;
bound | renew)
    ip addr replace "$ip/${mask:-24}" dev "$interface"
    for router in $router; do ip route replace default via "$router" dev "$interface"; done
    for server in $dns; do echo "nameserver $server"; done > /etc/resolv.conf ;;
esac
"""

_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/false\nuser:x:1000:1000:user:/tmp:/bin/sh\n",
    "group": "root:x:0:\ndaemon:x:1:\nuser:x:1000:\n",
    "os-release": 'ID=busybox\nNAME=Busybox\nVERSION_ID=1\nPRETTY_NAME="Busybox test image"\n',
    "hostname": "busybox\n",
}

_METADATA = """\
architecture: {architecture}
creation_date: {created}
properties:
  architecture: {architecture}
  description: Busybox test image
  os: Busybox
  release: "1"
  serial: "1"
  variant: default
  name: busybox-test
templates:
  /etc/hostname:
    when: [create, copy, rename]
    template: hostname.tpl
"""


def build_image(busybox: str) -> bytes:
    """Puts the image together, in some milliseconds: there is no point in keeping it for the next time.

    Args:
        busybox: Path of a static busybox, which becomes all programs of the image.

    Returns:
        An Incus image in one piece, for `POST /1.0/images`; not compressed, as it does not travel.
    """
    listed = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        _add_file(tar, "metadata.yaml", _METADATA.format(architecture=platform.machine(), created=_CREATED))
        _add_folder(tar, "templates")
        _add_file(tar, "templates/hostname.tpl", "{{ container.name }}\n")
        _add_folder(tar, "rootfs")
        for folder in (*_FOLDERS, *_FOLDERS_BELOW_VAR):
            _add_folder(tar, f"rootfs/{folder}", 0o1777 if folder.endswith("tmp") else 0o755)
        with open(busybox, "rb") as program:  # noqa: PTH123 - a path as text is all it is
            _add_file(tar, "rootfs/bin/busybox", program.read(), 0o755)
        for applet in sorted(set(listed.stdout.split()) - {"busybox"}):
            _add_link(tar, f"rootfs/bin/{applet}", "busybox")
        for name, text in _ETC.items():
            _add_file(tar, f"rootfs/etc/{name}", text)
        _add_file(tar, "rootfs/etc/udhcpc.script", _DHCP, 0o755)
        _add_file(tar, "rootfs/sbin/init", _INIT, 0o755)
    return data.getvalue()


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, _CREATED
    return entry


def _add_folder(tar: tarfile.TarFile, name: str, mode: int = 0o755) -> None:
    tar.addfile(_entry(name, tarfile.DIRTYPE, mode))


def _add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = _entry(name, tarfile.SYMTYPE, 0o777)
    entry.linkname = target
    tar.addfile(entry)


def _add_file(tar: tarfile.TarFile, name: str, content: str | bytes, mode: int = 0o644) -> None:
    data = content.encode() if isinstance(content, str) else content
    entry = _entry(name, tarfile.REGTYPE, mode)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
