"""The store of packed text and trained models, shared by experiments on language models."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim.errors import BadInputError
from hebbsim.experiments.language_models.config import _Base
from hebbsim.lm.config import Preset
from hebbsim.lm.packed import HELD_OUT, Tokens, describe, held_out_of, pack, suffices
from hebbsim.lm.sources import open_source
from hebbsim.lm.tokenizer import Tokenizer
from hebbsim.runs.results import Progress
from hebbsim.runs.run_function import rank

if TYPE_CHECKING:
    from hebbsim.lm.training import Examples, Trained

#: Seconds between two progress reports of a process.
_EVERY = 0.2
#: Fewest tokens to learn for which starting processes saves time.
_WORTH_A_PROCESS = 100_000
#: Most parameters of models that are computed side by side; larger ones keep a machine busy alone.
_TOGETHER = 30_000_000


@dataclass(frozen=True)
class Packed:
    """A folder of packed text, and what it was made from."""

    folder: Path
    name: str
    vocabulary: int
    digest: str
    held_out: int

    def check(self, context: int) -> None:
        """Raise BadInputError if a split has no row of `context` tokens."""
        tokens = describe(self.folder)["tokens"]
        short = [name for name, n in tokens.items() if n <= context]
        if short:
            found = ", ".join(f"{n:,} in {name}" for name, n in tokens.items())
            least = 2 * self.held_out * (context + 1)  # pieces are of unequal size
            raise BadInputError(
                f"--data {self.name}: too little text, or too few lines, for one row of {context} "
                f"tokens in {' and '.join(short)} ({found}; one piece in {self.held_out} is held "
                f"out for validation, one for test): give about {least:,} tokens "
                f"({4 * least // 1000:,} KB), in lines, or a shorter --context"
            )

    def split(self, name: str, context: int) -> Tokens:
        """Tokens of ``train``, ``validation`` or ``test``."""
        return Tokens.open(self.folder, name, context, self.vocabulary)

    def examples(self, context: int) -> tuple[Tokens, Tokens]:
        """Tokens to learn from and to validate on."""
        return self.split("train", context), self.split("validation", context)

    def tokenizer(self) -> Tokenizer:
        """The tokenizer that encoded it."""
        return Tokenizer.load(self.folder)


def prepare(
    config: _Base,
    preset: Preset,
    progress: Progress,
    *,
    data: str | None = None,
    tokenizer: Tokenizer | None = None,
) -> Packed:
    """Pack the data of a run if needed; with `data` and `tokenizer`, all is split ``test``."""
    source = open_source(config.source() if data is None else data, config.field)
    source, held_out = held_out_of(source) if data is None else (source, 1)
    if tokenizer is None and config.tokenizer is not None:
        tokenizer = Tokenizer.load(config.tokenizer)
    vocabulary = preset.model.vocabulary
    # Take all of a file, so that all models share it, but only what is needed of a stream.
    whole = data is not None or source.files or source.name == "builtin"
    limit = None if whole else preset.training.tokens
    made_from = [source.digest(), tokenizer.digest() if tokenizer else vocabulary, limit]
    made_from += [held_out] if held_out not in (1, HELD_OUT) else []
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
    return Packed(folder, source.name, describe(folder)["vocabulary"], source.digest(), held_out)


def _wait(folder: Path, limit: int | None) -> None:
    """Wait until the first process has packed; if it fails, torchrun ends this one."""
    while not ((folder / "packed.json").exists() and suffices(describe(folder), limit)):
        time.sleep(1.0)


@dataclass(frozen=True)
class Job:
    """One model to train."""

    label: tuple[Any, ...]
    preset: Preset
    seed: int
    #: Makes the examples to learn from and to validate on; picklable.
    make: Callable[[], tuple[Any, Any]]

    @property
    def updates(self) -> int:
        return self.preset.training.updates(self.preset.model.context)

    def path(self, store: Path, data: Examples) -> Path:
        """Path of its checkpoint: a readable name and a digest of everything that it depends on."""
        from hebbsim.lm.model import sized

        model = sized(self.preset.model)
        neutral = {"checkpoint_every", "compile"}
        training = self.preset.training.model_dump(mode="json", exclude=neutral)
        made_from = [model.resolved(), training, self.seed, data.fingerprint()]
        tag = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:10]
        name = f"{model.name}-d{model.dim}-l{model.layers}-seed{self.seed}-{tag}"
        return store / "models" / f"{name}.safetensors"


def _train(jobs: Sequence[Job], store: Path, log: Path | None, report: Progress) -> list[Trained]:
    """Train models of one shape side by side."""
    from hebbsim.lm.training import Member, train

    members = []
    for job in jobs:
        data, validation = job.make()
        path = job.path(store, data)
        at = None if log is None else log / path.stem
        members.append(Member(job.preset.training, data, validation, job.seed, path, at))
    return train(jobs[0].preset.model, members, report=report)


def _batches(jobs: Sequence[Job], workers: int) -> list[list[Job]]:
    """Group jobs of one shape to compute side by side, in enough batches for the workers."""
    from hebbsim.lm.model import count_parameters

    shapes: dict[str, list[Job]] = {}
    for job in jobs:
        training = job.preset.training.model_dump(mode="json", exclude={"learning_rate"})
        shape = json.dumps([job.preset.model.resolved(), training], sort_keys=True)
        shapes.setdefault(shape, []).append(job)
    found = []
    for alike in shapes.values():
        parts = max(
            -(-workers // len(shapes)),
            -(-len(alike) * count_parameters(alike[0].preset.model) // _TOGETHER),
        )
        size = -(-len(alike) // parts)
        found += [alike[start : start + size] for start in range(0, len(alike), size)]
    return found


class _Line:
    """Carries progress from training processes to the main one, and a stop signal back."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.told: SimpleQueue[tuple[int, str | None, int]] = context.SimpleQueue()
        self.stop = context.Event()


