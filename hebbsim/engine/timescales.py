"""Timescales of traces, checked before anything is compiled (this module loads no numba)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

__all__ = ["check_timescales"]


def check_timescales(timescales: str | float | Iterable[float]) -> NDArray[np.float64]:
    """Timescales `tau` as an array, or one line that says what is wrong with them.

    Parameters
    ----------
    timescales : float, iterable of float, or str
        In tokens, each at least 1 and finite, none twice; a string separates them by
        commas. ``tau = 1`` keeps the last token alone.

    Returns
    -------
    ndarray of float64, shape=(S,)
        In the order given.

    Raises
    ------
    BadInputError
        None given, not a number, below 1, not finite, or a duplicate.

    Examples
    --------
    >>> check_timescales("2,8,32")
    array([ 2.,  8., 32.])
    """
    if isinstance(timescales, str):
        parts: list[object] = [part.strip() for part in timescales.split(",")]
        parts = [] if parts == [""] else parts
    elif isinstance(timescales, Iterable):
        parts = list(timescales)
    else:
        parts = [timescales]
    if not parts:
        raise BadInputError("no timescales given: name at least one, such as 2,8,32")
    taus: list[float] = []
    for part in parts:
        try:
            tau = float(part)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise BadInputError(
                f"timescale {part!r} is not a number: give tokens, such as 2,8,32"
            ) from None
        if not np.isfinite(tau):
            raise BadInputError(f"timescale {part} is not finite: give tokens, such as 2,8,32")
        if tau < 1:
            raise BadInputError(
                f"timescale {part} is below 1 token: the shortest trace, 1, keeps the last token"
            )
        if tau in taus:
            raise BadInputError(f"timescale {part} is given twice: name each one once")
        taus.append(tau)
    return np.array(taus, dtype=np.float64)
