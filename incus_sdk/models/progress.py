"""How far a background operation has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

__all__ = ["OperationProgress"]


class OperationProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What a running operation tells of its progress; which of it, depends on the operation.

    Attributes:
        text: For people, as in `Unpacking image: 100% (44.10MB/s)`.
        stage: What is being done, as in `create_instance_from_image_unpack`.
        percent: 0 to 100.
        processed: Bytes done so far.
        speed: Bytes a second.
    """

    text: str = ""
    stage: str = ""
    percent: int | None = None
    processed: int | None = None
    speed: int | None = None

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> OperationProgress | None:
        """Read it from the `metadata` of an operation; `None` if there is none in it."""
        text = next((str(value) for key, value in metadata.items() if key.endswith("_progress")), "")
        given = metadata.get("progress")
        if not isinstance(given, Mapping):
            return cls(text=text) if text else None
        numbers = cast("Mapping[str, object]", given)
        return cls(
            text=text,
            stage=str(numbers.get("stage", "")),
            percent=_number(numbers.get("percent")),
            processed=_number(numbers.get("processed")),
            speed=_number(numbers.get("speed")),
        )


def _number(value: object) -> int | None:
    """The server writes these numbers as texts."""
    try:
        return int(str(value))
    except ValueError:
        return None
