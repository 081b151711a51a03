"""Context-free baselines: the majority role, and lookup by word form."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

Sentences = Iterable[Sequence[str]]


def _flat(sentences: Sentences) -> list[str]:
    return [word for sentence in sentences for word in sentence]


def _most_common(counts: Counter[str]) -> str:
    """The most frequent role; ties go to the alphabetically first."""
    return min(counts, key=lambda role: (-counts[role], role))


def _checked(sentences: Sentences, roles: Iterable[str]) -> tuple[list[str], list[str]]:
    words, labels = _flat(sentences), [str(role) for role in roles]
    if len(words) != len(labels):
        raise BadInputError(
            f"{len(labels)} roles for {len(words)} tokens: pass one role per token, "
            "in the order of the sentences"
        )
    if not labels:
        raise BadInputError("no labelled tokens to learn from: pass at least one sentence")
    return words, labels


class MajorityBaseline:
    """Predict the most frequent role of the training data for every token.

    Attributes
    ----------
    role_ : str
        That role; ties go to the alphabetically first.

    Examples
    --------
    >>> model = MajorityBaseline().fit([["cats", "sleep"], ["dogs"]], ["SUBJ", "PRED", "SUBJ"])
    >>> model.predict([["cats", "purr"]]).tolist()
    ['SUBJ', 'SUBJ']
    """

    role_: str

    def fit(self, sentences: Sentences, roles: Iterable[str]) -> MajorityBaseline:
        """Count the roles.

        Parameters
        ----------
        sentences : iterable of sequence of str
        roles : iterable of str, T of them
            One per token, over all sentences.

        Raises
        ------
        BadInputError
            There are no tokens, or not one role per token.
        """
        _, labels = _checked(sentences, roles)
        self.role_ = _most_common(Counter(labels))
        return self

    def predict(self, sentences: Sentences) -> NDArray[np.str_]:
        """The majority role for every token, shape=(T,)."""
        return np.full(len(_flat(sentences)), self.role_)


class LookupBaseline:
    """Predict the most frequent role of each token's word form.

    Attributes
    ----------
    table_ : dict of str to str
        Most frequent role of each training word; ties go to the role that is more
        frequent overall, then to the alphabetically first.
    role_ : str
        The majority role, for words not in the training data.

    Examples
    --------
    >>> model = LookupBaseline().fit([["cats", "sleep"], ["dogs"]], ["SUBJ", "PRED", "SUBJ"])
    >>> model.predict([["cats", "sleep", "soundly"]]).tolist()
    ['SUBJ', 'PRED', 'SUBJ']
    """

    role_: str
    table_: dict[str, str]

    def fit(self, sentences: Sentences, roles: Iterable[str]) -> LookupBaseline:
        """Count the roles of every word form; see `MajorityBaseline.fit`."""
        words, labels = _checked(sentences, roles)
        total = Counter(labels)
        self.role_ = _most_common(total)
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for word, role in zip(words, labels, strict=True):
            counts[word][role] += 1
        self.table_ = {
            word: min(seen, key=lambda role: (-seen[role], -total[role], role))
            for word, seen in counts.items()
        }
        return self

    def predict(self, sentences: Sentences) -> NDArray[np.str_]:
        """The most frequent role of each token's word form, shape=(T,)."""
        found = [self.table_.get(word, self.role_) for word in _flat(sentences)]
        return np.array(found, dtype=np.str_)
