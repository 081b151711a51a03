"""Principal components of a stream of vectors, in candid incremental form (CCIPCA)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.components import learn_components

__all__ = ["Components"]


class Components:
    """P directions of largest variance of inputs in D dimensions, and their mean.

    Parameters
    ----------
    n_components, n_inputs : int
        P and D.
    amnesia : float
        See `hebbsim.engine.components.learn_components`.
    """

    def __init__(self, n_components: int, n_inputs: int, amnesia: float = 2.0) -> None:
        self.amnesia = float(amnesia)
        self.mean = np.zeros(n_inputs, dtype=np.float32)
        self.components = np.zeros((min(n_components, n_inputs), n_inputs), dtype=np.float32)
        self.seen = np.zeros(1, dtype=np.int64)

    def learn(self, x: NDArray[np.float32], order: NDArray[np.int64]) -> None:
        """Take in rows of `x` in the order given."""
        learn_components(
            np.ascontiguousarray(x),
            order,
            np.float32(self.amnesia),
            self.mean,
            self.components,
            self.seen,
        )

    def project(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates of every row along the components, shape=(N, P)."""
        length = np.sqrt(np.einsum("pd,pd->p", self.components, self.components))
        directions = self.components / np.maximum(length, np.float32(1e-12))[:, None]
        # The mean is taken away afterwards: x may be large, and is not to be copied.
        return x @ directions.T - directions @ self.mean
