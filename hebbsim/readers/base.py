"""What every reader returns: a corpus of splits of sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from importlib.abc import Traversable

_LONGEST_LABEL = 1000  # an array of fixed-width strings is as wide as its longest label


@dataclass(frozen=True, eq=False)
class Split:
    """N sentences with T tokens, and their gold layers if any.

    Attributes
    ----------
    name : str
        ``train``, ``dev``, ``test`` or ``gen/NAME``.
    forms : ndarray of object, shape=(T,)
        Tokens of all sentences as the learner sees them, each a str. Equal tokens share one
        object, so memory grows with the vocabulary.
    offsets : ndarray of int64, shape=(N + 1,)
        Sentence ``i`` is ``forms[offsets[i]:offsets[i + 1]]``.
    layers : dict of str to ndarray of str, shape=(T,)
        Gold annotation by layer name (``grammatical``, ``thematic``, ...). Zero-label learners
        never receive it.
    kinds : ndarray of str, shape=(N,), or None
        Construction of each sentence, for per-construction tables.

    Examples
    --------
    >>> split = make_split("train", [["dogs", "sleep"], ["cats"]])
    >>> split.n_tokens, split.sentences()
    (3, [['dogs', 'sleep'], ['cats']])
    """

    name: str
    forms: NDArray[Any]
    offsets: NDArray[np.int64]
    layers: dict[str, NDArray[np.str_]] = field(default_factory=dict)
    kinds: NDArray[np.str_] | None = None

    @property
    def n_tokens(self) -> int:
        return int(self.offsets[-1])

    @property
    def n_sentences(self) -> int:
        return len(self.offsets) - 1

    def sentences(self) -> list[list[str]]:
        """One list of tokens per sentence: all that a zero-label learner receives."""
        forms = self.forms.tolist()
        return [forms[a:b] for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)]

    def subset(
        self, sentences: Sequence[int] | NDArray[np.integer], name: str | None = None
    ) -> Split:
        """The chosen sentences as a new split, in the given order."""
        index = np.asarray(sentences, dtype=np.int64)
        lengths = np.diff(self.offsets)[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        take = np.arange(offsets[-1]) + np.repeat(self.offsets[index] - offsets[:-1], lengths)
        return Split(
            name or self.name,
            self.forms[take],
            offsets,
            {key: layer[take] for key, layer in self.layers.items()},
            None if self.kinds is None else self.kinds[index],
        )


@dataclass(frozen=True, eq=False)
class Corpus:
    """Named splits with their origin.

    Attributes
    ----------
    name : str
    splits : dict of str to Split
        Always ``train``, and ``dev``, ``test`` and ``gen/NAME`` if the corpus has them.
    layer : str or None
        The gold layer that is scored by default; None for raw text.
    source, licence : str
        Origin of the data and its licence.
    sha256 : dict of str to str
        Digest of every input file by file name (for the built-in corpus, of the generator's
        output); the key of every cache.
    format : str
        Description of the file format.
    unknown : dict of str to float
        Share of words by dependency relation, for relations that the role scheme does not list.
    notes : tuple of str
        Caveats about its scores, one per line, such as splits that were cut from one file or
        roles that a parser assigned.
    unread : tuple of str
        Splits that exist but were not requested; ``gen`` stands for all generalization splits.

    Examples
    --------
    >>> corpus = Corpus("mine", {"train": make_split("train", [["dogs", "sleep"]])})
    >>> corpus.layer is None, list(corpus.generalization())
    (True, [])
    """

    name: str
    splits: dict[str, Split]
    layer: str | None = None
    source: str = ""
    licence: str = ""
    sha256: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    format: str = ""
    unknown: dict[str, float] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def only(self, splits: Collection[str]) -> Corpus:
        """The corpus with only the given splits; the others count as unread.

        Examples
        --------
        >>> splits = {name: make_split(name, [["dogs", "sleep"]]) for name in ("train", "dev")}
        >>> Corpus("mine", splits).only(["train"]).unread
        ('dev',)
        """
        chosen = {name: split for name, split in self.splits.items() if name in splits}
        unread = (*self.unread, *(name for name in self.splits if name not in chosen))
        return replace(self, splits=chosen, unread=unread)

    def generalization(self) -> Iterator[Split]:
        """The ``gen/NAME`` splits, in the order of the corpus."""
        return (split for name, split in self.splits.items() if name.startswith("gen/"))


def make_split(
    name: str,
    sentences: Sequence[Sequence[str]],
    layers: Mapping[str, Sequence[str]] | None = None,
    kinds: Sequence[str] | None = None,
    *,
    source: object = None,
) -> Split:
    """Make a Split from lists of tokens.

    `layers` hold one label per token, shape=(T,), and `kinds` one per sentence, shape=(N,).
    Messages name the file `source`. Raises BadInputError if there are no tokens, or a label has
    more than 1,000 characters.
    """
    where = "" if source is None else f"{source}: "
    layers = layers or {}
    forms = [form for sentence in sentences for form in sentence]
    if not forms:
        raise BadInputError(f"{where}split '{name}' holds no words; give a file with text in it")
    for key, values in layers.items():
        longest = max(values, key=len, default="")
        if len(longest) > _LONGEST_LABEL:
            raise BadInputError(
                f"{where}split '{name}', layer '{key}': a label of {len(longest):,} characters "
                f"('{longest[:20]}...'); give one of at most {_LONGEST_LABEL:,}"
            )
    met: dict[str, str] = {}
    return Split(
        name,
        np.array([met.setdefault(form, str(form)) for form in forms], dtype=object),
        np.cumsum([0, *map(len, sentences)], dtype=np.int64),
        {key: np.array(values, dtype=np.str_) for key, values in layers.items()},
        None if kinds is None else np.array(kinds, dtype=np.str_),
    )


def data_file(name: str) -> Traversable:
    """A file of the ``hebbsim.corpora`` data package (grammars, role schemes, registry)."""
    try:
        return resources.files("hebbsim.corpora") / name
    except ModuleNotFoundError:  # run from a source tree that is not installed
        return Path(__file__).parents[2] / "corpora" / name
