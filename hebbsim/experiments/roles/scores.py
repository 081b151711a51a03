"""From the clusters of learners to predicted roles, their cached form and their scores."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.conditions import words
from hebbsim.errors import HebbsimError
from hebbsim.experiments.roles.data import Gold
from hebbsim.models import RoleNetwork
from hebbsim.probes import (
    Memberships,
    RoleReadout,
    SoftReadout,
    accuracy,
    role_scores,
    seed_interval,
    sentence_sums,
)
from hebbsim.readers.base import Corpus, Split
from hebbsim.rivals import RIVALS
from hebbsim.rivals.base import Rival
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


@dataclass(frozen=True, eq=False)
class Clustering:
    """Cluster memberships of all tokens, from one learner or each of P ensemble members."""

    #: By split, P memberships of its tokens; ``train`` covers the sentences in `labelled` only.
    members: dict[str, list[Memberships]]
    #: Prototypes of the clusters, P arrays of shape (K, D).
    prototypes: list[NDArray[np.float32]]
    #: Training sentences that any draw of labelled sentences contains, sorted.
    labelled: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    #: Those sentences; None without any.
    train: Split | None = None

    @property
    def scored(self) -> list[str]:
        """The splits that predictions are scored on."""
        return [split for split in self.members if split != "train"]

    def winners(self, split: str) -> NDArray[np.int32]:
        """The nearest cluster of every token, shape=(T, P)."""
        return np.stack([found.clusters[:, 0] for found in self.members[split]], axis=1)

    def mapping(
        self, split: str, roles: NDArray[np.str_], on: NDArray[np.bool_], *, soft: bool
    ) -> Callable[[str], NDArray[np.str_]]:
        """Name clusters by the roles of tokens `on` of a split; returns a predictor of splits."""
        if not soft:
            majority = RoleReadout().fit(self.winners(split)[on], roles[on])
            return lambda other: majority.predict(self.winners(other))
        labelled = [found.part(on) for found in self.members[split]]
        readout = SoftReadout().fit(labelled, roles[on], self.prototypes)
        return lambda other: readout.predict(self.members[other])


def nearest_only(clusters: NDArray[np.int32]) -> Memberships:
    """Memberships of tokens that belong to exactly one cluster each, shape=(T,)."""
    return Memberships(clusters[:, None], np.ones((len(clusters), 1), dtype=np.float32))


def assigned_roles(
    learn: Callable[[], RoleNetwork | Rival], corpus: Corpus
) -> dict[str, NDArray[np.str_]]:
    """Roles of all splits but train, clusters named on dev; HebbsimError if weights diverged."""
    rest = {name: split for name, split in corpus.splits.items() if name != "train"}
    roles = rest["dev"].layers[corpus.layer or ""]
    with np.errstate(all="ignore"):  # weights may diverge
        learner = learn()
        arrays = learner.network_.state()[0] if isinstance(learner, RoleNetwork) else {}
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise HebbsimError("weights did not stay finite")
        members = {k: [nearest_only(learner.predict(s.sentences()))] for k, s in rest.items()}
    found = Clustering(members, [])
    return named_on_dev(lambda on: found.mapping("dev", roles, on, soft=False), rest["dev"], rest)


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
        """Scores of all runs by seed; those by role on few splits, unless `is_plain`."""
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
