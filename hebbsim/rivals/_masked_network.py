"""The torch half of the masked BiGRU. Imported only where one is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hebbsim.baselines._network import (
    Batch,
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

__all__ = ["trained"]

States = Callable[[Sequence[Sequence[str]]], tuple[NDArray[np.float32], NDArray[np.float32]]]


def trained(
    sentences: Sequence[Sequence[str]], config: BiGRUConfig, *, hidden: float, seed: int
) -> States:
    """Train a network to find hidden words.

    Parameters
    ----------
    sentences : sequence of sequence of str
    config : BiGRUConfig
        Of the supervised network.
    hidden : float
        Share of the tokens that are hidden in each update.
    seed : int

    Returns
    -------
    callable
        Given N sentences with T tokens, it gives the states of both directions of the last layer,
        shape=(T, 2 H), and what the network reads of each token itself, shape=(T, E).
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
    """The tokens, with a last type that has neither a word nor affixes."""
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
    n, parts = len(tokens.types), []
    network.eval()

    def both(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        return network.states(tokens, batch), network.embed(tokens, batch)[batch.inside]

    found: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for batch in in_batches(tokens):
            parts = [part.cpu().numpy() for part in both(batch)]
            if not found:
                found = [np.zeros((n, part.shape[1]), dtype=np.float32) for part in parts]
            for whole, part in zip(found, parts, strict=True):
                whole[batch.positions] = part
    if not found:
        found = [np.zeros((0, network.output.in_features), dtype=np.float32)] * 2
    return found[0], found[1]
