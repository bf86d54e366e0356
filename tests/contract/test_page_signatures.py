"""The signatures of the documentation page: names, order, defaults and types, on both faces."""

from __future__ import annotations

import inspect
import pathlib
import types
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, Union

import pytest

from .support import Face

REQUIRED = inspect.Parameter.empty


class Printed(NamedTuple):
    """A method as the page prints it: each parameter with its type and, if it has one, its default."""

    parameters: dict[str, tuple[type, object]]
    returns: type | str


NAME: dict[str, tuple[type, object]] = {"name": (str, REQUIRED)}
WAIT: dict[str, tuple[type, object]] = {"wait": (bool, False)}

PAGE: dict[str, Printed] = {
    "list": Printed({"recursion": (int, 1)}, "list[Instance]"),
    "get": Printed(NAME, "Instance"),
    "create": Printed(
        {
            **NAME,
            "source": (dict, REQUIRED),
            "config": (dict, None),
            "devices": (dict, None),
            "profiles": (list, None),
            "ephemeral": (bool, False),
            "instance_type": (str, "container"),
            **WAIT,
        },
        "dict | Instance",
    ),
    "update": Printed({**NAME, "config": (dict, REQUIRED), **WAIT}, dict),
    "delete": Printed({**NAME, **WAIT}, dict),
    "start": Printed({**NAME, "stateful": (bool, False), **WAIT}, dict),
    "stop": Printed({**NAME, "force": (bool, False), "stateful": (bool, False), **WAIT}, dict),
    "restart": Printed({**NAME, "force": (bool, False), **WAIT}, dict),
    "freeze": Printed({**NAME, **WAIT}, dict),
    "unfreeze": Printed({**NAME, **WAIT}, dict),
    "execute": Printed(
        {
            **NAME,
            "command": (list, REQUIRED),
            "environment": (dict, None),
            "wait_for_websocket": (bool, False),
            "record_output": (bool, False),
            "interactive": (bool, False),
            "width": (int, None),
            "height": (int, None),
            "user": (int, None),
            "group": (int, None),
            "cwd": (str, None),
            **WAIT,
        },
        dict,
    ),
    "get_state": Printed(NAME, dict),
    "get_logs": Printed(NAME, dict),
    "get_files": Printed({**NAME, "path": (str, REQUIRED)}, bytes),
    "put_files": Printed({**NAME, "path": (str, REQUIRED), "content": (bytes, REQUIRED)}, dict),
    "_state_action": Printed(
        {**NAME, "action": (str, REQUIRED), "force": (bool, False), "stateful": (bool, False), **WAIT}, dict
    ),
}

KEYWORDS = {"stop": {"timeout": 30}, "restart": {"timeout": 30}, "_state_action": {"timeout": 30}}
"""Where the page contradicts itself on the position of a parameter, it can be given by keyword only."""


def _method(face: Face, name: str) -> Callable[..., Any]:
    method: Callable[..., Any] = getattr(face.kind("InstancesAPI"), name)
    return method


def _accepts(hint: Any, kind: type) -> bool:
    """Whether a parameter of this type takes values of the printed one."""
    origin = typing.get_origin(hint) or hint
    if origin in {Union, types.UnionType}:
        return any(_accepts(option, kind) for option in typing.get_args(hint))
    if typing.is_typeddict(origin):
        return kind is dict
    return isinstance(origin, type) and issubclass(kind, origin)


def _text(hint: Any) -> str:
    """The type that a method returns, in the words of the page."""
    options = typing.get_args(hint) if typing.get_origin(hint) in {Union, types.UnionType} else (hint,)
    names: list[str] = []
    for option in options:
        origin = typing.get_origin(option) or option
        if issubclass(origin, dict):
            names.append("dict")
        elif origin is list:
            names.append(f"list[{typing.get_args(option)[0].__name__}]")
        else:
            names.append(origin.__name__)
    return " | ".join(names)


@pytest.mark.parametrize("name", PAGE)
def test_parameters(face: Face, name: str) -> None:
    _, *parameters = inspect.signature(_method(face, name)).parameters.values()
    positional = [p for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert [(p.name, p.default) for p in positional] == [(n, d) for n, (_, d) in PAGE[name].parameters.items()]
    for more in parameters[len(positional) :]:
        assert more.kind in {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
        assert more.kind is inspect.Parameter.VAR_KEYWORD or more.default is not REQUIRED, more
    keywords = {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert keywords.items() >= KEYWORDS.get(name, {}).items()


@pytest.mark.parametrize("name", PAGE)
def test_types(face: Face, name: str) -> None:
    hints = typing.get_type_hints(_method(face, name), localns=vars(pathlib))
    for parameter, (kind, default) in PAGE[name].parameters.items():
        assert _accepts(hints[parameter], kind), f"{parameter}: {hints[parameter]}"
        assert default is not None or _accepts(hints[parameter], type(None)), f"{parameter} can be None"
    printed = PAGE[name].returns
    expected = printed if isinstance(printed, str) else printed.__name__
    assert sorted(_text(hints["return"]).split(" | ")) == sorted(expected.split(" | "))


@pytest.mark.parametrize("name", PAGE)
def test_coroutines(face: Face, name: str) -> None:
    assert inspect.iscoroutinefunction(_method(face, name)) is not face.blocking


def test_constructor(face: Face) -> None:
    api: Any = face.kind("InstancesAPI")
    client = face.client("unix:///nonexistent")
    assert type(client.instances) is api
    assert type(api(client=client.api)) is api
