"""Codes of the spelling of words, which say something about rare and unknown words."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Dimension of the code of an ending.
ENDING_SIZE = 128
#: Number of pieces of a word, and of endings among them.
PIECES, ENDINGS = 9, 5
#: Number of letters in the longest ending of `ending_code`.
LONGEST_ENDING = 6
_DIGIT, _BETWEEN = re.compile(r"\d"), re.compile("[ _-]")
_HANGUL, _GREEK = re.compile("[가-힣]+"), re.compile("[\u0370-\u03ff\u1f00-\u1fff]+")
_ACCENTS = re.compile("[\u0300\u0301\u0342]")  # grave, acute, circumflex of Greek


class Spelling(NamedTuple):
    """Spelling and count of words, by row.

    `endings`, shape=(n, E), are `ending_code`s and `pieces`, shape=(n, PIECES), `piece_rows`, of no
    columns if no layer uses them; `counts`, shape=(n,), excludes repetitions of a text.
    """

    endings: NDArray[np.float32]
    pieces: NDArray[np.int32]
    counts: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> Spelling:
        """The spelling of the words of some rows."""
        return Spelling(self.endings[rows], self.pieces[rows], self.counts[rows])


def shape_features(word: str) -> list[str]:
    """Suffixes and prefixes of one to four and one to three letters, digits, marks, length.

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
    """Hashed features of a word's shape, float32, shape=(size,).

    Feature hashing: Weinberger, K., Dasgupta, A., Langford, J., Smola, A. & Attenberg, J.
    (2009). Feature hashing for large scale multitask learning. ICML 26, 1113-1120.
    """
    return _hashed(shape_features(word), size)


def unaccented(word: str) -> str:
    """The word without accents of Greek, which mark stress: -ος and -ός are one ending.

    >>> unaccented("θεός") == unaccented("θεὸς") == "θεος", unaccented("café")
    (True, 'café')
    """
    return _GREEK.sub(lambda found: _ACCENTS.sub("", _apart(found)), word)


def letters(word: str) -> str:
    """The letters of a word, `unaccented`; a syllable of Hangul is its two or three letters.

    Endings may begin inside a syllable: the last letter of both 간 and 본 is ㄴ.

    >>> [len(letters(word)) for word in ("book", "café", "책을")]
    [4, 4, 6]
    """
    return _HANGUL.sub(_apart, unaccented(word))


def _apart(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFD", found[0])


def ending_code(word: str) -> NDArray[np.float32]:
    """Hashed features of a word's ending, float32, shape=(ENDING_SIZE,), at length one.

    Uses the endings of up to six `letters`, and the digits and marks of `shape_features`; without
    any, the code is zero.
    """
    spelled = letters(word)
    features = [f"-{spelled[-k:]}" for k in range(1, LONGEST_ENDING + 1) if len(spelled) > k]
    features += [feature for feature in shape_features(word) if feature in ("digit", "mark")]
    code = _hashed(features, ENDING_SIZE, n_places=8)
    length = np.linalg.norm(code)
    return code / length if length else code


def piece_rows(words: Sequence[str], n: int) -> NDArray[np.int32]:
    """Hash the pieces of words to rows of a table of n, int32, shape=(len(words), PIECES).

    Pieces of a word, longest first, are its endings of four letters to one, preceded by the last
    word of a compound such as *ice cream*; then, likewise, its beginnings of three letters to one.
    Pieces are shorter than the word, without accents of Greek, all digits are alike, and -1 stands
    for a missing piece.

    >>> rows = piece_rows(["walked", "talked", "ed"], 8192)
    >>> (rows[0] == rows[1])[: ENDINGS].tolist(), rows[2, : ENDINGS - 1].tolist()
    ([True, True, True, True, True], [-1, -1, -1, -1])
    """
    rows = np.full((len(words), PIECES), -1, dtype=np.int32)
    for row, word in zip(rows, words, strict=True):
        spelled = _DIGIT.sub("0", unaccented(word))
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
