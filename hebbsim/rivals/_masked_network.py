"""The torch code of the masked BiGRU, imported only when one is trained."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hebbsim.baselines._network import (
    Tagger,
    Tokens,
    choose_device,
    in_batches,
    reproducible,
    schedule_of,
    shuffled_batches,
    update,
)
from hebbsim.baselines.bigru import BiGRUConfig
from hebbsim.baselines.features import UNKNOWN, Vocabulary

#: Shares of the predicted tokens that are masked and replaced (Devlin et al. 2019, section 3.1).
MASKED, REPLACED = 0.8, 0.1

States = Callable[[Sequence[Sequence[str]]], tuple[NDArray[np.float32], NDArray[np.float32]]]


def trained(
    sentences: Sequence[Sequence[str]], config: BiGRUConfig, *, hidden: float, seed: int
) -> States:
    """Train a network to predict the share `hidden` of the tokens, drawn anew in each update.

    Of these tokens, `MASKED` are masked and `REPLACED` are other tokens; the rest are shown.
    Returns a function from sentences with T tokens to the states of both directions of all N
    layers, shape=(T, 2 N H), and the embeddings of the tokens, shape=(T, E).
    """
    device = choose_device()
    vocabulary = Vocabulary(sentences)
    with reproducible(seed, device):
        network = Tagger(vocabulary, len(vocabulary), config).to(device)
        _train(network, _with_mask(sentences, vocabulary, device), config, hidden, seed)

    def states(others: Sequence[Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with reproducible(0, device):
            return _states(network, Tokens.of(others, vocabulary, device))

    return states


def _with_mask(
    sentences: Sequence[Sequence[str]], vocabulary: Vocabulary, device: torch.device
) -> Tokens:
    """The tokens, with an additional last type for masked tokens, without word and affixes."""
    tokens = Tokens.of(sentences, vocabulary, device)
    return replace(
        tokens,
        numbers=torch.cat([tokens.numbers, tokens.numbers.new_full((1,), UNKNOWN)]),
        affixes=torch.cat([tokens.affixes, torch.zeros_like(tokens.affixes[:1])]),
        codes=torch.cat([tokens.codes, torch.zeros_like(tokens.codes[:1])]),
    )


def _train(network: Tagger, tokens: Tokens, config: BiGRUConfig, hidden: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_sentences = int(np.count_nonzero(tokens.lengths))
    epochs = max(config.epochs, math.ceil(config.min_updates * config.batch_size / n_sentences))
    optimizer, schedule = schedule_of(network, tokens, epochs, config)
    mask = len(tokens.numbers) - 1
    types = torch.from_numpy(tokens.types).to(tokens.numbers.device)
    network.train()
    for _ in range(epochs):
        for chosen in shuffled_batches(tokens.lengths, rng, config.batch_size):
            batch = tokens.batch(chosen)
            away = (
                torch.rand(batch.types.shape, device=batch.types.device) < hidden
            ) & batch.inside
            if not away.any():
                continue
            chance = torch.rand(away.shape, device=away.device)
            others = types[torch.randint(len(types), away.shape, device=away.device)]
            shown = batch.types.masked_fill(away & (chance < MASKED), mask)
            shown = torch.where(away & (chance >= 1 - REPLACED), others, shown)
            states = network.states(tokens, replace(batch, types=shown))
            scores = network.output(states[away[batch.inside]])
            words = tokens.numbers[batch.types[away]]
            update(network, nn.functional.cross_entropy(scores, words), optimizer, schedule)


def _states(network: Tagger, tokens: Tokens) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    n, width = len(tokens.types), int(network.ahead[0].input_size)  # type: ignore[arg-type]
    states = np.zeros((n, len(network.ahead) * network.output.in_features), dtype=np.float32)
    embedded = np.zeros((n, width), dtype=np.float32)
    network.eval()
    with torch.inference_mode():
        for batch in in_batches(tokens):
            inputs = network.embed(tokens, batch)
            layers = torch.cat(network.layers(inputs, batch), dim=2)
            states[batch.positions] = layers[batch.inside].cpu().numpy()
            embedded[batch.positions] = inputs[batch.inside].cpu().numpy()
    return states, embedded
