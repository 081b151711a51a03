"""Slow, obvious forms of what rivals compute. Nothing of the package is imported here."""

from __future__ import annotations

import itertools
import math

import numpy as np


def information(counts, left, right, total):
    """Mutual information of adjacent classes, in nats times tokens."""
    return sum(
        counts[i][j] * math.log(counts[i][j] * total / (left[i] * right[j]))
        for i in range(len(left))
        for j in range(len(right))
        if counts[i][j]
    )


def brown(counts, n_classes):
    """Brown clusters by trying every merge: classes as sets of types, merges as pairs of sets."""
    counts = np.asarray(counts)
    total = counts.sum()
    as_left, as_right = counts.sum(axis=1), counts.sum(axis=0)
    order = sorted(range(len(counts)), key=lambda w: -(as_left[w] + as_right[w]))

    def measure(classes):
        between = [[counts[np.ix_(sorted(a), sorted(b))].sum() for b in classes] for a in classes]
        left = [as_left[sorted(a)].sum() for a in classes]
        right = [as_right[sorted(a)].sum() for a in classes]
        return information(between, left, right, total)

    def merged(classes):
        """The classes after the best merge; the merged one stands where the first stood."""
        best = None
        for i, j in itertools.combinations(range(len(classes)), 2):
            rest = [c for n, c in enumerate(classes) if n not in (i, j)]
            value = measure([*rest, classes[i] | classes[j]])
            if best is None or value > best[0] + 1e-7:
                best = value, i, j
        _, i, j = best
        pair = classes[i], classes[j]
        classes = [*classes]
        classes[i] = pair[0] | pair[1]
        return classes, j, pair

    classes = []
    for word in order:
        classes.append({word})
        if len(classes) > n_classes:
            classes, gone, _ = merged(classes)
            last = classes.pop()
            if gone < len(classes):
                classes[gone] = last
    leaves, merges = [set(c) for c in classes], []
    while len(classes) > 1:
        classes, gone, pair = merged(classes)
        merges.append(pair)
        del classes[gone]
    return leaves, merges


def hmm(start, move, emit, sentence):
    """Expected counts and states of one sentence, over every sequence of states."""
    k, length = len(start), len(sentence)
    starts, moves = np.zeros(k), np.zeros((k, k))
    emits, states = np.zeros((len(emit), k)), np.zeros((length, k))
    total = 0.0
    for path in itertools.product(range(k), repeat=length):
        p = start[path[0]] * math.prod(emit[w, s] for w, s in zip(sentence, path, strict=True))
        p *= math.prod(move[a, b] for a, b in itertools.pairwise(path))
        total += p
        starts[path[0]] += p
        for a, b in itertools.pairwise(path):
            moves[a, b] += p
        for t, (w, s) in enumerate(zip(sentence, path, strict=True)):
            emits[w, s] += p
            states[t, s] += p
    return starts / total, moves / total, emits / total, states / total


def ppmi(pairs, n_types, smoothing):
    """Positive pointwise mutual information, entry by entry."""
    counts = np.zeros((n_types, n_types))
    for word, other in pairs:
        counts[word, other] += 1
    smoothed = [counts[:, j].sum() ** smoothing for j in range(n_types)]
    table = np.zeros_like(counts)
    for i, j in zip(*np.nonzero(counts), strict=True):
        joint = counts[i, j] / counts.sum()
        chance = counts[i].sum() / counts.sum() * smoothed[j] / sum(smoothed)
        table[i, j] = max(math.log(joint / chance), 0.0)
    return table
