"""Pretrained word vectors: word2vec, GloVe, fastText and safetensors.

Text formats are read line by line; the binary formats of word2vec and fastText by gensim.
"""

from __future__ import annotations

import json
import os
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError, reason
from hebbsim.readers.lines import LONGEST_LINE, digest, opened
from hebbsim.readers.words import lowered, normal

#: Maximum number of vectors to read from a file, which begins with the most frequent words.
MOST = 200_000
_FASTTEXT = struct.pack("<i", 793_712_314)
_PICKLE = b"\x80"


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Word vectors, looked up by the exact word or else in lower case.

    >>> vectors = WordVectors.of(["the", "Paris"], np.eye(2, dtype=np.float32))
    >>> vectors.index
    {'the': 0, 'Paris': 1, 'paris': 1}
    >>> vectors.known(["the", "the", "paris", "zebra"])
    (0.6666666666666666, 0.75)
    """

    #: Row of every word.
    index: dict[str, int]
    #: shape=(N, D)
    values: NDArray[np.float32]
    path: str = ""
    #: Digest of the file.
    sha256: str = ""

    @classmethod
    def of(
        cls, words: Iterable[str], values: NDArray[np.floating], path: str = "", sha256: str = ""
    ) -> WordVectors:
        """From words in order of their vectors; the first vector of a repeated word counts.

        Raises BadInputError if a vector is not finite, or fewer than two are not zero.
        """
        values = np.ascontiguousarray(values, dtype=np.float32)
        wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(wrong):
            raise BadInputError(f"{path}: vector {wrong[0] + 1} holds a number that is not finite")
        nonzero: list[bool] = np.any(values, axis=1).tolist()
        index: dict[str, int] = {}
        lower: dict[str, int] = {}
        for row, word in enumerate(map(normal, words)):
            if word and nonzero[row]:
                index.setdefault(word, row)
                lower.setdefault(lowered(word), row)
        index |= {word: row for word, row in lower.items() if word not in index}
        if len(set(index.values())) < 2:
            raise BadInputError(f"{path}: fewer than two words with a vector; give a whole file")
        return cls(index, values, path, sha256)

    @cached_property
    def points(self) -> NDArray[np.float32]:
        """The centred vectors, normalized to unit length, shape=(N, D)."""
        # Scaled by a power of two, which rounds nothing, so that no square is too large or small.
        values = np.ldexp(self.values, -np.frexp(np.abs(self.values).max())[1])
        found = values - values.mean(axis=0)
        lengths = np.sqrt(np.einsum("nd,nd->n", found, found))[:, None]
        return np.asarray(found / np.where(lengths > 0, lengths, 1), dtype=np.float32)

    def known(self, forms: Iterable[str]) -> tuple[float, float]:
        """Shares of the types and of the tokens that have a vector."""
        counts = Counter(forms)
        known = [count for word, count in counts.items() if word in self.index]
        return len(known) / max(len(counts), 1), sum(known) / max(counts.total(), 1)


def read_vectors(path: str | os.PathLike[str]) -> WordVectors:
    """Read the first `MOST` vectors of a file, whose format is detected.

    ==============  ==========================================================================
    word2vec        text, or binary (by gensim)
    GloVe           text without a header
    fastText        ``.vec`` text, or the model ``.bin`` (by gensim)
    safetensors     one matrix, shape=(N, D); its words as a JSON list in the metadata key
                    ``words``, or one per line in a file next to it, ``NAME.txt``
    ==============  ==========================================================================

    Text may be compressed. Raises BadInputError if the file cannot be read, is damaged or
    truncated, or needs gensim, which is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"{path}: no such file of word vectors")
    with opened(path) as file:
        start = file.read(1 << 16)
    if start.startswith(_PICKLE):
        raise BadInputError(
            f"{path}: a pickle, which can run code when it is loaded; save the vectors by gensim's "
            "save_word2vec_format and give that file"
        )
    if start[8:9] == b"{" and path.suffix == ".safetensors":
        words, values = _of_safetensors(path)
    elif start.startswith(_FASTTEXT) or _is_binary(start):
        words, values = _of_gensim(path, fasttext=start.startswith(_FASTTEXT))
    else:
        words, values = _of_text(path)
    return WordVectors.of(words, values, str(path), digest(path, unpacked=False))


