"""Common parts of the experiments on language models: scores, and training of models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbsim.errors import BadInputError
from hebbsim.experiments.language_models.store import Job, Packed, prepare, train_all
from hebbsim.lm.config import Preset
from hebbsim.lm.packed import HELD_OUT
from hebbsim.runs.results import Progress, Results, Score, provenance, summarize
from hebbsim.runs.resume import RunCache

if TYPE_CHECKING:
    from hebbsim.lm.evaluation import TokenLosses
    from hebbsim.lm.training import Trained


class LmRun:
    """Collects the scores of a run, and prepares text and models.

    Create it before importing anything that needs torch: it raises BadInputError without torch.
    """

    def __init__(self, name: str, config: Any, cache: RunCache, progress: Progress) -> None:
        if find_spec("torch") is None:
            raise BadInputError("language models need torch; pip install 'hebbsim[torch]'")
        # Finished steps are in the store; the run folder only has to be free for this run.
        cache.begin(name, config.resolved(), {})
        self.name, self.config, self.progress = name, config, progress
        self.scores: list[Score] = []
        self.notes: list[str] = []
        self.inputs: dict[str, str] = {}
        self.corpus = name

    def add(
        self, seed: int, model: str, condition: str, metric: str, value: float,
        *, split: str = "test", unit: str = "nats",
    ) -> None:  # fmt: skip
        """Add one score."""
        self.scores.append(
            Score(self.corpus, split, model, condition, metric, None, seed, float(value), unit)
        )

    def results(self) -> Results:
        """The results of the run."""
        return Results(
            experiment=self.name,
            config=self.config.resolved(),
            provenance=provenance(inputs=self.inputs, seeds=list(range(self.config.seeds))),
            rows=summarize(self.scores),
            tables={"per_seed": list(self.scores)},
            notes=self.notes,
        )

    def presets(self) -> dict[str, Preset]:
        """The preset of each model, for experiments with one size."""
        return {name: self.config.presets(name)[0] for name in self.config.models}

    def prepare(self, presets: Mapping[Any, Preset]) -> Packed:
        """Prepare the text of the run; all presets have the vocabulary of the first one."""
        packed = prepare(self.config, next(iter(presets.values())), self.progress)
        if packed.held_out != HELD_OUT:
            self.notes.append(
                f"{packed.name} is small: it is cut at line ends, and one piece in "
                f"{packed.held_out} is held out for validation, one for test"
            )
        self.corpus = packed.name
        self.inputs[packed.name] = packed.digest
        return packed

    def train_text(
        self, packed: Packed, models: Mapping[tuple[Any, ...], Preset], seeds: int | None = None
    ) -> Mapping[tuple[Any, ...], Trained]:
        """Train every model with all or the first `seeds`; returns them by (*label, seed)."""
        packed.check(max(preset.model.context for preset in models.values()))
        jobs = [
            Job((*label, seed), preset, seed, partial(packed.examples, preset.model.context))
            for seed in range(seeds or self.config.seeds)
            for label, preset in models.items()
        ]
        return self.train(jobs)

    def train(self, jobs: list[Job]) -> Mapping[tuple[Any, ...], Trained]:
        """Train the models that are not in the store yet."""
        config = self.config
        return train_all(jobs, config.store, self.progress, config.log, config.workers)

    def add_losses(
        self, seed: int, model: str, condition: str, found: TokenLosses, split: str = "test"
    ) -> None:
        """Add loss and perplexity, overall and by distance of the earlier occurrence."""
        self.add(seed, model, condition, "loss", found.mean(), split=split)
        perplexity = float(np.exp(found.mean()))
        self.add(seed, model, condition, "perplexity", perplexity, split=split, unit="tokens")
        for name, (loss, n) in found.by_distance().items():
            at = f"{condition} distance={name}".strip()
            self.add(seed, model, at, "loss", loss, split=split)
            share = n / len(found.losses)
            self.add(seed, model, at, "share", share, split=split, unit="fraction")

    def add_size(self, model: str, condition: str, preset: Preset) -> None:
        """Add the number of parameters, which is the same for every seed."""
        from hebbsim.lm.model import count_parameters, sized

        n = count_parameters(sized(preset.model))
        for seed in range(self.config.seeds):
            self.add(seed, model, condition, "parameters", n, split="model", unit="parameters")
