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

# Fixed-width strings make one very long label as dear as the whole corpus.
_LONGEST_LABEL = 1000


@dataclass(frozen=True, eq=False)
class Split:
    """Sentences in one flat array of word forms, with gold layers if any.

    Attributes
    ----------
    name : str
        ``train``, ``dev``, ``test`` or ``gen/NAME``.
    forms : ndarray of object, shape=(T,)
        Tokens as the learner sees them, each a str; equal ones are one object, so that memory
        follows the vocabulary, however long a word is.
    offsets : ndarray of int64, shape=(N + 1,)
        Sentence ``i`` is ``forms[offsets[i]:offsets[i + 1]]``.
    layers : dict of str to ndarray of str, shape=(T,)
        Gold annotation by layer name (``grammatical``, ``thematic``, ...). Never
        handed to a zero-label learner.
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
        """One list of tokens per sentence: all that a zero-label learner is given."""
        forms = self.forms.tolist()
        return [forms[a:b] for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)]

    def subset(
        self, sentences: Sequence[int] | NDArray[np.integer], name: str | None = None
    ) -> Split:
        """The chosen sentences as a new split, in the given order."""
        index = np.asarray(sentences, dtype=np.int64)
        lengths = np.diff(self.offsets)[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        if len(index):
            take = np.concatenate([np.arange(self.offsets[i], self.offsets[i + 1]) for i in index])
        else:
            take = np.zeros(0, dtype=np.int64)
        return Split(
            name=self.name if name is None else name,
            forms=self.forms[take],
            offsets=offsets,
            layers={key: layer[take] for key, layer in self.layers.items()},
            kinds=None if self.kinds is None else self.kinds[index],
        )


@dataclass(frozen=True, eq=False)
class Corpus:
    """Named splits with their origin.

    Attributes
    ----------
    name : str
    splits : dict of str to Split
        ``train`` always; ``dev``, ``test``, ``gen/NAME`` where the corpus has them.
    layer : str or None
        The gold layer that is scored when the user names none; None for raw text.
    source, licence : str
        Where the data comes from and on what terms.
    sha256 : dict of str to str
        Digest of every input file by file name (of the generator's output for
        the built-in corpus); the key of every cache.
    format : str
        What its files hold, in words.
    unknown : dict of str to float
        Share of the words that have each dependency relation which the role scheme does not
        know.
    notes : tuple of str
        What a reader of its scores should know, a line each: splits that were cut from one
        file, roles that a parser gave.
    unread : tuple of str
        Splits that it has and that were not asked for; ``gen`` is all generalization splits.

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
        """The corpus with some of its splits; the others count as unread.

        Examples
        --------
        >>> splits = {name: make_split(name, [["dogs", "sleep"]]) for name in ("train", "dev")}
        >>> Corpus("mine", splits).only(["train"]).unread
        ('dev',)
        """
        kept = {name: split for name, split in self.splits.items() if name in splits}
        left = tuple(name for name in self.splits if name not in kept)
        return replace(self, splits=kept, unread=(*self.unread, *left))

    def generalization(self) -> Iterator[Split]:
        """The ``gen/NAME`` splits, in the corpus's own order."""
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

    `layers` hold annotation, flat over all tokens, shape=(T,); `kinds` is of shape (N,). Messages
    name `source`, a file. Raises BadInputError if there is no token at all, or a label of more
    than 1,000 characters.
    """
    where = "" if source is None else f"{source}: "
    forms = [form for sentence in sentences for form in sentence]
    if not forms:
        raise BadInputError(f"{where}split '{name}' holds no words; give a file with text in it")
    for key, values in (layers or {}).items():
        longest = max(values, key=len, default="")
        if len(longest) > _LONGEST_LABEL:
            raise BadInputError(
                f"{where}split '{name}', layer '{key}': a label of {len(longest):,} characters "
                f"('{longest[:20]}...'); give one of at most {_LONGEST_LABEL:,}"
            )
    met: dict[str, str] = {}
    offsets = np.zeros(len(sentences) + 1, dtype=np.int64)
    np.cumsum([len(sentence) for sentence in sentences], out=offsets[1:])
    return Split(
        name=name,
        forms=np.array([met.setdefault(form, str(form)) for form in forms], dtype=object),
        offsets=offsets,
        layers={key: np.array(values, dtype=np.str_) for key, values in (layers or {}).items()},
        kinds=None if kinds is None else np.array(kinds, dtype=np.str_),
    )


def data_file(name: str) -> Traversable:
    """A file of the ``hebbsim.corpora`` data package (grammars, role schemes, registry)."""
    try:
        return resources.files("hebbsim.corpora") / name
    except ModuleNotFoundError:  # run from a source tree that is not installed
        return Path(__file__).parents[2] / "corpora" / name
