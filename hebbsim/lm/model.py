"""The language model: embedding, blocks, tied read-out; and how model sizes are matched."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hebbsim.errors import BadInputError
from hebbsim.lm.config import ModelConfig
from hebbsim.lm.layers import Embedding, LayerNorm, Linear, by_member
from hebbsim.lm.memories import attend
from hebbsim.lm.spen import SpenBlock


class Gpt2Block(nn.Module):
    """A block of GPT-2 (Radford et al. 2019): pre-norm, softmax attention, GELU.

    `forward` returns what it adds to the residual stream.
    """

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


_BLOCKS = {"spen": SpenBlock, "gpt2": Gpt2Block}


class LanguageModel(nn.Module):
    """Predicts the next token at every token.

    If `config` gives only a number of parameters, the feed-forward width is computed from it.
    The M `members` are models of this shape that are computed side by side, on batches that hold
    the same number of sequences for each, one member after another.

    >>> config = ModelConfig(vocabulary=50, dim=8, heads=2, layers=1, hidden=16)
    >>> model = LanguageModel(config)
    >>> logits, state = model(torch.tensor([[1, 2, 3]]))
    >>> logits.shape
    torch.Size([1, 3, 50])
    """

    def __init__(self, config: ModelConfig, members: int = 1) -> None:
        super().__init__()
        self.members = members
        self.config = config = sized(config)
        self.embedding = Embedding(config.vocabulary, config.dim, members=members)
        gpt2 = config.architecture == "gpt2"
        self.positions = Embedding(config.context, config.dim, members=members) if gpt2 else None
        self.blocks = nn.ModuleList(
            _BLOCKS[config.architecture](config, members) for _ in range(config.layers)
        )
        self.selectors = None
        if config.depth == "selection":
            self.selectors = nn.ModuleList(
                DepthSelector(config.dim, members) for _ in range(config.layers + 1)
            )
        self.norm = LayerNorm(config.dim, members=members)
        for block in self.blocks:
            for layer in block.output:  # type: ignore[union-attr]
                # All of them add up in the residual stream (Radford et al. 2019).
                layer.weight.data.div_((len(block.output) * config.layers) ** 0.5)  # type: ignore

    def forward(
        self, tokens: Tensor, state: list[Any] | None = None, segments: Tensor | None = None
    ) -> tuple[Tensor, list[Any]]:
        """Logits [shape=(M B, T, V)] of tokens [shape=(M B, T)], and the state after the last.

        It continues from the `state` of an earlier call. `segments` [shape=(M B, T)] number the
        document of each token (default: one document). Raises BadInputError if a GPT-2 reads more
        tokens than it has positions.
        """
        top, state = self.hidden(tokens, state, segments)
        return self.read_out(top), state

    def read_out(self, top: Tensor) -> Tensor:
        """Logits [shape=(M B, T, V)] from the input of the read-out."""
        rows = by_member(top, self.members)
        logits = torch.bmm(rows, self.embedding.weight.transpose(1, 2))
        return logits.view(*top.shape[:-1], -1)

    def hidden(
        self, tokens: Tensor, state: list[Any] | None = None, segments: Tensor | None = None
    ) -> tuple[Tensor, list[Any]]:
        """The input of the read-out [shape=(M B, T, D)], and the state after the last token."""
        start = 0 if state is None else state[0]
        x = self.embedding(tokens)
        if self.positions is not None:
            if start + tokens.shape[1] > self.config.context:
                raise BadInputError(
                    f"{start + tokens.shape[1]} tokens are more than the {self.config.context} "
                    "positions of this model; give fewer, or a model with a longer context"
                )
            places = self.positions.weight[:, None, start : start + tokens.shape[1]]
            x = (x.unflatten(0, (self.members, -1)) + places).flatten(0, 1)
        after: list[Any] = [start + tokens.shape[1]]
        layers = [x]
        for i, block in enumerate(self.blocks):
            if self.selectors is not None:
                x = self.selectors[i](layers)
            update, kept = block(x, None if state is None else state[i + 1], segments)
            after.append(kept)
            if self.selectors is None:
                x = x + update
            else:
                layers.append(update)
        if self.selectors is not None:
            x = self.selectors[-1](layers)
        return self.norm(x), after

    def losses(self, tokens: Tensor, targets: Tensor, segments: Tensor | None = None) -> Tensor:
        """Cross-entropy of each target in nats [shape=(M B T,)]; 0 for a target of -100."""
        logits, _ = self(tokens, None, segments)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none")

    def loss(self, tokens: Tensor, targets: Tensor, segments: Tensor | None = None) -> Tensor:
        """Mean cross-entropy of each member in nats [shape=(M,)]; targets of -100 are ignored."""
        losses = self.losses(tokens, targets, segments).view(self.members, -1)
        return losses.sum(1) / (targets != -100).view(self.members, -1).sum(1)

    def member(self, number: int) -> LanguageModel:
        """A model of its own with the weights of one member."""
        alone = LanguageModel(self.config).to(self.embedding.weight.device)
        alone.load_state_dict({k: v[number : number + 1] for k, v in self.state_dict().items()})
        return alone


class DepthSelector(nn.Module):
    """Attention over earlier layers, which gives the input of a block.

    Each block has one learned query; the keys are the normalized outputs of the layers, so the
    weights depend on the input. Initially, it is their mean.
    """

    def __init__(self, dim: int, members: int = 1) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(members, dim))

    def forward(self, layers: list[Tensor]) -> Tensor:
        """The weighted sum of J layers [each of shape (M B, T, D)]."""
        keys = torch.stack([F.layer_norm(x, x.shape[-1:]) for x in layers])
        rows = keys.unflatten(1, (len(self.query), -1))  # (J, M, B, T, D)
        scores = (rows * self.query.to(keys.dtype)[:, None, None]).sum(-1)
        # Times J: a residual stream is the sum of its layers.
        shares = scores.flatten(1, 2).softmax(0) * len(layers)
        return (shares[..., None].to(layers[0].dtype) * torch.stack(layers)).sum(0)


def count_parameters(config: ModelConfig) -> int:
    """Number of parameters; the tied embedding counts once, and nothing is allocated."""
    with torch.device("meta"):
        return sum(p.numel() for p in LanguageModel(config).parameters())


def sized(config: ModelConfig) -> ModelConfig:
    """The configuration with the feed-forward width that best matches its `parameters`."""
    if config.hidden is not None:
        return config
    one, two = (count_parameters(config.model_copy(update={"hidden": hidden})) for hidden in (1, 2))
    assert config.parameters is not None
    hidden = round((config.parameters - one) / (two - one)) + 1
    if hidden < 1:
        raise BadInputError(
            f"parameters: {config.parameters:,} are too few for {config.name} at dim "
            f"{config.dim} and {config.layers} layers, which take {one:,} before the "
            "feed-forward layer; take a smaller dim or more parameters"
        )
    return config.model_copy(update={"hidden": hidden})


def flops_per_token(config: ModelConfig) -> float:
    """Floating-point operations per token: six per parameter, and 12 L D T for the attention.

    Source: Kaplan et al. (2020); Chowdhery et al. (2022), appendix B.
    """
    attends = config.architecture == "gpt2" or "attention" in (config.memory, config.predictor)
    total = 6.0 * count_parameters(config)
    return total + (12.0 * config.layers * config.dim * config.context if attends else 0.0)
