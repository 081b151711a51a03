"""Dot plots with one row per role, split or condition."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.style import (
    DEPENDENCE_COLORS,
    INK,
    MODEL_COLORS,
    MODEL_MARKERS,
    MODEL_NAMES,
    MUTED,
    ROW,
    SMALL,
    Axes,
)
from hebbsim.probes.structure import FLOOR, MARGIN, decide_role

_SUPERVISION = {
    "hebbian": "Hebbian, zero labels",
    "bigru": "BiGRU, all labels",
    "lookup": "word lookup",
}
#: Generalization splits that are shown of the best, and as many of the worst.
_SHOWN = 5


@style.styled
def plot_roles(
    results: DataFrame,
    *,
    split: str = "test",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Recall of each role by the zero-label learner, the BiGRU and word lookup.

    Roles are sorted by the difference, with the learner's best on top.
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

    ax = style.axes(ax, 1.1 + ROW * len(order))
    shown = {model: recall[model] for model in _SUPERVISION if len(recall[model])}
    shift = {"hebbian": 0.14, "bigru": -0.14} if "bigru" in shown else {}
    look = {"lookup": {"markersize": 8, "zorder": 1.5}}
    recall_dots(ax, shown, order, shift, labels=_SUPERVISION, look=look)
    _name_rows(ax, [wording.role(r) for r in order], kinds=_kinds(order, dependence))
    marks.legend(ax, columns=3, side="right")
    versus = " against BiGRU" if "bigru" in shown else ""
    return style.caption(
        ax,
        f"Recall by role{versus}: {wording.where(table, split)}",
        tables.interval_note(hebbian)
        + tables.population_note(learner)
        + colour_note(order, dependence),
    )


def recall_dots(
    ax: Axes,
    recall: Mapping[str, DataFrame],
    order: Sequence[str],
    shift: Mapping[str, float],
    *,
    labels: Mapping[str, str],
    look: Mapping[str, Mapping[str, Any]],
) -> None:
    """Draw a dot for each role and model on an axis of recall; roles in `order` from the bottom.

    By model: `recall` has its rows, `shift` the height of its dots above a role's row, `labels`
    its name in the legend, and `look` options of `marks.dots`.
    """
    for model, found in recall.items():
        rows = found[found["role"].isin(order)]
        places = [order.index(role) + shift.get(model, 0.0) for role in rows["role"]]
        marks.dots(ax, rows, places, MODEL_COLORS[model], MODEL_MARKERS[model],
                   label=labels[model], **look.get(model, {}))  # fmt: skip
    lowest = min(float(found["mean"].min()) for found in recall.values())
    ax.set_xlim(0.0 if lowest < 0.55 else math.floor(lowest * 10 - 0.5) / 10, 1.0)
    ax.set_xlabel("recall (fraction of the role's tokens)")


@style.styled
def plot_structure_content(
    results: DataFrame,
    *,
    split: str = "dev",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """F1 of each role from the word alone, and from its neighbours alone.

    Roles are sorted by the difference, with those that structure decides on top.

    Parameters
    ----------
    split : str
        The definition uses dev; test is drawn if the table lacks the split.
    dependence : mapping of str to str, optional
        ``structure`` or ``content`` by role (default: by `hebbsim.probes.structure.decide_role`).
    """
    table = tables.tidy(results)
    scores = tables.select(table, split=split, metric="f1")
    if scores.empty:
        split, scores = "test", tables.select(table, split="test", metric="f1")
    content = tables.select(scores, {}, model="lookup").set_index("role")
    traces = tables.select(scores, {"view": "traces"}, model="hebbian").set_index("role")
    both = [role for role in traces.index if role in content.index]
    tables.need(traces.loc[both], f"F1 by role of word lookup and of traces alone on {split}")
    told = (traces["mean"] - content["mean"]).loc[both]
    order = sorted(both, key=lambda role: (told[role], role))
    if dependence is None:
        dependence = {r: decide_role(content["mean"][r], traces["mean"][r]) for r in order}

    ax = style.axes(ax, 1.25 + ROW * len(order))
    place = np.arange(len(order))
    ax.hlines(place, content["mean"].loc[order], traces["mean"].loc[order], color=MUTED, lw=0.6)
    for rows, kind, marker, label in (
        (traces, "structure", "D", "structure: traces of the words around it"),
        (content, "content", "s", "content: lookup of the word"),
    ):
        marks.dots(ax, rows.loc[order], place, DEPENDENCE_COLORS[kind], marker, label=label)
    _name_rows(ax, [wording.role(r) for r in order], kinds=_kinds(order, dependence))
    ax.set(xlim=(0, 1), xlabel="F1 of the role from one source alone")
    marks.legend(ax, columns=1, side="right")
    return style.caption(
        ax,
        f"Structure and content by role: {wording.where(table, split)}",
        tables.interval_note(traces) + colour_note(order, dependence)
        + f" A source decides where it reaches {FLOOR:g} and exceeds the other by {MARGIN:g}.",
    )  # fmt: skip


@style.styled
def plot_generalization(
    results: DataFrame,
    *,
    rival: str = "bigru",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy of the zero-label learner minus that of a rival, on the five best and worst splits.

    Parameters
    ----------
    rival : {"bigru", "lookup", "majority"}
    dependence : mapping of str to str, optional
        ``structure`` or ``content`` by split, such as ``gen/NAME``.
    """
    table = tables.tidy(results)
    learner = tables.reference(table, "hebbian")
    rows = tables.select(
        table, {**learner, "minus": rival}, model="hebbian", metric="accuracy_difference"
    )
    every = rows[rows["split"].str.startswith("gen/")].sort_values(["mean", "split"])
    tables.need(every, f"accuracy minus {rival} on generalization splits")
    few = len(every) <= 2 * _SHOWN + 1
    single = every if few else every.iloc[[*range(_SHOWN), *range(-_SHOWN, 0)]]
    whole = rows[rows["split"].isin(["gen", "test"])].sort_values("split", ascending=False)

    names = [textwrap.fill(wording.construction(name), 24) for name in single["split"]]
    wholes = [{"gen": "all new constructions", "test": "test split"}[n] for n in whole["split"]]
    # From the bottom: wholes, the worst, room for a word on those left out, the best.
    heights = 1 + 0.6 * np.array([name.count("\n") for name in names])
    place = np.cumsum(heights) - heights / 2 + len(whole) + 0.5 * bool(len(whole)) - 0.5
    place[_SHOWN:] += 0.0 if few else 1.2
    ax = style.axes(ax, 1.3 + ROW * (place[-1] + 1))
    kinds = _kinds(single["split"], dependence)
    ax.axvline(0.0, color=MUTED, lw=0.8, zorder=1)
    bounds = (-1.0, 1.0)
    for kind, marker in (("structure", "D"), ("content", "s"), ("", "o")):
        chosen = np.array([found == kind for found in kinds])
        if chosen.any():
            marks.dots(
                ax, single[chosen], place[chosen],
                DEPENDENCE_COLORS.get(kind, MODEL_COLORS["hebbian"]), marker,
                label=f"{kind}-dependent" if kind else "other", bounds=bounds,
            )  # fmt: skip
    if len(whole):
        marks.dots(ax, whole, np.arange(len(whole)), INK, bounds=bounds)
    _name_rows(
        ax, [*wholes, *names], kinds=[""] * len(whole) + kinds,
        positions=[*range(len(whole)), *place], values=[*whole["mean"], *single["mean"]],
    )  # fmt: skip
    if not few:
        left = f"… {len(every) - len(single)} between them …"
        middle = place[_SHOWN - 1 : _SHOWN + 1].mean()
        ax.annotate(
            left, (0, middle), xycoords=("axes fraction", "data"), ha="right", va="center",
            xytext=(-4, 0), textcoords="offset points", color=MUTED, fontsize=SMALL,
        )  # fmt: skip
    ax.margins(x=0.04)
    ax.locator_params(axis="x", nbins=6)
    ax.set_xlabel(f"accuracy, Hebbian minus {MODEL_NAMES[rival]}")
    if any(kinds):
        marks.legend(ax, columns=3, side="right")
    return style.caption(
        ax,
        f"Hebbian minus {MODEL_NAMES[rival]} on new constructions: {wording.corpus_of(table)}",
        "Right of 0 the zero-label learner is better. "
        + ("" if few else f"{_SHOWN} best and {_SHOWN} worst of {len(every)}; "
           "all are in the results table. ")
        + "95\u00a0% interval by a two-level bootstrap "
        f"over training runs ({tables.count_note(single)}) and sentences."
        + tables.population_note(learner),
    )  # fmt: skip


