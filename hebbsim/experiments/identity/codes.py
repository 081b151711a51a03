"""Word codes learned from contexts, as the role learner keeps them in its traces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.engine.network import Network, TokenLayer, WordLayer
from hebbsim.engine.values import LARGEST

#: Number of context words with their own column in the memory of the layer.
_CONTEXT_WORDS = 500
#: Length of the pieces that a stream without sentences is cut into, in tokens.
_CUT = 1000
#: Words that occur up to this many times define the code of unseen words.
_SEEN = 3


def learned_codes(
    tokens: ArrayLike, n_types: int, dim: int, rng: np.random.Generator, offsets: ArrayLike | None
) -> NDArray[np.float64]:
    """Codes that a word layer learns from contexts, shape=(V, D), with mean square length 1.

    The layer is that of the role network: the memory of each word for the traces around it,
    projected on the directions in which the memories of words differ most. Values have float32
    precision, like random codes.

    `tokens`, shape=(T,), are type numbers, most frequent type first; `offsets` delimit sentences
    (None: one stream). `rng` draws the initial directions and the tokens that they learn from. A
    type that `tokens` lacks gets the mean code of the types that occur up to three times.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> text = rng.integers(2, size=400) + np.tile([0, 2], 200)  # one of 0, 1, then of 2, 3
    >>> codes = learned_codes(text, 4, 2, rng, None)
    >>> bool(np.linalg.norm(codes[0] - codes[1]) < np.linalg.norm(codes[0] - codes[2]))
    True
    """
    tokens = np.asarray(tokens)
    bounds = [*range(0, len(tokens), _CUT), len(tokens)] if offsets is None else np.asarray(offsets)
    layer = WordLayer("first", "text", size=1, settle=LARGEST, n_directions=dim)
    network = Network(
        [layer, TokenLayer("tokens", "first", size=1, start=LARGEST)],
        timescales=(2, 8),
        max_words=n_types,
        context_words=min(_CONTEXT_WORDS, n_types),
        random_state=int(rng.integers(2**31)),
    )
    names = tokens.astype(str).tolist()
    network.learn(names[first:last] for first, last in pairwise(bounds))

    seen = np.array([int(name) for name in network.index])
    rows = np.array(list(network.index.values()))
    found = np.zeros((n_types, dim), dtype=np.float32)
    found[seen] = layer.locate(rows, network.spelling)
    hardly = seen[network.counts[rows] <= _SEEN]
    unseen = np.setdiff1d(np.arange(n_types), seen)
    found[unseen] = found[hardly if len(hardly) else seen].mean(axis=0)
    codes = found / np.sqrt((found[seen] ** 2).sum(axis=1).mean())
    return codes.astype(np.float32).astype(np.float64)
