"""What a script loads: the start of one must not pay for what it does not use."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import incus_sdk

from .daemon import Daemon, sync

ROOT = Path(incus_sdk.__file__).parent.parent

DEPENDENCIES = "import asyncio, httptools, msgspec\n"
"""asyncio itself loads ssl, inspect, subprocess and logging, so those are there whatever we do."""

LATER = {
    "copy",
    "cryptography",
    "dataclasses",
    "difflib",
    "email",
    "http",
    "json",
    "multiprocessing",
    "pathlib",
    "pkg_resources",
    "pytest",
    "shutil",
    "tempfile",
    "unittest",
    "urllib.parse",
    "uvloop",
    "websockets",
    "xml",
    "yaml",
}
"""For what they are for, these are loaded then; none of it is listing instances over a unix socket."""


OURS_LATER = {
    "_causes",
    "_commands",
    "_disk",
    "_display",
    "_exec_process",
    "_exec_sockets",
    "_exec_streams",
    "_extensions",
    "_forms",
    "_pem",
    "_proxies",
    "_sink",
    "_transport.tls",
    "_transport.websocket",
    "execution",
    "models._generated.server",
    "models._generated.storage_volumes",
    "models.file_status",
    "processes",
    "sync",
    "testing",
}
"""What of this package is for commands, files, other servers and failures, each loaded with the first of its kind."""


async def loaded(script: str) -> set[str]:
    """Names of the modules that are loaded when a script has been run in a fresh interpreter."""
    program = f"{script}\nimport sys\nprint(*sorted(sys.modules))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return set(output.decode().split())


async def test_the_package_alone_loads_its_exceptions() -> None:
    before, after = await loaded("import typing, __future__"), await loaded("import incus_sdk")
    assert after - before == {"incus_sdk", "incus_sdk.exceptions"}


@pytest.mark.parametrize(
    ("answer", "call", "result"),
    [
        ([{"name": "web"}], "[instance.name for instance in await client.instances.list()]", ["web"]),
        ({"name": "web"}, "(await client.instances.get('web')).name", "web"),
    ],
    ids=["listing", "get"],
)
async def test_a_script_that_only_looks(daemon: Daemon, answer: object, call: str, result: object) -> None:
    daemon.will(sync([]), sync(answer))
    script = f"""
import asyncio
from incus_sdk import Client

async def main():
    async with Client({daemon.server.endpoint.url!r}) as client:
        assert {call} == {result!r}

asyncio.run(main())
"""
    more = await loaded(script) - await loaded(DEPENDENCIES)
    assert more & LATER == set()
    assert {name.removeprefix("incus_sdk.") for name in more} & OURS_LATER == set()


def test_what_is_loaded_later_is_there() -> None:
    for name in OURS_LATER:
        assert find_spec(f"incus_sdk.{name}"), name


@pytest.mark.parametrize("name", [name for name in incus_sdk.__all__ if name != "__version__"])
async def test_public_names_are_where_they_are_said_to_be(name: str) -> None:
    value = getattr(incus_sdk, name)
    assert value.__name__ == name
    assert name in dir(incus_sdk)


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="module 'incus_sdk' has no attribute 'Clent'"):
        _ = incus_sdk.Clent  # type: ignore[attr-defined]  # the point # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType]
