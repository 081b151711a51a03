"""Work D: competition for prototypes, one input at a time; the winner moves before the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.bench.harness import Contender
from hebbsim.bench.work import Work

__all__ = ["compete"]

#: Inputs of a batch, where a peer takes batches.
BATCH = 1024

Floats = NDArray[np.float32]
Run = Callable[[], Any]


def compete(n_prototypes: int = 100, width: int = 500, n_tokens: int = 2**15) -> Work:
    """Plain winner-take-all (MacQueen 1967) on noisy copies of twice as many centres.

    ``p += (x - p) / wins`` for the closest p. What is compared is the prototypes after the
    last input; all start at the same inputs.
    """
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((2 * n_prototypes, width), dtype=np.float32)
    x = centres[rng.integers(len(centres), size=n_tokens)]
    x += 0.5 * rng.standard_normal(x.shape, dtype=np.float32)
    inputs = _Inputs(x, n_prototypes)
    common: dict[str, Any] = {"most": n_tokens, "flops": 2.0 * n_prototypes * width + 5.0 * width}

    def peer(name: str, package: str, prepare: Callable[[int], Run], **options: Any) -> Contender:
        return Contender(name, prepare, package, **{"result": np.asarray, **common, **options})

    return Work(
        "compete",
        f"competition, {width} features, K={n_prototypes}, online",
        [
            Contender("competition", inputs.ours, "numba", True, np.asarray,
                      bytes=4.0 * n_prototypes * width, limit="prototypes read", **common),
            peer("sklearn MiniBatchKMeans", "sklearn", inputs.sklearn, result=None,
                 note=f"partial_fit on batches of {BATCH}: not online"),
            peer("NumPy", "numpy", inputs.numpy_loop),
            peer("JAX scan", "jax", inputs.jax_scan),
            peer("torch", "torch", inputs.torch_loop),
            peer("river KMeans", "river", inputs.river, result=None,
                 note="inputs as dictionaries; a step of constant size"),
        ],
        size={"K": n_prototypes, "D": width},
    )  # fmt: skip


class _Inputs:
    """The inputs, and each contender's way through them."""

    def __init__(self, x: Floats, n_prototypes: int) -> None:
        self.x = x
        self.start = x[:n_prototypes].copy()

    def ours(self, n: int) -> Run:
        from hebbsim.engine.competition import compete

        k = len(self.start)
        order = np.arange(n)

        def run() -> Floats:
            prototypes = self.start.copy()
            squares = np.einsum("kd,kd->k", prototypes, prototypes)
            wins, share = np.ones(k), np.full(k, 1 / k, np.float32)
            compete(
                self.x, order, np.float32(0), 1e9, prototypes, squares, wins, share,
                np.zeros(1, np.float32),
            )  # fmt: skip
            return prototypes

        return run

    def numpy_loop(self, n: int) -> Run:
        """Squared norms are kept, so that distances are one product of matrix and vector."""

        def run() -> Floats:
            prototypes = self.start.copy()
            squares = (prototypes**2).sum(axis=1)
            wins = np.ones(len(prototypes), np.float32)
            for x in self.x[:n]:
                k = int(np.argmax(2 * (prototypes @ x) - squares))
                wins[k] += 1
                p = prototypes[k]
                p += (x - p) / wins[k]
                squares[k] = p @ p
            return prototypes

        return run

    def torch_loop(self, n: int) -> Run:
        import torch

        rows, start = torch.from_numpy(self.x[:n]), torch.from_numpy(self.start)

        def run() -> Any:
            prototypes = start.clone()
            squares = (prototypes**2).sum(dim=1)
            wins = [1] * len(prototypes)
            for x in rows:
                k = int(torch.argmax(2 * torch.mv(prototypes, x) - squares))
                wins[k] += 1
                p = prototypes[k]
                p.lerp_(x, 1 / wins[k])
                squares[k] = torch.dot(p, p)
            return prototypes

        return run

    def jax_scan(self, n: int) -> Run:
        import jax
        import jax.numpy as jnp

        def step(state: Any, x: Any) -> tuple[Any, None]:
            prototypes, squares, wins = state
            k = jnp.argmax(2 * (prototypes @ x) - squares)
            wins = wins.at[k].add(1)
            p = prototypes[k] + (x - prototypes[k]) / wins[k]
            return (prototypes.at[k].set(p), squares.at[k].set(p @ p), wins), None

        start = jnp.asarray(self.start)
        state = start, (start**2).sum(axis=1), jnp.ones(len(start))
        scan = jax.jit(lambda state, x: jax.lax.scan(step, state, x)[0][0])
        x = jnp.asarray(self.x[:n])
        return lambda: scan(state, x).block_until_ready()

    def sklearn(self, n: int) -> Run:
        from sklearn.cluster import MiniBatchKMeans

        batches = [self.x[a : a + BATCH] for a in range(0, n, BATCH)]

        def run() -> None:
            model = MiniBatchKMeans(
                len(self.start), init=self.start, n_init=1, batch_size=BATCH, random_state=0
            )
            for batch in batches:
                model.partial_fit(batch)

        return run

    def river(self, n: int) -> Run:
        from river import cluster

        rows = [dict(enumerate(x.tolist())) for x in self.x[:n]]

        def run() -> None:
            model = cluster.KMeans(n_clusters=len(self.start), halflife=0.5, seed=0)
            for row in rows:
                model.learn_one(row)

        return run
