"""A learner of roles whose traces are held in a number format and with noise."""

from __future__ import annotations

import copy
import zlib
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hebbsim.models import RoleNetwork
from hebbsim.probes.identity import Condition
from hebbsim.probes.identity.states import round_bfloat16, round_int8

__all__ = ["held"]


def held(learner: RoleNetwork, condition: Condition) -> RoleNetwork:
    """A view of a fitted learner whose traces are rounded and noisy when it predicts.

    It shares what was learned; values below the size of the noise are taken for nothing,
    which a reader that knows the noise can do. The state that is read is rounded, once. A
    sentence gets the same noise each time.

    Parameters
    ----------
    learner : RoleNetwork
        Fitted.
    condition : Condition

    Examples
    --------
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> learner = RoleNetwork(n_clusters=5).fit(sentences)
    >>> exact = held(learner, Condition()).predict(sentences)
    >>> bool((exact == learner.predict(sentences)).all())
    True
    """
    if condition.snr is None and condition.precision in ("float64", "float32"):
        return learner  # the learner's own format
    view = copy.copy(learner)
    view.network_ = copy.copy(learner.network_)
    view.network_.top = copy.copy(learner.network_.top)
    view.network_.top.hold = partial(_hold, condition=condition)
    return view


def _hold(traces: NDArray[np.float32], condition: Condition) -> None:
    """Round traces, shape=(L, 2, S, C + 1), and add noise: by timescale, of the size of each."""
    seed = zlib.crc32(traces.tobytes())
    across = (0, 1, 3)
    if condition.precision == "bfloat16":
        traces[:] = round_bfloat16(traces)
    elif condition.precision == "int8":
        traces[:] = round_int8(traces, np.abs(traces).max(axis=across)[:, None])
    if condition.snr is not None:
        rms = np.sqrt((traces**2).mean(axis=across))
        size = (rms * 10 ** (-condition.snr / 20)).astype(np.float32)[:, None]
        # What is no larger than the noise counts as nothing.
        noise = np.random.default_rng(seed).standard_normal(traces.shape, dtype=np.float32) - 1
        np.maximum(traces + size * noise, 0, out=traces)
