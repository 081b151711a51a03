"""Random search for the settings of a corpus, scored on its dev split alone: `hebbsim tune`.

Trial 0 is the unchanged network or rival; every other trial draws a value for each
parameter. All trials learn with one seed, the best third of them with the others as well. A
trial's score is the accuracy on dev that `hebbsim run roles` reports: the clusters of either half
of dev are named by the other half. Nothing depends on the test split.
"""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hebbsim.engine import load_rules
from hebbsim.errors import BadInputError, HebbsimError, reason
from hebbsim.experiments.roles.data import check_clusters
from hebbsim.experiments.roles.learner_config import LearnerConfig
from hebbsim.experiments.roles.variants import assigned_roles, with_scored_splits
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
    """A row of the table: accuracy on dev over seeds.

    `parameters` are those that were drawn. `failed` says why there is no score, if so.
    """

    trial: int
    parameters: dict[str, Any]
    seeds: int
    mean: float | None
    sd: float | None
    failed: str = ""


@run_function(TuneConfig)
def run_tune(config: TuneConfig, cache: RunCache, progress: Progress) -> Results:
    """Try settings at random, score each on dev, and write the best as a preset.

    Returns
    -------
    Results
        ``accuracy`` on dev by trial. The table ``trials`` has a `Trial` each, the best first;
        ``preset.toml`` among the files is what ``hebbsim run roles --preset`` takes.

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
    _fill(results, search)
    return results


def _train_and_dev(config: TuneConfig) -> Corpus:
    """The two splits as `hebbsim run roles` has them."""
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


@dataclass(frozen=True)
class _Network:
    """The network of a trial."""

    network: dict[str, Any]
    clusters: int
    passes: int
    rules: tuple[str, ...]

    def fitted(self, train: list[list[str]], seed: int) -> RoleNetwork:
        load_rules(self.rules)
        return RoleNetwork(self.network, passes=self.passes, random_state=seed).fit(train)


@dataclass(frozen=True)
class _Rival:
    """The rival of a trial."""

    name: str
    clusters: int
    settings: dict[str, Any]

    def fitted(self, train: list[list[str]], seed: int) -> Rival:
        return new_rival(self.name, self.clusters, seed, self.settings).fit(train)


@dataclass(frozen=True)
class _Job:
    learner: _Network | _Rival
    corpus: Corpus
    trial: int
    seed: int


class _Search:
    """Trials of one run, and their scores by seed as they come."""

    def __init__(
        self, config: TuneConfig, corpus: Corpus, cache: RunCache, progress: Progress
    ) -> None:
        self.config, self.corpus, self.cache, self.progress = config, corpus, cache, progress
        self.drawn = config.drawn()
        # Read once, whatever becomes of the file while trials learn.
        self.learners = [self._learner(values) for values in self.drawn]
        for learner in self.learners:
            check_clusters(corpus.splits["train"], learner.clusters, corpus.name)
        self.n_best = math.ceil(len(self.drawn) / 3)
        self.total = len(self.drawn) + self.n_best * (config.seeds - 1)
        self.found: dict[tuple[int, int], float | str] = {}

    def _learner(self, values: dict[str, Any]) -> _Network | _Rival:
        """What learns in a trial."""
        config = self.config
        if config.rival is not None:
            return _Rival(config.rival, config.clusters, values)
        trial = config.trial(values)
        return _Network(trial.described(), trial.clusters, trial.passes, config.rules)

    def run(self) -> list[Trial]:
        """All trials, the best first."""
        everything = range(len(self.drawn))
        self._learn((trial, 0) for trial in everything)
        best = [trial.trial for trial in self._ranked(everything) if not trial.failed]
        best = best[: self.n_best]
        self._learn((trial, seed) for seed in range(1, self.config.seeds) for trial in best)
        return self._ranked(everything)

    def _ranked(self, trials: Iterable[int]) -> list[Trial]:
        """Those of all seeds before those of one, failed ones last; of equals the first drawn."""

        def place(trial: Trial) -> tuple[bool, int, float]:
            return trial.mean is None, -trial.seeds, -(trial.mean or 0.0)

        return sorted(map(self._summary, trials), key=place)

    def _summary(self, trial: int) -> Trial:
        scores = [score for (which, _), score in sorted(self.found.items()) if which == trial]
        values = [score for score in scores if not isinstance(score, str)]
        failed = next((score for score in scores if isinstance(score, str)), "")
        mean = statistics.fmean(values) if values and not failed else None
        sd = statistics.stdev(values) if len(values) > 1 and not failed else None
        return Trial(trial, self.drawn[trial], len(scores), mean, sd, failed)

    def _learn(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Score trials by seed, or take what is kept."""
        waiting = []
        for trial, seed in wanted:
            step = self.cache.get(_name(trial, seed))
            if step is None:
                waiting.append(_Job(self.learners[trial], self.corpus, trial, seed))
            else:
                self.found[trial, seed] = step.document
        self.progress(None, len(self.found), self.total)
        workers = min(self.config.workers, max(len(waiting), 1))
        for number, score in run_all(_score, waiting, workers=workers):
            if isinstance(score, Exception):
                raise score
            trial, seed = waiting[number].trial, waiting[number].seed
            self.cache.put(_name(trial, seed), document=score)
            self.found[trial, seed] = score
            said = score if isinstance(score, str) else f"dev accuracy {score:.3f}"
            self.progress(f"{_name(trial, seed)}: {said}", len(self.found), self.total)


