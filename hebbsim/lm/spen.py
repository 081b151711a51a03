"""SPEN: a block that predicts its input from a memory of the past, and uses the error.

    u  = norm(x)
    h  = memory(u)                     traces at several timescales, or another memory
    u^ = predictor(h one token ago)    prediction of u from the past
    e  = u - u^                        prediction error
    m  = norm(W [u, h, e])             mix of input, context and error
    x  + W2 top-k(gelu(W1 m))          sparse feed-forward, residual

Source: Singh (2026), arXiv:2604.08556, figure 1. The prediction is made from the tokens before u
only; otherwise it would contain what it predicts.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hebbsim.lm.config import ModelConfig
from hebbsim.lm.layers import LayerNorm, Linear
from hebbsim.lm.memories import Attention, make_memory, shifted


def top_k(x: Tensor, k: int) -> Tensor:
    """Keep the k largest values along the last axis and set the others to 0; ties are all kept.

    >>> top_k(torch.tensor([3.0, 1.0, 2.0]), 2).tolist()
    [3.0, 0.0, 2.0]
    """
    values = x.detach()
    if x.is_cuda or torch.compiler.is_compiling():
        return x * (x >= values.topk(k, dim=-1, sorted=False).values.amin(-1, keepdim=True))
    # On a CPU, torch's topk takes four times as long: a fifth of a training step.
    from hebbsim.engine.largest import kth_largest

    wide = values.float() if x.dtype == torch.bfloat16 else values
    rows = wide.reshape(-1, x.shape[-1]).numpy()
    kth = np.empty(len(rows), rows.dtype)
    kth_largest(rows, np.empty(k, rows.dtype), kth)
    return x * (x >= torch.from_numpy(kth).view(*x.shape[:-1], 1).to(x.dtype))


class FeedForwardPredictor(nn.Module):
    """A linear layer, or an MLP with one hidden layer."""

    def __init__(self, width: int, config: ModelConfig, members: int) -> None:
        super().__init__()
        self.hidden = None
        if config.predictor == "mlp":
            self.hidden, width = Linear(width, config.dim, members=members), config.dim
        self.out = Linear(width, config.dim, members=members)

    def forward(self, past: Tensor, state: Any, segments: Tensor | None) -> tuple[Tensor, Any]:
        return self.out(past if self.hidden is None else F.gelu(self.hidden(past))), None


class AttentionPredictor(nn.Module):
    """Softmax attention over the traces of all earlier tokens.

    It is half as wide as the model, because at a fixed total number of parameters every
    parameter it uses is one fewer in the feed-forward layer.
    """

    def __init__(self, width: int, config: ModelConfig, members: int) -> None:
        super().__init__()
        # An even number of channels per head, as rotary embedding requires.
        self.shape = (config.heads, 2 * max(1, config.dim // (4 * config.heads)))
        inner = math.prod(self.shape)
        self.project = Linear(width, 3 * inner, bias=False, members=members)
        self.attention = Attention(*self.shape)
        self.out = Linear(inner, config.dim, members=members)

    def forward(self, past: Tensor, state: Any, segments: Tensor | None) -> tuple[Tensor, Any]:
        parts = self.project(past).chunk(3, dim=-1)
        q, k, v = (part.unflatten(2, self.shape).transpose(1, 2) for part in parts)
        y, state = self.attention(q, k, v, state, segments)
        return self.out(y.transpose(1, 2).flatten(2)), state


class SpenBlock(nn.Module):
    """One block; `forward` returns its update of the residual stream."""

    def __init__(self, config: ModelConfig, members: int = 1) -> None:
        super().__init__()
        assert config.hidden is not None
        self.norm = LayerNorm(config.dim, members=members)
        self.memory = make_memory(config, members)
        width = int(self.memory.width)  # type: ignore[arg-type]
        attends = config.predictor == "attention"
        predictor = AttentionPredictor if attends else FeedForwardPredictor
        self.predictor = predictor(width, config, members)
        self.mix = Linear(width + 2 * config.dim, config.dim, members=members)
        self.mix_norm = LayerNorm(config.dim, members=members)
        self.expand = Linear(config.dim, config.hidden, members=members)
        self.contract = Linear(config.hidden, config.dim, members=members)
        self.active = max(1, math.ceil(config.active * config.hidden))

    @property
    def output(self) -> list[Linear]:
        """Layers whose output is added to the residual stream."""
        return [self.contract]

    def forward(
        self, x: Tensor, state: Any = None, segments: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        held, before, predicting = (None, None, None) if state is None else state
        u = self.norm(x)
        h, held = self.memory(u, held, segments)
        past = shifted(h, before, segments)
        predicted, predicting = self.predictor(past, predicting, segments)
        mixed = self.mix_norm(self.mix(torch.cat([u, h, u - predicted], dim=-1)))
        y = self.contract(top_k(F.gelu(self.expand(mixed)), self.active))
        return y, (held, h[:, -1], predicting)
