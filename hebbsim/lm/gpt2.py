"""A block of the GPT-2 architecture: pre-norm, softmax attention, GELU.

Source: Radford et al. (2019), "Language Models are Unsupervised Multitask Learners". The
learned positions and the tied embedding are in `hebbsim.lm.model`.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from hebbsim.lm.config import ModelConfig
from hebbsim.lm.layers import LayerNorm, Linear
from hebbsim.lm.memories import attend


class Gpt2Block(nn.Module):
    """One block; `forward` returns what it adds to the residual stream."""

    def __init__(self, config: ModelConfig, members: int = 1) -> None:
        super().__init__()
        assert config.hidden is not None
        self.heads = config.heads
        self.attention_norm = LayerNorm(config.dim, members=members)
        self.project = Linear(config.dim, 3 * config.dim, members=members)
        self.merge = Linear(config.dim, config.dim, members=members)
        self.norm = LayerNorm(config.dim, members=members)
        self.expand = Linear(config.dim, config.hidden, members=members)
        self.contract = Linear(config.hidden, config.dim, members=members)

    @property
    def output(self) -> list[Linear]:
        """The layers that write to the residual stream."""
        return [self.merge, self.contract]

    def forward(
        self, x: Tensor, state: Any = None, segments: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in self.project(self.attention_norm(x)).chunk(3, dim=-1)
        )
        y, state = attend(q, k, v, state, segments)
        attended = self.merge(y.transpose(1, 2).flatten(2))
        hidden = F.gelu(self.expand(self.norm(x + attended)))
        return attended + self.contract(hidden), state
