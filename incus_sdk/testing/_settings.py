"""What the owner of a private daemon tells its supervisor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["DAEMON_LOG", "Settings"]

DAEMON_LOG = "incusd.log"


@dataclass(frozen=True)
class Settings:
    """All that a capsule depends on, fixed before it is made.

    Attributes:
        name: Name of everything of it that others can see: control groups and the network link.
        directory: `INCUS_DIR` of the daemon.
        keep_directory: The directory was there before, so only what is in it goes.
        rootfs: Root file system to run from, empty for the machine's own.
        incusd: Path of the daemon, as seen from that root.
        lxcfs: The same for lxcfs.
        cgroup2: Show the daemon nothing but the unified hierarchy of control groups.
        uplink: Make a network link between the machine and the capsule.
        owner: Process id of the owner.
    """

    name: str
    directory: str
    keep_directory: bool
    rootfs: str
    incusd: str
    lxcfs: str
    cgroup2: bool
    uplink: bool
    owner: int

    @property
    def daemon_log(self) -> Path:
        """Where all that the daemon says goes."""
        return Path(self.directory, DAEMON_LOG)

    def dump(self) -> str:
        """Writes the settings for the supervisor's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Settings:
        """Reads what `dump` wrote."""
        return cls(**json.loads(text))
