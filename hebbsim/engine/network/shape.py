"""Codes of how words are written, so that a word met once or never is not quite unknown."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ENDINGS",
    "ENDING_SIZE",
    "PIECES",
    "Spelling",
    "ending_code",
    "piece_rows",
    "shape_code",
    "shape_features",
]

#: Numbers of the code of an ending.
ENDING_SIZE = 128
#: Pieces of a word, of which so many are endings.
PIECES, ENDINGS = 9, 5
_DIGIT, _BETWEEN = re.compile(r"\d"), re.compile("[ _-]")


class Spelling(NamedTuple):
    """How words are written, and how often they are, by the row of a word.

    Attributes
    ----------
    endings : ndarray of float32, shape=(words, E)
        See `ending_code`; E is 0 where no layer heeds them.
    pieces : ndarray of int32, shape=(words, PIECES)
        See `piece_rows`; of no columns where no layer heeds them.
    counts : ndarray of int64, shape=(words,)
        Occurrences; repetitions of a text are none.
    """

    endings: NDArray[np.float32]
    pieces: NDArray[np.int32]
    counts: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> Spelling:
        """That of some words."""
        return Spelling(self.endings[rows], self.pieces[rows], self.counts[rows])


def shape_features(word: str) -> list[str]:
    """Suffixes and prefixes of one to four and one to three letters, digits, marks, length.

    Examples
    --------
    >>> shape_features("ran")
    ['-n', '-an', 'r-', 'ra-', 'length 3']
    """
    features = [f"-{word[-k:]}" for k in (1, 2, 3, 4) if len(word) > k]
    features += [f"{word[:k]}-" for k in (1, 2, 3) if len(word) > k]
    if any(letter.isdigit() for letter in word):
        features.append("digit")
    if not any(letter.isalnum() for letter in word):
        features.append("mark")
    features += [f"has {mark}" for mark in "-./@'" if mark in word]
    features.append(f"length {min(len(word), 12)}")
    return features


def shape_code(word: str, size: int) -> NDArray[np.float32]:
    """Code of a shape: every feature adds or takes one at a place of its own.

    Feature hashing: Weinberger, K., Dasgupta, A., Langford, J., Smola, A. & Attenberg, J.
    (2009). Feature hashing for large scale multitask learning. ICML 26, 1113-1120.

    Returns
    -------
    ndarray of float32, shape=(size,)
    """
    return _hashed(shape_features(word), size)


def ending_code(word: str) -> NDArray[np.float32]:
    """Code of how a word ends, at length one: alike for words that end alike.

    Of the features of `shape_features`, endings of up to three letters, digits and marks
    count; the code is zero where there is none of them.

    Returns
    -------
    ndarray of float32, shape=(ENDING_SIZE,)
    """
    features = [
        feature
        for feature in shape_features(word)
        if (feature[0] == "-" and len(feature) <= 4) or feature in ("digit", "mark")
    ]
    code = _hashed(features, ENDING_SIZE, n_places=8)
    length = np.linalg.norm(code)
    return code / length if length else code


def piece_rows(words: Sequence[str], n: int) -> NDArray[np.int32]:
    """Rows of the pieces of words in a table of n, by hashing: alike for words that share a piece.

    Pieces of a word are its ending, of four letters to one, and of a word that is put together
    of several, such as *ice cream*, the last of these before them; then its beginning, of three to
    one, likewise. A piece is shorter than the word. Digits are alike.

    Returns
    -------
    ndarray of int32, shape=(len(words), PIECES)
        The longest first; -1 where there is no such piece.

    Examples
    --------
    >>> rows = piece_rows(["walked", "talked", "ed"], 8192)
    >>> (rows[0] == rows[1])[: ENDINGS].tolist(), rows[2, : ENDINGS - 1].tolist()
    ([True, True, True, True, True], [-1, -1, -1, -1])
    """
    rows = np.full((len(words), PIECES), -1, dtype=np.int32)
    for row, word in zip(rows, words, strict=True):
        spelled = _DIGIT.sub("0", word)
        parts = _BETWEEN.split(spelled)
        lengths = range(min(ENDINGS - 1, len(spelled) - 1), 0, -1)
        if len(parts) > 1:
            row[0], row[ENDINGS] = _hash(f"-{parts[-1]}") % n, _hash(f"{parts[0]}-") % n
        for k in lengths:
            row[ENDINGS - k] = _hash(f"-{spelled[-k:]}") % n
        for k in lengths[len(lengths) - min(len(lengths), PIECES - ENDINGS - 1) :]:
            row[PIECES - k] = _hash(f"{spelled[:k]}-") % n
    return rows


def _hash(feature: str, start: int = 0) -> int:
    return zlib.crc32(feature.encode("utf-8", "surrogatepass"), start)


def _hashed(features: list[str], size: int, *, n_places: int = 1) -> NDArray[np.float32]:
    code = np.zeros(size, dtype=np.float32)
    for feature in features:
        for place in range(n_places):
            value = _hash(feature, place)
            code[value % size] += 1 if value & 0x10000 else -1
    return code
