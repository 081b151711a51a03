"""Experiments by name, as the command line, sweeps, reruns, figures and reports find them.

Each experiment is declared in ``EXPERIMENTS`` of its folder below `hebbsim.experiments`, or of
`hebbsim.bench`, and nowhere else.
"""

from __future__ import annotations

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
    """Words after ``hebbsim`` that run an experiment, known here or not.

    Examples
    --------
    >>> command_of("bench"), command_of("roles")
    ('bench', 'run roles')
    """
    known = EXPERIMENTS.get(experiment)
    return known.command if known else f"run {experiment}"


def get_experiment(name: Any) -> Experiment:
    """The experiment with a name; refused if no experiment has it."""
    if name not in EXPERIMENTS:
        raise BadInputError(f"no experiment {name!r}: choose {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
