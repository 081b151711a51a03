"""Memories of a block: what it knows about past tokens, from a window to attention.

=============  ====================================================================
``window``     the last n inputs, unchanged
``ema``        traces at fixed timescales
``learned``    traces whose decay is learned, one for each channel and timescale
``gated``      traces whose decay depends on the input (selective EMA)
``hebbian``    outer-product writes into a matrix, read by a query: linear attention
``delta``      the same, but a write replaces the value that is stored with its key
``attention``  softmax attention over all past tokens
=============  ====================================================================

A memory maps block inputs u [shape=(B, T, D)] to features [shape=(B, T, F)] of the past up to and
including each token. It starts empty at each document, and returns its state, so that tokens can
be processed one at a time.
"""

import contextlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hebbsim.lm.config import ModelConfig
from hebbsim.lm.layers import LayerNorm, Linear, by_member
from hebbsim.lm.traces import linear_scan, starts_of, traces

State = Any


def make_memory(config: ModelConfig, members: int = 1) -> nn.Module:
    """Make the memory that a configuration names, for M members."""
    kinds: dict[str, type[nn.Module]] = {
        "window": Window, "ema": Traces, "learned": LearnedTraces, "gated": GatedTraces,
        "hebbian": FastWeights, "delta": FastWeights, "attention": KeyValueAttention,
    }  # fmt: skip
    return kinds[config.memory](config, members)


def shifted(x: Tensor, before: Tensor | None, segments: Tensor | None) -> Tensor:
    """Predecessor of each token: `before`, then zero where a document starts [shape=(B, T, D)]."""
    first = torch.zeros_like(x[:, :1]) if before is None else before[:, None].to(x.dtype)
    moved = torch.cat([first, x[:, :-1]], dim=1)
    return moved if segments is None else moved.masked_fill(starts_of(segments)[..., None], 0)


class Window(nn.Module):
    """The last `config.window` inputs, the current one first."""

    def __init__(self, config: ModelConfig, members: int) -> None:
        super().__init__()
        self.window = config.window
        self.width = config.window * config.dim

    def forward(self, u: Tensor, state: State, segments: Tensor | None) -> tuple[Tensor, State]:
        n_before = self.window - 1
        before = u.new_zeros(len(u), n_before, u.shape[2]) if state is None else state.to(u.dtype)
        padded = torch.cat([before, u], dim=1)
        views = padded.unfold(1, self.window, 1).flip(-1)  # (B, T, D, n)
        if segments is not None:
            # Only tokens of the same document count; the state belongs to the first one.
            numbers = torch.cat([segments[:, :1].expand(-1, n_before), segments], dim=1)
            same = numbers.unfold(1, self.window, 1).flip(-1) == segments[..., None]
            views = views * same[:, :, None]
        return views.transpose(2, 3).flatten(2), padded[:, padded.shape[1] - n_before :]


class Traces(nn.Module):
    """Traces at the fixed timescales of the configuration."""

    def __init__(self, config: ModelConfig, members: int) -> None:
        super().__init__()
        self.alphas = [1 / tau for tau in config.timescales]
        self.width = len(self.alphas) * config.dim

    def forward(self, u: Tensor, state: State, segments: Tensor | None) -> tuple[Tensor, State]:
        h, state = traces(u, self.alphas, state, segments)
        return h.flatten(2), state


class _Scanned(nn.Module):
    """Traces h[t] = a[t] h[t-1] + (1 - a[t]) u[t] whose a is a sigmoid of `logits`."""

    def __init__(self, config: ModelConfig, members: int) -> None:
        super().__init__()
        self.n_traces = len(config.timescales)
        self.width = self.n_traces * config.dim
        taus = torch.tensor(config.timescales).clamp(min=1.01)
        # sigmoid(logit) = 1 - 1/tau
        self.start = torch.log(taus - 1).repeat_interleave(config.dim)

    def logits(self, u: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, u: Tensor, state: State, segments: Tensor | None) -> tuple[Tensor, State]:
        with torch.autocast(u.device.type, enabled=False):
            a = torch.sigmoid(self.logits(u.float() if u.dtype == torch.bfloat16 else u))
            inputs = u.to(a.dtype).repeat(1, 1, self.n_traces)
            written = (1 - a) * inputs
            if segments is not None:
                a = a.masked_fill(starts_of(segments)[..., None], 0)
            if state is None:
                state = torch.zeros_like(written[:, 0])
            h = linear_scan(a.transpose(0, 1), written.transpose(0, 1), state)
        return h.transpose(0, 1).to(u.dtype), h[-1]


