"""Which REST calls each method makes: found out by calling them all, against a server that notes what it gets.

The test of completeness compares the result with the facts, and the reference prints it. Names decide nothing: what
counts is what was sent.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from incus_sdk import APIClient, Client, IncusError
from incus_sdk._extension_data import NEWER
from incus_sdk._extensions import template

__all__ = ["Call", "Method", "record"]

UUID = "00000000-0000-4000-8000-000000000000"
ENOUGH = 20
"""Seconds that one method may take."""


def _change(draft: dict[str, Any]) -> None:
    draft["description"] = "changed"


ARGUMENTS: dict[str, Any] = {
    "attempts": 1,
    "change": _change,
    "changes": {"description": "x"},
    "command": ["true"],
    "config": {"user.x": "1"},
    "content": b"x",
    "image": "x",
    "operation_id": UUID,
    "source": {"type": "none"},
    "timeout": 5,
    "wait": False,
}
"""What a parameter of that name gets; a text otherwise."""

SPECIAL: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
"""What methods are called with where the usual arguments do not reach all that they can send, by class and name."""


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
            await _finish(function(**_arguments(function, given, folder)))
    except (IncusError, OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        method.outcome = f"{type(error).__name__}: {error}"
    method.calls += [call for call in dict.fromkeys(server.calls) if call not in method.calls]


async def _finish(result: Any) -> None:
    """Await, enter or use up what a method has returned."""
    if isinstance(result, AbstractAsyncContextManager):
        async with cast("AbstractAsyncContextManager[Any]", result) as value:
            if isinstance(value, dict):  # a draft: without a change nothing would be written
                cast("dict[str, Any]", value)["description"] = "changed"
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
        if name.startswith("_") or name in {"connect", "disconnect", "use_project", "use_target"}:
            continue
        if not _leads_on(name, cast("Callable[..., Any]", member)):
            yield name


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in parameters.items() if name != "self"}


def _arguments(function: Callable[..., Any], given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = dict(given)
    for name, parameter in _parameters(function).items():
        keywords = parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
        if name in result or keywords or parameter.default is not parameter.empty:
            continue
        usual: Any = str(folder / "target") if name == "target" else "x"
        result[name] = {} if name == "body" else ARGUMENTS.get(name, usual)
    return result


# -- the server -------------------------------------------------------------------------------------------------------


class _Server:
    """Notes calls, and answers them as the facts say, with as little as is allowed."""

    def __init__(self, operations: list[dict[str, Any]], endpoint: str) -> None:
        self.endpoint = endpoint
        self.calls: list[Call] = []
        self._facts = {Call(item["method"], item["path"]): item for item in operations}
        self._paths = {self._shape(item["path"]): item["path"] for item in operations}

    @staticmethod
    def _shape(path: str) -> str:
        return template(path) or path

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
        shape = self._shape(path)
        call = Call(method, self._paths.get(shape, shape))
        self.calls.append(call)
        facts = self._facts.get(call, {})
        if facts.get("kind") == "async-operation":
            return _reply({"type": "async", "operation": f"/1.0/operations/{UUID}", "metadata": _OPERATION}, 202)
        return _reply({"type": "sync", "metadata": self._metadata(call, str(facts.get("response") or ""))}, 200)

    @staticmethod
    def _metadata(call: Call, kind: str) -> object:
        if call.path == "/1.0":
            return {"api_extensions": sorted(NEWER), "environment": {"server_version": "7.0"}}
        if call.path.startswith("/1.0/operations/"):
            return _OPERATION
        if kind.startswith("list["):
            return []
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
