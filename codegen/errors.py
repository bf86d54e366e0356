"""What goes wrong in the generators."""

from __future__ import annotations

__all__ = ["SpecError"]


class SpecError(Exception):
    """The facts, the overrides and the descriptions do not fit together."""
