"""The two faces, compared name by name: kinds, signatures and documentation, of what is written by hand as well."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import incus_sdk
import incus_sdk.sync
from codegen.sync import WORDS

from .test_codegen import TWINS

BY_HAND = {
    "api_client:APIClient": "_bridge:APIClient",
    "consoles:Console": "_consoles:Console",
    "consoles:GraphicalChannel": "_consoles:GraphicalChannel",
    "consoles:GraphicalConsole": "_consoles:GraphicalConsole",
    "execution:InputStream": "_processes:InputStream",
    "execution:OutputStream": "_processes:OutputStream",
    "execution:Process": "_processes:Process",
    "_transport:RawStream": "_streams:RawStream",
    "_transport:StreamResponse": "_streams:StreamResponse",
    "_transport.websocket:WebSocket": "_streams:WebSocket",
}
"""Classes of the sync face that are written by hand, by those that they stand for."""

INSIDE = {"attach", "collect", "counting", "discard", "eof", "feed", "lost", "silent", "taken"}
"""What the layers below call, and no user."""

ATTRIBUTES = {"error", "received", "target"}
"""Set in the constructor on one face, and a property on the other."""

OTHERWISE = {
    "APIClient.disconnect": "ends a thread as well",
    "APIClient.download": "refers to the other",
    "APIClient.request": "takes iterables and files, and says where they are read",
    "*.abort": "refers to reads that are under way",
    "*.close": "each kind of stream says what it drops",
    "*.detach": "shorter",
    "*.drain": "mentions asyncio",
}
"""Whose documentation is not the other's without the words of asynchronous code, and why."""

SPECIAL = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "__repr__": "__repr__",
}
"""Special methods, and what they are called on the sync face."""

REPLACED = {
    **WORDS,
    r"\bAsync(Iterable|Iterator)\b": r"\1",
    r"\bAbstractAsyncContextManager\b": "AbstractContextManager",
    r"\b(_transport|execution|consoles|websocket)\.": "",
    r"\btask(s?)\b": r"thread\1",
}
"""The words of the generator, and those of what is written by hand."""


def sync(text: str) -> str:
    """Say something of the async face in the words of the other."""
    for pattern, replacement in REPLACED.items():
        text = re.sub(pattern, replacement, text)
    return text


def found(name: str) -> type[Any]:
    module, _, kind = name.partition(":")
    result: type[Any] = getattr(import_module(f"incus_sdk.{module}"), kind)
    return result


def pairs() -> Iterator[tuple[str, type[Any], type[Any]]]:
    """Each class of the async face, with its twin."""
    for module in TWINS:
        one, other = import_module(f"incus_sdk.{module}"), import_module(f"incus_sdk.sync.{module}")
        for name, value in vars(one).items():
            if inspect.isclass(value) and value.__module__ == one.__name__:
                yield f"{module}.{name}", value, getattr(other, name)
    for name, twin in BY_HAND.items():
        yield name.replace(":", "."), found(name), found(f"sync.{twin}")


def members(kind: type[Any]) -> dict[str, Any]:
    """What users meet of a class, by the names of the sync face."""
    result: dict[str, Any] = {}
    for each in inspect.classify_class_attrs(kind):
        name = SPECIAL.get(each.name, each.name)
        ours = each.defining_class.__module__.startswith("incus_sdk")
        if ours and (name in SPECIAL.values() or not name.startswith("_")) and name not in INSIDE:
            result[name] = each.object
    return result


def unwrapped(value: Any) -> Any:
    """Return what stands behind a class or static method, a property or a property that is worked out once."""
    for attribute in ("__func__", "fget", "func"):
        value = getattr(value, attribute, None) or value
    return value


def kind_of(value: Any) -> str:
    """Tell what a member is; coroutines and generators are what is left of them on the sync face."""
    if inspect.isfunction(value):
        whole = inspect.unwrap(value)
        return "generator" if inspect.isgeneratorfunction(whole) or inspect.isasyncgenfunction(whole) else "function"
    return type(value).__name__


def signature(function: Callable[..., Any]) -> list[tuple[str, object, object, str]]:
    """Return names, kinds, defaults and annotations of parameters, and the annotation of the result last."""
    found = inspect.signature(function)
    parameters = [(each.name, each.kind, each.default, str(each.annotation)) for each in found.parameters.values()]
    return [*parameters, ("return", None, None, str(found.return_annotation))]


PAIRS = list(pairs())
each_pair = pytest.mark.parametrize(("one", "other"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])


def test_there_are_pairs() -> None:
    assert {"client.Client", "api.instances.InstancesAPI", "operations.ExecResponse"} <= {pair[0] for pair in PAIRS}
    exported = {getattr(incus_sdk.sync, name) for name in incus_sdk.sync.__all__}
    own = {kind for kind in exported if inspect.isclass(kind) and kind.__module__.startswith("incus_sdk.sync")}
    assert own <= {other for _, _, other in PAIRS}


@each_pair
def test_names_and_kinds(one: type[Any], other: type[Any]) -> None:
    theirs, ours = members(one), members(other)
    assert theirs.keys() - ATTRIBUTES == ours.keys() - ATTRIBUTES
    for name in theirs.keys() & ours.keys():
        mine = ours[name]
        if name not in {"__iter__", "__next__"}:
            assert kind_of(mine) == kind_of(theirs[name]), name
        assert not inspect.iscoroutinefunction(mine), name
        assert not inspect.isasyncgenfunction(inspect.unwrap(mine) if callable(mine) else mine), name


@each_pair
def test_signatures(one: type[Any], other: type[Any]) -> None:
    theirs, ours = members(one), members(other)
    if one.__name__ == "APIClient" or not one.__module__.startswith(
        ("incus_sdk._", "incus_sdk.exec", "incus_sdk.cons")
    ):
        theirs, ours = {**theirs, "__init__": one.__init__}, {**ours, "__init__": other.__init__}
    for name in theirs.keys() & ours.keys() - {"__iter__", "__next__"}:
        function = unwrapped(theirs[name])
        if inspect.isfunction(function):
            expected = [(*rest, sync(text)) for *rest, text in signature(function)]
            assert [(*rest, sync(text)) for *rest, text in signature(unwrapped(ours[name]))] == expected, name


@each_pair
def test_documentation(one: type[Any], other: type[Any]) -> None:
    theirs, ours = members(one), members(other)
    assert bool(one.__doc__) == bool(other.__doc__)
    for name in theirs.keys() & ours.keys():
        if {f"{one.__name__}.{name}", f"*.{name}"} & OTHERWISE.keys():
            continue
        text = [" ".join(sync(inspect.getdoc(each) or "").split()) for each in (theirs[name], ours[name])]
        assert text[0] == text[1], name


def test_functions() -> None:
    """Of the modules that are generated, and of the packages themselves."""
    for module in TWINS:
        one, other = import_module(f"incus_sdk.{module}"), import_module(f"incus_sdk.sync.{module}")
        assert functions(one).keys() == functions(other).keys(), module
        for name, function in functions(one).items():
            expected = [(*rest, sync(text)) for *rest, text in signature(function)]
            assert signature(functions(other)[name]) == expected, f"{module}.{name}"


def functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    }
