"""Loss by kind of token, and how much of each layer is still readable at the top."""

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

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

#: Ridge penalty, as a share of the mean variance of the probe's inputs.
_RIDGE = 1e-3


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


@dataclass(frozen=True)
class Readability:
    """Readability of each layer's contribution at the top of the model."""

    #: R² of a linear probe that predicts the contribution of layer l (0: the embedding) from the
    #: input of the read-out, on tokens that it was not fitted to, shape=(L + 1,).
    probe: NDArray[np.float64]
    #: Root mean square of the gradient of the loss with respect to the contribution of layer l,
    #: divided by the mean over layers, shape=(L + 1,).
    gradient: NDArray[np.float64]


def readability(model: LanguageModel, tokens: Tokens, limit: int) -> Readability:
    """Measure probe and gradient over about `limit` tokens of a split.

    The contribution of a layer is what it adds to the residual stream, or offers to selection.
    The probe is a ridge regression, fitted on one half of the rows and scored on the other.
    """
    device = model.embedding.weight.device
    top, added, parts = [], [], []
    squares: Any = 0.0
    n_values = 0

    def note(module: torch.nn.Module, given: Any, output: Any) -> None:
        parts.append(output[0] if isinstance(output, tuple) else output)

    model.eval()
    numbers = tokens.spread(limit)
    with contextlib.ExitStack() as hooks:
        for module in (model.embedding, *model.blocks):
            hooks.enter_context(module.register_forward_hook(note))
        for start in range(0, len(numbers), 8):
            inputs, targets = (
                torch.from_numpy(x).to(device) for x in tokens.examples(numbers[start : start + 8])
            )
            parts.clear()
            read, _ = model.hidden(inputs, None, segments_of(inputs, tokens.end))
            logits = model.read_out(read)
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")
            gradients = torch.autograd.grad(loss, parts)
            squares += torch.stack([g.double().square().sum() for g in gradients])
            n_values += parts[0].numel()
            top.append(read.detach().double().flatten(0, 1))
            added.append([part.detach().double().flatten(0, 1) for part in parts])
    reads = torch.cat(top)
    wanted = [torch.cat(layer) for layer in zip(*added, strict=True)]
    size = (squares / n_values).sqrt().cpu().numpy()
    probe = np.array([_r_squared(reads, layer) for layer in wanted])
    return Readability(probe, size / size.mean())


def _r_squared(reads: Tensor, wanted: Tensor) -> float:
    half = len(reads) // 2
    x, y = reads[:half], wanted[:half]
    x0, y0 = x.mean(0), y.mean(0)
    x, y = x - x0, y - y0
    square = x.T @ x
    ridge = _RIDGE * square.diagonal().mean() * torch.eye(len(square), dtype=x.dtype).to(x.device)
    weights = torch.linalg.solve(square + ridge, x.T @ y)
    left = wanted[half:] - y0 - (reads[half:] - x0) @ weights
    spread = wanted[half:] - wanted[half:].mean(0)
    return float(1 - left.square().sum() / spread.square().sum().clamp(min=1e-30))
