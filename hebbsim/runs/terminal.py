"""The console on which all tables are printed, readable at any width."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from hebbsim.runs.results import Results

#: A smaller width of a terminal is implausible.
_LEAST = 20
_USUAL = 80
#: Minimum width of folded text.
_FOLDED = 12


class Console(RichConsole):
    """A console that prints text as it is, and tables row by row if they are too wide.

    An implausible width, such as ``COLUMNS=0``, counts as 80.

    >>> import sys
    >>> table = Table("name", "value", box=None, padding=2)
    >>> table.add_row("accuracy", "0.98 ±0.012")
    >>> Console(width=20, file=sys.stdout).print(table)
    accuracy
      value  0.98 ±0.012
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False, "emoji": False, **options})
        if self.width < _LEAST:
            self.width = _USUAL

    def print(self, *objects: Any, **options: Any) -> None:
        """As `rich.console.Console.print`."""
        for one in objects:
            if isinstance(one, Table) and self._needed(one) > self.width:
                self._print_rows(one)
                return
        super().print(*objects, **options)

    def _needed(self, table: Table) -> int:
        """Width that is needed to show every name and number in full."""
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


def plain_table(*names: str, texts: int = 1, fold: bool = False) -> Table:
    """A table without lines: `texts` columns of text, wrapped only with `fold`, then numbers."""
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(names):
        if number < texts:
            table.add_column(name, no_wrap=not fold, overflow="fold" if fold else "ellipsis")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    return table


def print_heading(console: RichConsole, text: str) -> None:
    """Print an empty line and a heading."""
    console.print()
    console.print(text, style="bold")


def print_pairs(
    console: RichConsole, rows: Mapping[str, str], least: int | None = None, **look: Any
) -> None:
    """Print names, at least so wide, each with its text; `look` are options of the table."""
    table = Table(box=None, pad_edge=False, show_header=False, **look)
    table.add_column(no_wrap=True, min_width=least)
    table.add_column(overflow="fold")
    for row in rows.items():
        table.add_row(*row)
    console.print(table)


def print_ending(
    console: RichConsole, results: Results, folder: Path, what: str = "Figures and tables"
) -> None:
    """Print the notes of a run, and where its files are."""
    for note in results.notes:
        console.print(f"Note: {note}")
    console.print(f"{what}: {folder}", soft_wrap=True)
