"""A server that gives the same answer to every request, in a process of its own: what varies is the client's work.

It looks for the ends of requests and writes, which is the least that a server in Python can do. It still takes longer
than one in C would, and what it takes is added to each side of a comparison alike: ratios of wall time seen here are
nearer to 1 than with a faster server. CPU ratios are not touched by that.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replaying"]

END = b"\r\n\r\n"


@contextmanager
def replaying(answer: bytes, folder: Path) -> Generator[str]:
    """Run the server with that answer, and give the path of its socket."""
    path, file = folder / "replay.socket", folder / "answer"
    file.write_bytes(answer)
    command = [sys.executable, "-m", "benchmarks.replay", str(path), str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        if server.stdout is None or server.stdin is None or server.stdout.readline() != b"ready\n":
            raise RuntimeError("the replay server did not start")
        yield str(path)
        server.stdin.close()  # its sign to end


class Replay(asyncio.Protocol):
    """One connection.

    Args:
        answer: What to answer.
    """

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request; heads come in one piece here, as the requests are small."""
        if self._transport is not None:
            self._transport.write(self._answer * data.count(END))


async def serve(path: str, answer: bytes) -> None:
    """Answer until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(lambda: Replay(answer), path, backlog=256)
    async with server:
        print("ready", flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]).read_bytes()))
