"""The daemons and clients of the contract tests: each test runs on every daemon, with both faces of the library."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
from collections.abc import AsyncGenerator, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from incus_sdk import Client, IncusError, IncusNotFoundError, Instance, StorageVolume
from incus_sdk.testing import PrivateIncus
from incus_sdk.testing._image import build_image

from ..conftest import DAEMONS, ENDPOINT, ROOTFS
from .support import Face, Server, entered

T = TypeVar("T")

PREFIX = f"ct{os.getpid()}"
"""All that the tests make is named so: a daemon that is not ours must be left as it was."""

PAGE_ALIAS = "ubuntu/22.04"
"""The image that the examples of the documentation are written with."""

_numbers = itertools.count(1)
_doomed: set[str] = set()


@pytest.fixture(scope="session", params=DAEMONS)
def server(request: pytest.FixtureRequest) -> Generator[Server]:
    """A daemon; all tests of one run before the next is started."""
    with contextlib.ExitStack() as stack:
        private = None
        if ENDPOINT is None:
            private = stack.enter_context(PrivateIncus(rootfs=ROOTFS if request.param == "7.0" else None))
        endpoint = ENDPOINT or f"{private and private.endpoint}"
        version, made = _run(_prepare(endpoint))
        try:
            yield Server(endpoint, version, f"{PREFIX}-box", private)
        finally:
            _run(_tidy(endpoint, made))


@pytest.fixture(params=["async", "sync"])
def face(request: pytest.FixtureRequest) -> Generator[Face]:
    """One of the two faces."""
    face = Face(str(request.param))
    yield face
    face.close()


@pytest.fixture
async def client(server: Server, face: Face) -> AsyncGenerator[Client]:
    """A client of the face, typed as the async one."""
    async with entered(face.client(server.endpoint)) as client:
        yield client


@pytest.fixture
async def admin(server: Server) -> AsyncGenerator[Client]:
    """An async client for what surrounds a test, whichever face is tested."""
    async with Client(server.endpoint) as client:
        yield client


@pytest.fixture
async def name(admin: Client) -> AsyncGenerator[str]:
    """A name for an instance of this test; whatever is called so, or so with a hyphen and more, is removed."""
    name = f"{PREFIX}-{next(_numbers)}"
    yield name
    _doomed.add(name)
    await _sweep(admin)


@pytest.fixture
async def empty(admin: Client, name: str) -> Instance:
    """An instance with nothing in it, stopped, of the async face; its name is `name`."""
    return await admin.instances.create(name, {"type": "none"}, wait=True)


@pytest.fixture
async def running(admin: Client, name: str) -> Instance:
    """A running instance for this test alone, of the async face; its name is `name`."""
    return await admin.instances.launch(PrivateIncus.IMAGE, name, profiles=[], devices=ROOT_DISK)


@pytest.fixture
async def project(admin: Client, name: str) -> AsyncGenerator[str]:
    """A project of this test's own; it shares images and profiles with the default one."""
    project = f"{name}-project"
    features = {"features.images": "false", "features.profiles": "false"}
    await admin.api.post("/1.0/projects", {"name": project, "config": features})
    yield project
    await _remove_all(admin.use_project(project))
    await admin.api.delete(f"/1.0/projects/{project}")


@pytest.fixture
async def volume(admin: Client, name: str) -> AsyncGenerator[StorageVolume]:
    """A custom volume of this test's own, of the async face; whatever is called so, or begins so, is removed."""
    volumes = admin.storage_pools.volumes("default")
    yield await volumes.create(name, config={"user.origin": "fixture"}, description="of a test")
    for each in await volumes.list(all_projects=True):
        if each.name.startswith(name):
            await each.delete()


ROOT_DISK = {"root": {"type": "disk", "path": "/", "pool": "default"}}
"""Device of an instance that has no profile."""


async def _prepare(endpoint: str) -> tuple[str, list[str]]:
    """Bring the daemon to the state that tests start from; return its version, and what was made."""
    async with Client(endpoint) as client:
        made = await _provide_images(client)
        await client.instances.launch(PrivateIncus.IMAGE, f"{PREFIX}-box")
        info = await client.get_server_info()
        version = str(info["metadata"]["environment"]["server_version"])
        return ".".join(version.split(".")[:2]), made


async def _provide_images(client: Client) -> list[str]:
    """Give the images that tests name, and return the paths of what was not there before."""
    made: list[str] = []
    if await _fingerprint(client, PrivateIncus.IMAGE) is None:
        made.append(await _upload_image(client))
    fingerprint = await _fingerprint(client, PrivateIncus.IMAGE)
    if await _fingerprint(client, PAGE_ALIAS) is None:
        await client.api.post("/1.0/images/aliases", {"name": PAGE_ALIAS, "target": fingerprint})
        made.insert(0, f"/1.0/images/aliases/{PAGE_ALIAS.replace('/', '%2F')}")
    return made


async def _fingerprint(client: Client, alias: str) -> str | None:
    """Return the fingerprint of an image, if there is one of that alias."""
    try:
        found = await client.api.get(f"/1.0/images/aliases/{alias.replace('/', '%2F')}")
    except IncusNotFoundError:
        return None
    return str(found["metadata"]["target"])


async def _upload_image(client: Client) -> str:
    """Upload the image that private daemons have, and return its path."""
    image = build_image(shutil.which("busybox") or "busybox")
    uploaded = await (await client.api.operation("POST", "/1.0/images", image)).wait()
    fingerprint = str(uploaded["metadata"]["metadata"]["fingerprint"])
    await client.api.post("/1.0/images/aliases", {"name": PrivateIncus.IMAGE, "target": fingerprint})
    return f"/1.0/images/{fingerprint}"


async def _tidy(endpoint: str, made: list[str]) -> None:
    async with Client(endpoint) as client:
        await _remove_all(client)
        for path in made:
            await (await client.api.operation("DELETE", path)).wait()


async def _sweep(client: Client) -> None:
    """Remove what tests have left, but wait for no stop: it takes half a second, so the next sweep deletes it."""
    for instance in await client.instances.list():
        if any(instance.name == name or instance.name.startswith(f"{name}-") for name in _doomed):
            with contextlib.suppress(IncusError):  # it may be gone, or stopping already
                if instance.status == "Stopped":
                    await instance.delete(wait=True)
                else:
                    await instance.stop(force=True)


async def _remove_all(client: Client) -> None:
    """Remove all that the tests made in the client's project."""
    for instance in await client.instances.list():
        if instance.name.startswith(PREFIX):
            with contextlib.suppress(IncusError):  # stopped, or stopping already
                await instance.stop(force=True, wait=True)
            with contextlib.suppress(IncusNotFoundError):  # an ephemeral one
                await instance.delete(wait=True)


def _run(coroutine: Coroutine[object, object, T]) -> T:
    """Run a coroutine for a fixture that outlives the event loops of the tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
