"""Brown clusters of words, and k-means of words in context.

Brown, P. F. et al. (1992). Class-based n-gram models of natural language. Computational
Linguistics 18, section 3: words enter in order of frequency; after each, the two classes merge
whose merger loses the least mutual information of adjacent classes; finally all classes merge into
a tree. A word is represented by its path from the root, as in Miller, Guinness & Zamanian (2004).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hebbsim.rivals.base import ContextClusters, Sentences, Types

#: Dimension that paths are reduced to; most of the differences lie near the root.
_SIZE = 40
#: Losses that differ by less count as equal: the first pair merges.
_ALIKE = 1e-7


class BrownTree(NamedTuple):
    """Class of each type, shape=(V,), and the C - 1 mergers of two nodes each, in order.

    Nodes below C are classes; merger m makes node C + m, and the last one is the root.
    """

    classes: NDArray[np.int64]
    merges: list[tuple[int, int]]


@dataclass(eq=False)
class Brown(ContextClusters):
    """Word vectors from paths in a tree of Brown clusters.

    >>> sentences = [["dogs", "bark"], ["cats", "run"]] * 8
    >>> Brown(n_clusters=2, classes=3).fit(sentences).predict([["dogs", "run"]]).shape
    (2,)
    """

    RANGES = (*ContextClusters.RANGES, "classes=30:150:log", "fading=0.5:1")

    #: Number of word classes in the tree; at most the number of types.
    classes: int = 80
    #: Weight of each step of a path relative to the one before.
    fading: float = 0.8

    def word_vectors(self, sentences: Sentences, types: Types) -> NDArray[np.float32]:
        windows = types.windows(sentences, 1)
        ends = windows[windows[:, 2] == 0][:, 1:]
        pairs = np.concatenate([windows[:, :2], ends])
        ones = np.ones(len(pairs), dtype=np.int64)
        counts = csr_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(types),) * 2)
        counts.sum_duplicates()
        tree = brown_tree(counts, self.classes)
        table = path_vectors(tree, self.fading)
        left, values, _ = np.linalg.svd(table - table.mean(axis=0), full_matrices=False)
        return (left * values)[:, :_SIZE][tree.classes].astype(np.float32)


def path_vectors(tree: BrownTree, fading: float) -> NDArray[np.float64]:
    """Coordinates of each class by its path from the root, shape=(C, C - 1).

    The coordinate of a node is positive for the classes below its first child, negative for those
    below its second child, and 0 for all others.

    >>> path_vectors(BrownTree(np.arange(3), [(0, 1), (3, 2)]), 0.5).tolist()
    [[0.5, 1.0], [-0.5, 1.0], [0.0, -1.0]]
    """
    n = len(tree.merges) + 1
    table = np.zeros((n, max(n - 1, 1)))
    leaves = {leaf: [leaf] for leaf in range(n)}
    depth = {2 * n - 2: 0}
    for m in range(n - 2, -1, -1):
        for node in tree.merges[m]:
            depth[node] = depth[n + m] + 1
    for m, sides in enumerate(tree.merges):
        for node, sign in zip(sides, (1.0, -1.0), strict=True):
            table[leaves[node], m] = sign * fading ** depth[n + m]
        leaves[n + m] = leaves[sides[0]] + leaves[sides[1]]
    return table


def brown_tree(counts: csr_array, n_classes: int) -> BrownTree:
    """Cluster types by the mutual information of adjacent classes, and build the tree.

    `counts`, shape=(V, V), holds the number of times that a type (row) precedes another (column).
    """
    counts = counts.tocsr()
    as_left, as_right = (np.asarray(counts.sum(axis=axis)).ravel() for axis in (1, 0))
    order = np.argsort(-(as_left + as_right), kind="stable")
    n = min(n_classes, len(order))
    merging = _Merging(n + 1, int(counts.sum()))
    slots = np.full(len(order), -1, dtype=np.int64)  # of each type
    columns = counts.tocsc()
    for entered, word in enumerate(order.tolist()):
        slot = min(entered, n)
        slots[word] = slot
        row = np.zeros(n + 1, dtype=np.int64)
        column = np.zeros(n + 1, dtype=np.int64)
        for matrix, into in ((counts, row), (columns, column)):
            part = slice(matrix.indptr[word], matrix.indptr[word + 1])
            others = slots[matrix.indices[part]]
            known = others >= 0
            np.add.at(into, others[known], matrix.data[part][known])
        merging.enter(slot, row, column, as_left[word], as_right[word])
        if slot == n:
            merged, gone = merging.merge()
            slots[slots == gone] = merged
            if gone != n:  # the new class takes the free slot
                merging.move(n, gone)
                slots[slots == n] = gone
    nodes, merges = list(range(n + 1)), []
    for m in range(n - 1):
        merged, gone = merging.merge()
        merges.append((nodes[merged], nodes[gone]))
        nodes[merged] = n + m
    return BrownTree(slots, merges)


class _Merging:
    """Counts of adjacent classes, and the loss of each possible merger.

    Sums of ``x log x`` over pairs of classes are updated when a class changes; all else follows
    from them by matrix arithmetic.
    """

    def __init__(self, size: int, total: int) -> None:
        self.counts = np.zeros((size, size), dtype=np.int64)
        self.left, self.right = np.zeros(size), np.zeros(size)
        self.total = total
        # A class paired with itself, which is never merged, has up to four times the tokens.
        whole = np.arange(4 * total + 1, dtype=np.float64)
        self._xlogx = whole * np.log(np.maximum(whole, 1.0))
        self._pairs = np.zeros((size, size))
        self.used = np.zeros(size, dtype=bool)

    def _part(self, c: int) -> NDArray[np.float64]:
        """The terms of ``_pairs`` whose third class is c."""
        into, out = self.counts[:, c], self.counts[c]
        return self._xlogx[into[:, None] + into] + self._xlogx[out[:, None] + out]

    def _renew(self, c: int) -> None:
        """Recompute the sums in ``_pairs`` of pairs that include c."""
        found = self._xlogx[self.counts + self.counts[c]].sum(axis=1)
        found += self._xlogx[self.counts + self.counts[:, [c]]].sum(axis=0)
        self._pairs[c] = self._pairs[:, c] = found

    def enter(
        self, c: int, row: NDArray[np.int64], column: NDArray[np.int64], left: float, right: float
    ) -> None:
        """Make a word class c, given its counts before and after each class."""
        # Terms of an empty class are not all zero: some involve another class only.
        self._pairs -= self._part(c)
        self.counts[c], self.counts[:, c] = row, column
        self.left[c], self.right[c] = left, right
        self._pairs += self._part(c)
        self._renew(c)
        self.used[c] = True

    def losses(self) -> NDArray[np.float64]:
        """Loss of mutual information, times tokens, of merging each pair, shape=(C, C)."""
        n, x = self.counts, self._xlogx
        own = np.diag(n)
        log_left, log_right = (np.log(np.maximum(part, 1.0)) for part in (self.left, self.right))
        log_n = np.log(max(self.total, 1))
        # Before: every entry of both rows and both columns, once.
        entries = x[n] + n * (log_n - log_left[:, None] - log_right)
        of_class = entries.sum(axis=1) + entries.sum(axis=0) - np.diag(entries)
        before = of_class[:, None] + of_class - entries - entries.T
        # After: the merged class with all others, then with itself.
        both = own[:, None] + own + n + n.T
        after = self._pairs - x[own[:, None] + n.T] - x[own[:, None] + n]
        after -= x[n + own] + x[n.T + own] - x[both]
        rows, columns = n.sum(axis=1), n.sum(axis=0)
        log_lefts = np.log(np.maximum(self.left[:, None] + self.left, 1.0))
        log_rights = np.log(np.maximum(self.right[:, None] + self.right, 1.0))
        after += (rows[:, None] + rows) * (log_n - log_lefts)
        after += (columns[:, None] + columns) * (log_n - log_rights)
        after -= both * log_n
        log_right_sums, log_left_sums = n @ log_right, log_left @ n
        after -= log_right_sums[:, None] + log_right_sums + log_left_sums[:, None] + log_left_sums
        after += (own[:, None] + n.T) * log_right[:, None] + (n + own) * log_right
        after += (own[:, None] + n) * log_left[:, None] + (n.T + own) * log_left
        return before - after

    def merge(self) -> tuple[int, int]:
        """Merge the pair with the least loss; return the class that remains and the removed one."""
        losses = self.losses()
        losses[~self.used] = losses[:, ~self.used] = np.inf
        losses[np.tril_indices(len(losses))] = np.inf
        alike = losses <= losses.min() + _ALIKE
        a, b = divmod(int(alike.argmax()), len(losses))
        self._pairs -= self._part(a) + self._part(b)
        self.counts[a] += self.counts[b]
        self.counts[:, a] += self.counts[:, b]
        self.counts[b], self.counts[:, b] = 0, 0
        for part in (self.left, self.right):
            part[a] += part[b]
            part[b] = 0
        self._pairs += self._part(a) + self._part(b)
        self.used[b] = False
        self._renew(a)
        self._renew(b)
        return a, b

    def move(self, source: int, target: int) -> None:
        """Rename class `source` to `target`, which is empty."""
        swap = np.arange(len(self.counts))
        swap[[source, target]] = target, source
        self.counts = self.counts[swap][:, swap]
        self._pairs = self._pairs[swap][:, swap]
        self.left, self.right, self.used = self.left[swap], self.right[swap], self.used[swap]
