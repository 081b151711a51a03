"""What traces lose of past tokens, and to whom: `hebbsim run identity`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hebbsim.engine.timescales import check_timescales
from hebbsim.experiments.identity_config import TIMESCALE_SETS, IdentityConfig
from hebbsim.experiments.identity_streams import Source, make_source
from hebbsim.experiments.results import (
    Clock,
    Progress,
    Results,
    Score,
    check_output,
    provenance,
    summarize,
    write_run,
)
from hebbsim.experiments.resume import Units, open_run
from hebbsim.probes.identity import (
    Channel,
    Condition,
    States,
    bigram_information,
    get_decoder,
    lag_bounds,
    make_codes,
    make_states,
    read,
    total_bound,
)

#: States read from each stream.
_PER_STREAM = 8
#: Time constants of the slowest trace that go by before the first state is read.
_WARM = 4
#: The decoder of the capacity map: the one that finds most.
_MAP_DECODER = "cancellation"


def run_identity(
    config: IdentityConfig | None = None,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    resume: bool = False,
    **options: Any,
) -> Results:
    """Decode the last tokens of a stream from trace states, and count the bits found.

    Parameters
    ----------
    config : IdentityConfig, optional
        Or its fields as keywords.
    out : path, optional
        Run folder to write; none without. An earlier run folder of that name is replaced.
    progress : callable, optional
        Receives lines and step counts while the run goes on.
    resume : bool
        Go on with what an interrupted run of the same configuration left in `out`.

    Returns
    -------
    Results
        Per decoder, condition and lag ``accuracy`` and ``bits``; per decoder and condition
        ``total_bits`` and ``lags_found`` (lags before the first whose accuracy is below one
        half), and ``excess``, the most bits above the bound at any lag. Model ``bound``
        has the most bits that are possible: by the Gaussian channel under noise, by entropy
        and by the size of the state in a number format, where ``estimate`` has those of
        Gaussian noise of the size of the rounding errors. ``stream`` has the entropy and what
        the next token tells of a token. Split ``map`` is the capacity map.

    Raises
    ------
    BadInputError
        An option, the corpus or the output folder cannot be used.

    Examples
    --------
    >>> results = run_identity(types=20, dim=32, lags=2, seeds=1, states=64, map_seeds=0,
    ...                        precision="float32", noise="none", decoders="cancellation")
    >>> [row.mean for row in results.select(model="cancellation", metric="accuracy")]
    [1.0, 1.0]
    """
    if config is None:
        config = IdentityConfig.checked(options)
    if out is not None:
        check_output(Path(out))
    clock = Clock()
    with open_run(out, resume=resume) as kept:
        source = make_source(config.stream, config.types, offline=config.offline)
        run = _Run(config, source, kept, progress or (lambda line, done, total: None))
        with threadpool_limits(1):  # BLAS sums in another order with more threads
            results = run.results()
        if out is not None:
            from hebbsim.plots.identity import draw_identity

            write_run(Path(out), results, machine=clock.machine(), draw=draw_identity)
    return results


class _Run:
    """The steps of one run and what they share."""

    def __init__(
        self, config: IdentityConfig, source: Source, kept: Units, progress: Progress
    ) -> None:
        self.config = config
        self.source = source
        self.kept = kept
        self.progress = progress
        self.scores: list[Score] = []
        self.map_seeds = min(config.map_seeds, config.seeds)
        self.done = 0
        self.total = config.seeds * len(config.conditions) * len(config.decoders)
        self.total += self.map_seeds * len(config.conditions) * len(TIMESCALE_SETS)

    def step(self, line: str | None = None) -> None:
        self.done += 1
        self.progress(line, self.done, self.total)

    def add(
        self, seed: int, model: str, words: str, metric: str, value: float, **other: str
    ) -> None:
        split, unit = other.get("split", "test"), other.get("unit", "bits")
        self.scores.append(
            Score(self.source.name, split, model, words, metric, None, seed, value, unit)
        )

    def results(self) -> Results:
        results = Results(
            experiment="identity",
            config=self.config.resolved() | {"types": len(self.source.prior)},
            provenance=provenance(inputs=self.source.sha256, seeds=range(self.config.seeds)),
        )
        self.kept.begin(results.experiment, results.config, results.provenance)
        for seed in range(self.config.seeds):
            self.stream_scores(seed)
            for condition in self.config.conditions:
                self.part(f"seed={seed} {condition.words}", self.decode, seed, condition)
        for seed in range(self.map_seeds):
            for name, taus in TIMESCALE_SETS.items():
                for condition in self.config.conditions:
                    words = f"map seed={seed} timescales={name} {condition.words}"
                    tau = check_timescales(taus)
                    self.part(words, self.map_cell, seed, name, tau, condition)
        results.rows = summarize(self.scores)
        results.tables = {"per_seed": self.scores}
        results.notes += self.notes()
        return results

    def part(self, name: str, measure: Callable[..., None], *arguments: Any) -> None:
        """The scores that a measurement adds, or that an interrupted run had of it."""
        before, done = len(self.scores), self.done

        def compute() -> list[Any]:
            measure(*arguments)
            added = self.scores[before:]
            del self.scores[before:]
            return [self.done - done, [asdict(score) for score in added]]

        steps, added = self.kept.json(name, compute)
        self.scores += [Score(**score) for score in added]
        if self.done < done + steps:
            self.done = done + steps - 1
            self.step()

    def notes(self) -> Iterator[str]:
        if len(self.source.prior) < self.config.types:
            yield f"stream {self.source.name} has {len(self.source.prior):,} types in all"
        if self.source.text is not None:
            yield (
                "the bounds are those of independent tokens; in a text, other tokens tell of a "
                "token too, so bits may exceed them"
            )

    # --- states -----------------------------------------------------------------------------

    def channel_states(
        self, seed: int, taus: NDArray[np.float64], condition: Condition, n_states: int, stage: int
    ) -> tuple[Channel, States]:
        """States, and what decoders know of them; codes depend on the seed alone."""
        config, source = self.config, self.source
        codes_rng = np.random.default_rng([seed, 0])
        codes = make_codes(len(source.prior), config.dim, codes_rng, config.codes)
        rng = np.random.default_rng([seed, 1 + stage])
        length = max(config.lags, int(np.ceil(_WARM * taus.max()))) + _PER_STREAM
        n_streams = -(-n_states // _PER_STREAM)
        tokens = source.streams(n_streams, length, rng, training=stage == 1)
        states = make_states(
            codes, tokens, taus, condition, n_last=_PER_STREAM, n_lags=config.lags, rng=rng
        )
        return Channel(codes, taus, states.noise, source.prior), states

    # --- scores -----------------------------------------------------------------------------

    def stream_scores(self, seed: int) -> None:
        """What is known of a token without any trace."""
        self.add(seed, "stream", "", "entropy", self.source.entropy)
        known = 0.0
        if self.source.text is not None:
            known = bigram_information(*self.source.halves, self.source.prior)
        self.add(seed, "stream", "", "bigram_information", known)

    def decode(self, seed: int, condition: Condition) -> None:
        """Every decoder on the same states, and the bounds."""
        config = self.config
        channel, states = self.channel_states(seed, config.taus(), condition, config.states, 0)
        words = condition.words
        capacities = lag_bounds(channel, config.lags, np.inf)
        total = total_bound(channel)
        if condition.snr is None:
            # Rounding is no Gaussian noise: what holds of it is how many states there are.
            self.bound_rows(seed, "estimate", words, capacities, total)
            capacities = np.full(config.lags, np.inf)
            total = float(condition.bits * states.values[0].size)
        self.bound_rows(seed, "bound", words, capacities, total)
        training: States | None = None
        for name in config.decoders:
            decoder = get_decoder(name)(channel, random_state=seed)
            if decoder.trained:
                if training is None:
                    _, training = self.channel_states(
                        seed, config.taus(), condition, config.training, 1
                    )
                decoder.fit(training)
            readings = [
                read(scores, states.tokens[:, lag], channel.log_prior)
                for lag, scores in enumerate(decoder.decode(states.values, config.lags))
            ]
            for lag, reading in enumerate(readings):
                at = f"lag={lag} {words}"
                self.add(seed, name, at, "accuracy", reading.accuracy, unit="fraction")
                self.add(seed, name, at, "bits", reading.bits)
            found = [reading.accuracy < 0.5 for reading in readings]
            n_found = found.index(True) if any(found) else len(found)
            self.add(seed, name, words, "total_bits", sum(r.bits for r in readings))
            # Against the entropy of the very tokens that were scored, which the mean over a
            # sample is near to but not equal.
            excess = max(
                reading.bits - min(capacity, reading.entropy)
                for reading, capacity in zip(readings, capacities, strict=True)
            )
            self.add(seed, name, words, "excess", excess)
            self.add(seed, name, words, "lags_found", n_found, unit="lags")
            self.step(f"{name}, {words}: {n_found} lags found" if seed == 0 else None)

    def bound_rows(
        self, seed: int, model: str, words: str, capacities: NDArray[np.floating], total: float
    ) -> None:
        """Most bits at each lag and over all, with the entropy of the stream."""
        bounds = np.minimum(capacities, self.source.entropy)
        for lag, bound in enumerate(bounds):
            self.add(seed, model, f"lag={lag} {words}", "bits", float(bound))
        self.add(seed, model, words, "total_bits", min(total, float(bounds.sum())))

    def map_cell(
        self, seed: int, name: str, taus: NDArray[np.float64], condition: Condition
    ) -> None:
        """Bits over all lags that the best decoder finds with a set of timescales."""
        config = self.config
        channel, states = self.channel_states(seed, taus, condition, config.states // 2, 0)
        decoder = get_decoder(_MAP_DECODER)(channel, random_state=seed)
        total = sum(
            read(scores, states.tokens[:, lag], channel.log_prior).bits
            for lag, scores in enumerate(decoder.decode(states.values, config.lags))
        )
        words = f"timescales={name} {condition.words}"
        self.add(seed, _MAP_DECODER, words, "total_bits", total, split="map")
        self.step()
