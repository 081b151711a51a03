"""`RoleTagger`: a trained learner and the names of its clusters, applied to new sentences."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import (
    MISFITS,
    below,
    read_checkpoint,
    side_by_side,
    write_checkpoint,
)
from hebbsim.engine.network.network import check_sentence
from hebbsim.errors import BadInputError, reason
from hebbsim.models import RoleNetwork, RolePopulation
from hebbsim.models.estimator import Sentences, as_lists
from hebbsim.probes import Memberships, memberships
from hebbsim.readers.words import lowered, normal, split_text
from hebbsim.tagging.compact import compacted, expanded
from hebbsim.tagging.naming import Naming

KIND = "hebbsim.tagger/1"
#: File name in a run folder.
FILE = "tagger.safetensors"
#: Number of sentences processed at a time, which bounds memory use.
BATCH = 2000


class Token(NamedTuple):
    """A word of a sentence, with its role and cluster.

    Attributes
    ----------
    word : str
    role : str or None
        Role of the token; None if the clusters have no names.
    share : float or None
        Probability of the role according to the read-out.
    cluster : int or tuple of int
        Cluster number; one for each learner if several vote.

    Examples
    --------
    >>> Token("dog", "SUBJ", 0.93, 17).role
    'SUBJ'
    """

    word: str
    role: str | None
    share: float | None
    cluster: int | tuple[int, ...]


class Assignment(NamedTuple):
    """Roles and clusters of the T tokens of some sentences.

    Attributes
    ----------
    roles : ndarray of object, shape=(T,)
        Role of each token, a str; None if the clusters have no names.
    shares : ndarray of float64, shape=(T,)
        Probabilities of these roles according to the read-out; NaN if there are none.
    clusters : ndarray of int32, shape=(T, P)
        The nearest cluster in each of P learners.

    Examples
    --------
    >>> nothing = Assignment(np.array([None]), np.array([np.nan]), np.array([[3]]))
    >>> nothing.tokens(["dog"])
    [Token(word='dog', role=None, share=None, cluster=3)]
    """

    roles: NDArray[Any]
    shares: NDArray[np.float64]
    clusters: NDArray[np.int32]

    def tokens(self, words: Iterable[str]) -> list[Token]:
        """The same as a list of `Token`."""
        columns = (self.roles.tolist(), self.shares.tolist(), self.clusters.tolist())
        return [
            Token(
                word,
                role,
                None if role is None else share,
                clusters[0] if len(clusters) == 1 else tuple(clusters),
            )
            for word, role, share, clusters in zip(words, *columns, strict=True)
        ]


class RoleTagger:
    """A fitted learner with named clusters, which tags new sentences.

    In a scikit-learn Pipeline it is a pretrained transformer: `fit` does nothing, so token labels
    reach only the classifier after it.

    Parameters
    ----------
    learner : RoleNetwork or RolePopulation
        A fitted learner.
    lower : bool
        Lower-case words before they are looked up, like all readers of the package.
    about : mapping, optional
        Notes on the training, as JSON values; saved in the file.

    Attributes
    ----------
    members : list of P RoleNetworks
    naming : Naming or None
        Set by `name`.
    about : dict

    Examples
    --------
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> roles = ["DET", "SUBJ", "VERB", "DET", "OBJ"] * 40
    >>> tagger = RoleTagger(RoleNetwork(n_clusters=12).fit(sentences)).name(sentences, roles)
    >>> [(word, role) for word, role, share, cluster in tagger.tag(["The dog saw a cat"])[0]]
    [('The', 'DET'), ('dog', 'SUBJ'), ('saw', 'VERB'), ('a', 'DET'), ('cat', 'OBJ')]

    A classifier over the vectors of tokens:

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> classifier = make_pipeline(tagger, LogisticRegression()).fit(sentences, roles)
    >>> classifier.predict([["a", "dog", "saw"]]).tolist()
    ['DET', 'SUBJ', 'VERB']
    """

    def __init__(
        self,
        learner: RoleNetwork | RolePopulation,
        *,
        lower: bool = True,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.members: list[RoleNetwork] = getattr(learner, "members_", [learner])
        self.lower = lower
        self.about = dict(about or {})
        self.naming: Naming | None = None

    @property
    def prototypes(self) -> list[NDArray[np.float32]]:
        """Prototypes of the clusters of each learner, P arrays of shape=(K, D)."""
        return [member.prototypes_.centres for member in self.members]

    def name(
        self,
        sentences: Sentences,
        roles: Sequence[str] | NDArray[np.str_] | None = None,
        *,
        members: Sequence[Memberships] | None = None,
    ) -> RoleTagger:
        """Name the clusters by the roles of sentences, which may differ from the training data.

        Parameters
        ----------
        sentences : iterable of sequences of str
        roles : array-like of str, shape=(T,), optional
            Roles of all tokens. Without them, clusters are described by their words only.
        members : sequence of P Memberships, optional
            Memberships of the same tokens, if already computed.

        Raises
        ------
        BadInputError
            There are no tokens, or there is not one role per token.
        """
        listed = as_lists(sentences)
        forms = [word for sentence in listed for word in sentence]
        if not forms:
            raise BadInputError("clusters are named by the words of sentences: give some")
        found = self.memberships(listed) if members is None else members
        self.naming = Naming(found, self.prototypes, forms, roles)
        return self

    def memberships(self, sentences: Sentences) -> list[Memberships]:
        """Memberships of all tokens in the clusters of each learner."""
        looked_up = [self._looked_up(sentence) for sentence in sentences]
        return [
            memberships(member.transform(looked_up), centres)
            for member, centres in zip(self.members, self.prototypes, strict=True)
        ]

    def _looked_up(self, sentence: Sequence[str]) -> list[str]:
        check_sentence(sentence)
        words = [normal(word) for word in sentence]
        return [lowered(word) for word in words] if self.lower else words

    def assign(self, sentences: Sentences, *, readout: str = "soft") -> Assignment:
        """Roles and clusters of all tokens, as arrays; `tag` gives a more readable form.

        Parameters
        ----------
        sentences : iterable of sequences of str
        readout : {"soft", "majority"}
            ``soft`` weights the roles of a token's nearest clusters; ``majority`` takes the role
            that most tokens of its cluster had.

        Raises
        ------
        BadInputError
            A sentence is not a list of words, or there is no such read-out.
        """
        members = self.memberships(sentences)
        clusters = np.stack([found.clusters[:, 0] for found in members], axis=1)
        roles, shares = np.full(len(clusters), None, dtype=object), np.full(len(clusters), np.nan)
        if self.naming is not None:
            found = self.naming.probabilities(members, readout)
            if found is not None:
                names = np.array(self.naming.roles, dtype=object)
                roles, shares = names[found.argmax(axis=1)], found.max(axis=1)
        return Assignment(roles, shares, clusters)

    def tag(
        self, sentences: Iterable[str | Sequence[str]], *, readout: str = "soft"
    ) -> list[list[Token]]:
        """Tag every word with its role and cluster.

        Parameters
        ----------
        sentences : iterable of str or of sequences of str
            A str is split into sentences and words like raw text; a list holds the words of one
            sentence.
        readout : {"soft", "majority"}
            See `assign`.

        Returns
        -------
        list of lists of Token
            One for each element of `sentences`.

        Raises
        ------
        BadInputError
            As in `assign`.
        """
        if isinstance(sentences, str):
            raise BadInputError(
                f"one text is given, {reprlib.repr(sentences)}: give a list of texts"
            )
        found: list[list[Token]] = []
        waiting = iter(sentences)
        while batch := list(islice(waiting, BATCH)):
            pieces = [split_text(x, lower=False) if isinstance(x, str) else [x] for x in batch]
            read = self.assign((s for piece in pieces for s in piece), readout=readout)
            tokens = iter(read.tokens(word for piece in pieces for s in piece for word in s))
            found += [list(islice(tokens, sum(map(len, piece)))) for piece in pieces]
        return found

    # In a Pipeline of scikit-learn --------------------------------------------------------

    def fit(self, sentences: Sentences, y: object = None) -> RoleTagger:
        """Do nothing: the learner has been trained, without labels."""
        return self

    def transform(self, sentences: Sentences) -> NDArray[np.float32]:
        """Vectors of all tokens, shape=(T, D); those of several learners are concatenated."""
        looked_up = [self._looked_up(sentence) for sentence in sentences]
        return np.hstack([member.transform(looked_up) for member in self.members])

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> RoleTagger:
        return self

    # Files --------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tagger atomically to a safetensors file.

        The saved tagger can tag but not learn; to continue learning, save the learner.

        Raises
        ------
        BadInputError
            The file cannot be written.
        """
        write_checkpoint(path, KIND, *self.state())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> RoleTagger:
        """Load a tagger that `save` wrote, or the tagger of a finished run by its folder.

        Raises
        ------
        BadInputError
            The file does not exist, is damaged, or holds something else.
        """
        found = Path(path)
        if not found.exists():
            raise BadInputError(
                f"{path}: no such file or folder; `hebbsim run roles` writes a model into its "
                "run folder"
            )
        if found.is_dir():
            found = found / FILE
            if not found.is_file():
                raise BadInputError(
                    f"{path}: holds no {FILE}; give the file, or the folder of a finished "
                    "`hebbsim run roles`"
                )
        return cls.from_state(*read_checkpoint(found, KIND), path=found)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """The complete state: arrays by name, and a JSON document."""
        parts = [compacted(member) for member in self.members]
        arrays = side_by_side(found for found, _ in parts)
        document: dict[str, Any] = {"members": [about for _, about in parts], "naming": None}
        if self.naming is not None:
            named, document["naming"] = self.naming.state()
            arrays |= {f"naming/{name}": array for name, array in named.items()}
        return arrays, document | {"lower": bool(self.lower), "about": self.about}

    @classmethod
    def from_state(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any], *, path: Any
    ) -> RoleTagger:
        """The tagger that `state` stored.

        Raises
        ------
        BadInputError
            The state is invalid; the message names `path`.
        """
        tagger = cls.__new__(cls)
        try:
            tagger.members = [
                expanded(below(arrays, f"{number}/"), about)
                for number, about in enumerate(document["members"])
            ]
            if not tagger.members:
                raise ValueError("it has no learner")
            tagger.lower, tagger.about = bool(document["lower"]), dict(document["about"])
            config = tagger.about.get("config", {})
            if not isinstance(config, dict) or not isinstance(config.get("n_tokens", 0), int):
                raise ValueError("its configuration is none")
            tagger.naming = None
            if document["naming"] is not None:
                n_clusters = [len(centres) for centres in tagger.prototypes]
                named = below(arrays, "naming/")
                tagger.naming = Naming.from_state(named, document["naming"], n_clusters)
        except (*MISFITS, BadInputError) as error:
            raise BadInputError(f"tagger {path} cannot be used: {reason(error)}") from None
        return tagger


def load(path: str | os.PathLike[str]) -> RoleTagger:
    """Load the tagger of a finished run.

    Parameters
    ----------
    path : path
        Folder of a finished `hebbsim run roles`, or a file that `RoleTagger.save` wrote.

    Raises
    ------
    BadInputError
        The tagger does not exist, or is damaged.
    """
    return RoleTagger.load(path)
