"""What a recording needs to read sentences of one's own: the learner and its readers as numbers.

`page_files/reader.js` does with them what `hebbsim.demo.reading` does here, and
`page_files/rules.js` what `hebbsim.demo.weights` does.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.demo.content import DEPTH
from hebbsim.demo.reading import slots_of
from hebbsim.demo.room import Room
from hebbsim.demo.settings import Settings
from hebbsim.probes.identity import Channel
from hebbsim.probes.identity.states import make_states

__all__ = ["condition_key", "portable"]


def portable(room: Room, conditions: Mapping[str, Settings]) -> dict[str, Any]:
    """A learner, the codes of words, and readers of traces in each of some conditions.

    Parameters
    ----------
    room : Room
        Prepared.
    conditions : mapping of str to Settings
        By `condition_key`.

    Returns
    -------
    dict
        Ready for JSON. Arrays are base64 of float32 (``f``) or of int16 (``q``) and a unit,
        with their shape.
    """
    network = room.learner.network_
    top = network.top
    named = room.named(Settings().timescales)
    words = list(network.index)
    rows = np.array([network.index[word] for word in words])
    counts, _, codes = network.words_by_row()
    return {
        "words": words,
        "counts": counts[rows].tolist(),
        # Row 0 is that of words never seen.
        "network": {
            # As roots, which is how the layer takes them: small numbers count there.
            "roots": _coarse(np.sqrt(np.concatenate([codes[:1], codes[rows]]))),
            "timescales": list(Settings().timescales),
            "guess": _coarse(top.guess_weights.values),
            "bias": _fine(_bias(top.guess_weights)),
            "biases": [_fine(_bias(weights)) for weights in top.prediction_weights],
            "prediction": [_fine(weights.values) for weights in top.prediction_weights],
            "directions": [_fine(weights.values) for weights in top.direction_weights],
            "means": [_fine(top.means[1]), _fine(top.means[2])],
            "attended": _fine(top.attended),
            "lengths": np.asarray(top.drawn_lengths, dtype=np.float64).tolist(),
            "centres": _fine(top.prototype_weights.values),
            "shrinkage": top.shrinkage,
            "knownFrom": top.known_from,
            "shapeSize": top.shape_size,
        },
        "roles": named.role_of(np.arange(top.size)),
        "prototypes": [room.describe(named, cluster) for cluster in range(top.size)],
        "groups": _groups(room, words),
        "slots": {str(n): slots_of(room, n) for n in range(1, 7)},
        "book": room.book.words,
        "before": room.book.numbers(room.before).tolist(),
        "chance": _fine(room.book.codes),
        "frequency": _fine(room.book.counts / room.book.counts.sum()),
        "readers": {key: _readers(room, settings) for key, settings in conditions.items()},
    }


def _groups(room: Room, words: Sequence[str]) -> dict[str, Any]:
    """Groups of words, and the corpus by groups, from which `rules.js` learns weights."""

    def letters(forms: Sequence[str]) -> str:
        return "".join(np.base_repr(n, 36) for n in room.groups.numbers(room.learner, forms))

    return {
        "names": room.groups.names,
        "known": letters(words),
        "unknown": int(room.groups.numbers(room.learner, ["\0"])[0]),  # in no corpus
        "corpus": " ".join(map(letters, room.train.sentences())),
    }


def condition_key(settings: Settings) -> str:
    """What counts for memory and roles, written as a browser writes it.

    >>> condition_key(Settings(noise=10, rule="hebb"))
    '2,8,32|float32|10'
    """
    taus = ",".join(f"{tau:g}" for tau in settings.timescales)
    return f"{taus}|{settings.precision}|{settings.noise:g}"


def _readers(room: Room, settings: Settings) -> dict[str, Any]:
    """How two readers weigh traces at each lag."""
    words = [*room.before, *room.examples[0]]
    tokens = room.book.numbers(words)[None]
    taus = np.array(settings.timescales)
    states = make_states(
        room.book.codes, tokens, taus, settings.condition, n_last=len(room.examples[0]), n_lags=1,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    channel = room.book.channel(taus, states)
    return {
        "linear": [_lag(channel, lag, 0) for lag in range(DEPTH)],
        "cancellation": [_lag(channel, lag, lag) for lag in range(DEPTH)],
    }


def _lag(channel: Channel, lag: int, cancelled: int) -> list[float] | None:
    """Weights of the traces, then `Channel.response` to their sum; None of what is lost."""
    weights = channel.weights(lag, cancelled=cancelled)
    gain, others, variance = channel.response(weights, lag, cancelled=cancelled)
    if variance is None:
        return None
    return [*weights.tolist(), float(gain), float(others), float(variance)]


def _bias(weights: Any) -> NDArray[np.float32]:
    """Rules that predict hold it first in their state."""
    found: NDArray[np.float32] = weights.state[: len(weights.values)]
    return found


def _fine(values: NDArray[Any]) -> dict[str, Any]:
    text = base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
    return {"f": text, "shape": list(values.shape)}


def _coarse(values: NDArray[Any]) -> dict[str, Any]:
    """In steps of a 32767th of the largest: half the room, and no role hangs on it."""
    unit = float(np.abs(values).max() or 1) / 32767
    text = base64.b64encode(np.rint(values / unit).astype("<i2").tobytes()).decode()
    return {"q": text, "unit": unit, "shape": list(values.shape)}
