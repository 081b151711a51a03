"""Work B: the delta rule at every token, which predicts its vector from its context."""

import contextlib
import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.bench.harness import TIMESCALES, Contender, Floats, Run, Work
from hebbsim.engine.memory import aligned_copy

#: Learning rate; the traces have length about one.
ETA = 0.05


def delta(width: int = 256, n_types: int = 1000, n_tokens: int = 2**14) -> Work:
    """``W += eta (x - W h) h'`` from W = 0, with the same h and x; the results are the last W."""
    from hebbsim.engine import dense_traces

    rng = np.random.default_rng(0)
    table = rng.standard_normal((n_types, width), dtype=np.float32) / np.float32(np.sqrt(width))
    tokens = rng.integers(n_types, size=n_tokens).astype(np.int32)
    context = dense_traces(
        table, timescales=TIMESCALES, tokens=tokens, include_current=False, startup="debias"
    )
    inputs = _Inputs(table, tokens, context.reshape(n_tokens, -1))
    n_weights = context[0].size * width
    peer = partial(Contender, result=np.asarray, most=n_tokens, flops=4.0 * n_weights)
    ours = partial(peer, package="numba", ours=True, bytes=8.0 * n_weights, limit="FMA peak")
    return Work(
        "delta",
        f"delta rule, W {width}x{context[0].size}, every token",
        [
            ours("delta rule", partial(inputs.rule, "learn_blocks"),
                 note="four tokens at a time, exact to rounding"),
            ours("delta rule in order", partial(inputs.rule, "learn"),
                 note="token by token, to the bit"),
            ours("engine, tokens in", inputs.engine, note="TraceEngine.run: traces, rule, checks"),
            peer("JAX scan", inputs.jax_scan, "jax"),
            peer("BLAS loop", inputs.blas_loop, "scipy"),
            peer("torch", inputs.torch_loop, "torch"),
            peer("NumPy", inputs.numpy_loop, "numpy"),
            peer("ngc-learn", inputs.ngc_learn, "ngclearn"),
            peer("nengo PES", inputs.nengo_pes, "nengo", result=None,
                 note="the same sizes and rule on rates, one step of 1 ms a token, float64"),
            peer("BindsNET", inputs.bindsnet, "bindsnet", result=None,
                 note="the same sizes, spiking units and PostPre in place of the delta rule"),
        ],
        size={"m": width, "n": context[0].size, "eta": ETA},
    )  # fmt: skip


