"""How much of each layer is still readable at the top, by a linear probe and by gradient."""

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

#: Ridge penalty, as a share of the mean variance of the probe's inputs.
_RIDGE = 1e-3


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
