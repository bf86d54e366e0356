"""What the server is sent: typed dictionaries with the server's own keys."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterator

from .layout import Layout
from .snippets import Piece, availability, docstring, field_remarks, indent_block, where_used
from .spec import Definition, Field, Type

__all__ = ["pieces"]

_SCALARS = {"string": "str", "integer": "int", "boolean": "bool", "number": "float"}


def pieces(layout: Layout) -> Iterator[Piece]:
    """Yield the dictionaries of each definition that the client sends."""
    for name in sorted(layout.dicts):
        definition = layout.spec.definitions[name]
        about = docstring(f"`{name}` of the API.", _about(definition, layout))
        if definition.alias:
            yield _alias(definition, definition.alias, layout)
        else:
            yield _Dict(layout, layout.dict_name(name), definition, about).piece()
        if name in layout.bodies:
            about = docstring(f"`{name}` as `edit` and `modify` hand it out: with every key, to be changed in place.")
            yield _Dict(layout, layout.body_name(name), definition, about, draft=True).piece()
    for name, entry in layout.keywords().items():
        definition = layout.spec.definitions[entry["definition"]]
        about = docstring(f"Keywords of `{entry['method']}`: `{definition.name}` without what is a parameter already.")
        yield _Dict(layout, name, definition, about, without=entry["without"]).piece()


def _about(definition: Definition, layout: Layout) -> str:
    parts = [definition.about, where_used(definition, layout, sent=True), availability(definition, layout)]
    return " ".join(filter(None, parts))


def _alias(definition: Definition, meaning: Type, layout: Layout) -> Piece:
    types = _Types(layout, draft=False)
    about = docstring(_about(definition, layout))
    text = f"{layout.dict_name(definition.name)}: TypeAlias = {types.of(meaning)}\n{about}"
    types.imports.setdefault("typing", set()).add("TypeAlias")
    needs = frozenset(layout.dict_name(part) for part in definition.parts)
    return Piece(layout.dict_name(definition.name), text, needs, types.imports)


class _Types:
    """Annotations, and the imports that they need.

    What is passed in may be any sequence or mapping; a draft is changed in place, and so has lists and dictionaries.
    """

    def __init__(self, layout: Layout, *, draft: bool) -> None:
        self.layout = layout
        self.draft = draft
        self.imports: dict[str, set[str]] = {}

    def of(self, kind: Type) -> str:
        if kind.kind == "list" and kind.item:
            return f"{self._container('list', 'Sequence')}[{self.of(kind.item)}]"
        if kind.kind == "map" and kind.item:
            return f"{self._container('dict', 'Mapping')}[str, {self.of(kind.item)}]"
        if kind.kind == "definition":
            return self._definition(kind.name)
        if kind.name == "any":
            return self._import("typing", "Any")
        if kind.name == "string:date-time":
            return f"{self._import('datetime', 'datetime')} | str"
        return "bytes" if kind.name == "string:byte" else _SCALARS[kind.name.partition(":")[0]]

    def _definition(self, name: str) -> str:
        natural = {"ConfigMap": ("Config", "ConfigDraft"), "DevicesMap": ("Devices", "DevicesDraft")}
        if name in natural:
            return self._import("...types", natural[name][self.draft])
        meaning = self.layout.spec.meaning(Type("definition", name))
        return self.layout.dict_name(name) if meaning.name == name else self.of(meaning)

    def _container(self, concrete: str, abstract: str) -> str:
        return concrete if self.draft else self._import("collections.abc", abstract)

    def _import(self, module: str, name: str) -> str:
        self.imports.setdefault(module, set()).add(name)
        return name


class _Dict:
    """One typed dictionary."""

    def __init__(
        self,
        layout: Layout,
        name: str,
        definition: Definition,
        about: str,  # its docstring
        *,
        draft: bool = False,
        without: Collection[str] = (),
    ) -> None:
        self.name = name
        self.definition = definition
        self.about = about
        self.draft = draft
        self.fields = [field for field in definition.fields if field.key not in without]
        self.types = _Types(layout, draft=draft)
        self.unsent: list[str] = layout.spec.overrides["unsent"].get(definition.name, [])
        parts = {part for field in self.fields for part in field.type.definitions}
        plain = {part for part in parts if layout.spec.definitions[part].is_plain}
        self.needs = frozenset(layout.dict_name(part) for part in parts - plain)

    def piece(self) -> Piece:
        """Return its code."""
        as_class = all(field.key.isidentifier() and not keyword.iskeyword(field.key) for field in self.fields)
        text = self._as_class() if as_class else self._as_call()
        self.types.imports.setdefault("typing", set()).add("TypedDict")
        return Piece(self.name, text, self.needs, self.types.imports)

    def _as_class(self) -> str:
        total = "" if self.draft else ", total=False"
        lines = [f"{self.about}\n"]
        for field in self.fields:
            lines.append(f"{field.key}: {self._annotation(field)}")
            lines += field_remarks(field, self.definition, self.types.layout)
        return f"class {self.name}(TypedDict{total}):\n{indent_block(lines)}\n\n"

    def _as_call(self) -> str:
        # Keys such as "record-output" can only be written this way.
        lines: list[str] = []
        for field in self.fields:
            lines += field_remarks(field, self.definition, self.types.layout, as_comment=True)
            lines.append(f'"{field.key}": {self._annotation(field)},')
        arguments = f'"{self.name}", {{\n{indent_block(lines)}\n}}, total={self.draft}'
        return f"{self.name} = TypedDict({arguments})\n{self.about}"

    def _annotation(self, field: Field) -> str:
        annotation = self.types.of(field.type)
        if self.draft and (field.key in self.unsent or field.versions != self.definition.versions):
            # The server's answer, which the draft is, has no such key.
            self.types.imports.setdefault("typing", set()).add("NotRequired")
            return f"NotRequired[{annotation}]"
        return annotation
