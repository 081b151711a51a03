"""Stores the learners of a roles run, with the names of their clusters."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import write_checkpoint
from hebbsim.probes import Memberships
from hebbsim.runs.results import Results
from hebbsim.runs.resume import RunCache
from hebbsim.tagging.tagger import FILE, KIND, RoleTagger


def _part(seed: int) -> str:
    return f"tagger seed={seed}"


def keep_tagger(
    cache: RunCache,
    learner: Any,
    seed: int,
    about: Results,
    sentences: list[list[str]],
    roles: NDArray[np.str_] | None = None,
    members: Sequence[Memberships] | None = None,
) -> None:
    """Name the clusters of a learner and store both in the cache; `about` describes the run."""
    if cache.folder is None or cache.has(_part(seed)):
        return
    said = {"seed": seed, "config": about.config, "provenance": about.provenance}
    tagger = RoleTagger(learner, about=said).name(sentences, roles, members=members)
    cache.put(_part(seed), *tagger.state())


def write_taggers(cache: RunCache, n_seeds: int, folder: Path) -> None:
    """Write the stored taggers: ``tagger.safetensors``, ``tagger-1.safetensors``, ..."""
    for seed in range(n_seeds):
        step = cache.get(_part(seed))
        if step is not None:
            name = FILE if seed == 0 else FILE.replace(".", f"-{seed}.")
            # Only its owner can read a checkpoint; a copy has the permissions of the folder.
            private = folder / f".{name}"
            write_checkpoint(private, KIND, step.arrays, step.document)
            shutil.copyfile(private, folder / name)
            private.unlink()
