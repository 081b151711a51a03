"""Learners of the roles experiment that learn in shards on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.experiments.workers import DaskWorkers, open_dask
from hebbsim.models.sharded import Shards, fit_shards

__all__ = ["sharded_learners"]


def sharded_learners(
    make: Callable[[int], Any],
    seeds: int,
    sentences: Sequence[Sequence[str]],
    *,
    text: Sequence[Path],
    reading: Mapping[str, Any],
    shards: int,
    scheduler: str | None,
    say: Callable[[str], object],
) -> Iterator[tuple[int, Callable[[], Any]]]:
    """What gives the learner of every seed, in order, each fitted on all workers of a cluster.

    Parameters
    ----------
    make : callable
        Gives the learner of a seed, yet to learn.
    seeds : int
    sentences, text, reading, shards
        See `hebbsim.models.sharded.Shards`.
    scheduler : str, optional
        See `open_dask`; a local cluster has no more workers than shards.
    say : callable
        Given a line when a pass over the text begins.
    """
    if any(str(path) == "-" for path in text):
        raise BadInputError("--text -: workers cannot read standard input; name files")
    with open_dask(scheduler, min(shards, os.cpu_count() or 1)) as client:
        common = Shards(
            DaskWorkers(client),
            sentences,
            shards,
            text=[Path(p).resolve() for p in text],
            reading=reading,
        )
        for seed in range(seeds):
            yield seed, partial(_fitted, make, seed, common, say)


def _fitted(
    make: Callable[[int], Any], seed: int, shards: Shards, say: Callable[[str], object]
) -> Any:
    shards.say = lambda line: say(f"seed {seed}: {line}")
    return fit_shards(make(seed), shards)
