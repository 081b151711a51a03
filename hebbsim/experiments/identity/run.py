"""Decodes past tokens from traces: `hebbsim run identity`.

>>> results = run_identity(vocab_size=20, dim=32, lags=2, seeds=1, states=64, map_seeds=0,
...                        precision="float32", noise="none", decoders="cancellation",
...                        structure="none", limits=False)
>>> [row.mean for row in results.select(model="cancellation", metric="accuracy")]
[1.0, 1.0]
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from hebbsim.baselines import TorchMissingError
from hebbsim.engine.timescales import check_timescales
from hebbsim.errors import BadInputError
from hebbsim.experiments.identity.config import TIMESCALE_SETS, IdentityConfig
from hebbsim.experiments.identity.limits import expansion_scores, processing_scores
from hebbsim.experiments.identity.material import (
    NETWORKS,
    Material,
    TokenSource,
    corpus_codes,
    draw_material,
    fixed_states,
    learned_codes,
    make_source,
    network_states,
)
from hebbsim.experiments.identity.structure import (
    SWEEP_LAG,
    TAUS,
    content_scores,
    plane_scores,
    structure_scores,
)
from hebbsim.probes import identity as probes
from hebbsim.probes.identity.states import Floats
from hebbsim.readers.base import Corpus
from hebbsim.runs.results import Progress, Results, Score, provenance, summarize
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function

#: Number of states read from each stream.
_PER_STREAM = 8
#: Warm-up before the first state is read, in time constants of the slowest trace.
_WARM = 4
#: Orders of the n-gram models that traces are compared with.
_ORDERS = (2, 3, 4)
#: Reasons why a memory can be left out.
_WITHOUT = {"gru": "torch is not installed", "bigru": "it needs torch and a corpus with roles"}
#: Codes of the traces that are examined closely.
_CODES_OF = {"traces": "random", "traces-learned": "learned"}
#: The random state and thread count of torch are global.
_TORCH = threading.Lock()
_DRAWING = threading.Lock()

#: Name of a step in the run cache, and the function that gives its scores.
Job = tuple[str, Callable[[], Iterator[Score]]]


@run_function(IdentityConfig)
def run_identity(config: IdentityConfig, cache: RunCache, progress: Progress) -> Results:
    """Decode the last tokens of a stream from trace states, and count the bits that are found.

    By decoder, condition and lag: ``accuracy`` and ``bits``. By decoder and condition:
    ``total_bits``, ``lags_found`` (lags before the first one with an accuracy below one half) and
    ``excess``, the largest excess of bits over the bound at any lag. Model ``bound`` has the
    largest possible number of bits: from the Gaussian channel under noise, and from the entropy and
    the size of the state in a number format. There, ``estimate`` is the bound for Gaussian noise of
    the size of the rounding errors. Model ``stream`` has the entropy, and the information that the
    next tokens carry about a token (``ngram_information``). Other splits: ``map``, the capacity
    map; ``structure`` and ``plane`` (`hebbsim.experiments.identity.structure`); ``processing`` and
    ``expansion`` (`hebbsim.experiments.identity.limits`).
    """
    source = make_source(config.stream, config.vocab_size, offline=config.offline)
    with threadpool_limits(1):  # BLAS sums in another order with more threads
        return _Run(config, source, cache, progress).results()


class _Run:
    """The jobs of one run, and the data that they share."""

    def __init__(
        self, config: IdentityConfig, source: TokenSource, cache: RunCache, progress: Progress
    ) -> None:
        self.config, self.source, self.cache, self.progress = config, source, cache, progress
        self.map_seeds = min(config.map_seeds, config.seeds)
        self.corpus = self.structure_corpus()
        self.materials: dict[int, Material] = {}
        if source.text is not None:
            first = source.halves[0]
            cut = len(first) * 9 // 10
            self.log_successor = probes.successor_model(first[:cut], first[cut:], source.prior)

    def structure_corpus(self) -> Corpus | None:
        """The corpus whose structure is read, if any."""
        name = self.config.structure
        if name == "none":
            return None
        if name == "auto" and self.source.corpus is not None:
            return self.source.corpus
        from hebbsim.readers import load_corpus

        return load_corpus("builtin" if name == "auto" else name, offline=self.config.offline)

    def score(
        self, seed: int, model: str, words: str, metric: str, value: float,
        *, split: str = "test", unit: str = "bits",
    ) -> Score:  # fmt: skip
        return Score(self.source.name, split, model, words, metric, None, seed, value, unit)

    def results(self) -> Results:
        corpora = [corpus for corpus in (self.source.corpus, self.corpus) if corpus]
        inputs = {k: v for corpus in corpora for k, v in corpus.sha256.items()}
        inputs |= self.config.digests()
        results = Results(
            experiment="identity",
            config=self.config.resolved() | {"vocab_size": len(self.source.prior)},
            provenance=provenance(inputs=inputs, seeds=range(self.config.seeds)),
            notes=list(dict.fromkeys(note for corpus in corpora for note in corpus.notes)),
        )
        self.cache.begin(results.experiment, results.config, results.provenance)
        scores = self.scores()
        results.rows = summarize(scores)
        results.tables = {"per_seed": scores}
        results.notes += self.notes(scores)
        return results

    def scores(self) -> list[Score]:
        """The scores of all jobs, in order."""
        jobs = list(self.jobs())
        done: list[list[Score]] = []
        self.progress(None, 0, len(jobs))
        # Jobs are independent, so results do not depend on the number of threads.
        pool, wait = ThreadPoolExecutor(self.config.workers), True
        try:
            for future in [pool.submit(self.part, *job) for job in jobs]:
                done.append(future.result())
                self.progress(self.line(done[-1]), len(done), len(jobs))
        except KeyboardInterrupt:
            wait = False  # the process is about to end
            raise
        finally:
            pool.shutdown(wait=wait, cancel_futures=True)
        return [score for part in done for score in part]

    def part(self, name: str, job: Callable[[], Iterator[Score]]) -> list[Score]:
        """The scores of a job, computed or from the cache of an interrupted run."""
        found = self.cache.json(name, lambda: [asdict(score) for score in job()])
        return [Score(**score) for score in found]

    def jobs(self) -> Iterator[Job]:
        """All jobs, slow ones first."""
        config = self.config
        for seed in range(config.seeds):
            at = f"seed={seed}"
            if self.corpus is not None:
                # GRUs wait for one another, so other jobs are placed between them.
                for name in config.memories:
                    if name != "bigru" or self.corpus.layer is not None:
                        yield f"{at} memory={name}", partial(self.memory, seed, name)
                for model in _CODES_OF:
                    yield f"{at} sweep={model}", partial(self.sweep, seed, model)
            yield f"{at} stream", partial(self.stream_scores, seed)
            if config.limits:
                taus = config.taus()
                yield f"{at} processing", partial(processing_scores, self.source.name, taus, seed)
            for condition in config.conditions:
                yield f"{at} {condition.words}", partial(self.decode, seed, condition)
            if seed < self.map_seeds:
                for name, row in TIMESCALE_SETS.items():
                    taus = check_timescales(row)
                    yield f"{at} map timescales={name}", partial(self.map_row, seed, name, taus)
        if config.limits:
            yield "expansion", partial(expansion_scores, self.source.name)

    @staticmethod
    def line(scores: list[Score]) -> str | None:
        """A progress line for a job of seed 0."""
        found = [s for s in scores if s.metric == "lags_found" and s.seed == 0]
        return "\n".join(f"{s.model}, {s.condition}: {s.value:g} lags found" for s in found) or None

    def notes(self, scores: list[Score]) -> Iterator[str]:
        if len(self.source.prior) < self.config.vocab_size:
            yield f"stream {self.source.name} has {len(self.source.prior):,} types in all"
        if self.source.text is not None:
            yield (
                "the bounds assume independent tokens; in a text, other tokens also carry "
                "information about a token, so bits may exceed them"
            )
        if self.corpus is not None:
            for name in sorted(set(self.config.memories) - {score.model for score in scores}):
                yield f"memory {name} is left out: {_WITHOUT[name]}"

    def channel_states(
        self, seed: int, taus: Floats, condition: probes.Condition, n_states: int, stage: int
    ) -> tuple[probes.Channel, probes.States]:
        """States, and the channel that decoders know; codes depend on the seed only."""
        config, source = self.config, self.source
        codes = self.codes(seed)
        rng = np.random.default_rng([seed, 1 + stage])
        length = max(config.lags, int(np.ceil(_WARM * taus.max()))) + _PER_STREAM
        n_streams = -(-n_states // _PER_STREAM)
        tokens = source.streams(n_streams, length, rng, training=stage == 1)
        states = probes.make_states(
            codes, tokens, taus, condition, n_last=_PER_STREAM, n_lags=config.lags, rng=rng
        )
        known = None if source.text is None else self.log_successor
        return probes.Channel(codes, taus, states.noise, source.prior, log_successor=known), states

    def codes(self, seed: int) -> Floats:
        """Codes of the types, shape=(V, D)."""
        config, source = self.config, self.source
        rng = np.random.default_rng([seed, 0])
        if config.codes != "learned":
            return probes.make_codes(len(source.prior), config.dim, rng, config.codes)
        if source.text is None:
            raise BadInputError(
                f"--codes learned: there is nothing to learn from a {source.name} stream; "
                "name a corpus with --stream"
            )
        return learned_codes(source.halves[0], len(source.prior), config.dim, rng, None)

    def stream_scores(self, seed: int) -> Iterator[Score]:
        """Information about a token that is available without traces."""
        yield self.score(seed, "stream", "", "entropy", self.source.entropy)
        for order in _ORDERS:
            known = 0.0
            if self.source.text is not None:
                known = probes.ngram_information(*self.source.halves, self.source.prior, order)
            yield self.score(seed, "stream", f"order={order}", "ngram_information", known)

    def decode(self, seed: int, condition: probes.Condition) -> Iterator[Score]:
        """Every decoder on the same states, and the bounds."""
        config = self.config
        channel, states = self.channel_states(seed, config.taus(), condition, config.states, 0)
        words = condition.words
        capacities = probes.lag_bounds(channel, config.lags, np.inf)
        total = probes.total_bound(channel)
        if condition.snr is None:
            # Rounding is not Gaussian noise; only the number of states bounds the bits.
            yield from self.bound_rows(seed, "estimate", words, capacities, total)
            capacities = np.full(config.lags, np.inf)
            total = float(condition.bits * states.values[0].size)
        yield from self.bound_rows(seed, "bound", words, capacities, total)
        training: probes.States | None = None
        for name in config.decoders:
            decoder = probes.get_decoder(name)(channel, random_state=seed)
            if decoder.trained:
                if training is None:
                    _, training = self.channel_states(
                        seed, config.taus(), condition, config.training, 1
                    )
                with _TORCH if name == "mlp" else nullcontext():
                    decoder.fit(training)
            readings, beyond = [], []
            for lag, scores in enumerate(decoder.decode(states.values, config.lags)):
                readings.append(probes.read(scores, states.tokens[:, lag], channel.log_prior))
                if channel.log_successor is not None and name != "language" and lag:
                    known = channel.log_successor[states.tokens[:, lag - 1]]
                    beyond.append(probes.read(scores, states.tokens[:, lag], known).bits)
            for lag, reading in enumerate(readings):
                at = f"lag={lag} {words}"
                yield self.score(seed, name, at, "accuracy", reading.accuracy, unit="fraction")
                yield self.score(seed, name, at, "bits", reading.bits)
            for lag, bits in enumerate(beyond, 1):
                yield self.score(seed, name, f"lag={lag} {words}", "bits_beyond_bigram", bits)
            if beyond:
                # At lag 0 no later token is known.
                total_beyond = readings[0].bits + sum(beyond)
                yield self.score(seed, name, words, "total_beyond_bigram", total_beyond)
            lost = (lag for lag, reading in enumerate(readings) if reading.accuracy < 0.5)
            n_found = next(lost, len(readings))
            yield self.score(seed, name, words, "total_bits", sum(r.bits for r in readings))
            # Relative to the entropy of the scored sample, not of the source.
            excess = max(
                reading.bits - min(capacity, reading.entropy)
                for reading, capacity in zip(readings, capacities, strict=True)
            )
            yield self.score(seed, name, words, "excess", excess)
            yield self.score(seed, name, words, "lags_found", n_found, unit="lags")

    def bound_rows(
        self, seed: int, model: str, words: str, capacities: Floats, total: float
    ) -> Iterator[Score]:
        """Bounds of the bits at each lag and in total."""
        bounds = np.minimum(capacities, self.source.entropy)
        for lag, bound in enumerate(bounds):
            yield self.score(seed, model, f"lag={lag} {words}", "bits", float(bound))
        yield self.score(seed, model, words, "total_bits", min(total, float(bounds.sum())))

    def map_row(self, seed: int, name: str, taus: Floats) -> Iterator[Score]:
        """Total bits with a set of timescales, in every condition."""
        config = self.config
        for condition in config.conditions:
            channel, states = self.channel_states(seed, taus, condition, config.states // 2, 0)
            decoder = probes.get_decoder(config.map_decoder)(channel, random_state=seed)
            total = sum(
                probes.read(scores, states.tokens[:, lag], channel.log_prior).bits
                for lag, scores in enumerate(decoder.decode(states.values, config.lags))
            )
            words = f"timescales={name} {condition.words}"
            yield self.score(seed, config.map_decoder, words, "total_bits", total, split="map")

    def material(self, seed: int) -> Material:
        """The sentences of a seed, drawn once and shared by all memories."""
        with _DRAWING:
            if seed not in self.materials:
                assert self.corpus is not None
                self.materials[seed] = draw_material(self.corpus, self.config, seed)
            return self.materials[seed]

    def memory(self, seed: int, name: str) -> Iterator[Score]:
        """Score every property at every lag, from one memory."""
        assert self.corpus is not None
        config, material = self.config, self.material(seed)
        if name in NETWORKS:
            size = config.dim * len(config.timescales)
            try:
                with _TORCH:
                    states = network_states(name, self.corpus, material, size, seed)
            except TorchMissingError:
                return
        else:
            codes = corpus_codes(material, config.dim, seed, _CODES_OF.get(name, "random"))
            states = fixed_states(
                name.removesuffix("-learned"), material, codes, config.taus(), seed
            )
        yield from structure_scores(self.corpus, material, states, name, seed, probe=config.probe)

    def sweep(self, seed: int, model: str) -> Iterator[Score]:
        """Score word and past alone, single traces by timescale, and cancellation."""
        assert self.corpus is not None
        config, material = self.config, self.material(seed)
        codes = corpus_codes(material, config.dim, seed, _CODES_OF[model])
        states = fixed_states("traces", material, codes, config.taus(), seed)
        yield from plane_scores(self.corpus, material, states, model, seed, config.probe)
        if model == "traces":
            yield from content_scores(
                self.corpus.name, material, codes, config.taus(), seed, config.states
            )
        for tau in TAUS:
            states = fixed_states("traces", material, codes, np.array([float(tau)]), seed)
            yield from structure_scores(
                self.corpus, material, states, model, seed, probe=config.probe,
                lags=(SWEEP_LAG,), words=f" timescales={tau}", control=False,
            )  # fmt: skip
