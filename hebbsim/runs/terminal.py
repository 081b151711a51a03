"""The console that all tables go to: readable at any width."""

from __future__ import annotations

from typing import Any

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

__all__ = ["Console"]

#: Columns below which a terminal is taken not to know its width.
_LEAST = 20
_USUAL = 80
#: Columns that a text which may be folded needs.
_FOLDED = 12


class Console(RichConsole):
    """A console that prints a table row by row where it is too narrow for its columns.

    A width that makes no sense, as of ``COLUMNS=0``, counts as 80.

    Examples
    --------
    >>> import sys
    >>> table = Table("name", "value", box=None, padding=2)
    >>> table.add_row("accuracy", "0.98 ±0.012")
    >>> Console(width=20, file=sys.stdout).print(table)
    accuracy
      value  0.98 ±0.012
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, **options})
        if self.width < _LEAST:
            self.width = _USUAL

    def print(self, *objects: Any, **options: Any) -> None:
        """As of `rich.console.Console`."""
        for one in objects:
            if isinstance(one, Table) and self._needed(one) > self.width:
                self._print_rows(one)
                return
        super().print(*objects, **options)

    def _needed(self, table: Table) -> int:
        """Columns without which a name or a number would be cut."""
        needed = 0
        for column in table.columns:
            texts = [column.header, *column.cells]
            widest = max(self.measure(text).maximum for text in texts)
            needed += (widest if column.no_wrap else min(widest, _FOLDED)) + table.padding[1]
        return needed

    def _print_rows(self, table: Table) -> None:
        headers = [str(column.header) for column in table.columns]
        for cells in zip(*(column.cells for column in table.columns), strict=True):
            first, *others = (str(cell) for cell in cells)
            lines = [first] if first.strip() else []
            lines += [
                "  " + "  ".join(filter(None, (header, cell.strip())))
                for header, cell in zip(headers[1:], others, strict=True)
                if cell.strip()
            ]
            for line in lines:
                super().print(Text(line, overflow="fold"))
