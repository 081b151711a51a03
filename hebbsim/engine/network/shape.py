"""Codes of how words are written, so that a word met once or never is not quite unknown."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENDING_SIZE", "ending_code", "shape_code", "shape_features"]

#: Numbers of the code of an ending.
ENDING_SIZE = 128


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


def _hashed(features: list[str], size: int, *, n_places: int = 1) -> NDArray[np.float32]:
    code = np.zeros(size, dtype=np.float32)
    for feature in features:
        for place in range(n_places):
            value = zlib.crc32(feature.encode("utf-8", "surrogatepass"), place)
            code[value % size] += 1 if value & 0x10000 else -1
    return code
