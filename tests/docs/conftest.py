"""A daemon for what the documentation shows."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from incus_sdk import Client
from incus_sdk.testing import PrivateIncus

from ..conftest import ENDPOINT
from .blocks import ROOT


@pytest.fixture(scope="session")
def daemon() -> Generator[PrivateIncus]:
    """A private daemon, with HTTPS."""
    if ENDPOINT is not None:
        pytest.skip("the pages count on an empty daemon with HTTPS, which INCUS_SDK_TEST_ENDPOINT need not be")
    if os.geteuid() != 0:
        pytest.skip("a private daemon needs root: namespaces, mounts and network devices")
    with PrivateIncus(https=True) as daemon:
        yield daemon


@pytest.fixture
def folder(daemon: PrivateIncus, tmp_path: Path) -> Path:
    """A working directory with the certificates that the pages name."""
    crt, key = daemon.client_cert
    for source, name in ((crt, "client.crt"), (key, "client.key"), (daemon.server_cert, "server.crt")):
        shutil.copy(source, tmp_path / name)
    return tmp_path


@pytest.fixture
def environ(daemon: PrivateIncus) -> dict[str, str]:
    """Environment in which the daemon is the one that `Client()` finds."""
    return {**os.environ, "INCUS_ENDPOINT": daemon.endpoint, "PYTHONPATH": str(ROOT)}


@pytest.fixture
async def client(daemon: PrivateIncus) -> AsyncGenerator[Client]:
    """A client of the daemon; what is left on it goes in the end."""
    async with Client(daemon.endpoint) as client:
        yield client
        for instance in await client.instances.list():
            if instance.status != "Stopped":
                await instance.stop(force=True, wait=True)
            if await client.instances.exists(instance.name):
                await instance.delete(wait=True)
