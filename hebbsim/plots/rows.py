"""Dot plots with one row a role, a split or a condition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.plots import style, tables
from hebbsim.plots.style import (
    DEPENDENCE_COLORS,
    INK,
    MODEL_COLORS,
    MODEL_MARKERS,
    MODEL_NAMES,
    MUTED,
    ROW,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

_SUPERVISION = {
    "hebbian": "Hebbian, zero labels",
    "bigru": "BiGRU, all labels",
    "lookup": "word lookup",
}


@style.styled
def plot_roles(
    results: DataFrame,
    *,
    split: str = "test",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Recall of each role: the zero-label learner, the BiGRU, word lookup.

    Roles stand in the order of the difference, most in the learner's favour on top.

    Parameters
    ----------
    results : DataFrame
        Rows of the results table.
    split : str
    dependence : mapping of str to str, optional
        ``structure`` or ``content`` by role; such roles' names are coloured.
    ax : Axes, optional
        Drawn on a new figure without.

    Raises
    ------
    NothingToDrawError
        No recall of the learner on `split`.
    """
    table, every, learner = tables.scores(results, "recall", split)
    recall = {
        model: tables.select(every, tables.reference(table, model), model=model)
        for model in _SUPERVISION
    }
    hebbian = tables.need(recall["hebbian"], f"recall by role of the learner on {split}")
    mean = hebbian.set_index("role")["mean"]
    rival = recall["bigru"].set_index("role")["mean"].reindex(mean.index)
    # Without a rival, and for roles that it lacks, the order is that of recall.
    key = (mean - rival).where(rival.notna(), mean - 2)
    order = sorted(mean.index, key=lambda role: (key[role], role))
    place = {role: float(row) for row, role in enumerate(order)}

    own = ax is None
    ax = style.new_axes(0.95 + ROW * len(order)) if ax is None else ax
    shown = [model for model in ("hebbian", "bigru", "lookup") if len(recall[model])]
    shift = {"hebbian": 0.14, "bigru": -0.14} if "bigru" in shown else {}
    for model in shown:
        rows = recall[model][recall[model]["role"].isin(order)].reset_index(drop=True)
        faint: dict[str, Any] = {"markersize": 8, "zorder": 1.5} if model == "lookup" else {}
        style.dots(
            ax,
            rows,
            [place[role] + shift.get(model, 0.0) for role in rows["role"]],
            color=MODEL_COLORS[model],
            marker=MODEL_MARKERS[model],
            label=_SUPERVISION[model],
            **faint,
        )
    _rows(ax, order, dependence or {})
    lowest = min(float(recall[model]["mean"].min()) for model in shown)
    ax.set_xlim(0.0 if lowest < 0.55 else math.floor(lowest * 10 - 0.5) / 10, 1.0)
    ax.set_xlabel("recall (fraction of the role's tokens)")
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(shown))
    versus = " against BiGRU" if "bigru" in shown else ""
    style.caption(
        ax,
        f"Recall by role{versus}: {tables.corpus_of(table)}, {split}",
        tables.interval_note(hebbian)
        + tables.population_note(learner)
        + _colour_note(order, dependence or {}, "role"),
        whole_figure=own,
    )
    return ax


