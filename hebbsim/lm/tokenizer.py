"""Byte-level byte-pair encoding: learned from text, or GPT-2's read from files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

#: The token before every document, as in GPT-2's vocabulary.
END = "<|endoftext|>"


class Tokenizer:
    """Converts text to token ids and back; `end` is the id of `END`.

    `inner` is a tokenizer of the package tokenizers whose vocabulary contains `END`.

    >>> tokenizer = Tokenizer.train(["low lower lowest"] * 9, 260)
    >>> tokenizer.decode(tokenizer.encode(["lower"])[0])
    'lower'
    """

    def __init__(self, inner) -> None:  # type: ignore[no-untyped-def]
        self.inner = inner
        end = inner.token_to_id(END)
        if end is None:
            raise BadInputError(f"the vocabulary has no {END}, which separates documents")
        self.end = int(end)

    def __len__(self) -> int:
        return int(self.inner.get_vocab_size())

    @classmethod
    def train(cls, texts: Iterable[str], size: int) -> Tokenizer:
        """Learn a vocabulary of `size` tokens (at least 257) from long enough texts."""
        tokenizers = _package()
        if size < 257:
            raise BadInputError(f"vocabulary {size}: at least 257, 256 bytes and {END}")
        inner = _byte_level(tokenizers.models.BPE())
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=[END],
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        inner.train_from_iterator(texts, trainer)
        if inner.get_vocab_size() < size:
            raise BadInputError(
                f"the text gives only {inner.get_vocab_size()} tokens of a vocabulary, not {size}; "
                "ask for fewer (--vocabulary), or give more text"
            )
        return cls(inner)

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Read ``tokenizer.json``, or a folder with that file or with GPT-2's two files."""
        tokenizers = _package()
        path = Path(path)
        whole = path / "tokenizer.json" if path.is_dir() else path
        names = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
        try:
            if whole.is_file():
                return cls(tokenizers.Tokenizer.from_file(str(whole)))
            for vocabulary, merges in names:
                if (path / vocabulary).is_file() and (path / merges).is_file():
                    files = str(path / vocabulary), str(path / merges)
                    inner = _byte_level(tokenizers.models.BPE.from_file(*files))
                    inner.add_special_tokens([END])
                    return cls(inner)
        except BadInputError as error:
            raise BadInputError(f"{path}: {error}") from None
        except Exception as error:  # tokenizers raises Exception itself
            raise BadInputError(f"{path}: not a vocabulary ({error})") from None
        raise BadInputError(
            f"{path}: no vocabulary there; expected tokenizer.json, or vocab.json and merges.txt"
        )

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json``."""
        path.write_text(self.inner.to_str(), encoding="utf-8")

    def digest(self) -> str:
        """SHA-256 of the vocabulary and its settings."""
        return hashlib.sha256(self.inner.to_str().encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Token ids of each text, without `END`."""
        found = self.inner.encode_batch(list(texts), add_special_tokens=False)
        return [np.array(each.ids, dtype=np.int64) for each in found]

    def decode(self, numbers: Sequence[int] | NDArray[np.integer]) -> str:
        """The text of token ids."""
        return str(self.inner.decode(list(map(int, numbers)), skip_special_tokens=False))


def _byte_level(model: Any) -> Any:
    tokenizers = _package()
    inner = tokenizers.Tokenizer(model)
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    return inner


def _package():  # type: ignore[no-untyped-def]
    try:
        import tokenizers
    except ImportError:
        raise BadInputError(
            "a vocabulary needs the package tokenizers; pip install 'hebbsim[lm]'"
        ) from None
    return tokenizers
