"""All experiments by name, for the command line, sweeps, reruns, figures and reports.

Each experiment is declared in ``EXPERIMENTS`` of its folder in `hebbsim.experiments`, or of
`hebbsim.bench`.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import hebbsim.experiments
from hebbsim.errors import BadInputError
from hebbsim.runs.experiment import Experiment


def _declared() -> Iterator[Experiment]:
    folders = pkgutil.iter_modules(hebbsim.experiments.__path__, "hebbsim.experiments.")
    for module in [*(folder.name for folder in folders), "hebbsim.bench"]:
        yield from importlib.import_module(module).EXPERIMENTS


EXPERIMENTS = {one.name: one for one in sorted(_declared(), key=lambda one: one.name)}


def command_of(experiment: str) -> str:
    """Words after ``hebbsim`` that run an experiment, which may be unknown.

    >>> command_of("bench"), command_of("roles")
    ('bench', 'run roles')
    """
    known = EXPERIMENTS.get(experiment)
    return known.command if known else f"run {experiment}"


def get_experiment(name: Any) -> Experiment:
    """The experiment with a name; BadInputError if it is unknown."""
    if name not in EXPERIMENTS:
        raise BadInputError(f"no experiment {name!r}: choose {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
