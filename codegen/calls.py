"""Which REST calls each method makes: found out by calling them all, against a server that notes what it gets.

The test of completeness compares the result with the facts, and the reference prints it. Names decide nothing: what
counts is what was sent.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from incus_sdk import APIClient, Client, IncusError
from incus_sdk._extension_data import NEWER

__all__ = ["Call", "Method", "record"]

UUID = "00000000-0000-4000-8000-000000000000"
ENOUGH = 20
"""Seconds that one method may take."""

ARGUMENTS: dict[str, Any] = {
    "attempts": 1,
    "body": {},
    "command": ["true"],
    "config": {"user.x": "1"},
    "content": b"x",
    "image": "x",
    "names": ["x"],
    "operation": {"metadata": {"id": UUID, "metadata": {"fds": {"0": "x", "control": "x"}}}},
    "operation_id": UUID,
    "source": {"type": "none"},
    "timeout": 5,
    "wait": False,
}
"""What a parameter of that name gets; a text otherwise."""

PEM = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
"""Something that may be a certificate."""

SPECIAL: dict[tuple[str, str], list[Mapping[str, Any]]] = {
    ("CertificatesAPI", "create"): [{"certificate": PEM}],
    ("ImagesAPI", "create"): [{"image_data": b"x"}],
    ("InstanceBackupsAPI", "upload"): [{"target": {"protocol": "s3"}}],
    ("InstancesAPI", "change_all"): [{"action": "stop"}],
    ("InstancesAPI", "import_backup"): [{"source": b"x"}],
    ("InstancesAPI", "move"): [{"target": "x"}],
    ("InstancesAPI", "port_forward"): [{"port": 80}],
    ("StorageBucketsAPI", "import_backup"): [{"source": b"x"}],
    ("StorageVolumeBackupsAPI", "upload"): [{"target": {"protocol": "s3"}}],
    ("StorageVolumesAPI", "create"): [{}, {"source": {"type": "copy"}}],
    ("StorageVolumesAPI", "import_backup"): [{"source": b"x"}],
    ("StorageVolumesAPI", "import_iso"): [{"source": b"x"}],
    ("StorageVolumesAPI", "list"): [{}, {"all_types": True}],
}
"""What methods are called with where the usual arguments do not reach all that they can send, by class and name."""

CHANGES: dict[str, dict[str, Any]] = {
    "ImagesAPI": {"public": True},
    "InstanceMetadataAPI": {"architecture": "x86_64"},
    "InstanceSnapshotsAPI": {"expires_at": "2100-01-01T00:00:00Z"},
    "ServerAPI": {"config": {"user.x": "1"}},
    "WarningsAPI": {"status": "acknowledged"},
}
"""What is changed in the definitions of a group, by its class, where there is no description."""


@dataclass(frozen=True, order=True)
class Call:
    """A method and a path of the API, with placeholders in place of names."""

    method: str
    path: str


@dataclass
class Method:
    """A method of a group, and what it sends.

    Attributes:
        kind: The group's class.
        reached: How the group is reached from a client, as in `client.networks.forwards(…)`.
        name: The method.
        calls: What it sends, in this order, each once.
        outcome: What became of calling it, if it raised; for those who look why a call is missing.
    """

    kind: type
    reached: str
    name: str
    calls: list[Call] = field(default_factory=list[Call])
    outcome: str = ""

    @property
    def group(self) -> str:
        """Name of the group's class."""
        return self.kind.__name__


def record(operations: list[dict[str, Any]]) -> list[Method]:
    """Call every public method of every group, and return what was sent.

    Args:
        operations: The facts about each call.
    """
    return asyncio.run(_record(operations))


async def _record(operations: list[dict[str, Any]]) -> list[Method]:
    methods: list[Method] = []
    with tempfile.TemporaryDirectory() as folder:
        async with _noting(operations, Path(folder)) as server, Client(server.endpoint, retries=0) as client:
            for group, reached in _groups(client):
                for name in sorted(_verbs(type(group))):
                    method = Method(type(group), reached, name)
                    for given in SPECIAL.get((method.group, name), [{}]):
                        await _try(server, group, method, given, Path(folder))
                    methods.append(method)
    return methods


