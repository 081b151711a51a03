"""Experiments by name: what `hebbsim sweep`, `hebbsim rerun` and `hebbsim figures` know."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from hebbsim.config import ExperimentConfig
    from hebbsim.experiments.results import Progress, Results
    from hebbsim.folders import Out

__all__ = ["EXPERIMENTS", "Experiment", "get_experiment"]


@dataclass(frozen=True)
class Experiment:
    """How to run an experiment, where its figures are, and the one number that a sweep shows.

    Attributes
    ----------
    name : str
    config_at, run_at : str
        ``module:name`` of its configuration and of its function.
    figures_at : str
        Module whose ``FIGURES`` are its figures; empty where it has none.
    model, split, metric : str
        Of the rows that a sweep shows: hyper-parameters are chosen on dev. Without a metric
        there are no sweeps of it.
    words : dict of str to str
        Words of their condition, beside ``K`` and ``members``.
    paths : tuple of str
        Options that may hold paths.
    timed : tuple of str
        Metrics, and columns of tables, that are measured by the clock or of the process, in
        which no two runs agree.
    once : str
        Why a second run cannot agree with the first; empty where it can.
    """

    name: str
    config_at: str
    run_at: str
    figures_at: str = ""
    model: str = "hebbian"
    split: str = "dev"
    metric: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ("corpus",)
    timed: tuple[str, ...] = ()
    once: str = ""

    @property
    def config(self) -> type[ExperimentConfig]:
        found: type[ExperimentConfig] = _find(self.config_at)
        return found

    def run(
        self,
        config: ExperimentConfig,
        out: Out | None,
        *,
        progress: Progress | None = None,
        overwrite: bool = False,
    ) -> Results:
        """Run it into a folder, going on with what is there of an unfinished run."""
        function = _find(self.run_at)
        results: Results = function(config, out=out, progress=progress, overwrite=overwrite)
        return results

    def check(self, config: ExperimentConfig) -> None:
        """Refuse a run that would fail, or have no score, once its corpus is read.

        Raises
        ------
        BadInputError
            Its corpus has no roles, or its parser is not installed.
        """
        if self.metric == "accuracy":
            from hebbsim.readers.loading import check_roles

            options = config.model_dump(include={"corpus", "parser"})
            check_roles(options["corpus"], options.get("parser"))

    def shows(self, row: Any) -> bool:
        """Whether a row, or a score, is one that a sweep shows."""
        said = dict(word.split("=", 1) for word in row.condition.split() if "=" in word)
        extra = {k: v for k, v in said.items() if k not in ("K", "members")}
        asked = (self.model, self.split, self.metric)
        return (row.model, row.split, row.metric) == asked and extra == dict(self.words)


def _find(at: str) -> Any:
    module, _, name = at.partition(":")
    return getattr(importlib.import_module(module), name)


_HERE = "hebbsim.experiments"
_PLOTS = "hebbsim.plots"


def _language_model(name: str, module: str, config: str, *paths: str) -> Experiment:
    return Experiment(
        name,
        f"{_HERE}.lm_config:{config}",
        f"{_HERE}.{module}:run_{name}",
        f"{_PLOTS}.lm",
        paths=("data", "tokenizer", *paths),
    )


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "roles",
            f"{_HERE}.roles_config:RolesConfig",
            f"{_HERE}.roles:run_roles",
            f"{_PLOTS}.roles",
            metric="accuracy",
            paths=("corpus", "role_map", "unlabeled", "rules", "network"),
        ),
        Experiment(
            "tune",
            f"{_HERE}.tune_config:TuneConfig",
            f"{_HERE}.tune:run_tune",
            paths=("corpus", "role_map", "rules", "network"),
        ),
        Experiment(
            "identity",
            f"{_HERE}.identity_config:IdentityConfig",
            f"{_HERE}.identity:run_identity",
            f"{_PLOTS}.identity",
            model="cancellation",
            split="test",
            metric="total_bits",
            words={"precision": "float32"},
            paths=("stream", "structure", "decoder_files"),
        ),
        Experiment(
            "sentence",
            f"{_HERE}.identity_config:IdentityConfig",
            f"{_HERE}.identity_sentence:run_sentence",
            f"{_PLOTS}.sentence",
            paths=("stream", "structure", "decoder_files"),
        ),
        Experiment(
            "rules",
            f"{_HERE}.rules_config:RulesConfig",
            f"{_HERE}.rules:run_rules",
            f"{_PLOTS}.ablations",
            metric="accuracy",
            paths=("corpus", "rules", "network"),
        ),
        Experiment(
            "stream",
            f"{_HERE}.stream_config:StreamConfig",
            f"{_HERE}.stream:run_stream",
            f"{_PLOTS}.stream",
            paths=("corpus", "rules"),
            timed=("microseconds_per_token", "memory", "memory_slope", "seconds"),
        ),
        _language_model("lm", "lm", "LmConfig", "validation"),
        _language_model("predictor", "lm", "PredictorConfig"),
        _language_model("selection", "lm", "SelectionConfig", "blimp"),
        _language_model("depth", "depth", "DepthConfig"),
        _language_model("blimp", "lm", "BlimpConfig", "blimp"),
        _language_model("recall", "recall", "RecallConfig"),
        Experiment(
            "bench",
            f"{_HERE}.bench.run:BenchConfig",
            f"{_HERE}.bench.run:run_bench",
            f"{_PLOTS}.bench",
            once="it measures time",
        ),
    )
}


def get_experiment(name: Any) -> Experiment:
    """The experiment of that name.

    Raises
    ------
    BadInputError
        There is none.

    Examples
    --------
    >>> get_experiment("identity").metric
    'total_bits'
    """
    if name not in EXPERIMENTS:
        raise BadInputError(f"no experiment {name!r}: choose {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
