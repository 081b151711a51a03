"""The part of a trained network that prediction needs: a fraction of what learning needs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import fitting
from hebbsim.engine.network import WordLayer
from hebbsim.engine.network.description import build, written
from hebbsim.engine.network.shape import shape_code
from hebbsim.models import RoleNetwork

#: Vectors that prototypes start from, which are not read once there are prototypes.
_UNREAD = "waiting"
#: Arrays of a word layer that determine the codes of unknown words; the first two have a row per
#: piece.
_BY_PIECE = ("pieces", "pieces.counts")
_UNKNOWN_BY = (*_BY_PIECE, "mean", "directions", "categories")


def compacted(learner: RoleNetwork) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Word codes, piece memory and token layer: arrays by name, and a JSON document.

    The memories of word layers, most of a network, are left out, so the copy cannot learn.
    """
    network = learner.network_
    counts, _, codes = network.words_by_row()
    rows = np.array([0, *network.index.values()])  # 0 stands for all unknown words
    arrays = {f"top {n}": array for n, array in network.top.arrays().items() if n != _UNREAD}
    arrays |= {"counts": counts[rows], "codes": codes[rows]}
    layer = network.words_below
    if layer.pieces:
        seen = arrays["pieces met"] = np.flatnonzero(layer.piece_counts)
        for name, array in _piece_arrays(layer).items():
            arrays[f"pieces {name}"] = array[seen] if name in _BY_PIECE else array
    return arrays, {"network": written(network), "words": list(network.index)}


def expanded(arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> RoleNetwork:
    """The learner that `compacted` stored; it predicts bit-identically, but cannot learn.

    Raises BadInputError, ValueError, KeyError, TypeError or AttributeError for invalid input.
    """
    words = [str(word) for word in document["words"]]
    learner = RoleNetwork(document["network"])
    network = learner.network_ = build(learner.description())
    width = network.codes(network.top.below).shape[1]
    counts = fitting("counts", arrays["counts"], (len(words) + 1,), np.int64)
    codes = fitting("codes", arrays["codes"], (len(words) + 1, width), np.float32)
    network.vocabulary.index = {word: row for row, word in enumerate(words, 1)}
    if len(network.index) != len(words):
        raise ValueError("a word occurs twice")
    size = network.top.shape_size
    shapes = np.zeros((len(counts), size), dtype=np.int8)
    for row, word in enumerate(words, 1):
        shapes[row] = shape_code(word, size)
    network.only_tokens(counts, shapes, codes)
    for name, array in network.top.arrays().items():
        if name != _UNREAD:
            array[...] = fitting(name, arrays[f"top {name}"], array.shape, array.dtype)
    network.top.settled = True
    layer = network.words_below
    if layer.pieces:
        _restore_pieces(layer, arrays)
    return learner


def _piece_arrays(layer: WordLayer) -> dict[str, NDArray[Any]]:
    return {name: array for name, array in layer.arrays().items() if name in _UNKNOWN_BY}


def _restore_pieces(layer: WordLayer, arrays: Mapping[str, NDArray[Any]]) -> None:
    seen = arrays["pieces met"]
    within = (seen >= 0) & (seen <= layer.pieces)
    if seen.ndim != 1 or (np.diff(seen) <= 0).any() or not within.all():
        raise ValueError("the pieces of its words do not fit")
    for name, array in _piece_arrays(layer).items():
        part = array[seen] if name in _BY_PIECE else array
        values = fitting(name, arrays[f"pieces {name}"], part.shape, array.dtype)
        array[seen if name in _BY_PIECE else ...] = values
    if (layer.piece_counts < 0).any():
        raise ValueError("a piece was counted below 0")
    layer.settled = True
