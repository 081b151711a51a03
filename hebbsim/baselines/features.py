"""Features of words for the BiGRU: identity, affixes and external codes."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

#: Length of the longest prefix and suffix, in characters.
LONGEST_PREFIX, LONGEST_SUFFIX = 3, 4
#: The first word indices; words follow in order of frequency.
PAD, UNKNOWN = 0, 1


def affixes(word: str) -> list[str]:
    """Prefixes, suffixes and shape of a word, as marked strings.

    >>> affixes("cats")
    ['^c', '^ca', '^cat', 's$', 'ts$', 'ats$', 'cats$', '=a']
    >>> affixes("1,5")
    ['^0', '^0,', '^0,0', '0$', ',0$', '0,0$', '=0-']
    """
    plain = "".join("0" if letter.isdigit() else letter for letter in word)
    shape = ("a" if any(map(str.isalpha, plain)) else "") + ("0" if "0" in plain else "")
    shape += "" if plain.isalnum() else "-"
    return [
        *("^" + plain[:n] for n in range(1, min(LONGEST_PREFIX, len(plain)) + 1)),
        *(plain[-n:] + "$" for n in range(1, min(LONGEST_SUFFIX, len(plain)) + 1)),
        "=" + shape,
    ]


#: Most affixes that `affixes` can return for one word.
N_AFFIXES = LONGEST_PREFIX + LONGEST_SUFFIX + 1


class Vocabulary:
    """Indices of the words and affixes of the labelled training sentences.

    `codes` of words, shape=(C,), may include words outside `sentences`; they are scaled to a root
    mean square of 1 over the mapping, and a word without one gets zeros. `counts`, int64 of
    shape=(V,), are the occurrences of each word index, 0 for padding and the unknown word;
    `n_affixes` is the number of affix indices, of which 0 stands for none or unknown; `n_codes` is
    C, or 0 without codes.
    """

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        codes: Mapping[str, NDArray[np.floating]] | None = None,
    ) -> None:
        seen = Counter(word for sentence in sentences for word in sentence)
        ranked = sorted(seen, key=lambda word: (-seen[word], word))
        self._words = {word: number for number, word in enumerate(ranked, start=UNKNOWN + 1)}
        self.counts = np.array([0, 0, *(seen[word] for word in ranked)], dtype=np.int64)
        # An affix of a single word adds nothing to the word.
        spread = Counter(affix for word in ranked for affix in affixes(word))
        shared = sorted(affix for affix, n_words in spread.items() if n_words > 1)
        self._affixes = {affix: number for number, affix in enumerate(shared, start=1)}
        self.n_affixes = len(shared) + 1
        self._codes = codes or {}
        self.n_codes = len(next(iter(self._codes.values()))) if self._codes else 0
        if self.n_codes:
            square = np.mean([np.mean(np.square(code)) for code in self._codes.values()])
            self._scale = 1.0 / np.sqrt(max(float(square), 1e-12))

    def __len__(self) -> int:
        return len(self.counts)

    def encode(
        self, words: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Indices, shape=(n,), affix indices, shape=(n, 8), padded with 0, and codes, (n, C)."""
        numbers = np.array([self._words.get(word, UNKNOWN) for word in words], dtype=np.int64)
        affix_numbers = np.zeros((len(words), N_AFFIXES), dtype=np.int64)
        codes = np.zeros((len(words), self.n_codes), dtype=np.float32)
        for row, word in enumerate(words):
            for column, affix in enumerate(affixes(word)):
                affix_numbers[row, column] = self._affixes.get(affix, 0)
            if word in self._codes:
                codes[row] = np.asarray(self._codes[word]) * self._scale
        return numbers, affix_numbers, codes
