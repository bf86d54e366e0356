"""The tables of the reference: what each method sends, found out by calling it, and what the facts say of that.

A page has the table of a group where it says so:

    ```{include} calls/ProfilesAPI.inc
    ```
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import incus_sdk
from codegen import spec
from codegen.calls import Call, Method, record
from incus_sdk import sync
from incus_sdk._extension_data import CALLS, NEWER

FOLDER = Path(__file__).parent / "reference" / "calls"
VERBS = ["list", "names", "get", "exists", "create", "update", "replace", "edit", "modify", "rename", "delete"]
AUXILIARY = {Call("GET", "/1.0"), Call("GET", "/1.0/operations/{id}/wait"), Call("GET", "/1.0/projects/{name}")}
"""What a method may ask beside its own call."""

_HEAD = """\
| method | sends | background | API extension | since |
| --- | --- | --- | --- | --- |
"""


def tables() -> dict[str, str]:
    """Return the tables by the name of the group's class."""
    loaded = spec.load()
    facts = {Call(each["method"], each["path"]): each for each in loaded.facts["operations"]}
    found: dict[str, list[Method]] = {}
    for method in record(loaded.facts["operations"]):
        found.setdefault(method.group, []).append(method)
    return {group: _HEAD + "".join(_row(each, facts) for each in _sorted(methods)) for group, methods in found.items()}


def other_face() -> str:
    """Return the entries of the sync face: only names, as their methods are those of the async face."""
    own = [name for name in sync.__all__ if getattr(sync, name) is not getattr(incus_sdk, name)]
    entries = "\n".join(f".. autoclass:: {sync.__name__}.{name}\n   :no-members:\n" for name in own)
    return f"```{{eval-rst}}\n{entries}```\n"


def write() -> None:
    """Write what has changed, and remove what is left over."""
    FOLDER.mkdir(exist_ok=True)
    wanted = {f"{name}.inc": text for name, text in {**tables(), "sync": other_face()}.items()}
    for path in FOLDER.glob("*.inc"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = FOLDER / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _sorted(methods: list[Method]) -> list[Method]:
    """The regular verbs first, in the order in which everybody thinks of them."""
    return sorted(methods, key=lambda each: VERBS.index(each.name) if each.name in VERBS else len(VERBS))


def _row(method: Method, facts: dict[Call, dict[str, Any]]) -> str:
    calls = list(_own(method))
    extensions = dict.fromkeys(CALLS.get(call.path, {}).get(call.method, "") for call in calls)
    cells = [
        f"{{py:meth}}`{method.name} <.{method.group}.{method.name}>`",
        "<br>".join(f"`{call.method} {call.path}`" for call in calls),
        "yes" if _in_background(method, [facts[call] for call in calls]) else "",
        ", ".join(f"`{name}`" for name in extensions if name in NEWER),
        max((_since(facts[call]["in"]) for call in calls), default=""),
    ]
    return f"| {' | '.join(cells)} |\n"


def _own(method: Method) -> Iterator[Call]:
    """Leave out what is only read on the way to a change, and what is asked in passing."""
    changes = [call for call in method.calls if call.method not in {"GET", "HEAD"}]
    own = changes or [call for call in method.calls if call not in AUXILIARY] or method.calls
    yield from own


def _in_background(method: Method, facts: list[dict[str, Any]]) -> bool:
    returned = str(inspect.signature(getattr(method.kind, method.name)).return_annotation)
    kinds = {kind for each in facts for kind in (each["kind"], each.get("alt_kind"))}
    return "OperationResponse" in returned and "async-operation" in kinds


def _since(versions: list[str]) -> str:
    """Return the oldest version that has a call; what the facts know from the development head is in 7.0.2."""
    return "7.0.2" if versions[0] == "main" else versions[0]
