"""The language model: embedding, blocks, tied read-out; and how model sizes are matched."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hebbsim.errors import BadInputError
from hebbsim.lm.config import ModelConfig
from hebbsim.lm.gpt2 import Gpt2Block
from hebbsim.lm.layers import Embedding, LayerNorm, by_member
from hebbsim.lm.spen import SpenBlock

_BLOCKS = {"spen": SpenBlock, "gpt2": Gpt2Block}


class LanguageModel(nn.Module):
    """Logits of the next token at every token.

    If `config` gives only a number of parameters, the feed-forward width is computed from it.
    M `members` are models of this shape that are computed side by side: the sequences of all of
    them stand one after another, as many for each.

    Examples
    --------
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
        hidden, state = self.hidden(tokens, state, segments)
        return self.read_out(hidden[-1]), state

    def read_out(self, top: Tensor) -> Tensor:
        """Logits [shape=(M B, T, V)] of what the read-out reads."""
        rows = by_member(top, self.members)
        logits = torch.bmm(rows, self.embedding.weight.transpose(1, 2))
        return logits.view(*top.shape[:-1], -1)

    def hidden(
        self, tokens: Tensor, state: list[Any] | None = None, segments: Tensor | None = None
    ) -> tuple[list[Tensor], list[Any]]:
        """What each block read, then what the read-out reads [each of shape (M B, T, D)]."""
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
        read, after = [], [start + tokens.shape[1]]
        layers = [x]
        for i, block in enumerate(self.blocks):
            if self.selectors is not None:
                x = self.selectors[i](layers)
            read.append(x)
            update, kept = block(x, None if state is None else state[i + 1], segments)
            after.append(kept)
            if self.selectors is None:
                x = x + update
            else:
                layers.append(update)
        if self.selectors is not None:
            x = self.selectors[-1](layers)
        return [*read, self.norm(x)], after

    def loss(self, tokens: Tensor, targets: Tensor, segments: Tensor | None = None) -> Tensor:
        """Mean cross-entropy of each member in nats [shape=(M,)]; targets of -100 are ignored."""
        logits, _ = self(tokens, None, segments)
        found = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none")
        asked = (targets != -100).view(self.members, -1).sum(1)
        return found.view(self.members, -1).sum(1) / asked

    def member(self, number: int) -> LanguageModel:
        """One of the models, alone."""
        alone = LanguageModel(self.config).to(self.embedding.weight.device)
        alone.load_state_dict({k: v[number : number + 1] for k, v in self.state_dict().items()})
        return alone


class DepthSelector(nn.Module):
    """What a block reads: a softmax over earlier layers, by a learned query and what they hold.

    Attention over depth with one query a layer: keys are the normalised outputs themselves, so
    the weights depend on the input. It starts as their mean.
    """

    def __init__(self, dim: int, members: int = 1) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(members, dim))

    def weights(self, layers: list[Tensor]) -> Tensor:
        """Share of each earlier layer at each token [shape=(J, M B, T)]."""
        keys = torch.stack([F.layer_norm(x, x.shape[-1:]) for x in layers])
        rows = keys.unflatten(1, (len(self.query), -1))  # (J, M, B, T, D)
        scores = (rows * self.query.to(keys.dtype)[:, None, None]).sum(-1)
        return scores.flatten(1, 2).softmax(0)

    def forward(self, layers: list[Tensor]) -> Tensor:
        # Times J, so that a mean has the size of the sum that a residual stream is.
        shares = self.weights(layers) * len(layers)
        return (shares[..., None].to(layers[0].dtype) * torch.stack(layers)).sum(0)


def count_parameters(config: ModelConfig) -> int:
    """Parameters of a model, the tied embedding counted once; nothing is allocated."""
    with torch.device("meta"):
        return sum(p.numel() for p in LanguageModel(config).parameters())


def sized(config: ModelConfig) -> ModelConfig:
    """The configuration with the feed-forward width that comes nearest to its parameters."""
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
    """Floating-point operations of one token, forwards and backwards.

    Six for each parameter of a matrix, and 12 L D T for scores and read-out where the model
    attends (Kaplan et al. 2020; Chowdhery et al. 2022, appendix B).
    """
    attends = config.architecture == "gpt2" or "attention" in (config.memory, config.predictor)
    total = 6.0 * count_parameters(config)
    return total + (12.0 * config.layers * config.dim * config.context if attends else 0.0)