class _Inputs:
    """Contexts and vectors of a stream; one method per contender, which prepares n tokens."""

    def __init__(self, table: Floats, tokens: NDArray[np.int32], context: Floats) -> None:
        self.table, self.tokens = table, tokens
        self.pre = aligned_copy(context)
        self.event = aligned_copy(table[tokens])
        self.shape = self.event.shape[1], self.pre.shape[1]

    def rule(self, kernel: str, n: int) -> Run:
        from hebbsim.engine import get_rule
        from hebbsim.engine.chunks import chunk_length
        from hebbsim.engine.memory import aligned_empty

        learn = getattr(get_rule("delta"), kernel)
        weights = aligned_empty(self.shape)
        length = chunk_length(self.shape[1])
        post = aligned_empty((length, self.shape[0]))
        nothing, eta = np.empty(0, np.float32), np.float32(ETA)

        def run() -> Floats:
            weights[:] = 0
            for a in range(0, n, length):
                b = min(a + length, n)
                learn(
                    weights, nothing, self.pre[a:b], self.tokens[a:b], self.table, False, eta,
                    nothing, post[: b - a],
                )  # fmt: skip
            return weights

        return run

    def engine(self, n: int) -> Run:
        from hebbsim.engine import TraceEngine

        engine = TraceEngine(
            len(self.table), embedding=self.table, timescales=TIMESCALES, rule="delta",
            eta=ETA, startup="debias",
        )  # fmt: skip
        tokens = self.tokens[:n]

        def run() -> Floats:
            engine.weights[:] = 0
            engine.end_sentence()
            return engine.run(tokens).weights

        return run

    def jax_scan(self, n: int) -> Run:
        import jax
        import jax.numpy as jnp

        def step(weights: Any, one: Any) -> tuple[Any, Any]:
            h, x = one
            y = weights @ h
            return weights + ETA * jnp.outer(x - y, h), y

        scan = jax.jit(lambda start, h, x: jax.lax.scan(step, start, (h, x))[0])
        start = jnp.zeros(self.shape)
        pre, event = jnp.asarray(self.pre[:n]), jnp.asarray(self.event[:n])
        return lambda: scan(start, pre, event).block_until_ready()

    def blas_loop(self, n: int) -> Run:
        from scipy.linalg.blas import sgemv, sger

        def run() -> Floats:
            weights = np.zeros(self.shape, np.float32, order="F")
            for h, x in zip(self.pre[:n], self.event[:n], strict=True):
                error = x - sgemv(1.0, weights, h)
                weights = sger(ETA, error, h, a=weights, overwrite_a=1)
            return weights

        return run

    def torch_loop(self, n: int) -> Run:
        import torch

        pre, event = torch.from_numpy(self.pre[:n]), torch.from_numpy(self.event[:n])

        def run() -> Any:
            weights = torch.zeros(self.shape)
            for h, x in zip(pre, event, strict=True):
                weights.addr_(x - torch.mv(weights, h), h, alpha=ETA)
            return weights

        return run

    def numpy_loop(self, n: int) -> Run:
        def run() -> Floats:
            weights = np.zeros(self.shape, np.float32)
            for h, x in zip(self.pre[:n], self.event[:n], strict=True):
                weights += np.outer(np.float32(ETA) * (x - weights @ h), h)
            return weights

        return run

    def ngc_learn(self, n: int) -> Run:
        """A Hebbian synapse whose post-synaptic signal is the error."""
        import jax.numpy as jnp

        with _silence():
            from ngclearn import Context, MethodProcess
            from ngclearn.components import HebbianSynapse
            from ngclearn.utils.distribution_generator import DistributionGenerator

            zero = DistributionGenerator.constant(0.0)
            # A unique name, because contexts live as long as the process.
            with Context(f"delta{n}"):
                synapse = HebbianSynapse(
                    "W", shape=self.shape[::-1], eta=ETA, weight_init=zero, bias_init=None,
                    w_bound=0.0, sign_value=-1.0,  # its optimizer descends
                )  # fmt: skip
                respond = MethodProcess("respond") >> synapse.advance_state
                learn = MethodProcess("learn") >> synapse.evolve
        pre, event = jnp.asarray(self.pre[:n, None]), jnp.asarray(self.event[:n, None])
        start = jnp.zeros(self.shape[::-1])

        def run() -> Any:
            synapse.weights.set(start)
            for t in range(n):
                synapse.inputs.set(pre[t])
                respond.run()
                synapse.pre.set(pre[t])
                synapse.post.set(event[t] - synapse.outputs.get())
                learn.run(dt=1.0)
            return synapse.weights.get().block_until_ready().T

        return run

    def nengo_pes(self, n: int) -> Run:
        import nengo

        pre, event = np.abs(self.pre[:n]), self.event[:n]

        def at(rows: Floats) -> Callable[[float], Floats]:
            return lambda time: rows[min(round(time * 1000) - 1, len(rows) - 1)]

        with nengo.Network(seed=0) as network:
            h, x = nengo.Node(at(pre)), nengo.Node(at(event))
            units = nengo.Ensemble(
                self.shape[1], 1, neuron_type=nengo.RectifiedLinear(),
                gain=np.ones(self.shape[1]), bias=np.zeros(self.shape[1]),
            )  # fmt: skip
            nengo.Connection(h, units.neurons, synapse=None)
            prediction, error = (nengo.Node(size_in=self.shape[0]) for _ in range(2))
            learned = nengo.Connection(
                units.neurons, prediction, synapse=None, transform=np.zeros(self.shape),
                learning_rule_type=nengo.PES(ETA, pre_synapse=None),
            )  # fmt: skip
            nengo.Connection(prediction, error, synapse=None)
            nengo.Connection(x, error, transform=-1, synapse=None)
            nengo.Connection(error, learned.learning_rule, synapse=None)
        simulator = nengo.Simulator(network, dt=0.001, progress_bar=False)

        def run() -> None:
            simulator.reset()
            simulator.run_steps(n, progress_bar=False)

        return run

    def bindsnet(self, n: int) -> Run:
        import torch

        with _silence():
            from bindsnet.learning import PostPre
            from bindsnet.network import Network
            from bindsnet.network.nodes import Input, LIFNodes
            from bindsnet.network.topology import Connection

        units, inputs = self.shape
        network = Network(dt=1.0, learning=True)
        source, target = Input(n=inputs, traces=True), LIFNodes(n=units, traces=True)
        network.add_layer(source, name="h")
        network.add_layer(target, name="y")
        network.add_connection(
            Connection(source, target, update_rule=PostPre, nu=(1e-4, 1e-2)), source="h", target="y"
        )
        spikes = torch.from_numpy(self.pre[:n, None] > 0)
        return lambda: network.run(inputs={"h": spikes}, time=n)


@contextlib.contextmanager
def _silence() -> Any:
    """Drop what a library prints while it loads."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
