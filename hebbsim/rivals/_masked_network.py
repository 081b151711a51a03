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

States = Callable[[Sequence[Sequence[str]]], tuple[NDArray[np.float32], NDArray[np.float32]]]


def trained(
    sentences: Sequence[Sequence[str]], config: BiGRUConfig, *, hidden: float, seed: int
) -> States:
    """Train a network to predict the share `hidden` of the tokens, masked anew in each update.

    Returns a function from sentences with T tokens to the states of both directions of the last
    layer, shape=(T, 2 H), and the embeddings of the tokens, shape=(T, E).
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
    network.train()
    for _ in range(epochs):
        for chosen in shuffled_batches(tokens.lengths, rng, config.batch_size):
            batch = tokens.batch(chosen)
            away = (
                torch.rand(batch.types.shape, device=batch.types.device) < hidden
            ) & batch.inside
            if not away.any():
                continue
            shown = replace(batch, types=batch.types.masked_fill(away, mask))
            asked = away[batch.inside]
            scores = network.output(network.states(tokens, shown)[asked])
            words = tokens.numbers[batch.types[away]]
            update(network, nn.functional.cross_entropy(scores, words), optimizer, schedule)


def _states(network: Tagger, tokens: Tokens) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    n, width = len(tokens.types), int(network.ahead[0].input_size)  # type: ignore[arg-type]
    states = np.zeros((n, network.output.in_features), dtype=np.float32)
    embedded = np.zeros((n, width), dtype=np.float32)
    network.eval()
    with torch.inference_mode():
        for batch in in_batches(tokens):
            states[batch.positions] = network.states(tokens, batch).cpu().numpy()
            inputs = network.embed(tokens, batch)[batch.inside]
            embedded[batch.positions] = inputs.cpu().numpy()
    return states, embedded
