"""Random search for settings of a corpus, scored on its dev split only: `hebbsim tune`.

Trial 0 is the unchanged network or rival; every other trial draws a value for each parameter. All
trials run with one seed, and the best third also with the other seeds. The score of a trial is the
accuracy on dev that `hebbsim run roles` reports: the clusters of each half of dev are named by the
other half. Nothing depends on the test split.
"""

import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hebbsim.engine import load_rules
from hebbsim.errors import BadInputError, HebbsimError, reason
from hebbsim.experiments.roles.data import check_clusters, with_scored_splits
from hebbsim.experiments.roles.learner_config import LearnerConfig
from hebbsim.experiments.roles.scores import assigned_roles
from hebbsim.experiments.tune.config import TuneConfig
from hebbsim.models.role_network import RoleNetwork
from hebbsim.readers.base import Corpus
from hebbsim.readers.corpus_kinds import kinds_of
from hebbsim.rivals import new_rival
from hebbsim.rivals.base import Rival
from hebbsim.runs.results import Progress, Results, Score, json_text, provenance, summarize, utf8
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function
from hebbsim.runs.workers import run_all


@dataclass(frozen=True)
class Trial:
    """A row of the table: accuracy on dev over seeds, or why it `failed`, by drawn `parameters`."""

    trial: int
    parameters: dict[str, Any]
    seeds: int
    mean: float | None
    sd: float | None
    failed: str = ""


@run_function(TuneConfig)
def run_tune(config: TuneConfig, cache: RunCache, progress: Progress) -> Results:
    """Try settings at random, score each on dev, and write the best as a preset.

    ``accuracy`` on dev by trial. The table ``trials`` has one `Trial` per row, best first;
    ``preset.toml`` among the files is for ``hebbsim run roles --preset``.

    Raises
    ------
    HebbsimError
        No trial could be scored.
    """
    corpus = _train_and_dev(config)
    about = {"corpus": corpus.name, "source": config.corpus, "gold_layer": corpus.layer}
    results = Results(
        experiment="tune",
        config=config.resolved() | about,
        provenance=provenance(inputs=corpus.sha256, seeds=range(config.seeds), rules=config.rules),
        notes=list(corpus.notes),
        files={"network.json": json_text(config.described()).encode()},
    )
    search = _Search(config, corpus, cache, progress)
    cache.begin(results.experiment, results.config, results.provenance)
    trials = search.run()
    best, n = trials[0], len(trials)
    if best.mean is None:
        raise HebbsimError(f"no trial could be scored: {best.failed}")
    if n < config.trials:
        results.notes.append(f"the ranges have {n} different trials, not {config.trials}")
    model = config.rival or "hebbian"
    scores = [
        Score(corpus.name, "dev", model, f"trial={trial}", "accuracy", None, seed, score)
        for (trial, seed), score in sorted(search.found.items())
        if not isinstance(score, str)
    ]
    results.rows = summarize(scores)
    results.tables = {"trials": trials, "per_seed": scores}
    results.files["trials.csv"] = utf8(_trials_text(trials))  # with a column per parameter
    score = f"accuracy on dev {best.mean:.4f} over {best.seeds} seeds, the best of {n} trials"
    name = "".join(c if c.isprintable() else "?" for c in corpus.name)
    if config.rival is None:
        file, heading, values = "preset.toml", name, _preset(config.trial(best.parameters))
        table = []
    else:  # as a table of ``settings.toml`` in `hebbsim.rivals`
        file, heading, values = "settings.toml", f"{name}, K = {config.clusters}", best.parameters
        table = [f"[{kinds_of(config.corpus)[-1]}.{config.rival}]"]
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    heading = f"# Chosen by hebbsim tune for {heading}: {score}."
    results.files[file] = utf8("\n".join([heading, *table, *lines, ""]))
    return results


def _train_and_dev(config: TuneConfig) -> Corpus:
    """Load the train and dev splits that `hebbsim run roles` uses."""
    from hebbsim.readers import load_corpus

    wanted = ("train", "dev")
    corpus = load_corpus(
        config.corpus, layer=config.gold_layer, scheme=config.role_map, offline=config.offline,
        splits=wanted,
    )  # fmt: skip
    corpus = with_scored_splits(corpus, f"--corpus {config.corpus}").only(wanted)
    if corpus.splits["dev"].n_sentences < 2:
        raise BadInputError(f"corpus {corpus.name}: dev has one sentence; two halves are needed")
    return corpus


class _Job(NamedTuple):
    """One trial with one seed; `fit` takes the training sentences and the seed."""

    fit: Callable[[list[list[str]], int], RoleNetwork | Rival]
    corpus: Corpus
    trial: int
    seed: int

    @property
    def name(self) -> str:
        return f"trial={self.trial} seed={self.seed}"


