"""The parts of a layer: weights, and the rule of the registry that learns them."""

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

#: Arguments of a rule for one input: its index, and the activity of a unit that fires.
FIRST = np.zeros(1, dtype=np.int32)
FIRES = np.ones((1, 1), dtype=np.float32)

#: Activity of the units in each part of a layer: their response to the input, given (a word
#: fires), or a prediction of a target.
_UNITS = {
    "memory": "given",
    "directions": "response",
    "categories": "response",
    "guess": "prediction",
    "own": "response",
    "prediction": "prediction",
    "prototypes": "response",
}
#: Approximate length of a unit's initial weights, where they are random.
SMALL = 0.1


class Weights(NamedTuple):
    """Learned weights, as kernels take them."""

    values: NDArray[np.float32]  # shape=(m, n)
    state: NDArray[np.float32]  # of the rule, besides the weights
    rate: np.float32
    parameters: NDArray[np.float32]  # of the rule


@dataclass(frozen=True)
class Plasticity:
    """A learning rule with its learning rate and parameters.

    Parameters
    ----------
    rule : str
        Name of a rule, see `hebbsim.engine.rule_names`.
    eta : float, optional
        Learning rate (default: that of the rule). With 0 the weights keep their initial values.
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
            raise BadInputError(
                f"eta of rule {self.rule} is {eta!r}: give a number from 0 to {LARGEST:,}"
            )
        get_rule(self.rule).resolve(self.parameters)

    @property
    def kernel(self) -> Rule:
        return get_rule(self.rule)

    def start(self, n_units: int, n_inputs: int, rng: np.random.Generator | None = None) -> Weights:
        """Initial weights, zero or small random ones from `rng`, and the rule's state.

        Rules whose update is proportional to the weights need random ones.
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

    def learn(self, weights: Weights, x: NDArray[np.float32]) -> None:
        """Learn from the rows of x, one after another, by the units' own response."""
        tokens = np.arange(len(x), dtype=np.int32)
        targets = np.zeros((len(x), len(weights.values)), dtype=np.float32)
        self.kernel.learn(
            weights.values, weights.state, x, tokens, targets, False, weights.rate,
            weights.parameters, np.empty_like(targets),
        )  # fmt: skip


def _fits(rule: Rule, part: str) -> bool:
    if rule.recurrent:
        return False  # in no part are the inputs traces of the vectors that the units stand for
    post = "token" if _UNITS[part] == "given" else "output"
    return post in rule.posts and rule.predictive == (_UNITS[part] == "prediction")


def can_stand(part: str) -> tuple[str, ...]:
    """Names of the rules by which a part of a layer can learn, sorted.

    `part` is one of "memory", "directions", "categories", "guess", "own", "prediction" and
    "prototypes" (else BadInputError).

    >>> can_stand("prediction")
    ('delta', 'nlms', 'softmax')
    """
    if part not in _UNITS:
        raise BadInputError(f"no layer has a part {part!r}: choose {', '.join(_UNITS)}")
    return tuple(name for name in rule_names() if _fits(get_rule(name), part))


def check_parts(layer: Any) -> None:
    """Refuse a layer with a part that is no `Plasticity` or has an unsuitable rule."""
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
    # A sentence is always learned as a whole, so that even learn_blocks gives results that do not
    # depend on how a stream is cut.
    return specialised(kernel, **{name: r.learn_blocks or r.learn for name, r in rules.items()})
