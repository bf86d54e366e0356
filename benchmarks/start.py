"""A script from its start to its first decoded GET, in a new interpreter each time."""

from __future__ import annotations

from contextlib import ExitStack

from .harness import Case, Contestant, Group
from .players import AIOHTTP, ASYNC, PYLXD, QUERY, SYNC, program, script
from .setting import NAME, Setting

__all__ = ["ASYNCIO", "BARE", "run"]

BARE = "bare interpreter, socket"
ASYNCIO = "the same, import asyncio"

BARE_SCRIPT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    connection.sendall(bytes.fromhex(sys.argv[2]))
    answer = b""
    while not answer.endswith((b"0\\r\\n\\r\\n", b"}\\n")):
        answer += connection.recv(65536)
"""

ASYNC_SCRIPT = f"""
import asyncio, sys
from incus_sdk import Client

async def main():
    async with Client("unix://" + sys.argv[1]) as client:
        assert (await client.instances.get("{NAME}")).name == "{NAME}"

asyncio.run(main())
"""

SYNC_SCRIPT = f"""
import sys
from incus_sdk.sync import Client

with Client("unix://" + sys.argv[1]) as client:
    assert client.instances.get("{NAME}").name == "{NAME}"
"""

AIOHTTP_SCRIPT = f"""
import asyncio, sys
import aiohttp, msgspec

class Instance(msgspec.Struct):
    name: str
    description: str
    status: str
    status_code: int
    created_at: str
    last_used_at: str
    location: str
    type: str
    project: str
    architecture: str
    ephemeral: bool
    stateful: bool
    profiles: list[str]
    config: dict[str, str]
    devices: dict[str, dict[str, str]]
    expanded_config: dict[str, str]
    expanded_devices: dict[str, dict[str, str]]

class Answer(msgspec.Struct):
    type: str
    metadata: Instance
    error: str = ""

async def main():
    connector = aiohttp.UnixConnector(path=sys.argv[1])
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get("http://incus/1.0/instances/{NAME}") as response:
            response.raise_for_status()
            answer = msgspec.json.decode(await response.read(), type=Answer)
            assert answer.metadata.name == "{NAME}"

asyncio.run(main())
"""

PYLXD_SCRIPT = f"""
import sys
import pylxd

assert pylxd.Client(endpoint=sys.argv[1]).instances.get("{NAME}").name == "{NAME}"
"""

SCRIPTS = {
    BARE: (BARE_SCRIPT, ""),
    ASYNCIO: ("import asyncio" + BARE_SCRIPT, ""),
    ASYNC: (ASYNC_SCRIPT, ""),
    SYNC: (SYNC_SCRIPT, ""),
    AIOHTTP: (AIOHTTP_SCRIPT, "aiohttp"),
    PYLXD: (PYLXD_SCRIPT, "pylxd"),
}
"""Each script, and what it needs beside the library."""


def run(setting: Setting, group: Group) -> None:
    """Measure against the replay server."""
    arguments = [setting.replay, setting.request.hex()]
    contestants: list[Contestant] = []
    with ExitStack() as stack:
        for name, (source, needs) in SCRIPTS.items():
            contestants += stack.enter_context(script(group, setting, name, source, needs, arguments))
        environ = {"INCUS_SOCKET": setting.replay, "INCUS_CONF": str(setting.folder)}
        command = ["incus", "query", f"/1.0/instances/{NAME}"]
        contestants += stack.enter_context(program(group, setting, QUERY, command, "", environ))
        case = Case("start", "script from its start to its first decoded GET, replayed", "ms", 1, 30)
        group.measure(case, contestants)