def _name(trial: int, seed: int) -> str:
    return f"trial={trial} seed={seed}"


def _score(job: _Job) -> float | str:
    """Accuracy on dev of one learner with one seed; or why there is none."""
    train, dev = (job.corpus.splits[name] for name in ("train", "dev"))
    learn = partial(job.learner.fitted, train.sentences(), job.seed)
    try:
        with threadpool_limits(1):  # BLAS sums in another order with more threads
            roles = assigned_roles(learn, job.corpus)["dev"]
    except Exception as error:  # of a rule, which anyone may have written
        return reason(error)
    return float(np.mean(roles == dev.layers[job.corpus.layer or ""]))


# What is written ----------------------------------------------------------------------------------


def _fill(results: Results, search: _Search) -> None:
    trials = search.run()
    best = trials[0]
    if best.mean is None:
        raise HebbsimError(f"no trial could be scored: {best.failed}")
    n, config = len(trials), search.config
    model = config.rival or "hebbian"
    if n < config.trials:
        results.notes.append(f"the ranges have {n} different trials, not {config.trials}")
    scores = [
        Score(search.corpus.name, "dev", model, f"trial={trial}", "accuracy", None, seed, score)
        for (trial, seed), score in sorted(search.found.items())
        if not isinstance(score, str)
    ]
    results.rows = summarize(scores)
    results.tables = {"trials": trials, "per_seed": scores}
    results.files["trials.csv"] = utf8(_trials_text(trials))  # a column for each parameter
    about = f"accuracy on dev {best.mean:.4f} over {best.seeds} seeds, the best of {n} trials"
    if config.rival is None:
        text = _preset_text(config.trial(best.parameters), search.corpus.name, about)
    else:
        text = _settings_text(config, best.parameters, search.corpus.name, about)
    results.files["preset.toml" if config.rival is None else "settings.toml"] = utf8(text)


def _trials_text(trials: Sequence[Trial]) -> str:
    names = list(dict.fromkeys(name for trial in trials for name in trial.parameters))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["trial", *names, "seeds", "mean", "sd", "failed"])
    for each in sorted(trials, key=lambda trial: trial.trial):
        drawn = [each.parameters.get(name, "") for name in names]
        cells = [json.dumps(value) if isinstance(value, list) else value for value in drawn]
        writer.writerow([each.trial, *cells, each.seeds, each.mean, each.sd, each.failed])
    return stream.getvalue()


def _settings_text(config: TuneConfig, parameters: dict[str, Any], corpus: str, about: str) -> str:
    """As a table of ``settings.toml`` in `hebbsim.rivals`."""
    lines = (f"{name} = {json.dumps(value)}" for name, value in parameters.items())
    of = f"{_printable(corpus)}, K = {config.clusters}"
    heading = f"# Chosen by hebbsim tune for {of}: {about}."
    kind = kinds_of(config.corpus)[-1]
    return "\n".join([heading, f"[{kind}.{config.rival}]", *lines, ""])


def _preset_text(config: LearnerConfig, corpus: str, about: str) -> str:
    said = config.model_dump(
        mode="json", include={"timescales", "clusters", "passes", "rule", "settings"}
    )
    if config.network != "roles":
        said["network"] = "network.json"  # beside this file
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said.items())
    return "\n".join([f"# Chosen by hebbsim tune for {_printable(corpus)}: {about}.", *lines, ""])


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)
