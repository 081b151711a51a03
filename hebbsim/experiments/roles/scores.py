"""From predicted roles to the tables of the roles experiment; nothing here learns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines import LookupBaseline
from hebbsim.experiments.roles.data import Gold
from hebbsim.probes import (
    SplitStructure,
    accuracy,
    compare,
    decide_roles,
    decide_split,
    label_equivalence,
    role_scores,
    seed_interval,
    sentence_sums,
    verdicts,
)
from hebbsim.probes.bootstrap import Estimate
from hebbsim.readers.base import Corpus, Split
from hebbsim.rivals import RIVALS
from hebbsim.runs.results import Row, Score, row

#: Models whose results do not vary with a seed.
UNTRAINED = ("lookup", "majority")
#: Predicted roles by split, as codes of `Gold.names`.
Codes = dict[str, NDArray[np.int16]]


def named_on_dev(
    mapping: Callable[[NDArray[np.bool_]], Callable[[str], NDArray[np.str_]]],
    dev: Split,
    scored: Iterable[str],
) -> dict[str, NDArray[np.str_]]:
    """Roles of every split, its clusters named by all of dev.

    On dev itself, either half of the sentences is named by the other.

    Parameters
    ----------
    mapping : callable
        Given which tokens of dev name clusters, shape=(T,), it gives what names those of a split.
    dev : Split
    scored : iterable of str
        Names of splits.
    """
    name = mapping(np.full(dev.n_tokens, True))
    found = {split: name(split) for split in scored if split != "dev"}
    if dev.n_sentences > 1:
        half = np.repeat(np.arange(dev.n_sentences) % 2 == 0, np.diff(dev.offsets))
        found["dev"] = np.where(half, mapping(~half)("dev"), mapping(half)("dev"))
    return found


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
        models = ("hebbian", "bigru", "lookup", "majority", *RIVALS)
        rank = {model: place for place, model in enumerate(models)}
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
        self, model: str, condition: str, split: str, role: int | None = None
    ) -> NDArray[np.int64] | None:
        """Right tokens of each sentence in every run, shape=(S, D, N): seeds, draws, sentences.

        With `role`, a code of `Gold.names`, of its tokens alone. None where nothing was
        predicted.
        """
        runs = [
            [codes[split] for codes in draws if split in codes]
            for draws in dict(sorted(self._codes.get((model, condition), {}).items())).values()
        ]
        draws = min(map(len, runs), default=0)
        if not draws:
            return None
        gold, offsets = self.gold.codes[split], self.gold.offsets[split]
        wanted = slice(None) if role is None else gold == role

        def right(codes: NDArray[np.int16]) -> NDArray[np.int64]:
            hit = np.zeros(len(gold), dtype=bool)
            hit[wanted] = codes[wanted] == gold[wanted]
            return sentence_sums(hit, offsets)

        return np.array([[right(codes) for codes in of_seed[:draws]] for of_seed in runs])

    def totals(self, split: str, role: int | None = None) -> NDArray[np.int64]:
        """Tokens of each sentence, or those of one role, shape=(N,)."""
        gold, offsets = self.gold.codes[split], self.gold.offsets[split]
        return np.diff(offsets) if role is None else sentence_sums(gold == role, offsets)

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


_KEYS = (
    "members", "K", "readout", "labels", "codes", "tokens", "view", "tau", "shuffled", "prototypes",
    "part", "rule", "layer", "learning", "word_layers",
)  # fmt: skip


def _reading_order(condition: str) -> list[tuple[int, float, str]]:
    """Sort key: the single learner, then each population; numbers by size before ``all``.

    Within each, plain runs by either read-out, those with few labels, parts, controls.
    """
    words = _words(condition)
    key = [(0, float(words.pop("members", 1)), "")]
    for name, value in words.items():
        try:
            key.append((_KEYS.index(name), float(value), ""))
        except ValueError:
            key.append((_KEYS.index(name), float("inf"), value))
    return key


@dataclass(frozen=True)
class Compared:
    """The learner against a rival on one split, or on one role of it.

    `table` names the comparisons that `corrected` is corrected over (Holm); `verdict` follows
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

    Parameters
    ----------
    cells : iterable of (condition, rival, rival's condition, split, role)
        Of the learner and of the model it is compared with; `role` is a code or None.
        A cell that was not measured is left out. Where both conditions name the same
        labelled sentences, draw d of one is paired with draw d of the other.
    """
    found = []
    for condition, rival, versus, split, role in cells:
        theirs = runs.correct(rival, versus, split, role)
        if theirs is None:
            continue
        mine, totals = runs.correct("hebbian", condition, split, role), runs.totals(split, role)
        if mine is None or not totals.any():
            continue
        paired = rival == "bigru" and "labels" in _words(condition)
        seeds, draws = len(theirs), 1
        if paired:  # a BiGRU is trained once on every draw
            theirs = theirs.transpose(1, 0, 2)
            draws = min(mine.shape[1], theirs.shape[1])
            mine, theirs = mine[:, :draws], theirs[:, :draws]
        result = compare(
            mine, theirs, totals, paired_draws=paired, other_is_trained=rival not in UNTRAINED
        )
        total = totals.sum()
        low_high = [_finite(*estimate) for estimate in (result.difference, result.ratio)]
        (difference, low, high), (ratio, ratio_low, ratio_high) = low_high
        found.append(
            Compared(
                table=table,
                corpus=runs.corpus,
                split=split,
                role=None if role is None else str(runs.gold.names[role]),
                condition=condition,
                rival=rival,
                rival_condition=versus,
                metric="accuracy" if role is None else "recall",
                value=float(mine.mean(axis=(0, 1)).sum() / total),
                other=float(theirs.mean(axis=(0, 1)).sum() / total),
                difference=difference,
                low=low,
                high=high,
                p=_finite(result.p)[0],
                corrected=None,
                verdict="",
                ratio=ratio,
                ratio_low=ratio_low,
                ratio_high=ratio_high,
                seeds=len(mine),
                rival_seeds=seeds,
                draws=draws,
                sentences=len(totals),
            )
        )
    corrected = verdicts(
        [each.difference for each in found],
        [np.nan if each.p is None else each.p for each in found],
    )
    return [
        replace(each, corrected=_finite(p)[0], verdict=verdict)
        for each, (p, verdict) in zip(found, corrected, strict=True)
    ]


def _finite(*values: float) -> list[Any]:
    return [float(value) if np.isfinite(value) else None for value in values]


def comparisons(
    runs: Runs, main: Sequence[str], rivals: Mapping[str, tuple[str, str]], labels: Sequence[int]
) -> list[Compared]:
    """Every table of comparisons: overall, by generalization split, by role.

    Parameters
    ----------
    main : sequence of str
        Conditions of the learner, its clusters named by all of dev.
    rivals : mapping of str to (model, condition)
        By name. Splits and roles are compared with the first one.
    labels : sequence of int
        Numbers of labelled sentences with which learner and BiGRU are compared as well.
    """
    wholes = [split for split in ("test", "gen") if split in runs.gold.codes]
    splits = [split for split in runs.gold.codes if split.startswith("gen/")]
    roles = [
        (split, role) for split in wholes for role in np.unique(runs.gold.codes[split]).tolist()
    ]
    found: list[Compared] = []
    for condition in main:
        name, _, readout = condition.partition(" readout=")
        soft = f" readout={readout}" if readout else ""
        few = {n: f"{name} labels={n}{soft}" for n in labels}
        found += compared(
            runs,
            f"overall {condition}",
            [(condition, *rival, split, None) for rival in rivals.values() for split in wholes],
        )
        found += compared(
            runs,
            f"overall {name} labels=few{soft}",
            [
                (words, "bigru", f"labels={n}", split, None)
                for n, words in few.items()
                for split in wholes
            ],
        )
        first = next(iter(rivals.values()), ("bigru", "labels=all"))
        against = {condition: first} | {w: ("bigru", f"labels={n}") for n, w in few.items()}
        for words, rival in against.items():
            found += compared(
                runs, f"splits {words}", [(words, *rival, split, None) for split in splits]
            )
            found += compared(
                runs, f"roles {words}", [(words, *rival, split, role) for split, role in roles]
            )
    return found


def rival_comparisons(
    runs: Runs, main: Sequence[str], rivals: Sequence[str], k: str
) -> list[Compared]:
    """The learner against each rival that learns without labels, named in the same way.

    Parameters
    ----------
    main : sequence of str
        Conditions of the learner, its clusters named by all of dev.
    rivals : sequence of str
    k : str
        Condition of the rivals, but for the read-out.
    """
    wholes = [split for split in ("test", "gen") if split in runs.gold.codes]
    found: list[Compared] = []
    for condition in main:
        _, _, readout = condition.partition(" readout=")
        versus = f"{k} readout={readout}" if readout else k
        cells = [(condition, rival, versus, split, None) for rival in rivals for split in wholes]
        found += compared(runs, f"rivals {condition}", cells)
    return found


def comparison_rows(found: Iterable[Compared], rivals: Mapping[str, tuple[str, str]]) -> list[Row]:
    """Accuracy of the learner minus and over that of each rival, as rows of the results.

    ``minus=NAME`` and ``over=NAME`` in the condition name the rival; n counts the learner's
    seeds.
    """
    names = {rival: name for name, rival in rivals.items()}
    rows = []
    for each in found:
        if each.role is not None:
            continue
        same = "labels" in _words(each.condition)
        name = "bigru/same" if same else names.get((each.rival, each.rival_condition), each.rival)
        for metric, word, estimate in (
            ("accuracy_difference", "minus", (each.difference, each.low, each.high)),
            ("accuracy_ratio", "over", (each.ratio, each.ratio_low, each.ratio_high)),
        ):
            mean, low, high = estimate
            if mean is not None:
                rows.append(
                    Row(each.corpus, each.split, "hebbian", f"{each.condition} {word}={name}",
                        metric, None, mean, low, high, each.seeds)
                )  # fmt: skip
    return rows


def equivalences(runs: Runs, hebbian: str, n_train: int) -> list[Row]:
    """Labelled sentences with which the BiGRU does as well as a Hebbian run.

    ``curve=below`` or ``curve=above`` in the condition says that the value is an end of
    the label curve, and that the answer lies beyond it. Nothing where the points of the
    curve do not allow a number.
    """
    points: dict[int, str] = {}
    for (model, condition), _ in runs.items():
        words = _words(condition)
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
        measured = [point[:, 0] for point in curve if point is not None]
        if target is None or len(measured) < len(curve):
            continue
        found = label_equivalence(labels, measured, target[:, 0])
        if found is None:
            continue
        beyond = "" if found.place == "within" else f" curve={found.place}"
        key = _key(runs, split, hebbian + beyond, "label_equivalence", "sentences")
        rows.append(row(key, Estimate(*found[:3]), len(target)))
    return rows


def _words(condition: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in condition.split())


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

    `lookup` and `traces` are F1 on dev for a role. For a split, the numbers are those of
    a sibling corpus (`hebbsim.readers.siblings`): `lookup` is the accuracy of its look-up
    on its split of that name, `lookup_dev` on its dev, and `share` the part of the errors
    on roles that structure decides. A split that the sibling lacks is ``not judged``. See
    `hebbsim.probes.structure`.
    """

    kind: str
    name: str
    decided: str
    lookup: float | None = None
    traces: float | None = None
    lookup_dev: float | None = None
    share: float | None = None


def structure_table(runs: Runs, traces: str, sibling: Corpus | None) -> list[Structure]:
    """The definition of structure dependence, applied.

    Parameters
    ----------
    traces : str
        Condition of the traces-only run.
    sibling : Corpus or None
        What `hebbsim.readers.siblings.sibling_of` makes of the corpus that is scored.
    """
    by_lookup, by_traces = runs.f1("lookup", "", "dev"), runs.f1("hebbian", traces, "dev")
    decided = decide_roles(by_lookup, by_traces)
    table = [Structure("role", r, d, by_lookup[r], by_traces[r]) for r, d in decided.items()]
    found = _judge(sibling, {role for role, d in decided.items() if d == "structure"})
    for split in runs.gold.codes:
        if split in found:
            table.append(Structure("split", split, **found[split]._asdict()))
        elif split.startswith("gen/"):
            table.append(Structure("split", split, "not judged"))
    return table


def _judge(sibling: Corpus | None, structure_roles: set[str]) -> dict[str, SplitStructure]:
    """Which generalization splits of a sibling corpus turn on structure."""
    if sibling is None or sibling.layer is None:
        return {}
    gold = {name: split.layers[sibling.layer] for name, split in sibling.splits.items()}
    model = LookupBaseline().fit(sibling.splits["train"].sentences(), gold["train"])
    lookup = {name: model.predict(split.sentences()) for name, split in sibling.splits.items()}
    on_dev = accuracy(gold["dev"], lookup["dev"])
    return {
        name: decide_split(
            gold[name], lookup[name], lookup_dev=on_dev, structure_roles=structure_roles
        )
        for name in gold
        if name.startswith("gen/")
    }


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
