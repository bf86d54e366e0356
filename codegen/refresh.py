"""Bring the facts up to date with a published description of the API, and tell what that changes.

Definitions and their fields are taken over: names, types, API extensions, and in which versions they are. Calls that
are known keep what was found out about them by hand (how they are answered, ETags, bodies that are no JSON), for
descriptions are often wrong there; new ones are added as described, for a person to look at.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from .spec import Type
from .swagger import Call, Description

__all__ = ["refresh"]

Facts = dict[str, Any]


def refresh(facts: Facts, version: str, description: Description, ignored: set[str]) -> list[str]:
    """Change the facts in place.

    Args:
        facts: What is known.
        version: The version that is described, such as `7.0`; a new one goes before the development head, and is
            compared with the release before it.
        description: What is said about it.
        ignored: Calls that descriptions have wrong, such as `GET /1.0/x`; what is known of them stays.

    Returns:
        What was changed, one text each, and what a person has to decide.
    """
    versions = _add_version(facts, version)
    changes = [*_calls(facts, version, versions, description, ignored)]
    for name in sorted(description.definitions.keys() | facts["definitions"].keys()):
        changes += _definition(facts["definitions"], name, version, versions, description)
    facts["definitions"] = {name: fact for name, fact in sorted(facts["definitions"].items()) if fact["in"]}
    return changes


def _add_version(facts: Facts, version: str) -> list[str]:
    """Return all versions, oldest first; a new one is the newest release, and begins as the one before."""
    names: dict[str, str] = facts["source"]
    if version not in names:
        *releases, head = names.items()
        facts["source"] = dict([*releases, (version, f"Incus {version}"), head])
        _resemble(facts, version, releases[-1][0])
    return list(facts["source"])


def _resemble(facts: Facts, version: str, model: str) -> None:
    """Note that a version has all that another one has."""
    for fact in _versioned(facts):
        if model in fact["in"]:
            fact["in"].insert(fact["in"].index(model) + 1, version)
    for call in facts["operations"]:
        for level in call.get("recursion", ()):
            there: dict[str, bool] = level["in_spec"] | {version: level["in_spec"][model]}
            level["in_spec"] = {known: there[known] for known in facts["source"]}


def _versioned(facts: Facts) -> Iterator[Facts]:
    """Yield all that has a list of versions."""
    yield from facts["operations"]
    for definition in facts["definitions"].values():
        yield definition
        yield from (field for field in definition.get("fields", {}).values() if "in" in field)


def _mark(fact: Facts, version: str, versions: list[str], there: bool) -> bool:
    """Note whether a version has it; return whether that is news."""
    if there == (version in fact["in"]):
        return False
    fact["in"] = [known for known in versions if (there if known == version else known in fact["in"])]
    return True


# -- calls ------------------------------------------------------------------------------------------------------------


def _shape(method: str, path: str) -> tuple[str, str]:
    """Return a call without the names of the placeholders, on which descriptions do not agree."""
    return method, re.sub(r"\{\w+\}", "{}", path)


def _calls(
    facts: Facts, version: str, versions: list[str], description: Description, ignored: set[str]
) -> Iterator[str]:
    known = {_shape(fact["method"], fact["path"]): fact for fact in facts["operations"]}
    wrong = {_shape(*text.split()) for text in ignored if text}
    described = {_shape(*key): (key, call) for key, call in description.calls.items() if _shape(*key) not in wrong}
    kept = {shape for shape in known if shape[1] in {path for _, path in wrong}}
    for shape, ((method, path), call) in sorted(described.items()):
        if shape in known:
            yield from _known_call(known[shape], version, versions, call)
        else:
            facts["operations"].append(_new_call(facts, method, path, version, call))
            yield f"+ {method} {path}: new; look at group, api_extension, etag, kind and notes"
    for shape in sorted(known.keys() - described.keys() - kept):
        if _mark(known[shape], version, versions, False):
            yield f"- {known[shape]['method']} {known[shape]['path']}: not in {version}"
    calls: list[Facts] = facts["operations"]
    calls.sort(key=lambda fact: (fact["path"], fact["method"]))


def _known_call(fact: Facts, version: str, versions: list[str], call: Call) -> Iterator[str]:
    label = f"{fact['method']} {fact['path']}"
    if _mark(fact, version, versions, True):
        yield f"* {label}: also in {version}"
    known = {item["name"] for item in fact.get("query", ())}
    for name in sorted(call.query.keys() - known):
        fact.setdefault("query", []).append({"name": name, "type": call.query[name]})
        yield f"+ {label}: ?{name}= ({call.query[name]})"
    for what, new in (("request", call.request), ("response", call.response)):
        if unknown := _names(new) - _names(fact[what]) - {"Operation", "string"}:
            yield f"! {label}: the {what} is said to be {', '.join(sorted(unknown))}, not {fact[what]}; look at it"
    depths = {item["level"] for item in fact.get("recursion", ())}
    for depth in sorted(call.deeper.keys() - depths):
        level = {"level": depth, "operationId": call.operation_id, "response": call.deeper[depth], "public": False}
        level |= {"in_spec": {known: known == version for known in versions}, "api_extension": None}
        fact.setdefault("recursion", []).append(level)
        yield f"+ {label}: recursion={depth} returns {call.deeper[depth]}; look at api_extension"


def _new_call(facts: Facts, method: str, path: str, version: str, call: Call) -> Facts:
    fact: Facts = {
        "path": path,
        "method": method,
        "operationId": call.operation_id,
        "group": _group(facts, path),
        "kind": call.kind,
        "success_codes": call.success_codes,
        "query": [{"name": name, "type": kind} for name, kind in call.query.items()],
        "request": call.request,
        "response": call.response,
    }
    if call.deeper:
        fact["recursion"] = [
            {"level": depth, "operationId": call.operation_id, "response": response, "public": False}
            | {"in_spec": {known: known == version for known in facts["source"]}, "api_extension": None}
            for depth, response in sorted(call.deeper.items())
        ]
    return fact | {"etag": False, "allow_untrusted": call.is_public, "in": [version], "api_extension": None}


def _group(facts: Facts, path: str) -> str:
    """Return the group of the call whose path has most in common with this one."""

    def common(fact: Facts) -> int:
        pairs = zip(_shape("", path)[1].split("/"), _shape("", fact["path"])[1].split("/"), strict=False)
        return next((length for length, (one, other) in enumerate(pairs) if one != other), len(path))

    calls: list[Facts] = facts["operations"]
    return str(max(calls, key=common)["group"])


def _names(text: str | None) -> set[str]:
    return set(re.findall(r"\w+", text or "")) - {"list", "map", "raw", "bytes", "any"}


# -- definitions ------------------------------------------------------------------------------------------------------


def _definition(
    known: dict[str, Facts], name: str, version: str, versions: list[str], description: Description
) -> Iterator[str]:
    new = description.definitions.get(name)
    if name not in known and new:
        known[name] = {"in": [], **copy.deepcopy(new)}
    fact = known[name]
    if _mark(fact, version, versions, new is not None):
        yield f"{'+' if new else '-'} {name}: {'new in' if new else 'not in'} {version}"
    if "fields" in fact and not new:  # its fields are gone with it
        for field in fact["fields"].values():
            field["in"] = [known for known in field.get("in", fact["in"]) if known in fact["in"]]
    if "fields" in fact:
        yield from _fields(name, fact, version, versions, new.get("fields", {}) if new else {})
    elif new and "alias_of" in new and Type.parse(new["alias_of"]) != Type.parse(fact["alias_of"]):
        yield f"* {name}: {new['alias_of']}, not {fact['alias_of']}"
        fact["alias_of"] = new["alias_of"]


def _fields(name: str, fact: Facts, version: str, versions: list[str], new: dict[str, Facts]) -> Iterator[str]:
    fields: dict[str, Facts] = fact["fields"]
    for key in sorted(fields.keys() | new.keys()):
        field = fields.setdefault(key, {**new.get(key, {}), "in": []})
        field.setdefault("in", list(fact["in"]))
        if _mark(field, version, versions, key in new):
            yield f"{'+' if key in new else '-'} {name}.{key}: {'also' if key in new else 'not'} in {version}"
        if key in new:
            yield from _field(f"{name}.{key}", field, version, new[key])
        if field["in"] == fact["in"]:
            del field["in"]
        elif not field["in"]:
            del fields[key]


def _field(label: str, field: Facts, version: str, new: Facts) -> Iterator[str]:
    is_newest = version == field["in"][-1]
    if is_newest and Type.parse(field["type"]) != Type.parse(new["type"]):
        yield f"* {label}: {new['type']}, not {field['type']}"
        field["type"] = new["type"]
    if is_newest and new.get("extension", field.get("extension")) != field.get("extension"):
        yield f"* {label}: extension {new['extension']}, not {field.get('extension')}"
        field["extension"] = new["extension"]
