"""The torch code of the BiGRU, imported only when a network is trained or used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hebbsim.baselines.features import PAD, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from hebbsim.baselines.config import BiGRUConfig

#: Number of tokens tagged at once, padding included.
TOKENS_AT_ONCE = 8192
#: Norm that gradients are clipped to.
LONGEST_GRADIENT = 5.0
#: Share of the updates over which the learning rate rises.
WARM_UP = 0.1


def choose_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Make torch seeded, deterministic and single-threaded, and restore its settings afterwards.

    The order of sums depends on the number of threads, and small networks do not gain from more.
    """
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        # Some CUDA kernels have no deterministic form; with these, the last digits vary.
        torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


@dataclass(frozen=True)
class Tokens:
    """Sentences as arrays: `Vocabulary.encode` of each word type, and the type of each token."""

    types: NDArray[np.int64]  # shape=(T,)
    lengths: NDArray[np.int64]  # shape=(N,), of the sentences
    numbers: Tensor  # shape=(U,)
    affixes: Tensor  # shape=(U, 8)
    codes: Tensor  # shape=(U, C)

    @classmethod
    def of(
        cls, sentences: Sequence[Sequence[str]], vocabulary: Vocabulary, device: torch.device
    ) -> Tokens:
        place: dict[str, int] = {}
        types = [place.setdefault(word, len(place)) for words in sentences for word in words]
        numbers, affixes, codes = (
            torch.from_numpy(table).to(device) for table in vocabulary.encode(list(place))
        )
        lengths = np.array([len(words) for words in sentences], dtype=np.int64)
        return cls(np.array(types, dtype=np.int64), lengths, numbers, affixes, codes)

    @property
    def starts(self) -> NDArray[np.int64]:
        return np.cumsum(self.lengths) - self.lengths

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """A batch of the chosen sentences, padded at their ends."""
        lengths = self.lengths[chosen]
        steps = np.arange(lengths.max())[:, None]
        inside = steps < lengths
        positions = np.where(inside, self.starts[chosen] + steps, 0)
        mirror = np.where(inside, lengths - 1 - steps, steps)
        device = self.numbers.device
        return Batch(
            positions=positions[inside],
            inside=torch.from_numpy(inside).to(device),
            types=torch.from_numpy(self.types[positions]).to(device),
            mirror=torch.from_numpy(mirror).to(device),
        )


@dataclass(frozen=True)
class Batch:
    """B sentences of at most L tokens; tensors of shape (L, B)."""

    positions: NDArray[np.int64]  # of the tokens in the corpus, row by row
    inside: Tensor  # False for padding
    types: Tensor
    mirror: Tensor  # index of each token when the sentence is reversed


def _mirrored(x: Tensor, mirror: Tensor) -> Tensor:
    """Every sentence reversed, with its padding still at the end; an involution."""
    return x.gather(0, mirror[:, :, None].expand_as(x))


class Tagger(nn.Module):
    """Word, affix and code embeddings, bidirectional GRU layers, a linear output."""

    counts: Tensor

    def __init__(self, vocabulary: Vocabulary, n_roles: int, config: BiGRUConfig) -> None:
        super().__init__()
        self.word_dropout, self.dropout = config.word_dropout, config.dropout
        self.words = nn.Embedding(len(vocabulary), config.word_size, padding_idx=PAD)
        nn.init.normal_(self.words.weight, std=config.embedding_scale)
        size = config.word_size
        self.affixes, self.codes = None, None
        if config.affix_size:
            self.affixes = nn.EmbeddingBag(
                vocabulary.n_affixes, config.affix_size, mode="sum", padding_idx=0
            )
            nn.init.normal_(self.affixes.weight, std=config.embedding_scale)
            size += config.affix_size
        if vocabulary.n_codes:
            self.codes = nn.Linear(vocabulary.n_codes, config.word_size)
            # The embedding starts at the code, and its difference from that is learned.
            nn.init.zeros_(self.words.weight)
        self.register_buffer("counts", torch.from_numpy(vocabulary.counts).float())
        self.ahead, self.back = nn.ModuleList(), nn.ModuleList()
        for _ in range(config.layers):
            self.ahead.append(nn.GRU(size, config.hidden))
            self.back.append(nn.GRU(size, config.hidden))
            size = 2 * config.hidden
        self.output = nn.Linear(size, n_roles)

    def _drop(self, x: Tensor) -> Tensor:
        """Variational dropout: one mask per sentence."""
        if not self.training or not self.dropout:
            return x
        keep = 1.0 - self.dropout
        return x * torch.empty_like(x[:1]).bernoulli_(keep).div_(keep)

    def embed(self, tokens: Tokens, batch: Batch) -> Tensor:
        """Inputs of the first layer, shape=(L, B, E)."""
        numbers = tokens.numbers[batch.types]
        if self.training and self.word_dropout:
            # Rarer words are replaced more often.
            rare = self.word_dropout / (self.word_dropout + self.counts[numbers])
            numbers = numbers.masked_fill(torch.rand_like(rare) < rare, UNKNOWN)
        x = self.words(numbers)
        if self.codes is not None:
            x = x + self.codes(tokens.codes[batch.types])
        if self.affixes is not None:
            flat = self.affixes(tokens.affixes[batch.types.flatten()])
            x = torch.cat([x, flat.view(*batch.types.shape, -1)], dim=2)
        return x

    def layers(self, x: Tensor, batch: Batch) -> list[Tensor]:
        """Hidden states of every layer for inputs x, each of shape=(L, B, 2 H)."""
        found = []
        for ahead, back in zip(self.ahead, self.back, strict=True):
            x = self._drop(x)
            right = _mirrored(back(_mirrored(x, batch.mirror))[0], batch.mirror)
            x = torch.cat([ahead(x)[0], right], dim=2)
            found.append(x)
        return found

    def states(self, tokens: Tokens, batch: Batch) -> Tensor:
        """Hidden states of the last layer at every token, padding excluded, shape=(T, 2 H)."""
        return self._drop(self.layers(self.embed(tokens, batch), batch)[-1])[batch.inside]

    def forward(self, tokens: Tokens, batch: Batch) -> Tensor:
        """Scores of every token, padding excluded, shape=(T, R)."""
        return self.output(self.states(tokens, batch))


