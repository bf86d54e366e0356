"""What a script loads: the start of one must not pay for what it does not use."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

import incus_sdk

from .daemon import Daemon, sync

ROOT = Path(incus_sdk.__file__).parent.parent

DEPENDENCIES = "import asyncio, httptools, msgspec\n"
"""asyncio itself loads ssl, inspect, subprocess and logging, so those are there whatever we do."""

LATER = {
    "cryptography",
    "difflib",
    "email",
    "http",
    "multiprocessing",
    "pkg_resources",
    "pytest",
    "shutil",
    "tempfile",
    "unittest",
    "urllib.request",
    "uvloop",
    "websockets",
    "xml",
    "yaml",
}
"""For what they are for, these are loaded then; none of it is listing instances over a unix socket."""


async def loaded(script: str) -> set[str]:
    """Names of the modules that are loaded when a script has been run in a fresh interpreter."""
    program = f"{script}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return set(json.loads(output))


async def test_the_package_alone_loads_its_exceptions() -> None:
    before, after = await loaded("import typing, __future__"), await loaded("import incus_sdk")
    assert after - before == {"incus_sdk", "incus_sdk.exceptions"}


async def test_a_listing_over_a_unix_socket(daemon: Daemon) -> None:
    daemon.will(sync([]), sync([{"name": "web"}]))
    script = f"""
import asyncio
from incus_sdk import Client

async def main():
    async with Client({daemon.server.endpoint.url!r}) as client:
        assert [instance.name for instance in await client.instances.list()] == ["web"]

asyncio.run(main())
"""
    more = await loaded(script) - await loaded(DEPENDENCIES)
    assert more & LATER == set()
    ours = {name for name in more if name.startswith("incus_sdk.")}
    assert not {name for name in ours if name.startswith(("incus_sdk.sync", "incus_sdk.testing"))}
    assert not ours & {"incus_sdk._transport.tls", "incus_sdk.models._generated.server"}


@pytest.mark.parametrize("name", [name for name in incus_sdk.__all__ if name != "__version__"])
async def test_public_names_are_where_they_are_said_to_be(name: str) -> None:
    value = getattr(incus_sdk, name)
    assert value.__name__ == name
    assert name in dir(incus_sdk)


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="module 'incus_sdk' has no attribute 'Clent'"):
        _ = incus_sdk.Clent  # type: ignore[attr-defined]  # the point # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
