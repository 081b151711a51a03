"""`hebbsim run lm | predictor | selection | depth | blimp | recall`."""

from __future__ import annotations

from typing import Any

import typer

from hebbsim.cli.options import Run, verb

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Mount the commands below `hebbsim run`."""
    for command in (lm, predictor, selection, depth, blimp, recall):
        verb(app)(command)


def _run(name: str, config: Any) -> Run:
    """An experiment with torch; of several processes that torchrun started the first one shows."""
    from hebbsim.experiments.language_models.base import need_torch
    from hebbsim.experiments.language_models.store import rank
    from hebbsim.experiments.language_models.table import show

    need_torch()
    if rank():
        from hebbsim.runs.registry import get_experiment

        get_experiment(name).run(config, None)
        raise typer.Exit
    return Run(name, f"{name}-{config.preset.replace(',', '-')}", show)


def lm(config: Any) -> Run:
    """Train language models with traces for context beside GPT-2's architecture.

    Equally large, on the same tokens in the same order: loss over tokens and over parameters,
    the ratio of their perplexities, and perplexity by what there is to predict. Interrupted,
    the same command goes on.
    """
    return _run("lm", config)


def predictor(config: Any) -> Run:
    """Does a better predictor over the same traces help? Linear, MLP, softmax attention."""
    return _run("predictor", config)


def selection(config: Any) -> Run:
    """The ladder of selection: one block, one memory after another.

    Window, traces, learned decays, input-dependent gates, Hebbian and delta-rule fast weights,
    attention: loss on text, BLiMP and associative recall.
    """
    return _run("selection", config)


def depth(config: Any) -> Run:
    """Dilution over depth: a residual stream against learned selection over layers.

    How much of each layer a linear probe reads at the top, how much gradient reaches it, and
    the loss.
    """
    return _run("depth", config)


def blimp(config: Any) -> Run:
    """Minimal pairs of BLiMP by phenomenon: what survives with structure alone."""
    return _run("blimp", config)


def recall(config: Any) -> Run:
    """Associative recall (MQAR) and copying by memory, number of pairs and distance."""
    return _run("recall", config)