def _header(line: bytes) -> tuple[int, int] | None:
    """Number of vectors and of dimensions from a header line; None if it is none."""
    parts = line.split()
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def _is_binary(start: bytes) -> bool:
    """Whether a file has a header followed by binary numbers."""
    first, _, rest = start.partition(b"\n")
    if _header(first) is None:
        return False
    second = rest.partition(b"\n")[0]
    try:
        list(map(float, second.split()[1:]))
    except ValueError:
        return True
    return b"\0" in second


def _of_text(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    words: list[str] = []
    rows: list[NDArray[np.float32]] = []
    promised = width = 0
    for number, line in enumerate(_lines(path), 1):
        if number == 1 and (header := _header(line)):
            promised, width = header
            continue
        width = width or len(line.split()) - 1
        # Words of GloVe may contain spaces.
        word, *numbers = line.replace(b"\t", b" ").rsplit(b" ", width) if width > 0 else [line]
        try:
            rows.append(np.array(list(map(float, numbers)), dtype=np.float32))
        except ValueError:
            numbers = []
        if not numbers or len(numbers) != width:
            raise BadInputError(
                f"{path}:{number}: not a word and {width or 'its'} numbers; give a text file of "
                "word2vec, GloVe or fastText"
            )
        words.append(word.decode("utf-8", "replace"))
        if len(words) == MOST:
            break
    if len(words) < min(promised, MOST):
        raise BadInputError(
            f"{path}: its first line promises {promised:,} vectors and it holds {len(words):,}; "
            "get a fresh copy"
        )
    if not rows:
        raise BadInputError(f"{path}: holds no vectors")
    return words, np.stack(rows)


def _lines(path: Path) -> Iterator[bytes]:
    """Non-empty lines, stripped."""
    with opened(path) as file:
        while line := file.readline(LONGEST_LINE):
            if line := line.strip(b" \t\r\n"):
                yield line


def _of_gensim(path: Path, *, fasttext: bool) -> tuple[list[str], NDArray[np.float32]]:
    try:
        from gensim.models import KeyedVectors
        from gensim.models.fasttext import load_facebook_vectors
    except ImportError:
        raise BadInputError(
            f"{path}: reading binary vectors needs gensim; run: pip install 'hebbsim[vectors]', or "
            "give a text file"
        ) from None
    try:
        if fasttext:
            found: Any = load_facebook_vectors(str(path))
        else:
            found = KeyedVectors.load_word2vec_format(
                str(path), binary=True, limit=MOST, unicode_errors="replace"
            )
    except Exception as error:  # gensim does not wrap the errors of its parsers
        raise BadInputError(
            f"{path}: damaged, or no binary file of vectors ({reason(error, 120)})"
        ) from None
    words = list(found.index_to_key[:MOST])
    return words, np.asarray(found.vectors[: len(words)], dtype=np.float32)


def _of_safetensors(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = [file.get_tensor(name) for name in file.keys()]
    except (OSError, SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"{path}: not a safetensors file that can be read ({reason(error, 120)})"
        ) from None
    matrices = [array for array in arrays if array.ndim == 2 and array.dtype.kind == "f"]
    if len(matrices) != 1:
        raise BadInputError(f"{path}: {len(matrices)} matrices of numbers in it; one is needed")
    words = _words_of(path, metadata.get("words"))
    if len(words) != len(matrices[0]):
        raise BadInputError(f"{path}: {len(words):,} words for {len(matrices[0]):,} vectors")
    return words[:MOST], matrices[0][:MOST].astype(np.float32)


def _words_of(path: Path, listed: str | None) -> list[str]:
    sidecar = path.with_suffix(".txt")
    if listed is not None:
        try:
            words = json.loads(listed)
        except (ValueError, RecursionError):
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
        raise BadInputError(f"{path}: 'words' of its metadata is not a JSON list of words")
    if not sidecar.is_file():
        raise BadInputError(
            f"{path}: has no words; give them as a JSON list under 'words' of the metadata, or "
            f"one per line in {sidecar.name}"
        )
    with opened(sidecar) as file:
        return [line.rstrip(b"\r\n").decode("utf-8", "replace") for line in file]
