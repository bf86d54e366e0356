"""The verbs of groups, called with arguments made from their signatures: a new one is covered when it is there."""

from __future__ import annotations

import inspect
import io
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import cached_property, partial
from typing import Any, cast

import trustme

from incus_sdk import Client
from incus_sdk._transport import RawStream
from incus_sdk._transport.websocket import WebSocket

from .calls_cancel import CALLS, STANDING, Call, waiting

Group = Callable[[Client], Any]


def _change(draft: dict[str, Any]) -> None:
    draft["description"] = "changed"


CERTIFICATE = trustme.CA().cert_pem.bytes().decode()

ARGUMENTS: dict[str, Callable[[], object]] = {
    "action": lambda: "start",
    "body": dict[str, object],
    "changes": dict[str, object],
    "certificate": lambda: CERTIFICATE,
    "change": lambda: _change,
    "command": lambda: ["true"],
    "image_data": lambda: b"image",
    "source": lambda: b"source",
}
"""What must be given for parameters of these names; for others it is the name of something."""

CHOSEN: dict[str, dict[str, object]] = {
    "migrate": {"target": {"operation": "https://127.0.0.1/1.0/operations/x", "secrets": {"control": "x"}}},
    "move": {"pool": "default"},
    "port_forward": {"port": 22},
    "export_to": {"target": "https://127.0.0.1"},
    "rebuild": {"source": {"type": "none"}},
    "upload": {"target": {"protocol": "s3", "url": "https://127.0.0.1"}},
    "upload_backup": {"target": {"protocol": "s3", "url": "https://127.0.0.1"}},
    "create_from": {"source": {"type": "url", "url": "https://images.example"}},
}
"""What is given to certain verbs."""


def groups() -> dict[str, Group]:
    """How to get each group from a client, by the name of its class: those of the client, and those nested in them."""
    client = Client("unix:///nowhere")
    names = [name for name, member in vars(Client).items() if isinstance(member, cached_property)]
    found: dict[str, Group] = {}
    for name in names:
        group: object = getattr(client, name)
        found[type(group).__name__] = partial(_of_client, name)
        for nested in (key for key in dir(group) if not key.startswith("_")):
            below = _nested(group, nested)
            if below is not None:
                found[type(below).__name__] = partial(_of_group, name, nested)
    return found


def _nested(group: object, name: str) -> object | None:
    """Return the group that a method returns, if it takes the name of its parent and returns one."""
    method = getattr(group, name)
    if not callable(method) or inspect.iscoroutinefunction(inspect.unwrap(method)):
        return None
    returns = str(inspect.signature(method).return_annotation)
    return method("web") if returns.endswith("API") else None


def _of_client(name: str, client: Client) -> Any:
    return getattr(client, name)


def _of_group(name: str, nested: str, client: Client) -> Any:
    return getattr(getattr(client, name), nested)("web")


async def _first(group: Group, client: Client) -> Any:
    return await group(client).get("web")


async def _perform(verb: str, thing: Any) -> None:
    method = getattr(thing, verb)
    made: object = method(**_arguments(method, CHOSEN.get(verb, {})))
    if isinstance(made, AbstractAsyncContextManager):
        async with cast("AbstractAsyncContextManager[Any]", made) as entered:
            if isinstance(entered, dict):
                _change(cast("dict[str, Any]", entered))
    else:
        got = await cast("Awaitable[object]", made)
        if isinstance(got, RawStream | WebSocket):
            got.abort()


def _arguments(method: Callable[..., object], chosen: dict[str, object]) -> dict[str, object]:
    """Give what must be given, and say that it is to be waited for."""
    given: dict[str, object] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        if name == "wait":
            given[name] = True
        elif name in chosen:
            given[name] = chosen[name]
        elif parameter.default is parameter.empty:
            given[name] = io.BytesIO() if parameter.annotation == "Target" else ARGUMENTS.get(name, lambda: "web")()
    return given


def verbs() -> dict[str, dict[str, Call]]:
    """The calls, by the name of their class and by their own; without those that are made in a way of their own."""
    made: dict[str, dict[str, Call]] = {}
    for group in groups().values():
        for owner, prepare in _classes(group):
            names = [call for call in sorted(waiting(owner)) if call not in CALLS]
            calls = {call: Call(partial(_perform, call.partition(".")[2]), prepare) for call in names}
            made |= {owner.__name__: calls} if calls else {}
    return made


def owners() -> set[type]:
    """The classes whose calls wait: the client and its groups, what these return, and the streams."""
    return {*STANDING, *(owner for group in groups().values() for owner, _ in _classes(group))}


def _classes(group: Group) -> list[tuple[type, Callable[[Client], Awaitable[Any]]]]:
    """The class of a group, and that of its objects if it has any; with how to get one of each."""

    async def itself(client: Client) -> Any:
        return group(client)

    example: type = type(cast("object", group(Client("unix:///nowhere"))))
    model: type | None = getattr(example, "_model", None)
    return [(example, itself), *([] if model is None else [(model, partial(_first, group))])]
