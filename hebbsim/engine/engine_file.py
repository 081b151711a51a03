"""Read a trace engine from its checkpoint; convert its random state to an array and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import MISFITS, read_checkpoint
from hebbsim.engine.rules import get_rule
from hebbsim.errors import BadInputError, reason

if TYPE_CHECKING:
    from hebbsim.engine.trace_engine import TraceEngine

KIND = "hebbsim.trace-engine/2"


def load_engine(kind: type[TraceEngine], path: str | os.PathLike[str]) -> TraceEngine:
    """See `TraceEngine.load`."""
    arrays, config = read_checkpoint(path, KIND)
    rule = config.get("rule")
    if isinstance(rule, str) and rule.isidentifier():
        try:
            get_rule(rule)
        except BadInputError:
            raise BadInputError(
                f"checkpoint {path} was learned by rule {rule!r}, which is not registered "
                "here: register it first (hebbsim.engine.load_rules, or --rules FILE.py)"
            ) from None
    try:
        # Compared before anything is allocated, so that no size exceeds the arrays of the file.
        sizes = [config["n_types"], config["n_units"], len(config["timescales"])]
        if sizes != [len(arrays[name]) for name in ("embedding", "weights", "traces")]:
            raise ValueError("its configuration does not fit its arrays")
        engine = kind(**config, embedding=arrays["embedding"])
        engine.restore(arrays)
    except MISFITS as error:
        raise BadInputError(f"checkpoint {path} is damaged: {reason(error)}") from None
    return engine


def rng_words(rng: np.random.Generator) -> NDArray[np.uint64]:
    """State of a PCG64 generator, shape=(6,): two 128-bit numbers and a spare half word."""
    state: dict[str, Any] = dict(rng.bit_generator.state)
    wide = [state["state"]["state"], state["state"]["inc"]]
    words = [word for number in wide for word in (number >> 64, number & (2**64 - 1))]
    return np.array([*words, state["has_uint32"], state["uinteger"]], dtype=np.uint64)


def set_rng(rng: np.random.Generator, words: NDArray[np.uint64]) -> None:
    number = [int(word) for word in words]
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": number[0] << 64 | number[1], "inc": number[2] << 64 | number[3]},
        "has_uint32": number[4],
        "uinteger": number[5],
    }
