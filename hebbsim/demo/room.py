"""What all windows of the page share: the corpus, what was learned from it at the start."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines import LookupBaseline, MajorityBaseline
from hebbsim.demo.ballot import Ballot
from hebbsim.demo.content import BEFORE, CodeBook
from hebbsim.demo.page import lesson_timescales
from hebbsim.demo.settings import Settings
from hebbsim.demo.weights import Groups, find_groups, make_engine
from hebbsim.engine import TraceEngine
from hebbsim.engine.rules import rule_names
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.models import RoleNetwork
from hebbsim.probes import RoleReadout
from hebbsim.readers import Corpus
from hebbsim.readers.base import Split

if TYPE_CHECKING:
    from hebbsim.baselines import BiGRU

__all__ = ["Named", "Room"]

Value = TypeVar("Value")

#: Sentences at most: to learn from, to name clusters with, to score on.
N_TRAIN, N_DEV, N_TEST = 4000, 600, 300
#: Streams of text from which words are read back for the rates.
N_STREAMS = 30
#: Who does what to whom, in the words of any scheme of roles.
ARGUMENTS = {"SUBJ", "OBJ", "IOBJ", "OBL", "AGENT", "THEME", "RECIPIENT"}
#: Learners and engines kept for other settings of the sliders.
KEPT = 60


@dataclass(frozen=True, eq=False)
class Named:
    """A learner whose clusters the labels of dev have named.

    Attributes
    ----------
    learner : RoleNetwork
    readout : RoleReadout
    ids : ndarray of int32, shape=(T,)
        Cluster of each token of dev.
    """

    learner: RoleNetwork
    readout: RoleReadout
    ids: NDArray[np.int32]

    def role_of(self, clusters: NDArray[np.integer]) -> list[str]:
        """Names of clusters, one for each."""
        found: list[str] = self.readout.predict(clusters).tolist()
        return found


class Room:
    """The corpus and everything that is learned from it once, for all windows.

    Windows read it from threads of their own: what is kept here never changes once it is
    there.

    Parameters
    ----------
    corpus : Corpus
        With gold roles, and the splits train, dev and test.
    clusters : int, default=300

    Raises
    ------
    BadInputError
        The corpus has no roles, or no dev and test.

    Examples
    --------
    >>> from hebbsim.readers.grammar import make_builtin
    >>> room = Room(make_builtin(n_train=200, n_dev=50, n_test=50, n_gen=0), clusters=30)
    >>> room.prepare()
    >>> room.named((2.0, 8.0)).learner.n_clusters
    30
    """

    learner: RoleNetwork
    groups: Groups

    def __init__(self, corpus: Corpus, *, clusters: int = 300) -> None:
        if corpus.layer is None:
            raise BadInputError(
                f"corpus '{corpus.name}' has no roles to show; choose builtin, cogs or a treebank"
            )
        for name in ("dev", "test"):
            if name not in corpus.splits:
                raise BadInputError(
                    f"corpus '{corpus.name}' has no split '{name}'; choose a larger one"
                )
        self.corpus = corpus
        self.layer = corpus.layer
        self.clusters = clusters
        self.train = _first(corpus.splits["train"], N_TRAIN)
        self.dev = _first(corpus.splits["dev"], N_DEV)
        self.test = _first(corpus.splits["test"], N_TEST)
        self.ready = threading.Event()
        self.failure: str | None = None
        self.bigru: BiGRU | None = None
        #: Where phones vote, if the teacher has them vote.
        self.ballot: Ballot | None = None
        self.ballot_url: str | None = None
        #: Rows of the QR code of that address.
        self.ballot_code: list[str] = []
        self._lock = threading.RLock()
        self._bigru_lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    # Learned once -------------------------------------------------------------------------

    def prepare(self) -> None:
        """Learn what every window needs; sets `ready`, or `failure` with one line."""
        try:
            self.learner = RoleNetwork(n_clusters=min(self.clusters, self.train.n_tokens)).fit(
                self.train.sentences()
            )
            self.groups = find_groups(self.learner)
            self.named(Settings().timescales)
            self.engine(Settings()).run([0, 1])  # compiles the kernels, where they are new
        except Exception as error:  # a thread must not die in silence
            self.failure = f"{error}" if isinstance(error, HebbsimError) else repr(error)
            raise
        finally:
            self.ready.set()

    def train_bigru(self) -> bool:
        """Train the supervised model beside which the roles are shown; False without torch."""
        from hebbsim.baselines import TorchMissingError, train_bigru

        try:
            model = train_bigru(self.train, self.layer, dev=self.dev)
            model.predict([["a"]])
        except TorchMissingError:
            return False
        self.bigru = model
        return True

    def warm(self, *, bigru: bool = True) -> None:
        """Have ready what a class may ask for later: learners of the lessons, BiGRU, rules."""
        for timescales in lesson_timescales():
            self.named(timescales)
        if bigru:
            self.train_bigru()
        for name in rule_names():
            with contextlib.suppress(HebbsimError):
                make_engine(Settings(rule=name)).run([0, 1])

    def bigru_roles(self, sentences: Sequence[Sequence[str]]) -> list[str] | None:
        """Roles that the supervised model gives, or None where there is none (yet)."""
        if self.bigru is None:
            return None
        with self._bigru_lock:  # torch's random state is one for all threads
            found: list[str] = self.bigru.predict(sentences).tolist()
        return found

    def has_named(self, timescales: tuple[float, ...]) -> bool:
        """Whether `named` answers at once."""
        return ("named", timescales) in self._kept

    def named(self, timescales: tuple[float, ...]) -> Named:
        """The learner over traces of these timescales, with its clusters named."""
        return self.keep(("named", timescales), lambda: self.name(self._derived(timescales)))

    def _derived(self, timescales: tuple[float, ...]) -> RoleNetwork:
        if timescales == Settings().timescales:
            return self.learner
        return self.learner.derive(self.train.sentences(), timescales=timescales)

    def name(self, learner: RoleNetwork) -> Named:
        """Name the clusters of a learner by the commonest role of their tokens in dev."""
        ids = learner.predict(self.dev.sentences())
        return Named(learner, RoleReadout().fit(ids, self.dev.layers[self.layer]), ids)

    def engine(self, settings: Settings) -> TraceEngine:
        """Weights over groups of words, taught by the corpus unless `settings.fresh`.

        Raises
        ------
        DivergenceError
            The learning rate is too high for the rule.
        """
        engine = make_engine(settings)
        if not settings.fresh:
            key = ("weights", settings.timescales, settings.rule, settings.eta)
            engine.restore(self.keep(key, lambda: self._taught(settings)))
        return engine

    def _taught(self, settings: Settings) -> dict[str, NDArray[Any]]:
        engine = make_engine(settings)
        forms = self.train.forms.tolist()
        engine.run(self.groups.numbers(self.learner, forms), self.train.offsets)
        return engine.state()

    def keep(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` gave when this key was first asked for; the oldest keys are forgotten."""
        with self._lock:
            if key in self._kept:
                found: Value = self._kept[key]
                return found
        # Outside the lock: what one window waits for is not to hold up another.
        made = make()
        with self._lock:
            value: Value = self._kept.setdefault(key, made)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return value

    # Looked up ----------------------------------------------------------------------------

    @cached_property
    def roles(self) -> list[str]:
        """All roles, the commonest first."""
        counts: Counter[str] = Counter()
        for split in self.corpus.splits.values():
            counts.update(split.layers[self.layer].tolist())
        return [role for role, _ in counts.most_common()]

    @cached_property
    def book(self) -> CodeBook:
        """Codes of all words of the corpus."""
        counts: Counter[str] = Counter()
        for split in self.corpus.splits.values():
            counts.update(dict.fromkeys(split.forms.tolist(), 0))
        counts.update(self.train.forms.tolist())
        words = sorted(counts)
        return CodeBook(words, np.array([counts[word] + 1 for word in words], dtype=np.float64))

    @cached_property
    def before(self) -> list[str]:
        """What the memory has read when a sentence begins."""
        forms: list[str] = self.train.forms[-BEFORE:].tolist()
        return (forms * (BEFORE // len(forms) + 1))[-BEFORE:]

    @cached_property
    def streams(self) -> list[list[str]]:
        """Streams of running text from which the rates of `recall_rates` are taken."""
        forms = [*self.test.forms.tolist(), *self.dev.forms.tolist(), *self.train.forms.tolist()]
        length = BEFORE + 8
        n = max(1, min(N_STREAMS, len(forms) // length))
        forms = (forms * (length // len(forms) + 1)) if len(forms) < length else forms
        return [forms[i * length : (i + 1) * length] for i in range(n)]

    @cached_property
    def gold_roles(self) -> NDArray[np.str_]:
        """Gold roles of test, shape=(T,)."""
        return self.test.layers[self.layer]

    @cached_property
    def argument_roles(self) -> list[str]:
        """Roles that say who does what to whom, the commonest first; of a scheme without, all."""
        return [role for role in self.roles if role in ARGUMENTS] or self.roles

    @cached_property
    def is_argument(self) -> NDArray[np.bool_]:
        """Which words of test have one of `argument_roles`, shape=(T,)."""
        return np.isin(self.gold_roles, self.argument_roles)

    @cached_property
    def references(self) -> dict[str, float]:
        """What needs no memory: accuracies on test, and the share of the commonest word.

        ``majority`` is the commonest role, ``lookup`` the role of the word with all labels,
        ``lookup_arguments`` the same on `argument_roles` alone; ``word`` is how often one is
        right who always says the commonest word.
        """
        train = self.train.sentences(), self.train.layers[self.layer].tolist()
        sentences = self.test.sentences()
        majority = MajorityBaseline().fit(*train).predict(sentences) == self.gold_roles
        lookup = LookupBaseline().fit(*train).predict(sentences) == self.gold_roles
        words = Counter(word for stream in self.streams for word in stream)
        return {
            "majority": float(majority.mean()),
            "lookup": float(lookup.mean()),
            "lookup_arguments": float(lookup[self.is_argument].mean()),
            "word": max(words.values()) / words.total(),
        }

    @cached_property
    def _gold(self) -> dict[tuple[str, ...], list[str]]:
        found: dict[tuple[str, ...], list[str]] = {}
        for split in self.corpus.splits.values():
            roles = split.layers[self.layer].tolist()
            for i, sentence in enumerate(split.sentences()):
                a, b = split.offsets[i], split.offsets[i + 1]
                found.setdefault(tuple(sentence), roles[a:b])
        return found

    def gold(self, sentence: Sequence[str]) -> list[str] | None:
        """Gold roles of a sentence of the corpus; None of any other."""
        return self._gold.get(tuple(sentence))

    @cached_property
    def examples(self) -> list[list[str]]:
        """Sentences to choose from: one of each construction of test, of a length to show."""
        test = self.corpus.splits["test"]
        kinds = test.kinds.tolist() if test.kinds is not None else [""] * test.n_sentences
        chosen: dict[Any, list[str]] = {}
        for number, (sentence, kind) in enumerate(zip(test.sentences(), kinds, strict=True)):
            if 5 <= len(sentence) <= 12:
                # Without constructions, one of every twentieth.
                chosen.setdefault(kind or number // 20, sentence)
        return list(chosen.values())[:12] or test.sentences()[:12]

    def describe(self, named: Named, cluster: int) -> dict[str, Any]:
        """A prototype in words: its role, how sure, and places in dev that it won."""
        counts = named.readout.counts_[0]
        row = counts[min(cluster, len(counts) - 1)]
        places = np.flatnonzero(named.ids == cluster)
        starts = set(self.dev.offsets.tolist())
        forms = self.dev.forms
        seen: dict[str, list[str]] = {}
        for place in places.tolist():
            left = "" if place in starts else str(forms[place - 1])
            right = "" if place + 1 in starts else str(forms[place + 1])
            seen.setdefault(str(forms[place]), [left, str(forms[place]), right])
            if len(seen) == 3:
                break
        return {
            "role": named.role_of(np.array([cluster]))[0],
            "share": round(float(row.max() / row.sum()), 3) if row.sum() else None,
            "tokens": int(row.sum()),
            "examples": list(seen.values()),
        }


def _first(split: Split, n: int) -> Split:
    return split if split.n_sentences <= n else split.subset(range(n))
