"""All figures of `hebbsim run roles`, drawn from the run folder's tables alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim.plots import style, tables
from hebbsim.plots.labelcurve import plot_labels
from hebbsim.plots.rolemap import plot_structure_content
from hebbsim.plots.rows import plot_generalization, plot_roles, plot_timescales

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


def draw_roles(folder: str | Path) -> list[Path]:
    """Draw every figure that the tables of a run folder have rows for.

    Parameters
    ----------
    folder : path
        Holds ``results.csv``; ``structure.csv`` and ``config.json`` are used where
        they are there.

    Returns
    -------
    list of Path
        ``folder/figures/NAME.svg`` and ``NAME.png`` of each figure. Drawing twice
        gives the same bytes. A figure of an earlier drawing that the tables no
        longer support is removed.

    Raises
    ------
    BadInputError
        ``results.csv`` is absent or not a results table.
    HebbsimError
        The folder cannot be written.
    """
    folder = Path(folder)
    results = tables.read(folder / "results.csv")
    config = _read_config(folder / "config.json")
    roles, splits = _read_structure(folder / "structure.csv")
    split = "test" if (results["split"] == "test").any() else "dev"
    figures: dict[str, Callable[[DataFrame], Axes]] = {
        "roles": partial(plot_roles, split=split, dependence=roles),
        "roles_gen": partial(plot_roles, split="gen", dependence=roles),
        "generalization": partial(plot_generalization, dependence=splits),
        "timescales": partial(
            plot_timescales, split=split, timescales=config.get("timescales") or ()
        ),
        "labels": partial(plot_labels, split=split, n_sentences=config.get("n_sentences")),
        "structure_content": partial(plot_structure_content, split="dev", dependence=roles),
    }
    paths = []
    for name, draw in figures.items():
        try:
            ax = draw(results)
        except tables.NothingToDrawError:
            for suffix in ("svg", "png"):
                (folder / "figures" / f"{name}.{suffix}").unlink(missing_ok=True)
            continue
        paths += style.save(ax.figure.canvas.figure, folder / "figures", name)
    return paths


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _read_structure(path: Path) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    """What decides each role and each generalization split; None where the run did not say."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return None, None
    roles = {row["name"]: row["decided"] for row in rows if row["kind"] == "role"}
    splits = {row["name"]: row["decided"] for row in rows if row["kind"] == "split"}
    return roles or None, splits or None
