"""What reading needs of a network that has learned: a fraction of what learning needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import fitting
from hebbsim.engine.network import WordLayer
from hebbsim.engine.network.description import build, written
from hebbsim.engine.network.shape import shape_code
from hebbsim.models import RoleNetwork

#: Vectors that prototypes would start from; once there are prototypes, nobody reads them.
_UNREAD = "waiting"
#: Arrays of a word layer with pieces that the codes of unknown words go by; some by piece.
_BY_PIECE = ("pieces", "pieces.counts")
_UNKNOWN_BY = (*_BY_PIECE, "mean", "directions", "categories")


def compacted(learner: RoleNetwork) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Codes of words, memory of their pieces, and the token layer: arrays by name, and JSON.

    The memories of word layers, most of a network, are left out: the copy learns no more.
    """
    network = learner.network_
    counts, _, codes = network.words_by_row()
    rows = np.array([0, *network.index.values()])  # 0 stands for all unknown words
    arrays = {f"top {name}": array for name, array in network.top.arrays().items()}
    del arrays[f"top {_UNREAD}"]
    arrays |= {"counts": counts[rows], "codes": codes[rows]}
    layer = network.words_below
    if layer.pieces:
        arrays |= {f"pieces {name}": array for name, array in _of_pieces(layer).items()}
        met = arrays["pieces met"] = np.flatnonzero(layer.piece_counts)
        for name in _BY_PIECE:
            arrays[f"pieces {name}"] = arrays[f"pieces {name}"][met]
    return arrays, {"network": written(network), "words": list(network.index)}


def expanded(arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> RoleNetwork:
    """The learner that `compacted` told of; it reads to the same bits, and learns no more.

    Raises
    ------
    BadInputError, ValueError, KeyError, TypeError, AttributeError
        It does not fit.
    """
    words = [str(word) for word in document["words"]]
    learner = RoleNetwork(document["network"])
    network = learner.network_ = build(learner.description())
    width = network.codes(network.top.below).shape[1]
    counts = fitting("counts", arrays["counts"], (len(words) + 1,), np.int64)
    codes = fitting("codes", arrays["codes"], (len(words) + 1, width), np.float32)
    network.vocabulary.index = {word: row for row, word in enumerate(words, 1)}
    if len(network.index) != len(words):
        raise ValueError("a word stands twice")
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
        _put_in_pieces(layer, arrays)
    return learner


def _of_pieces(layer: WordLayer) -> dict[str, NDArray[Any]]:
    """What the code of an unknown word goes by."""
    return {name: array for name, array in layer.arrays().items() if name in _UNKNOWN_BY}


def _put_in_pieces(layer: WordLayer, arrays: Mapping[str, NDArray[Any]]) -> None:
    met = arrays["pieces met"]
    if met.ndim != 1 or (np.diff(met) <= 0).any() or not ((met >= 0) & (met <= layer.pieces)).all():
        raise ValueError("the pieces of its words do not fit")
    for name, array in _of_pieces(layer).items():
        by_piece = name in _BY_PIECE
        shape = (len(met), *array.shape[1:]) if by_piece else array.shape
        array[met if by_piece else ...] = fitting(
            name, arrays[f"pieces {name}"], shape, array.dtype
        )
    if (layer.piece_counts < 0).any():
        raise ValueError("a piece was counted below 0")
    layer.settled = True
