"""Associative recall and copying: generated sequences in which only token identity helps.

MQAR (Arora et al. 2023, "Zoology: Measuring and Improving Recall in Efficient Language
Models"): pairs of a key and a value, then the keys again at other places; at each, the value is
asked for. Copying: random tokens, a separator, and the same tokens again.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.lm.model import LanguageModel

#: Filler token between queries; the separator of copying.
BLANK = 0
_VALIDATION = 1 << 40  # numbers that no training batch reaches

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class _Task(ABC):
    """Generated sequences, each identified by its number."""

    #: Possible numbers of pairs in a sequence, or of tokens to copy, drawn uniformly.
    pairs: tuple[int, ...]
    #: Number of distinct keys, and of distinct values.
    keys: int
    #: T, tokens of a sequence; of copying it follows from `pairs`.
    context: int
    seed: int = 0
    #: Only text has documents.
    end: None = None

    def batch(self, seed: int, step: int, size: int) -> Numbers:
        """Numbers of sequences that were in no earlier batch [shape=(B,)]."""
        return np.arange(step * size, (step + 1) * size)

    def spread(self, tokens: int) -> Numbers:
        """Numbers of sequences that are in no batch [shape=(B,)]."""
        return _VALIDATION + np.arange(max(1, tokens // self.context))

    def examples(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Sequences and targets, which are -100 where no answer is expected [shapes (B, T)]."""
        tokens, targets, _ = self.made(numbers)
        return tokens, targets

    def made(
        self, numbers: Numbers, n_pairs: int | None = None
    ) -> tuple[Numbers, Numbers, Numbers]:
        """Sequences, targets, and the distance back to each answer [three of shape (B, T)]."""
        rng = np.random.default_rng([self.seed, int(numbers[0])])
        tokens = np.full((len(numbers), self.context), BLANK)
        targets = np.full_like(tokens, -100)
        apart = np.zeros_like(tokens)
        for rows in zip(tokens, targets, apart, strict=True):
            self._fill(rng, n_pairs or int(rng.choice(self.pairs)), rows)
        return tokens, targets, apart

    @abstractmethod
    def _fill(self, rng: np.random.Generator, n: int, rows: tuple[Numbers, ...]) -> None:
        """Fill a row of tokens, targets and distances with a sequence of `n` pairs."""


@dataclass(frozen=True)
class Recall(_Task):
    """Multi-query associative recall."""

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

    def fingerprint(self) -> str:
        """A text that identifies the task."""
        return f"mqar {self.pairs} {self.keys} {self.context} {self.seed}"

    def _fill(self, rng: np.random.Generator, n: int, rows: tuple[Numbers, ...]) -> None:
        tokens, targets, apart = rows
        keys = 1 + rng.permutation(self.keys)[:n]
        values = 1 + self.keys + rng.integers(self.keys, size=n)
        tokens[0 : 2 * n : 2], tokens[1 : 2 * n : 2] = keys, values
        places = 2 * n + rng.permutation(self.context - 2 * n)[:n]
        tokens[places], targets[places] = keys, values
        apart[places] = places - 2 * np.arange(n)


class Copying(_Task):
    """In-context copying: the tokens, a separator, and all tokens but the last again."""

    def __init__(self, pairs: tuple[int, ...], keys: int, seed: int = 0) -> None:
        super().__init__(pairs, keys, 2 * max(pairs), seed)

    @property
    def vocabulary(self) -> int:
        """V: the separator and the tokens."""
        return 1 + self.keys

    def fingerprint(self) -> str:
        """A text that identifies the task."""
        return f"copy {self.pairs} {self.keys} {self.seed}"

    def _fill(self, rng: np.random.Generator, n: int, rows: tuple[Numbers, ...]) -> None:
        tokens, targets, apart = rows
        text = 1 + rng.integers(self.keys, size=n)
        tokens[:n] = text
        tokens[n + 1 : 2 * n] = text[:-1]
        targets[n : 2 * n] = text
        apart[n : 2 * n] = n


def accuracy(
    model: LanguageModel, task: Recall | Copying, n_pairs: int, sequences: int
) -> tuple[NDArray[np.bool_], Numbers]:
    """Whether each answer is correct, and its distance, on unseen sequences [shapes (N,)]."""
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