def _fit_network(
    network: dict[str, Any], passes: int, rules: tuple[str, ...], train: list[list[str]], seed: int
) -> RoleNetwork:
    load_rules(rules)
    return RoleNetwork(network, passes=passes, random_state=seed).fit(train)


def _fit_rival(
    name: str, clusters: int, settings: dict[str, Any], train: list[list[str]], seed: int
) -> Rival:
    return new_rival(name, clusters, seed, settings).fit(train)


class _Search:
    """The trials of a run, and their scores by trial and seed so far."""

    def __init__(
        self, config: TuneConfig, corpus: Corpus, cache: RunCache, progress: Progress
    ) -> None:
        self.config, self.corpus, self.cache, self.progress = config, corpus, cache, progress
        self.drawn = config.drawn()
        # Files are read once, in case they change while trials are running.
        self.learners = [self._learner(values) for values in self.drawn]
        self.n_best = math.ceil(len(self.drawn) / 3)
        self.found: dict[tuple[int, int], float | str] = {}

    def _learner(self, values: dict[str, Any]) -> Callable[..., RoleNetwork | Rival]:
        config, train = self.config, self.corpus.splits["train"]
        if config.rival is not None:
            check_clusters(train, config.clusters, self.corpus.name)
            return partial(_fit_rival, config.rival, config.clusters, values)
        trial = config.trial(values)
        check_clusters(train, trial.clusters, self.corpus.name)
        return partial(_fit_network, trial.described(), trial.passes, config.rules)

    def run(self) -> list[Trial]:
        """Run all trials; the best come first."""
        self._learn((trial, 0) for trial in range(len(self.drawn)))
        best = [trial.trial for trial in self._ranked() if not trial.failed][: self.n_best]
        self._learn((trial, seed) for seed in range(1, self.config.seeds) for trial in best)
        return self._ranked()

    def _ranked(self) -> list[Trial]:
        """Trials with all seeds before those with one; failed ones last; ties as drawn."""

        def place(trial: Trial) -> tuple[bool, int, float]:
            return trial.mean is None, -trial.seeds, -(trial.mean or 0.0)

        return sorted(map(self._summary, range(len(self.drawn))), key=place)

    def _summary(self, trial: int) -> Trial:
        scores = [score for (which, _), score in sorted(self.found.items()) if which == trial]
        failed = next((score for score in scores if isinstance(score, str)), "")
        values = [] if failed else [score for score in scores if not isinstance(score, str)]
        mean = statistics.fmean(values) if values else None
        sd = statistics.stdev(values) if len(values) > 1 else None
        return Trial(trial, self.drawn[trial], len(scores), mean, sd, failed)

    def _learn(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Score trials by seed, or read their scores from the cache."""
        waiting, total = [], len(self.drawn) + self.n_best * (self.config.seeds - 1)
        for trial, seed in wanted:
            job = _Job(self.learners[trial], self.corpus, trial, seed)
            step = self.cache.get(job.name)
            if step is None:
                waiting.append(job)
            else:
                self.found[trial, seed] = step.document
        self.progress(None, len(self.found), total)
        workers = min(self.config.workers, max(len(waiting), 1))
        for number, score in run_all(_score, waiting, workers=workers):
            if isinstance(score, Exception):
                raise score
            job = waiting[number]
            self.cache.put(job.name, document=score)
            self.found[job.trial, job.seed] = score
            said = score if isinstance(score, str) else f"dev accuracy {score:.3f}"
            self.progress(f"{job.name}: {said}", len(self.found), total)


def _score(job: _Job) -> float | str:
    """Accuracy on dev of one learner with one seed, or why there is none."""
    train, dev = (job.corpus.splits[name] for name in ("train", "dev"))
    try:
        with threadpool_limits(1):  # BLAS sums in another order with more threads
            roles = assigned_roles(partial(job.fit, train.sentences(), job.seed), job.corpus)
    except Exception as error:  # a user's rule may raise anything
        return reason(error)
    return float(np.mean(roles["dev"] == dev.layers[job.corpus.layer or ""]))


def _trials_text(trials: Sequence[Trial]) -> str:
    names = list(dict.fromkeys(name for trial in trials for name in trial.parameters))
    rows = [
        asdict(trial)
        | {k: json.dumps(v) if isinstance(v, list) else v for k, v in trial.parameters.items()}
        for trial in sorted(trials, key=lambda trial: trial.trial)
    ]
    columns = ["trial", *names, "seeds", "mean", "sd", "failed"]
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    return table.to_csv(index=False, lineterminator="\n")


def _preset(config: LearnerConfig) -> dict[str, Any]:
    fields = {"timescales", "clusters", "passes", "rule", "settings"}
    values = config.model_dump(mode="json", include=fields)
    # The network is written beside the preset.
    return values if config.network == "roles" else {**values, "network": "network.json"}
