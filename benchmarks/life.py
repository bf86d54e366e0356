"""A short life on the real daemon: create, start, echo, stop, delete."""

from __future__ import annotations

from .harness import Case, Group
from .players import ASYNC, COMMAND, PYLXD, SYNC, contestants, players, script
from .setting import NAME, Setting

__all__ = ["run"]

NAMES = (COMMAND, ASYNC, SYNC, PYLXD)
SCRIPT = "incus_sdk, a new script"
SOURCE = """
import asyncio, sys
from incus_sdk import Client

async def main():
    _, socket, name, image = sys.argv
    async with Client("unix://" + socket) as client:
        await client.instances.create(name, {"type": "image", "alias": image}, wait=True)
        await client.instances.start(name, wait=True)
        result = await client.instances.execute(name, ["echo", "hello"], record_output=True, wait=True)
        assert result.stdout == "hello\\n"
        await client.instances.stop(name, force=True, wait=True)
        await client.instances.delete(name, wait=True)

asyncio.run(main())
"""


def run(setting: Setting, group: Group) -> None:
    """Measure on the daemon, if there is one; all stop by force, on the same storage pool."""
    daemon = setting.daemon
    if daemon is None:
        return
    arguments = {"socket": daemon.socket, "name": f"{NAME}-life", "image": daemon.image}
    given = {name: {**arguments, **daemon.environ} if name == COMMAND else arguments for name in NAMES}
    with (
        players(group, given) as workers,
        script(group, setting, SCRIPT, SOURCE, "", list(arguments.values())) as scripts,
    ):
        case = Case("life", f"create, start, echo, stop, delete, Incus {daemon.version}", "ms", 1, 12)
        group.measure(case, contestants(workers, "life") + scripts)
