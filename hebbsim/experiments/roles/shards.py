"""Networks of the roles experiment that learn in shards on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.models import RolePopulation
from hebbsim.models.sharded import Shards, fit_shards
from hebbsim.runs.workers import DaskWorkers, open_dask


def sharded_learners(
    make: Callable[[int], Any],
    seeds: int,
    sentences: Sequence[Sequence[str]],
    *,
    text: Sequence[Path],
    reading: Mapping[str, Any],
    rules: Sequence[str | os.PathLike[str]],
    shards: int,
    scheduler: str | None,
    say: Callable[[str], object],
) -> Iterator[tuple[int, Callable[[], Any]]]:
    """What gives the learner of every seed, in order, each fitted on all workers of a cluster.

    `make` gives the learner of a seed, yet to learn; `say` gets a line when a pass over the text
    begins. All workers find the files of `rules` under their paths. A local cluster has no more
    workers than shards.
    """
    if any(str(path) == "-" for path in text):
        raise BadInputError("--unlabeled -: workers cannot read standard input; name files")
    with open_dask(scheduler, min(shards, os.cpu_count() or 1)) as client:
        if rules:
            _load_on_workers(client, [os.path.abspath(path) for path in rules])
        common = Shards(
            DaskWorkers(client),
            sentences,
            shards,
            text=[Path(p).resolve() for p in text],
            reading=reading,
        )
        for seed in range(seeds):
            yield seed, partial(_fitted, make, seed, common, say)


def _load_on_workers(client: Any, rules: Sequence[str]) -> None:
    """Have rules loaded by the workers that there are, and by those that come in their place."""
    from distributed.diagnostics.plugin import WorkerPlugin

    class Rules(WorkerPlugin):
        name = "hebbsim-rules"

        def setup(self, worker: Any) -> None:
            from hebbsim.engine import load_rules

            load_rules(rules)

    client.register_plugin(Rules())


def _fitted(
    make: Callable[[int], Any], seed: int, shards: Shards, say: Callable[[str], object]
) -> Any:
    shards.say = lambda line: say(f"seed {seed}: {line}")
    learner = make(seed)
    if isinstance(learner, RolePopulation):
        learner.members_ = [fit_shards(member, shards) for member in learner.draw_members()]
        return learner
    return fit_shards(learner, shards)
