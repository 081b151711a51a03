"""Traces at fixed timescales over a batch of sequences, in two forms that agree.

.. math:: h_s[t] = (1 - \\alpha_s) h_s[t-1] + \\alpha_s x[t]

``chunked`` uses matrix products inside chunks and a carry between them, in pure torch on any
device. ``fused`` is a Triton kernel that reads x once (`hebbsim.lm.triton_traces`). Both have
gradients, take an initial state, return the final one, and start anew at the first token of each
document.
"""

from collections.abc import Sequence
from importlib.util import find_spec

import torch
from torch import Tensor

from hebbsim.errors import BadInputError

#: Tokens of a chunk.
CHUNK = 64
_TRITON = find_spec("triton") is not None


def traces(
    x: Tensor,
    alphas: Tensor | Sequence[float],
    initial: Tensor | None = None,
    segments: Tensor | None = None,
    *,
    form: str = "auto",
    chunk: int = CHUNK,
) -> tuple[Tensor, Tensor]:
    """Traces of every token, and the state after the last.

    For x [shape=(B, T, D)] in float64, float32 or bfloat16, the traces [shape=(B, T, S, D)] have
    the type of `x`; the state [shape=(B, S, D)] is float32, or float64 if `x` is. `alphas` are
    ``1 / tau``, in (0, 1]; `initial` is the state before the first token (default: zero).
    `segments` [shape=(B, T)] number the documents: traces start at zero in each, and the initial
    state belongs to the first. The `form` auto is fused on CUDA if Triton is installed, otherwise
    chunked. Raises BadInputError for a wrong shape, or a form that cannot be used.

    Source: Singh (2026), arXiv:2604.08556, figure 1; timescales 2, 10 and 50 there.

    >>> h, final = traces(torch.ones(1, 3, 1), [0.5, 1.0])
    >>> h[0, :, 0, 0].tolist(), final[0, :, 0].tolist()
    ([0.5, 0.75, 0.875], [0.875, 1.0])
    """
    if x.ndim != 3 or x.shape[1] == 0:
        raise BadInputError(f"x: expected shape (B, T, D) with T > 0, got {tuple(x.shape)}")
    state_type = torch.float64 if x.dtype == torch.float64 else torch.float32
    alpha = torch.as_tensor(alphas, dtype=state_type, device=x.device)
    shape = (x.shape[0], len(alpha), x.shape[2])
    if initial is None:
        initial = x.new_zeros(shape, dtype=state_type)
    elif tuple(initial.shape) != shape:
        raise BadInputError(f"initial: expected shape {shape}, got {tuple(initial.shape)}")
    initial = initial.to(state_type)
    if segments is not None and segments.shape != x.shape[:2]:
        raise BadInputError(
            f"segments: expected shape {tuple(x.shape[:2])}, got {tuple(segments.shape)}"
        )
    if form == "auto":
        # The fused kernel has no gradient for timescales.
        fixed = not alpha.requires_grad and x.dtype != torch.float64
        form = "fused" if fixed and x.is_cuda and _TRITON else "chunked"
    if form == "chunked":
        return _chunked(x, alpha, initial, segments, chunk)
    if form == "fused":
        if not _TRITON:
            raise BadInputError("form 'fused' needs Triton, which is not installed; use 'chunked'")
        if alpha.requires_grad:
            raise BadInputError("form 'fused' has no gradient for alphas; use 'chunked'")
        from hebbsim.lm.triton_traces import fused_traces

        return fused_traces(x, alpha, initial, segments)
    raise BadInputError(f"form: expected auto or one of chunked, fused, got {form!r}")


def starts_of(segments: Tensor) -> Tensor:
    """True at the first token of each document but the first in the row [shape=(B, T)]."""
    same = torch.ones_like(segments[:, :1], dtype=torch.bool)
    return ~torch.cat([same, segments[:, 1:] == segments[:, :-1]], dim=1)


