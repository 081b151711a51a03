"""What a local rule finds in traces: the same small role learner over any of the rules.

Units learn from the traces of random codes by one rule (`hebbsim.engine.TraceEngine`). A token
is its own code beside the response of the units to what went before it; tokens compete for K
clusters, which dev names. No label reaches what learns. Beside it stand the same without
learning (units as they were drawn), and the own code alone: what is above these, the rule found.

This is a yardstick for rules, far below the learner of `hebbsim run roles`: codes are random,
and only what went before is seen.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator
from threadpoolctl import threadpool_limits

from hebbsim.config import ExperimentConfig, RuleFiles, Timescales
from hebbsim.engine import TraceEngine, get_rule, load_rules
from hebbsim.errors import BadInputError
from hebbsim.experiments.results import (
    Clock,
    Progress,
    Results,
    Score,
    provenance,
    summarize,
)
from hebbsim.experiments.resume import open_run
from hebbsim.experiments.roles_data import check_clusters, check_splits, hold_out
from hebbsim.folders import Out
from hebbsim.models.prototypes import Prototypes, unit_rows
from hebbsim.models.vocabulary import Encoded, Vocabulary
from hebbsim.probes import RoleReadout, accuracy, v_measure
from hebbsim.readers.base import Corpus, Split

__all__ = ["RulesConfig", "run_rules"]

#: Competition of tokens: epochs, and how much of the past stays from one to the next.
_EPOCHS, _KEPT = 2, 0.3


class RulesConfig(ExperimentConfig):
    """What `run_rules` does; every field is an option of the command line.

    Attributes
    ----------
    corpus : str
        As of `hebbsim run roles`, with roles.
    rules : tuple of str
        Python files with rules of one's own, see `hebbsim.engine.load_rules`.
    rule : str
        One of `hebbsim.engine.rule_names`.
    eta : float, optional
        Its learning rate (default: that of the rule).
    timescales : tuple of float
        In tokens.
    dim : int
        D, of the random codes; units of the rule.
    clusters : int
        K.
    passes : int
        Over the training sentences.
    context_weight : float
        Length of the units' response beside the own code, which has length one.
    seeds : int
    offline : bool

    Examples
    --------
    >>> RulesConfig.checked({"rule": "oja"}).dim
    64
    """

    corpus: str = "builtin"
    rules: RuleFiles = ()
    rule: str = "oja"
    eta: float = Field(None, ge=0, validate_default=True)
    timescales: Timescales = (2.0, 8.0)
    dim: Annotated[int, Field(ge=1)] = 64
    clusters: Annotated[int, Field(ge=1)] = 100
    passes: Annotated[int, Field(ge=1)] = 1
    context_weight: Annotated[float, Field(ge=0)] = 0.7
    seeds: Annotated[int, Field(ge=1)] = 3
    offline: bool = False

    @field_validator("rule")
    @classmethod
    def _known(cls, value: str) -> str:
        return get_rule(value).name

    @field_validator("eta", mode="before")
    @classmethod
    def _rate_of_the_rule(cls, value: Any, info: ValidationInfo) -> Any:
        return get_rule(info.data["rule"]).eta if value is None and "rule" in info.data else value


def run_rules(
    config: RulesConfig | None = None,
    *,
    out: Out | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Results:
    """Let a rule learn from traces, cluster its responses, name clusters on dev, score.

    Parameters
    ----------
    config : RulesConfig, optional
        Or its fields as keywords.
    out : path, optional
        Run folder to write; none without.
    progress : callable, optional
    overwrite : bool
        Replace a finished run in `out`.

    Returns
    -------
    Results
        ``accuracy`` and ``v_measure`` of the rule, and of the controls ``learning=off`` and
        ``view=own``.

    Raises
    ------
    BadInputError
        An option, the corpus or the output folder cannot be used.
    DivergenceError
        The weights of the rule did not stay finite: eta is too large.
    """
    from hebbsim.readers import load_corpus

    if config is None:
        config = RulesConfig.checked(options)
    load_rules(config.rules)  # in a process that was given a checked configuration, too
    clock = Clock()
    with open_run(out, overwrite=overwrite) as kept:
        kept.begin("rules", config.resolved(), {})
        corpus = load_corpus(config.corpus, offline=config.offline)
        with threadpool_limits(1):  # BLAS sums in another order with more threads
            results = _results(config, corpus, progress or (lambda line, done, total: None))
        kept.write(results, machine=clock.machine())
    return results


def _results(config: RulesConfig, corpus: Corpus, progress: Progress) -> Results:
    layer = corpus.layer
    if layer is None:
        raise BadInputError(
            f"corpus {corpus.name} is text without roles, so there is nothing to score; give an "
            "annotated corpus"
        )
    corpus, note = hold_out(corpus)
    check_splits(corpus, layer)
    check_clusters(corpus.splits["train"], config.clusters, corpus.name)
    vocabulary = Vocabulary(max_types=2**31 - 1)
    train = vocabulary.take_in(corpus.splits["train"].sentences())
    scored = {
        name: (split, vocabulary.encode(split.sentences()))
        for name, split in corpus.splits.items()
        if name != "train"
    }
    parts: dict[str, dict[str, Any]] = {
        "": {},
        " learning=off": {"eta": 0.0},
        " view=own": {"context_weight": 0.0},
    }
    scores = []
    progress(None, 0, config.seeds * len(parts))
    for seed in range(config.seeds):
        for number, (words, changes) in enumerate(parts.items()):
            part = config.model_copy(update=changes)
            found = _Learner(part, len(vocabulary), seed).fit(train)
            for split, metric, value in _score(found, scored, layer):
                condition = f"K={config.clusters}{words}"
                scores.append(
                    Score(corpus.name, split, "hebbian", condition, metric, None, seed, value)
                )
            done = seed * len(parts) + number + 1
            progress(None, done, config.seeds * len(parts))
    return Results(
        experiment="rules",
        config=config.resolved() | {"corpus": corpus.name, "source": config.corpus},
        provenance=provenance(inputs=corpus.sha256, seeds=range(config.seeds), rules=config.rules),
        rows=summarize(scores),
        tables={"per_seed": scores},
        notes=[*corpus.notes, *([note] if note else [])],
    )


class _Learner:
    """Units over traces of random codes, and prototypes over both; words unknown share a code."""

    def __init__(self, config: RulesConfig, n_types: int, seed: int) -> None:
        self.config = config
        self.unknown = n_types
        self.rng = np.random.default_rng([seed, 5])
        self.engine = TraceEngine(
            n_types + 1,
            dim=config.dim,
            timescales=config.timescales,
            rule=config.rule,
            eta=config.eta,
            random_state=seed,
        )

    def fit(self, train: Encoded) -> _Learner:
        for _ in range(self.config.passes):
            self.engine.run(train.ids, train.offsets)
        self.engine.eta = 0.0
        x = self.vectors(train)
        self.prototypes = Prototypes(x, self.config.clusters, rng=self.rng)
        for epoch in range(_EPOCHS):
            last = epoch == _EPOCHS - 1
            self.prototypes.learn(x, self.rng.permutation(len(x)), fair=not last)
            if not last:
                self.prototypes.forget(_KEPT)
        return self

    def vectors(self, text: Encoded) -> NDArray[np.float32]:
        """Own code and response of the units to what went before, shape=(T, 2 D)."""
        ids = np.where(text.ids < 0, self.unknown, text.ids)
        post = np.empty((len(ids), self.engine.n_units), dtype=np.float32)
        self.engine.run(ids, text.offsets, out=post)
        own = unit_rows(self.engine.embedding[ids])
        return np.hstack([own, np.float32(self.config.context_weight) * unit_rows(post)])

    def winners(self, text: Encoded) -> NDArray[np.int32]:
        return self.prototypes.winners(self.vectors(text))


def _score(
    learner: _Learner, scored: dict[str, tuple[Split, Encoded]], layer: str
) -> list[tuple[str, str, float]]:
    """Split, metric and value; on dev, either half by the mapping of the other."""
    dev, text = scored["dev"]
    roles, ids = dev.layers[layer], learner.winners(text)
    half = np.repeat(np.arange(dev.n_sentences) % 2 == 0, np.diff(dev.offsets))
    named = np.empty_like(roles)
    for part in (half, ~half):
        if part.any() and (~part).any():
            named[part] = RoleReadout().fit(ids[~part], roles[~part]).predict(ids[part])
    found = [
        ("dev", "accuracy", accuracy(roles, named)),
        ("dev", "v_measure", v_measure(roles, ids)),
    ]
    readout = RoleReadout().fit(ids, roles)
    for name, (split, text) in scored.items():
        if name != "dev":
            ids, gold = learner.winners(text), split.layers[layer]
            found.append((name, "accuracy", accuracy(gold, readout.predict(ids))))
            found.append((name, "v_measure", v_measure(gold, ids)))
    return found
