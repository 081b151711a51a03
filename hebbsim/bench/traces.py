"""Work A: traces of embedded tokens, all timescales, one stream."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.bench.harness import TIMESCALES, Contender, Floats, Run, Work
from hebbsim.engine.memory import aligned_copy

#: Tokens of a chunk of the matrix form.
CHUNK = 64


def traces(
    width: int = 256,
    timescales: Sequence[float] = TIMESCALES,
    n_types: int = 1000,
    n_tokens: int = 2**16,
) -> Work:
    """Traces of random codes of one stream: ours look codes up, peers are given the vectors."""
    rng = np.random.default_rng(0)
    table = rng.standard_normal((n_types, width), dtype=np.float32)
    tokens = rng.integers(n_types, size=n_tokens).astype(np.int32)
    inputs = _Inputs(table, tokens, timescales)
    n_scales = len(timescales)
    flops, row = 3.0 * n_scales * width, 4.0 * n_scales * width
    peer = partial(Contender, result=np.asarray, most=n_tokens, flops=flops)
    ours = partial(peer, package="numba", ours=True)
    return Work(
        "traces",
        f"traces, D={width}, S={n_scales}",
        [
            ours("to DRAM", inputs.to_memory, bytes=row, limit="DRAM store",
                 note="dense_traces, into an array that is there"),
            ours("into the learner", inputs.to_learner, bytes=row, limit="L2 store",
                 note="chunk by chunk, as TraceEngine has it, to a learner that does nothing"),
            ours("state only", inputs.state_only, bytes=2 * row, limit="L1 read+write",
                 note="last_traces"),
            peer("JAX scan", inputs.jax_scan, "jax"),
            peer("JAX associative scan", inputs.jax_associative, "jax"),
            peer("torch chunked matmul", inputs.torch_chunks, "torch", result=_from_chunks,
                 tolerance=1e-3),
            peer("NumPy loop", inputs.numpy_loop, "numpy"),
            peer("scipy lfilter", inputs.lfilter, "scipy", result=partial(np.stack, axis=1)),
            peer("torch loop", inputs.torch_loop, "torch"),
            peer("pandas ewm", inputs.pandas_ewm, "pandas",
                 result=lambda frames: np.stack([frame[1:] for frame in frames], axis=1)),
            peer("numbagg", inputs.numbagg, "numbagg", result=_debiased),
        ],
        size={"D": width, "S": n_scales, "V": n_types},
    )  # fmt: skip


class _Inputs:
    """The stream; one method per contender, which prepares n tokens."""

    def __init__(
        self, table: Floats, tokens: NDArray[np.int32], timescales: Sequence[float]
    ) -> None:
        self.table = aligned_copy(table)
        self.tokens, self.timescales = tokens, timescales
        alpha = 1 / np.array(timescales)
        self.alpha, self.keep = alpha.astype(np.float32), (1 - alpha).astype(np.float32)

    def vectors(self, n: int) -> Floats:
        return self.table[self.tokens[:n]]

    def to_memory(self, n: int) -> Run:
        from hebbsim.engine import dense_traces

        tokens, out = self.tokens[:n], self.room(n)
        return lambda: dense_traces(self.table, timescales=self.timescales, tokens=tokens, out=out)

    def to_learner(self, n: int) -> Run:
        from hebbsim.engine.chunks import chunk_length, through_chunks
        from hebbsim.engine.limits import learn_nothing
        from hebbsim.engine.memory import aligned_empty

        shape = len(self.keep), self.table.shape[1]
        n_inputs = shape[0] * shape[1]
        run_chunks = through_chunks(learn_nothing)
        trace, mass = np.zeros(shape, np.float32), np.zeros(shape[0], np.float32)
        starts = np.zeros(n, np.bool_)
        rows = aligned_empty((chunk_length(n_inputs) + 1, *shape))
        weights, nothing = aligned_empty((1, n_inputs)), np.empty(0, np.float32)
        post = np.empty((1, 0), np.float32)
        tokens = self.tokens[:n]

        def run() -> Floats:
            trace[:] = 0
            run_chunks(
                tokens, self.table, starts, self.keep, self.alpha, 0, trace, mass,
                np.zeros(1, np.int64), rows, weights, nothing, False, np.float32(0), nothing, post,
            )  # fmt: skip
            return trace[None]

        return run

    def state_only(self, n: int) -> Run:
        from hebbsim.engine.traces import last_traces

        tokens = self.tokens[:n]
        return lambda: last_traces(self.table, timescales=self.timescales, tokens=tokens)[None]

    def room(self, n: int) -> Floats:
        """An array for all traces, with its pages already mapped."""
        from hebbsim.engine.memory import aligned_empty

        out = aligned_empty((n, len(self.keep), self.table.shape[1]))
        out[:] = 0
        return out

    def jax_scan(self, n: int) -> Run:
        import jax
        import jax.numpy as jnp

        keep, alpha = jnp.asarray(self.keep)[:, None], jnp.asarray(self.alpha)[:, None]

        def step(trace: Any, x: Any) -> tuple[Any, Any]:
            trace = keep * trace + alpha * x
            return trace, trace

        start = jnp.zeros((len(self.keep), self.table.shape[1]))
        scan = jax.jit(lambda x: jax.lax.scan(step, start, x)[1])
        x = jnp.asarray(self.vectors(n))
        return lambda: scan(x).block_until_ready()

    def jax_associative(self, n: int) -> Run:
        import jax
        import jax.numpy as jnp

        keep, alpha = jnp.asarray(self.keep)[:, None], jnp.asarray(self.alpha)[:, None]

        def join(left: Any, right: Any) -> tuple[Any, Any]:
            return left[0] * right[0], right[0] * left[1] + right[1]

        @jax.jit
        def scan(x: Any) -> Any:
            decay = jnp.broadcast_to(keep, (len(x), *keep.shape))
            return jax.lax.associative_scan(join, (decay, alpha * x[:, None]))[1]

        x = jnp.asarray(self.vectors(n))
        return lambda: scan(x).block_until_ready()

    def torch_chunks(self, n: int) -> Run:
        """Within a chunk, traces are a matrix of all timescales times the inputs."""
        import torch

        scales = len(self.keep)
        lag = np.arange(CHUNK)[:, None] - np.arange(CHUNK)
        lower = np.where(lag >= 0, self.keep[:, None, None] ** np.maximum(lag, 0), 0)
        within = torch.from_numpy((self.alpha[:, None, None] * lower).astype(np.float32))
        within = within.reshape(scales * CHUNK, CHUNK)
        decay = torch.from_numpy(self.keep[:, None] ** np.arange(1, CHUNK + 1, dtype=np.float32))
        whole = -(-n // CHUNK)
        x = torch.zeros((whole * CHUNK, self.table.shape[1]))
        x[:n] = torch.from_numpy(self.vectors(n))
        out = torch.zeros((whole, scales, CHUNK, x.shape[1]))

        def run() -> Any:
            trace = torch.zeros((scales, x.shape[1]))
            for c, chunk in enumerate(x.split(CHUNK)):
                torch.mm(within, chunk, out=out[c].view(scales * CHUNK, -1))
                out[c].addcmul_(decay[:, :, None], trace[:, None])
                trace = out[c, :, -1]
            return out

        return run

    def numpy_loop(self, n: int) -> Run:
        x, keep, alpha, out = self.vectors(n), self.keep[:, None], self.alpha[:, None], self.room(n)

        def run() -> Floats:
            trace = np.zeros(out.shape[1:], np.float32)
            for t in range(n):
                trace *= keep
                trace += alpha * x[t]
                out[t] = trace
            return out

        return run

    def torch_loop(self, n: int) -> Run:
        import torch

        x = torch.from_numpy(self.vectors(n))
        keep = torch.from_numpy(self.keep[:, None])
        alpha = torch.from_numpy(self.alpha[:, None])
        out = torch.from_numpy(self.room(n))

        def run() -> Any:
            trace = torch.zeros((len(keep), x.shape[1]))
            for t in range(n):
                trace.mul_(keep).addcmul_(alpha, x[t])
                out[t] = trace
            return out

        return run

    def lfilter(self, n: int) -> Run:
        from scipy.signal import lfilter

        x = self.vectors(n)
        coefficients = [
            (np.array([a], np.float32), np.array([1, -k], np.float32))
            for a, k in zip(self.alpha, self.keep, strict=True)
        ]
        return lambda: [lfilter(b, a, x, axis=0) for b, a in coefficients]

    def pandas_ewm(self, n: int) -> Run:
        """Its traces start at the first input, hence a row of zeros before it."""
        import pandas as pd

        frame = pd.DataFrame(np.vstack([np.zeros((1, self.table.shape[1])), self.vectors(n)]))
        return lambda: [frame.ewm(alpha=float(a), adjust=False).mean() for a in self.alpha]

    def numbagg(self, n: int) -> Run:
        """Divides by the mass of the trace, as start-up ``debias`` does."""
        import numbagg

        x = np.ascontiguousarray(self.vectors(n).T)
        return lambda: (
            [numbagg.move_exp_nanmean(x, alpha=float(a)) for a in self.alpha],
            self.keep,
        )


# Results, shape=(T, S, D) ------------------------------------------------------------------


def _from_chunks(result: Any) -> Floats:
    chunks, scales, length, width = result.shape
    return np.asarray(result).swapaxes(1, 2).reshape(chunks * length, scales, width)


def _debiased(result: Any) -> Floats:
    means, keep = result
    age = np.arange(1, means[0].shape[1] + 1)
    mass = [1 - np.float64(k) ** age for k in keep]
    return np.stack([(m * w).T for m, w in zip(means, mass, strict=True)], axis=1)
