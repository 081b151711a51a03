"""Figures of `hebbsim run roles`, drawn from the tables of a run."""

from collections.abc import Callable
from typing import Any

from hebbsim import plots
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables
from hebbsim.tagging.confusions import TOKENS, confusion_table, read_tokens


def _split(run: RunTables) -> str:
    return "test" if (run.results["split"] == "test").any() else "dev"


def decided(run: RunTables, kind: str) -> dict[str, str]:
    """What decides each ``role`` or ``split`` (`kind`); empty if the run did not determine it."""
    table = run.table("structure")
    if table is None:
        return {}
    rows = table[table["kind"] == kind]
    return dict(zip(rows["name"], rows["decided"], strict=True))


def _of_roles(plot: Callable[..., Any], split: str | None = None, *tables: str) -> FigureSpec:
    """A figure of a split (default: test, or dev), with further tables of the run."""
    return FigureSpec(
        plot,
        lambda run: {
            "results": run.results,
            "split": split or _split(run),
            "dependence": decided(run, "role") or None,
            **{name: run.table(name) for name in tables},
        },
    )


def _of_config(plot: Callable[..., Any], **fields: Any) -> FigureSpec:
    """A figure that takes fields of the configuration, given with their defaults."""
    return FigureSpec(
        plot,
        lambda run: {
            "results": run.results,
            "split": _split(run),
            **{name: run.config.get(name) or default for name, default in fields.items()},
        },
    )


def _confusions(run: RunTables) -> dict[str, Any]:
    if run.results.empty or not (run.folder / TOKENS).is_file():
        raise plots.NothingToDrawError("no table of tokens with a gold role and a role found")
    split, model = _split(run), "hebbian_soft"
    table = confusion_table(read_tokens(run.folder, split, model))
    return {"counts": table, "corpus": run.config["corpus"], "split": split, "model": model}


FIGURES = {
    "roles": _of_roles(plots.plot_roles),
    "roles_gen": _of_roles(plots.plot_roles, "gen"),
    "generalization": FigureSpec(
        plots.plot_generalization,
        lambda run: {"results": run.results, "dependence": decided(run, "split") or None},
    ),
    "timescales": _of_config(plots.plot_timescales, timescales=()),
    "labels": _of_config(plots.plot_labels, n_sentences=None),
    "learning_curve": _of_config(plots.plot_learning_curve, n_tokens=None, passes=1),
    "few_labels": _of_roles(plots.plot_few_labels, "test", "comparisons"),
    "few_labels_gen": _of_roles(plots.plot_few_labels, "gen", "comparisons"),
    "confusions": FigureSpec(plots.plot_confusions, _confusions),
    "rivals": _of_roles(plots.plot_rivals),
    "rivals_gen": _of_roles(plots.plot_rivals, "gen"),
    "structure_content": _of_roles(plots.plot_structure_content, "dev"),
}
