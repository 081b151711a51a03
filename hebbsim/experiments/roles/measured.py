"""Predicted roles and scores of one step of a run, and their cached form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.experiments.roles.data import Gold
from hebbsim.runs.costs import Cost
from hebbsim.runs.results import Score
from hebbsim.runs.resume import StepResult

#: Predicted role of every token, by split.
Roles = dict[str, NDArray[np.str_]]


@dataclass
class Measured:
    """What one step of a run measured."""

    #: Model, condition, seed, and roles by split.
    predicted: list[tuple[str, str, int, Roles]] = field(default_factory=list)
    #: Scores that do not follow from predicted roles.
    scores: list[Score] = field(default_factory=list)
    #: By split, the nearest cluster of every token, shape=(T,), for the learner of seed 0.
    winners: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)

    def as_step(self, gold: Gold) -> StepResult:
        """Convert to arrays and a JSON document; roles become codes of `gold`."""
        arrays: dict[str, NDArray[Any]] = {
            f"{number} {split}": gold.encode({split: roles})[split]
            for number, (*_, predicted) in enumerate(self.predicted)
            for split, roles in predicted.items()
        }
        arrays |= {f"winners {split}": ids for split, ids in self.winners.items()}
        document = {
            "keys": [key for *key, _ in self.predicted],
            "scores": [asdict(score) for score in self.scores],
            "costs": [asdict(cost) for cost in self.costs],
        }
        return StepResult(arrays, document)

    @classmethod
    def of_step(cls, step: StepResult, gold: Gold) -> Measured:
        """The inverse of `as_step`."""
        by_part: dict[str, dict[str, NDArray[Any]]] = {}
        for key, array in step.arrays.items():
            part, _, split = key.partition(" ")
            by_part.setdefault(part, {})[split] = array
        return cls(
            [
                (model, condition, seed,
                 {split: gold.names[codes] for split, codes in by_part.get(str(n), {}).items()})
                for n, (model, condition, seed) in enumerate(step.document["keys"])
            ],
            [Score(**score) for score in step.document["scores"]],
            by_part.get("winners", {}),
            [Cost(**cost) for cost in step.document["costs"]],
        )  # fmt: skip
