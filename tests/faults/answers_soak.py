"""What the daemon of the soak and of the cancellations answers: always something that says whose answer it is."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, unquote

from incus_sdk._extension_data import CALLS, FIELDS, NEWER, RECURSION

from ..unit.daemon import envelope, error, reply, sync

BLOCK = 64
"""Bytes that a name fills in a body which is streamed."""

KEYS = ("name", "listen_address", "fingerprint", "id", "uuid", "server_name")
"""Fields by which objects are known in their collections."""

LISTS = {"leases", "network-allocations"}
"""Lists that are asked for without saying how deep they are to be."""


def _names(table: object) -> Iterator[str]:
    if isinstance(table, str):
        yield table
    elif isinstance(table, Mapping):
        for value in cast("Mapping[object, object]", table).values():
            yield from _names(value)


EXTENSIONS = sorted({*NEWER, *_names(CALLS), *_names(FIELDS), *_names(RECURSION)})
"""All API extensions that are asked for, so that nothing is refused for the want of one."""

_INSTANCE_IN_BODY = re.compile(rb'"name":"([^"]+)"')


@dataclass(frozen=True)
class Asked:
    """A request, whole.

    Attributes:
        method: HTTP method.
        target: Path and query, as they were sent.
        body: The body, put together if it came in chunks.
    """

    method: str
    target: str
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.target.partition("?")[2]).items()}


def answer(asked: Asked) -> bytes:
    """Answer a request; nothing is kept from one to the next."""
    method, parts = asked.method, unquote(asked.path).strip("/").split("/")[1:]
    collection = parts[0] if parts else ""
    if collection == "instances":
        below = _INSTANCE.get(parts[2] if len(parts) > 2 else "") if len(parts) > 1 else _collection
        return _anything(asked, parts) if below is None else below(asked, parts)
    if collection == "operations" and len(parts) == 1:
        return sync({"success": [finished("task.web") if "recursion=0" not in asked.target else f"{asked.path}/web"]})
    if collection == "operations":
        return sync({}) if method == "DELETE" else sync(finished(parts[1]))
    if collection == "stream":
        return reply(content(parts[1], int(parts[2])))
    return _anything(asked, parts)


def _anything(asked: Asked, _: list[str]) -> bytes:
    """What will do for an object of any kind, or for a list of them."""
    last = unquote(asked.path).rpartition("/")[2]
    if asked.path == "/1.0":
        return sync({"api_status": "stable", "api_extensions": EXTENSIONS})
    if asked.method == "GET" and ("recursion" in asked.query or last in LISTS):
        return sync([{"name": "web"}] if asked.query.get("recursion", "1") != "0" else [f"{asked.path}/web"])
    echo = {"method": asked.method, "target": asked.target, "size": len(asked.body), "sum": digest(asked.body)}
    return sync({**dict.fromkeys(KEYS, last), "description": "", "config": {}, **echo}, {"ETag": "1"})


def digest(body: bytes) -> str:
    return hashlib.sha1(body, usedforsecurity=False).hexdigest()


def content(name: str, size: int) -> bytes:
    """The body of a stream: its name, again and again."""
    return (name.ljust(BLOCK).encode() * (size // BLOCK + 1))[:size]


def instance(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "status": "Running",
        "status_code": 103,
        "type": "container",
        "project": "default",
        "architecture": "x86_64",
        "description": f"this is {name}",
        "config": {"user.name": name, "limits.cpu": "2"},
        "devices": {"eth0": {"type": "nic", "network": "incusbr0", "name": "eth0"}},
        "profiles": ["default"],
    }


def started(name: str, what: str = "task") -> bytes:
    """The answer that an operation runs, whose identifier says on what."""
    run = {"id": f"{what}.{name}", "class": "task", "status": "Running", "status_code": 103, "may_cancel": True}
    run |= {"resources": {"instances": [f"/1.0/instances/{name}"]}, "metadata": None, "err": ""}
    return reply(envelope("async", status_code=100, operation=f"/1.0/operations/{run['id']}", metadata=run), 202)


def finished(operation: str) -> dict[str, Any]:
    """An operation at its end; a failed one if its name says so."""
    what, _, name = operation.partition(".")
    ended: dict[str, Any] = {
        "id": operation,
        "class": "task",
        "status": "Success",
        "status_code": 200,
        "metadata": None,
        "err": "",
    }
    ended |= {"description": f"working on {name}", "resources": {"instances": [f"/1.0/instances/{name}"]}}
    if "--fail-" in name:
        ended |= {"status": "Failure", "status_code": 400, "err": f"no luck with {name}"}
    elif what == "exec":
        logs = f"/1.0/instances/{name}/logs/exec-output/{name}"
        ended["metadata"] = {"return": 0, "output": {"1": f"{logs}.stdout", "2": f"{logs}.stderr"}}
    return ended


def _collection(asked: Asked, _: list[str]) -> bytes:
    if asked.method == "POST":
        found = _INSTANCE_IN_BODY.search(asked.body)
        return started(found[1].decode() if found else "unnamed")
    query = asked.query
    prefix = query.get("filter", "web").rpartition(" ")[2]  # `name eq web-17` lists four that begin with this
    names = [] if prefix == "none" else [f"{prefix}-{number}" for number in range(4)]
    if query.get("recursion") == "0":
        return sync([f"/1.0/instances/{name}" for name in names])
    return sync([instance(name) for name in names])


def _itself(asked: Asked, parts: list[str]) -> bytes:
    name = parts[1]
    if asked.method == "GET":
        return sync(instance(name), {"ETag": f"of-{name}"})
    if asked.method == "PATCH":
        return sync({"name": name, "sum": digest(asked.body)})
    return started(name)


def _state(asked: Asked, parts: list[str]) -> bytes:
    if asked.method == "PUT":
        return started(parts[1])
    return sync({"status": parts[1], "status_code": 103, "pid": 4711, "network": {}, "memory": {"usage": 1}})


def _files(asked: Asked, parts: list[str]) -> bytes:
    if asked.method == "POST":
        return sync({"name": parts[1], "sum": digest(asked.body)})
    return reply(f"{asked.query['path']} of {parts[1]}".encode(), headers={"X-Incus-type": "file"})


def _logs(asked: Asked, parts: list[str]) -> bytes:
    if asked.method == "DELETE":
        return sync({})
    if len(parts) == 3:
        return sync([f"/1.0/instances/{parts[1]}/logs/{file}" for file in ("lxc.conf", "lxc.log")])
    return reply(f"{parts[-1]} of {parts[1]}".encode())


_INSTANCE: dict[str, Callable[[Asked, list[str]], bytes]] = {
    "": _itself,
    "state": _state,
    "files": _files,
    "logs": _logs,
    "exec": lambda _, parts: started(parts[1], "exec"),
}


def refusal(code: int, name: str) -> bytes:
    return error(code, f"{name} is refused with {code}")


def html() -> bytes:
    return reply(b"<html><body>502 Bad Gateway</body></html>", 502, {"Content-Type": "text/html"})


def half(whole: bytes) -> bytes:
    """The same answer with half of its JSON, and a length that fits."""
    body = whole.partition(b"\r\n\r\n")[2]
    return reply(body[: len(body) // 2])


def no_envelope() -> bytes:
    return reply(json.dumps([1, 2, 3]).encode())
