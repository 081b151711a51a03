"""Fits the networks of the roles experiment in shards, on a Dask cluster."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from hebbsim.engine import load_rules
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.learning import Learning
from hebbsim.models import RolePopulation
from hebbsim.models.sharded import Shards, fit_shards
from hebbsim.runs.workers import DaskWorkers, on_workers, open_dask


def sharded_learners(
    learning: Learning, n_shards: int, say: Callable[[str], object]
) -> Iterator[tuple[int, Callable[[], Any]]]:
    """Seeds in order, each with a function that returns its learner, fitted on the cluster.

    `say` receives a line when a pass over the text begins. All workers must find the rule files
    under the same paths. A local cluster has at most as many workers as shards.
    """
    config, text = learning.config, learning.text.values()
    if any(str(path) == "-" for path in text):
        raise BadInputError("--unlabeled -: workers cannot read standard input; name files")
    with open_dask(config.scheduler, min(n_shards, os.cpu_count() or 1)) as client:
        if config.rules:
            rules = [os.path.abspath(path) for path in config.rules]
            on_workers(client, "hebbsim-rules", partial(load_rules, rules))
        files = [path.resolve() for path in text]
        train = learning.sentences["train"]
        shards = Shards(DaskWorkers(client), train, n_shards, text=files, reading=config.reading)
        for seed in range(config.seeds):
            yield seed, partial(_fitted, learning.new(seed), seed, shards, say)


def _fitted(learner: Any, seed: int, shards: Shards, say: Callable[[str], object]) -> Any:
    shards.say = lambda line: say(f"seed {seed}: {line}")
    if isinstance(learner, RolePopulation):
        learner.members_ = [fit_shards(member, shards) for member in learner.draw_members()]
        return learner
    return fit_shards(learner, shards)