@style.styled
def plot_generalization(
    results: DataFrame,
    *,
    rival: str = "bigru",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy of the zero-label learner minus that of a rival on each generalization split.

    Parameters
    ----------
    results : DataFrame
        Rows of the results table.
    rival : {"bigru", "lookup", "majority"}
    dependence : mapping of str to str, optional
        ``structure`` or ``content`` by split, such as ``gen/NAME``.
    ax : Axes, optional
        Drawn on a new figure without.

    Raises
    ------
    NothingToDrawError
        No ``accuracy_difference`` rows of generalization splits.
    """
    table = tables.tidy(results)
    learner = tables.reference(table, "hebbian")
    rows = tables.select(
        table, {**learner, "minus": rival}, model="hebbian", metric="accuracy_difference"
    )
    single = rows[rows["split"].str.startswith("gen/")]
    tables.need(single, f"accuracy minus {rival} on generalization splits")
    single = single.sort_values(["mean", "split"])
    whole = rows[rows["split"].isin(["gen", "test"])].sort_values("split", ascending=False)

    own = ax is None
    gap = 0.5 if len(whole) else 0.0
    ax = style.new_axes(1.0 + ROW * (len(single) + len(whole) + gap)) if ax is None else ax
    dependence = dependence or {}
    color = MODEL_COLORS["hebbian"]
    ax.axvline(0.0, color=MUTED, lw=0.8, zorder=1)
    names = [name.removeprefix("gen/") for name in single["split"]]
    place = np.arange(len(single)) + len(whole) + gap
    bounds = (-1.0, 1.0)
    kinds = np.array(
        [kind if kind in DEPENDENCE_COLORS else "" for kind in map(dependence.get, single["split"])]
    )
    for kind in ("structure", "content", ""):
        chosen = kinds == kind
        if chosen.any():
            style.dots(
                ax,
                single[chosen],
                place[chosen],
                color=DEPENDENCE_COLORS.get(kind, color),
                marker={"structure": "D", "content": "s"}.get(kind, "o"),
                label=f"{kind}-dependent" if kind else "other",
                bounds=bounds,
            )
    if len(whole):
        style.dots(ax, whole, np.arange(len(whole)), color=INK, marker="o", bounds=bounds)
    wholes = [{"gen": "all generalization", "test": "test"}[name] for name in whole["split"]]
    values = [*whole["mean"], *single["mean"]]
    _rows(ax, [*wholes, *names], {}, positions=[*range(len(whole)), *place], values=values)
    for label, kind in zip(ax.get_yticklabels(), [""] * len(whole) + kinds.tolist(), strict=True):
        label.set_color(DEPENDENCE_COLORS.get(kind, INK))
    ax.margins(x=0.04)
    ax.locator_params(axis="x", nbins=4)
    ax.set_xlabel(f"accuracy, Hebbian minus {MODEL_NAMES[rival]}")
    if kinds.any():
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)
    style.caption(
        ax,
        f"Hebbian minus {MODEL_NAMES[rival]} on new constructions: {tables.corpus_of(table)}",
        "Right of 0 the zero-label learner is better. 95\u00a0% interval by a two-level bootstrap "
        f"over training runs ({tables.count_note(single, 'seeds')}) and sentences."
        + tables.population_note(learner),
        whole_figure=own,
    )
    return ax


@style.styled
def plot_timescales(
    results: DataFrame,
    *,
    split: str = "test",
    timescales: Sequence[float] = (),
    ax: Axes | None = None,
) -> Axes:
    """Accuracy of each single timescale, of the set, of its parts and of the controls.

    Parameters
    ----------
    results : DataFrame
        Rows of the results table.
    split : str
    timescales : sequence of float
        The whole set in tokens, for its name.
    ax : Axes, optional
        Drawn on a new figure without.

    Raises
    ------
    NothingToDrawError
        No accuracy of the learner on `split`.
    """
    table = tables.tidy(results)
    accuracy = tables.select(table, split=split, metric="accuracy")
    rows = tables.select(accuracy, model="hebbian")
    said = [tables.words(condition) for condition in rows["condition"]]
    keep = [not {"labels", "minus", "tokens"} & words.keys() for words in said]
    rows = tables.need(rows[keep], f"accuracy of the learner on {split}")
    said = [words for words, kept in zip(said, keep, strict=True) if kept]
    sorting = sorted(range(len(said)), key=lambda i: _condition_order(said[i]))
    rows, said = rows.iloc[sorting], [said[i] for i in sorting]

    # Half a row of room between single timescales, whole set, parts and controls.
    groups = [_condition_order(words)[0] for words in said]
    steps = np.cumsum([0.0] + [1.0 if a == b else 1.5 for a, b in itertools.pairwise(groups)])
    place = steps[-1] - steps
    own = ax is None
    ax = style.new_axes(1.05 + ROW * (place[0] + 1)) if ax is None else ax
    color = MODEL_COLORS["hebbian"]
    references = [
        tables.select(accuracy, tables.reference(table, model), model=model)
        for model in ("majority", "lookup", "bigru")
    ]
    named = [(r["model"].iloc[0], float(r["mean"].iloc[0])) for r in references if len(r)]
    start = _start(rows["mean"].to_numpy(float), [mean for _, mean in named])
    near = rows["mean"].to_numpy(float) >= start
    looks: list[tuple[Any, dict[str, Any]]] = [
        ([g == 1 for g in groups], {"color": color, "label": "whole set"}),
        ([g in (0, 2, 4) for g in groups], {"color": color, "mfc": "white", "label": "parts"}),
        ([g == 3 for g in groups], {"color": MUTED, "mfc": "white", "label": "controls"}),
    ]
    for chosen, look in looks:
        chosen = near & chosen
        if any(chosen):
            style.dots(ax, rows[chosen], place[chosen], **look)
    _rows(
        ax,
        [_condition_name(words, timescales) for words in said],
        {},
        positions=place,
        values=rows["mean"],
    )
    inside = [(model, mean) for model, mean in named if mean >= start]
    outside = [f"{MODEL_NAMES[model]}: {mean:.3f}" for model, mean in named if mean < start]
    for model, mean in inside:
        ax.axvline(mean, color=MODEL_COLORS[model], lw=0.9, ls=(0, (4, 2)), zorder=1)
    ax.margins(x=0.06)
    if not near.all():
        ax.plot(
            [0.018] * int((~near).sum()),
            place[~near],
            "<",
            color=MUTED,
            label="left of the axis",
            transform=ax.get_yaxis_transform(),
        )
    ax.set_xlabel("accuracy (fraction of tokens)")
    _name_lines(ax, inside)
    style.caption(
        ax,
        f"Accuracy by timescale: {tables.corpus_of(table)}, {split}",
        f"{tables.interval_note(rows)} τ in tokens"
        + ("; dashed lines: the baselines' means." if inside else ".")
        + ("" if near.all() else " Triangle: left of the axis.")
        + (f" Not shown, {', '.join(outside)}." if outside else ""),
        whole_figure=own,
    )
    return ax


def _start(values: NDArray[np.float64], lines: Sequence[float]) -> float:
    """Where the axis begins: short of values so far below the rest that these would be a heap.

    Examples
    --------
    >>> _start(np.array([0.16, 0.86, 0.94, 0.95]), [0.19, 0.99]), _start(np.array([0.5, 0.8]), [])
    (0.86, 0.5)
    """
    every = np.sort(np.concatenate([values, lines]))
    gaps = np.diff(every[: len(every) // 2 + 1])  # most values stay
    if len(every) > 3:
        widest = int(gaps.argmax())
        if gaps[widest] > every[-1] - every[widest + 1]:
            return float(every[widest + 1])
    return float(every[0])


def _rows(
    ax: Axes,
    names: Sequence[str],
    dependence: Mapping[str, str],
    *,
    positions: Sequence[float] | None = None,
    values: Sequence[float] | None = None,
) -> None:
    """Name the rows of a dot plot, with a guide line each and values at the right edge."""
    places = range(len(names)) if positions is None else positions
    ax.set_yticks(list(places), [_broken(name) for name in names])
    for label, name in zip(ax.get_yticklabels(), names, strict=True):
        label.set_color(DEPENDENCE_COLORS.get(dependence.get(name, ""), INK))
        if "\n" in label.get_text():
            label.set(fontsize=5.6, linespacing=1.0)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_ylim(min(places) - 0.6, max(places) + 0.6)
    if values is not None:
        signed = "+" if min(values) < 0 else ""  # differences; an interval may reach below 0
        for place, value in zip(places, values, strict=True):
            text = f"{value:{signed}.3f}"
            if not float(text):
                text = "0.000"  # no sign where no digit is left
            ax.annotate(
                text.replace("-", "\u2212"),
                (1.0, place),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=6.0,
                color=MUTED,
            )


def _broken(name: str, width: int = 24) -> str:
    """A long name on two lines, broken after the underscore nearest its middle."""
    cuts = [i + 1 for i, letter in enumerate(name) if letter in "_- "]
    if len(name) <= width or not cuts:
        return name
    cut = min(cuts, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:cut]}\n{name[cut:]}"


def _colour_note(names: Sequence[str], dependence: Mapping[str, str], what: str) -> str:
    """What coloured names mean, for the note under a figure."""
    hues = {"structure": "green", "content": "purple"}
    kinds = {dependence.get(name) for name in names}
    said = [f"{hue}: {kind}-dependent {what}s" for kind, hue in hues.items() if kind in kinds]
    return f" Names in {'; in '.join(said)}." if said else ""


def _condition_order(words: Mapping[str, str]) -> tuple[int, float, str]:
    """Single timescales, the whole set by either read-out, its parts, controls, anything else."""
    keys = words.keys() - {"K"}
    tau = float(words.get("tau", "nan")) if "tau" in keys else 0.0
    text = " ".join(f"{key}={words[key]}" for key in sorted(keys))
    if keys <= {"members", "readout"}:
        return (1, float(words.get("members", 1)), text)
    for group, key in ((3, "shuffled"), (3, "prototypes"), (2, "view"), (0, "tau")):
        if key in keys:
            return (group, tau, text)
    return (4, 0.0, text)


def _condition_name(words: Mapping[str, str], timescales: Sequence[float]) -> str:
    every = ", ".join(f"{tau:g}" for tau in timescales)
    names = {
        "view=own": "own code only",
        "view=traces": "traces only",
        "shuffled=traces": "shuffled traces",
        "shuffled=labels": "shuffled labels",
        "prototypes=random": "random prototypes",
        "readout=soft": "soft read-out",
    }
    said = []
    for key, value in words.items():
        if key == "tau":
            said.append(f"τ = {float(value):g}")
        elif key == "members":
            said.append(f"{value} learners voting")
        elif key != "K":
            said.append(names.get(f"{key}={value}", f"{key} {value}"))
    return ", ".join(said) or (f"τ = {every}" if every else "all timescales")


def _name_lines(ax: Axes, lines: Sequence[tuple[str, float]]) -> None:
    """Name vertical lines above the Axes, moved sideways where names would overlap."""
    figure = ax.figure.canvas.figure
    figure.draw_without_rendering()
    texts = [
        ax.text(
            value,
            1.01,
            MODEL_NAMES[model],
            transform=ax.get_xaxis_transform(),
            color=MODEL_COLORS[model],
            fontsize=6.5,
            ha="center",
            va="bottom",
        )
        for model, value in lines
    ]
    gap = 5.0 * figure.dpi / 72
    widths = [text.get_window_extent().width + gap for text in texts]
    wanted = [ax.transData.transform((value, 0.0))[0] for _, value in lines]
    for text, place in zip(texts, style.spread(wanted, widths), strict=True):
        text.set_x(ax.transData.inverted().transform((place, 0.0))[0])
