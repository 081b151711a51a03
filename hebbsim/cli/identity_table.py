"""The tables that `hebbsim run identity` prints; they fit 80 columns."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from hebbsim.experiments.identity_config import TIMESCALE_SETS
from hebbsim.experiments.results import Results, Row

#: Lags of the accuracy table, as far as they were decoded.
_LAGS = (0, 1, 2, 4, 8, 11, 16, 24, 31)

#: Models that are no decoder.
_LIMITS = ("bound", "estimate")


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print what a run found."""
    console = console or Console(highlight=False, soft_wrap=False)
    config = results.config
    taus = ", ".join(f"{tau:g}" for tau in config["timescales"])
    width = f"D = {config['dim']}" if config["codes"] == "random" else "one-hot"
    seeds = config["seeds"]
    console.print()
    console.print(
        f"Stream {config['stream']}; V = {config['types']}, {width}; timescales {taus}; "
        f"{seeds} seed{'s' * (seeds != 1)}"
        + ", rounded at the readout"
        * (config["rounding"] == "readout"),
        markup=False,
        soft_wrap=True,
    )
    entropy = results.select(model="stream", metric="entropy")[0].mean
    known = results.select(model="stream", metric="bigram_information")[0].mean
    console.print(f"Entropy {entropy:.2f} bits a token, of which the next token tells {known:.2f}")
    _show_accuracy(results, console)
    _show_totals(results, console)
    _show_map(results, console)
    console.print()
    for note in results.notes:
        console.print(f"Note: {note}", markup=False)
    console.print(f"Figures and tables: {folder}", markup=False, soft_wrap=True)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for i, name in enumerate(names):
        text = i == 0 or name == "decoder"
        table.add_column(name, justify="left" if text else "right", no_wrap=True)
    return table


def condition_name(words: dict[str, str]) -> str:
    """A condition as a reader calls it.

    Examples
    --------
    >>> condition_name({"precision": "int8"}), condition_name({"precision": "float64", "snr": "20"})
    ('int8', 'noise 20 dB')
    """
    return f"noise {words['snr']} dB" if "snr" in words else words["precision"]


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold", markup=False)


def _totals(results: Results, metric: str) -> list[Row]:
    return [r for r in results.select(split="test", metric=metric) if r.model not in _LIMITS]


def _show_accuracy(results: Results, console: Console) -> None:
    lags = [lag for lag in _LAGS if lag < results.config["lags"]]
    _heading(console, "Accuracy by lag")
    table = _table("condition", "decoder", *map(str, lags))
    before = ""
    for total in _totals(results, "total_bits"):
        found = [
            results.select({"lag": str(lag), **total.words}, model=total.model, metric="accuracy")
            for lag in lags
        ]
        name = condition_name(total.words)
        shown = name if name != before else ""
        before = name
        table.add_row(shown, total.model, *(f"{rows[0].mean:.2f}" for rows in found))
    console.print(table)


def _show_totals(results: Results, console: Console) -> None:
    _heading(console, f"Bits over lags 0 to {results.config['lags'] - 1}")
    table = _table("condition", "decoder", "bits", "bound", "above it", "lags found")
    before = ""
    for total in _totals(results, "total_bits"):
        words, name = total.words, condition_name(total.words)
        shown = name if name != before else ""
        before = name

        def value(metric: str, model: str, words: dict[str, str] = words) -> float:
            return results.select(words, model=model, metric=metric, split="test")[0].mean

        cells = (
            f"{total.mean:.1f}",
            f"{value('total_bits', 'bound'):,.0f}",
            f"{value('excess', total.model):+.2f}",
            f"{value('lags_found', total.model):.1f}",
        )
        table.add_row(shown, total.model, *cells)
    console.print(table)
    console.print(
        "Bound: capacity of the Gaussian channel under noise, else entropy. Above it: the"
    )
    console.print("most bits that any one lag has beyond its bound.")


def _show_map(results: Results, console: Console) -> None:
    rows = results.select(split="map", metric="total_bits")
    if not rows:
        return
    _heading(console, f"Bits that {rows[0].model} finds, by timescales")
    found = {(r.words["timescales"], condition_name(r.words)): r.mean for r in rows}
    conditions = list(dict.fromkeys(name for _, name in found))
    table = _table("timescales", *(name.replace("noise ", "") for name in conditions))
    for taus in TIMESCALE_SETS:
        table.add_row(taus, *(f"{found[taus, name]:.0f}" for name in conditions))
    console.print(table)
