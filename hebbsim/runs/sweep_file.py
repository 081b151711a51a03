"""The TOML file of a sweep: an experiment, options of all of its runs, and options that vary.

experiment = "roles"
plane = [1.1, 2, 4, 8, 16, 32]      # each timescale, and each pair

[base]                              # options of `hebbsim run roles`, with _ for -
corpus = "builtin"
baselines = "none"
seeds = 3

[grid]                              # all combinations
clusters = [100, 300]
"settings.tokens.shrinkage" = [2, 5]  # like --set tokens.shrinkage=2; or rule.LAYER.PART
"""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hebbsim.config import ExperimentConfig, read_toml
from hebbsim.errors import BadInputError
from hebbsim.runs.experiment import Experiment
from hebbsim.runs.registry import EXPERIMENTS

_KEYS = ("experiment", "base", "grid", "plane")
#: Maximum number of runs of a sweep; more are probably a mistake.
MOST = 100_000


@dataclass(frozen=True)
class Point:
    """One run of a sweep."""

    #: Name of its folder: the values that vary, and a digest of the configuration.
    name: str
    #: Values that vary, by option.
    values: dict[str, Any]
    config: ExperimentConfig


@dataclass(frozen=True)
class Sweep:
    """An experiment and its runs."""

    experiment: Experiment
    #: Options that vary.
    axes: tuple[str, ...]
    points: list[Point]


def read_sweep(path: Path) -> Sweep:
    """Read a sweep and check the configuration of every run; BadInputError if one is invalid."""
    document = read_toml(path, "the TOML file of a sweep")
    try:
        return _parse(document)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from None


def _parse(document: dict[str, Any]) -> Sweep:
    if not document:
        raise BadInputError("holds no sweep; give [grid] with a list of values for each option")
    for key in document:
        if key not in _KEYS:
            raise BadInputError(f"unknown key {key!r}: known are {', '.join(_KEYS)}")
    name = document.get("experiment", "roles")
    known = {one.name: one for one in EXPERIMENTS.values() if one.metric}
    experiment = known.get(str(name))
    if experiment is None:
        raise BadInputError(f"no experiment {name!r} for sweeps: choose {', '.join(known)}")
    base, grid = document.get("base", {}), dict(document.get("grid", {}))
    for name, table in (("base", base), ("grid", grid)):
        if not isinstance(table, dict):
            raise BadInputError(f"{name} is not a table: write [{name}] on a line of its own")
        for key in _KEYS:
            if key in table:
                raise BadInputError(
                    f"{key} is in [{name}], to which everything below that line belongs: move "
                    f"{key} to the top of the file, above [base] and [grid]"
                )
    if "plane" in document:
        if "timescales" in grid:
            raise BadInputError("plane and timescales in [grid] both vary the timescales")
        grid = {"timescales": _plane(document["plane"]), **grid}
    for axis, values in grid.items():
        if not isinstance(values, list) or not values:
            raise BadInputError(f"{axis} in [grid] is {values!r}: give a list of values")
        if axis.partition(".")[0] in base and "." not in axis:
            raise BadInputError(f"{axis} is both in [base] and in [grid]")
    n = math.prod(map(len, grid.values()))
    if n > MOST:
        raise BadInputError(f"{n:,} runs; a sweep has {MOST:,} at most")
    return Sweep(experiment, tuple(grid), list(_points(experiment, base, grid)))


def _plane(taus: Any) -> list[list[float]]:
    if not isinstance(taus, list) or not all(
        isinstance(tau, int | float) and not isinstance(tau, bool) for tau in taus
    ):
        raise BadInputError(f"plane is {taus!r}: give a list of timescales in tokens")
    chosen = sorted({float(tau) for tau in taus})
    return [[tau] for tau in chosen] + [list(pair) for pair in itertools.combinations(chosen, 2)]


def _points(
    experiment: Experiment, base: dict[str, Any], grid: dict[str, list[Any]]
) -> Iterator[Point]:
    seen: set[str] = set()
    for chosen in itertools.product(*grid.values()):
        values = dict(zip(grid, chosen, strict=True))
        options = json.loads(json.dumps(base))
        for axis, value in values.items():
            _put(options, axis, value)
        try:
            config = experiment.config.checked(options)
            experiment.check(config)
        except BadInputError as error:
            raise BadInputError(f"{_text(values) or 'base'}: {error}") from None
        name = _name(values, config)
        if name in seen:
            raise BadInputError(f"{_text(values)}: occurs twice")
        seen.add(name)
        yield Point(name, values, config)


def _put(options: dict[str, Any], axis: str, value: Any) -> None:
    """Set an option, or extend one with named values, such as ``settings.tokens.shrinkage``."""
    option, _, name = axis.partition(".")
    if not name:
        options[option] = value
    elif option in ("settings", "rule"):
        text = value if isinstance(value, str) else json.dumps(value)
        options[option] = [*options.get(option, []), f"{name}={text}"]
    else:
        raise BadInputError(f"{axis}: {option} does not take named values")


def _text(values: dict[str, Any]) -> str:
    return ", ".join(f"{axis}={shown(value)}" for axis, value in values.items())


def shown(value: Any) -> str:
    """A value of an option as on the command line.

    >>> shown([2.0, 8.0]), shown("oja"), shown(0.5)
    ('2,8', 'oja', '0.5')
    """
    if isinstance(value, list | tuple):
        return ",".join(shown(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _name(values: dict[str, Any], config: ExperimentConfig) -> str:
    digest = hashlib.sha256(json.dumps(config.resolved(), sort_keys=True).encode()).hexdigest()
    text = "_".join(f"{axis.rpartition('.')[2]}={shown(value)}" for axis, value in values.items())
    safe = "".join(c if c.isalnum() or c in "-_.=," else "-" for c in text)
    return f"{safe[:60] or 'run'}-{digest[:10]}"
