"""The facts about the API, with our corrections: definitions, fields, and which operations use them.

Nothing here knows how Python code looks.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from .descriptions import Descriptions
from .errors import SpecError

__all__ = ["Definition", "Field", "Role", "Spec", "SpecError", "Type", "Use", "load"]

Role: TypeAlias = Literal["request", "response"]
SCHEMA = Path(__file__).parent.parent / "schema"
_SCALARS = {"string", "integer", "boolean", "number", "any"}


@dataclass(frozen=True)
class Type:
    """A type as the facts write it: `string:date-time`, `list[Instance]`, `map[string, any]`, `Instance`.

    Attributes:
        kind: What it is.
        name: The scalar with its format, or the definition.
        item: What a list or a map holds; the keys of maps are always texts.
    """

    kind: Literal["scalar", "list", "map", "definition"]
    name: str = ""
    item: Type | None = None

    @classmethod
    def parse(cls, text: str) -> Type:
        """Read the notation of the facts."""
        text = text.strip()
        if match := re.fullmatch(r"list\[(.+)\]", text):
            return cls("list", item=cls.parse(match[1]))
        if match := re.fullmatch(r"map\[string,(.+)\]", text):
            return cls("map", item=cls.parse(match[1]))
        if not re.fullmatch(r"\w+(:[\w-]+)?", text):
            raise SpecError(f"schema/incus-api.json has a type that the generator cannot read: {text!r}")
        return cls("scalar" if text.split(":")[0] in _SCALARS else "definition", text)

    @property
    def definitions(self) -> set[str]:
        """Names of the definitions in it (at most one)."""
        if self.item:
            return self.item.definitions
        return {self.name} if self.kind == "definition" else set()


@dataclass(frozen=True)
class Field:
    """One field of a definition.

    Attributes:
        key: Name on the wire.
        name: Name in Python.
        type: Its type, corrected.
        extension: The API extension that brought it; empty if it was there from the start.
        versions: The versions that have it.
        about: What is to be said about it; empty if the name says it.
    """

    key: str
    name: str
    type: Type
    extension: str
    versions: tuple[str, ...]
    about: str = ""


@dataclass(frozen=True)
class Definition:
    """One definition: fields, or another name for a type.

    Attributes:
        name: Name in the facts.
        fields: By name.
        alias: What it is another name for.
        versions: The versions that have it.
        about: What is to be said about it as a whole; may be empty.
        names: Its own name, then those of the definitions that it takes the place of.
    """

    name: str
    fields: tuple[Field, ...]
    alias: Type | None
    versions: tuple[str, ...]
    about: str = ""
    names: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it names a type without definitions in it; then it is written out where it is used."""
        return self.alias is not None and not self.alias.definitions

    @property
    def parts(self) -> set[str]:
        """Names of the definitions that it is made of."""
        types = [self.alias] if self.alias else [field.type for field in self.fields]
        return {name for part in types for name in part.definitions}


@dataclass(frozen=True)
class Use:
    """An operation that sends or returns a definition."""

    group: str
    method: str
    path: str
    role: Role
    definitions: frozenset[str]
    extension: str


