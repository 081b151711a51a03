"""The perceptron of the decoder ``mlp``, which reads past tokens from states."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def train_perceptron(
    features: NDArray[np.float64],
    tokens: NDArray[np.int64],
    n_types: int,
    *,
    hidden: int,
    epochs: int,
    batch: int,
    seed: int,
) -> nn.Module:
    """Train a network with one hidden layer and a softmax over V types for each of K lags.

    `features` have shape=(N, F), `tokens` shape=(N, K).
    """
    generator = torch.Generator().manual_seed(seed)
    n_lags = tokens.shape[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(features.shape[1], hidden), nn.GELU(), nn.Linear(hidden, n_lags * n_types)
        )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    x = torch.from_numpy(features.astype(np.float32))
    y = torch.from_numpy(tokens)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch):
            logits = model(x[rows]).reshape(len(rows) * n_lags, n_types)
            loss = nn.functional.cross_entropy(logits, y[rows].reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def log_softmax(
    model: nn.Module, features: NDArray[np.float64], n_lags: int
) -> NDArray[np.float64]:
    """Log-probabilities of every type at every lag, shape=(N, K, V)."""
    with torch.inference_mode():
        x = torch.from_numpy(features.astype(np.float32))
        logits = model(x).reshape(len(x), n_lags, -1)
        return torch.log_softmax(logits, dim=-1).numpy().astype(np.float64)
