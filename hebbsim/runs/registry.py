"""Experiments by name: what `hebbsim sweep`, `hebbsim rerun` and `hebbsim figures` know.

Each says what it is in the ``EXPERIMENTS`` of its folder, `hebbsim.experiments` or
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

__all__ = ["EXPERIMENTS", "get_experiment"]


def _declared() -> Iterator[Experiment]:
    folders = pkgutil.iter_modules(hebbsim.experiments.__path__, "hebbsim.experiments.")
    for module in [*(folder.name for folder in folders), "hebbsim.bench"]:
        yield from importlib.import_module(module).EXPERIMENTS


EXPERIMENTS = {one.name: one for one in sorted(_declared(), key=lambda one: one.name)}


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
