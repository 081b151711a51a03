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
_PROPERTIES = {"pos": "part of speech", "role": "role", "depth": "clause depth"}
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


@style.styled
def plot_sentence(
    read: DataFrame, structure: DataFrame | None = None, *, ax: Axes | None = None
) -> Axes:
    """Decoded words, one row per decoder and condition; cells are dark where it is right.

    Where a word is wrong, the cell shows the word decoded with the codes of the first seed. Rows
    below show what a linear probe reads of the structure of each word.
    """
    decoders = list(dict.fromkeys(read["decoder"]))
    conditions = list(dict.fromkeys(read["condition"]))
    # The linear decoders hardly depend on the condition: only the first one is shown.
    kept = [
        (decoder, condition)
        for decoder in decoders
        for condition in (conditions if decoder not in ("nearest", "linear") else conditions[:1])
    ]
    n_words = int(read["lag"].max()) + 1
    first = read[(read["seed"] == read["seed"].min()) & (read["decoder"] == decoders[0])]
    first = first[first["condition"] == conditions[0]].sort_values("lag", ascending=False)
    words = list(map(str, first["word"]))
    n_structure = 0 if structure is None else structure["property"].nunique()
    n_rows = len(kept) + n_structure
    if ax is None:
        ax = style.axes(None, 0.22 * n_rows + 1.6)
        ax.figure.canvas.figure.set_figwidth(max(style.WIDTH, 1.4 + 0.48 * n_words))
    right = np.zeros((len(kept), n_words))
    for i, (decoder, condition) in enumerate(kept):
        rows = read[(read["decoder"] == decoder) & (read["condition"] == condition)]
        for lag, of_lag in rows.groupby("lag"):
            column = n_words - 1 - int(lag)
            right[i, column] = np.mean(of_lag["word"].astype(str) == of_lag["read"].astype(str))
            shown = of_lag.sort_values("seed").iloc[0]
            if str(shown["word"]) != str(shown["read"]):
                ax.text(
                    column, i, _short(str(shown["read"])), ha="center", va="center",
                    fontsize=style.SMALL, color="white" if right[i, column] > 0.6 else style.INK,
                )  # fmt: skip
    ax.imshow(right, aspect="auto", cmap="Blues", vmin=0, vmax=1.15)
    names = [
        f"{decoder}, {wording.held(tables.words(condition)).removeprefix('noise ')}"
        for decoder, condition in kept
    ]
    if structure is not None:
        for j, (name, rows) in enumerate(structure.groupby("property", sort=False)):
            y = len(kept) + j
            names.append(_PROPERTIES.get(str(name), str(name)))
            for _, row in rows.iterrows():
                sure = float(row["probability"]) >= 0.5
                ax.text(
                    n_words - 1 - int(row["lag"]), y, _short(str(row["read"])), ha="center",
                    va="center", fontsize=style.SMALL, color=style.INK if sure else style.MUTED,
                    fontweight="bold" if sure else "normal",
                )  # fmt: skip
        ax.axhline(len(kept) - 0.5, color="white", linewidth=3)
    ax.set(xlim=(-0.5, n_words - 0.5), ylim=(n_rows - 0.5, -0.5))
    ax.set_xticks(range(n_words), words, rotation=40 if n_words > 8 else 0)
    ax.xaxis.tick_top()
    ax.set_yticks(range(n_rows), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    n = int(read["seed"].nunique())
    books = f"{n} code book{'s' * (n != 1)}"
    note = f"Dark: right with more of {books}. Text: the wrong word that was read."
    if n_structure:
        note += (
            " Below: a linear probe on traces of learned codes; bold: probability of .5 or more."
        )
    if structure is not None:
        codes = sorted(set(structure["read"][structure["property"] == "role"].astype(str)))
        note += f" Roles: {', '.join(map(wording.role, codes))}." if codes else ""
    return style.caption(ax, "One sentence, read back from its last state", note)


def _short(word: str) -> str:
    return word if len(word) <= 8 else f"{word[:7]}…"


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