class Spec:
    """Everything that the generator knows.

    Attributes:
        facts: The file as it is.
        versions: The versions that the facts tell apart, oldest first.
    """

    def __init__(
        self, facts: Mapping[str, Any], overrides: Mapping[str, Any], descriptions: Descriptions | None = None
    ) -> None:
        self.facts = facts
        self.overrides = overrides
        self.descriptions = descriptions or Descriptions({})
        self.source = ", ".join(facts["source"].values())
        self.versions: tuple[str, ...] = tuple(facts["source"])
        self.groups: tuple[str, ...] = tuple(overrides["groups"])
        self.definitions = {name: self._definition(name, item) for name, item in facts["definitions"].items()}
        self._check_definitions()
        for names in overrides["bound"].values():
            self.definitions[names[0]] = self._united([self.definitions[name] for name in names])
        self.uses = [use for operation in facts["operations"] for use in self._uses(operation)]
        self._check_groups()

    @cached_property
    def all_groups(self) -> tuple[str, ...]:
        """Every group there is: those that are generated, then the rest."""
        unnamed = [entry["group"] for entry in self.overrides["unnamed"].values()]
        return tuple(dict.fromkeys([*self.groups, *sorted(use.group for use in self.uses), *unnamed]))

    def reach(self, names: Iterable[str]) -> set[str]:
        """Return these definitions and all that they are made of."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.definitions[name].parts)
        return found

    def meaning(self, kind: Type) -> Type:
        """Follow the name of a plain type to what it stands for."""
        definition = self.definitions.get(kind.name)
        return definition.alias if definition and definition.alias and definition.is_plain else kind

    def named(self, role: Role, groups: Iterable[str]) -> set[str]:
        """Return the definitions that operations of these groups name in this role."""
        wanted = set(groups)
        named = {name for use in self.uses if use.role == role and use.group in wanted for name in use.definitions}
        for name, entry in self.overrides["unnamed"].items():
            if entry["role"] == role and entry["group"] in wanted:
                named.add(name)
        return named

    def _definition(self, name: str, item: Mapping[str, Any]) -> Definition:
        versions = tuple(item["in"])
        types: Mapping[str, str] = self.overrides["types"]
        alias = Type.parse(types.get(name, item["alias_of"])) if "alias_of" in item else None
        facts: dict[str, Any] = item.get("fields", {}) | self.overrides["fields"].get(name, {})
        fields = tuple(
            Field(
                key=key,
                name=self._python_name(key),
                type=Type.parse(types.get(f"{name}.{key}", fact["type"])),
                extension=self.extension(fact.get("extension", ""), f"{name}.{key}"),
                versions=tuple(fact.get("in", versions)),
                about=self.descriptions.field(name, key),
            )
            for key, fact in sorted(facts.items())
        )
        return Definition(name, fields, alias, versions, self.descriptions.whole(name), (name,))

    def _united(self, definitions: Iterable[Definition]) -> Definition:
        """Return the first, with the versions in which it or one that it takes the place of is there."""
        first, *others = definitions
        fields: list[Field] = []
        for field in first.fields:
            everywhere = [field, *(twin for other in others for twin in other.fields if twin.key == field.key)]
            fields.append(replace(field, versions=self._ordered(item.versions for item in everywhere)))
        versions = self._ordered(item.versions for item in [first, *others])
        names = (first.name, *(item.name for item in others))
        return replace(first, fields=tuple(fields), versions=versions, names=names)

    def _ordered(self, parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
        found = {version for part in parts for version in part}
        return tuple(version for version in self.versions if version in found)

    def _python_name(self, key: str) -> str:
        names: Mapping[str, str] = self.overrides["names"]
        name = names.get(key) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower().replace("-", "_")
        return f"{name}_" if name in ("class", "from", "global") else name

    def extension(self, name: str, field: str = "") -> str:
        """Return the extension that is right, for a field or for whatever is said to need it."""
        corrections: Mapping[str, str] = self.overrides["extensions"]
        return corrections.get(field) or corrections.get(name, name)

    def _uses(self, operation: Mapping[str, Any]) -> Iterator[Use]:
        texts: list[tuple[Role, str | None]] = [("request", operation["request"]), ("response", operation["response"])]
        texts.extend(("response", level["response"]) for level in operation.get("recursion", ()))
        for role, text in texts:
            # "InstancesPost | raw bytes (backup)": words that are no definitions say how raw bodies look.
            if names := frozenset(re.findall(r"\w+", text or "")) & self.definitions.keys():
                extension = self.extension(operation["api_extension"] or "")
                yield Use(operation["group"], operation["method"], operation["path"], role, frozenset(names), extension)

    def _check_definitions(self) -> None:
        """Refuse overrides for what does not exist: they are leftovers or typing errors."""
        named = {section: self.overrides[section].keys() for section in ("fields", "homes", "unnamed", "nullable")}
        named |= {section: self.overrides[section].keys() for section in ("secret", "unsent")}
        named["bound"] = {name for names in self.overrides["bound"].values() for name in names}
        for section, names in named.items():
            if unknown := names - self.definitions.keys():
                raise SpecError(f"schema/overrides.toml, [{section}]: no such definition: {', '.join(sorted(unknown))}")
        keys = {name: {field.key for field in item.fields} for name, item in self.definitions.items()}
        self.descriptions.check(keys)

    def _check_groups(self) -> None:
        known = {operation["group"] for operation in self.facts["operations"]}
        known |= {entry["group"] for entry in self.overrides["unnamed"].values()}
        if unknown := set(self.groups) - known:
            raise SpecError(f"schema/overrides.toml, groups: no such group: {', '.join(sorted(unknown))}")


def load(schema: Path = SCHEMA) -> Spec:
    """Read the facts, the overrides and the descriptions."""
    facts = json.loads((schema / "incus-api.json").read_text(encoding="utf-8"))
    overrides = tomllib.loads((schema / "overrides.toml").read_text(encoding="utf-8"))
    descriptions = tomllib.loads((schema / "descriptions.toml").read_text(encoding="utf-8"))
    return Spec(facts, overrides, Descriptions(descriptions))
