"""The description of a learning rule that the engine works with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

Post = Literal["output", "token"]


@dataclass(frozen=True)
class Rule:
    """A local learning rule: its paper, its equation, its kernel.

    Attributes
    ----------
    name : str
        Name of the rule; for a built-in one, that of its file.
    source : str
        Reference.
    equation : str
        The update in one line: W weights, h input (pre), y activity (post), x vector of the
        current token, η learning rate.
    learn : callable
        The kernel, see :mod:`hebbsim.engine.rules`.
    posts : tuple of {"output", "token"}
        Options for the activity of the units: their own response, or the current token's
        vector. The first one is the default.
    predictive : bool
        Whether the D units stand for the dimensions of the token's vector, for any `posts`.
    recurrent : bool
        Whether every block of D inputs is a trace of the vectors that the D units stand for, so
        that n is a multiple of D.
    parameters : mapping of str to float
        Names and defaults, in the order in which the kernel reads them. Values are at least
        0, or at least 1 (token) if the name starts with ``tau``.
    learn_blocks : callable, optional
        A faster kernel that equals `learn` up to rounding.
    eta : float
        Default learning rate, chosen so that over 200,000 tokens of English weights keep
        about their initial size, or grow to a length of about one if they start at zero.
    start : callable
        ``start(n_inputs, n_units)`` returns the initial state besides the weights, as a flat
        float32 array (default: empty).

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
    start: Callable[[int, int], NDArray[np.float32]] = lambda n_inputs, n_units: np.empty(
        0, dtype=np.float32
    )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name: kernels are those of the registry where it is read."""
        from hebbsim.engine.rules import get_rule

        return get_rule, (self.name,)

    def __str__(self) -> str:
        return f"{self.name}: {self.equation}\n    {self.source}"

    def tied(self, post: str) -> bool:
        """Whether units stand for the dimensions of the token's vector."""
        return self.predictive or post == "token"

    def check_sizes(self, post: str, n_inputs: int, n_units: int, n_targets: int) -> None:
        """Raise BadInputError for a `post` that the rule lacks, or sizes that do not suit it.

        `n_inputs` is the number of columns of `pre`, `n_units` of rows of the weights, and
        `n_targets` of columns of the table.
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
        """The default parameters, updated with the values `given`; BadInputError for bad ones."""
        values = dict(self.parameters)
        for name, value in (given or {}).items():
            if name not in values:
                known = ", ".join(values) or "none"
                raise BadInputError(
                    f"rule {self.name} has no parameter {name!r}: it has {known} besides eta"
                )
            least = 1 if name.startswith("tau") else 0
            if not (isinstance(value, int | float) and least <= value <= 1e30):
                raise BadInputError(
                    f"parameter {name} of rule {self.name} is {value!r}: "
                    f"give a number of at least {least}"
                )
            values[name] = float(value)
        return values
