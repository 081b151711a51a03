"""Learning from a stream of any length in constant memory: `hebbsim run stream`.

>>> results = run_stream(learner="engine", tokens=20_000, chunk_tokens=5_000, dim=8)
>>> [chunk.n_tokens >= 5_000 for chunk in results.tables["stream"]][:2]
[True, True]
"""

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.data import take_tokens
from hebbsim.experiments.stream.config import StreamConfig
from hebbsim.experiments.stream.learners import LEARNERS, ScoredCorpus, state_digest
from hebbsim.experiments.stream.source import TokenStream
from hebbsim.interrupts import defer_signals
from hebbsim.runs.costs import resident
from hebbsim.runs.results import Progress, Results, Row, provenance
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function

_KIND = "hebbsim.stream/1"


@dataclass(frozen=True)
class Chunk:
    """Measurements after one chunk: a row of ``stream.csv``."""

    #: Tokens learned so far.
    tokens: int
    #: CPU seconds for reading and learning this chunk.
    seconds: float
    #: Tokens in this chunk.
    n_tokens: int
    #: Resident memory of the process in MB (2**20 bytes); 0 if unknown.
    memory: float
    #: Words in the vocabulary.
    types: int
    #: On test of the scored corpus; None without one, and before the first clusters.
    accuracy: float | None = None


@run_function(StreamConfig)
def run_stream(config: StreamConfig, cache: RunCache, progress: Progress) -> Results:
    """Learn from a stream, measure time and memory along it, and save the learner.

    Rows ``microseconds_per_token``, ``memory`` (at the end), ``memory_slope`` (MB per million
    tokens, over the second half of the stream) and, with a scored corpus, ``accuracy`` after every
    chunk; the table ``stream`` has a `Chunk` per row. A note has the SHA-256 of the learner's
    state, by which two runs can be compared. The run folder also receives ``learner.safetensors``.
    """
    with threadpool_limits(1):
        return _Run(config, cache, progress).results()


