"""The trace recurrence as one Triton kernel: x is read once.

Each program takes one sequence and a block of channels, and goes through the tokens a tile at a
time. Inside a tile, a trace is a product of a small triangular matrix with the tile, on tensor
cores; between tiles one row is carried in registers. The gradient of x is the same walk backwards.

Runs on CUDA, and for tests anywhere with ``TRITON_INTERPRET=1``.
"""

import os
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from hebbsim.errors import BadInputError

#: Tokens and channels of a tile. A tile is an operand of a tensor-core product.
TILE, CHANNELS = 32, 64


@triton.jit
def _forward(
    x_ptr, inside_ptr, left_ptr, initial_ptr, segments_ptr, out_ptr, final_ptr,
    n_tokens, n_channels,
    S: tl.constexpr, S2: tl.constexpr, TILE: tl.constexpr, CHANNELS: tl.constexpr,
    PARTED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Walk forwards. x (B, T, D); inside (S, TILE, TILE); left (S, TILE); initial (B, S, D)."""
    b = tl.program_id(0).to(tl.int64)
    rows = tl.arange(0, TILE)
    cols = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    scales = tl.arange(0, S2)
    col_ok = cols < n_channels
    state_ok = (scales[:, None] < S) & col_ok[None, :]
    state_at = b * S * n_channels + scales[:, None] * n_channels + cols[None, :]
    carry = tl.load(initial_ptr + state_at, mask=state_ok, other=0.0)
    before = 0
    if PARTED:
        before = tl.load(segments_ptr + b * n_tokens)
    for start in range(0, n_tokens, TILE):
        steps = start + rows
        row_ok = steps < n_tokens
        ok = row_ok[:, None] & col_ok[None, :]
        at = (b * n_tokens + steps[:, None]) * n_channels + cols[None, :]
        x = tl.load(x_ptr + at, mask=ok, other=0.0).to(tl.float32)
        last = tl.minimum(n_tokens - start, TILE) - 1
        if PARTED:
            numbers = tl.load(segments_ptr + b * n_tokens + steps, mask=row_ok, other=-1)
        for s in tl.static_range(S):
            table = s * TILE * TILE + rows[:, None] * TILE + rows[None, :]
            inside = tl.load(inside_ptr + table)
            left = tl.load(left_ptr + s * TILE + rows)
            if PARTED:
                inside = tl.where(numbers[:, None] == numbers[None, :], inside, 0.0)
                left = tl.where(numbers == before, left, 0.0)
            own = tl.sum(tl.where(scales[:, None] == s, carry, 0.0), axis=0)
            h = tl.dot(inside, x, input_precision=PRECISION) + left[:, None] * own[None, :]
            row = tl.sum(tl.where(rows[:, None] == last, h, 0.0), axis=0)
            carry = tl.where(scales[:, None] == s, row[None, :], carry)
            out_at = ((b * n_tokens + steps[:, None]) * S + s) * n_channels + cols[None, :]
            tl.store(out_ptr + out_at, h.to(out_ptr.dtype.element_ty), mask=ok)
        if PARTED:
            before = tl.load(segments_ptr + b * n_tokens + start + last)
    tl.store(final_ptr + state_at, carry, mask=state_ok)


@triton.jit
def _backward(
    grad_ptr, inside_ptr, left_ptr, keep_ptr, alpha_ptr, segments_ptr, final_grad_ptr, out_ptr,
    initial_grad_ptr, n_tokens, n_channels,
    S: tl.constexpr, S2: tl.constexpr, TILE: tl.constexpr, CHANNELS: tl.constexpr,
    PARTED: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Walk backwards: G[t] = dh[t] + (1 - alpha) G[t+1], dx[t] = sum over s of alpha G[t]."""
    b = tl.program_id(0).to(tl.int64)
    rows = tl.arange(0, TILE)
    cols = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    scales = tl.arange(0, S2)
    col_ok = cols < n_channels
    state_ok = (scales[:, None] < S) & col_ok[None, :]
    state_at = b * S * n_channels + scales[:, None] * n_channels + cols[None, :]
    final = tl.load(final_grad_ptr + state_at, mask=state_ok, other=0.0)
    carry = tl.zeros((S2, CHANNELS), dtype=tl.float32)
    after = -1
    n_tiles = tl.cdiv(n_tokens, TILE)
    for tile in range(0, n_tiles):
        start = (n_tiles - 1 - tile) * TILE
        steps = start + rows
        row_ok = steps < n_tokens
        ok = row_ok[:, None] & col_ok[None, :]
        at = (b * n_tokens + steps[:, None]) * n_channels + cols[None, :]
        dx = tl.zeros((TILE, CHANNELS), dtype=tl.float32)
        if PARTED:
            numbers = tl.load(segments_ptr + b * n_tokens + steps, mask=row_ok, other=-1)
        for s in tl.static_range(S):
            h_at = ((b * n_tokens + steps[:, None]) * S + s) * n_channels + cols[None, :]
            dh = tl.load(grad_ptr + h_at, mask=ok, other=0.0).to(tl.float32)
            end = tl.sum(tl.where(scales[:, None] == s, final, 0.0), axis=0)
            dh += tl.where(steps[:, None] == n_tokens - 1, end[None, :], 0.0)
            table = s * TILE * TILE + rows[:, None] * TILE + rows[None, :]
            inside = tl.load(inside_ptr + table)
            left = tl.load(left_ptr + s * TILE + rows)
            if PARTED:
                inside = tl.where(numbers[:, None] == numbers[None, :], inside, 0.0)
                left = tl.where(numbers == after, left, 0.0)
            own = tl.sum(tl.where(scales[:, None] == s, carry, 0.0), axis=0)
            g = tl.dot(inside, dh, input_precision=PRECISION) + left[:, None] * own[None, :]
            row = tl.sum(tl.where(rows[:, None] == 0, g, 0.0), axis=0)
            carry = tl.where(scales[:, None] == s, row[None, :], carry)
            dx += tl.load(alpha_ptr + s) * g
        tl.store(out_ptr + at, dx.to(out_ptr.dtype.element_ty), mask=ok)
        if PARTED:
            after = tl.load(segments_ptr + b * n_tokens + start)
    keep = tl.load(keep_ptr + scales, mask=scales < S, other=0.0)
    tl.store(initial_grad_ptr + state_at, keep[:, None] * carry, mask=state_ok)


class _Walk(torch.autograd.Function):
    """Traces and the last state; gradients of x and of the initial state."""

    @staticmethod
    def forward(ctx, x, alpha, initial, segments):  # type: ignore[no-untyped-def]
        x, initial = x.contiguous(), initial.float().contiguous()
        segments = None if segments is None else segments.to(torch.int32).contiguous()
        out = x.new_empty((*x.shape[:2], len(alpha), x.shape[2]))
        final = torch.empty_like(initial)
        lag, decay = _decay(alpha)
        inside = (alpha[:, None, None] * decay[:, lag.clamp(min=0)] * (lag >= 0)).contiguous()
        _forward[_grid(x)](
            # A pointer that is not used is x's.
            x, inside, decay[:, 1:].contiguous(), initial, x if segments is None else segments,
            out, final, x.shape[1], x.shape[2], **_constants(x, alpha, segments),
        )  # fmt: skip
        ctx.save_for_backward(x, alpha, initial, segments)
        return out, final

    @staticmethod
    def backward(ctx, grad, final_grad):  # type: ignore[no-untyped-def]
        x, alpha, initial, segments = ctx.saved_tensors
        _, n_tokens, n_channels = x.shape
        dx, d_initial = torch.empty_like(x), torch.empty_like(initial)
        lag, decay = _decay(alpha)
        # Row t, column u: what step u hands back to step t of its tile.
        inside = decay[:, (-lag).clamp(min=0)] * (lag <= 0)
        left = decay[:, 1:].flip(1).contiguous()
        _backward[_grid(x)](
            grad.contiguous(), inside.contiguous(), left, (1 - alpha).contiguous(), alpha,
            x if segments is None else segments, final_grad.float().contiguous(), dx, d_initial,
            n_tokens, n_channels, **_constants(x, alpha, segments),
        )  # fmt: skip
        return dx, None, d_initial, None


def _decay(alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Lags between the steps of a tile, and decay over 0 .. TILE tokens [shape=(S, TILE + 1)]."""
    steps = torch.arange(TILE, device=alpha.device)
    powers = torch.arange(TILE + 1, device=alpha.device)
    return steps[:, None] - steps, (1 - alpha)[:, None] ** powers


def _grid(x: Tensor) -> tuple[int, int]:
    return (x.shape[0], triton.cdiv(x.shape[2], CHANNELS))


def _constants(x: Tensor, alpha: Tensor, segments: Tensor | None) -> dict[str, Any]:
    return {
        "S": len(alpha), "S2": triton.next_power_of_2(len(alpha)), "TILE": TILE,
        "CHANNELS": CHANNELS, "PARTED": segments is not None,
        # A bfloat16 is exact in tf32; a float32 is three of them, to rounding.
        "PRECISION": "tf32" if x.dtype == torch.bfloat16 else "tf32x3",
    }  # fmt: skip


@torch.compiler.disable
def fused_traces(
    x: Tensor, alpha: Tensor, initial: Tensor, segments: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Compute `hebbsim.lm.traces.traces`, with the same shapes and errors."""
    if not x.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
        raise BadInputError(
            "form 'fused' runs on CUDA (or with TRITON_INTERPRET=1, slowly); use 'chunked'"
        )
    if x.dtype not in (torch.float32, torch.bfloat16):
        raise BadInputError(f"form 'fused' takes float32 or bfloat16, not {x.dtype}")
    return _Walk.apply(x, alpha.detach().float().contiguous(), initial, segments)
