"""Weights and the rule of the registry that learns them: what layers are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine._jit import specialised
from hebbsim.engine.rules import Rule, get_rule, rule_names
from hebbsim.engine.values import LARGEST
from hebbsim.errors import BadInputError

__all__ = ["FIRES", "FIRST", "Plasticity", "Weights", "can_stand", "check_parts", "with_rules"]

#: What rules are given of one input: its number, and, of a unit that fires, its activity.
FIRST = np.zeros(1, dtype=np.int32)
FIRES = np.ones((1, 1), dtype=np.float32)

#: What units do in a part of a layer: they answer by themselves, their answer is given (a word
#: fires), or they predict a vector that the layer shows them.
_UNITS = {
    "memory": "given",
    "directions": "answer",
    "categories": "answer",
    "guess": "predict",
    "own": "answer",
    "prediction": "predict",
    "prototypes": "answer",
}


#: Length of a unit's weights, about, where they are drawn at random.
SMALL = 0.1


class Weights(NamedTuple):
    """What a kernel sees of learned weights.

    Attributes
    ----------
    values : ndarray of float32, shape=(m, n)
    state : ndarray of float32
        What the rule remembers beside them.
    rate : float32
        The learning rate.
    parameters : ndarray of float32
        Of the rule.
    """

    values: NDArray[np.float32]
    state: NDArray[np.float32]
    rate: np.float32
    parameters: NDArray[np.float32]


@dataclass(frozen=True)
class Plasticity:
    """A learning rule with its learning rate and parameters.

    Parameters
    ----------
    rule : str
        Name of a rule, see `hebbsim.engine.rule_names`.
    eta : float, optional
        Learning rate (default: that of the rule). With 0 the weights stay as they start.
    parameters : mapping of str to float
        Parameters of the rule that differ from its defaults.

    Examples
    --------
    >>> Plasticity("kmeans", parameters={"conscience": 0.5}).kernel.eta
    1.0
    """

    rule: str
    eta: float | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.rule, str):
            raise BadInputError(f"a rule is {self.rule!r}: give its name")
        eta = self.eta
        if eta is not None and not (isinstance(eta, int | float) and 0 <= eta <= LARGEST):
            raise BadInputError(f"eta of rule {self.rule} is {eta!r}: give a number from 0 on")
        get_rule(self.rule).resolve(self.parameters)

    @property
    def kernel(self) -> Rule:
        return get_rule(self.rule)

    def start(self, n_units: int, n_inputs: int, rng: np.random.Generator | None = None) -> Weights:
        """Weights of zero, or small ones that `rng` draws, and the rule's state.

        Some rules cannot leave zero: what they learn is in proportion to what there is.
        """
        rule = self.kernel
        values = np.zeros((n_units, n_inputs), dtype=np.float32)
        if rng is not None:
            values += SMALL / math.sqrt(n_inputs) * rng.standard_normal(values.shape)
        return Weights(
            values,
            rule.start(n_inputs, n_units),
            np.float32(rule.eta if self.eta is None else self.eta),
            np.array(list(rule.resolve(self.parameters).values()), dtype=np.float32),
        )

    def learn(
        self,
        weights: Weights,
        x: NDArray[np.float32],
        targets: NDArray[np.float32],
        rate: float,
    ) -> NDArray[np.float32]:
        """Let units predict `targets`, shape=(T, m), from the rows of x, one after another.

        `rate` is a factor of the learning rate. Returns what they predicted, shape=(T, m).
        """
        tokens = np.arange(len(x), dtype=np.int32)
        found = np.empty(targets.shape, dtype=np.float32)
        eta = np.float32(rate * weights.rate)
        self.kernel.learn(
            weights.values, weights.state, x, tokens, targets, False, eta, weights.parameters, found
        )
        return found


def _fits(rule: Rule, part: str) -> bool:
    if rule.recurrent:
        return False  # nowhere are inputs traces of the very vectors that units stand for
    units = _UNITS[part]
    post = "token" if units == "given" else "output"
    return post in rule.posts and rule.predictive == (units == "predict")


def can_stand(part: str) -> tuple[str, ...]:
    """Names of the rules that a part of a layer can learn by, sorted.

    Parameters
    ----------
    part : {"memory", "directions", "categories", "guess", "own", "prediction", "prototypes"}
        Two layers have ``directions``; they ask for the same.

    Raises
    ------
    BadInputError
        No layer has such a part.

    Examples
    --------
    >>> can_stand("prediction")
    ('delta', 'nlms', 'softmax')
    """
    if part not in _UNITS:
        raise BadInputError(f"no layer has a part {part!r}: choose {', '.join(_UNITS)}")
    return tuple(name for name in rule_names() if _fits(get_rule(name), part))


def check_parts(layer: Any) -> None:
    """Refuse a layer one of whose parts is no `Plasticity`, or has a rule that cannot stand there.

    Raises
    ------
    BadInputError
        It names the rules that can.
    """
    for part in layer.PARTS:
        given = getattr(layer, part)
        if not isinstance(given, Plasticity):
            raise BadInputError(f"{part} of layer {layer.name} is {given!r}: give a Plasticity")
        if not _fits(given.kernel, part):
            raise BadInputError(
                f"layer {layer.name} cannot learn its {part} by {given.rule}: "
                f"choose {', '.join(can_stand(part))}"
            )


def with_rules(kernel: Any, **parts: Plasticity) -> Callable[..., Any]:
    """A copy of a kernel, compiled, in which global names stand for the kernels of rules."""
    rules = {name: part.kernel for name, part in parts.items()}
    # A sentence is learned as a whole, so that the form in blocks leaves no trace of how a
    # stream is cut.
    return specialised(kernel, **{name: r.learn_blocks or r.learn for name, r in rules.items()})
