"""Stream the traces of a text through a buffer in the cache into a learning rule.

The traces of a whole text are never held: at D=256 and three timescales they take 3 KB a token,
and writing them to memory and reading them back takes longer than computing them.
"""

from collections.abc import Callable
from typing import Any

from hebbsim.engine._jit import specialised
from hebbsim.engine.memory import copy_values
from hebbsim.engine.traces import chunk_traces

learn: Callable[..., None]  # of one rule in each copy of _run


def chunk_length(n_inputs: int) -> int:
    """Tokens whose contexts of `n_inputs` values fill about 192 KB; affects no result."""
    return min(max(49152 // n_inputs // 4 * 4, 16), 1024)


def _run(
    tokens, table, starts, keep, alpha, startup, traces, mass, seen, rows,
    weights, state, clamped, eta, parameters, post,
):  # fmt: skip
    """Learn a chunk of T tokens; traces, mass, seen, weights and state are updated in place.

    Arguments are those of `chunk_traces` and of a rule's kernel (`hebbsim.engine.rules`), except:
    `traces`, shape=(S, D), holds the traces before and after the chunk; `rows`,
    shape=(C + 1, S, D), is the buffer; `post`, shape=(T, m), is filled, or, with shape=(C, m),
    holds the activity at the last C tokens alone.
    """
    n_tokens = len(tokens)
    length = len(rows) - 1
    flat = rows.reshape(length + 1, weights.shape[1])
    held = traces.reshape(-1)
    copy_values(held, flat[0])
    for a in range(0, n_tokens, length):
        b = min(a + length, n_tokens)
        chunk_traces(tokens[a:b], table, starts[a:b], keep, alpha, startup, mass, seen, rows)
        y = post[a:b] if len(post) == n_tokens else post[: b - a]
        learn(weights, state, flat[: b - a], tokens[a:b], table, clamped, eta, parameters, y)  # noqa: F821
        copy_values(flat[b - a], flat[0])
    copy_values(flat[0], held)


def through_chunks(learn: Callable[..., Any]) -> Callable[..., None]:
    """The kernel `_run`, compiled with the kernel `learn` of a rule."""
    return specialised(_run, learn=learn)
