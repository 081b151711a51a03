"""From predicted roles to the tables of the roles experiment; nothing here learns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbsim.experiments.results import Row, Score, row
from hebbsim.experiments.roles_data import Gold
from hebbsim.probes import (
    accuracy,
    compare,
    decide_roles,
    decide_split,
    label_equivalence,
    role_scores,
    seed_interval,
    sentence_correct,
)
from hebbsim.probes.bootstrap import Estimate

#: Predicted roles by split, as codes of `Gold.names`.
Codes = dict[str, NDArray[np.int16]]


class Runs:
    """Predicted roles of every model and condition, by seed and, within a seed, by draw."""

    def __init__(self, corpus: str, gold: Gold) -> None:
        self.corpus = corpus
        self.gold = gold
        self._codes: dict[tuple[str, str], dict[int, list[Codes]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def add(
        self, model: str, condition: str, seed: int, predicted: dict[str, NDArray[np.str_]]
    ) -> None:
        """Keep one prediction; another of the same seed counts as a further draw."""
        self._codes[model, condition][seed].append(self.gold.encode(predicted))

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._codes

    def items(self) -> Iterator[tuple[tuple[str, str], dict[int, list[Codes]]]]:
        """Models and conditions in the order of the tables, whatever the order of arrival."""
        rank = {"hebbian": 0, "bigru": 1, "lookup": 2, "majority": 3}
        for key in sorted(self._codes, key=lambda k: (rank[k[0]], _reading_order(k[1]))):
            yield key, dict(sorted(self._codes[key].items()))

    def roles(self, model: str, condition: str, split: str) -> NDArray[np.str_] | None:
        """Predicted role of every token in the first run of a model, shape=(T,)."""
        for draws in self._codes.get((model, condition), {}).values():
            for codes in draws:
                if split in codes:
                    return self.gold.names[codes[split]]
        return None

    def correct(
        self, model: str, condition: str, split: str, seed: int | None = None
    ) -> NDArray[np.float64] | None:
        """Right tokens of each sentence, mean over seeds (or of one) and draws, shape=(N,)."""
        gold, offsets = self.gold.codes[split], self.gold.offsets[split]
        seeds = self._codes[model, condition]
        chosen = seeds.values() if seed is None else [seeds[seed]]
        draws = [codes for draws in chosen for codes in draws if split in codes]
        if not draws:
            return None
        return np.mean([sentence_correct(gold, d[split], offsets) for d in draws], axis=0)

    def f1(self, model: str, condition: str, split: str) -> dict[str, float]:
        """F1 of each role on a split, mean over seeds and draws."""
        found: dict[str, list[float]] = defaultdict(list)
        for draws in self._codes[model, condition].values():
            for codes in draws:
                for s in role_scores(self.gold.codes[split], codes[split], self.gold.names):
                    found[s.role].append(s.f1)
        return {role: float(np.mean(values)) for role, values in found.items()}

    def scores(self) -> list[Score]:
        """Accuracy, recall, precision and F1 of all runs, one value a seed.

        Scores by role are given for dev, test and ``gen``, and for the single
        generalization splits where the model is a plain one.
        """
        return [
            Score(self.corpus, split, model, condition, metric, role, seed, value)
            for (model, condition), seeds in self.items()
            for split in self.gold.codes
            for seed, draws in seeds.items()
            if all(split in codes for codes in draws)
            for (metric, role), value in self._measure(
                split, draws, by_role=not split.startswith("gen/") or is_plain(model, condition)
            ).items()
        ]

    def _measure(
        self, split: str, draws: list[Codes], *, by_role: bool
    ) -> dict[tuple[str, str | None], float]:
        gold = self.gold.codes[split]
        values: dict[tuple[str, str | None], list[float]] = defaultdict(list)
        for codes in draws:
            values["accuracy", None].append(accuracy(gold, codes[split]))
            if by_role:
                for s in role_scores(gold, codes[split], self.gold.names):
                    values["recall", s.role].append(s.recall)
                    values["precision", s.role].append(s.precision)
                    values["f1", s.role].append(s.f1)
        return {key: float(np.mean(each)) for key, each in values.items()}


def is_plain(model: str, condition: str) -> bool:
    """Whether a condition is the model's reference run."""
    words = {word.split("=")[0] for word in condition.split()} - {"K", "members"}
    return words == ({"labels"} if model == "bigru" else set()) and (
        model != "bigru" or condition == "labels=all"
    )


