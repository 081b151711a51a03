"""A layer that learns a code for every word from its contexts."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.network.plasticity import Plasticity, check_parts, with_rules
from hebbsim.engine.network.shape import ENDING_SIZE, Spelling
from hebbsim.engine.network.word_kernels import (
    RARE,
    Pieces,
    codes_of_points,
    learn_sentence,
    place_words,
)
from hebbsim.engine.values import LARGEST, check_layer
from hebbsim.errors import BadInputError

#: Maximum number of pretrained vectors that groups are learned from, and of passes over them.
GROUPED, SHOWN = 20_000, 3
#: Initial categories are drawn by the root of the word's count, at most this share of the text.
LARGEST_SHARE = 0.005


@dataclass
class WordLayer:
    """A code for every word: its membership in C categories, learned from the traces around it.

    At each token of a sentence, in turn:

    *memory*
        The word's row of weights moves towards the traces around the token. The step is one over
        the word's count, but at least `memory_floor`.
    *pieces*
        With `pieces`, so do the rows of the word's endings and beginnings while it is rare.
        A rare word's row is interpolated with theirs: after n occurrences it has the weight
        ``n/(n + shrinkage)``, its longest ending the corresponding share of the rest by
        `piece_shrinkage`, and so on down to the row that all rare words share; likewise for
        beginnings, whose total weight is `beginnings` against ``1 - beginnings`` for endings.
    *directions*
        The row's square root, scaled to length one and centred (so that distances are Hellinger
        distances), is projected on principal directions of the rows.
    *categories*
        Words compete for categories by their coordinates, scaled to length one; with an
        `ending_weight`, the code of the word's ending is appended at that length.
    *code*
        Softmax of `inverse_temperature` times the cosine with each category.

    The last three steps take place at a share ``visits / sqrt(count)`` of a word's tokens only, as
    frequent words need not compete every time.

    Parameters
    ----------
    name : str
    below : str
        The layer whose codes make up the context, or ``"text"``: the words themselves.
    size : int
        Number of categories C.
    start : int
        Number of tokens that the network reads before this layer begins.
    settle : int
        Number of tokens for which only memory and directions learn; then the categories start
        from rows of the memory.
    timescales : tuple of float, optional
        Timescales of the traces, in tokens (default: the shortest of the network).
    n_directions : int
        Number of directions.
    ending_weight : float
        Weight of word endings relative to the memory, for languages whose endings carry grammar.
    pieces : int
        Number of rows that endings and beginnings share by hashing; 0 switches pieces off.
    shrinkage, piece_shrinkage : float
        Number of occurrences at which the row of a word, or of a piece, has the weight 1/2.
    beginnings : float
        Weight of beginnings, at most 1, against ``1 - beginnings`` for endings.
    memory, directions, categories : Plasticity
        Learning rule of each part.
    memory_floor : float
        Smallest step of the memory. With 0 a row is the mean over all occurrences; above 0,
        earlier ones decay, which suits a text that changes.
    visits : float
        A word competes at a share ``visits / sqrt(count)`` of its tokens.
    direction_visits : int
        Directions learn at half of these tokens; after n of them, at a share
        ``direction_visits / n`` if that is less. They slow down because categories are expressed
        in their coordinates.
    inverse_temperature : float
        Sharpness of codes: the larger, the closer a code is to one category.
    min_count : int
        Words with fewer occurrences do not compete.

    Raises
    ------
    BadInputError
        A value is out of range, or a rule does not suit its part.

    Examples
    --------
    >>> WordLayer("second", below="first", size=50, memory=Plasticity("oja")).memory.rule
    'oja'
    """

    name: str
    below: str
    size: int = 100
    start: int = 0
    settle: int = 4000
    timescales: tuple[float, ...] | None = None
    n_directions: int = 50
    ending_weight: float = 0.0
    pieces: int = 0
    shrinkage: float = 5.0
    piece_shrinkage: float = 5.0
    beginnings: float = 0.5
    memory: Plasticity = field(default_factory=lambda: Plasticity("instar", eta=1.0))
    directions: Plasticity = field(default_factory=lambda: Plasticity("ccipca"))
    categories: Plasticity = field(
        default_factory=lambda: Plasticity("kmeans", parameters={"conscience": 0.03, "amnesia": 2})
    )
    memory_floor: float = 0.0
    visits: float = 4.0
    direction_visits: int = 1000
    inverse_temperature: float = 12.0
    min_count: int = 2

    #: Names of the parts whose rule can be replaced.
    PARTS: ClassVar[tuple[str, ...]] = ("memory", "directions", "categories")

    def __post_init__(self) -> None:
        check_parts(self)
        sizes = {"size": (1, 10_000), "n_directions": (1, 10_000)}
        counts = dict.fromkeys(("start", "settle", "direction_visits", "min_count"), (0, LARGEST))
        counts["pieces"] = (0, 1_000_000)
        floats = dict.fromkeys(("memory_floor", "ending_weight", "beginnings"), False)
        above = ("shrinkage", "piece_shrinkage", "visits", "inverse_temperature")
        check_layer(self, sizes | counts, floats | dict.fromkeys(above, True))
        if self.beginnings > 1:
            raise BadInputError(
                f"beginnings of layer {self.name} is {self.beginnings:g}: give a share up to 1"
            )

    def connect(
        self,
        below_size: int,
        keep: NDArray[np.float32],
        alpha: NDArray[np.float32],
        rng: np.random.Generator,
    ) -> None:
        """Create the weights for codes of size `below_size`: random for directions, else zero."""
        self.below_size, self.keep, self.alpha = below_size, keep, alpha
        width = 2 * len(keep) * (below_size + 1)
        self.memory_weights = self.memory.start(0, width)
        self.memory_state = np.zeros((0, len(self.memory.kernel.start(width, 1))), np.float32)
        self.direction_weights = self.directions.start(self.n_directions, width, rng)
        n_coordinates = self.n_directions + (ENDING_SIZE if self.ending_weight else 0)
        self.category_weights = self.categories.start(self.size, n_coordinates)
        self.mean = np.zeros(width, dtype=np.float32)
        self.mean_seen = np.zeros(1, dtype=np.int64)
        n_pieces = self.pieces + 1 if self.pieces else 0  # the last row is for all rare words
        self.piece_weights = self.memory.start(n_pieces, width)
        self.piece_state = np.tile(self.memory.kernel.start(width, 1), (n_pieces, 1))
        self.piece_counts = np.zeros(n_pieces, dtype=np.int64)
        self.counts = np.zeros(0, dtype=np.int64)
        self.codes = np.zeros((0, self.size), dtype=np.float32)
        self.settled = False
        self.held = np.zeros(0, dtype=bool)  # words whose code comes from a pretrained vector
        self.points: NDArray[np.float32] | None = None
        self.groups = np.zeros((self.size, 0), dtype=np.float32)
        self.learns_on = True
        self._context = np.empty((64, 2, len(keep), below_size + 1), dtype=np.float32)
        self._kernel = with_rules(
            learn_sentence,
            learn_memory=self.memory,
            learn_directions=self.directions,
            learn_categories=self.categories,
        )

    def grow(self, n_words: int) -> None:
        """Make room for `n_words` words."""
        values = grown(self.memory_weights.values, n_words, 0)
        self.memory_weights = self.memory_weights._replace(values=values)
        n_before = len(self.memory_state)
        self.memory_state = grown(self.memory_state, n_words, 0)
        self.memory_state[n_before:] = self.memory.kernel.start(values.shape[1], 1)
        self.counts = grown(self.counts, n_words, 0)
        self.codes = grown(self.codes, n_words, 1 / self.size)
        self.held = grown(self.held, n_words, 0)

    def take_vectors(
        self,
        points: NDArray[np.float32],
        rng: np.random.Generator | None = None,
        *,
        learns_on: bool = False,
        groups: NDArray[np.float32] | None = None,
    ) -> None:
        """Use pretrained unit vectors `points`, shape=(N, D), for the codes of words, see `hold`.

        The vectors are clustered into as many `groups`, shape=(C, D), as there are categories, by
        the rule of the categories and in an order drawn by `rng`, unless `groups` are given. A code
        is the softmax over groups. Each category then starts at the mean of the words of its
        group, so that its meaning stays the same. With `learns_on`, words learn codes of their own
        once categories begin; otherwise they keep those of their vectors.
        """
        self.points, self.learns_on = points, learns_on
        if groups is None:
            assert rng is not None
            some = points[:GROUPED]
            weights = self.categories.start(self.size, points.shape[1])
            weights.values[:] = some[
                rng.choice(len(some), self.size, replace=len(some) < self.size)
            ]
            for _ in range(SHOWN):
                self.categories.learn(weights, some[rng.permutation(len(some))])
            groups = weights.values
        self.groups = groups

    def hold(self, row: int, at: int) -> None:
        """Give the word in `row` the code of vector `at`."""
        assert self.points is not None
        where = np.array([row], dtype=np.int64)
        temperature = np.float32(self.inverse_temperature)
        codes_of_points(self.points[at : at + 1], where, self.groups, temperature, self.codes)
        self.held[row] = True

    def _kept(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The words among `rows` that keep the codes of their vectors."""
        return rows[:0] if self.learns_on else rows[self.held[rows]]

    def arrays(self) -> dict[str, NDArray]:
        """All learned state, by name."""
        parts = {
            "memory": self.memory_weights,
            "directions": self.direction_weights,
            "categories": self.category_weights,
        }
        found: dict[str, NDArray] = {name: weights.values for name, weights in parts.items()}
        found |= {f"{name}.state": weights.state for name, weights in parts.items()}
        if self.pieces:
            found["pieces"] = self.piece_weights.values
            found |= {"pieces.states": self.piece_state, "pieces.counts": self.piece_counts}
        return found | {
            "memory.states": self.memory_state,
            "mean": self.mean,
            "mean_seen": self.mean_seen,
            "counts": self.counts,
            "codes": self.codes,
        }

    def forget(self, rows: NDArray[np.int64]) -> None:
        """Reset all state of the words in `rows`."""
        self.memory_weights.values[rows] = 0
        self.memory_state[rows] = self.memory.kernel.start(len(self.mean), 1)
        self.counts[rows] = 0
        self.codes[rows] = 1 / self.size
        self.held[rows] = False

    def learn(
        self,
        rows: NDArray[np.float32],
        ids: NDArray[np.int32],
        draws: NDArray[np.float64],
        spelling: Spelling,
    ) -> None:
        """Learn one sentence of words `ids`, shape=(L,), with codes `rows`, shape=(L, below).

        `draws`, uniform in [0, 1) of shape=(L,), decide which tokens compete; `spelling` is that
        of all words.
        """
        if len(rows) > len(self._context):
            self._context = np.empty((2 * len(rows), *self._context.shape[1:]), dtype=np.float32)
        kept = self._kept(ids)
        codes = self.codes[kept]
        self._kernel(
            rows, ids, draws, self.keep, self.alpha, self._context, self.counts,
            self.memory_weights, self.memory_state, self.memory_floor, self.direction_weights,
            self.mean, self.mean_seen, self.category_weights, spelling,
            np.float32(self.ending_weight), self._pieces(), self.piece_state, self.settled,
            self.visits, self.direction_visits, np.float32(self.inverse_temperature),
            self.min_count, self.codes,
        )  # fmt: skip
        self.codes[kept] = codes

    def begin(self, rng: np.random.Generator, spelling: Spelling) -> None:
        """Initialize the categories from rows of the memory, and compute the codes of all words."""
        known = np.flatnonzero(self.counts >= self.min_count)
        if not len(known):
            return
        points = self.locate(known, spelling)
        weight = np.sqrt(np.minimum(self.counts[known], LARGEST_SHARE * self.counts.sum()))
        chosen = rng.choice(
            len(known), self.size, replace=len(known) < self.size, p=weight / weight.sum()
        )
        self.category_weights.values[:] = points[chosen]
        held = self.held[known]
        if held.any():
            self._start_from_groups(points[held], self.codes[known[held]])
        self.settled = True
        self.encode(known, spelling)

    def encode(self, words: NDArray[np.int64], spelling: Spelling) -> None:
        """Recompute the codes of words from their memory and the current categories."""
        kept = self._kept(words)
        codes = self.codes[kept]
        self._put_codes(self.locate(words, spelling), words, self.codes)
        self.codes[kept] = codes

    def _start_from_groups(self, points: NDArray[np.float32], codes: NDArray[np.float32]) -> None:
        """Initialize each category at the mean of words, weighted by their share in its group."""
        means = np.zeros_like(self.category_weights.values)
        for point, code in zip(points, codes, strict=True):
            means += code[:, None] * point
        total = codes.sum(axis=0)
        some = total > 0
        self.category_weights.values[some] = means[some] / total[some, None]

    def remember_pieces(self, words: NDArray[np.int64], spelling: Spelling) -> None:
        """Set the rows of pieces to the mean memory of the words that have them."""
        self.piece_weights.values[:] = 0
        self.piece_counts[:] = 0
        values, counts = self.piece_weights.values, self.piece_counts
        for row in words.tolist():
            n = min(int(spelling.counts[row]), RARE)
            for piece in (*spelling.pieces[row].tolist(), len(counts) - 1):
                if piece >= 0 and n:
                    counts[piece] += n
                    step = np.float32(n / counts[piece])
                    values[piece] += step * (self.memory_weights.values[row] - values[piece])

    def codes_of_unknown(self, spelling: Spelling) -> NDArray[np.float32]:
        """Codes of unknown words by their spelling, shape=(n, C); uniform without `pieces`."""
        n = len(spelling.counts)
        codes = np.full((n, self.size), 1 / self.size, dtype=np.float32)
        if self.pieces and self.settled:
            nothing = np.zeros((1, len(self.mean)), dtype=np.float32)
            points = self._points(nothing, np.zeros(n, dtype=np.int64), spelling)
            self._put_codes(points, np.arange(n), codes)
        return codes

    def _pieces(self) -> Pieces:
        shares = map(np.float32, (self.shrinkage, self.piece_shrinkage, self.beginnings))
        return Pieces(self.piece_weights.values, self.piece_counts, *shares)

    def _points(
        self, memory: NDArray[np.float32], rows: NDArray[np.int64], spelling: Spelling
    ) -> NDArray[np.float32]:
        """Coordinates of words given their rows in a memory and their spelling."""
        points = np.empty((len(rows), self.category_weights.values.shape[1]), dtype=np.float32)
        place_words(
            memory, rows, self.mean, self.direction_weights.values, spelling,
            np.float32(self.ending_weight), self._pieces(), points,
        )  # fmt: skip
        return points

    def locate(self, words: NDArray[np.int64], spelling: Spelling) -> NDArray[np.float32]:
        """Coordinates of words, at length one, shape=(n, D); `spelling` is that of all words."""
        theirs = spelling.of(words)
        seen = np.minimum(self.counts[words], theirs.counts)
        return self._points(self.memory_weights.values, words, theirs._replace(counts=seen))

    def _put_codes(
        self, points: NDArray[np.float32], rows: NDArray[np.int64], codes: NDArray[np.float32]
    ) -> None:
        temperature = np.float32(self.inverse_temperature)
        codes_of_points(points, rows, self.category_weights.values, temperature, codes)


def grown(array: NDArray, n_rows: int, value: float) -> NDArray:
    """A copy of `array` with `n_rows` rows, the new ones filled with `value`."""
    grown = np.zeros((n_rows, *array.shape[1:]), dtype=array.dtype)
    grown[: len(array)] = array
    if value:  # zeros take no memory until they are written
        grown[len(array) :] = value
    return grown
