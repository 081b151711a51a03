"""Check a user's rule before it is used."""

import dataclasses
import inspect
import re
from collections.abc import Callable
from typing import Any, get_args

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._rule import Post, Rule
from hebbsim.engine.values import number
from hebbsim.errors import BadInputError

_ARGUMENTS = "weights, state, pre, tokens, table, clamped, eta, parameters, post"


def checked(rule: Any) -> Rule:
    """The rule with its kernels compiled and tried on three tokens.

    BadInputError if it is no rule, or a kernel takes other arguments, cannot be compiled or fails.
    """
    if not isinstance(rule, Rule):
        raise BadInputError(f"{rule!r} is no Rule: give a hebbsim.engine.Rule")
    if not (isinstance(rule.name, str) and rule.name.isidentifier()):
        raise BadInputError(f"rule {rule.name!r}: give it a name of letters, digits and _")
    if not rule.posts or not set(rule.posts) <= set(get_args(Post)):
        raise BadInputError(f"rule {rule.name}: posts is {rule.posts!r}, not output, token or both")
    rule.resolve(rule.parameters)
    number(f"eta of rule {rule.name}", rule.eta, above=False)
    kernels: dict[str, Any] = {"learn": _compiled(rule, "learn", rule.learn)}
    if rule.learn_blocks is not None:
        kernels["learn_blocks"] = _compiled(rule, "learn_blocks", rule.learn_blocks)
    rule = dataclasses.replace(rule, **kernels)
    for which, kernel in kernels.items():
        for post in rule.posts:
            _try_out(rule, which, kernel, post)
    return rule


def _compiled(rule: Rule, which: str, kernel: Any) -> Callable[..., Any]:
    function = getattr(kernel, "py_func", kernel)
    if not inspect.isfunction(function):
        raise BadInputError(f"rule {rule.name}: {which} is {kernel!r}, not a function")
    n_arguments, n_expected = len(inspect.signature(function).parameters), _ARGUMENTS.count(",") + 1
    if n_arguments != n_expected:
        raise BadInputError(
            f"rule {rule.name}: {which} takes {n_arguments} arguments, not the {n_expected} of a "
            f"kernel: {_ARGUMENTS}"
        )
    # A plain function is not cached: it may call functions of any file, which may change.
    return njit(function, keep=False) if kernel is function else kernel


def _try_out(rule: Rule, which: str, kernel: Callable[..., Any], post: Post) -> None:
    n_units, n_inputs = 2, 4
    values = np.linspace(-1, 1, n_units * n_inputs + 12, dtype=np.float32)
    weights = values[: n_units * n_inputs].reshape(n_units, n_inputs).copy()
    before = weights.copy()
    pre = values[-12:].reshape(3, n_inputs).copy()
    table = values[:6].reshape(3, n_units).copy()
    filled = np.full((3, n_units), np.nan, dtype=np.float32)
    parameters = np.array(list(rule.resolve(None).values()), dtype=np.float32)
    state, as_started = (rule.start(n_inputs, n_units) for _ in range(2))
    if not (isinstance(state, np.ndarray) and state.dtype == np.float32 and state.ndim == 1):
        raise BadInputError(f"rule {rule.name}: start gives {state!r}, not a flat float32 array")

    def run(eta: float) -> None:
        kernel(
            weights, state, pre, np.arange(3, dtype=np.int32), table,
            post == "token", np.float32(eta), parameters, filled,
        )  # fmt: skip

    try:
        run(0.0)
        still = np.array_equal(weights, before) and np.array_equal(state, as_started)
        run(0.01)
    except Exception as error:  # whatever numba or the kernel may raise
        raise BadInputError(f"rule {rule.name}: {which} {_what_failed(error)}") from None
    if not still:
        raise BadInputError(
            f"rule {rule.name}: {which} changes its weights or its state with eta 0, at which "
            "nothing is to be learned"
        )
    if not np.isfinite(filled).all():
        raise BadInputError(f"rule {rule.name}: {which} does not fill post with finite numbers")


def _what_failed(error: Exception) -> str:
    """The main line of numba's many, and the place in the source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith("Failed in nopython mode")]
    places = re.findall(r'File "([^"]+)", line (\d+)', str(error))
    where = f" at {places[0][0]}:{places[0][1]}" if places else ""
    return f"cannot be compiled or run{where} ({type(error).__name__}: {(reasons or [''])[0]})"
