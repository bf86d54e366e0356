"""What the server sends: one `msgspec.Struct` for each definition, lenient about what is missing or null."""

from __future__ import annotations

from collections.abc import Iterator

from .layout import Layout
from .snippets import Piece, availability, docstring, field_remarks, indent_block, where_used
from .spec import Definition, Field, Type

__all__ = ["pieces"]

_SCALARS = {"string": ("str", '""'), "integer": ("int", "0"), "boolean": ("bool", "False"), "number": ("float", "0.0")}


def pieces(layout: Layout) -> Iterator[Piece]:
    """Yield the model of each definition that the server sends."""
    for name in sorted(layout.structs):
        definition = layout.spec.definitions[name]
        if definition.alias:
            yield _alias(definition, definition.alias, layout)
        else:
            yield _Struct(definition, layout).piece()


def python_type(kind: Type, layout: Layout, *, nulls: bool = False) -> str:
    """Return the annotation of a value; with `nulls`, of one whose lists and maps may be null inside."""
    kind = layout.spec.meaning(kind)
    if kind.item:
        inner = python_type(kind.item, layout, nulls=nulls)
        if nulls and kind.item.item:
            inner = f"NullAsEmpty[{inner}]"
        return f"list[{inner}]" if kind.kind == "list" else f"dict[str, {inner}]"
    if kind.kind == "definition":
        return layout.struct_name(kind.name)
    special = {"string:date-time": "datetime | None", "string:byte": "bytes", "any": "Any"}
    return special.get(kind.name) or _SCALARS[kind.name.partition(":")[0]][0]


def _alias(definition: Definition, meaning: Type, layout: Layout) -> Piece:
    about = docstring(where_used(definition, layout, sent=False))
    text = f"{definition.name}: TypeAlias = {python_type(meaning, layout)}\n{about}"
    needs = frozenset(layout.struct_name(part) for part in definition.parts)
    return Piece(definition.name, text, needs, {"typing": {"TypeAlias"}})


class _Struct:
    """One model."""

    def __init__(self, definition: Definition, layout: Layout) -> None:
        self.definition = definition
        self.layout = layout
        overrides = layout.spec.overrides
        self.nullable = set(overrides["nullable"].get(definition.name, ()))
        self.secret = set(overrides["secret"].get(definition.name, ()))
        self.imports: dict[str, set[str]] = {"._base": {"Model"}}
        self.repairs: list[str] = []
        unsent: list[str] = overrides["unsent"].get(definition.name, [])
        self.fields = [field for field in definition.fields if field.key not in unsent]

    def piece(self) -> Piece:
        """Return its code."""
        name = self.layout.struct_name(self.definition.name)
        bound = self.layout.is_bound(self.definition.name)
        storage = "dict=True" if bound else "gc=False"
        body = [self._docstring(), *self._secret_fields()]
        body += [line for field in self.fields for line in self._field(field)]
        if self.repairs:
            body += ["", "def __post_init__(self) -> None:", *[f"    {line}" for line in self.repairs]]
        head = f"class {name}(Model, kw_only=True, {storage}):"
        before = [field for field in self.fields if not self._is_recursive(field) or field.key not in self.nullable]
        parts = {part for field in before for part in field.type.definitions}
        needs = frozenset(
            self.layout.struct_name(part) for part in parts if not self.layout.spec.definitions[part].is_plain
        )
        return Piece(name, f"{head}\n{indent_block(body)}\n\n", needs, self._module_imports(body))

    def _module_imports(self, body: list[str]) -> dict[str, set[str]]:
        text = "\n".join(body)
        imports = {module.replace("._base", ".._base"): names for module, names in self.imports.items()}
        for module, name, mark in (
            ("typing", "Any", "Any"),
            ("datetime", "datetime", "datetime |"),
            ("msgspec", "msgspec", "msgspec."),
        ):
            if mark in text:
                imports.setdefault(module, set()).add(name)
        return imports

    def _docstring(self) -> str:
        uses = [where_used(self.definition, self.layout, sent=False), availability(self.definition, self.layout)]
        more = " ".join(filter(None, [self.definition.about, *uses]))
        return docstring(f"`{self.definition.name}` of the API.", more)

    def _field(self, field: Field) -> Iterator[str]:
        annotation, default = self._value(field)
        if field.name != field.key:
            default = f'msgspec.field(name="{field.key}", default={default})'
        yield f"{field.name}: {annotation} = {default}"
        yield from field_remarks(field, self.definition, self.layout)

    def _value(self, field: Field) -> tuple[str, str]:
        """Return annotation and default, and note what has to be repaired after decoding."""
        kind = self.layout.spec.meaning(field.type)
        annotation = python_type(kind, self.layout, nulls=field.type == kind)
        if field.key in self.nullable:
            annotation += " | None"
            return (f'"{annotation}"' if self._is_recursive(field) else annotation), "None"
        if kind.item:
            self._use("NullAsEmpty")
            self.repairs.append(f"self.{field.name} = {_without_nulls(f'self.{field.name}', field.type, kind)}")
            return f"NullAsEmpty[{annotation}]", "[]" if kind.kind == "list" else "{}"
        if kind.kind == "definition":
            self._use("NullAsEmpty")
            self.repairs.append(f"self.{field.name} = self.{field.name} or {annotation}()")
            return f"NullAsEmpty[{annotation}]", f"msgspec.field(default_factory={annotation})"
        if kind.name == "string:date-time":
            self._use("or_none")
            # Looked at here first: there can be thousands of times in an answer, and calls cost most.
            self.repairs.append(f"if self.{field.name} and self.{field.name}.year <= 1970:")
            self.repairs.append(f"    self.{field.name} = or_none(self.{field.name})")
            return annotation, "None"
        special = {"any": "None", "string:byte": 'b""'}
        return annotation, special.get(kind.name) or _SCALARS[kind.name.partition(":")[0]][1]

    def _is_recursive(self, field: Field) -> bool:
        """Whether the field leads back here (the virtual functions of a card are cards)."""
        return self.definition.name in self.layout.spec.reach(field.type.definitions)

    def _use(self, *names: str) -> None:
        self.imports["._base"].update(names)

    def _secret_fields(self) -> Iterator[str]:
        if self.secret:
            names = tuple(sorted(field.name for field in self.definition.fields if field.key in self.secret))
            yield f"_secret_fields = {names!r}\n"


def _without_nulls(value: str, declared: Type, kind: Type) -> str:
    """Return an expression for the value with null lists and maps in it as empty ones."""
    empty = "[]" if kind.kind == "list" else "{}"
    # Named plain types (DevicesMap) are not searched: they are frequent, and servers refuse nulls in them.
    if not (kind.item and kind.item.item) or declared != kind:
        return f"{value} or {empty}"
    inner = "[]" if kind.item.kind == "list" else "{}"
    if kind.kind == "list":
        return f"[item or {inner} for item in {value} or []]"
    return f"{{key: item or {inner} for key, item in ({value} or {{}}).items()}}"
