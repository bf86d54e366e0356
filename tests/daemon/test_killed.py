"""The daemon dies, or is restarted, under every kind of call.

No call hangs, none says that something was done or not done that is otherwise, all errors say what is known, and the
same client goes on as soon as the daemon is back. The moments come from a seed; `INCUS_SDK_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from incus_sdk import Client, IncusError, IncusOperationLostError
from incus_sdk.testing import PrivateIncus

from ..conftest import ROOTFS
from ..contract.support import NOTHING, Face, entered
from .beliefs import Belief, flaw
from .deeds import ALL, ROOT_DISK, Stage
from .striking import PATIENCE, Strike, end_and_return, nothing_left, stirred

SEED = int(os.environ.get("INCUS_SDK_SEED") or random.randrange(2**32))

RETRIES = 8
"""So many that what may be repeated outlives the daemon's absence, however long it takes on a busy machine."""

LONGEST = 0.5
"""Seconds that calls are made before the daemon goes, at most."""

AT_ONCE = 200

BOX = "box"

_tags = itertools.count(1)


@pytest.fixture(scope="module", params=["6.0", "7.0"] if ROOTFS else ["6.0"])
def daemon(request: pytest.FixtureRequest) -> Generator[PrivateIncus]:
    """A daemon that may be killed, with one container."""
    from incus_sdk.sync import Client as SyncClient

    with PrivateIncus(rootfs=ROOTFS if request.param == "7.0" else None, https=True, network=False) as daemon:
        with SyncClient(daemon.endpoint) as client:
            client.instances.launch(daemon.IMAGE, BOX, profiles=[], devices=ROOT_DISK)
        yield daemon


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Chooses when to strike, for each test from the same seed."""
    print(f"seed {SEED} (INCUS_SDK_SEED repeats it)")  # noqa: T201 - pytest shows it on failure
    return random.Random(f"{SEED} {request.node.name}")


@asynccontextmanager
async def _connected(daemon: PrivateIncus, face: str, wire: str) -> AsyncGenerator[tuple[Face, Client]]:
    """Yield a face by its name, and a client of it."""
    endpoint, options = daemon.endpoint, dict[str, Any]()
    if wire == "tls":
        endpoint, options = daemon.https, {"cert": daemon.client_cert, "verify": daemon.server_cert}
    with closing(Face(face)) as made:
        async with entered(made.client(endpoint, retries=RETRIES, **options)) as client:
            yield made, client


@pytest.mark.parametrize(
    ("how", "name", "wire", "times"),
    [
        ("killed", "async", "unix", 3),
        ("killed", "async", "tls", 1),
        ("killed", "sync", "unix", 2),
        ("restarted", "async", "tls", 1),
        ("restarted", "sync", "unix", 1),
    ],
)
async def test_under_every_kind_of_call(
    daemon: PrivateIncus, chance: random.Random, how: str, name: str, wire: str, times: int
) -> None:
    tag, numbers = f"t{next(_tags)}", itertools.count(1)
    async with nothing_left(), Client(daemon.endpoint) as admin, _connected(daemon, name, wire) as (face, client):
        stage = Stage(face, client, BOX, tag)
        deeds = [deed(stage) for deed in ALL]
        await admin.api.post("/1.0/profiles", {"name": tag})
        for deed in deeds:
            await deed.prepare(admin)
        for _ in range(times):
            strike = Strike(daemon, how)
            stage.back = strike.back
            async with stirred(admin, tag):
                await strike.at(chance.uniform(0, LONGEST), deeds, numbers)
            assert not strike.wrong, "\n".join(strike.wrong)
            assert strike.failed, "nothing was broken off"
            for deed in deeds:
                await deed.check(admin)


@pytest.mark.parametrize(("how", "name", "wire"), [("killed", "async", "unix"), ("restarted", "sync", "tls")])
async def test_under_two_hundred_operations(
    daemon: PrivateIncus, chance: random.Random, how: str, name: str, wire: str
) -> None:
    tag = f"t{next(_tags)}"
    there = {f"{tag}-{number}": Belief(False) for number in range(AT_ONCE)}
    async with nothing_left(), Client(daemon.endpoint) as admin, _connected(daemon, name, wire) as (face, client):

        async def create(name: str) -> IncusError | None:
            try:
                with there[name].change(True):
                    await face.start(lambda: client.instances.create(name, NOTHING, wait=True))
            except IncusError as error:
                return error
            return None

        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(create(name)) for name in there}
            await asyncio.sleep(chance.uniform(0.05, LONGEST))
            await end_and_return(daemon, how)
        errors = {name: error for name, task in tasks.items() if (error := task.result())}
        assert errors or how == "restarted"  # which lets the server finish what it has begun
        assert [repr(error) for name, error in errors.items() if not _is_clear(error, name)] == []
        actual = set(await admin.instances.names())
        for name, belief in there.items():
            belief.check(f"that {name} exists", name in actual)
        there[tag] = Belief(False)
        assert await create(tag) is None


def _is_clear(error: IncusError, name: str) -> bool:
    """Tell whether an error says what is known, and an operation that is lost also what it worked on."""
    return not flaw(error, changes=True) and (name in str(error) or not isinstance(error, IncusOperationLostError))
