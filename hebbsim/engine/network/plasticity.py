"""Weights and the rule of the registry that learns them: what layers are made of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine._jit import njit
from hebbsim.engine.rules import Rule, get_rule
from hebbsim.errors import BadInputError

__all__ = ["Plasticity", "Weights", "with_rules"]


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
    """A rule, how fast it learns, and its parameters where they differ from its own.

    Parameters
    ----------
    rule : str
        A name of the registry.
    eta : float, optional
        Learning rate; the rule's own without. With 0 the weights stay as they start.
    parameters : mapping of str to float
        Of the rule.

    Examples
    --------
    >>> Plasticity("kmeans", parameters={"conscience": 0.5}).replaced("competitive").rule
    'competitive'
    """

    rule: str
    eta: float | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        eta = self.eta
        if eta is not None and not (isinstance(eta, int | float) and 0 <= eta < float("inf")):
            raise BadInputError(f"eta of rule {self.rule} is {eta!r}: give a number from 0 on")
        get_rule(self.rule).resolve(self.parameters)

    @property
    def kernel(self) -> Rule:
        return get_rule(self.rule)

    def replaced(self, rule: str) -> Plasticity:
        """The same with another rule, at that rule's own rate and parameters."""
        return Plasticity(rule)

    def start(self, n_units: int, n_inputs: int) -> Weights:
        """Weights of zero, and the rule's state."""
        rule = self.kernel
        return Weights(
            np.zeros((n_units, n_inputs), dtype=np.float32),
            rule.start(n_inputs, n_units),
            np.float32(rule.eta if self.eta is None else self.eta),
            np.array(list(rule.resolve(self.parameters).values()), dtype=np.float32),
        )


@functools.cache
def _specialised(kernel: FunctionType, rules: tuple[tuple[str, Any], ...]) -> Callable[..., Any]:
    names = "_".join(learn.__module__.rpartition(".")[2] for _, learn in rules)
    copy = FunctionType(kernel.__code__, {**kernel.__globals__, **dict(rules)}, kernel.__name__)
    copy.__name__ = copy.__qualname__ = f"{kernel.__name__}_{names}"
    copy.__module__ = kernel.__module__
    # Elsewhere a kernel may change without a trace in the sources that the cache looks at.
    ours = all(learn.__module__.startswith("hebbsim.engine.") for _, learn in rules)
    return njit(copy, keep=ours)


def with_rules(kernel: Any, **rules: Plasticity) -> Callable[..., Any]:
    """A copy of a kernel, compiled, in which global names stand for kernels of rules.

    One is compiled for each choice of rules: numba keeps no function on disk that holds another
    in a closure or takes it as an argument.
    """
    chosen = tuple((name, part.kernel.learn) for name, part in rules.items())
    return _specialised(kernel, chosen)