@style.styled
def plot_timescales(
    results: DataFrame,
    *,
    split: str = "test",
    timescales: Sequence[float] = (),
    ax: Axes | None = None,
) -> Axes:
    """Accuracy of each single timescale, of the whole set, of its parts and of the controls.

    Parameters
    ----------
    timescales : sequence of float
        The whole set in tokens, which names its row.
    """
    table = tables.tidy(results)
    accuracy = tables.select(table, split=split, metric="accuracy")
    rows = tables.select(accuracy, model="hebbian")
    other = rows["condition"].str.contains(r"\b(?:labels|minus|tokens)=")
    rows = tables.need(rows[~other], f"accuracy of the learner on {split}")
    order = rows["condition"].map(lambda text: _condition_order(tables.words(text)))
    rows = rows.loc[sorted(rows.index, key=lambda i: order[i])]
    said = [tables.words(condition) for condition in rows["condition"]]

    # Half a row of room between single timescales, whole set, parts and controls.
    groups = [_condition_order(words)[0] for words in said]
    steps = np.cumsum([0.0] + [1.0 if a == b else 1.5 for a, b in itertools.pairwise(groups)])
    place = steps[-1] - steps
    ax = style.axes(ax, 1.2 + ROW * (place[0] + 1))
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
            marks.dots(ax, rows[chosen], place[chosen], **look)
    names = [_condition_name(words, timescales) for words in said]
    _name_rows(ax, names, positions=place, values=rows["mean"])
    inside = [(model, mean) for model, mean in named if mean >= start]
    outside = [f"{MODEL_NAMES[model]} {mean:.3f}" for model, mean in named if mean < start]
    for model, mean in inside:
        ax.axvline(mean, color=MODEL_COLORS[model], lw=0.9, ls=marks.DASHES, zorder=1)
    ax.margins(x=0.06)
    if not near.all():
        ax.plot(
            [0.018] * int((~near).sum()), place[~near], "<", color=MUTED,
            label="left of the axis", transform=ax.get_yaxis_transform(),
        )  # fmt: skip
    ax.set_xlabel("accuracy (fraction of tokens)")
    ends = [(MODEL_NAMES[model], mean, MODEL_COLORS[model]) for model, mean in inside]
    marks.name_ends(ax, ends, above=True)
    return style.caption(
        ax,
        f"Accuracy by timescale: {wording.where(table, split)}",
        f"{tables.interval_note(rows)} τ in tokens"
        + ("; dashed: means of baselines." if inside else ".")
        + ("" if near.all() else " Triangle: left of the axis.")
        + (f" Not shown: {', '.join(outside)}." if outside else ""),
    )


