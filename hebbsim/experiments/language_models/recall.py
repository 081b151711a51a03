"""Associative recall and copying by memory: `hebbsim run recall`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hebbsim.experiments.language_models.base import LmRun
from hebbsim.experiments.language_models.config import RecallConfig, SelectionConfig, model_values
from hebbsim.experiments.language_models.store import Job
from hebbsim.lm.config import Preset, load_preset
from hebbsim.runs.results import Progress, Results
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function

if TYPE_CHECKING:
    from hebbsim.lm.recall import Copying, Recall

#: Bins of the distance from a query to its key, in tokens.
_DISTANCES = ((1, 8), (9, 16), (17, 32), (33, 64), (65, 128), (129, 256))


@run_function(RecallConfig)
def run_recall(config: RecallConfig, cache: RunCache, progress: Progress) -> Results:
    """Measure which memories retrieve the value paired with a key, and copy earlier tokens.

    On split ``mqar`` (``copy``): ``accuracy`` overall and by ``pairs`` (``length``); for the
    largest number of pairs, also by ``distance``. Model ``blind`` guesses any value, ``chance`` one
    of those in the sequence (copying: any token).
    """
    run = LmRun("recall", config, cache, progress)
    for task in ("mqar", "copy"):
        if config.task in (task, "both"):
            score_recall(run, config, split=task)
    return run.results()


def recall_config(config: SelectionConfig) -> RecallConfig:
    """The configuration of associative recall in `hebbsim run selection`."""
    return RecallConfig(
        models=config.models, task="mqar", tokens=config.recall_tokens,
        seeds=config.recall_seeds, store=config.store, log=config.log, workers=config.workers,
    )  # fmt: skip


def _examples(task: Recall | Copying) -> tuple[Recall | Copying, Recall | Copying]:
    """Training and validation examples: the same task, with other sequences."""
    return task, task


def _preset(config: RecallConfig, name: str, task: Recall | Copying) -> Preset:
    values = model_values(name) | {"vocabulary": task.vocabulary, "context": task.context}
    training = {
        "tokens": config.tokens, "batch": config.batch, "learning_rate": config.learning_rate,
        "weight_decay": 0.0,
    }  # fmt: skip
    # Blocks have as many parameters as on text, for any vocabulary.
    preset = load_preset(config.preset, values, training)
    text = load_preset(config.preset).model
    assert text.parameters is not None
    fewer = (text.vocabulary - task.vocabulary) * text.dim
    return preset.replaced(parameters=text.parameters - fewer)


def score_recall(run: LmRun, config: RecallConfig, split: str) -> None:
    """Train every model with every seed on one task, and score the answers."""
    from hebbsim.lm.recall import Copying, Recall, accuracy

    copying = split == "copy"
    tasks: list[Recall | Copying] = [
        Copying(config.pairs, config.keys, seed)
        if copying
        else Recall(config.pairs, config.keys, config.length, seed)
        for seed in range(config.seeds)
    ]
    jobs = [
        Job((name, seed), _preset(config, name, task), seed, partial(_examples, task))
        for seed, task in enumerate(tasks)
        for name in config.models
    ]
    word = "length" if copying else "pairs"

    def add(seed: int, name: str, condition: str, value: float) -> None:
        run.add(seed, name, condition, "accuracy", value, split=split, unit="fraction")

    for (name, seed), found in run.train(jobs).items():
        total = right = 0
        for n in config.pairs:
            answers, apart = accuracy(found.model, tasks[seed], n, config.evaluate)
            add(seed, name, f"{word}={n}", answers.mean())
            total, right = total + len(answers), right + int(answers.sum())
            if n == max(config.pairs) and not copying:
                for first, last in _DISTANCES:
                    inside = (apart >= first) & (apart <= last)
                    if inside.any():
                        at = f"{word}={n} distance={first}-{last}"
                        add(seed, name, at, answers[inside].mean())
        add(seed, name, "", right / total)
        if len(found.curve):
            run.add(
                seed, name, f"tokens={found.curve[-1][0]}", "validation_loss",
                found.curve[-1][1], split=split,
            )  # fmt: skip
    guesses = {"blind": [1 / config.keys for _ in config.pairs]}
    guesses["chance"] = guesses["blind"] if copying else [1 / n for n in config.pairs]
    for seed in range(config.seeds):
        for guess, values in guesses.items():
            for n, value in zip(config.pairs, values, strict=True):
                add(seed, guess, f"{word}={n}", value)
            weighted = sum(n * value for n, value in zip(config.pairs, values, strict=True))
            add(seed, guess, "", weighted / sum(config.pairs))
