"""Figures of `hebbsim run identity`, drawn from the run folder's tables alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from pandas import DataFrame

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.style import Axes
from hebbsim.plots.tables import NothingToDrawError

# Okabe & Ito's palette, and a marker each for black and white.
_DECODERS = {
    "cancellation": ("#0072B2", "o"),
    "beam": ("#222222", "d"),
    "language": ("#CC79A7", "<"),
    "likelihood": ("#222222", "*"),
    "pursuit": ("#56B4E9", "v"),
    "mlp": ("#CC79A7", "D"),
    "softmax": ("#E69F00", "P"),
    "discriminant": ("#B59000", "p"),
    "linear": ("#D55E00", "s"),
    "ridge": ("#009E73", "^"),
    "nearest": ("#6B6B6B", "x"),
}
_COLORS = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#6B6B6B")
_CONDITIONS = tuple(zip(_COLORS, "os^DvPx", strict=True))
_LAYERS = {
    "cancellation": ("steps of\ncancellation", "#0072B2", "o"),
    "tanh": ("random layers\nof tanh", "#D55E00", "s"),
}


@style.styled
def plot_decoders(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bits about the token at each lag, one line per decoder, in single precision."""
    rows = _lags(results)
    condition = min(set(rows["held"]), key=lambda held: wording.usual_first(tables.words(held)))
    rows = rows[rows["held"] == condition]
    lines = {name: rows[rows["model"] == name] for name in _DECODERS if name in set(rows["model"])}
    title = f"Bits that decoders read about past tokens, {_name(condition)}"
    return _curves(results, lines, _DECODERS, title, ax)


@style.styled
def plot_precision(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bits about the token at each lag by the best decoder, one line per number format or noise."""
    rows = _lags(results)
    best = str(rows.groupby("model")["mean"].sum().idxmax())
    rows = rows[rows["model"] == best]
    lines = {_name(held): rows[rows["held"] == held] for held in dict.fromkeys(rows["held"])}
    looks = {name: _CONDITIONS[i % len(_CONDITIONS)] for i, name in enumerate(lines)}
    return _curves(results, lines, looks, f"Precision and noise: {best}", ax)


@style.styled
def plot_capacity(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bits over all lags, for each set of timescales and number format or noise."""
    rows = tables.select(results, split="map", metric="total_bits")
    if rows.empty:
        raise NothingToDrawError("no row of a capacity map")
    found = {}
    for condition, value in rows[["condition", "mean"]].itertuples(index=False):
        taus, _, held = condition.partition(" ")
        found[taus.removeprefix("timescales="), _name(held)] = value
    sets = list(dict.fromkeys(taus for taus, _ in found))
    held = list(dict.fromkeys(name for _, name in found))
    ax = style.axes(ax, 0.26 * len(sets) + 1.5)
    grid = np.array([[found[taus, name] for name in held] for taus in sets])
    names = [re.sub(r"(float|, )", r"\1\n", name.removeprefix("noise ")) for name in held]
    marks.cells(ax, grid, names, sets, vmin=0)
    ax.set_ylabel("timescales in tokens")
    n_lags = int(_lags(results)["lag"].max()) + 1
    n = int(rows["n"].max())
    return style.caption(
        ax,
        f"Bits that {rows['model'].iloc[0]} finds in lags 0 to {n_lags - 1}",
        f"Bits that went in: {n_lags * _entropy(results):.0f}. "
        + "log8, log16: as many timescales from 2 to 64. " * any(s.startswith("log") for s in sets)
        + "dB: Gaussian noise on the state. " * any("dB" in name for name in held)
        + f"n = {n} seed{'s' * (n != 1)}.",
    )


@style.styled
def plot_processing(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bits about all past tokens by depth of processing, and those of the exact posterior."""
    rows = tables.select(results, split="processing", metric="total_bits")
    exact = rows[rows["model"] == "exact"]
    if exact.empty:
        raise NothingToDrawError("no row of deeper processing")
    ax = style.axes(ax, 2.6)
    top = float(exact["mean"].iloc[0])
    ends: list[tuple[Any, ...]] = [("what the state\nholds (exact\nposterior)", top,
                                           style.INK)]  # fmt: skip
    deepest = 0.0
    for kind, (label, color, marker) in _LAYERS.items():
        found = tables.select(rows, {"layers": kind, "depth": None}, model="linear")
        depth = tables.numbers(found, "depth")
        look = {"bounds": (0.0, top * 1.1), "label": label.replace("\n", " ")}
        ends.append((label, *marks.curve(ax, depth, found, color, marker, **look)))  # type: ignore[arg-type]
        deepest = max(deepest, *depth)
    ax.axhline(top, color=style.INK, linewidth=1, linestyle=marks.DASHES)
    ax.set(xlim=(0, deepest), ylim=(0, top * 1.1))
    ax.set(xlabel="depth of processing", ylabel="bits about six tokens")
    style.caption(
        ax,
        "Deeper processing adds no information, but a linear probe may find more",
        f"Six tokens of four types, noise at 15 dB. {tables.interval_note(rows)}",
    )
    return marks.name_ends(ax, ends)


def _lags(results: DataFrame) -> DataFrame:
    """Rows of bits by lag, with columns ``lag`` and ``held`` (the rest of the condition)."""
    rows = tables.select(results, split="test", metric="bits")
    rows = rows[~rows["model"].isin(["bound", "estimate"])]
    rows = rows[rows["condition"].str.startswith("lag=")]
    if rows.empty:
        raise NothingToDrawError("no row of bits by lag")
    parts = rows["condition"].str.partition(" ")
    return rows.assign(lag=parts[0].str.removeprefix("lag=").astype(int), held=parts[2])


def _name(held: str) -> str:
    """A condition in words."""
    words = tables.words(held)
    return wording.held(words) + (f", {words['rounding']}" if "rounding" in words else "")


def _entropy(results: DataFrame) -> float:
    return float(tables.select(results, model="stream", metric="entropy")["mean"].iloc[0])


def _curves(
    results: DataFrame,
    lines: Mapping[str, DataFrame],
    looks: Mapping[str, tuple[str, str]],
    title: str,
    ax: Axes | None,
) -> Axes:
    """Draw bits by lag with bands of intervals, below the entropy of the stream."""
    ax = style.axes(ax, 2.6)
    entropy = _entropy(results)
    ends: list[tuple[Any, ...]] = [
        (name, *marks.curve(ax, rows["lag"], rows, *looks[name], bounds=(0.0, entropy), label=name,
                            markevery=(i % 4, 4)))
        for i, (name, rows) in enumerate(lines.items())
    ]  # fmt: skip
    ax.axhline(entropy, color=style.MUTED, linewidth=0.8, linestyle=marks.DASHES, zorder=0)
    ends.append(("entropy of\nthe stream", entropy, style.MUTED))
    ax.set_xlim(0, max(1, *(int(rows["lag"].max()) for rows in lines.values())))
    ax.set(ylim=(0, entropy * 1.05), xlabel="lag in tokens", ylabel="bits about the token")
    n = max(int(rows["n"].max()) for rows in lines.values())
    style.caption(
        ax,
        title,
        f"Mean and 95 % interval over {n} seed{'s' * (n != 1)}. Bits: entropy minus log-loss.",
    )
    return marks.name_ends(ax, ends)
