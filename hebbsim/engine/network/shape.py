"""Codes of how words are written, so that a word met once or never is not quite unknown."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHAPE_SIZE", "shape_code", "shape_features"]

#: Numbers of a code.
SHAPE_SIZE = 256


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


def shape_code(word: str) -> NDArray[np.float32]:
    """Code of a shape: every feature adds or takes one at a place of its own.

    Feature hashing: Weinberger, K., Dasgupta, A., Langford, J., Smola, A. & Attenberg, J.
    (2009). Feature hashing for large scale multitask learning. ICML 26, 1113-1120.

    Returns
    -------
    ndarray of float32, shape=(SHAPE_SIZE,)
    """
    code = np.zeros(SHAPE_SIZE, dtype=np.float32)
    for feature in shape_features(word):
        value = zlib.crc32(feature.encode("utf-8", "surrogatepass"))
        code[value % SHAPE_SIZE] += 1 if value & 0x10000 else -1
    return code
