"""Check the timescales of traces, without loading numba."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError


def check_timescales(timescales: str | float | Iterable[float]) -> NDArray[np.float64]:
    """Check the timescales `tau` and return them as an array.

    Parameters
    ----------
    timescales : float, iterable of float, or str
        In tokens, each finite and at least 1, no duplicates; a string is comma-separated.
        With ``tau = 1`` a trace holds the last token only.

    Returns
    -------
    ndarray of float64, shape=(S,)
        In the order given.

    Raises
    ------
    BadInputError
        No timescale, or one that is not a number, not finite, below 1 or a duplicate.

    Examples
    --------
    >>> check_timescales("2,8,32")
    array([ 2.,  8., 32.])
    """
    if isinstance(timescales, str):
        text = timescales.strip()
        parts: list[Any] = [part.strip() for part in text.split(",")] if text else []
    elif isinstance(timescales, Iterable):
        parts = list(timescales)
    else:
        parts = [timescales]
    if not parts:
        raise BadInputError("no timescales given: name at least one, such as 2,8,32")
    taus: list[float] = []
    for part in parts:
        try:
            tau = float(part)
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
