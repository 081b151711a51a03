"""Compares the learner with its rivals: differences, ratios and verdicts by table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hebbsim.conditions import words
from hebbsim.experiments.roles.scores import Runs, finite
from hebbsim.probes import compare, label_equivalence, verdicts
from hebbsim.runs.results import Row

#: Models that do not depend on a seed.
UNTRAINED = ("lookup", "majority")


@dataclass(frozen=True)
class Compared:
    """Comparison of the learner with a rival on one split, or on one role of it.

    `corrected` is p corrected (Holm) over the comparisons with the same `table`; `verdict` follows
    the rule of `hebbsim.probes.comparison`. Interval and p are None where training ran once.
    """

    table: str
    corpus: str
    split: str
    role: str | None
    condition: str
    rival: str
    rival_condition: str
    metric: str
    value: float
    other: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    corrected: float | None
    verdict: str
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    seeds: int
    rival_seeds: int
    draws: int
    sentences: int


def compared(
    runs: Runs, table: str, cells: Iterable[tuple[str, str, str, str, int | None]]
) -> list[Compared]:
    """Comparisons of one table, with p corrected over all of them.

    `cells` are (condition, rival, rival's condition, split, role); `role` is a code or None. Cells
    that were not measured are left out. If both conditions use the same labelled sentences, draw d
    of one is paired with draw d of the other.
    """
    found = []
    for condition, rival, versus, split, role in cells:
        theirs = runs.correct(rival, versus, split, role)
        if theirs is None:
            continue
        mine, totals = runs.correct("hebbian", condition, split, role), runs.totals(split, role)
        if mine is None or not totals.any():
            continue
        paired = rival == "bigru" and "labels" in words(condition)
        seeds, draws = len(theirs), 1
        if paired:  # a BiGRU is trained once on every draw
            theirs = theirs.transpose(1, 0, 2)
            draws = min(mine.shape[1], theirs.shape[1])
            mine, theirs = mine[:, :draws], theirs[:, :draws]
        result = compare(
            mine, theirs, totals, paired_draws=paired, other_is_trained=rival not in UNTRAINED
        )
        total = totals.sum()
        difference, low, high = finite(*result.difference)
        ratio, ratio_low, ratio_high = finite(*result.ratio)
        found.append(
            Compared(
                table=table, corpus=runs.corpus, split=split,
                role=None if role is None else str(runs.gold.names[role]),
                condition=condition, rival=rival, rival_condition=versus,
                metric="accuracy" if role is None else "recall",
                value=float(mine.mean(axis=(0, 1)).sum() / total),
                other=float(theirs.mean(axis=(0, 1)).sum() / total),
                difference=difference, low=low, high=high,
                p=finite(result.p)[0], corrected=None, verdict="",
                ratio=ratio, ratio_low=ratio_low, ratio_high=ratio_high,
                seeds=len(mine), rival_seeds=seeds, draws=draws, sentences=len(totals),
            )
        )  # fmt: skip
    p = [np.nan if each.p is None else each.p for each in found]
    corrected = verdicts([each.difference for each in found], p)
    return [
        replace(each, corrected=finite(p)[0], verdict=verdict)
        for each, (p, verdict) in zip(found, corrected, strict=True)
    ]


def comparisons(
    runs: Runs, main: Sequence[str], rivals: Mapping[str, tuple[str, str]], labels: Sequence[int]
) -> list[Compared]:
    """Every table of comparisons: overall, by generalization split, by role.

    `main` are conditions of the learner with clusters named by all of dev. `rivals` are (model,
    condition) by name; splits and roles are compared with the first one only. `labels` are numbers
    of labelled sentences for further comparisons of learner and BiGRU.
    """
    wholes = [split for split in ("test", "gen") if split in runs.gold.codes]
    splits = [split for split in runs.gold.codes if split.startswith("gen/")]
    roles = [
        (split, role) for split in wholes for role in np.unique(runs.gold.codes[split]).tolist()
    ]
    found: list[Compared] = []
    for condition in main:
        name, readout, kind = condition.partition(" readout=")
        few = {f"{name} labels={n}{readout}{kind}": ("bigru", f"labels={n}") for n in labels}
        first = next(iter(rivals.values()), ("bigru", "labels=all"))
        pairs = {
            f"overall {condition}": [(condition, *rival) for rival in rivals.values()],
            f"overall {name} labels=few{readout}{kind}": [(c, *rival) for c, rival in few.items()],
        }
        for table, of in pairs.items():
            found += compared(runs, table, [(*p, split, None) for p in of for split in wholes])
        for said, rival in {condition: first, **few}.items():
            cells = [(said, *rival, split, None) for split in splits]
            found += compared(runs, f"splits {said}", cells)
            found += compared(runs, f"roles {said}", [(said, *rival, *role) for role in roles])
    return found


def rival_comparisons(
    runs: Runs, main: Sequence[str], rivals: Sequence[str], k: str
) -> list[Compared]:
    """The learner in conditions `main` compared with each rival, whose condition is `k`."""
    wholes = [split for split in ("test", "gen") if split in runs.gold.codes]
    found: list[Compared] = []
    for condition in main:
        versus = k + "".join(condition.partition(" readout=")[1:])
        cells = [(condition, rival, versus, split, None) for rival in rivals for split in wholes]
        found += compared(runs, f"rivals {condition}", cells)
    return found


def comparison_rows(found: Iterable[Compared], rivals: Mapping[str, tuple[str, str]]) -> list[Row]:
    """Difference (``minus=NAME``) and ratio (``over=NAME``) to each rival, as result rows."""
    names = {rival: name for name, rival in rivals.items()}
    rows = []
    for each in found:
        if each.role is not None:
            continue
        same = "labels" in words(each.condition)
        name = "bigru/same" if same else names.get((each.rival, each.rival_condition), each.rival)
        for metric, word, mean, low, high in (
            ("accuracy_difference", "minus", each.difference, each.low, each.high),
            ("accuracy_ratio", "over", each.ratio, each.ratio_low, each.ratio_high),
        ):
            condition = f"{each.condition} {word}={name}"
            if mean is not None:
                rows.append(
                    Row(each.corpus, each.split, "hebbian", condition, metric, None,
                        mean, low, high, each.seeds)
                )  # fmt: skip
    return rows


def equivalences(runs: Runs, hebbian: str, n_train: int) -> list[Row]:
    """Number of labelled sentences with which the BiGRU is as accurate as a Hebbian run.

    ``curve=below`` or ``curve=above`` in the condition means that the number lies beyond the label
    curve, and the value is the end of the curve. No row if the curve does not determine a number.
    """
    points: dict[int, str] = {}
    for (model, condition), _ in runs.items():
        name, _, labels = condition.partition("labels=")
        if model == "bigru" and not name and (labels.isdigit() or labels == "all"):
            points[n_train if labels == "all" else int(labels)] = condition
    rows = []
    for split in ("test", "gen"):
        if split not in runs.gold.codes or len(points) < 2:
            continue
        curve = [runs.correct("bigru", points[n], split) for n in sorted(points)]
        target = runs.correct("hebbian", hebbian, split)
        measured = [point[:, 0] for point in curve if point is not None]
        if target is None or len(measured) < len(curve):
            continue
        found = label_equivalence(sorted(points), measured, target[:, 0])
        if found is None:
            continue
        beyond = "" if found.place == "within" else f" curve={found.place}"
        mean, low, high = finite(*found[:3])
        rows.append(
            Row(runs.corpus, split, "hebbian", hebbian + beyond, "label_equivalence", None,
                mean, low, high, len(target), "sentences")
        )  # fmt: skip
    return rows
