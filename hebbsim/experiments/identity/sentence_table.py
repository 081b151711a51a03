"""The table that `hebbsim run identity --sentence` prints; it fits 80 columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from hebbsim.plots.tables import words
from hebbsim.plots.wording import held
from hebbsim.runs.results import Results
from hebbsim.runs.terminal import Console, print_ending, print_heading

if TYPE_CHECKING:
    from hebbsim.experiments.identity.sentence import Structure, Word

_SHORT = {"cancellation": "cancel"}
#: Conditions of cancellation that have a column.
_MOST = 4
#: Letters of a word that is read, and of the word that was there.
_READ, _WORD = 8, 10


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the sentence, a line a word, the last word first."""
    console = console or Console()
    found: list[Word] = [w for w in results.tables["sentence"] if w.seed == 0]
    structure: list[Structure] = results.tables["structure"]
    columns = _columns(found)
    print_heading(console, "Read from the state after the last word, newest first")
    table = Table(box=None, pad_edge=False)
    for name in ("lag", "word"):
        table.add_column(name, justify="right" if name == "lag" else "left", no_wrap=True)
    for decoder, condition in columns:
        short = held(words(condition)).replace("noise ", "")
        table.add_column(f"{_SHORT.get(decoder, decoder)}\n{short}", no_wrap=True)
    kinds = [name for name in ("role",) if any(s.property == name for s in structure)]
    for name in kinds:
        table.add_column(f"{name}?", no_wrap=True)
    cells = {(w.decoder, w.condition, w.lag): w for w in found}
    read = {(s.property, s.lag): s for s in structure}
    for lag in range(max(w.lag for w in found) + 1):
        right = next(w.word for w in found if w.lag == lag)
        row = [str(lag), _cut(right, _WORD)]
        for column in columns:
            seen = cells[column[0], column[1], lag].read
            row.append("ok" if seen == right else _cut(seen, _READ))
        for name in kinds:
            guess = read.get((name, lag))
            row.append("" if guess is None else f"{guess.read} {guess.probability:.0%}")
        table.add_row(*row)
    console.print(table)
    seeds = results.config["seeds"]
    for row_ in results.rows:
        if "lag" not in row_.words and (row_.model, row_.condition) in columns:
            console.print(
                f"{row_.model}, {held(row_.words)}: {row_.mean:.0%} of the words "
                f"(mean of {seeds} code book{'s' * (seeds != 1)})",
                markup=False,
            )
    if kinds:
        console.print("role?: what a linear probe reads from traces of learned codes")
    print_ending(console, results, folder, "Figure and tables")


def _columns(found: list[Word]) -> list[tuple[str, str]]:
    """Decoders and conditions to show: linear once, cancellation in some conditions."""
    pairs = list(dict.fromkeys((w.decoder, w.condition) for w in found))
    decoders = list(dict.fromkeys(decoder for decoder, _ in pairs))
    best = "cancellation" if "cancellation" in decoders else decoders[-1]
    other = next((d for d in ("linear", *decoders) if d in decoders and d != best), None)
    conditions = [condition for decoder, condition in pairs if decoder == best]
    kept = [c for c in conditions if "precision=float32" in c or "snr" in c or "int8" in c]
    shown = (kept or conditions)[:_MOST]
    return ([(other, shown[0])] if other else []) + [(best, c) for c in shown]


def _cut(word: str, most: int) -> str:
    return word if len(word) <= most else f"{word[: most - 1]}…"
