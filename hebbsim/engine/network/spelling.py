"""Codes that a word has by its letters alone, so that no vocabulary need be known beforehand."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["CODE_SIZE", "SHAPE_SIZE", "Spelling", "shape_features"]

#: Numbers of a random code, and how many of them are above zero.
CODE_SIZE, ACTIVE = 512, 4
#: Numbers of the code of a word's shape.
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


class Spelling:
    """Random codes of words and codes of their shapes, the same for a word wherever it stands.

    Parameters
    ----------
    seed : int
        Another seed, other codes.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def active(self, word: str) -> NDArray[np.int16]:
        """Where the random code of a word is above zero: 1/4 in each place, places may meet."""
        letters = word.encode("utf-8", "surrogatepass")
        first = zlib.crc32(letters, self.seed)
        return np.array(
            [zlib.crc32(letters, first + n) % CODE_SIZE for n in range(ACTIVE)], dtype=np.int16
        )

    def shape(self, word: str) -> NDArray[np.float32]:
        """Code of a shape: every feature adds or takes one at a place of its own.

        Feature hashing: Weinberger, K., Dasgupta, A., Langford, J., Smola, A. & Attenberg, J.
        (2009). Feature hashing for large scale multitask learning. ICML 26, 1113-1120.
        """
        code = np.zeros(SHAPE_SIZE, dtype=np.float32)
        for feature in shape_features(word):
            value = zlib.crc32(feature.encode("utf-8", "surrogatepass"), self.seed + 1)
            code[value % SHAPE_SIZE] += 1 if value & 0x10000 else -1
        return code

    @staticmethod
    def rows(active: NDArray[np.int16]) -> NDArray[np.float32]:
        """Random codes as vectors, shape=(L, CODE_SIZE), from `active` of L words."""
        rows = np.zeros((len(active), CODE_SIZE), dtype=np.float32)
        at = np.arange(len(active))
        for column in active.T:
            rows[at, column] += np.float32(1 / ACTIVE)
        return rows
