"""Every figure can be read: no letters on others, on lines, cut off, too small or too pale."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from legible import faults
from test_figure_images import ablation_results, confusions
from test_plots import make_results

from hebbsim.extensions import import_file
from hebbsim.plots import lm, plot_learning_curve, plot_roles, style
from hebbsim.plots.ablations import plot_ablations
from hebbsim.plots.bench import plot_growth
from hebbsim.plots.identity import plot_sentence
from hebbsim.plots.matrices import plot_confusions, plot_plane
from hebbsim.plots.rivals import plot_rivals
from hebbsim.runs.figures import figures_of
from hebbsim.runs.finished import RunTables
from hebbsim.runs.registry import EXPERIMENTS

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "experiments"

pytestmark = pytest.mark.skipif(not KEPT.exists(), reason="not run from the source tree")

#: The shipped tables that the figures of an experiment are drawn from.
TABLES = {
    "roles": "roles/results/builtin.csv",
    "identity": "identity/results/default.csv",
    "lm": "lm/results/lm-sizes/results.csv",
    "predictor": "lm/results/predictor-tiny/results.csv",
    "selection": "lm/results/selection-tiny/results.csv",
    "depth": "lm/results/depth/results.csv",
    "blimp": "lm/results/blimp-nano/results.csv",
    "recall": "lm/results/recall-default/results.csv",
    "bench": "bench/results/growth/results.csv",
    "stream": "safety/results/stream-roles/results.csv",
}
#: Figures of other tables than these, or whose longest names stand in other tables.
OTHERS = {
    ("roles", "generalization"): "roles/results/cogs.csv",
    ("bench", "roofline"): "bench/results/bench/results.csv",
}


def sentence():
    """Tables of a sentence with long words, some of them read wrongly."""
    words = "the dogs that chased the extraordinarily old cat near a house saw birds .".split()
    read = [
        (seed, decoder, condition, lag, word, word if (lag + seed) % 3 else "somewhere")
        for seed in (0, 1)
        for decoder in ("linear", "cancellation")
        for condition in ("precision=bfloat16", "precision=float64 snr=20")
        for lag, word in enumerate(reversed(words))
    ]
    told = [(lag, name, "PUNCT", lag / 14) for lag in range(14) for name in ("pos", "role")]
    return {
        "read": pd.DataFrame(read, columns="seed decoder condition lag word read".split()),
        "structure": pd.DataFrame(told, columns="lag property read probability".split()),
    }


def growth(axis, largest):
    """Cost of the network along an axis."""
    rows = [
        ("synthetic", f"growth/{axis}", "hebbian", f"line=network value={value}",
         "microseconds_per_token", "", cost, 0.9 * cost, 1.1 * cost, 3, "us")
        for value, cost in ((largest // 100, 40.0), (largest // 10, 55.0), (largest, 90.0))
    ]  # fmt: skip
    columns = "corpus split model condition metric role mean low high n unit".split()
    return pd.DataFrame(rows, columns=columns)


#: Figures whose tables are not shipped.
MADE = {
    ("roles", "confusions"): lambda: plot_confusions(confusions(), corpus="made", split="test"),
    ("roles", "rivals"): lambda: plot_rivals(make_results(rivals=True)),
    ("roles", "rivals_gen"): lambda: plot_rivals(make_results(rivals=True), split="gen"),
    ("bench", "growth_vocabulary"): lambda: plot_growth(
        growth("vocabulary", 200_000), "vocabulary"
    ),
    ("bench", "growth_k"): lambda: plot_growth(growth("K", 3000), "K"),
    ("rules", "ablations"): lambda: plot_ablations(**ablation_results()),
    ("sentence", "sentence"): lambda: plot_sentence(**sentence()),
    ("stream", "learning_curve"): lambda: plot_learning_curve(make_results()),
}
EVERY = [(experiment, name) for experiment in EXPERIMENTS for name in figures_of(experiment)]


@pytest.fixture(scope="module")
def make():
    """The script that draws the gallery."""
    return import_file(ROOT / "figures/make.py")


def test_no_figure_of_the_gallery_is_older_than_its_tables(make):
    page = (ROOT / "figures/README.md").read_text(encoding="utf-8")
    for name in make.GALLERY:
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert f"SHA-256 `{make.digest(name)}`" in section, "run python figures/make.py"


@pytest.fixture(scope="module")
def run(make, tmp_path_factory):
    """The shipped tables of an experiment as a run folder."""
    found = {}

    def of(experiment, where):
        if where not in found:
            home = tmp_path_factory.mktemp("kept") / experiment
            made = make.kept_run(experiment, where, home)
            for table in ("contenders", "stream"):
                path = KEPT / where
                if (path.parent / f"{table}.csv").is_file():
                    (made.folder / f"{table}.csv").write_bytes(
                        (path.parent / f"{table}.csv").read_bytes()
                    )
            found[where] = RunTables(made.folder)
        return found[where]

    return of


@pytest.mark.parametrize(("experiment", "name"), EVERY, ids=map("-".join, EVERY))
def test_every_figure_can_be_read(experiment, name, run):
    if (experiment, name) in MADE:
        ax = MADE[experiment, name]()
    else:
        where = OTHERS.get((experiment, name), TABLES[experiment])
        ax = figures_of(experiment)[name](run(experiment, where))
    assert faults(ax.figure.canvas.figure) == []
    assert style.caption_of(ax).note


def test_the_plane_of_a_sweep_can_be_read():
    table = pd.DataFrame(
        [(f"{fast},{slow}" if fast < slow else f"{fast}", 0.9 - 0.01 * fast)
         for fast in (2, 4, 8) for slow in (2, 4, 8, 128)],
        columns=["timescales", "value"],
    )  # fmt: skip
    assert faults(plot_plane(table, title="built-in grammar", metric="Accuracy").figure) == []


def _overlap(ax):
    label = ax.get_yticklabels()[0]
    label.figure.text(*label.figure.transFigure.inverted().transform(label.get_window_extent().p0),
                      "across")  # fmt: skip
    return "lies on"


def _shrink(ax):
    ax.xaxis.label.set_fontsize(5)
    return "is of 5 points"


def _push_out(ax):
    ax.figure.text(0.95, 0.5, "beyond the right edge")
    return "leaves the figure"


def _fade(ax):
    ax.xaxis.label.set_color("#E69F00")
    return "too pale"


def _strike(ax):
    ax.text(0.5, 3, "struck", ha="center")
    ax.plot([0, 1], [3, 3], color="red")
    return "is struck"


def _intrude(ax):
    ax.figure.add_axes((0.0, 0.0, 0.3, 0.3))
    return "reaches into other axes"


@pytest.mark.parametrize("harm", [_overlap, _shrink, _push_out, _fade, _strike, _intrude])
def test_what_cannot_be_read_is_told(harm):
    ax = plot_roles(make_results())
    assert faults(ax.figure) == []
    ax.figure.draw_without_rendering()
    said = harm(ax)
    ax.figure.set_layout_engine("none")
    assert any(said in line for line in faults(ax.figure))


def test_lines_that_the_axes_cut_strike_no_letters_beside_them():
    with style.context():
        ax = style.axes(None, 2.0)
        ax.plot([0, 2], [0.5, 0.5])
        ax.set(xlim=(0, 1), ylim=(0, 1))
        ax.annotate("name", (1, 0.5), xytext=(5, 0), textcoords="offset points", va="center")
        assert faults(ax.figure) == []
        ax.lines[0].set_clip_on(False)
        assert faults(ax.figure) == ["'name' is struck by a line or a mark"]


def test_bars_of_distances_start_at_zero_and_are_as_tall_as_the_difference():
    columns = "corpus split model condition metric role mean low high n unit".split()
    none = (float("nan"), float("nan"))
    loss = {"ema": (2.5, 3.0), "gpt2": (2.3, 3.2)}
    rows = [
        ("made", "test", model, f"preset=nano distance={name}", "loss", "", mean, *none, 1, "")
        for model, means in loss.items()
        for name, mean in zip(("1-4", "new"), means, strict=True)
    ]
    ax = lm.plot_distances(pd.DataFrame(rows, columns=columns))
    bars = [(bar.get_y(), round(bar.get_height(), 6)) for bar in ax.patches]
    assert bars == [(0.0, 0.2), (0.0, -0.2)]
    assert [text.get_text() for text in ax.texts] == ["+0.200", "\u22120.200"]


def test_titles_name_corpus_and_split_in_words():
    results = make_results().assign(corpus="builtin")
    assert "built-in grammar, test split" in style.caption_of(plot_roles(results)).title
