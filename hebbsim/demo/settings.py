"""What the sliders of the page stand at, checked: nothing that a browser sends is trusted."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator

from hebbsim.config import ExperimentConfig, Timescales
from hebbsim.engine.rules import get_rule
from hebbsim.probes.identity import Condition

__all__ = ["MOST_TIMESCALES", "Settings"]

MOST_TIMESCALES = 6
LONGEST = 64


class Settings(ExperimentConfig):
    """The memory and the rule, as the sliders say.

    Attributes
    ----------
    timescales : tuple of float
        Whole tokens from 1 to 64, in increasing order, six at most.
    precision : {"float64", "float32", "bfloat16", "int8"}
        Number format that the traces are held in.
    noise : float
        In percent of the size of each trace, 0 to 100.
    rule : str
        Of the Hebbian weights.
    eta : float
        Learning rate of the rule, 0 to 1.
    fresh : bool
        The weights start from nothing instead of from what the corpus taught them.
    live : bool
        Roles come from the learner that learns while the class watches.

    Examples
    --------
    >>> Settings.checked({"timescales": [8, 2]}).timescales
    (2.0, 8.0)
    >>> Settings(noise=10).condition.words
    'precision=float32 snr=20'
    """

    timescales: Timescales = (2.0, 8.0, 32.0)
    precision: Literal["float64", "float32", "bfloat16", "int8"] = "float32"
    noise: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    rule: str = "delta"
    eta: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.01
    fresh: bool = False
    live: bool = False

    @field_validator("timescales")
    @classmethod
    def _whole(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) > MOST_TIMESCALES:
            raise ValueError(f"{len(value)} timescales: {MOST_TIMESCALES} at most")
        for tau in value:
            if tau != int(tau) or tau > LONGEST:
                raise ValueError(f"timescale {tau:g}: give whole numbers from 1 to {LONGEST}")
        return tuple(sorted(value))

    @field_validator("rule")
    @classmethod
    def _known(cls, value: str) -> str:
        return get_rule(value).name

    @property
    def condition(self) -> Condition:
        """Number format and noise as the probes of identity take them."""
        snr = -20 * math.log10(self.noise / 100) if self.noise else None
        return Condition(precision=self.precision, snr=snr)
