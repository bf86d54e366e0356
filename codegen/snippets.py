"""Small parts that the generated classes have in common."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .layout import Layout
from .spec import Definition, Field, Use

__all__ = ["Piece", "availability", "docstring", "field_remarks", "in_order", "indent_block", "where_used"]


@dataclass(frozen=True)
class Piece:
    """One generated class.

    Attributes:
        name: Its name.
        text: Its code.
        needs: Names of the other generated classes in it; they have to come first.
        imports: What it needs from elsewhere, by module.
    """

    name: str
    text: str
    needs: frozenset[str] = frozenset()
    imports: dict[str, set[str]] = field(default_factory=dict[str, set[str]])


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """Return them by name, but each one after those that it needs."""
    left = {piece.name: piece for piece in sorted(pieces, key=lambda piece: piece.name)}
    done: list[Piece] = []
    while left:
        ready = next(piece for piece in left.values() if not piece.needs & left.keys())
        done.append(left.pop(ready.name))
    return done


def docstring(summary: str, more: str = "") -> str:
    """Return a docstring, wrapped."""
    paragraphs = ["\n".join(_wrapped(text, 112)) for text in (summary, more) if text]
    joined = "\n\n".join(paragraphs)
    end = "\n" if "\n" in joined else ""
    return f'"""{joined}{end}"""\n'


def _wrapped(text: str, width: int) -> list[str]:
    """Return the text as lines, none of which ends within quoted code."""
    glued = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "\0"), text)
    return [line.replace("\0", " ") for line in textwrap.wrap(glued, width, break_on_hyphens=False)]


def indent_block(lines: Iterable[str]) -> str:
    """Return the lines one level deeper."""
    return "\n".join(f"    {line}" if line else "" for text in lines for line in text.splitlines())


def field_remarks(field: Field, definition: Definition, layout: Layout, *, as_comment: bool = False) -> list[str]:
    """Return the docstring or the comment of a field as lines, none if there is nothing to say."""
    remarks = [field.about] if field.about else []
    if field.extension:
        remarks.append(f"Added by API extension `{field.extension}`.")
    elif field.versions != definition.versions:
        # Only without an extension: servers get those in later versions of their own series, too.
        remarks.append(_versions(field.versions, layout.spec.versions))
    if not remarks:
        return []
    text = " ".join(remarks)
    if as_comment:
        return [f"# {line}" for line in _wrapped(text, 110)]
    *lines, last = _wrapped(f'"""{text}', 113)
    return [*lines, f'{last}"""']


def where_used(definition: Definition, layout: Layout, *, sent: bool) -> str:
    """Return a sentence about the calls that carry it, or about what it is part of."""
    role = "request" if sent else "response"
    calls = sorted({(use.path, use.method) for use in uses_of(definition, layout) if use.role == role})
    lead = "Body of" if sent else "Answer of"
    if calls:
        return f"{lead} {_listed([f'`{method} {path}`' for path, method in calls])}."
    name = layout.dict_name if sent else layout.struct_name
    others = layout.dicts if sent else layout.structs
    wholes = sorted(name(other) for other in others if definition.name in layout.spec.definitions[other].parts)
    return f"Part of {_listed([f'`{whole}`' for whole in wholes])}." if wholes else "Not named by any call."


def uses_of(definition: Definition, layout: Layout) -> Iterator[Use]:
    """Yield the calls that carry a definition, or one that it takes the place of."""
    return (use for use in layout.spec.uses if use.definitions.intersection(definition.names))


def availability(definition: Definition, layout: Layout) -> str:
    """Return a sentence about the API extension or the versions that have it, or nothing."""
    extensions = {use.extension for use in uses_of(definition, layout)}
    if len(extensions) == 1 and (extension := extensions.pop()):
        return f"Needs API extension `{extension}`."
    known = layout.spec.versions
    return "" if definition.versions == known else _versions(definition.versions, known)


def _versions(versions: Sequence[str], known: Sequence[str]) -> str:
    if versions[-1] != known[-1]:
        return f"Gone after Incus {versions[-1]}."
    return f"Since Incus {versions[0]}." if versions[0] != known[-1] else f"Newer than Incus {known[-2]}."


def _listed(items: Sequence[str], most: int = 4) -> str:
    if len(items) > most:
        return f"{', '.join(items[: most - 1])} and {len(items) - most + 1} more"
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]