class LearnedTraces(_Scanned):
    """Traces with learned decays, which are the same for every token."""

    def __init__(self, config: ModelConfig, members: int) -> None:
        super().__init__(config, members)
        self.decay = nn.Parameter(self.start.repeat(members, 1))

    def logits(self, u: Tensor) -> Tensor:
        each = len(u) // len(self.decay)
        decay = self.decay.to(u.dtype).repeat_interleave(each, dim=0)
        return decay[:, None].expand(-1, u.shape[1], -1)


class GatedTraces(_Scanned):
    """Traces whose decays depend on the input (selective traces)."""

    def __init__(self, config: ModelConfig, members: int) -> None:
        super().__init__(config, members)
        self.gate = Linear(config.dim, self.width, members=members)
        assert self.gate.bias is not None
        self.gate.bias.data.copy_(self.start)

    def logits(self, u: Tensor) -> Tensor:
        return self.gate(u)


class _Heads(nn.Module):
    """Queries, keys and values of heads, from each token and the one before it."""

    def __init__(self, config: ModelConfig, members: int) -> None:
        super().__init__()
        self.heads = config.heads
        self.width = config.dim
        self.project = Linear(config.dim, 3 * config.dim, bias=False, members=members)
        # Share of the preceding token in the input of query, key and value, by channel.
        shares = torch.tensor([0.0, 0.5, 0.0])[:, None]
        self.shift = nn.Parameter(shares.repeat(members, 1, config.dim))

    def read(
        self, u: Tensor, before: Tensor | None, segments: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Each of shape (B, H, T, D / H)."""
        members = len(self.shift)
        rows, back = (by_member(x, members) for x in (u, shifted(u, before, segments) - u))
        shift = self.shift.to(u.dtype)[:, :, None]
        weights = self.project.weight.unflatten(1, (3, -1))
        parts = [
            torch.bmm(torch.addcmul(rows, shift[:, i], back), weights[:, i].transpose(1, 2))
            for i in range(3)
        ]
        shape = (*u.shape[:2], self.heads, -1)
        return tuple(x.view(shape).transpose(1, 2) for x in parts)  # type: ignore[return-value]


def fast_weights(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    beta: Tensor | None,
    initial: Tensor | None = None,
    segments: Tensor | None = None,
    chunk: int = 64,
) -> tuple[Tensor, Tensor]:
    """Write outer products of values and keys, and read with queries, a chunk at a time.

    Without `beta`, ``S[t] = S[t-1] + v k'`` (Hebb; linear attention). With it, the delta rule
    ``S[t] = S[t-1] + beta (v - S[t-1] k) k'``. The read-out is ``S[t] q``.

    `q`, `k`, `v` and the read-out have shape (B, H, T, E), and S has shape (B, H, E, E) with
    values as rows and keys, of length one, as columns. `beta` [shape=(B, H, T)] is the share of
    the old value that a write replaces; `segments` [shape=(B, T)] number the documents. Returns
    the read-out and the last S.

    Sources: Schlag, Irie, Schmidhuber (2021), "Linear Transformers Are Secretly Fast Weight
    Programmers"; Yang et al. (2024), "Parallelizing Linear Transformers with the Delta Rule
    over Sequence Length", the chunked form.
    """
    total, n_tokens = initial, q.shape[2]
    if total is None:
        total = q.new_zeros(*q.shape[:2], v.shape[3], k.shape[3])
    found = []
    before = None if segments is None else segments[:, :1]
    for start in range(0, n_tokens, chunk):
        part = slice(start, start + chunk)
        q_, k_, v_ = q[:, :, part], k[:, :, part], v[:, :, part]
        size = q_.shape[2]
        seen = torch.ones(size, size, dtype=torch.bool, device=q.device).tril()
        held: Tensor | float = 1.0
        if segments is not None:
            assert before is not None
            numbers = segments[:, part]
            same = torch.eq(numbers[:, :, None], numbers[:, None])
            seen = seen & same[:, None]
            held = torch.eq(numbers, before)[:, None, :, None].to(q.dtype)
            before = numbers[:, -1:]
        # Each token writes its value; for the delta rule, minus the value already stored.
        if beta is None:
            written = v_
        else:
            step = beta[:, :, part, None]
            mask = seen & ~torch.eye(size, dtype=torch.bool, device=q.device)
            overlap = step * (k_ @ k_.transpose(2, 3)).masked_fill(~mask, 0)
            wanted = step * (v_ - held * (k_ @ total.transpose(2, 3)))
            lower = overlap + torch.eye(size, dtype=q.dtype, device=q.device)
            written = torch.linalg.solve_triangular(lower, wanted, upper=False, unitriangular=True)
        near = (q_ @ k_.transpose(2, 3)).masked_fill(~seen, 0) @ written
        found.append(near + held * (q_ @ total.transpose(2, 3)))
        kept: Tensor = written
        if segments is not None:
            kept = written * (numbers == numbers[:, -1:])[:, None, :, None]
            assert isinstance(held, Tensor)
            total = total * held[:, :, -1:]
        total = total + kept.transpose(2, 3) @ k_
    return torch.cat(found, dim=2), total


class FastWeights(_Heads):
    """Hebbian or delta-rule fast weights."""

    def __init__(self, config: ModelConfig, members: int) -> None:
        super().__init__(config, members)
        self.step = (
            Linear(config.dim, config.heads, members=members) if config.memory == "delta" else None
        )
        self.norm = LayerNorm(config.dim // config.heads, members=members)

    def forward(self, u: Tensor, state: State, segments: Tensor | None) -> tuple[Tensor, State]:
        total, before = (None, None) if state is None else state
        with torch.autocast(u.device.type, enabled=False):
            x = u.float() if u.dtype == torch.bfloat16 else u
            q, k, v = self.read(x, before, segments)
            q, k = (F.normalize(F.silu(part), dim=-1) for part in (q, k))
            beta = None if self.step is None else torch.sigmoid(self.step(x)).transpose(1, 2)
            read, total = fast_weights(q, k, v, beta, total, segments)
            # Sums of writes grow with the text, so the read-out is normalized.
            y = self.norm(read).transpose(1, 2).flatten(2)
        return y.to(u.dtype), (total, u[:, -1])


class Attention(nn.Module):
    """Causal softmax attention with rotary positions, over one document at a time."""

    def __init__(self, heads: int, size: int) -> None:
        super().__init__()
        self.heads = heads
        turns = 10000.0 ** (-torch.arange(0, size, 2) / size)
        self.register_buffer("turns", turns, persistent=False)

    turns: Tensor

    def rotate(self, x: Tensor, start: int) -> Tensor:
        """Su et al. (2021), "RoFormer": pairs of channels turned by their position."""
        steps = torch.arange(start, start + x.shape[2], device=x.device, dtype=torch.float32)
        angles = steps[:, None] * self.turns
        sin, cos = angles.sin().to(x.dtype), angles.cos().to(x.dtype)
        left, right = x.chunk(2, dim=-1)
        return torch.cat([left * cos - right * sin, left * sin + right * cos], dim=-1)

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, state: State, segments: Tensor | None
    ) -> tuple[Tensor, State]:
        """Over heads: shapes (B, H, T, E) in and out; the state holds all keys and values."""
        start = 0 if state is None else state[0].shape[2]
        return attend(self.rotate(q, start), self.rotate(k, start), v, state, segments)


def attend(
    q: Tensor, k: Tensor, v: Tensor, state: State, segments: Tensor | None
) -> tuple[Tensor, State]:
    """Causal scaled dot-product attention within the document [shape=(B, H, T, E)].

    The state holds the keys and values of all tokens; those before the first query belong to its
    document.
    """
    start = 0
    if state is not None:
        start = state[0].shape[2]
        k, v = torch.cat([state[0], k], dim=2), torch.cat([state[1], v], dim=2)
    mask = None
    if start or segments is not None:
        places = torch.arange(k.shape[2], device=q.device)
        mask = (places[start:, None] >= places)[None, None]
        if segments is not None:
            numbers = torch.cat([segments[:, :1].expand(-1, start), segments], dim=1)
            mask = mask & (segments[:, :, None] == numbers[:, None])[:, None]
    # On a CPU, torch's backward kernels take five times as long in bfloat16.
    slow = q.dtype == torch.bfloat16 and not q.is_cuda
    with torch.autocast("cpu", enabled=False) if slow else contextlib.nullcontext():
        parts = (q.float(), k.float(), v.float()) if slow else (q, k, v)
        y = F.scaled_dot_product_attention(*parts, attn_mask=mask, is_causal=mask is None)
    return y.to(q.dtype), (k, v)


class KeyValueAttention(_Heads):
    """Softmax attention as a memory of a SPEN block.

    Queries and keys have length one, as in fast weights, and scores have a learned scale (Henry
    et al. 2020, "Query-Key Normalization for Transformers").
    """

    def __init__(self, config: ModelConfig, members: int) -> None:
        super().__init__(config, members)
        size = config.dim // config.heads
        self.attention = Attention(config.heads, size)
        self.sharpness = nn.Parameter(torch.full((members, config.heads, 1, 1), 10.0 * size**0.5))

    def forward(self, u: Tensor, state: State, segments: Tensor | None) -> tuple[Tensor, State]:
        kept, before = (None, None) if state is None else state
        q, k, v = self.read(u, before, segments)
        sharpness = self.sharpness.repeat_interleave(len(u) // len(self.sharpness), dim=0)
        q = (F.normalize(q, dim=-1) * sharpness).to(v.dtype)
        y, kept = self.attention(q, F.normalize(k, dim=-1).to(v.dtype), v, kept, segments)
        return y.transpose(1, 2).flatten(2), (kept, u[:, -1])
