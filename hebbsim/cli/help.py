"""Formats `--help`: every text ends with its default, and no word is broken."""

import textwrap
from collections.abc import Iterable
from typing import Any

from typer.core import TyperCommand

# Depending on its version, typer bundles click or uses the installed one.
_Context: Any = TyperCommand.context_class


class _Formatter(_Context.formatter_class):  # type: ignore[misc]
    """Breaks lines between words only; click also breaks at hyphens and in long lists."""

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        rows = list(rows)
        left = min(max(len(term) for term, _ in rows), col_max) + col_spacing
        width = max(self.width - left - 2, 10)
        # click does not wrap a paragraph that begins with this mark.
        texts = ["\n".join(["\b", *_lines(text, width)]) for _, text in rows]
        terms = [term for term, _ in rows]
        super().write_dl(list(zip(terms, texts, strict=True)), col_max, col_spacing)


def _lines(text: str, width: int) -> list[str]:
    words = (word.replace(",", ", ") if len(word) > width else word for word in text.split())
    return textwrap.wrap(" ".join(words), width, break_long_words=False, break_on_hyphens=False)


class _HelpContext(_Context):
    formatter_class = _Formatter


def with_help(command: Any) -> Any:
    """Use this help format for a command and its subcommands; return the command."""
    for inner in getattr(command, "commands", {}).values():
        with_help(inner)
    command.context_class = _HelpContext
    for param in command.params:
        shown = param.default
        if getattr(param, "is_flag", False):  # for --a/--no-a, the one that is the default
            names = param.opts if shown else param.secondary_opts
            shown = names[0] if param.secondary_opts else None
        if shown is not None and getattr(param, "help", None):
            param.help = f"{param.help.removesuffix('.')} (default: {shown})."
            param.show_default = False
    return command
