"""A small HTTP server on a unix socket, in threads, for tests of the client that has no event loop."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import select
import socketserver
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar, cast


class Daemon(socketserver.ThreadingUnixStreamServer):
    """Answers from a table; a request that is not in it hangs until the client goes away."""

    daemon_threads = True
    request_queue_size = 64  # otherwise, many threads that connect at once are refused

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.url = f"unix://{path}"
        self.hanging = threading.Event()
        self.hung_up = threading.Event()
        self.bodies: list[bytes] = []
        self.connections = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up in the middle of an answer: that is what they are here to do."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()


@contextlib.contextmanager
def running(path: Path) -> Generator[Daemon]:
    """Serve on a socket, in a thread."""
    with Daemon(path) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ANSWERS: ClassVar[dict[str, object]] = {
        "/": ["/1.0"],
        "/1.0": {"api_status": "stable"},
        "/1.0/instances/web": {"name": "web", "status": "Running", "project": "default"},
        "/1.0/operations/1234/wait": {"id": "1234", "status": "Failure", "status_code": 400, "err": "no luck"},
    }

    @property
    def daemon(self) -> Daemon:
        return cast("Daemon", self.server)

    def setup(self) -> None:
        self.daemon.connections += 1
        super().setup()

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in {"/hang", "/1.0/operations/hang/wait"}:
            self.hang()
        elif path == "/half":
            self.hang_in_body()
        elif path == "/stream":
            self.answer(b"x" * 100_000)
        elif path in {"/socket", "/raw"}:
            self.switch(self.echo_messages if path == "/socket" else self.echo_bytes)
        elif path in self.ANSWERS:
            self.answer(envelope(self.ANSWERS[path]))
        else:
            self.answer(json.dumps({"type": "error", "error": "not found", "error_code": 404}).encode(), 404)

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b"".join(self.chunks())
        else:
            body = self.rfile.read(int(self.headers["content-length"]))
        self.daemon.bodies.append(body)
        self.answer(envelope({"id": "1234", "status": "Running", "status_code": 103}, "async"), 202)

    def do_DELETE(self) -> None:
        self.answer(envelope({"id": "1234", "status": "Running", "status_code": 103}, "async"), 202)

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang(self) -> None:
        self.daemon.hanging.set()
        end = select.poll()
        end.register(self.connection, select.POLLRDHUP)  # and nothing else: a body may come, which nobody takes
        end.poll()
        self.daemon.hung_up.set()
        self.close_connection = True

    def hang_in_body(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(b"x" * 50)
        self.hang()

    def switch(self, then: Callable[[], None]) -> None:
        key = self.headers.get("Sec-WebSocket-Key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest())
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            then()
        self.daemon.hung_up.set()
        self.close_connection = True

    def echo_bytes(self) -> None:
        while data := self.connection.recv(65536):
            self.wfile.write(data)

    def echo_messages(self) -> None:
        """Send short text messages back; at "end", close the websocket."""
        while head := self.rfile.read(2):
            length, mask = head[1] & 0x7F, self.rfile.read(4)
            text = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(length)))
            if head[0] & 0x0F == 8:
                self.wfile.write(b"\x88\x02" + struct.pack("!H", 1000))
                return
            self.wfile.write(bytes([0x81, length]) + text if text != b"end" else b"\x88\x02" + struct.pack("!H", 1000))


def envelope(metadata: object, kind: str = "sync") -> bytes:
    return json.dumps({"type": kind, "status": "Success", "status_code": 200, "metadata": metadata}).encode()
