"""Size and training schedule of a BiGRU."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from hebbsim.readers.base import Split


@dataclass(frozen=True)
class BiGRUConfig:
    """Size and training schedule of a `BiGRU`.

    The defaults are for small vocabularies; see `config_for`.

    Parameters
    ----------
    word_size, affix_size : int
        Dimensions of word and affix embeddings; without affixes (0), all unknown words have
        the same embedding.
    hidden, layers : int
        GRU units per direction; bidirectional layers.
    dropout : float in [0, 1)
        Variational dropout before every GRU layer and the output, with one mask per
        sentence (Gal & Ghahramani 2016, "A Theoretically Grounded Application of Dropout in
        Recurrent Neural Networks", section 4).
    word_dropout : float
        A word with n occurrences is replaced by the unknown word with probability
        ``word_dropout / (word_dropout + n)`` (Kiperwasser & Goldberg 2016, "Simple and
        Accurate Dependency Parsing Using Bidirectional LSTM Feature Representations",
        section 4).
    embedding_scale : float
        Standard deviation of the initial embeddings.
    learning_rate, weight_decay : float
        Parameters of AdamW. The rate rises over the first tenth of all updates and falls
        linearly to zero.
    batch_size : int
        Sentences per update, of similar length.
    epochs, min_updates : int
        Passes over the sentences; more if these make fewer than `min_updates` updates.
    patience : int
        Number of epochs without gain on dev after which training stops.

    Raises
    ------
    BadInputError
        A value is not finite or out of range.

    Examples
    --------
    >>> BiGRUConfig(hidden=64, layers=1).hidden
    64
    """

    word_size: int = 32
    affix_size: int = 16
    hidden: int = 48
    layers: int = 1
    dropout: float = 0.5
    word_dropout: float = 0.25
    embedding_scale: float = 0.1
    learning_rate: float = 1e-2
    weight_decay: float = 0.01
    batch_size: int = 32
    epochs: int = 3
    min_updates: int = 300
    patience: int = 5

    def __post_init__(self) -> None:
        may_be_zero = {"affix_size", "dropout", "word_dropout", "weight_decay", "min_updates"}
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            low = 0 if name in may_be_zero else 1e-12
            high = 1 - 1e-12 if name == "dropout" else math.inf
            if not (math.isfinite(value) and low <= value <= high):
                raise BadInputError(f"BiGRUConfig: {name}={value} is out of range")


#: Chosen on dev of the built-in corpus and COGS, and on dev of UD English EWT.
SMALL_VOCABULARY = BiGRUConfig()
LARGE_VOCABULARY = BiGRUConfig(
    word_size=100, affix_size=100, hidden=128, layers=2, learning_rate=6e-3, batch_size=64, epochs=8
)
#: Size of a large vocabulary in distinct words.
LARGE_FROM = 2000


def config_for(train: Split) -> BiGRUConfig:
    """The tuned configuration for a training split, by its number of distinct words.

    Generated corpora have hundreds of words and need a small network; natural text has
    thousands, most of them rare.
    """
    pages = range(0, len(train.forms), 4096)
    return config_of(train.forms[start : start + 4096].tolist() for start in pages)


def config_of(parts: Iterable[Iterable[str]]) -> BiGRUConfig:
    """The tuned configuration for words given in parts, such as sentences."""
    words: set[str] = set()
    for part in parts:  # the first parts suffice to recognise natural text
        words.update(part)
        if len(words) >= LARGE_FROM:
            return LARGE_VOCABULARY
    return SMALL_VOCABULARY
