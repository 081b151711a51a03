"""The layer that clusters tokens by the code of the word and the traces on either side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.network.contexts import contexts_of_sentences
from hebbsim.engine.network.plasticity import Plasticity, check_parts, with_rules
from hebbsim.engine.network.token_kernels import complete_codes, learn_sentence
from hebbsim.engine.values import LARGEST, check_layer, number
from hebbsim.errors import BadInputError

#: Share of the tokens that directions learn from.
DIRECTION_SHARE = 0.1
#: Prototypes are initialized from the last WAITING * K vectors, as earlier ones had learned less.
WAITING = 4
#: `guess` learns from words of at least TAUGHT_FROM occurrences, at a share TAUGHT / sqrt(count)
#: of their tokens.
TAUGHT_FROM, TAUGHT = 3, 4.0


@dataclass
class TokenLayer:
    """A vector for every token, and K prototypes that tokens compete for.

    At each token of a sentence:

    *guess*
        A rare word's code is interpolated with a prediction from its shape and context (the mean
        over timescales): the code has the weight ``n/(n + shrinkage)``, where n is the number of
        occurrences plus `spelled`. The prediction is learned from the codes of known words.
    *own*
        Principal directions of the square roots of codes.
    *prediction*
        Weights that predict the coordinates of the code along these directions from the square
        root of the traces of each side: what that side's context says about the token.
    *directions*
        Principal directions of the square roots of the traces of each side.
    *prototypes*
        The token's vector concatenates the square root of its code and the predictions and
        coordinates of both sides, each scaled to a length of its own. Tokens compete for
        prototypes by their vectors.

    Parameters
    ----------
    name : str
    below : str
        The word layer that provides the codes.
    size : int
        Number of prototypes K.
    start, settle : int
        As in `WordLayer`; prototypes start from the vectors of tokens read before.
    timescales : tuple of float, optional
        Timescales of the traces, in tokens (default: all of the network).
    n_directions : int
        Number of directions per side.
    guess, own, prediction, directions, prototypes : Plasticity
        Learning rule of each part.
    lengths : tuple of five floats
        Lengths, in a token's vector, of the own code, the left and the right prediction, and
        the left and the right directions; 0 omits a part.
    shrinkage : float
        Number of occurrences at which a word's own code has the weight 1/2.
    known_from : float
        Words with more than `known_from` times `shrinkage` occurrences keep their own code.
    spelled : float
        Number added to a word's occurrences in the guess, for codes that already use pieces.
    shape_size : int
        Dimension of the code of a word's shape, an input of the guess; languages with many
        endings need a larger one.
    subsample : float
        Tokens of words more frequent than this compete with probability
        ``sqrt(subsample / frequency)``.
    fade_after : float
        The learning rates of guess and prediction decrease as ``1 / sqrt(1 + t / fade_after)``,
        where t is the number of tokens since the layer began.
    attention : float
        Share of the coordinates of each side's prediction and directions that vectors use, drawn
        at random. This and `weight_jitter` make the members of an ensemble differ.
    weight_jitter : float
        Each length is multiplied by a random number from ``1 - weight_jitter`` to
        ``1 + weight_jitter``.
    shuffled : bool
        Control: use the traces of randomly drawn tokens, which have the same distribution but
        carry no information about the token.

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
        sizes = {"size": (1, 100_000), "n_directions": (1, 10_000), "shape_size": (1, 100_000)}
        counts = {"start": (0, LARGEST), "settle": (0, LARGEST)}
        floats = dict.fromkeys(("known_from", "spelled", "weight_jitter"), False)
        above = ("shrinkage", "subsample", "fade_after", "attention")
        check_layer(self, sizes | counts, floats | dict.fromkeys(above, True))
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
        self.lengths = tuple(number(what, each, above=False) for each in lengths)  # type: ignore[assignment]
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
        """Create the weights for codes of size `below_size`: random for directions, else zero."""
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
        #: Called with the contexts, shape=(L, 2, S, C + 1), which it may change in place, for
        #: instance to the values that a less precise memory would hold.
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
        """Learn one sentence of L tokens.

        Parameters
        ----------
        codes : ndarray of float32, shape=(L, C)
        around : ndarray of float32, shape=(L, C)
            Codes that the traces absorb: the same, except in controls.
        counts : ndarray of int64, shape=(L,)
            Occurrences of each word.
        shapes : ndarray of int8, shape=(L, H)
        frequency : ndarray of float64, shape=(L,)
        draws : ndarray of float64, shape=(L, 2)
            Uniform in [0, 1); decide which tokens compete, and which teach directions.
        rng : numpy.random.Generator
            Draws the initial prototypes.
        """
        fade = 1 / math.sqrt(1 + self.tokens / self.fade_after)
        chosen = draws[:, 0] * np.sqrt(frequency) < math.sqrt(self.subsample)
        taught = (draws[:, 1] * np.sqrt(counts) < TAUGHT) & (counts >= TAUGHT_FROM)
        competes, teaches = chosen & self.settled, draws[:, 1] < DIRECTION_SHARE
        learning = taught, teaches, competes, np.float32(fade)
        vectors = self.vectors(codes, around, counts, shapes, np.array([len(codes)]), learning)
        self.tokens += len(codes)
        if not self.settled:
            self._waiting.extend(vectors[chosen])
            del self._waiting[: -WAITING * self.size]
            if self.tokens >= self.settle and len(self._waiting) >= 2 * self.size:
                self.begin(rng)

    def begin(self, rng: np.random.Generator) -> None:
        """Initialize the prototypes from vectors of tokens read so far."""
        n = len(self._waiting)
        if n:
            chosen = rng.choice(n, self.size, replace=n < self.size)
            self.prototype_weights.values[:] = np.stack(self._waiting)[chosen]
            self.settled = True
            self._waiting = []

    def arrays(self) -> dict[str, NDArray]:
        """All learned state by name, and ``waiting``, the vectors that prototypes start from."""
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
        """Restore what `arrays` returned, of a layer of the same description, except waiting."""
        for name, array in self.arrays().items():
            if name != "waiting":
                array[...] = arrays[name]

    def take(self, other: TokenLayer) -> None:
        """Copy the learned state of another layer of the same description."""
        self.put_in(other.arrays())
        self._waiting = list(other._waiting)
        self.tokens, self.settled = other.tokens, other.settled

    def restore_waiting(self, vectors: NDArray[np.float32]) -> None:
        """Restore the vectors that prototypes will start from."""
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
        learning: tuple[Any, ...] | None = None,
    ) -> NDArray[np.float32]:
        """Vectors of the tokens of sentences that end at `ends`, shape=(L, D).

        Nothing is learned, unless `learning` gives the tokens from which the guess, the directions
        and the prototypes learn, each bool of shape=(L,), and the factor of the rates of guess and
        prediction. Other parameters are those of `learn`.
        """
        none = np.zeros(len(codes), dtype=bool)
        taught, teaches, competes, fade = learning or (none, none, none, np.float32(0))
        contexts = self._contexts(codes, ends)
        completed = np.empty_like(codes)
        changed = self._complete(
            codes, contexts, shapes, counts, self.known_from * self.shrinkage, self.spelled,
            self.shrinkage, taught, self.guess_weights, fade, completed,
        )  # fmt: skip
        if around is not codes:
            contexts = self._contexts(around, ends)
        elif changed:
            contexts = self._contexts(completed, ends)
        vectors = np.zeros((len(codes), self.n_inputs), dtype=np.float32)
        self._learn(
            completed, contexts, competes, teaches, *self.means, self.means_seen,
            self.own_weights, *self.prediction_weights, fade, *self.direction_weights,
            self.prototype_weights, self.attended, self.drawn_lengths, vectors,
        )  # fmt: skip
        return vectors

    def _contexts(self, codes: NDArray[np.float32], ends: NDArray[np.int64]) -> NDArray[np.float32]:
        """Traces around tokens, as changed by `hold`."""
        contexts = np.empty((len(codes), 2, len(self.keep), codes.shape[1] + 1), dtype=np.float32)
        contexts_of_sentences(codes, ends, self.keep, self.alpha, contexts)
        if self.hold is not None:
            self.hold(contexts)
        return contexts