_line: _Line


def _connect(line: _Line) -> None:
    global _line
    _line = line


def _train_elsewhere(number: int, jobs: Sequence[Job], store: Path, log: Path | None) -> None:
    said = -_EVERY

    def report(line: str | None, done: int, total: int) -> None:
        nonlocal said
        if _line.stop.is_set():
            raise KeyboardInterrupt
        # Not at each update: a full pipe would block the training.
        if line or done == total or time.monotonic() - said >= _EVERY:
            said = time.monotonic()
            _line.told.put((number, line, done))

    _train(jobs, store, log, report)


def _train_in_processes(
    batches: Sequence[list[Job]], store: Path, log: Path | None, progress: Progress, workers: int
) -> None:
    """Train in processes, and report their progress as it comes."""
    line, done = _Line(), [0] * len(batches)
    total = sum(job.updates for batch in batches for job in batch)
    # Spawned processes, because torch's threads do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), _connect, (line,)) as pool:
        running = {
            pool.submit(_train_elsewhere, number, batch, store, log)
            for number, batch in enumerate(batches)
        }
        try:
            while running:
                ended, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                while not line.told.empty():
                    number, said, done[number] = line.told.get()
                    progress(said, sum(done), total)
                for future in ended:
                    future.result()
        except BaseException:
            line.stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _processes(jobs: Sequence[Job]) -> int:
    """Number of processes that train: one on a GPU or under torchrun."""
    from hebbsim.lm.hardware import has_gpu

    if has_gpu() or "WORLD_SIZE" in os.environ:
        return 1
    if sum(job.preset.training.tokens for job in jobs) < _WORTH_A_PROCESS:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def train_all(
    jobs: Sequence[Job], store: Path, progress: Progress, log: Path | None, workers: int | None
) -> Mapping[tuple[Any, ...], Trained]:
    """Train every model, or load it from the store; return the models by label, in order.

    Models of one shape, such as seeds and learning rates, are one batched computation. On a CPU
    each process learns in one thread, so that sums do not depend on the number of threads. By
    default there are as many processes as processors, and one on a GPU.
    """
    total = sum(job.updates for job in jobs)
    progress(None, 0, total)
    batches = _batches(jobs, workers or _processes(jobs))
    workers = min(workers or _processes(jobs), len(batches))
    if workers > 1:
        _train_in_processes(batches, store, log, progress, workers)
    found: dict[tuple[Any, ...], Trained] = {}
    before = 0
    for batch in batches:

        def report(line: str | None, done: int, _: int, before: int = before) -> None:
            if workers == 1:
                progress(line, before + done, total)

        trained = _train(batch, store, log, report)
        found |= {job.label: each for job, each in zip(batch, trained, strict=True)}
        before += sum(job.updates for job in batch)
    return {job.label: found[job.label] for job in jobs}
