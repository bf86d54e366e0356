"""A server that answers each path with what was recorded for it, in a process of its own: what varies is the client.

It must never be what a client waits for. So it does the least that a Python program can: one thread, epoll, one read
and one write for a request, no parsing but for the path. That is about a third of what the leanest client here takes,
and the two run at the same time, on a core each.
"""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

__all__ = ["replaying"]

END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
ROOT = b'HTTP/1.1 200 OK\r\nContent-Length: 55\r\n\r\n{"type":"sync","status_code":200,"metadata":["/1.0"]}\r\n'
"""What servers say to `GET /`, which a client asks when it connects."""

NOTHING = b'{"type":"error","status":"","status_code":0,"error_code":404,"error":"not recorded","metadata":null}'
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(NOTHING),
    NOTHING,
)


@contextmanager
def replaying(answers: Mapping[str, bytes], folder: Path) -> Generator[str]:
    """Run the server, and give the path of its socket.

    Args:
        answers: What to answer, head and body, for each path; queries are not looked at.
        folder: Where the socket and the answers may be.
    """
    folder.mkdir()
    for path, answer in {"/": ROOT, **answers}.items():
        (folder / quote(path, safe="")).write_bytes(answer)
    command = [sys.executable, "-m", "benchmarks.replay", str(folder)]
    here = Path(__file__).parent.parent
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=here) as server:
        if server.stdout is None or server.stdin is None or server.stdout.readline() != b"ready\n":
            raise RuntimeError("the replay server did not start")
        yield str(folder / "socket")
        server.stdin.close()  # its sign to end


class Server:
    """The connections and the answers.

    Args:
        answers: What to answer for each path.
    """

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self._answers = answers
        self._epoll = select.epoll()
        self._connections: dict[int, socket.socket] = {}
        self._begun: dict[int, bytes] = {}

    def serve(self, listener: socket.socket, until: int) -> None:
        """Answer until there is something to read from the file descriptor `until`."""
        door = listener.fileno()
        for number in (door, until):
            self._epoll.register(number, select.EPOLLIN)
        while True:
            for number, _ in self._epoll.poll():
                if number == door:
                    self._welcome(listener.accept()[0])
                elif number == until:
                    return
                else:
                    self._read(number)

    def _welcome(self, connection: socket.socket) -> None:
        self._connections[connection.fileno()] = connection
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, number: int) -> None:
        connection = self._connections[number]
        try:
            data = connection.recv(65536)
            if data.endswith(END) and number not in self._begun:
                connection.sendall(self._answers.get(_path(data), NOT_FOUND))
            elif data:
                self._continue(number, data)
            else:
                self._close(number)
        except OSError:  # the client has gone
            self._close(number)

    def _continue(self, number: int, data: bytes) -> None:
        """Collect a request that comes in pieces, or with a body, which the `incus` command sends with a GET."""
        data = self._begun.pop(number, b"") + data
        if _is_whole(data):
            self._connections[number].sendall(self._answers.get(_path(data), NOT_FOUND))
        else:
            self._begun[number] = data

    def _close(self, number: int) -> None:
        self._epoll.unregister(number)
        self._begun.pop(number, None)
        self._connections.pop(number).close()


def _path(head: bytes) -> bytes:
    return head.split(b" ", 2)[1].partition(b"?")[0]


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(END)
    length = head.lower().partition(LENGTH)[2].partition(b"\r\n")[0]
    return bool(end) and len(body) >= int(length or b"0")


def main(folder: Path) -> None:
    """Serve what is in the folder, until the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the harness, which then ends this
    answers = {unquote(file.name).encode(): file.read_bytes() for file in folder.iterdir()}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        listener.listen(256)
        print("ready", flush=True)
        Server(answers).serve(listener, sys.stdin.fileno())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
