"""How much of each layer is readable at the top: by a linear probe, and by gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
    top, added, squares, n_values = [], [], None, 0
    model.eval()
    numbers = tokens.spread(limit)
    for start in range(0, len(numbers), 8):
        inputs, targets = (
            torch.from_numpy(x).to(device) for x in tokens.examples(numbers[start : start + 8])
        )
        parts: list[Tensor] = []
        handles = [_watch(model.embedding, parts), *(_watch(b, parts) for b in model.blocks)]
        try:
            hidden, _ = model.hidden(inputs, None, segments_of(inputs, tokens.end))
            logits = model.read_out(hidden[-1])
            loss = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), targets.flatten(), reduction="sum"
            )
            gradients = torch.autograd.grad(loss, parts)
        finally:
            for handle in handles:
                handle.remove()
        found = torch.stack([g.double().square().sum() for g in gradients])
        squares = found if squares is None else squares + found
        n_values += parts[0].numel()
        top.append(hidden[-1].detach().double().flatten(0, 1))
        added.append([part.detach().double().flatten(0, 1) for part in parts])
    assert squares is not None
    reads = torch.cat(top)
    wanted = [torch.cat(layer) for layer in zip(*added, strict=True)]
    size = (squares / n_values).sqrt().cpu().numpy()
    probe = np.array([_r_squared(reads, layer) for layer in wanted])
    return Readability(probe, size / size.mean())


def _watch(module: torch.nn.Module, parts: list[Tensor]) -> Any:
    """Collect the output of a module, as a node of the autograd graph."""

    def note(module: torch.nn.Module, given: Any, output: Any) -> Any:
        part, *state = output if isinstance(output, tuple) else (output,)
        parts.append(part)
        return (part, *state) if state else part

    return module.register_forward_hook(note)


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
