"""Layers of M models of one shape, side by side: torch's, with a leading axis of members.

Every parameter has shape (M, ...). Activations hold the sequences of all members one after
another, shape (M B, ...), so that modules without parameters do not depend on M. A product over
all members is one batched product: a step takes as many calls for M models as for one.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def by_member(x: Tensor, members: int) -> Tensor:
    """Rows of each member [shape=(M, N / M, D)] of activations [shape=(..., D), N rows].

    >>> by_member(torch.zeros(6, 5, 4), 3).shape
    torch.Size([3, 10, 4])
    """
    return x.reshape(members, -1, x.shape[-1])


def _weights(*shape: int) -> nn.Parameter:
    """Initial weights, as in GPT-2 for every model (with larger ones it learned more slowly)."""
    return nn.Parameter(0.02 * torch.randn(shape))


class Linear(nn.Module):
    """``y = W x + b``; weight of shape (M, n_out, n_in)."""

    def __init__(self, n_in: int, n_out: int, bias: bool = True, *, members: int = 1) -> None:
        super().__init__()
        self.weight = _weights(members, n_out, n_in)
        self.bias = nn.Parameter(torch.zeros(members, n_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        rows, weight = by_member(x, len(self.weight)), self.weight.transpose(1, 2)
        if self.bias is None:
            y = torch.bmm(rows, weight)
        else:
            y = torch.baddbmm(self.bias[:, None], rows, weight)
        return y.view(*x.shape[:-1], -1)


class Embedding(nn.Module):
    """A vector for each of n numbers; weight of shape (M, n, D)."""

    def __init__(self, n: int, dim: int, *, members: int = 1) -> None:
        super().__init__()
        self.weight = _weights(members, n, dim)

    def forward(self, numbers: Tensor) -> Tensor:
        parts = numbers.chunk(len(self.weight))
        return torch.cat([F.embedding(*both) for both in zip(parts, self.weight, strict=True)])


class LayerNorm(nn.Module):
    """Normalization over the last axis, with a gain and a bias of shape (M, D)."""

    def __init__(self, dim: int, *, members: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(members, dim))
        self.bias = nn.Parameter(torch.zeros(members, dim))

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-1:]
        if len(self.weight) == 1:  # torch's own gain and bias save two passes over memory
            return F.layer_norm(x, size, self.weight[0], self.bias[0])
        rows = by_member(F.layer_norm(x, size), len(self.weight))
        gain, bias = (part[:, None].to(rows.dtype) for part in (self.weight, self.bias))
        return torch.addcmul(bias, rows, gain).view_as(x)