def _start(values: NDArray[np.float64], lines: Sequence[float]) -> float:
    """Left end of the axis; excludes values so low that the others could not be told apart.

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


def _name_rows(
    ax: Axes,
    names: Sequence[str],
    *,
    kinds: Sequence[str] = (),
    positions: Sequence[float] | None = None,
    values: Sequence[float] = (),
) -> None:
    """Name the rows of a dot plot, with guide lines and values at the right edge."""
    places = range(len(names)) if positions is None else positions
    ax.set_yticks(list(places), names)
    for label, kind in zip(ax.get_yticklabels(), kinds or [""] * len(names), strict=True):
        label.set(color=DEPENDENCE_COLORS.get(kind, INK), linespacing=1.0)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_ylim(min(places) - 0.6, max(places) + 0.6)
    signed = "+" if any(value < 0 for value in values) else ""  # differences
    for place, value in zip(places, values, strict=False):
        text = f"{value:{signed}.3f}"
        if not float(text):
            text = "0.000"  # no sign where no digit is left
        ax.annotate(
            text.replace("-", "\u2212"), (1.0, place), xycoords=("axes fraction", "data"),
            xytext=(5, 0), textcoords="offset points", va="center", fontsize=SMALL, color=MUTED,
        )  # fmt: skip


def _kinds(names: Sequence[str], dependence: Mapping[str, str] | None) -> list[str]:
    """``structure``, ``content`` or nothing, for each name."""
    kinds = [(dependence or {}).get(name, "") for name in names]
    return [kind if kind in DEPENDENCE_COLORS else "" for kind in kinds]


def colour_note(roles: Sequence[str], dependence: Mapping[str, str] | None) -> str:
    """A sentence on the meaning of coloured names, for the note below a figure."""
    hues = {"structure": "green", "content": "purple"}
    kinds = _kinds(roles, dependence)
    said = [f"{hue}: {kind}-dependent" for kind, hue in hues.items() if kind in kinds]
    return f" Names of roles in {'; in '.join(said)}." if said else ""


def _condition_order(words: Mapping[str, str]) -> tuple[int, float, str]:
    """Sort key: single timescales, the whole set, its parts, controls, everything else."""
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
