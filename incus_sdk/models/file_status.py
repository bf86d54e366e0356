"""What is known of a file without reading it."""

from __future__ import annotations

from datetime import datetime

import msgspec

__all__ = ["FileStatus"]


class FileStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A file in an instance or a volume, without its content.

    Attributes:
        type: `file`, `directory` or `symlink`.
        size: Bytes; `None` of anything but a file.
        mode: Permissions, as in `0o644`.
        uid: Numeric owner.
        gid: Numeric group.
        modified: When it was last changed, as far as the server tells.
    """

    type: str
    size: int | None = None
    mode: int = 0
    uid: int = 0
    gid: int = 0
    modified: datetime | None = None
