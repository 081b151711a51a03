"""Language models with only traces for context, beside attention: `hebbsim run lm` and more."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbsim.experiments.language_models.base import Experiment, carry_through, one_size, quiet
from hebbsim.experiments.language_models.config import (
    BlimpConfig,
    LmConfig,
    PredictorConfig,
    SelectionConfig,
    model_values,
)
from hebbsim.experiments.language_models.store import Packed, prepare
from hebbsim.lm.config import Preset
from hebbsim.runs.folders import Out
from hebbsim.runs.results import Progress, Results

if TYPE_CHECKING:
    from hebbsim.lm.blimp import Pair

__all__ = ["run_blimp", "run_lm", "run_predictor", "run_selection"]


def run_lm(
    config: LmConfig | None = None,
    *,
    out: Out | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Results:
    """Train models on the same tokens in the same order, at one size or several.

    Parameters
    ----------
    config : LmConfig, optional
        Or its fields as keywords.
    out : path, optional
        Run folder to write; none without.
    progress : callable, optional
    overwrite : bool
        Replace a finished run in `out`.

    Returns
    -------
    Results
        ``validation_loss`` by tokens seen; on each split ``loss`` and ``perplexity``, and
        ``loss`` by ``distance`` of the token's last occurrence in its document. Model
        ``ema/gpt2`` has ``perplexity_ratio`` (below 1: traces ahead), and ``crossing``: the
        tokens at which it reaches 1, where it does.

    Raises
    ------
    BadInputError
        An option, the data, the store or the output folder cannot be used.
    """
    config = LmConfig.checked(options) if config is None else config
    return carry_through(Experiment("lm", config, progress), _lm, out, overwrite)


def _lm(experiment: Experiment) -> None:
    from hebbsim.lm.evaluation import token_losses

    config: LmConfig = experiment.config
    sizes = config.preset.split(",")
    presets = {
        (name, size): preset
        for name in config.models
        for size, preset in zip(sizes, config.presets(model_values(name)), strict=True)
    }
    # Sizes are compared over the same tokens of one vocabulary.
    packed = experiment.prepare(next(iter(presets.values())))
    held_out = _held_out(experiment, packed, presets)
    trained = experiment.train_text(packed, presets)
    for (name, size, seed), found in trained.items():
        preset = presets[name, size]
        at = f"preset={size}"
        for seen, loss in found.curve:
            experiment.add(
                seed, name, f"{at} tokens={seen}", "validation_loss", loss, split="validation"
            )
        for split, where in {"test": packed, **held_out}.items():
            tokens = where.split("test", preset.model.context)
            losses = token_losses(found.model, tokens, config.evaluate)
            experiment.add_losses(seed, name, at, losses, split)
    for (name, size), preset in presets.items():
        experiment.add_size(name, f"preset={size}", preset)
    if "gpt2" in config.models:
        for name in config.models:
            if name != "gpt2":
                for size in sizes:
                    _ratios(experiment, name, size, trained)


def _held_out(
    experiment: Experiment, packed: Packed, presets: Mapping[Any, Preset]
) -> dict[str, Packed]:
    """Further sources to evaluate on, encoded with the vocabulary of the run."""
    preset = next(iter(presets.values()))
    longest = max(each.model.context for each in presets.values())
    paths = list(experiment.config.validation)
    root = os.environ.get("HEBBSIM_DATA_DIR")
    if not paths and root and (Path(root) / "c4-sample" / "c4-excerpts.jsonl.gz").exists():
        paths = [str(Path(root) / "c4-sample" / "c4-excerpts.jsonl.gz")]
    found = {}
    for path in paths:
        where = prepare(experiment.config, preset, quiet, data=path, tokenizer=packed.tokenizer())
        where.split("test", longest)  # refused now, if it is too short, and not after training
        name = where.name.split(".")[0]
        found["c4" if name.startswith("c4") else name] = where
        experiment.inputs[where.name] = where.digest
    return found


def _ratios(experiment: Experiment, name: str, size: str, trained: Any) -> None:
    """Perplexity of a model over that of GPT-2 along training, and where it crosses 1."""
    model = f"{name}/gpt2"
    for seed in range(experiment.config.seeds):
        own, other = trained[name, size, seed].curve, trained["gpt2", size, seed].curve
        gaps = [(seen, a - b) for (seen, a), (_, b) in zip(own, other, strict=True)]
        for seen, gap in gaps:
            experiment.add(
                seed, model, f"preset={size} tokens={seen}", "perplexity_ratio", math.exp(gap),
                split="validation", unit="ratio",
            )  # fmt: skip
        crossed = crossing(gaps)
        if crossed is not None:
            experiment.add(
                seed, model, f"preset={size}", "crossing", crossed, split="validation",
                unit="tokens",
            )  # fmt: skip
        else:
            said = "ahead" if gaps[-1][1] < 0 else "behind"
            experiment.notes.append(
                f"{name} against gpt2, {size}, seed {seed}: no crossing; {said} at "
                f"{gaps[-1][0]:,} tokens"
            )


def crossing(gaps: list[tuple[int, float]]) -> float | None:
    """Tokens at which the last change of sign falls, on a line through the logarithm of tokens.

    Examples
    --------
    >>> crossing([(100, -0.5), (10_000, 0.5)])
    1000.0
    >>> crossing([(100, -0.5), (10_000, -0.1)]) is None
    True
    """
    for (n0, a), (n1, b) in reversed(list(pairwise(gaps))):
        if a * b < 0:
            share = a / (a - b)
            return round(math.exp(math.log(n0) + share * math.log(n1 / n0)), 6)
    return None


def run_predictor(
    config: PredictorConfig | None = None,
    *,
    out: Out | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Results:
    """Does a better predictor over the same traces help? Linear, MLP, attention.

    Parameters and errors are those of :func:`run_lm`.

    Returns
    -------
    Results
        ``loss`` on test by model, and ``relative_difference`` of each to the first, paired by
        seed.
    """
    config = PredictorConfig.checked(options) if config is None else config
    return carry_through(Experiment("predictor", config, progress), _predictor, out, overwrite)


def _predictor(experiment: Experiment) -> None:
    config: PredictorConfig = experiment.config
    presets = one_size(config, "predictor")
    packed = experiment.prepare(next(iter(presets.values())))
    _scored(experiment, packed, presets)


def _scored(experiment: Experiment, packed: Packed, presets: dict[str, Preset]) -> Any:
    """Train, score on test, and compare with the first model; the trained models."""
    from hebbsim.lm.evaluation import token_losses

    config = experiment.config
    trained = experiment.train_text(packed, {(name,): p for name, p in presets.items()})
    losses: dict[tuple[str, int], float] = {}
    for (name, seed), found in trained.items():
        tokens = packed.split("test", presets[name].model.context)
        scored = token_losses(found.model, tokens, config.evaluate)
        experiment.add_losses(seed, name, "", scored)
        losses[name, seed] = scored.mean()
        for seen, loss in found.curve:
            experiment.add(
                seed, name, f"tokens={seen}", "validation_loss", loss, split="validation"
            )
    first = next(iter(presets))
    for (name, seed), loss in losses.items():
        if name != first:
            experiment.add(
                seed, name, f"minus={first}", "relative_difference",
                loss / losses[first, seed] - 1, unit="fraction",
            )  # fmt: skip
    for name, preset in presets.items():
        experiment.add_size(name, "", preset)
    return trained


def run_selection(
    config: SelectionConfig | None = None,
    *,
    out: Out | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Results:
    """The ladder: the same block with one memory after another, on text, BLiMP and recall.

    Parameters and errors are those of :func:`run_lm`.

    Returns
    -------
    Results
        By rung: ``loss`` on test, ``accuracy`` on split ``blimp``, and ``accuracy`` on split
        ``recall`` (of answers over all numbers of pairs).
    """
    config = SelectionConfig.checked(options) if config is None else config
    return carry_through(Experiment("selection", config, progress), _selection, out, overwrite)


def _selection(experiment: Experiment) -> None:
    from hebbsim.experiments.language_models.recall import recall_config, score_recall
    from hebbsim.lm.blimp import read_pairs, score_pairs

    config: SelectionConfig = experiment.config
    presets = one_size(config, "selection")
    path = find_blimp(config.blimp)
    pairs = [] if path is None else read_pairs(path, config.pairs)
    packed = experiment.prepare(next(iter(presets.values())))
    presets = _with_room(experiment, packed, presets, pairs)
    trained = _scored(experiment, packed, presets)
    if path is None:
        experiment.notes.append("no BLiMP: give --blimp, or put it into $HEBBSIM_DATA_DIR/blimp")
    else:
        tokenizer = packed.tokenizer()
        for (name, seed), found in trained.items():
            right = score_pairs(found.model, tokenizer, pairs)
            experiment.add(seed, name, "", "accuracy", right.mean(), split="blimp", unit="fraction")
    if config.recall_seeds:
        score_recall(experiment, recall_config(config), split="recall")


def find_blimp(path: Path | None) -> Path | None:
    """The file given, or the one in the folder of corpora."""
    root = os.environ.get("HEBBSIM_DATA_DIR")
    if path is None and root and (Path(root) / "blimp" / "blimp.jsonl.gz").exists():
        return Path(root) / "blimp" / "blimp.jsonl.gz"
    return path


def _with_room(
    experiment: Experiment, packed: Packed, presets: dict[str, Preset], pairs: Sequence[Pair]
) -> dict[str, Preset]:
    """Presets whose context holds every sentence of the pairs, settled before any training.

    Raises
    ------
    BadInputError
        The context that was asked for is too short.
    """
    from hebbsim.errors import BadInputError
    from hebbsim.lm.blimp import longest_sentence

    context = experiment.config.context
    needed = longest_sentence(packed.tokenizer(), pairs)
    longest = max((preset.model.context for preset in presets.values()), default=needed)
    if needed <= longest:
        return presets
    why = f"the longest sentence of BLiMP has {needed} tokens in the vocabulary of {packed.name}"
    if context is not None:
        raise BadInputError(f"--context {context}: {why}; give --context {needed}")
    experiment.notes.append(f"context of {needed} tokens in place of the preset's {longest}: {why}")
    return {
        name: preset.model_copy(
            update={"model": preset.model.model_copy(update={"context": needed})}
        )
        for name, preset in presets.items()
    }


def run_blimp(
    config: BlimpConfig | None = None,
    *,
    out: Out | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Results:
    """Minimal pairs by phenomenon and paradigm: what survives with structure alone.

    Parameters and errors are those of :func:`run_lm`.

    Returns
    -------
    Results
        ``accuracy`` over all, by ``phenomenon`` and by ``paradigm``; of each model but the
        first ``accuracy_difference``, first minus it.
    """
    config = BlimpConfig.checked(options) if config is None else config
    return carry_through(Experiment("blimp", config, progress), _blimp, out, overwrite)


def _blimp(experiment: Experiment) -> None:
    from hebbsim.errors import BadInputError
    from hebbsim.lm.blimp import read_pairs, score_pairs

    config: BlimpConfig = experiment.config
    presets = one_size(config, "blimp")
    path = find_blimp(config.blimp)
    if path is None:
        raise BadInputError("--blimp: give blimp.jsonl, or put it into $HEBBSIM_DATA_DIR/blimp")
    pairs = read_pairs(path, config.pairs)
    packed = experiment.prepare(next(iter(presets.values())))
    presets = _with_room(experiment, packed, presets, pairs)
    trained = experiment.train_text(packed, {(name,): p for name, p in presets.items()})
    tokenizer = packed.tokenizer()
    groups: dict[str, list[int]] = {"": list(range(len(pairs)))}
    for number, pair in enumerate(pairs):
        groups.setdefault(f"phenomenon={pair.phenomenon}", []).append(number)
        groups.setdefault(f"paradigm={pair.paradigm}", []).append(number)
    first = config.models[0]
    accuracies: dict[tuple[str, int, str], float] = {}
    for (name, seed), found in trained.items():
        right = score_pairs(found.model, tokenizer, pairs)
        for group, numbers in groups.items():
            value = accuracies[name, seed, group] = float(np.mean(right[numbers]))
            experiment.add(seed, name, group, "accuracy", value, split="blimp", unit="fraction")
    for (name, seed, group), value in accuracies.items():
        if name != first:
            experiment.add(
                seed, first, f"{group} minus={name}".strip(), "accuracy_difference",
                accuracies[first, seed, group] - value, split="blimp", unit="fraction",
            )  # fmt: skip
