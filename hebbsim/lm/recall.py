"""Associative recall and copying: sequences made by rule, where only identity helps.

MQAR (Arora et al. 2023, "Zoology: Measuring and Improving Recall in Efficient Language
Models"): pairs of a key and a value, then the keys again at other places; at each, the value is
asked for. Copying: random tokens, a mark, and the same tokens again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.lm.model import LanguageModel

__all__ = ["Copying", "Recall", "accuracy"]

#: Token of no meaning between queries; the mark of copying.
BLANK = 0
_VALIDATION = 1 << 40  # numbers that no training batch reaches


@dataclass(frozen=True)
class Recall:
    """Multi-query associative recall.

    Attributes
    ----------
    pairs : tuple of int
        Numbers of pairs of a sequence, drawn evenly.
    keys : int
        Distinct keys, and as many values.
    context : int
        T, tokens of a sequence.
    seed : int
    """

    pairs: tuple[int, ...]
    keys: int
    context: int
    seed: int = 0
    end: None = None

    def __post_init__(self) -> None:
        if max(self.pairs) > self.keys:
            raise BadInputError(f"--pairs {max(self.pairs)}: more than the --keys {self.keys}")
        if 3 * max(self.pairs) > self.context:
            raise BadInputError(
                f"--length {self.context}: too short for {max(self.pairs)} pairs and their "
                f"queries, which take {3 * max(self.pairs)}"
            )

    @property
    def vocabulary(self) -> int:
        """V: the blank, keys, values."""
        return 1 + 2 * self.keys

    def batch(self, seed: int, step: int, size: int) -> NDArray[np.int64]:
        """Numbers of sequences that were in no batch before."""
        return np.arange(step * size, (step + 1) * size)

    def spread(self, tokens: int) -> NDArray[np.int64]:
        """Numbers of sequences that no batch has."""
        return _VALIDATION + np.arange(max(1, tokens // self.context))

    def fingerprint(self) -> str:
        """The rule."""
        return f"mqar {self.pairs} {self.keys} {self.context} {self.seed}"

    def examples(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sequences, and values where they are asked for (-100 elsewhere) [shapes (B, T)]."""
        tokens, targets, _ = self.made(numbers)
        return tokens, targets

    def made(
        self, numbers: NDArray[np.int64], n_pairs: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The same with the distance from each query to its key [three of shape (B, T)]."""
        rng = np.random.default_rng([self.seed, int(numbers[0])])
        tokens = np.full((len(numbers), self.context), BLANK)
        targets = np.full_like(tokens, -100)
        apart = np.zeros_like(tokens)
        for row in range(len(numbers)):
            n = n_pairs or int(rng.choice(self.pairs))
            keys = 1 + rng.permutation(self.keys)[:n]
            values = 1 + self.keys + rng.integers(self.keys, size=n)
            tokens[row, 0 : 2 * n : 2], tokens[row, 1 : 2 * n : 2] = keys, values
            places = 2 * n + rng.permutation(self.context - 2 * n)[:n]
            tokens[row, places], targets[row, places] = keys, values
            apart[row, places] = places - 2 * np.arange(n)
        return tokens, targets, apart


@dataclass(frozen=True)
class Copying:
    """In-context copying; fields as of `Recall`, `pairs` being lengths of what is copied."""

    pairs: tuple[int, ...]
    keys: int
    seed: int = 0
    end: None = None

    @property
    def context(self) -> int:
        """T: the tokens, the mark, all but the last again."""
        return 2 * max(self.pairs)

    @property
    def vocabulary(self) -> int:
        """V: the mark and the tokens."""
        return 1 + self.keys

    batch = Recall.batch
    spread = Recall.spread
    examples = Recall.examples

    def fingerprint(self) -> str:
        """The rule."""
        return f"copy {self.pairs} {self.keys} {self.seed}"

    def made(
        self, numbers: NDArray[np.int64], n_pairs: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Sequences, targets, and the distance to what is copied [three of shape (B, T)]."""
        rng = np.random.default_rng([self.seed, int(numbers[0])])
        tokens = np.full((len(numbers), self.context), BLANK)
        targets = np.full_like(tokens, -100)
        apart = np.zeros_like(tokens)
        for row in range(len(numbers)):
            n = n_pairs or int(rng.choice(self.pairs))
            text = 1 + rng.integers(self.keys, size=n)
            tokens[row, :n] = text
            tokens[row, n + 1 : 2 * n] = text[:-1]
            targets[row, n : 2 * n] = text
            apart[row, n : 2 * n] = n
        return tokens, targets, apart


def accuracy(
    model: LanguageModel, task: Recall | Copying, n_pairs: int, sequences: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether each answer is right, and its distance, over unseen sequences [shapes (N,)]."""
    right, apart = [], []
    device = model.embedding.weight.device
    with torch.inference_mode():
        for start in range(0, sequences, 128):
            numbers = 2 * _VALIDATION + start + np.arange(min(128, sequences - start))
            tokens, targets, since = task.made(numbers, n_pairs)
            logits, _ = model(torch.from_numpy(tokens).to(device))
            asked = targets != -100
            best = logits.argmax(-1).cpu().numpy()
            right.append((best == targets)[asked])
            apart.append(since[asked])
    return np.concatenate(right), np.concatenate(apart)
