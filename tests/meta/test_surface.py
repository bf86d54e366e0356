"""The public surface: the same on both faces, documented, and without the traps that a reader falls into."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, is_typeddict

import msgspec
import pytest

import incus_sdk
import incus_sdk.sync
from incus_sdk.api._collection import Collection
from incus_sdk.sync.api._collection import Collection as SyncCollection

from .source import PACKAGE

FACES: list[ModuleType] = [incus_sdk, incus_sdk.sync]


def public_modules() -> list[ModuleType]:
    """All modules that have no underscore in their way."""
    found = pkgutil.walk_packages(incus_sdk.__path__, "incus_sdk.")
    names = [module.name for module in found if "._" not in module.name]
    return [incus_sdk, *(importlib.import_module(name) for name in names)]


def public_things() -> Iterator[tuple[str, Any]]:
    """Public classes and functions, and the public methods and properties of those classes, each once."""
    seen: set[int] = set()
    for module in public_modules():
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            ours = getattr(thing, "__module__", "").startswith("incus_sdk")
            if not ours or not (inspect.isclass(thing) or inspect.isfunction(thing)) or id(thing) in seen:
                continue
            if is_typeddict(thing) and thing.__doc__ is None:
                continue  # made by a call, for the hyphens in its keys: its documentation is in the source alone
            seen.add(id(thing))
            yield f"{thing.__module__}.{name}", thing
            if inspect.isclass(thing):
                yield from members(thing, seen)


def members(kind: type, seen: set[int]) -> Iterator[tuple[str, Any]]:
    for attribute in inspect.classify_class_attrs(kind):
        if attribute.name.startswith("_") or not attribute.defining_class.__module__.startswith("incus_sdk"):
            continue
        raw = attribute.object
        raw = getattr(raw, "__func__", raw)  # of class and static methods
        documented = inspect.isfunction(raw) or isinstance(raw, property) or type(raw).__name__ == "cached_property"
        if documented and id(raw) not in seen:
            seen.add(id(raw))
            yield f"{attribute.defining_class.__module__}.{attribute.defining_class.__name__}.{attribute.name}", raw


THINGS = dict(public_things())


def test_there_is_a_surface() -> None:
    for name in (
        "api_client.APIClient.request",
        "api._instance_power.PowerVerbs.stop",
        "operations.ExecResponse.stdout",
    ):
        assert f"incus_sdk.{name}" in THINGS
        assert f"incus_sdk.sync.{name}".replace("sync.api_client", "sync._bridge") in THINGS
    assert "incus_sdk.client.Client.instances" in THINGS


@pytest.mark.parametrize("name", THINGS)
def test_documentation(name: str) -> None:
    text = inspect.getdoc(THINGS[name]) if not inspect.isclass(THINGS[name]) else THINGS[name].__doc__
    assert text, "there is none"
    first = inspect.cleandoc(text).splitlines()[0]
    assert first.endswith((".", ":"))
    assert len(first) <= 120


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_lists_of_names(module: ModuleType) -> None:
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    assert all(hasattr(module, name) for name in names)
    assert set(names) <= set(dir(module))


@pytest.mark.parametrize("path", ["__init__.py", "sync/__init__.py"])
def test_what_is_imported_is_exported(path: str) -> None:
    module = FACES[path.startswith("sync")]
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    imported = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level for alias in node.names
    }
    assert imported == set(module.__all__) - {"__version__"}


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_names_are_sorted(face: ModuleType) -> None:
    assert face.__all__ == sorted(face.__all__)


def test_both_faces_have_the_same_names() -> None:
    assert set(incus_sdk.__all__) - {"__version__"} == set(incus_sdk.sync.__all__)
    for name in incus_sdk.sync.__all__:
        one, other = getattr(incus_sdk, name), getattr(incus_sdk.sync, name)
        plain = not inspect.isclass(one) or one.__module__ == "incus_sdk.processes"
        shared = plain or issubclass(one, BaseException)
        assert (one is other) == shared, name


@pytest.mark.parametrize(
    "name", ["APIClient", "Client", "ExecResponse", "Instance", "InstancesAPI", "OperationResponse"]
)
def test_both_faces_have_the_same_methods(name: str) -> None:
    def surface(module: ModuleType) -> dict[str, list[tuple[str, object, object]]]:
        found: dict[str, list[tuple[str, object, object]]] = {}
        for key, value in inspect.getmembers(getattr(module, name)):
            if key.startswith("_"):
                continue
            routine = inspect.isfunction(value)
            parameters: Mapping[str, inspect.Parameter] = inspect.signature(value).parameters if routine else {}
            found[key] = [(name, parameter.kind, parameter.default) for name, parameter in parameters.items()]
        return found

    one, other = surface(incus_sdk), surface(incus_sdk.sync)
    if name == "APIClient":
        other.pop("target")  # an attribute of objects on the other face
    assert one == other


# -- groups and their objects -----------------------------------------------------------------------------------------


def pairs() -> list[tuple[type[Any], type[Any]]]:
    """Each group with the class of its objects, on both faces."""
    found: set[tuple[type[Any], type[Any]]] = set()
    roots: dict[str, type] = {"incus_sdk.api": Collection, "incus_sdk.sync.api": SyncCollection}
    for package, root in roots.items():
        for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
            module = importlib.import_module(f"{package}.{info.name}")
            groups = [value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, root)]
            found |= {(group, vars(group)["_model"]) for group in groups if "_model" in vars(group)}
    return sorted(found, key=lambda pair: (pair[0].__module__, pair[0].__name__))


def verbs(kind: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(value)
        for name, value in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and value.__module__.startswith("incus_sdk.")
    }


PAIRS = pairs()
each_pair = pytest.mark.parametrize(("group", "model"), PAIRS, ids=[f"{g.__module__}.{g.__name__}" for g, _ in PAIRS])
each_class = pytest.mark.parametrize(
    "kind", [kind for pair in PAIRS for kind in pair], ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)


def test_there_are_groups() -> None:
    assert (incus_sdk.InstancesAPI, incus_sdk.Instance) in PAIRS
    assert (incus_sdk.sync.InstancesAPI, incus_sdk.sync.Instance) in PAIRS


@each_pair
def test_objects_are_exported(group: type, model: type) -> None:
    """For annotations; but a warning's name would hide Python's own from `import *`."""
    face = incus_sdk.sync if model.__module__.startswith("incus_sdk.sync.") else incus_sdk
    assert (model.__name__ in face.__all__) is (model.__name__ != "Warning")
    assert model.__name__ == "Warning" or getattr(face, model.__name__) is model


@each_pair
def test_a_bound_method_has_its_group_s_signature_without_the_name(group: type, model: type) -> None:
    in_group, bound = verbs(group), verbs(model)
    common = in_group.keys() & bound.keys()
    assert "delete" in common
    for name in common:
        own, *parameters = in_group[name].parameters.values()
        key, *parameters = parameters
        assert key.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        expected = in_group[name].replace(parameters=[own, *parameters])
        assert bound[name] == expected, name


@each_pair
def test_no_method_has_the_name_of_a_field(group: type, model: type) -> None:
    fields = {field.name for field in msgspec.structs.fields(model)}
    assert fields
    for base in model.__mro__:
        if base is model or not issubclass(base, msgspec.Struct):
            hidden = {name for name, value in vars(base).items() if callable(value) or isinstance(value, property)}
            assert not hidden & fields, base


@each_class
def test_wait_is_the_last_positional_and_false(kind: type) -> None:
    waiting = {name: signature for name, signature in verbs(kind).items() if "wait" in signature.parameters}
    for name, signature in waiting.items():
        positional = [p for p in signature.parameters.values() if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        assert positional[-1].name == "wait", name
        assert positional[-1].default is False, name
        assert positional[-1].annotation == "bool", name


@each_class
def test_nothing_takes_a_variable_number_of_positionals(kind: type) -> None:
    for name, signature in verbs(kind).items():
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        assert inspect.Parameter.VAR_POSITIONAL not in kinds, name
