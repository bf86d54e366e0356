"""The least there is in asyncio: as `protocol`, but all connections receive into one buffer that is there already.

asyncio allocates 256 KiB for each read of a plain `Protocol`, and so of a stream. In a young process, malloc has the
system map such pieces afresh each time, which is a third of what a small answer takes.
"""

from __future__ import annotations

import asyncio

from . import protocol

__all__ = ["Player"]

BUFFER = memoryview(bytearray(65536))


class Connection(protocol.Connection, asyncio.BufferedProtocol):
    """One connection, for one request at a time."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to receive; nothing else runs between this and `buffer_updated`."""
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was received."""
        self.data_received(bytes(BUFFER[:nbytes]))


class Player(protocol.Player):
    """Connections to a unix socket."""

    kind = Connection
