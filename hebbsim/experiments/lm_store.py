"""Packed data and trained models on disk, shared by the experiments on language models."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim.errors import BadInputError
from hebbsim.experiments.results import Progress
from hebbsim.lm.config import Preset

if TYPE_CHECKING:
    from hebbsim.experiments.lm_config import _Base
    from hebbsim.lm.packed import Tokens
    from hebbsim.lm.tokenizer import Tokenizer
    from hebbsim.lm.training import Examples, Trained

__all__ = ["Job", "Packed", "prepare", "train_all"]

#: Makes the examples to learn from and to validate on; crosses to other processes.
MakeExamples = Callable[[], "tuple[Any, Any]"]


@dataclass(frozen=True)
class Packed:
    """A packed folder and what it was made from."""

    folder: Path
    name: str
    vocabulary: int
    digest: str

    def split(self, name: str, context: int) -> Tokens:
        """Tokens of ``train``, ``validation`` or ``test``."""
        from hebbsim.lm.packed import Tokens

        return Tokens.open(self.folder, name, context, self.vocabulary)

    def tokenizer(self) -> Tokenizer:
        """What it was encoded with."""
        from hebbsim.lm.tokenizer import Tokenizer

        return Tokenizer.load(self.folder)


@dataclass(frozen=True)
class Text:
    """Training and validation splits of a packed folder: a `MakeExamples`."""

    packed: Packed
    context: int

    def __call__(self) -> tuple[Tokens, Tokens]:
        return (
            self.packed.split("train", self.context),
            self.packed.split("validation", self.context),
        )


def prepare(
    config: _Base,
    preset: Preset,
    progress: Progress,
    *,
    data: str | None = None,
    tokenizer: Tokenizer | None = None,
) -> Packed:
    """The data of a run, packed once and then used again.

    `data` and `tokenizer` in place of the configuration's make a held-out set: all of it is in
    its split ``test``.
    """
    from hebbsim.lm.packed import HELD_OUT, describe, pack
    from hebbsim.lm.sources import open_source
    from hebbsim.lm.tokenizer import Tokenizer

    held_out = HELD_OUT if data is None else 1
    source = open_source(config.source() if data is None else data)
    if tokenizer is None and config.tokenizer is not None:
        tokenizer = Tokenizer.load(config.tokenizer)
    vocabulary = preset.model.vocabulary
    # Of a stream as much as is asked for; of files everything, so that all models share it.
    limit = None if source.files or source.name == "builtin" else preset.training.tokens
    if data is not None:
        limit = None
    made_from = [source.digest(), tokenizer.digest() if tokenizer else vocabulary, limit]
    tag = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:10]
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in source.name)
    folder = config.store / "data" / f"{name}-{tag}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--store {config.store}: {error.strerror}") from None
    if rank():
        _wait(folder, limit)
    else:
        pack(
            source, folder, vocabulary=vocabulary, tokenizer=tokenizer, tokens=limit,
            held_out=held_out, say=lambda line: progress(line, 0, 0),
        )  # fmt: skip
    return Packed(folder, source.name, describe(folder)["vocabulary"], source.digest())


def rank() -> int:
    """Number of this process among those that torchrun started; 0 for one alone."""
    return int(os.environ.get("RANK", "0"))


def _wait(folder: Path, limit: int | None) -> None:
    """Until the first process has packed; torchrun ends this one where that one fails."""
    from hebbsim.lm.packed import describe

    while True:
        if (folder / "packed.json").exists():
            done = describe(folder)
            if done["complete"] or (limit and done["tokens"]["train"] >= limit):
                return
        time.sleep(1.0)


@dataclass(frozen=True)
class Job:
    """One model to train."""

    label: tuple[Any, ...]
    preset: Preset
    seed: int
    make: MakeExamples

    @property
    def updates(self) -> int:
        return self.preset.training.updates(self.preset.model.context)

    def path(self, store: Path, data: Examples) -> Path:
        """Where its checkpoint is: a name for people, and a digest of all that it depends on."""
        from hebbsim.lm.model import sized

        model = sized(self.preset.model)
        training = self.preset.training.resolved()
        for key in ("checkpoint_every", "compile"):
            training.pop(key)
        made_from = [model.resolved(), training, self.seed, data.fingerprint()]
        tag = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:10]
        name = f"{model.name}-d{model.dim}-l{model.layers}-seed{self.seed}-{tag}"
        return store / "models" / f"{name}.safetensors"


def _train(
    job: Job, store: Path, log: Path | None, report: Callable[[str | None, int, int], None]
) -> Trained:
    from hebbsim.lm.training import train

    data, validation = job.make()
    path = job.path(store, data)
    return train(
        job.preset.model, job.preset.training, data, validation, seed=job.seed, path=path,
        report=report, log=None if log is None else log / path.stem,
    )  # fmt: skip


def _train_elsewhere(job: Job, store: Path, log: Path | None) -> None:
    _train(job, store, log, lambda line, done, total: None)


def train_all(
    jobs: Sequence[Job],
    store: Path,
    progress: Progress,
    *,
    log: Path | None = None,
    workers: int = 1,
) -> Mapping[tuple[Any, ...], Trained]:
    """Every model trained, in order, by label; what the store has is loaded."""
    total = sum(job.updates for job in jobs)
    if workers > 1:
        done = 0
        # Fresh processes: torch's threads do not survive a fork.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            waiting = {pool.submit(_train_elsewhere, job, store, log): job for job in jobs}
            for future in as_completed(waiting):
                future.result()
                job = waiting[future]
                done += job.updates
                progress(f"{job.preset.model.name}, seed {job.seed}: trained", done, total)
    found = {}
    before = 0
    for job in jobs:

        def report(line: str | None, done: int, _: int, before: int = before) -> None:
            if workers == 1:
                progress(line, before + done, total)

        found[job.label] = _train(job, store, log, report)
        before += job.updates
    return found
