"""Record chosen units at chosen intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

VARIABLES = ("weights", "traces", "post")


class Recorder:
    """Values of one variable, recorded at a fixed interval; see `TraceEngine.record`."""

    def __init__(
        self, variable: str, every: int, units: Sequence[int] | None, shape: tuple[int, ...]
    ) -> None:
        if variable not in VARIABLES:
            raise BadInputError(f"cannot record {variable!r}: choose {', '.join(VARIABLES)}")
        if not (isinstance(every, int | np.integer) and every >= 1):
            raise BadInputError(f"every={every!r}: record every 1 token or more")
        # Units are rows of the weights and columns of the traces and of the post side.
        self._axis = 0 if variable == "weights" else -1
        limit = shape[self._axis]
        chosen = np.arange(limit) if units is None else np.asarray(units)
        if chosen.ndim != 1 or (chosen.size and not np.issubdtype(chosen.dtype, np.integer)):
            raise BadInputError("units to record must be one row of integers")
        if ((chosen < 0) | (chosen >= limit)).any():
            raise BadInputError(f"units to record must lie in 0..{limit - 1}")
        self.variable = variable
        self.every = int(every)
        self.units = chosen.astype(np.int64)
        recorded = np.empty(shape, dtype=np.float32).take(self.units, axis=self._axis).shape
        self._empty = np.empty((0, *recorded), dtype=np.float32)
        self._positions: list[int] = []
        self._values: list[NDArray[np.float32]] = []

    @property
    def positions(self) -> NDArray[np.int64]:
        """Number of tokens learned at each record, shape=(M,)."""
        return np.array(self._positions, dtype=np.int64)

    @property
    def values(self) -> NDArray[np.float32]:
        """shape=(M, U, S * D) for weights, (M, S, U) for traces, (M, U) for post."""
        return np.stack(self._values) if self._values else self._empty

    def due_in(self, position: int) -> int:
        """Number of tokens from `position` to the next record."""
        return self.every - position % self.every

    def observe(self, engine: Any, post: NDArray[np.float32]) -> None:
        """Record the engine's variable if a record is due; `post` is the activity, shape=(m,)."""
        if engine.position % self.every == 0:
            source = post if self.variable == "post" else getattr(engine, self.variable)
            self._positions.append(engine.position)
            self._values.append(source.take(self.units, axis=self._axis))
