"""The inside of a capsule: its process 1.

When it dies, the kernel ends every process in the capsule and with them its mounts, network devices and firewall rules.
All modules are imported up front: after the change of root, Python's own files are out of sight.
"""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from . import _cgroups, _linux, _network
from ._keeper import Keeper, start_lxcfs
from ._view import build_view

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from ._settings import Settings

__all__ = ["run_capsule"]


def run_capsule(settings: Settings, groups: list[Path], door: socket.socket, control: socket.socket) -> None:
    """Is process 1, from the fork to the end.

    Args:
        settings: What to build.
        groups: Control groups to join.
        door: To the supervisor, which makes the network link once there is a namespace to put it in.
        control: To the owner, whose commands it obeys.
    """
    _linux.die_with_parent(signal.SIGKILL)
    _cgroups.join(groups)
    _linux.unshare(_linux.CLONE_NEWNS | _linux.CLONE_NEWNET | (_linux.CLONE_NEWCGROUP if settings.cgroup2 else 0))
    door.send(b"unshared")
    # An empty answer: the supervisor died before it could be this one's death too.
    answer = door.recv(4096)
    if not answer:
        return
    _network.configure(json.loads(answer)["address"])
    build_view(settings, groups)
    start_lxcfs(settings.lxcfs)
    Keeper(settings, control).run()
