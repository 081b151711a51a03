"""Kernels of a word layer: learning from a sentence, and coordinates and codes of words."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine._jit import njit
from hebbsim.engine.network.contexts import sentence_contexts
from hebbsim.engine.network.plasticity import FIRES, FIRST
from hebbsim.engine.network.shape import ENDINGS
from hebbsim.engine.network.vectors import (
    MEAN_OVER,
    centre,
    coordinates,
    over_lengths,
    shares,
    to_unit,
)

#: Pieces learn from the first occurrences of a word, up to this number, to represent rare words.
RARE = 10

learn_memory: Any = None  # of the layer's rules, see `with_rules`
learn_directions: Any = None
learn_categories: Any = None


class Pieces(NamedTuple):
    """State and parameters of the pieces of words: see `WordLayer`."""

    rows: NDArray[np.float32]  # shape=(pieces + 1, n)
    counts: NDArray[np.int64]  # shape=(pieces + 1,)
    shrinkage: np.float32
    piece_shrinkage: np.float32
    beginnings: np.float32


def learn_sentence(
    rows, ids, draws, keep, alpha, contexts, counts,
    memory, memory_state, memory_floor, directions, mean, seen,
    categories, spelling, ending_weight, pieces, piece_state, settled,
    visits, direction_visits, inverse_temperature, min_count, codes,
):  # fmt: skip
    """Learn one sentence; the rules' kernels are global names, see `with_rules`."""
    sentence_contexts(rows, keep, alpha, contexts)
    flat = contexts.reshape(len(contexts), mean.size)
    x = np.empty((1, len(mean)), np.float32)
    point = np.empty((1, categories.values.shape[1]), np.float32)
    fired = np.empty((1, 1), np.float32)
    answer = np.empty((1, len(directions.values)), np.float32)
    won = np.empty((1, len(categories.values)), np.float32)
    scales = np.empty(len(directions.values), np.float32)
    over_lengths(directions.values, scales)
    for i in range(len(ids)):
        word = ids[i]
        counts[word] += 1
        n = counts[word]
        rate = memory.rate * np.float32(max(1.0 / n, memory_floor))
        learn_memory(
            memory.values[word : word + 1], memory_state[word], flat[i : i + 1],
            FIRST, FIRES, True, rate, memory.parameters, fired,
        )  # fmt: skip
        if len(pieces.counts) and spelling.counts[word] <= RARE:
            for k in range(spelling.pieces.shape[1] + 1):
                piece = len(pieces.counts) - 1
                if k < spelling.pieces.shape[1]:
                    piece = spelling.pieces[word, k]
                if piece >= 0:
                    pieces.counts[piece] += 1
                    step = np.float32(max(1.0 / pieces.counts[piece], memory_floor))
                    learn_memory(
                        pieces.rows[piece : piece + 1], piece_state[piece], flat[i : i + 1],
                        FIRST, FIRES, True, memory.rate * step, memory.parameters, fired,
                    )  # fmt: skip
        chance = min(visits / math.sqrt(n), 1.0)
        if draws[i] >= chance:
            continue
        if len(pieces.counts):
            known = min(n, spelling.counts[word])
            complete(memory.values[word], known, spelling.pieces[word], pieces, x[0])
            signature(x[0], x[0])
        else:
            signature(memory.values[word], x[0])
        if n >= min_count and draws[i] < chance * min(0.5, direction_visits / (seen[0] + 1)):
            seen[0] += 1
            centre(x[0], mean, np.float32(1.0 / min(seen[0], MEAN_OVER)))
            learn_directions(
                directions.values, directions.state, x,
                FIRST, FIRES, False, directions.rate, directions.parameters, answer,
            )  # fmt: skip
            over_lengths(directions.values, scales)
        else:
            centre(x[0], mean, np.float32(0))
        if settled:
            ending = spelling.endings[word]
            place(directions.values, scales, x[0], ending, ending_weight, point[0])
            if n >= min_count:
                learn_categories(
                    categories.values, categories.state, point,
                    FIRST, FIRES, False, categories.rate, categories.parameters, won,
                )  # fmt: skip
            shares(categories.values, point[0], inverse_temperature, codes[word])


@njit
def piece_shares(n, chain, pieces, out):
    """Fill `out` with the weights of a word's own row, its pieces' rows and that of rare words."""
    out[:] = 0
    out[0] = np.float32(n / (n + pieces.shrinkage))
    left = np.float32(0)
    for side in range(2):
        rest = (1 - out[0]) * (pieces.beginnings if side else 1 - pieces.beginnings)
        for k in range(ENDINGS if side else 0, len(chain) if side else ENDINGS):
            if chain[k] >= 0:
                count = pieces.counts[chain[k]]
                out[1 + k] = rest * np.float32(count / (count + pieces.piece_shrinkage))
                rest -= out[1 + k]
        left += rest
    out[len(chain) + 1] = left


@njit
def complete(row, n, chain, pieces, x):
    """Fill x with the row of a word of n occurrences, interpolated with those of its pieces."""
    shares = np.empty(len(chain) + 2, np.float32)
    piece_shares(n, chain, pieces, shares)
    for j in range(len(x)):
        x[j] = shares[0] * row[j]
    for k in range(len(chain) + 1):
        if shares[1 + k] > 0:
            other = pieces.rows[chain[k] if k < len(chain) else len(pieces.rows) - 1]
            for j in range(len(x)):
                x[j] += shares[1 + k] * other[j]


@njit
def signature(row, x):
    """Fill x with the square root of a row of the memory, at length one."""
    for j in range(len(row)):
        x[j] = np.sqrt(max(row[j], np.float32(0)))
    to_unit(x)


@njit
def place(directions, scales, x, ending, ending_weight, out):
    """Fill `out` with the coordinates of a centred signature x, and the ending at its weight."""
    n = len(directions)
    coordinates(directions, scales, x, out)
    if len(out) > n:
        to_unit(out[:n])
        for j in range(len(ending)):
            out[n + j] = ending_weight * ending[j]
    to_unit(out)


@njit
def place_words(memory, words, mean, directions, spelling, ending_weight, pieces, out):
    """Fill `out` with the coordinates of some words; `spelling` has a row for each of them."""
    x = np.empty(len(mean), np.float32)
    scales = np.empty(len(directions), np.float32)
    over_lengths(directions, scales)
    for i in range(len(words)):
        if len(pieces.counts):
            complete(memory[words[i]], spelling.counts[i], spelling.pieces[i], pieces, x)
            signature(x, x)
        else:
            signature(memory[words[i]], x)
        centre(x, mean, np.float32(0))
        place(directions, scales, x, spelling.endings[i], ending_weight, out[i])


@njit
def codes_of_points(points, words, categories, inverse_temperature, codes):
    """Put the codes of words at `points` into the rows `words` of `codes`."""
    for i in range(len(words)):
        shares(categories, points[i], inverse_temperature, codes[words[i]])