class _Run:
    """One pass over the stream, starting at the last checkpoint."""

    def __init__(self, config: StreamConfig, cache: RunCache, progress: Progress) -> None:
        self.config, self.progress = config, progress
        self.source = TokenStream(config)
        self.scored = None if config.score is None else ScoredCorpus(config.score)
        inputs = self.source.inputs | (self.scored.corpus.sha256 if self.scored else {})
        self.begun = Results(
            experiment="stream",
            config=config.resolved(),
            provenance=provenance(inputs=inputs, seeds=[config.seed], rules=config.rules),
        )
        cache.begin(self.begun.experiment, self.begun.config, self.begun.provenance)
        self.states = cache.checkpoints("stream", _KIND)
        self.learner = LEARNERS[config.learner](config)
        self.chunks: list[Chunk] = []
        self.sentences = 0
        self.learned = self.source.learned

    def results(self) -> Results:
        config = self.config
        self.restore()
        saved = self.position
        repeat = config.tokens is not None
        source = self.source.sentences(self.sentences, self.learned, repeat=repeat)
        try:
            while config.tokens is None or self.position < config.tokens:
                began = time.process_time()
                chunk = take_tokens(source, config.chunk_tokens)
                if not chunk:
                    break
                with defer_signals():  # a chunk is learned and counted as a whole
                    self.learner.learn(chunk)
                    self.source.note(chunk)
                    self.sentences += len(chunk)
                    n_tokens = sum(map(len, chunk))
                    measured = Chunk(
                        tokens=self.position + n_tokens,
                        seconds=time.process_time() - began,
                        n_tokens=n_tokens,
                        memory=resident() / 2**20,
                        types=self.learner.n_types,
                        accuracy=self.scored.accuracy(self.learner) if self.scored else None,
                    )
                    self.chunks.append(measured)
                self.tell(None)
                if self.position - saved >= config.checkpoint_every:
                    self.save()
                    saved = self.position
        except BaseException:
            if self.position > saved:
                self.save()
            raise
        if not self.chunks:
            raise BadInputError(f"--corpus {' '.join(config.corpus)}: no text in it")
        return self.measured()

    @property
    def position(self) -> int:
        """Tokens learned so far."""
        return self.chunks[-1].tokens if self.chunks else 0

    def tell(self, line: str | None) -> None:
        self.progress(line, self.position, self.config.tokens or 0)

    def save(self) -> None:
        if self.states is None:
            return
        arrays, learner = self.learner.state()
        about = {
            "learner": learner,
            "chunks": [astuple(chunk) for chunk in self.chunks],
            "sentences": self.sentences,
            "learned": self.source.learned,
        }
        with defer_signals():
            self.states.save(self.position, arrays, about)
        self.tell(f"checkpoint at {self.position:,} tokens")

    def restore(self) -> None:
        if self.states is None or (content := self.states.load()) is None:
            return
        arrays, about = content
        try:
            self.learner.restore(arrays, about["learner"])
            self.chunks = [Chunk(*row) for row in about["chunks"]]
            self.sentences = about["sentences"]
            self.learned = about["learned"]
        except (KeyError, TypeError) as error:
            raise BadInputError(
                f"{self.states.folder}: the last checkpoint is damaged: {error}"
            ) from None
        self.tell(f"resumed at {self.position:,} tokens")

    def measured(self) -> Results:
        results, config = self.begun, self.config
        results.tables["stream"] = self.chunks
        # The first chunk includes compilation.
        later = self.chunks[1:] or self.chunks
        costs = [1e6 * s.seconds / s.n_tokens for s in later]
        values: dict[tuple[str, str], list[Any]] = {
            ("tokens", "tokens"): [float(self.position), None, None],
            ("microseconds_per_token", "us"): np.percentile(costs, [50, 25, 75]).tolist(),
            ("memory", "MB"): [self.chunks[-1].memory, None, None],
        }
        second = self.chunks[len(self.chunks) // 2 :]
        if len(second) > 2 and second[-1].memory:
            x, y = ([getattr(s, name) for s in second] for name in ("tokens", "memory"))
            values["memory_slope", "MB a million tokens"] = slope(x, y)
        about = (self.source.name, "train", "hebbian", f"learner={config.learner}")
        results.rows += [
            Row(*about, metric, None, mean, low, high, len(self.chunks), unit)
            for (metric, unit), (mean, low, high) in values.items()
        ]
        if self.scored is not None:
            results.notes += self.scored.corpus.notes
            if self.chunks[-1].accuracy is None:
                results.notes.append(
                    f"no accuracy on {self.scored.corpus.name}: the stream ended before clusters "
                    "had formed; give a longer text, or more --tokens"
                )
            scored = (self.scored.corpus.name, "test", "hebbian")
            results.rows += [
                Row(*scored, f"K={config.clusters} tokens={chunk.tokens}", "accuracy", None,
                    chunk.accuracy, None, None, 1)
                for chunk in self.chunks if chunk.accuracy is not None
            ]  # fmt: skip
        results.notes += self.source.notes
        results.notes.append(f"state of the learner: sha256 {state_digest(*self.learner.state())}")
        results.save = lambda folder: self.learner.save(folder / "learner.safetensors")
        return results


def slope(tokens: Sequence[float], values: Sequence[float]) -> list[float]:
    """Least-squares slope per million tokens, with its 95 % interval.

    >>> slope([1e6, 2e6, 3e6], [5.0, 5.0, 5.0])
    [0.0, 0.0, 0.0]
    """
    from scipy.stats import linregress, t

    if min(values) == max(values):  # no correlation, so no standard error
        return [0.0, 0.0, 0.0]
    fit = linregress(np.asarray(tokens) / 1e6, values)
    half = fit.stderr * t.ppf(0.975, len(tokens) - 2)
    return [float(fit.slope), float(fit.slope - half), float(fit.slope + half)]
