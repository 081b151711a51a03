"""How cost grows: time per token along one axis at a time, and memory along a stream."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from hebbsim.bench.delta import delta
from hebbsim.bench.harness import Contender, Timing, Work, slug
from hebbsim.bench.traces import traces
from hebbsim.runs.results import Row

#: Tokens per chunk of a stream.
CHUNK = 100_000


@dataclass(frozen=True)
class Axis:
    """One quantity that grows while all others are constant."""

    name: str
    values: tuple[int, ...]
    #: Name of each line, and its contender for a value.
    lines: dict[str, Callable[[int], Contender]]
    #: The value is the length of a stream, which each run reads completely.
    streamed: bool = False


def _named(work: Work, name: str) -> Contender:
    return next(c for c in work.contenders if c.name == name)


def _stream(work: Callable[..., Work], name: str) -> Callable[[int], Contender]:
    """A contender over a stream of a given length, in chunks of `CHUNK`."""

    def make(n_tokens: int) -> Contender:
        one = _named(work(n_tokens=CHUNK), name)

        def prepare(n: int) -> Callable[[], Any]:
            run = one.prepare(CHUNK)
            run()

            def stream() -> None:
                for _ in range(n // CHUNK):
                    run()

            return stream

        return replace(one, prepare=prepare, most=n_tokens)

    return make


def _timescales(n: int) -> tuple[float, ...]:
    return tuple(np.geomspace(2, 64, n).tolist())


def zipf_sentences(n_words: int, n_tokens: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Sentences of 1 to 40 words with frequencies 1 / (rank + 2.7) (Mandelbrot 1953)."""
    share = np.cumsum(1 / (np.arange(n_words) + 2.7))
    while n_tokens > 0:
        length = min(int(rng.integers(1, 41)), n_tokens)
        n_tokens -= length
        yield np.searchsorted(share, rng.random(length) * share[-1]).astype(str).tolist()


def network(
    n_words: int = 30_000, n_tokens: int = 100_000, n_clusters: int = 300, n_timescales: int = 3
) -> Contender:
    """The network of ``hebbsim run roles``, with learning in all layers."""
    from hebbsim.models import RoleNetwork

    def prepare(n: int) -> Callable[[], Any]:
        sentences = list(zipf_sentences(n_words, n, np.random.default_rng(0)))
        learner = RoleNetwork(
            timescales=_timescales(n_timescales), n_clusters=n_clusters,
            settings=[f"max_words={n_words}"],
        )  # fmt: skip
        learner.partial_fit(sentences)
        return lambda: learner.partial_fit(sentences)

    return Contender("network", prepare, "numba", True, most=n_tokens)


AXES = (
    Axis(
        "tokens",
        (200_000, 2_000_000, 20_000_000),
        {"delta rule, D=64": _stream(partial(delta, width=64), "engine, tokens in")},
        streamed=True,
    ),
    Axis(
        "vocabulary",
        (5_000, 10_000, 20_000, 50_000, 100_000, 200_000),
        {"network": lambda n: network(n_words=n)},
    ),
    Axis(
        "timescales",
        (1, 2, 4, 8, 16),
        {
            "traces": lambda n: _named(traces(timescales=_timescales(n)), "into the learner"),
            "network": lambda n: network(n_timescales=n),
        },
    ),
    Axis("K", (10, 30, 100, 300, 1000, 3000), {"network": lambda n: network(n_clusters=n)}),
    Axis(
        "dimension",
        (16, 32, 64, 128, 256, 512),
        {
            "traces": lambda n: _named(traces(width=n), "into the learner"),
            "delta rule, W D x 3D": lambda n: _named(delta(width=n), "delta rule"),
        },
    ),
)


def growth(axes: Sequence[Axis] = AXES) -> list[Work]:
    """One work per axis; its contenders are the points of the figure."""
    return [
        Work(
            f"growth/{axis.name}",
            f"cost by {axis.name}",
            [
                replace(make(value), name=f"{line} @ {value}", ours=True, result=None)
                for line, make in axis.lines.items()
                for value in axis.values
            ],
            size={"values": list(axis.values)},
            rounds=3,
            rehearsed=not axis.streamed,
            bounded=False,
            tabulate=partial(_rows, axis),
        )
        for axis in axes
    ]


def _rows(axis: Axis, work: Work, timings: Sequence[Timing]) -> list[Row]:
    """Microseconds per token at every value, and peak memory by length of a stream."""

    def row(line: str, value: int, metric: str, values: Sequence[float], unit: str) -> Row:
        return work.row("hebbian", f"line={slug(line)} value={value}", metric, values, unit)

    rows = []
    for line in axis.lines:
        for value in axis.values:
            mine = [t for t in timings if t.contender == f"{line} @ {value}"]
            microseconds = [1e6 / t.rate for t in mine]
            rows.append(row(line, value, "microseconds_per_token", microseconds, "us"))
    if axis.streamed and sys.platform == "linux":
        for value in axis.values:
            rows.append(row("peak memory", value, "peak_memory", [peak_memory(value)], "MB"))
    return rows


_STREAM = """
import sys
import numpy as np
from hebbsim.bench.growth import zipf_sentences
from hebbsim.models import RoleNetwork
learner = RoleNetwork(settings=["max_words=30000"])
rng = np.random.default_rng(0)
learner.partial_fit(zipf_sentences(200_000, int(sys.argv[1]), rng))
# Not getrusage, where a child starts with the peak of its parent.
lines = open("/proc/self/status").read().splitlines()
print(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10)
"""


def peak_memory(n_tokens: int) -> float:
    """Peak memory, in MB (2**20 bytes), of a process whose network learns so many tokens.

    It includes Python, libraries, and weights for 30,000 of the 200,000 words of the text. Linux
    only.
    """
    done = subprocess.run(
        [sys.executable, "-c", _STREAM, str(n_tokens)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)
