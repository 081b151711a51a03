"""The layer that sorts tokens: by the code of the word and by the traces on either side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.network.contexts import contexts_of_sentences
from hebbsim.engine.network.plasticity import Plasticity, check_parts, with_rules
from hebbsim.engine.network.token_kernels import complete_codes, learn_sentence
from hebbsim.engine.values import LARGEST, check_layer, number
from hebbsim.errors import BadInputError

__all__ = ["TokenLayer"]

#: Directions learn from this share of the tokens.
DIRECTION_SHARE = 0.1
#: Prototypes start from K of the last so many times K vectors: earlier ones had learned less.
WAITING = 4
#: Words that occurred less often do not teach how to guess a code; of the others, so many
#: divided by the root of the count is the share of tokens that do.
TAUGHT_FROM, TAUGHT = 3, 4.0


@dataclass
class TokenLayer:
    """A vector for every token, and K prototypes that tokens compete for.

    At each token of a sentence:

    *guess*
        A rare word's code is completed by what shape and context (its mean over timescales) say
        of it: it has ``n/(n + shrinkage)`` of its own, where n is its occurrences and `spelled`,
        and the rest from weights that predict the codes of known words, learned at their tokens.
    *own*
        Directions in which the roots of codes differ most.
    *prediction*
        From the root of the traces of each side, weights that predict the own code along those
        directions: that side's context, seen for what it says of the token.
    *directions*
        In which the roots of the traces of each side differ most.
    *prototypes*
        The root of the own code and, each at a length of its own, both sides' predictions and
        directions make up the token's vector. By their vectors tokens compete.

    Parameters
    ----------
    name : str
    below : str
        The word layer whose codes are used.
    size : int
        Number of prototypes K.
    start, settle : int
        As in `WordLayer`; prototypes start from the vectors of the tokens read before.
    timescales : tuple of float, optional
        Timescales of the traces, in tokens (default: all of the network).
    n_directions : int
        Number of directions of each side.
    guess, own, prediction, directions, prototypes : Plasticity
        Learning rule of each part.
    lengths : tuple of five floats
        Lengths, in a token's vector, of the own code, the left and the right prediction, and
        the left and the right directions; 0 leaves a part out.
    shrinkage : float
        Number of occurrences at which a word's own code counts as much as the guess.
    known_from : float
        A word with more than `known_from` times `shrinkage` occurrences is not guessed at all.
    spelled : float
        Number added to a word's occurrences in the guess, for codes that already use pieces.
    shape_size : int
        Dimensions of the code of a word's shape, on which the guess relies; a language with
        many endings needs more.
    subsample : float
        Tokens of words more frequent than this compete with probability
        ``sqrt(subsample / frequency)``.
    fade_after : float
        The rates of guess and prediction fall as ``1 / sqrt(1 + t / fade_after)``, where t
        counts tokens since the layer began.
    attention : float
        Share of the coordinates of each prediction, and of each side along the directions, that
        vectors hold, drawn at random. This and `weight_jitter` make the members of an ensemble
        differ.
    weight_jitter : float
        Each length is multiplied by a random number from ``1 - weight_jitter`` to
        ``1 + weight_jitter``.
    shuffled : bool
        Control: use the traces of randomly drawn tokens, which keep their distribution but say
        nothing about the token.

    Raises
    ------
    BadInputError
        As in `WordLayer`.

    Examples
    --------
    >>> TokenLayer("tokens", below="second", size=600).size
    600
    """

    name: str
    below: str
    size: int = 300
    start: int = 16_000
    settle: int = 6000
    timescales: tuple[float, ...] | None = None
    n_directions: int = 30
    guess: Plasticity = field(default_factory=lambda: Plasticity("softmax", eta=10.0))
    own: Plasticity = field(default_factory=lambda: Plasticity("ccipca"))
    prediction: Plasticity = field(default_factory=lambda: Plasticity("nlms", eta=0.2))
    directions: Plasticity = field(default_factory=lambda: Plasticity("ccipca"))
    prototypes: Plasticity = field(
        default_factory=lambda: Plasticity(
            "kmeans", parameters={"conscience": 3.0, "amnesia": 3.0, "tau_conscience": 15_000}
        )
    )
    lengths: tuple[float, float, float, float, float] = (1.0, 0.9, 0.9, 0.7, 0.3)
    shrinkage: float = 5.0
    known_from: float = 4.0
    spelled: float = 0.0
    shape_size: int = 256
    subsample: float = 0.01
    fade_after: float = 10_000
    attention: float = 1.0
    weight_jitter: float = 0.0
    shuffled: bool = False

    PARTS: ClassVar[tuple[str, ...]] = ("guess", "own", "prediction", "directions", "prototypes")

    def __post_init__(self) -> None:
        check_parts(self)
        sizes = {
            "size": (1, 100_000),
            "n_directions": (1, 10_000),
            "shape_size": (1, 100_000),
        }
        counts = {"start": (0, LARGEST), "settle": (0, LARGEST)}
        above = ("shrinkage", "subsample", "fade_after", "attention")
        floats = {
            "known_from": False,
            "spelled": False,
            "weight_jitter": False,
            **dict.fromkeys(above, True),
        }
        check_layer(self, sizes | counts, floats)
        if self.attention > 1 or self.weight_jitter >= 1:
            raise BadInputError(
                f"layer {self.name} has attention {self.attention:g} and weight_jitter "
                f"{self.weight_jitter:g}: give a share up to 1, and a jitter below 1"
            )
        lengths = self.lengths if isinstance(self.lengths, tuple | list) else ()
        if len(lengths) != 5:
            raise BadInputError(
                f"lengths of layer {self.name} is {self.lengths!r}: give five numbers from 0"
            )
        what = f"a length of layer {self.name}"
        own, *around = (number(what, length, above=False) for length in lengths)
        self.lengths = (own, around[0], around[1], around[2], around[3])
        if not isinstance(self.shuffled, bool):
            raise BadInputError(
                f"shuffled of layer {self.name} is {self.shuffled!r}: give true or false"
            )

    def connect(
        self,
        below_size: int,
        keep: NDArray[np.float32],
        alpha: NDArray[np.float32],
        rng: np.random.Generator,
    ) -> None:
        """Make the weights for codes of `below_size` numbers.

        Those of directions are small and drawn by `rng`, all others are zero.
        """
        self.keep, self.alpha = keep, alpha
        width = len(keep) * (below_size + 1)
        n = self.n_directions
        self.guess_weights = self.guess.start(below_size, 2 * (below_size + 1) + self.shape_size)
        self.own_weights = self.own.start(n, below_size, rng)
        self.prediction_weights = [self.prediction.start(n, width) for _ in range(2)]
        self.direction_weights = [self.directions.start(n, width, rng) for _ in range(2)]
        self.n_inputs = below_size + 4 * n
        self.prototype_weights = self.prototypes.start(self.size, self.n_inputs)
        self.means = [np.zeros(m, dtype=np.float32) for m in (below_size, width, width)]
        self.means_seen = np.zeros(3, dtype=np.int64)
        self.tokens = 0
        self.settled = False
        self._waiting: list[NDArray[np.float32]] = []
        #: Changes contexts in place, shape=(L, 2, S, C + 1), once they are computed: what a
        #: memory that holds them less exactly would read.
        self.hold: Callable[[NDArray[np.float32]], None] | None = None
        self.attended = (rng.random((4, n)) < self.attention).astype(np.float32)
        self.attended[:, 0] = np.maximum(self.attended[:, 0], self.attended.max(axis=1) == 0)
        jitter = rng.uniform(1 - self.weight_jitter, 1 + self.weight_jitter, 5)
        self.drawn_lengths = (np.array(self.lengths) * jitter).astype(np.float32)
        self._complete = with_rules(complete_codes, learn_guess=self.guess)
        self._learn = with_rules(
            learn_sentence,
            learn_own=self.own,
            learn_prediction=self.prediction,
            learn_directions=self.directions,
            learn_prototypes=self.prototypes,
        )

    def learn(
        self,
        codes: NDArray[np.float32],
        around: NDArray[np.float32],
        counts: NDArray[np.int64],
        shapes: NDArray[np.int8],
        frequency: NDArray[np.float64],
        draws: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> None:
        """Learn one sentence.

        Parameters
        ----------
        codes : ndarray of float32, shape=(L, C)
            Of the words of its tokens.
        around : ndarray of float32, shape=(L, C)
            What traces are taken of: the same, but for controls.
        counts : ndarray of int64, shape=(L,)
            Their occurrences.
        shapes : ndarray of int8, shape=(L, H)
        frequency : ndarray of float64, shape=(L,)
        draws : ndarray of float64, shape=(L, 2)
            Between 0 and 1: which tokens compete, and which teach directions.
        rng : numpy.random.Generator
            Draws what prototypes start from.
        """
        fade = 1 / math.sqrt(1 + self.tokens / self.fade_after)
        chosen = draws[:, 0] * np.sqrt(frequency) < math.sqrt(self.subsample)
        taught = (draws[:, 1] * np.sqrt(counts) < TAUGHT) & (counts >= TAUGHT_FROM)
        competes, teaches = chosen & self.settled, draws[:, 1] < DIRECTION_SHARE
        ends = np.array([len(codes)])
        vectors = self._pass_over(
            codes, around, counts, shapes, ends, taught, teaches, competes, np.float32(fade)
        )
        self.tokens += len(codes)
        if not self.settled:
            self._waiting.extend(vectors[chosen])
            del self._waiting[: -WAITING * self.size]
            if self.tokens >= self.settle and len(self._waiting) >= 2 * self.size:
                self.begin(rng)

    def begin(self, rng: np.random.Generator) -> None:
        """Start prototypes from vectors of tokens read so far."""
        n = len(self._waiting)
        if n:
            chosen = rng.choice(n, self.size, replace=n < self.size)
            self.prototype_weights.values[:] = np.stack(self._waiting)[chosen]
            self.settled = True
            self._waiting = []

    def arrays(self) -> dict[str, NDArray]:
        """All that has been learned, and the vectors that prototypes will start from."""
        parts = {
            "guess": self.guess_weights,
            "own": self.own_weights,
            "left prediction": self.prediction_weights[0],
            "right prediction": self.prediction_weights[1],
            "left directions": self.direction_weights[0],
            "right directions": self.direction_weights[1],
            "prototypes": self.prototype_weights,
        }
        found = {name: weights.values for name, weights in parts.items()}
        found |= {f"{name}.state": weights.state for name, weights in parts.items()}
        found |= {f"mean {number}": mean for number, mean in enumerate(self.means)}
        waiting = np.array(self._waiting, dtype=np.float32).reshape(-1, self.n_inputs)
        drawn = {"attended": self.attended, "drawn_lengths": self.drawn_lengths}
        return found | drawn | {"means_seen": self.means_seen, "waiting": waiting}

    def put_in(self, arrays: Mapping[str, NDArray]) -> None:
        """Put in what `arrays` gave of a layer of the same description, but for the waiting."""
        for name, array in self.arrays().items():
            if name != "waiting":
                array[...] = arrays[name]

    def take(self, other: TokenLayer) -> None:
        """Go on from what another layer of the same description has learned."""
        self.put_in(other.arrays())
        self._waiting = list(other._waiting)
        self.tokens, self.settled = other.tokens, other.settled

    def restore_waiting(self, vectors: NDArray[np.float32]) -> None:
        """Put in the vectors that prototypes will start from."""
        if vectors.ndim != 2 or vectors.shape[1] != self.n_inputs or vectors.dtype != np.float32:
            raise ValueError("vectors that wait for prototypes do not fit")
        self._waiting = list(vectors)

    def vectors(
        self,
        codes: NDArray[np.float32],
        around: NDArray[np.float32],
        counts: NDArray[np.int64],
        shapes: NDArray[np.int8],
        ends: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Vectors of the tokens of sentences that end at `ends`, shape=(L, D).

        Nothing is learned; other parameters are as of `learn`.
        """
        none = np.zeros(len(codes), dtype=bool)
        return self._pass_over(codes, around, counts, shapes, ends, none, none, none, np.float32(0))

    def _pass_over(
        self,
        codes: NDArray[np.float32],
        around: NDArray[np.float32],
        counts: NDArray[np.int64],
        shapes: NDArray[np.int8],
        ends: NDArray[np.int64],
        taught: NDArray[np.bool_],
        teaches: NDArray[np.bool_],
        competes: NDArray[np.bool_],
        fade: np.float32,
    ) -> NDArray[np.float32]:
        """Vectors of tokens, shape=(L, D); weights learn where tokens teach, are taught or compete.

        `fade` is the factor of the rates of guess and prediction. With 0, and no such token,
        nothing is learned.
        """
        contexts = self._contexts(codes, ends)
        completed = np.empty_like(codes)
        changed = self._complete(
            codes,
            contexts,
            shapes,
            counts,
            self.known_from * self.shrinkage,
            self.spelled,
            self.shrinkage,
            taught,
            self.guess_weights,
            fade,
            completed,
        )
        if around is not codes:
            contexts = self._contexts(around, ends)
        elif changed:
            contexts = self._contexts(completed, ends)
        vectors = np.zeros((len(codes), self.n_inputs), dtype=np.float32)
        self._learn(
            completed,
            contexts,
            competes,
            teaches,
            *self.means,
            self.means_seen,
            self.own_weights,
            *self.prediction_weights,
            fade,
            *self.direction_weights,
            self.prototype_weights,
            self.attended,
            self.drawn_lengths,
            vectors,
        )
        return vectors

    def _contexts(self, codes: NDArray[np.float32], ends: NDArray[np.int64]) -> NDArray[np.float32]:
        """Traces around tokens, as they are held."""
        contexts = np.empty((len(codes), 2, len(self.keep), codes.shape[1] + 1), dtype=np.float32)
        contexts_of_sentences(codes, ends, self.keep, self.alpha, contexts)
        if self.hold is not None:
            self.hold(contexts)
        return contexts
