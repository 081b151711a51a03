"""Experiments on language models with traces as context: `hebbsim run lm` and its siblings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbsim.errors import BadInputError
from hebbsim.experiments.language_models.base import LmRun
from hebbsim.experiments.language_models.config import (
    BlimpConfig,
    DepthConfig,
    LmConfig,
    PredictorConfig,
    SelectionConfig,
    in_data_folder,
)
from hebbsim.experiments.language_models.store import Packed, prepare
from hebbsim.lm.config import Preset
from hebbsim.runs.results import Progress, Results, quiet
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function

if TYPE_CHECKING:
    from hebbsim.lm.blimp import Pair


@run_function(LmConfig)
def run_lm(config: LmConfig, cache: RunCache, progress: Progress) -> Results:
    """Train models of one or several sizes on the same tokens in the same order.

    ``validation_loss`` by tokens seen; on each split ``loss`` and ``perplexity``, and ``loss`` by
    ``distance`` from the last occurrence of the token in its document. Model ``ema/gpt2`` has
    ``perplexity_ratio`` (below 1: traces are ahead) and, if attention overtakes, the number of
    tokens at the ``crossing``, in all and for each parameter. If several learning rates are tried,
    ``loss`` on validation by ``rate``, of the first seed, and the ``learning_rate`` chosen.
    """
    run = LmRun("lm", config, cache, progress)
    from hebbsim.lm.evaluation import token_losses

    sizes = config.preset.split(",")
    presets = {
        (name, size): preset
        for name in config.models
        for size, preset in zip(sizes, config.presets(name), strict=True)
    }
    # Sizes are compared over the same tokens of one vocabulary.
    packed = run.prepare(presets)
    held_out = _held_out(run, packed, presets)
    presets = _best_rates(run, packed, presets)
    trained = run.train_text(packed, presets)
    for (name, size, seed), found in trained.items():
        preset = presets[name, size]
        at = f"preset={size}"
        for seen, loss in found.curve:
            run.add(seed, name, f"{at} tokens={seen}", "validation_loss", loss, split="validation")
        for split, where in {"test": packed, **held_out}.items():
            tokens = where.split("test", preset.model.context)
            losses = token_losses(found.model, tokens, config.evaluate)
            run.add_losses(seed, name, at, losses, split)
    for (name, size), preset in presets.items():
        run.add_size(name, f"preset={size}", preset)
    if "gpt2" in config.models:
        for name in config.models:
            if name != "gpt2":
                for size in sizes:
                    _ratios(run, name, size, presets[name, size], trained)
    return run.results()


def _held_out(run: LmRun, packed: Packed, presets: Mapping[Any, Preset]) -> dict[str, Packed]:
    """Additional texts to evaluate on, encoded with the vocabulary of the run."""
    preset = next(iter(presets.values()))
    longest = max(each.model.context for each in presets.values())
    sample = in_data_folder("c4-sample", "c4-excerpts.jsonl.gz")
    found = {}
    for path in run.config.validation or [str(sample)] * (sample is not None):
        where = prepare(run.config, preset, quiet, data=path, tokenizer=packed.tokenizer())
        where.split("test", longest)  # raises an error for a short text before training
        name = where.name.split(".")[0]
        found["c4" if name.startswith("c4") else name] = where
        run.inputs[where.name] = where.digest
    return found


def _best_rates(
    run: LmRun, packed: Packed, presets: dict[tuple[str, str], Preset]
) -> dict[tuple[str, str], Preset]:
    """Each model at the learning rate with the lowest validation loss of the first seed."""
    rates = run.config.learning_rates
    if not rates:
        return presets
    tried = {
        (*label, rate): preset.replaced({"learning_rate": rate})
        for label, preset in presets.items()
        for rate in rates
    }
    trained = run.train_text(packed, tried, seeds=1)
    best = {}
    for name, size in presets:
        losses = {rate: trained[name, size, rate, 0].curve[-1][1] for rate in rates}
        for rate, loss in losses.items():
            run.add(0, name, f"preset={size} rate={rate:g}", "loss", loss, split="validation")
        chosen = min(losses, key=lambda rate: losses[rate])
        best[name, size] = tried[name, size, chosen]
        for seed in range(run.config.seeds):
            at = f"preset={size}"
            run.add(seed, name, at, "learning_rate", chosen, split="model", unit="rate")
        if len(rates) > 1 and chosen in (min(rates), max(rates)):
            run.notes.append(f"{name}, {size}: the best rate, {chosen:g}, is the last one tried")
    return best


def _ratios(run: LmRun, name: str, size: str, preset: Preset, trained: Any) -> None:
    """Add the perplexity of a model divided by that of GPT-2, and where GPT-2 overtakes."""
    from hebbsim.lm.model import count_parameters

    model = f"{name}/gpt2"
    for seed in range(run.config.seeds):
        own, other = trained[name, size, seed].curve, trained["gpt2", size, seed].curve
        gaps = [(seen, a - b) for (seen, a), (_, b) in zip(own, other, strict=True)]
        for seen, gap in gaps:
            run.add(
                seed, model, f"preset={size} tokens={seen}", "perplexity_ratio", math.exp(gap),
                split="validation", unit="ratio",
            )  # fmt: skip
        crossed = crossing(gaps)
        if crossed is not None:
            each = crossed / count_parameters(preset.model)
            for metric, value in (("crossing", crossed), ("tokens_per_parameter", each)):
                run.add(seed, model, f"preset={size}", metric, value, split="validation",
                        unit="tokens")  # fmt: skip
        else:
            said = "ahead" if gaps[-1][1] < 0 else "behind"
            run.notes.append(
                f"{name} against gpt2, {size}, seed {seed}: no crossing; {said} at "
                f"{gaps[-1][0]:,} tokens"
            )


def crossing(gaps: list[tuple[int, float]]) -> float | None:
    """Number of tokens at which a lead is finally lost, interpolated in the logarithm of tokens.

    >>> crossing([(100, -0.5), (10_000, 0.5)])
    1000.0
    >>> crossing([(100, -0.5), (10_000, -0.1)]) is None
    True
    >>> crossing([(100, 0.5), (10_000, -0.5)]) is None
    True
    """
    for (n0, a), (n1, b) in reversed(list(pairwise(gaps))):
        if b < 0:
            return None
        if a < 0:
            share = a / (a - b)
            return round(math.exp(math.log(n0) + share * math.log(n1 / n0)), 6)
    return None


@run_function(PredictorConfig)
def run_predictor(config: PredictorConfig, cache: RunCache, progress: Progress) -> Results:
    """Compare predictors over the same traces: linear, MLP, attention.

    ``loss`` on test by model, and its ``relative_difference`` to the first model, paired by seed.
    """
    run = LmRun("predictor", config, cache, progress)
    presets = run.presets()
    _scored(run, run.prepare(presets), presets)
    return run.results()


def _scored(run: LmRun, packed: Packed, presets: dict[str, Preset]) -> Any:
    """Train, score on test, and compare with the first model; return the trained models."""
    from hebbsim.lm.evaluation import token_losses

    config = run.config
    trained = run.train_text(packed, {(name,): p for name, p in presets.items()})
    losses: dict[tuple[str, int], float] = {}
    for (name, seed), found in trained.items():
        tokens = packed.split("test", presets[name].model.context)
        scored = token_losses(found.model, tokens, config.evaluate)
        run.add_losses(seed, name, "", scored)
        losses[name, seed] = scored.mean()
        for seen, loss in found.curve:
            run.add(seed, name, f"tokens={seen}", "validation_loss", loss, split="validation")
    first = next(iter(presets))
    for (name, seed), loss in losses.items():
        if name != first:
            run.add(
                seed, name, f"minus={first}", "relative_difference",
                loss / losses[first, seed] - 1, unit="fraction",
            )  # fmt: skip
    for name, preset in presets.items():
        run.add_size(name, "", preset)
    return trained


@run_function(SelectionConfig)
def run_selection(config: SelectionConfig, cache: RunCache, progress: Progress) -> Results:
    """Compare memories in the same block, on text, BLiMP and associative recall.

    By memory: ``loss`` on test, ``accuracy`` on split ``blimp``, and ``accuracy`` on split
    ``recall`` (over all numbers of pairs).
    """
    run = LmRun("selection", config, cache, progress)
    from hebbsim.experiments.language_models.recall import recall_config, score_recall
    from hebbsim.lm.blimp import read_pairs, score_pairs

    presets = run.presets()
    path = _blimp_of(config)
    pairs = [] if path is None else read_pairs(path, config.pairs)
    packed = run.prepare(presets)
    presets = _with_room(run, packed, presets, pairs)
    trained = _scored(run, packed, presets)
    if path is None:
        run.notes.append("no BLiMP: give --blimp, or put it into $HEBBSIM_DATA_DIR/blimp")
    else:
        tokenizer = packed.tokenizer()
        for (name, seed), found in trained.items():
            right = score_pairs(found.model, tokenizer, pairs)
            run.add(seed, name, "", "accuracy", right.mean(), split="blimp", unit="fraction")
    if config.recall_seeds:
        score_recall(run, recall_config(config), split="recall")
    return run.results()


def _blimp_of(config: BlimpConfig | SelectionConfig) -> Path | None:
    """The given file, or the one in $HEBBSIM_DATA_DIR."""
    return config.blimp or in_data_folder("blimp", "blimp.jsonl.gz")


def _with_room(
    run: LmRun, packed: Packed, presets: dict[str, Preset], pairs: Sequence[Pair]
) -> dict[str, Preset]:
    """Presets with a context that fits every sentence; an error if a requested one does not."""
    from hebbsim.lm.blimp import longest_sentence

    context = run.config.context
    needed = longest_sentence(packed.tokenizer(), pairs)
    longest = max((preset.model.context for preset in presets.values()), default=needed)
    if needed <= longest:
        return presets
    why = f"the longest sentence of BLiMP has {needed} tokens in the vocabulary of {packed.name}"
    if context is not None:
        raise BadInputError(f"--context {context}: {why}; give --context {needed}")
    run.notes.append(f"context is {needed} tokens instead of the preset's {longest}: {why}")
    return {name: preset.replaced(context=needed) for name, preset in presets.items()}


@run_function(BlimpConfig)
def run_blimp(config: BlimpConfig, cache: RunCache, progress: Progress) -> Results:
    """Score minimal pairs of BLiMP by phenomenon and paradigm.

    ``accuracy`` overall, by ``phenomenon`` and by ``paradigm``; for each model but the first,
    ``accuracy_difference`` (first minus this model).
    """
    run = LmRun("blimp", config, cache, progress)
    from hebbsim.lm.blimp import read_pairs, score_pairs

    path = _blimp_of(config)
    if path is None:
        raise BadInputError("--blimp: give blimp.jsonl, or put it into $HEBBSIM_DATA_DIR/blimp")
    pairs = read_pairs(path, config.pairs)
    presets = run.presets()
    packed = run.prepare(presets)
    presets = _with_room(run, packed, presets, pairs)
    trained = run.train_text(packed, {(name,): p for name, p in presets.items()})
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
            run.add(seed, name, group, "accuracy", value, split="blimp", unit="fraction")
    for (name, seed, group), value in accuracies.items():
        if name != first:
            run.add(
                seed, first, f"{group} minus={name}".strip(), "accuracy_difference",
                accuracies[first, seed, group] - value, split="blimp", unit="fraction",
            )  # fmt: skip
    return run.results()


@run_function(DepthConfig)
def run_depth(config: DepthConfig, cache: RunCache, progress: Progress) -> Results:
    """Compare residual streams with learned selection over layers, at several depths.

    All blocks have the size of the preset. Models ``residual`` and ``selection``: ``loss`` on test
    by ``layers``; ``probe`` and ``gradient`` by ``layers`` and ``layer`` (0: the embedding); see
    `hebbsim.lm.evaluation.Readability`.
    """
    run = LmRun("depth", config, cache, progress)
    from hebbsim.lm.evaluation import readability, token_losses
    from hebbsim.lm.model import sized

    (base,) = config.presets(config.model)
    hidden = sized(base.model).hidden
    presets: dict[tuple[Any, ...], Preset] = {
        (kind, layers): base.replaced(layers=layers, hidden=hidden, depth=kind, parameters=None)
        for layers in config.layers
        for kind in ("residual", "selection")
    }
    packed = run.prepare(presets)
    for (kind, layers, seed), found in run.train_text(packed, presets).items():
        at = f"layers={layers}"
        test = packed.split("test", base.model.context)
        run.add(seed, kind, at, "loss", token_losses(found.model, test, 65_536).mean())
        scored = readability(found.model, test, config.evaluate)
        for name in ("probe", "gradient"):
            for layer, value in enumerate(getattr(scored, name)):
                run.add(
                    seed, kind, f"{at} layer={layer}", name, value,
                    unit="fraction" if name == "probe" else "ratio",
                )  # fmt: skip
    for (kind, layers), preset in presets.items():
        run.add_size(kind, f"layers={layers}", preset)
    return run.results()
