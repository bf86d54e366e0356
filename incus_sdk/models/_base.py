"""What all models have in common, and how they take what servers send for "nothing"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeAlias, TypeVar

import msgspec

__all__ = ["Model", "NullAsEmpty", "open_fields", "or_none"]

WIDTH = 160
"""Characters of a repr from which on further fields are left out."""

IDENTITY = ("name", "server_name", "fingerprint", "uuid", "listen_address")
"""Fields that tell one object from another: they come first."""

T = TypeVar("T")

if TYPE_CHECKING:
    NullAsEmpty: TypeAlias = Annotated[T, "null is read as empty"]
else:  # The server writes null for an empty list or map. Users never see it, so the checkers need not know either.
    NullAsEmpty = T | None


class Model(msgspec.Struct):
    """Plain data as the server sent it; compared by value, can be copied and pickled."""

    _secret_fields: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        shown: list[str] = []
        for name, value in self._summary():
            if sum(map(len, shown)) > WIDTH:
                shown.append("...")
                break
            shown.append(f"{name}={value}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Have `rich` print the same, and not what is secret."""
        return [(name, _Plain(value)) for name, value in self._summary()]

    def _summary(self) -> Iterator[tuple[str, str]]:
        """Yield what is not empty, in short: configuration can be long, and can hold passwords."""
        for name in sorted(self.__struct_fields__, key=lambda name: name not in IDENTITY):
            value = getattr(self, name)
            if value:
                yield name, "..." if name in self._secret_fields else _short(value)

    def to_dict(self) -> dict[str, Any]:
        """Return it with the server's own keys and values, ready for `json.dumps`.

        Times come as texts, rounded to microseconds, and as `None` where there is none.
        """
        result: dict[str, Any] = msgspec.to_builtins(self)
        return result

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make one from the server's own keys and values; unknown keys are ignored, missing ones take their defaults.

        Raises:
            msgspec.ValidationError: A value has another type than the server gives it.
        """
        return msgspec.convert(data, cls)


def open_fields(model: type[Model]) -> list[str]:
    """Return the fields of a model that hold no secrets."""
    secret = model._secret_fields  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of the class above
    return [name for name in model.__struct_fields__ if name not in secret]


def or_none(value: datetime) -> datetime | None:
    """Return an old time, or `None` for one of the two that servers write when there is none.

    Those are the zero of Go, in the year 1, and the zero of Unix.
    """
    return None if value.year == 1 or value.timestamp() == 0 else value


class _Plain(str):
    """A text that is its own repr."""

    __slots__ = ()
    __repr__ = str.__str__


def _short(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"[{len(value)}]" if isinstance(value, list) else f"{{{len(value)}}}"  # pyright: ignore[reportUnknownArgumentType] - of any items
    if isinstance(value, msgspec.Struct):
        return f"{type(value).__name__}(...)"
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if not isinstance(value, str) or len(value) <= 60 else f"{value[:57]!r}..."
