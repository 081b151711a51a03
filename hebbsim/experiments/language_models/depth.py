"""Dilution over depth, and selection over layers: `hebbsim run depth`."""

from __future__ import annotations

from typing import Any

from hebbsim.experiments.language_models.base import LmRun
from hebbsim.experiments.language_models.config import DepthConfig
from hebbsim.lm.config import Preset
from hebbsim.runs.results import Progress, Results
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function


@run_function(DepthConfig)
def run_depth(config: DepthConfig, cache: RunCache, progress: Progress) -> Results:
    """Compare residual streams with learned selection over layers, at several depths.

    All blocks have the size of the preset.

    Returns
    -------
    Results
        Models ``residual`` and ``selection``: ``loss`` on test by ``layers``; ``probe`` and
        ``gradient`` by ``layers`` and ``layer`` (0: the embedding); see
        `hebbsim.lm.depth.Readability`.
    """
    run = LmRun("depth", config, cache, progress)
    from hebbsim.lm.depth import readability
    from hebbsim.lm.evaluation import token_losses
    from hebbsim.lm.model import sized

    (base,) = config.presets(config.model)
    hidden = sized(base.model).hidden
    presets: dict[tuple[Any, ...], Preset] = {}
    for layers in config.layers:
        for kind in ("residual", "selection"):
            model = base.model.model_copy(
                update={"layers": layers, "hidden": hidden, "depth": kind, "parameters": None}
            )
            presets[kind, layers] = base.model_copy(update={"model": model})
    packed = run.prepare(base)
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
