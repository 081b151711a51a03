"""What a learning rule is to the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

Post = Literal["output", "token"]


def no_state(n_inputs: int, n_units: int) -> NDArray[np.float32]:
    """The state of a rule that remembers nothing but its weights."""
    return np.empty(0, dtype=np.float32)


@dataclass(frozen=True)
class Rule:
    """A local learning rule: its paper, its equation, its kernel.

    Attributes
    ----------
    name : str
        That of the file that defines it.
    source : str
        The paper.
    equation : str
        One line, in the letters of the kernels: W weights, h pre, y post, x the current
        token's vector, eta the learning rate.
    learn : callable
        The kernel, see :mod:`hebbsim.engine.rules`.
    posts : tuple of {"output", "token"}
        What the post-synaptic side may be: the units' own response, or the current
        token's vector. The first one is the default.
    predictive : bool
        The units stand for the dimensions of the token's vector, whichever the post, so
        there are D of them.
    recurrent : bool
        Every block of D inputs is a trace of the very vectors that the units stand for, so
        n is a multiple of D.
    parameters : mapping of str to float
        Names and defaults, in the order in which the kernel reads them. None may be
        negative; one whose name starts with ``tau`` is at least 1 (tokens).
    learn_blocks : callable, optional
        A faster kernel that equals `learn` to rounding.
    eta : float
        Default learning rate: over 200,000 tokens of English, weights stay about as large as
        they start, or grow to a length of about one where they start at zero.
    start : callable
        ``start(n_inputs, n_units)`` gives what the rule remembers beside the weights, a
        flat float32 array.

    Examples
    --------
    >>> from hebbsim.engine import get_rule
    >>> get_rule("competitive").resolve({"conscience": 2.0})["conscience"]
    2.0
    """

    name: str
    source: str
    equation: str
    learn: Callable[..., Any]
    posts: tuple[Post, ...] = ("output",)
    predictive: bool = False
    recurrent: bool = False
    parameters: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    learn_blocks: Callable[..., Any] | None = None
    eta: float = 0.01
    start: Callable[[int, int], NDArray[np.float32]] = no_state

    def __str__(self) -> str:
        return f"{self.name}: {self.equation}\n    {self.source}"

    def tied(self, post: str) -> bool:
        """Whether units stand for the dimensions of the token's vector."""
        return self.predictive or post == "token"

    def check_sizes(self, post: str, n_inputs: int, n_units: int, n_targets: int) -> None:
        """Whether the kernel can learn with arrays of these sizes.

        Parameters
        ----------
        post : {"output", "token"}
        n_inputs, n_units, n_targets : int
            Columns of `pre`, rows of the weights, columns of the table.

        Raises
        ------
        BadInputError
            A post that the rule does not have, or sizes that do not fit.
        """
        if post not in self.posts:
            raise BadInputError(
                f"rule {self.name} cannot take post={post!r}: choose {', '.join(self.posts)}"
            )
        if self.tied(post) and n_units != n_targets:
            raise BadInputError(
                f"rule {self.name} with post={post!r} has one unit per dimension of the token's "
                f"vector, {n_targets}, not {n_units}"
            )
        if self.recurrent and n_inputs % n_units:
            raise BadInputError(
                f"rule {self.name} learns from traces of the token's own vectors: {n_inputs} "
                f"inputs are no multiple of their {n_units} dimensions"
            )

    def resolve(self, given: Mapping[str, float] | None) -> dict[str, float]:
        """Defaults with the values `given` put in, checked."""
        values = dict(self.parameters)
        for name, value in (given or {}).items():
            if name not in values:
                known = ", ".join(values) or "none"
                raise BadInputError(f"rule {self.name} has no parameter {name!r}: it has {known}")
            least = 1 if name.startswith("tau") else 0
            if not (isinstance(value, int | float) and least <= value <= 1e30):
                raise BadInputError(
                    f"parameter {name} of rule {self.name} is {value!r}: "
                    f"give a number of at least {least}"
                )
            values[name] = float(value)
        return values
