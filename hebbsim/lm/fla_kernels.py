"""Fast weights with the kernels of `flash-linear-attention`, on a GPU.

The kernels take bfloat16, heads after tokens, and documents as one long sequence with bounds;
their states have keys as rows. They compute `hebbsim.lm.memories.fast_weights`.
"""

from typing import Any

import torch
from torch import Tensor


def bounds(segments: Tensor) -> Tensor:
    """Start of every document in concatenated rows, and the end [shape=(N + 1,)].

    >>> bounds(torch.tensor([[0, 0, 1], [0, 0, 0]])).tolist()
    [0, 2, 3, 6]
    """
    starts = torch.ones_like(segments, dtype=torch.bool)
    starts[:, 1:] = segments[:, 1:] != segments[:, :-1]
    places = starts.flatten().nonzero().flatten()
    end = torch.tensor([segments.numel()], device=segments.device)
    return torch.cat([places, end])


def fla_fast_weights(
    q: Tensor, k: Tensor, v: Tensor, beta: Tensor | None, initial: Tensor | None,
    segments: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Compute `hebbsim.lm.memories.fast_weights`; takes `initial` or `segments`, not both."""
    from fla.ops.delta_rule import chunk_delta_rule
    from fla.ops.linear_attn import chunk_linear_attn

    n_batch, _, n_tokens, _ = q.shape
    heads_last = [x.transpose(1, 2).to(torch.bfloat16) for x in (q, k, v)]
    step = None if beta is None else beta.transpose(1, 2).to(torch.bfloat16)
    options: dict[str, Any] = {
        "scale": 1.0, "output_final_state": True,
        "initial_state": None if initial is None else initial.transpose(2, 3).contiguous(),
    }  # fmt: skip
    ends = None
    if segments is not None:
        options["cu_seqlens"] = bounds(segments)
        ends = (options["cu_seqlens"] % n_tokens == 0).nonzero().flatten()[1:] - 1
        heads_last = [x.reshape(1, -1, *x.shape[2:]) for x in heads_last]
        step = None if step is None else step.reshape(1, -1, step.shape[2])
    if step is None:
        read, final = chunk_linear_attn(*heads_last, normalize=False, **options)
    else:
        read, final = chunk_delta_rule(*heads_last, step, **options)
    if ends is not None:
        final = final[ends]
    read = read.reshape(n_batch, n_tokens, *read.shape[2:]).transpose(1, 2)
    return read.to(q.dtype), final.transpose(2, 3).to(q.dtype)