async def _try(server: _Server, group: object, method: Method, given: Mapping[str, Any], folder: Path) -> None:
    server.calls.clear()
    function = cast("Callable[..., Any]", getattr(group, method.name))
    try:
        async with asyncio.timeout(ENOUGH):
            await _finish(function(**_arguments(method, given, folder)), _changes(method))
    except (IncusError, OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        method.outcome = f"{type(error).__name__}: {error}"
    method.calls += [call for call in dict.fromkeys(server.calls) if call not in method.calls]


def _changes(method: Method) -> dict[str, Any]:
    return CHANGES.get(method.group, {"description": "changed"})


async def _finish(result: Any, changes: dict[str, Any]) -> None:
    """Await, enter or use up what a method has returned."""
    if isinstance(result, AbstractAsyncContextManager):
        async with cast("AbstractAsyncContextManager[Any]", result) as value:
            if isinstance(value, dict):  # a draft: without a change nothing would be written
                cast("dict[str, Any]", value).update(changes)
    elif isinstance(result, AsyncGenerator):
        async for _ in cast("AsyncGenerator[Any]", result):
            pass
    elif inspect.isawaitable(result):
        value = await result
        if hasattr(value, "abort"):
            value.abort()


def _groups(client: Client) -> Iterator[tuple[object, str]]:
    """Yield the client, its groups, and the groups below them, with how they are reached."""
    yield client, "client"
    waiting: list[tuple[object, str]] = [(getattr(client, name), f"client.{name}") for name in _attributes(client)]
    while waiting:
        group, reached = waiting.pop(0)
        yield group, reached
        for name, member in inspect.getmembers(group.__class__, inspect.isfunction):
            if _leads_on(name, member):
                parents = {key: "x" for key, value in _parameters(member).items() if value.default is value.empty}
                waiting.append((member(group, **parents), f"{reached}.{name}({', '.join(parents)})"))
        waiting += [(getattr(group, name), f"{reached}.{name}") for name in _attributes(group)]


def _attributes(thing: object) -> list[str]:
    """Names of the properties that are groups."""
    names = [name for name in dir(type(thing)) if not name.startswith("_") and name != "api"]
    properties = [name for name in names if not callable(getattr(type(thing), name))]
    return [name for name in properties if _is_group(getattr(thing, name))]


def _is_group(thing: object) -> bool:
    return isinstance(getattr(thing, "_api", None), APIClient)


def _leads_on(name: str, member: Callable[..., Any]) -> bool:
    """Whether a method is the way to a group below: it takes names, awaits nothing, and returns a group's class."""
    returned = str(inspect.signature(member).return_annotation)
    return not name.startswith("_") and not inspect.iscoroutinefunction(member) and returned.endswith("API")


def _verbs(kind: type) -> Iterator[str]:
    for name, member in inspect.getmembers(kind, callable):
        if name.startswith("_") or (kind is Client and name in {"connect", "disconnect", "use_project", "use_target"}):
            continue
        if not _leads_on(name, cast("Callable[..., Any]", member)):
            yield name


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in parameters.items() if name != "self"}


def _arguments(method: Method, given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    changes = _changes(method)

    def change(draft: dict[str, Any]) -> None:
        draft.update(changes)

    usual: dict[str, Any] = {**ARGUMENTS, "changes": changes, "change": change, "target": str(folder / "target")}
    result: dict[str, Any] = dict(given)
    for name, parameter in _parameters(getattr(method.kind, method.name)).items():
        keywords = parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
        if name in result or keywords or parameter.default is not parameter.empty:
            continue
        result[name] = usual.get(name, "x")
    return result


# -- the server -------------------------------------------------------------------------------------------------------


class _Server:
    """Notes calls, and answers them as the facts say, with as little as is allowed."""

    def __init__(self, operations: list[dict[str, Any]], endpoint: str) -> None:
        self.endpoint = endpoint
        self.calls: list[Call] = []
        self._facts = {Call(item["method"], item["path"]): item for item in operations}
        paths = sorted({item["path"] for item in operations}, key=lambda path: path.count("{"))
        self._paths = {re.compile(re.sub(r"\{\w+\}", "[^/]+", path)): path for path in paths}

    def _shape(self, path: str) -> str:
        """Return the path of the API, where `/1.0/images/aliases` is no image."""
        return next((shape for pattern, shape in self._paths.items() if pattern.fullmatch(path)), path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                start, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                await _skip_body(reader, headers)
                method, target, _ = start.split(" ")
                writer.write(self._answer(method, target.partition("?")[0]))
        writer.close()

    def _answer(self, method: str, path: str) -> bytes:
        call = Call(method, self._shape(path))
        self.calls.append(call)
        facts = self._facts.get(call, {})
        if facts.get("kind") == "async-operation":
            return _reply({"type": "async", "operation": f"/1.0/operations/{UUID}", "metadata": _OPERATION}, 202)
        return _reply({"type": "sync", "metadata": self._metadata(call, str(facts.get("response") or ""))}, 200)

    @staticmethod
    def _metadata(call: Call, kind: str) -> object:
        if call.path == "/1.0":
            return {"api_extensions": sorted(NEWER), "environment": {"server_version": "7.0"}, "config": {}}
        if call.path.startswith("/1.0/operations/"):
            return _OPERATION
        if call.path == "/1.0/cluster":
            return {"enabled": True}
        if kind == "Access" or kind.startswith("list["):
            return []
        if kind.startswith("map["):
            return {}
        return {"config": {}} if kind and not kind.startswith("string") else {}


_OPERATION: dict[str, Any] = {
    "id": UUID,
    "class": "task",
    "status": "Success",
    "status_code": 200,
    "resources": {"instances": ["/1.0/instances/x"]},
    "metadata": {},
    "err": "",
}


async def _skip_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> None:
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(headers.get("content-length", 0)))


def _reply(body: dict[str, Any], status: int) -> bytes:
    data = json.dumps({"status_code": status, **body}).encode()
    return f'HTTP/1.1 {status} Reason\r\nETag: "x"\r\nContent-Length: {len(data)}\r\n\r\n'.encode() + data


@asynccontextmanager
async def _noting(operations: list[dict[str, Any]], folder: Path) -> AsyncGenerator[_Server]:
    path = str(folder / "socket")
    noting = _Server(operations, f"unix://{path}")
    server = await asyncio.start_unix_server(noting.serve, path)
    async with server:
        yield noting
