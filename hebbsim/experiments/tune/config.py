"""Configuration of `hebbsim tune`, and its search ranges."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import field_validator, model_validator

from hebbsim.config import Count, Workers, option, read_toml
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.learner_config import LearnerConfig, merged
from hebbsim.rivals import RIVALS, new_rival, rival_class

if TYPE_CHECKING:
    import numpy as np

#: Default search ranges.
RANGES = (
    "timescales=[[2, 8, 32], [1.1, 3.3], [2], [2, 6], [1.5, 4, 12]]",
    "words.size=50:400:log",
    "words.ending_weight=[0, 0.7, 1.4]",
    "tokens.subsample=0.0005:0.05:log",
    "tokens.shrinkage=2:40:log",
    "tokens.lengths=[[1, 0.9, 0.9, 0.7, 0.3], [1, 0.4, 0.4, 0.7, 0.5], [1, 0.5, 0.5, 0.5, 0.5], "
    "[1, 0.7, 0.7, 0, 0]]",
    "tokens.n_directions=[30, 60]",
)
#: Parameters that are options, not settings of the network.
_OPTIONS = ("timescales", "clusters", "passes")
#: A list of names without quotes.
_NAMES = re.compile(r"\[[\w\s.,-]+\]")


@dataclass(frozen=True)
class Range:
    """The values of a parameter: choices, or an interval of integers or of three-digit numbers."""

    name: str
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    def draw(self, rng: np.random.Generator) -> Any:
        """Draw a value uniformly, or log-uniformly with `log`."""
        if self.choices:
            return self.choices[rng.integers(len(self.choices))]
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        low, high = self.low, self.high + whole
        if self.log:
            drawn = math.exp(rng.uniform(math.log(low), math.log(high)))
        else:
            drawn = rng.uniform(low, high)
        drawn = math.floor(drawn) if whole else float(f"{drawn:.3g}")
        return min(max(drawn, self.low), self.high)


def read_range(text: str) -> Range:
    """Parse a range from the command line; raises BadInputError if it is invalid or empty.

    >>> read_range("words.size=50:400:log")
    Range(name='words.size', choices=(), low=50, high=400, log=True)
    >>> read_range("timescales=[[2, 8], [3]]").choices
    ([2, 8], [3])
    >>> read_range("tokens.prediction=[nlms, delta]").choices
    ('nlms', 'delta')
    """
    from hebbsim.engine.network.description import setting_value

    name, _, said = (part.strip() for part in text.partition("="))
    choices = setting_value(said)
    if _NAMES.fullmatch(said) and isinstance(choices, str):  # without quotes
        choices = [setting_value(part.strip()) for part in said[1:-1].split(",")]
    if name and isinstance(choices, list) and choices:
        return Range(name, tuple(choices))
    bounds = said.split(":")
    log = len(bounds) == 3 and bounds[2] == "log"
    numbers = [setting_value(bound) for bound in bounds[:2]]
    good = all(type(n) in (int, float) and math.isfinite(n) for n in numbers)
    if not name or len(bounds) != 2 + log or not good:
        form = "give NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=[A, B, C]"
        raise BadInputError(f"--range {text}: {form}")
    low, high = numbers
    if not low < high or (log and low <= 0):
        raise BadInputError(f"--range {text}: LOW must be {'above 0 and ' * log}below HIGH")
    return Range(name, (), low, high, log)


def read_ranges(path: str | Path) -> tuple[str, ...]:
    """Read ranges from a TOML file: ``"words.size" = "50:400:log"``, or a list of choices."""
    found = []
    said = read_toml(path, "a TOML file of ranges")
    if not said:
        raise BadInputError(f'{path}: holds no range: give a line such as "words.size" = "50:400"')
    for name, value in said.items():
        if not isinstance(value, str | list):
            raise BadInputError(
                f"{path}: {name} is {json.dumps(value, default=str)}: give a list of values, or "
                'text such as "50:400:log"; put a name with a dot in quotes'
            )
        text = f"{name}={value if isinstance(value, str) else json.dumps(value, default=str)}"
        try:
            read_range(text)
        except BadInputError as error:
            raise BadInputError(f"{path}: {str(error).removeprefix('--range ')}") from None
        found.append(text)
    return tuple(found)


class TuneConfig(LearnerConfig):
    """Configuration of `run_tune`; every field is an option of the command line.

    Fields of `LearnerConfig` hold in every trial, unless a range replaces them. A file among
    `ranges` stands for the ranges in it, which precede the other ranges. Rules registered by
    `register_rule` exist only in this process, so use 1 worker with them.

    Examples
    --------
    >>> config = TuneConfig.checked({"ranges": ["words.size=10:20"], "trials": 2})
    >>> config.drawn()
    [{}, {'words.size': 17}]
    """

    ranges: tuple[str, ...] = option(
        "Values to try for timescales, clusters, passes or a parameter that --set takes, such "
        "as words.size=50:400:log or timescales=[[2],[2,8]], or a TOML file of these.",
        value=RANGES,
        name="--range",
        metavar="NAME=RANGE|FILE.toml...",
        default="the parameters that mattered for the presets, or those of the rival",
        each=True,
    )
    rival: str | None = option(
        "Rival of `hebbsim run roles --rivals` to tune instead of the network.", metavar="NAME"
    )
    trials: Count = option("Number of trials; the first one changes nothing.", value=20)
    seeds: Count = option(
        "Number of random seeds for the best third of the trials; the others get one.", value=3
    )
    workers: Workers = min(2, os.cpu_count() or 1)

    @model_validator(mode="before")
    @classmethod
    def _ranges_of_rival(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("rival") not in RIVALS or given.get("ranges"):
            return given
        return {**given, "ranges": rival_class(given["rival"]).RANGES}

    @field_validator("rival")
    @classmethod
    def _there_is_one(cls, value: str | None) -> str | None:
        if value is not None and value not in RIVALS:
            raise ValueError(f"there is no {value!r}: choose {', '.join(RIVALS)}")
        return value

    @field_validator("ranges")
    @classmethod
    def _one_of_a_name(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        files = [text for text in value if text.endswith(".toml") and "=" not in text]
        read = (text for file in files for text in read_ranges(file))
        return merged([*read, *(text for text in value if text not in files)] or RANGES)

    @model_validator(mode="after")
    def _check_trials(self) -> TuneConfig:
        top = f"{self.described()['tokens']['name']}.size"
        for text in self.ranges:
            if read_range(text).name == top:
                raise ValueError(f"--range {text}: the number of clusters is called clusters")
        for number, values in enumerate(self.drawn()):
            try:
                self.check(values)
            except BadInputError as error:
                said = ", ".join(changes(values))
                line = f"--range: trial {number} has {said}: {str(error).removeprefix('--')}"
                raise BadInputError(line) from None
        return self

    def drawn(self) -> list[dict[str, Any]]:
        """The parameters of each trial, all different; the first trial has none.

        Fewer than `trials` if the ranges have fewer combinations. A larger number of trials does
        not change the first ones.
        """
        import numpy as np

        ranges = [read_range(text) for text in self.ranges]
        rng = np.random.default_rng(0)
        found: dict[str, dict[str, Any]] = {"": {}}
        for _ in range(100 * self.trials):
            if len(found) == self.trials:
                break
            values = {each.name: each.draw(rng) for each in ranges}
            found.setdefault(json.dumps(values, default=str), values)
        return list(found.values())

    def check(self, values: dict[str, Any]) -> None:
        """Raise BadInputError if values cannot be used."""
        if self.rival is None:
            self.trial(values)
        else:
            new_rival(self.rival, self.clusters, 0, values)

    def trial(self, values: dict[str, Any]) -> LearnerConfig:
        """The configuration of one trial; raises BadInputError if a value cannot be used."""
        # Rules are registered, and the preset is applied, when this configuration is made.
        named = self.model_fields_set & set(LearnerConfig.model_fields) - {"rules", "preset"}
        options = {name: getattr(self, name) for name in named}
        options |= {name: values[name] for name in _OPTIONS if name in values}
        rest = {name: value for name, value in values.items() if name not in _OPTIONS}
        options |= {"preset": "default", "settings": merged(self.settings, changes(rest))}
        return LearnerConfig.checked(options)


def changes(values: dict[str, Any]) -> list[str]:
    """Format parameters as settings: ``NAME=VALUE``."""
    return [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in values.items()
    ]
