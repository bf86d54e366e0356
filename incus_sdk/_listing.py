"""Lists that show as tables where people look at them."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["Listing"]

T = TypeVar("T")


class Listing(list[T]):
    """A list, which notebooks and IPython show as a table; in all else it is any other list.

    They ask objects for these two methods. What makes the table is loaded then.
    """

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """Return the table as HTML, for notebooks; `None` if there is nothing to show."""
        from ._display import html_table

        return html_table(self) if self else None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print the table as text, for IPython; inside something else, the list as it is."""
        from ._display import text_table

        printer.text(text_table(self) if self and not printer.indentation else repr(self))
