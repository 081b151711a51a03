"""Loss by kind of token: repeated in its document, by distance, or new."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hebbsim.lm.model import LanguageModel
from hebbsim.lm.packed import Tokens
from hebbsim.lm.training import segments_of

#: Bins of the distance to the last occurrence, in tokens: name, lower and upper end.
DISTANCES = (
    ("1-4", 1, 4),
    ("5-16", 5, 16),
    ("17-64", 17, 64),
    ("65-256", 65, 256),
    ("257+", 257, 1 << 40),
    ("new", 0, 0),
)


@dataclass(frozen=True)
class TokenLosses:
    """Loss and distance of every predicted token."""

    #: In nats, shape=(N,).
    losses: NDArray[np.float64]
    #: Tokens since its last occurrence in the document, shape=(N,); 0 if it is new.
    distances: NDArray[np.int64]

    def mean(self) -> float:
        """Mean loss over all tokens."""
        return float(self.losses.mean())

    def by_distance(self) -> dict[str, tuple[float, int]]:
        """Mean loss and number of tokens of each bin of `DISTANCES` that is not empty."""
        found = {}
        for name, first, last in DISTANCES:
            inside = (self.distances >= first) & (self.distances <= last)
            if inside.any():
                found[name] = (float(self.losses[inside].mean()), int(inside.sum()))
        return found


def distances(tokens: NDArray[np.integer], end: int) -> NDArray[np.int64]:
    """Distance to each token's last occurrence in its document, shape=(N,); 0 if it is new.

    A document begins with the token `end`.

    >>> distances(np.array([0, 5, 6, 5, 0, 5, 5]), end=0).tolist()
    [0, 0, 0, 2, 0, 0, 1]
    """
    document = np.cumsum(tokens == end)
    key = document * 65536 + tokens
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    found = np.zeros(len(tokens), dtype=np.int64)
    found[order[1:][same]] = (order[1:] - order[:-1])[same]
    return found


def token_losses(model: LanguageModel, tokens: Tokens, limit: int) -> TokenLosses:
    """Losses over about `limit` tokens, in rows evenly spread over a split.

    Distances are counted in the whole document, of which the model sees only one row: an earlier
    occurrence may lie outside it.
    """
    numbers = tokens.spread(limit)
    since = distances(np.asarray(tokens.values, dtype=np.int64), tokens.end)
    device = model.embedding.weight.device
    found, apart = [], []
    training = model.training
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(numbers), 16):
            chosen = numbers[start : start + 16]
            inputs, targets = (torch.from_numpy(x).to(device) for x in tokens.examples(chosen))
            losses = model.losses(inputs, targets, segments_of(inputs, tokens.end))
            found.append(losses.double().cpu().numpy())
            places = chosen[:, None] * tokens.context + np.arange(1, tokens.context + 1)
            apart.append(since[places].ravel())
    model.train(training)
    return TokenLosses(np.concatenate(found), np.concatenate(apart))