def shuffled_batches(
    lengths: NDArray[np.int64], rng: np.random.Generator, size: int
) -> list[NDArray]:
    """Batches of sentences of similar length, in random order."""
    jitter = lengths + rng.random(len(lengths))
    order = np.argsort(jitter, kind="stable")
    order = order[lengths[order] > 0]
    batches = [order[a : a + size] for a in range(0, len(order), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def in_batches(tokens: Tokens) -> Iterator[Batch]:
    """All sentences, in batches of at most `TOKENS_AT_ONCE` padded tokens."""
    order = np.argsort(tokens.lengths, kind="stable")
    order = order[tokens.lengths[order] > 0]
    while len(order):
        # In order of length, so that the last sentence determines the padded length.
        padded = tokens.lengths[order] * np.arange(1, len(order) + 1)
        size = max(1, int(np.searchsorted(padded, TOKENS_AT_ONCE, side="right")))
        yield tokens.batch(order[:size])
        order = order[size:]


def tag(network: Tagger, tokens: Tokens) -> NDArray[np.int64]:
    """Index of the best role of every token, shape=(T,)."""
    roles = np.zeros(len(tokens.types), dtype=np.int64)
    network.eval()
    with torch.inference_mode():
        for batch in in_batches(tokens):
            roles[batch.positions] = network(tokens, batch).argmax(1).cpu().numpy()
    return roles


def forward_states(network: Tagger, tokens: Tokens) -> NDArray[np.float32]:
    """Hidden states of the first layer's forward half after every token, shape=(T, H)."""
    ahead: Any = network.ahead[0]
    states = np.zeros((len(tokens.types), int(ahead.hidden_size)), dtype=np.float32)
    order = np.argsort(tokens.lengths, kind="stable")
    order = order[tokens.lengths[order] > 0]
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(order), 256):
            batch = tokens.batch(order[start : start + 256])
            found = ahead(network.embed(tokens, batch))[0]
            states[batch.positions] = found[batch.inside].cpu().numpy()
    return states


def schedule_of(
    network: Tagger, tokens: Tokens, epochs: int, config: BiGRUConfig
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """The optimizer and its learning rate schedule."""
    n_batches = -(-int(np.count_nonzero(tokens.lengths)) // config.batch_size)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=config.learning_rate,
        total_steps=epochs * n_batches + 1,
        pct_start=WARM_UP,
        anneal_strategy="linear",
        cycle_momentum=False,
    )
    return optimizer, schedule


def update(
    network: Tagger,
    loss: Tensor,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> None:
    """Update the weights by the gradient of a loss."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
    optimizer.step()
    schedule.step()


def train(
    network: Tagger,
    tokens: Tokens,
    roles: NDArray[np.int64],
    *,
    dev: tuple[Tokens, NDArray[np.int64]] | None,
    epochs: int,
    config: BiGRUConfig,
    rng: np.random.Generator,
) -> list[float]:
    """Train `network` in place; return its accuracy on `dev`, if given, after each epoch.

    With `dev`, the network ends with the weights of the best epoch there.
    """
    optimizer, schedule = schedule_of(network, tokens, epochs, config)
    target = torch.from_numpy(roles).to(tokens.numbers.device)
    curve: list[float] = []
    best: dict[str, Tensor] = {}
    best_epoch = 0
    for _ in range(epochs):
        network.train()
        for chosen in shuffled_batches(tokens.lengths, rng, config.batch_size):
            batch = tokens.batch(chosen)
            loss = nn.functional.cross_entropy(network(tokens, batch), target[batch.positions])
            update(network, loss, optimizer, schedule)
        if dev is None:
            continue
        accuracy = float(np.mean(tag(network, dev[0]) == dev[1]))
        # Ties go to the last epoch, which had the lowest learning rate.
        if accuracy >= max(curve, default=0.0):
            best = {name: value.clone() for name, value in network.state_dict().items()}
            best_epoch = len(curve)
        curve.append(accuracy)
        if len(curve) - 1 - best_epoch >= config.patience:
            break
    if best:
        network.load_state_dict(best)
    return curve