_WORDS = ("members", "K", "readout", "labels", "codes", "view", "tau", "shuffled")


def _reading_order(condition: str) -> list[tuple[int, float, str]]:
    """Sort key: the single learner, then each population; numbers by size before ``all``.

    Within each, plain runs by either read-out, those with few labels, parts, controls.
    """
    words = dict(word.partition("=")[::2] for word in condition.split())
    key = [(0, float(words.pop("members", 1)), "")]
    for name, value in words.items():
        try:
            key.append((_WORDS.index(name), float(value), ""))
        except ValueError:
            key.append((_WORDS.index(name), float("inf"), value))
    return key


def comparisons(runs: Runs, hebbian: str, rivals: dict[str, tuple[str, str]]) -> list[Row]:
    """Accuracy of a Hebbian run minus and over that of rivals, split by split.

    Parameters
    ----------
    hebbian : str
        Condition of the Hebbian run.
    rivals : dict of str to (model, condition)
        By the name that the row's condition gives them.

    Returns
    -------
    list of Row
        ``accuracy_difference`` (``minus=NAME``) and ``accuracy_ratio`` (``over=NAME``)
        with intervals of a paired bootstrap over the n sentences of the split.
    """
    rows = []
    for name, (model, condition) in rivals.items():
        for split in runs.gold.codes:
            mine, theirs = runs.correct("hebbian", hebbian, split), None
            if (model, condition) in runs:
                theirs = runs.correct(model, condition, split)
            if mine is None or theirs is None:
                continue
            found = compare(mine, theirs, np.diff(runs.gold.offsets[split]))
            for metric, word, estimate in (
                ("accuracy_difference", "minus", found.difference),
                ("accuracy_ratio", "over", found.ratio),
            ):
                if np.isfinite(estimate.mean):
                    key = _key(runs, split, f"{hebbian} {word}={name}", metric, "fraction")
                    rows.append(row(key, estimate, len(mine)))
    return rows


def equivalences(runs: Runs, hebbian: str, n_train: int) -> list[Row]:
    """Labelled sentences with which the BiGRU does as well as a Hebbian run.

    ``curve=below`` or ``curve=above`` in the condition says that the value is an end of
    the label curve, and that the answer lies beyond it.
    """
    points: dict[int, str] = {}
    for (model, condition), _ in runs.items():
        words = dict(word.split("=", 1) for word in condition.split())
        if model == "bigru" and words.keys() == {"labels"}:
            if words["labels"].isdigit():
                points[int(words["labels"])] = condition
            elif words["labels"] == "all":
                points[n_train] = condition
    rows = []
    for split in ("test", "gen"):
        if split not in runs.gold.codes or len(points) < 2:
            continue
        labels = sorted(points)
        curve = [runs.correct("bigru", points[n], split) for n in labels]
        target = runs.correct("hebbian", hebbian, split)
        if target is None or any(point is None for point in curve):
            continue
        found = label_equivalence(labels, np.array(curve), target)
        beyond = "" if found.place == "within" else f" curve={found.place}"
        key = _key(runs, split, hebbian + beyond, "label_equivalence", "sentences")
        rows.append(row(key, Estimate(*found[:3]), len(target)))
    return rows


def _key(runs: Runs, split: str, condition: str, metric: str, unit: str) -> Score:
    return Score(runs.corpus, split, "hebbian", condition, metric, None, 0, np.nan, unit)


