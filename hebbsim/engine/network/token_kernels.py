"""Kernels of the token layer: learning from a sentence, and the vectors of its tokens."""

from typing import Any

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.memory import copy_values
from hebbsim.engine.network.plasticity import FIRES, FIRST
from hebbsim.engine.network.vectors import MEAN_OVER, centre, coordinates, over_lengths, to_unit
from hebbsim.engine.products import multiply

learn_guess: Any = None  # of the layer's rules, see `with_rules`
learn_own: Any = None
learn_prediction: Any = None
learn_directions: Any = None
learn_prototypes: Any = None


def complete_codes(
    codes, contexts, shapes, counts, known, spelled, shrinkage, taught, guess, fade, out
):  # fmt: skip
    """Fill `out` with the codes of tokens, those of rare words interpolated with a prediction.

    Then `guess` learns to predict the codes of the tokens in `taught`. Returns whether any code
    was changed.
    """
    n_tokens, n_codes = codes.shape
    changed = False
    for i in range(n_tokens):
        copy_values(codes[i], out[i])
    for learns in range(2):
        n = 0
        tokens = np.empty(n_tokens, np.int32)
        for i in range(n_tokens):
            if taught[i] if learns else counts[i] <= known:
                tokens[n] = i
                n += 1
        if n == 0:
            continue
        seen = np.empty((n, guess.values.shape[1]), np.float32)
        answers = np.empty((n, n_codes), np.float32)
        for k in range(n):
            seen_around(contexts[tokens[k]], shapes[tokens[k]], seen[k])
        learn_guess(
            guess.values, guess.state, seen, tokens, codes, False,
            guess.rate * fade if learns else np.float32(0), guess.parameters, answers,
        )  # fmt: skip
        if not learns:
            changed = True
            for k in range(n):
                occurred = counts[tokens[k]] + spelled
                own = np.float32(occurred / (occurred + shrinkage))
                mix(own, answers[k], out[tokens[k]])
    return changed


@njit
def seen_around(context, shape, out):
    """Fill `out` with the inputs of `guess`: each side's mean over timescales, and the shape."""
    n_timescales, width = context.shape[1:]
    for side in range(2):
        at = side * width
        for j in range(width):
            out[at + j] = context[side, 0, j]
        for s in range(1, n_timescales):
            for j in range(width):
                out[at + j] += context[side, s, j]
        for j in range(width):
            out[at + j] /= np.float32(n_timescales)
    for j in range(len(shape)):
        out[2 * width + j] = np.float32(shape[j])


@njit
def mix(own, guess, code):
    """Interpolate a code, of weight `own`, with the normalized positive part of a guess."""
    total = np.float32(0)
    for c in range(len(guess)):
        total += max(guess[c], np.float32(0))
    if total > 0:
        share = (np.float32(1) - own) / total
        for c in range(len(code)):
            code[c] = own * code[c] + share * max(guess[c], np.float32(0))


def learn_sentence(
    codes, contexts, competes, teaches,
    own_mean, left_mean, right_mean, seen,
    own, left, right, fade, left_directions, right_directions, prototypes, attended, lengths, out,
):  # fmt: skip
    """Fill `out`, which is zero, with the vectors of a sentence, and learn from its tokens.

    Each part learns from all tokens of the sentence in order before the next part does, so that
    its weights are loaded into the cache once. With a `fade` of 0, and no token that teaches or
    competes, nothing is learned; the tokens may then be of several sentences.
    """
    n_tokens, n_codes = codes.shape
    n, width = left.values.shape
    sides = contexts.reshape(n_tokens, 2, width)
    tokens = np.arange(n_tokens).astype(np.int32)
    root = np.empty((1, n_codes), np.float32)
    response = np.empty((1, n), np.float32)
    targets = np.empty((n_tokens, n), np.float32)
    x = np.empty((n_tokens, width), np.float32)
    answers = np.empty((n_tokens, n), np.float32)
    scales = np.empty(n, np.float32)
    over_lengths(own.values, scales)
    for i in range(n_tokens):
        for c in range(n_codes):
            root[0, c] = np.sqrt(codes[i, c])
            out[i, c] = lengths[0] * root[0, c]
        if teaches[i]:
            centre(root[0], own_mean, counted(seen, 0))
            learn_own(
                own.values, own.state, root, FIRST, FIRES, False, own.rate, own.parameters,
                response,
            )  # fmt: skip
            over_lengths(own.values, scales)
        else:
            centre(root[0], own_mean, np.float32(0))
        coordinates(own.values, scales, root[0], targets[i])
    for side in range(2):
        prediction = left if side == 0 else right
        for i in range(n_tokens):
            for j in range(width):
                x[i, j] = np.sqrt(sides[i, side, j])
        at = n_codes + side * n
        if lengths[1 + side] > 0:
            learn_prediction(
                prediction.values, prediction.state, x, tokens, targets, False,
                prediction.rate * fade, prediction.parameters, answers,
            )  # fmt: skip
            put(answers, attended[side], lengths[1 + side], out[:, at : at + n])
        if lengths[3 + side] == 0:
            continue
        directions = left_directions if side == 0 else right_directions
        mean = left_mean if side == 0 else right_mean
        over_lengths(directions.values, scales)
        first = 0  # of the tokens that share the current directions
        for i in range(n_tokens):
            if not teaches[i]:
                centre(x[i], mean, np.float32(0))
                continue
            centre(x[i], mean, counted(seen, 1 + side))
            all_coordinates(directions.values, scales, x[first:i], answers[first:i])
            learn_directions(
                directions.values, directions.state, x[i : i + 1], FIRST, FIRES, False,
                directions.rate, directions.parameters, response,
            )  # fmt: skip
            over_lengths(directions.values, scales)
            first = i
        all_coordinates(directions.values, scales, x[first:], answers[first:])
        at += 2 * n
        put(answers, attended[2 + side], lengths[3 + side], out[:, at : at + n])
    won = np.empty((1, len(prototypes.values)), np.float32)
    for i in range(n_tokens):
        if competes[i]:
            learn_prototypes(
                prototypes.values, prototypes.state, out[i : i + 1], FIRST, FIRES, False,
                prototypes.rate, prototypes.parameters, won,
            )  # fmt: skip


@njit
def counted(seen, which):
    """Count an input of a running mean; return its step."""
    seen[which] = min(seen[which] + 1, MEAN_OVER)
    return np.float32(1.0 / seen[which])


@njit
def all_coordinates(directions, scales, x, y):
    """Fill y with the `coordinates` of every row of x."""
    multiply(x, directions, y)
    for i in range(len(y)):
        for k in range(len(scales)):
            y[i, k] *= scales[k]


@njit
def put(x, attended, length, out):
    """Fill `out` with the attended coordinates of every row of x, scaled to `length`."""
    for i in range(len(x)):
        for j in range(len(attended)):
            x[i, j] *= attended[j]
        to_unit(x[i])
        for j in range(len(attended)):
            out[i, j] = length * x[i, j]
