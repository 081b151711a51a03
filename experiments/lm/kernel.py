"""Time the fused trace kernel on a GPU: against the copy bandwidth of the same run, and peers.

    python experiments/lm/kernel.py

Prints one line a contender: milliseconds, bytes that it must move, the share of the bandwidth
of a plain copy, and how many times as long as the kernel it takes. Results are compared with
the chunked form first. Contenders that are not installed are left out, and said.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

import torch

from hebbsim.lm.traces import linear_scan, traces

TAUS = (2.0, 10.0, 50.0)


def milliseconds(work: Callable[[], object], repeats: int = 30) -> float:
    """Median over repeats, after a warm-up; the second-level cache is flushed between them."""
    flush = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
    for _ in range(5):
        work()
    found = []
    for _ in range(repeats):
        flush.zero_()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        found.append(start.elapsed_time(end))
    return statistics.median(found)


def peers(x: torch.Tensor) -> dict[str, Callable[[], object]]:
    """Generic gated scans over one trace, which take a coefficient for every step."""
    a = torch.full_like(x, 0.9)
    found: dict[str, Callable[[], object]] = {}
    steps, gates = x.transpose(0, 1).contiguous(), a.transpose(0, 1).contiguous()
    found["gated scan by doubling"] = lambda: linear_scan(
        gates, steps, torch.zeros_like(steps[0]), doubling=True
    )
    try:
        from torch._higher_order_ops.associative_scan import associative_scan

        scan = torch.compile(
            lambda a, b: associative_scan(
                lambda p, q: (p[0] * q[0], q[0] * p[1] + q[1]), (a, b), dim=1
            )
        )
        scan(a, x)
        found["torch associative_scan"] = lambda: scan(a, x)
    except Exception as error:  # it is a prototype in torch
        print(f"torch associative_scan left out: {error}", file=sys.stderr)
    try:
        from fla.ops.hgrn import chunk_hgrn, fused_recurrent_hgrn

        log = a.log()
        found["fla chunk_hgrn"] = lambda: chunk_hgrn(x, log)
        found["fla fused_recurrent_hgrn"] = lambda: fused_recurrent_hgrn(x, log)
    except ImportError:
        print("flash-linear-attention is not installed: left out", file=sys.stderr)
    return found


def measure(dtype: torch.dtype) -> None:
    """Every contender at one number format."""
    from hebbsim.lm.triton_traces import fused_traces

    alphas = torch.tensor([1 / tau for tau in TAUS], device="cuda")
    n_traces = len(TAUS)
    x = torch.randn(32, 2048, 768, device="cuda", dtype=dtype)
    initial = torch.zeros(32, n_traces, 768, device="cuda")
    exact, _ = traces(x[:2], alphas, form="chunked")
    found, _ = fused_traces(x[:2], alphas, initial[:2], None)
    gap = float((exact.float() - found.float()).abs().max())
    size = x.numel() * x.element_size()
    other = torch.empty_like(x)
    copy = milliseconds(lambda: other.copy_(x))
    bandwidth = 2 * size / copy
    print(f"\n{dtype}, {tuple(x.shape)}; largest gap to the chunked form {gap:.2e}")
    print(f"copy: {copy:.3f} ms, {bandwidth / 1e6:,.0f} GB/s")
    written = (1 + n_traces) * size
    with torch.no_grad():
        fused = milliseconds(lambda: fused_traces(x, alphas, initial, None))
        chunked = milliseconds(lambda: traces(x, alphas, form="chunked"), 5)
        work = {
            "fused": (fused, written),
            "chunked": (chunked, written),
        }
        for name, peer in peers(x).items():
            # One trace of a peer, so many times.
            work[name] = (n_traces * milliseconds(peer, 10), 3 * n_traces * size)
    for name, (time, moved) in work.items():
        share = moved / time / bandwidth
        print(f"{name:<26}{time:9.3f} ms {moved / 1e9:7.2f} GB {share:7.2f} {time / fused:8.1f}x")


def main() -> None:
    """Run in both number formats."""
    if not torch.cuda.is_available():
        raise SystemExit("this needs a CUDA GPU")
    torch.manual_seed(0)
    print(torch.cuda.get_device_name())
    for dtype in (torch.bfloat16, torch.float32):
        measure(dtype)


if __name__ == "__main__":
    main()