@dataclass(frozen=True)
class Construction:
    """Accuracy of one model on the sentences of one kind in one split."""

    corpus: str
    split: str
    kind: str
    model: str
    condition: str
    mean: float
    low: float | None
    high: float | None
    n: int
    tokens: int


def constructions(runs: Runs) -> list[Construction]:
    """Accuracy of the reference runs by construction, with intervals over seeds."""
    records = []
    for split, kinds in runs.gold.kinds.items():
        if kinds is None:
            continue
        gold, offsets = runs.gold.codes[split], runs.gold.offsets[split]
        lengths = np.diff(offsets)
        for kind in np.unique(kinds):
            of_kind = np.repeat(kinds == kind, lengths)
            for (model, condition), seeds in runs.items():
                if not is_plain(model, condition) or not of_kind.any():
                    continue
                values = [
                    float(np.mean([accuracy(gold[of_kind], d[split][of_kind]) for d in draws]))
                    for draws in seeds.values()
                    if all(split in d for d in draws)
                ]
                if values:
                    mean, low, high = (
                        float(x) if np.isfinite(x) else None for x in seed_interval(values)
                    )
                    assert mean is not None
                    records.append(
                        Construction(
                            runs.corpus, split, str(kind), model, condition,
                            mean, low, high, len(values), int(of_kind.sum()),
                        )
                    )  # fmt: skip
    return records


@dataclass(frozen=True)
class Structure:
    """What decides a role (from F1 on dev) or whether a split turns on structure.

    `lookup` and `traces` are F1 on dev for a role. For a split, `lookup` is its accuracy
    there, `lookup_dev` on dev, and `share` the part of its errors on roles that
    structure decides. See `hebbsim.probes.structure`.
    """

    kind: str
    name: str
    decided: str
    lookup: float
    traces: float | None = None
    lookup_dev: float | None = None
    share: float | None = None


def structure_table(runs: Runs, traces: str) -> list[Structure]:
    """The definition of structure dependence, applied; `traces` names the traces-only run."""
    gold, names = runs.gold, runs.gold.names
    by_lookup, by_traces = runs.f1("lookup", "", "dev"), runs.f1("hebbian", traces, "dev")
    decided = decide_roles(by_lookup, by_traces)
    table = [Structure("role", r, d, by_lookup[r], by_traces[r]) for r, d in decided.items()]
    correct = runs.correct("lookup", "", "dev")
    assert correct is not None
    lookup_dev = float(correct.sum() / len(gold.codes["dev"]))
    of_structure = {role for role, d in decided.items() if d == "structure"}
    (draws,) = next(seeds for (model, _), seeds in runs.items() if model == "lookup").values()
    for split in gold.codes:
        if split.startswith("gen/"):
            found = decide_split(
                names[gold.codes[split]],
                names[draws[0][split]],
                lookup_dev=lookup_dev,
                structure_roles=of_structure,
            )
            table.append(
                Structure("split", split, found.decided, found.lookup,
                          lookup_dev=found.lookup_dev, share=found.share)
            )  # fmt: skip
    return table


@dataclass(frozen=True)
class Cluster:
    """A cluster of a learner on text without roles, by its commonest words."""

    cluster: int
    tokens: int
    words: str


def clusters(ids: NDArray[np.integer], forms: NDArray[np.str_]) -> list[Cluster]:
    """The clusters of all tokens, the largest first, each with its ten commonest words."""
    words: dict[int, Counter[str]] = defaultdict(Counter)
    for cluster, word in zip(ids.tolist(), forms.tolist(), strict=True):
        words[cluster][word] += 1
    table = [
        Cluster(cluster, sum(count.values()), " ".join(w for w, _ in count.most_common(10)))
        for cluster, count in words.items()
    ]
    return sorted(table, key=lambda record: (-record.tokens, record.cluster))
