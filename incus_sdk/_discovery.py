"""The local daemon's unix socket: where it is looked for, and why it is of no use if it is not.

Incus' own client looks in the same places in the same order.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .exceptions import IncusConfigurationError

__all__ = ["DEFAULT_FOLDERS", "FoundSocket", "find_socket", "why_not"]

# The first one is used if there is a socket in it, else the last.
DEFAULT_FOLDERS = ("/run/incus", "/var/lib/incus")

_KINDS = {stat.S_IFREG: "a file", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device"}


class FoundSocket(NamedTuple):
    """The socket to use, which may turn out not to exist.

    Attributes:
        path: The socket.
        project: The user's own project, if it is the restricted socket for ordinary users.
        source: The environment variable that decided, if one did.
        candidates: Everything that was considered, best first.
    """

    path: str
    project: str | None = None
    source: str = ""
    candidates: tuple[str, ...] = ()


def find_socket(environ: Mapping[str, str], folders: Sequence[str] = DEFAULT_FOLDERS) -> FoundSocket:
    """Choose the socket of the local daemon: `INCUS_SOCKET`, the one in `INCUS_DIR`, or the one in a default folder.

    In a folder, `unix.socket.user` is taken where this user may not write to `unix.socket`: the service behind it
    confines every user to a project of their own, named after their user id.

    Args:
        environ: The environment variables.
        folders: The default folders.

    Raises:
        IncusConfigurationError: If `INCUS_SOCKET` is a URL instead of a path.
    """
    if path := environ.get("INCUS_SOCKET"):
        from pathlib import Path

        if path.startswith("unix:"):
            raise IncusConfigurationError(
                f"INCUS_SOCKET must be a path, not a URL: {path!r}; INCUS_ENDPOINT takes URLs"
            )
        return FoundSocket(str(Path(path).absolute()), source="INCUS_SOCKET")
    if given := environ.get("INCUS_DIR"):
        from pathlib import Path

        return _in_folder(str(Path(given).absolute()), "INCUS_DIR", [str(Path(given).absolute())])
    folder = next((f for f in folders if os.path.lexists(f"{f}/unix.socket")), folders[-1])
    return _in_folder(folder, "", folders)


def _in_folder(folder: str, source: str, folders: Sequence[str]) -> FoundSocket:
    candidates = tuple(f"{f}/{name}" for f in folders for name in ("unix.socket", "unix.socket.user"))
    path, restricted = f"{folder}/unix.socket", f"{folder}/unix.socket.user"
    if not _is_writable(path) and _is_writable(restricted):
        return FoundSocket(restricted, f"user-{os.geteuid()}", source, candidates)
    return FoundSocket(path, None, source, candidates)


def _is_writable(path: str) -> bool:
    # Connecting goes by the effective user, which `access` looks at only when told to.
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def why_not(path: str, error: OSError | None = None) -> str:
    """Say why a socket is of no use, and what to do about it.

    Args:
        path: The socket.
        error: What connecting to it gave; `None` if nobody tried.
    """
    try:
        info = os.stat(path)  # noqa: PTH116 - pathlib takes its time to load, and this may be all a script does
    except OSError as exc:
        return _not_there(path, exc)
    if not stat.S_ISSOCK(info.st_mode):
        return f"this is {_KINDS.get(stat.S_IFMT(info.st_mode), 'something else')}, not a socket"
    if isinstance(error, PermissionError) or not _is_writable(path):
        return _no_permission(info)
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens on this socket: the daemon is not running (`systemctl status incus` may tell why)"
    if error is not None:
        return error.strerror or str(error) or type(error).__name__
    return "a socket that was not tried, for the one in use comes before it"


def _not_there(path: str, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to look into the folder"
    if isinstance(error, FileNotFoundError):
        from pathlib import Path

        parent = Path(path).parent
        return "no such file" if parent.is_dir() else f"there is no folder {str(parent)!r}"
    return error.strerror or str(error)


def _no_permission(info: os.stat_result) -> str:
    """Tell a user without access how to get it, which depends on the groups of user and session."""
    import grp

    mode = stat.filemode(info.st_mode)[1:]
    if info.st_gid == 0 or not info.st_mode & stat.S_IWGRP:
        return f"no permission: only its owner may use it (mode {mode})"
    try:
        group = grp.getgrgid(info.st_gid)
    except KeyError:
        return f"no permission: it belongs to group {info.st_gid}, which has no name here (mode {mode})"
    user = _user_name()
    text = f"no permission: it belongs to group {group.gr_name!r} (mode {mode})"
    if user in group.gr_mem:
        return f"{text}; user {user!r} is in that group, but this session began before that: log in again"
    return f"{text}; join it with `sudo usermod -aG {group.gr_name} {user}` and log in again"


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # user ids without an entry are common in containers
        return "USER"
