"""What is said about definitions and fields, and how forms of one thing share it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from .errors import SpecError

__all__ = ["Descriptions"]

WHOLE = "*"
"""The key of what is said about a definition, not about one of its fields."""


class Descriptions:
    """What `descriptions.toml` says.

    Definitions that are forms of the same thing share what is said: a field of `NetworkPut`, `NetworksPost` or
    `NetworkFull` that has no words of its own has those of `Network`, and after that those of the section `any`.
    """

    def __init__(self, sections: Mapping[str, Mapping[str, str]]) -> None:
        self._sections = {name: section for name, section in sections.items() if name != "like"}
        self._like: Mapping[str, str] = sections.get("like", {})

    def field(self, definition: str, key: str) -> str:
        """Return what is said about a field."""
        found = (self._sections[name][key] for name in self._related(definition) if key in self._sections[name])
        return next(found, "")

    def whole(self, definition: str) -> str:
        """Return what is said about a definition as a whole."""
        return self._sections.get(definition, {}).get(WHOLE, "")

    def check(self, definitions: Mapping[str, Collection[str]]) -> None:
        """Refuse words about what does not exist.

        Args:
            definitions: All definitions, with the keys of their fields.

        Raises:
            SpecError: There are some.
        """
        unused = [f"[like] {name}" for name in self._like.keys() - definitions.keys()]
        described = {name: set[str]() for name in self._sections}
        for definition, keys in definitions.items():
            for section in self._related(definition):
                described[section].update(keys, [WHOLE] if section == definition else [])
        for section, words in self._sections.items():
            unused += [f"[{section}] {key}" for key in words.keys() - described[section]]
        if unused:
            raise SpecError(f"schema/descriptions.toml describes what there is not: {', '.join(sorted(unused))}")

    def _related(self, definition: str) -> Iterator[str]:
        names = [definition, self._like.get(definition, ""), *_bases(definition), "any"]
        return (name for name in names if name in self._sections)


def _bases(definition: str) -> Iterator[str]:
    for suffix in ("sPost", "Post", "Put", "Full"):
        if definition.endswith(suffix):
            yield definition.removesuffix(suffix)
