"""What all models have in common, and how they take what servers send for "nothing"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias, TypeVar

import msgspec

__all__ = ["Model", "NullAsEmpty", "masked_repr", "or_empty", "or_none"]

T = TypeVar("T")

if TYPE_CHECKING:
    NullAsEmpty: TypeAlias = Annotated[T, "null is read as empty"]
else:  # The server writes null for an empty list or map. Users never see it, so the checkers need not know either.
    NullAsEmpty = T | None


class Model(msgspec.Struct):
    """Plain data as the server sent it; compared by value, can be copied and pickled."""

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


def or_empty(value: T | None, empty: Callable[[], T]) -> T:
    """Return the value, or an empty one for null."""
    return empty() if value is None else value


def or_none(value: datetime | None) -> datetime | None:
    """Return the time, or `None` for one of the two that servers write when there is none.

    Those are the zero of Go, in the year 1, and the zero of Unix.
    """
    if value is None or value.year == 1:
        return None
    # The cheap comparison comes first: nothing but the zero itself gets to the second.
    return None if value.year <= 1970 and value.timestamp() == 0 else value


def masked_repr(model: msgspec.Struct, *secret: str) -> str:
    """Return the usual repr without the values of some fields."""
    shown = (f"{name}={'...' if name in secret else repr(getattr(model, name))}" for name in model.__struct_fields__)
    return f"{type(model).__name__}({', '.join(shown)})"
