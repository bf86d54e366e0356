"""A script from its start to its first decoded GET, in a new interpreter each time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from .harness import Case, Contestant, Result, measure
from .setting import NAME, Setting

__all__ = ["run"]

RAW = """
import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    connection.sendall(bytes.fromhex(sys.argv[2]))
    answer = b""
    while not answer.endswith((b"0\\r\\n\\r\\n", b"}\\n")):
        answer += connection.recv(65536)
"""

ASYNCIO = "import asyncio" + RAW

ASYNC = f"""
import asyncio, sys
from incus_sdk import Client
async def main():
    async with Client("unix://" + sys.argv[1]) as client:
        assert (await client.instances.get("{NAME}")).name == "{NAME}"
asyncio.run(main())
"""

SYNC = f"""
import sys
from incus_sdk.sync import Client
with Client("unix://" + sys.argv[1]) as client:
    assert client.instances.get("{NAME}").name == "{NAME}"
"""

SCRIPTS = {
    "bare interpreter, socket": RAW,
    "the same, import asyncio": ASYNCIO,
    "incus_sdk": ASYNC,
    "incus_sdk.sync": SYNC,
}


def run(setting: Setting, *, quick: bool) -> Iterator[Result]:
    """Measure against the replay server."""
    arguments = [setting.replay, setting.request.hex()]
    contestants = [Contestant(name, partial(_script, script, arguments)) for name, script in SCRIPTS.items()]
    yield from measure(Case("script to its first GET, replayed", "ms", 1, 20, contestants), quick=quick)


def _script(script: str, arguments: list[str]) -> None:
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, timeout=30)
