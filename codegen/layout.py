"""Where each definition goes and what its classes are called.

Names and modules do not depend on how many groups are generated, so that a new group moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from .spec import Definition, Role, Spec, SpecError, Type

__all__ = ["Layout"]


class Layout:
    """The classes of some groups of operations.

    Attributes:
        spec: What they are made from.
        structs: Definitions that become models: the server sends them.
        dicts: Definitions that become dictionaries: the client sends them.
    """

    def __init__(self, spec: Spec, groups: Iterable[str]) -> None:
        self.spec = spec
        groups = tuple(groups)
        bound: dict[str, list[str]] = spec.overrides["bound"]
        self._names = {name: f"{class_name}Data" for class_name, names in bound.items() for name in names}
        replaced = {name for names in bound.values() for name in names[1:]}
        self.structs = self._classes("response", groups) - replaced
        self.dicts = self._classes("request", groups)
        self._refuse_clashes()

    def is_bound(self, definition: str) -> bool:
        """Whether a hand-written class adds methods and a handle to it."""
        return definition in self._names

    def struct_name(self, definition: str) -> str:
        """Return the name of its model."""
        return self._names.get(definition, definition)

    def dict_name(self, definition: str) -> str:
        """Return the name of its dictionary: its own, unless the model has that."""
        return f"{definition}Dict" if definition in self._everything_sent else definition

    def body_name(self, definition: str) -> str:
        """Return the name of the dictionary with all keys."""
        return f"{definition.removesuffix('Put')}Body"

    def module(self, definition: str) -> str:
        """Return the module that it lives in."""
        return self._homes[definition].replace("-", "_")

    @cached_property
    def bodies(self) -> set[str]:
        """Definitions that replace what a GET of the same path returns: what `edit` and `modify` hand out."""
        return {
            sent
            for use in self.spec.uses
            if use.method == "PUT" and use.role == "request"
            for sent in use.definitions & self.dicts
            if any(self._fits(sent, read) for read in self._read_at(use.path))
        }

    def all_names(self) -> dict[str, str]:
        """Return the module of each class that is generated."""
        names = {self.struct_name(name): self.module(name) for name in self.structs}
        names |= {self.dict_name(name): self.module(name) for name in self.dicts}
        names |= {self.body_name(name): self.module(name) for name in self.bodies}
        return names | {name: self.module(entry["definition"]) for name, entry in self.keywords().items()}

    def keywords(self) -> dict[str, dict[str, str]]:
        """Return the dictionaries that type the keywords of a method."""
        entries: dict[str, dict[str, str]] = self.spec.overrides["keywords"]
        return {name: entry for name, entry in entries.items() if entry["definition"] in self.dicts}

    def _classes(self, role: Role, groups: Iterable[str]) -> set[str]:
        reached = self.spec.reach(self.spec.named(role, groups))
        return {name for name in reached if not self.spec.definitions[name].is_plain or self._is_named(name)}

    def _is_named(self, definition: str) -> bool:
        return any(definition in use.definitions and len(use.definitions) == 1 for use in self.spec.uses)

    @cached_property
    def _everything_sent(self) -> set[str]:
        return self.spec.reach(self.spec.named("response", self.spec.all_groups))

    @cached_property
    def _homes(self) -> dict[str, str]:
        homes: dict[str, str] = dict(self.spec.overrides["homes"])
        for take in (set[str], self.spec.reach):  # a group that names it comes before one that only reaches it
            for group in self.spec.all_groups:
                named = self.spec.named("request", [group]) | self.spec.named("response", [group])
                homes = dict.fromkeys(take(named), group) | homes
        return homes

    def _read_at(self, path: str) -> set[str]:
        gets = (use for use in self.spec.uses if (use.method, use.role, use.path) == ("GET", "response", path))
        return {name for use in gets for name in use.definitions}

    def _fits(self, sent: str, read: str) -> bool:
        return _fields(self.spec.definitions[sent]) <= _fields(self.spec.definitions[read])

    def _refuse_clashes(self) -> None:
        names = [self.struct_name(name) for name in self.structs] + [self.dict_name(name) for name in self.dicts]
        names += [self.body_name(name) for name in self.bodies] + list(self.keywords())
        if twice := {name for name in names if names.count(name) > 1}:
            raise SpecError(f"two classes would have the same name: {', '.join(sorted(twice))}")


def _fields(definition: Definition) -> set[tuple[str, Type]]:
    return {(field.key, field.type) for field in definition.fields}