def _chunked(
    x: Tensor, alpha: Tensor, initial: Tensor, segments: Tensor | None, chunk: int
) -> tuple[Tensor, Tensor]:
    n_tokens = x.shape[1]
    size = min(chunk, n_tokens)
    n_chunks = -(-n_tokens // size)
    padding = n_chunks * size - n_tokens
    steps = torch.arange(size, device=x.device)
    # Decay over n tokens, n = 0 .. size; 0 ** 0 is 1, as it should where alpha is 1.
    decay = (1 - alpha)[:, None] ** torch.arange(size + 1, device=x.device)  # (S, C + 1)
    lag = steps[:, None] - steps
    inside = alpha[:, None, None] * decay[:, lag.clamp(min=0)] * (lag >= 0)  # (S, C, C)
    parts = torch.nn.functional.pad(x, (0, 0, 0, padding)).unflatten(1, (n_chunks, size))
    carried = decay[:, 1:].T[:, :, None]  # what is left of the carry at each step (C, S, 1)
    if segments is None:
        weights = inside.transpose(0, 1).flatten(0, 1).to(x.dtype)  # rows: step, timescale
        h = torch.matmul(weights, parts)
    else:
        numbers = torch.nn.functional.pad(segments[:, None].double(), (0, padding), "replicate")
        numbers = numbers[:, 0].unflatten(1, (n_chunks, size))
        same = numbers[..., :, None] == numbers[..., None, :]  # (B, N, C, C)
        weights = inside.transpose(0, 1) * same[..., :, None, :]
        h = torch.matmul(weights.flatten(2, 3).to(x.dtype), parts)
        before = torch.cat([numbers[:, :1, 0], numbers[:, :-1, -1]], dim=1)
        still = numbers == before[..., None]  # the carry's document (B, N, C)
    h = h.unflatten(2, (size, len(alpha)))  # (B, N, C, S, D)
    found, carry = [], initial
    for n in range(n_chunks):
        left = carried * carry[:, None]
        if segments is not None:
            left = left * still[:, n, :, None, None]
        whole = h[:, n].to(carry.dtype) + left
        carry = whole[:, n_tokens - 1 - n * size if n == n_chunks - 1 else -1]
        found.append(whole.to(x.dtype))
    return torch.cat(found, dim=1)[:, :n_tokens], carry


class _Scan(torch.autograd.Function):
    """h[t] = a[t] h[t-1] + b[t] along the first axis, one step at a time both ways."""

    @staticmethod
    def forward(ctx, a, b, initial):  # type: ignore[no-untyped-def]
        h = torch.empty_like(b)
        last = initial
        for t in range(len(b)):
            torch.addcmul(b[t], a[t], last, out=h[t])
            last = h[t]
        ctx.save_for_backward(a, h, initial)
        return h

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        a, h, initial = ctx.saved_tensors
        total = torch.empty_like(grad)
        total[-1] = grad[-1]
        for t in range(len(grad) - 2, -1, -1):
            torch.addcmul(grad[t], a[t + 1], total[t + 1], out=total[t])
        before = torch.cat([initial[None], h[:-1]])
        return total * before, total, a[0] * total[0]


def _doubling(a: Tensor, b: Tensor) -> Tensor:
    """The same from zero in log2 T rounds over all steps at once (Hillis & Steele 1986)."""
    reach = 1
    while reach < len(b):
        b = torch.cat([b[:reach], b[reach:] + a[reach:] * b[:-reach]])
        a = torch.cat([a[:reach], a[reach:] * a[:-reach]])
        reach *= 2
    return b


def linear_scan(a: Tensor, b: Tensor, initial: Tensor, *, doubling: bool | None = None) -> Tensor:
    """The recurrence ``h[t] = a[t] h[t-1] + b[t]`` whose coefficients may depend on the input.

    `a`, `b` and h are of shape (T, ...), `initial`, which is h before the first step, of shape
    (...). `doubling` is parallel over steps, with log2 T times the work (default: only on CUDA).

    >>> linear_scan(torch.full((3, 1), 0.5), torch.ones(3, 1), torch.zeros(1))[:, 0].tolist()
    [1.0, 1.5, 1.75]
    """
    if doubling is None:
        doubling = a.is_cuda
    if doubling:
        first = torch.cat([(b[0] + a[0] * initial)[None], b[1:]])
        return _doubling(a, first)
    return _Scan.apply(a.contiguous(), b.contiguous(), initial)
