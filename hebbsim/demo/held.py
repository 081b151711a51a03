"""A learner of roles whose traces are held in a number format and with noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbsim.models import HebbianRoleInducer
from hebbsim.probes.identity import Condition
from hebbsim.probes.identity.states import round_bfloat16, round_int8

__all__ = ["held"]


class _Held(HebbianRoleInducer):
    condition = Condition()

    def _roots_of_traces(
        self, rows: NDArray[np.int32], table: NDArray[np.float32], offsets: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        roots = super()._roots_of_traces(rows, table, offsets)
        # By timescale: rounding and noise are relative to the size of each trace.
        traces = (roots**2).reshape(2, len(rows), len(self._keep), -1)
        if self.condition.precision == "bfloat16":
            traces = round_bfloat16(traces)
        elif self.condition.precision == "int8":
            traces = round_int8(traces, np.abs(traces).max(axis=(0, 1, 3))[:, None])
        if self.condition.snr is not None:
            rms = np.sqrt((traces**2).mean(axis=(0, 1, 3)))
            size = (rms * 10 ** (-self.condition.snr / 20)).astype(np.float32)[:, None]
            rng = np.random.default_rng([self.random_state, 4])
            # What is no larger than the noise counts as nothing.
            noise = rng.standard_normal(traces.shape, dtype=np.float32) - 1
            traces = np.maximum(traces + size * noise, 0)
        return np.sqrt(traces, dtype=np.float32).reshape(roots.shape)


def held(learner: HebbianRoleInducer, condition: Condition) -> HebbianRoleInducer:
    """A view of a fitted learner whose traces are rounded and noisy when it predicts.

    It shares what was learned; values below the size of the noise are taken for nothing,
    which a reader that knows the noise can do. The state that is read is rounded, once.

    Parameters
    ----------
    learner : HebbianRoleInducer
        Fitted.
    condition : Condition

    Examples
    --------
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> learner = HebbianRoleInducer(n_clusters=5, n_categories=4).fit(sentences)
    >>> exact = held(learner, Condition()).predict(sentences)
    >>> bool((exact == learner.predict(sentences)).all())
    True
    """
    if condition.snr is None and condition.precision in ("float64", "float32"):
        return learner  # the learner's own format
    view = _Held(**learner.get_params())
    view.__dict__.update(learner.__dict__)
    view.condition = condition
    return view
