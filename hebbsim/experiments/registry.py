"""Experiments by name: what `hebbsim sweep` and `hebbsim rerun` can run."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hebbsim.config import ExperimentConfig
from hebbsim.errors import BadInputError
from hebbsim.experiments.results import Progress, Results

__all__ = ["EXPERIMENTS", "Experiment", "get_experiment"]


@dataclass(frozen=True)
class Experiment:
    """How to run an experiment, and the one number of it that a sweep shows.

    Attributes
    ----------
    name : str
    config_at, run_at : str
        ``module:name`` of its configuration and of its function.
    model, split, metric : str
        Of the rows that a sweep shows: hyper-parameters are chosen on dev.
    words : dict of str to str
        Words of their condition, beside ``K`` and ``members``.
    paths : tuple of str
        Options that may hold paths.
    timed : tuple of str
        Metrics that are measured by the clock, in which no two runs agree.
    """

    name: str
    config_at: str
    run_at: str
    model: str = "hebbian"
    split: str = "dev"
    metric: str = "accuracy"
    words: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ("corpus",)
    timed: tuple[str, ...] = ()

    @property
    def config(self) -> type[ExperimentConfig]:
        found: type[ExperimentConfig] = _find(self.config_at)
        return found

    def run(
        self,
        config: ExperimentConfig,
        out: Path,
        *,
        progress: Progress | None = None,
        resume: bool = False,
    ) -> Results:
        """Run it into a folder, going on with what is there where `resume` and it can."""
        function = _find(self.run_at)
        more = {"resume": resume} if "resume" in inspect.signature(function).parameters else {}
        results: Results = function(config, out=out, progress=progress, **more)
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

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "roles",
            f"{_HERE}.roles_config:RolesConfig",
            f"{_HERE}.roles:run_roles",
            paths=("corpus", "scheme", "text"),
        ),
        Experiment(
            "identity",
            f"{_HERE}.identity_config:IdentityConfig",
            f"{_HERE}.identity:run_identity",
            model="cancellation",
            split="test",
            metric="total_bits",
            words={"precision": "float32"},
            paths=("stream",),
        ),
        Experiment("rules", f"{_HERE}.rules:RulesConfig", f"{_HERE}.rules:run_rules"),
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
