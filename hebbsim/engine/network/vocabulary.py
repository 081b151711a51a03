"""The words of a network: their rows, counts and spelling."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import fitting
from hebbsim.engine.network.shape import ENDING_SIZE, Spelling, ending_code, piece_rows, shape_code
from hebbsim.engine.network.word_layer import WordLayer, grown

#: The row of all unknown words.
UNKNOWN = 0
#: Share of the words that are dropped when the vocabulary is full.
DROPPED = 0.1
#: Occurrence at which a word gets a column of its own, if one is free.
COLUMN_FROM = 3


class Vocabulary:
    """Words by row, added as they occur; the rarest are dropped when `max_words` is reached.

    The `layers` share the rows and reset those of dropped words.
    """

    def __init__(
        self, layers: Sequence[WordLayer], max_words: int, context_words: int, shape_size: int
    ) -> None:
        self.layers, self.max_words, self.context_words = layers, max_words, context_words
        #: Row of every known word, from 1 on.
        self.index: dict[str, int] = {}
        #: Occurrences by row, and their sum.
        self.counts, self.n_counted = np.zeros(0, dtype=np.int64), 0
        #: Column of each word in a layer over the text; words without one share column 0.
        self.columns = np.zeros(0, dtype=np.int32)
        self.shapes = np.zeros((0, shape_size), dtype=np.int8)
        #: Index of a word's vector in the first layer, for words that have one.
        self.given: Mapping[str, int] = {}
        self._ending_size = ENDING_SIZE if any(x.ending_weight for x in layers) else 0
        self.n_pieces = max(layer.pieces for layer in layers)
        self._endings, self._pieces = self.spelled([])
        self._free: list[int] = []
        self._free_columns = list(range(context_words, 0, -1))
        self._grow(1024)

    @property
    def spelling(self) -> Spelling:
        """Spelling and counts of all words, by row."""
        return Spelling(self._endings, self._pieces, self.counts)

    def rows(self, words: Sequence[str]) -> NDArray[np.int32]:
        """Row of each word, shape=(n,)."""
        return np.array([self.index.get(word, UNKNOWN) for word in words], dtype=np.int32)

    def count(self, sentence: Sequence[str], *, again: bool) -> None:
        """Add the words of a sentence and count them, unless it is a repetition (`again`)."""
        index = self.index
        for word in sentence:
            row = index.get(word)
            if row is None:
                row = self._add(word)
                index = self.index
            if not again:
                n = self.counts[row] = self.counts[row] + 1
                self.n_counted += 1
                if n == COLUMN_FROM:
                    self._assign_column(row)

    def know(self, counts: Mapping[str, int]) -> None:
        """Add at most `max_words` words with their counts, in order."""
        for word, count in counts.items():
            row = self._add(word)
            self.counts[row] = count
            if count >= COLUMN_FROM:
                self._assign_column(row)
        self.n_counted += sum(counts.values())

    def take(self, counts: NDArray[np.int64], shapes: NDArray[np.int8]) -> None:
        """Use the counts and shapes of another vocabulary, by its rows."""
        self.counts, self.shapes = counts, shapes
        self.n_counted = int(counts.sum())

    def spelled(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Codes of endings and rows of pieces of some words, of no columns if unused."""
        endings = np.zeros((len(words), self._ending_size), dtype=np.float32)
        if self._ending_size:
            endings[:] = [ending_code(word) for word in words] or endings
        if not self.n_pieces:
            return endings, np.full((len(words), 0), -1, dtype=np.int32)
        return endings, piece_rows(words, self.n_pieces)

    def _grow(self, n_rows: int) -> None:
        before = max(len(self.counts), 1)
        self.counts = grown(self.counts, n_rows, 0)
        self.columns = grown(self.columns, n_rows, 0)
        self.shapes = grown(self.shapes, n_rows, 0)
        self._endings = grown(self._endings, n_rows, 0)
        self._pieces = grown(self._pieces, n_rows, -1)
        for layer in self.layers:
            layer.grow(n_rows)
        self._free.extend(range(n_rows - 1, before - 1, -1))

    def _add(self, word: str) -> int:
        if len(self.index) >= self.max_words:
            self._drop_rarest()
        if not self._free:
            self._grow(min(2 * len(self.counts), self.max_words + 1))
        row = self.index[word] = self._free.pop()
        self._spell(row, word)
        if (at := self.given.get(word)) is not None:
            self.layers[0].hold(row, at)
        return row

    def _spell(self, row: int, word: str) -> None:
        self.shapes[row] = shape_code(word, self.shapes.shape[1])
        endings, pieces = self.spelled([word])
        self._endings[row], self._pieces[row] = endings[0], pieces[0]

    def _assign_column(self, row: int) -> None:
        if self._free_columns:
            self.columns[row] = self._free_columns.pop()

    def _drop_rarest(self) -> None:
        """Drop the rarest words, in all layers."""
        rows = np.fromiter(self.index.values(), dtype=np.int64)
        last_come = np.arange(len(rows), 0, -1)
        order = np.lexsort((last_come, self.counts[rows]))
        n = max(1, int(DROPPED * len(rows)))
        leaving = rows[order[:n]]
        gone = set(leaving.tolist())
        self.index = {word: row for word, row in self.index.items() if row not in gone}
        self.n_counted -= int(self.counts[leaving].sum())
        self.counts[leaving] = 0
        freed = self.columns[leaving]
        self._free_columns.extend(freed[freed > 0][::-1].tolist())
        self.columns[leaving] = 0
        for layer in self.layers:
            layer.forget(leaving)
        self._free.extend(leaving[::-1].tolist())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All state except the words themselves, which are in the order of ``rows``."""
        return {
            "counts": self.counts,
            "columns": self.columns,
            "free columns": np.array(self._free_columns, dtype=np.int32),
            "free": np.array(self._free, dtype=np.int32),
            "rows": np.fromiter(self.index.values(), dtype=np.int32),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]], words: Sequence[str]) -> None:
        """Restore what `arrays` returned, and the words; ValueError or KeyError if they misfit."""
        rows = arrays["rows"]
        n_rows = len(arrays["counts"])
        used = np.concatenate([rows, arrays["free"]])
        if used.dtype != np.int32:
            raise ValueError("its rows are no whole numbers")
        if len(rows) != len(words) or not np.array_equal(np.sort(used), np.arange(1, n_rows)):
            raise ValueError("its words and their rows do not fit")
        self._grow(n_rows)
        self.index = dict(zip(words, rows.tolist(), strict=True))
        if len(self.index) != len(words):
            raise ValueError("a word stands twice")
        self._free = arrays["free"].tolist()
        self.counts[:] = fitting("counts", arrays["counts"], self.counts.shape, np.int64)
        self.n_counted = int(self.counts.sum())
        columns, free = arrays["columns"], arrays["free columns"]
        self.columns[:] = fitting("columns", columns, self.columns.shape, np.int32)
        used = np.concatenate([columns[columns > 0], free])
        if not np.array_equal(np.sort(used), np.arange(1, self.context_words + 1)):
            raise ValueError("the columns of its words do not fit")
        self._free_columns = free.tolist()
        for word, row in self.index.items():
            self._spell(row, word)
