"""Packed tokens: documents one after another as 16-bit token ids, memory-mapped.

A packed folder contains ``train.bin``, ``validation.bin`` and ``test.bin`` (little-endian uint16,
each document preceded by the end-of-text token), ``tokenizer.json`` and ``packed.json``, which
records how much of the source was read. Interrupted packing resumes from there.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.lm.sources import Source
from hebbsim.lm.tokenizer import Tokenizer
from hebbsim.storage import write_whole

SPLITS = ("train", "validation", "test")
#: One document in this many is held out for validation, and one for test.
HELD_OUT = 100
#: A source with fewer documents is split into pieces; one in `HELD_OUT_OF_FEW` is held out.
FEW = 2 * HELD_OUT
HELD_OUT_OF_FEW = 20
#: Number of those pieces, if there are enough lines.
_PIECES = 100
#: Number of characters of the source from which a vocabulary is learned.
SAMPLE = 20_000_000
#: Number of documents encoded and written at once.
_BLOCK = 512
#: Seconds between lines of progress.
_SAY_EVERY = 5.0


class Tokens:
    """Rows of `context` tokens, and their next ones, of ``SPLIT.bin``; `end` begins documents."""

    def __init__(self, path: Path, context: int, end: int) -> None:
        self.path, self.context, self.end = path, context, end
        size = path.stat().st_size
        self.values: NDArray[np.uint16] = (
            np.memmap(path, dtype="<u2", mode="r") if size else np.empty(0, dtype="<u2")
        )
        self._orders: dict[int, tuple[int, NDArray[np.int64]]] = {}
        self.n_rows = max(0, (len(self.values) - 1) // context)
        if not self.n_rows:
            raise BadInputError(
                f"{path}: {len(self.values):,} tokens are too few for one row of {context}; give "
                "more text or a shorter --context"
            )

    @classmethod
    def open(cls, folder: Path, split: str, context: int, vocabulary: int) -> Tokens:
        """Open a split; raises BadInputError if it is truncated or does not fit the model."""
        description = describe(folder)
        path = folder / f"{split}.bin"
        expected = 2 * description["tokens"][split]
        size = path.stat().st_size if path.exists() else -1
        if size < expected:
            raise BadInputError(
                f"{path}: truncated, {max(size, 0):,} of {expected:,} bytes; remove {folder} and "
                "pack again"
            )
        if description["vocabulary"] > vocabulary:
            raise BadInputError(
                f"{folder}: packed with a vocabulary of {description['vocabulary']:,} tokens, the "
                f"model has {vocabulary:,}; give --vocabulary {description['vocabulary']}"
            )
        return cls(path, context, description["end"])

    def examples(self, numbers: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows, and the next token of each of their tokens, both of shape (B, T)."""
        starts = np.asarray(numbers)[:, None] * self.context
        rows = self.values[starts + np.arange(self.context + 1)].astype(np.int64)
        return rows[:, :-1], rows[:, 1:]

    def spread(self, tokens: int) -> NDArray[np.int64]:
        """Numbers of evenly spaced rows, with about `tokens` tokens in total, shape=(B,)."""
        n = max(1, min(self.n_rows, tokens // self.context))
        return np.linspace(0, self.n_rows - 1, n).round().astype(np.int64)

    def fingerprint(self) -> str:
        """Hash of the number of tokens and of a sample of them."""
        total = hashlib.sha256(str(len(self.values)).encode())
        step = max(1, len(self.values) // 65536)
        total.update(np.ascontiguousarray(self.values[::step]).tobytes())
        return total.hexdigest()[:16]

    def order(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """Order of all rows in one pass, the same for every model, shape=(N,)."""
        found = self._orders.get(seed)
        if found is None or found[0] != epoch:
            order = np.random.default_rng([seed, epoch]).permutation(self.n_rows)
            found = self._orders[seed] = epoch, order
        return found[1]

    def batch(self, seed: int, step: int, size: int) -> NDArray[np.int64]:
        """Rows of update `step`, shape=(B,); a batch may span two passes."""
        first = step * size
        found: list[NDArray[np.int64]] = []
        while size:
            epoch, place = divmod(first, self.n_rows)
            part = self.order(seed, epoch)[place : place + size]
            found.append(part)
            first += len(part)
            size -= len(part)
        return np.concatenate(found)


def held_out_of(source: Source) -> tuple[Source, int]:
    """The source to pack, and `held_out`: one document in so many goes to each held-out split.

    Of files with few documents almost nothing would be held out, so they are split at line ends
    into about a hundred pieces, and one piece in twenty is held out for each split.
    """
    sizes = [len(text) for text in islice(source.documents(), FEW)] if source.files else []
    if not source.files or len(sizes) == FEW:
        return source, HELD_OUT
    longest = max(1, sum(sizes) // _PIECES)
    finer = Source(source.name, source.files, longest=longest, field=source.field)
    return finer, HELD_OUT_OF_FEW


def describe(folder: Path) -> dict[str, Any]:
    """Read ``packed.json``; raises BadInputError if it is missing or damaged."""
    try:
        found = json.loads((folder / "packed.json").read_text(encoding="utf-8"))
        found["tokens"]["train"], found["documents"], found["end"], found["vocabulary"]
    except FileNotFoundError:
        raise BadInputError(f"{folder}: no packed.json; not a folder of packed tokens") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise BadInputError(f"{folder}/packed.json: damaged; remove it, pack again") from None
    return found


def pack(
    source: Source,
    folder: Path,
    *,
    vocabulary: int,
    tokenizer: Tokenizer | None = None,
    tokens: int | None = None,
    held_out: int = HELD_OUT,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Encode a source into a packed folder; an interrupted call is resumed.

    Without a `tokenizer`, a vocabulary of size `vocabulary` is learned from the source. Packing
    stops at the given number of training `tokens` (default: the whole source). One document in
    `held_out` goes to validation and one to test; 1 puts all of them into test. `say` receives
    each line of progress.

    Returns the contents of ``packed.json``. Raises BadInputError if the source cannot be read, or
    the folder contains another source or vocabulary.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identity = {"source": source.digest(), "held_out": held_out}
    if (folder / "packed.json").exists():
        done = describe(folder)
        if {key: done[key] for key in identity} != identity:
            raise BadInputError(
                f"{folder}: packed from another source; remove it or name another folder"
            )
        if suffices(done, tokens):
            return done
        tokenizer = Tokenizer.load(folder)
    else:
        if tokenizer is None:
            say(f"learning a vocabulary of {vocabulary:,} tokens from {source.name}")
            tokenizer = Tokenizer.train(_sample(source.documents()), vocabulary)
        elif len(tokenizer) > vocabulary:
            raise BadInputError(
                f"the vocabulary has {len(tokenizer):,} tokens, more than the model's "
                f"{vocabulary:,}; give --vocabulary {len(tokenizer)}"
            )
        tokenizer.save(folder / "tokenizer.json")
        done = {
            **identity,
            "end": tokenizer.end, "vocabulary": len(tokenizer), "documents": 0,
            "tokens": dict.fromkeys(SPLITS, 0), "complete": False,
        }  # fmt: skip
    for split in SPLITS:
        # Tokens that ``packed.json`` does not count are removed, and written again.
        with (folder / f"{split}.bin").open("ab") as file:
            file.truncate(2 * done["tokens"][split])
    texts = source.documents(done["documents"])
    said = time.monotonic()
    while not suffices(done, tokens):
        block = list(islice(texts, _BLOCK))
        done["complete"] = not block
        _append(folder, block, tokenizer, done)
        if time.monotonic() - said > _SAY_EVERY:
            say(f"packed {done['tokens']['train']:,} tokens of {done['documents']:,} documents")
            said = time.monotonic()
        write_whole(folder / "packed.json", json.dumps(done, indent=2).encode())
    return done


def suffices(description: dict[str, Any], tokens: int | None) -> bool:
    """Whether a folder contains `tokens` training tokens, or its whole source."""
    return description["complete"] or bool(tokens and description["tokens"]["train"] >= tokens)


def _append(folder: Path, block: list[str], tokenizer: Tokenizer, done: dict[str, Any]) -> None:
    parts: dict[str, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for number, numbers in enumerate(tokenizer.encode(block), done["documents"]):
        place = number % done["held_out"]
        split = "test" if place == done["held_out"] // 2 else "validation" if not place else "train"
        parts[split] += [np.array([done["end"]]), numbers]
    for split, found in parts.items():
        if not found:
            continue
        values = np.concatenate(found).astype("<u2")
        try:
            with (folder / f"{split}.bin").open("ab") as file:
                file.write(values.tobytes())
        except OSError as error:
            raise HebbsimError(f"{folder}: cannot be written ({error.strerror})") from None
        done["tokens"][split] += len(values)
    done["documents"] += len(block)


def _sample(documents: Iterator[str]) -> Iterator[str]:
    """Every fourth document, up to `SAMPLE` characters, for learning a vocabulary."""
    total = 0
    for document in islice(documents, 0, None, 4):
        yield document
        total += len(document)
        if total > SAMPLE:
            return
