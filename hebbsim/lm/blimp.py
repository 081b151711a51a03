"""BLiMP: which sentence of a minimal pair a model finds more probable.

Source: Warstadt et al. (2020), "BLiMP: The Benchmark of Linguistic Minimal Pairs for English",
TACL 8, 377-392.
"""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.lm.model import LanguageModel
from hebbsim.lm.tokenizer import Tokenizer


@dataclass(frozen=True)
class Pair:
    """A minimal pair; `good` is the acceptable sentence."""

    paradigm: str
    phenomenon: str
    good: str
    bad: str


def read_pairs(path: Path, limit: int) -> list[Pair]:
    """Read the first `limit` pairs of each paradigm, from a file or a folder of such files.

    JSON lines (``.gz`` or not) with ``UID``, ``linguistics_term``, ``sentence_good`` and
    ``sentence_bad``. Raises BadInputError if the file does not exist, or a line is not a pair.
    """
    files = sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise BadInputError(f"--blimp {path}: no such file; give blimp.jsonl or BLiMP's folder")
    counts: Counter[str] = Counter()
    found = []
    fields = ("UID", "linguistics_term", "sentence_good", "sentence_bad")
    for file in files:
        number = 0
        try:
            with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
                for line in lines:
                    number += 1
                    row = json.loads(line)
                    pair = Pair(*(row[name] for name in fields))
                    counts[pair.paradigm] += 1
                    if counts[pair.paradigm] <= limit:
                        found.append(pair)
        except (ValueError, KeyError, TypeError, EOFError, OSError, RecursionError):
            raise BadInputError(f"{file}, line {number}: not a minimal pair of BLiMP") from None
    return found


def longest_sentence(tokenizer: Tokenizer, pairs: Sequence[Pair]) -> int:
    """Number of tokens in the longest sentence: the context that a model needs."""
    sentences = [sentence for pair in pairs for sentence in (pair.good, pair.bad)]
    return max(map(len, tokenizer.encode(sentences)), default=0)


def log_probabilities(
    model: LanguageModel, tokenizer: Tokenizer, sentences: Sequence[str]
) -> NDArray[np.float64]:
    """Log-probability of each sentence at the start of a document, in nats [shape=(N,)]."""
    encoded = [np.concatenate([[tokenizer.end], x]) for x in tokenizer.encode(sentences)]
    longest = max(map(len, encoded), default=0)
    if longest > model.config.context + 1:
        raise BadInputError(
            f"a sentence has {longest - 1} tokens, more than the model's {model.config.context}; "
            f"give --context {longest - 1}"
        )
    device = model.embedding.weight.device
    found = np.zeros(len(encoded))
    order = np.argsort([len(x) for x in encoded], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), 128):
            chosen = order[start : start + 128]
            length = len(encoded[chosen[-1]])
            rows = np.full((len(chosen), length), tokenizer.end)
            targets = np.full((len(chosen), length), -100)
            for i, number in enumerate(chosen):
                rows[i, : len(encoded[number])] = encoded[number]
                targets[i, : len(encoded[number])] = encoded[number]
            logits, _ = model(torch.from_numpy(rows[:, :-1]).to(device))
            losses = torch.nn.functional.cross_entropy(
                logits.transpose(1, 2).float(),
                torch.from_numpy(targets[:, 1:]).to(device),
                reduction="none",
            )
            found[chosen] = -losses.double().sum(1).cpu().numpy()
    return found


def score_pairs(
    model: LanguageModel, tokenizer: Tokenizer, pairs: Sequence[Pair]
) -> NDArray[np.float64]:
    """1 if the good sentence is more likely, 0 if the bad one is, .5 for a tie [shape=(N,)]."""
    good = log_probabilities(model, tokenizer, [pair.good for pair in pairs])
    bad = log_probabilities(model, tokenizer, [pair.bad for pair in pairs])
    return np.where(good == bad, 0.5, good > bad).astype(np.float64)
