"""All figures of `hebbsim run roles`, drawn from the run folder's tables alone."""

from __future__ import annotations

from typing import Any

from hebbsim.plots.confusions import plot_confusions
from hebbsim.plots.fewlabels import plot_few_labels
from hebbsim.plots.labelcurve import plot_labels
from hebbsim.plots.learningcurve import plot_learning_curve
from hebbsim.plots.rivals import plot_rivals
from hebbsim.plots.rows import (
    plot_generalization,
    plot_roles,
    plot_structure_content,
    plot_timescales,
)
from hebbsim.plots.tables import NothingToDrawError
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables
from hebbsim.tagging.confusions import TOKENS, confusion_table, read_tokens


def _split(run: RunTables) -> str:
    return "test" if (run.results["split"] == "test").any() else "dev"


def _decided(run: RunTables, kind: str) -> dict[str, str] | None:
    """What decides each role, or each generalization split; None where the run did not say."""
    table = run.table("structure")
    if table is None:
        return None
    rows = table[table["kind"] == kind]
    return dict(zip(rows["name"], rows["decided"], strict=True)) or None


def _roles(split: str | None) -> Any:
    def arguments(run: RunTables) -> dict[str, Any]:
        return {
            "results": run.results,
            "split": split or _split(run),
            "dependence": _decided(run, "role"),
        }

    return arguments


def _few_labels(split: str) -> Any:
    def arguments(run: RunTables) -> dict[str, Any]:
        return {**_roles(split)(run), "comparisons": run.table("comparisons")}

    return arguments


def _confusions(run: RunTables) -> dict[str, Any]:
    if run.results.empty or not (run.folder / TOKENS).is_file():
        raise NothingToDrawError("no table of tokens with a gold role and a role found")
    split, model = _split(run), "hebbian_soft"
    table = confusion_table(read_tokens(run.folder, split, model))
    corpus = run.config["corpus"]
    return {"counts": table, "corpus": corpus, "split": split, "model": model}


FIGURES = {
    "roles": FigureSpec(plot_roles, _roles(None)),
    "roles_gen": FigureSpec(plot_roles, _roles("gen")),
    "generalization": FigureSpec(
        plot_generalization,
        lambda run: {"results": run.results, "dependence": _decided(run, "split")},
    ),
    "timescales": FigureSpec(
        plot_timescales,
        lambda run: {
            "results": run.results,
            "split": _split(run),
            "timescales": run.config.get("timescales") or (),
        },
    ),
    "labels": FigureSpec(
        plot_labels,
        lambda run: {
            "results": run.results,
            "split": _split(run),
            "n_sentences": run.config.get("n_sentences"),
        },
    ),
    "learning_curve": FigureSpec(
        plot_learning_curve,
        lambda run: {
            "results": run.results,
            "split": _split(run),
            "n_tokens": run.config.get("n_tokens"),
            "passes": run.config.get("passes") or 1,
        },
    ),
    "few_labels": FigureSpec(plot_few_labels, _few_labels("test")),
    "few_labels_gen": FigureSpec(plot_few_labels, _few_labels("gen")),
    "confusions": FigureSpec(plot_confusions, _confusions),
    "rivals": FigureSpec(plot_rivals, _roles(None)),
    "rivals_gen": FigureSpec(plot_rivals, _roles("gen")),
    "structure_content": FigureSpec(plot_structure_content, _roles("dev")),
}
