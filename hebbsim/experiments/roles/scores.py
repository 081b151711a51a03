"""Predicted roles, their cached form, and their scores for the tables of the roles experiment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.conditions import words
from hebbsim.experiments.roles.data import Gold
from hebbsim.probes import accuracy, role_scores, seed_interval, sentence_sums
from hebbsim.readers.base import Split
from hebbsim.rivals import RIVALS
from hebbsim.runs.costs import Cost
from hebbsim.runs.results import Score
from hebbsim.runs.resume import StepResult

#: Predicted role of every token, by split.
Roles = dict[str, NDArray[np.str_]]
#: Predicted roles by split, as codes of `Gold.names`.
Codes = dict[str, NDArray[np.int16]]


def named_on_dev(
    mapping: Callable[[NDArray[np.bool_]], Callable[[str], NDArray[np.str_]]],
    dev: Split,
    scored: Iterable[str],
) -> dict[str, NDArray[np.str_]]:
    """Roles of every split in `scored`, with clusters named by all of dev.

    On dev itself, each half of the sentences is named by the other half. `mapping` receives a mask
    of the dev tokens that name clusters, shape=(T,), and returns a function that predicts the roles
    of a split.
    """
    name = mapping(np.full(dev.n_tokens, True))
    found = {split: name(split) for split in scored if split != "dev"}
    if dev.n_sentences > 1:
        half = np.repeat(np.arange(dev.n_sentences) % 2 == 0, np.diff(dev.offsets))
        found["dev"] = np.where(half, mapping(~half)("dev"), mapping(half)("dev"))
    return found


@dataclass
class Measured:
    """What one step of a run measured."""

    #: Model, condition, seed, and roles by split.
    predicted: list[tuple[str, str, int, Roles]] = field(default_factory=list)
    #: Scores that do not follow from predicted roles.
    scores: list[Score] = field(default_factory=list)
    #: By split, the nearest cluster of every token, shape=(T,), for the learner of seed 0.
    winners: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)

    def as_step(self, gold: Gold) -> StepResult:
        """Convert to arrays and a JSON document; roles become codes of `gold`."""
        arrays: dict[str, NDArray[Any]] = {
            f"{number} {split}": gold.encode({split: roles})[split]
            for number, (*_, predicted) in enumerate(self.predicted)
            for split, roles in predicted.items()
        }
        arrays |= {f"winners {split}": ids for split, ids in self.winners.items()}
        document = {
            "keys": [key for *key, _ in self.predicted],
            "scores": [asdict(score) for score in self.scores],
            "costs": [asdict(cost) for cost in self.costs],
        }
        return StepResult(arrays, document)

    @classmethod
    def of_step(cls, step: StepResult, gold: Gold) -> Measured:
        """The inverse of `as_step`."""
        by_part: dict[str, dict[str, NDArray[Any]]] = {}
        for key, array in step.arrays.items():
            part, _, split = key.partition(" ")
            by_part.setdefault(part, {})[split] = array
        return cls(
            [
                (model, condition, seed,
                 {split: gold.names[codes] for split, codes in by_part.get(str(n), {}).items()})
                for n, (model, condition, seed) in enumerate(step.document["keys"])
            ],
            [Score(**score) for score in step.document["scores"]],
            by_part.get("winners", {}),
            [Cost(**cost) for cost in step.document["costs"]],
        )  # fmt: skip


class Runs:
    """Predicted roles of every model and condition, by seed and, within a seed, by draw."""

    def __init__(self, corpus: str, gold: Gold) -> None:
        self.corpus, self.gold = corpus, gold
        self._codes: dict[tuple[str, str], dict[int, list[Codes]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def add(
        self, model: str, condition: str, seed: int, predicted: dict[str, NDArray[np.str_]]
    ) -> None:
        """Add one prediction; several of one seed count as draws."""
        self._codes[model, condition][seed].append(self.gold.encode(predicted))

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
        """Correct tokens per sentence in every run, shape=(S, D, N): seeds, draws, sentences.

        With `role`, an index into `Gold.names`, only tokens of that role count. None if nothing
        was predicted.
        """
        runs = [
            [codes[split] for codes in draws if split in codes]
            for draws in dict(sorted(self._codes.get((model, condition), {}).items())).values()
        ]
        draws = min(map(len, runs), default=0)
        if not draws:
            return None
        gold, offsets = self.gold.codes[split], self.gold.offsets[split]
        counted = np.full(len(gold), True) if role is None else gold == role
        return np.array(
            [
                [sentence_sums((codes == gold) & counted, offsets) for codes in of_seed[:draws]]
                for of_seed in runs
            ]
        )

    def totals(self, split: str, role: int | None = None) -> NDArray[np.int64]:
        """Tokens per sentence, of all roles or of one, shape=(N,)."""
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
        """Accuracy, recall, precision and F1 of all runs, one value per seed.

        Scores by role cover dev, test and ``gen``, and for reference runs the single
        generalization splits too.
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
            for s in role_scores(gold, codes[split], self.gold.names) if by_role else ():
                for metric in ("recall", "precision", "f1"):
                    values[metric, s.role].append(getattr(s, metric))
        return {key: float(np.mean(each)) for key, each in values.items()}


def is_plain(model: str, condition: str) -> bool:
    """Whether a condition is the model's reference run."""
    if model == "bigru":
        return condition == "labels=all"
    return words(condition).keys() <= {"K", "members"}


_KEYS = (
    "members", "K", "readout", "labels", "codes", "tokens", "view", "tau", "shuffled", "prototypes",
    "part", "rule", "layer", "learning", "word_layers",
)  # fmt: skip


def _reading_order(condition: str) -> list[tuple[int, float, str]]:
    """Sort key: the single learner, then ensembles; within each as in `_KEYS`, numbers by size."""
    said = words(condition)
    key = [(0, float(said.pop("members", 1)), "")]
    for name, value in said.items():
        try:
            key.append((_KEYS.index(name), float(value), ""))
        except ValueError:
            key.append((_KEYS.index(name), float("inf"), value))
    return key


def finite(*values: float) -> list[Any]:
    """Values for JSON, which has no NaN or infinity: None replaces these."""
    return [float(value) if np.isfinite(value) else None for value in values]


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
        gold, lengths = runs.gold.codes[split], np.diff(runs.gold.offsets[split])
        for kind in () if kinds is None else np.unique(kinds):
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
                    mean, low, high = finite(*seed_interval(values))
                    records.append(
                        Construction(
                            runs.corpus, split, str(kind), model, condition,
                            mean, low, high, len(values), int(of_kind.sum()),
                        )
                    )  # fmt: skip
    return records


@dataclass(frozen=True)
class Cluster:
    """A cluster of a learner on text without roles, with its most frequent words."""

    cluster: int
    tokens: int
    words: str


def clusters(ids: NDArray[np.integer], forms: NDArray[np.str_]) -> list[Cluster]:
    """The clusters of all tokens, largest first, each with its ten most frequent words."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for cluster, word in zip(ids.tolist(), forms.tolist(), strict=True):
        counts[cluster][word] += 1
    table = [
        Cluster(cluster, sum(count.values()), " ".join(w for w, _ in count.most_common(10)))
        for cluster, count in counts.items()
    ]
    return sorted(table, key=lambda record: (-record.tokens, record.cluster))
