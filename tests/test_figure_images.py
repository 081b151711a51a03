"""Figures look as they did when a person last looked at them.

``tests/baseline`` holds each figure as it should be: the picture without its letters, on Axes
of fixed size, and the letters as text with their colours. ``python tests/test_figure_images.py``
writes them anew; look at the figures themselves before the new ones are committed.

Letters are kept apart because matplotlib sets them by the FreeType that it comes with: between
3.10 and 3.11 every one of them, and with it the room that is left for the Axes, changed, while
no figure did. What is left is reduced to means over squares of `BLOCK` pixels, so that a
fraction of a pixel passes, and a mark that moved or another colour does not
(`test_what_a_reader_would_see_is_caught`). Tried on matplotlib 3.8, 3.9, 3.10 and 3.11.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_plots import make_results

from hebbsim import plots
from hebbsim.plots import style

BASELINE = Path(__file__).with_name("baseline")
DPI = 80
BLOCK = 4
#: Largest root mean square difference of the squares' colours, of 0 to 1, over the figure, and
#: the largest that any region of `REGION` squares may have.
OVERALL, LOCAL = 0.010, 0.05
REGION = 5

COLUMNS = "corpus split model condition metric role mean low high n unit".split()


def identity_results():
    """A table of `hebbsim run identity` by formulas."""
    rows = []

    def add(split, model, condition, metric, mean, half=0.0, n=3, unit="bits"):
        rows.append(["made", split, model, condition, metric, "", mean, mean - half, mean + half,
                     n, unit])  # fmt: skip

    add("test", "stream", "", "entropy", 6.0)
    reach = {"cancellation": 20.0, "linear": 3.0, "ridge": 2.5, "nearest": 1.5}
    held = {"precision=float64": 2.0, "precision=float32": 1.0, "precision=bfloat16": 0.5,
            "precision=float64 snr=20": 0.3}  # fmt: skip
    for condition, factor in held.items():
        for model, lags in reach.items():
            for lag in range(24):
                bits = 6.0 / (1 + np.exp(lag - factor * lags))
                add("test", model, f"lag={lag} {condition}", "bits", bits, 0.2)
    for i, taus in enumerate(("2", "2,8,32", "log8")):
        for j, condition in enumerate(held):
            bits = 20.0 * (i + 1) + 15 * (3 - j)
            add("map", "cancellation", f"timescales={taus} {condition}", "total_bits", bits, n=1)
    return pd.DataFrame(rows, columns=COLUMNS)


def bench_results():
    """Tables of `hebbsim bench` by formulas: results and contenders."""
    rows = []
    for i, line in enumerate(("first", "second")):
        for value in (1, 10, 100, 1000):
            cost = 0.1 * (i + 1) * value**0.3
            for split, metric in (("growth/tokens", "microseconds_per_token"),
                                  ("growth/tokens", "peak_memory")):  # fmt: skip
                mean = cost if metric != "peak_memory" else 150.0 + 20 * i
                rows.append(["made", split, "hebbian", f"line={line} value={value}", metric, "",
                             mean, mean * 0.9, mean * 1.1, 7, ""])  # fmt: skip
    for name, rate in (("FMA peak", 200.0), ("weights read+write", 100.0),
                       ("DRAM read+write", 20.0)):  # fmt: skip
        rows.append(["made", "traces", name, "", "limit", "", rate, rate, rate, 7, "GB/s"])
    contenders = []
    for way, flops, ours in (("mine", 40.0, True), ("peer", 4.0, False)):
        rows.append(["made", "traces", "hebbian" if ours else "other", f"way={way} spread=q",
                     "flops", "", flops, flops, flops, 7, ""])  # fmt: skip
        contenders.append(["traces", way, str(ours), 8.0, 10.0, "measured"])
    return {
        "results": pd.DataFrame(rows, columns=COLUMNS),
        "contenders": pd.DataFrame(contenders, columns="work way ours flops bytes status".split()),
    }


def ablation_results():
    """Tables of `hebbsim run rules` by formulas."""
    ablations, comparisons, rows = [], [], []

    def add(model, condition, mean):
        rows.append(["made", "test", model, condition, "accuracy", "", mean, mean - 0.02,
                     mean + 0.02, 3, ""])  # fmt: skip

    add("lookup", "", 0.7)
    add("hebbian", "K=9", 0.9)
    for i, group in enumerate(("words.memory: instar", "tokens.prediction: nlms")):
        for j, name in enumerate(("good", "even", "bad", "none", "learning off")):
            condition = f"part={i} rule={j}"
            ablations.append([condition, group, name, "", str(name == "even")])
            if name != "none":
                add("hebbian", f"K=9 {condition}", 0.95 - 0.06 * j - 0.02 * i)
            verdict = ("ahead", "no difference shown", "behind", "", "behind")[j]
            comparisons.append([f"K=9 {condition}", "test", verdict])
    return {
        "results": pd.DataFrame(rows, columns=COLUMNS),
        "ablations": pd.DataFrame(ablations, columns="condition group name failed idle".split()),
        "comparisons": pd.DataFrame(comparisons, columns="condition split verdict".split()),
    }


def confusions():
    """Tokens by gold role and role found, by a formula."""
    names = ["SUBJ", "PRED", "DET", "OBJ", "IOBJ"]
    i, j = np.indices((5, 5))
    return pd.DataFrame(900 // (i + 1) // 4 ** abs(i - j) // (1 + j), names, names)


def figures():
    """Each figure by name, drawn from tables that are always the same."""
    roles, identity, bench = make_results(), identity_results(), bench_results()
    growth = {"results": bench["results"]}
    taus = [2.0, 8.0, 32.0]
    return {
        "roles": lambda: plots.plot_roles(roles, dependence={"SUBJ": "structure"}),
        "generalization": lambda: plots.plot_generalization(
            roles, dependence={"gen/cp_recursion": "structure"}
        ),
        "timescales": lambda: plots.plot_timescales(roles, timescales=taus),
        "labels": lambda: plots.plot_labels(roles, n_sentences=12544),
        "learning_curve": lambda: plots.plot_learning_curve(roles, n_tokens=60_000, passes=3),
        "few_labels": lambda: plots.plot_few_labels(roles, dependence={"SUBJ": "structure"}),
        "rivals": lambda: plots.plot_rivals(
            make_results(rivals=True), dependence={"SUBJ": "structure"}
        ),
        "structure_content": lambda: plots.plot_structure_content(roles),
        "confusions": lambda: plots.plot_confusions(confusions(), corpus="made", split="test"),
        "decoders": lambda: plots.plot_decoders(identity),
        "precision": lambda: plots.plot_precision(identity),
        "capacity": lambda: plots.plot_capacity(identity),
        "roofline": lambda: plots.plot_roofline(**bench),
        "growth": lambda: plots.plot_growth(**growth, axis="tokens"),
        "memory": lambda: plots.plot_memory(**growth),
        "ablations": lambda: plots.plot_ablations(**ablation_results()),
    }


FIGURES = figures()


def pixels(content):
    """Colours of a PNG, 0 to 1, shape=(height, width, 3)."""
    from matplotlib.image import imread

    return imread(io.BytesIO(content))[:, :, :3].astype(float)


def letters(ax):
    """What can be read in a figure, with colours, sorted."""
    from matplotlib.colors import to_hex
    from matplotlib.text import Text

    ax.figure.draw_without_rendering()
    beyond = set()  # matplotlib keeps labels of ticks that lie outside, and draws none of them
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        beyond |= {tick.label1 for tick in ticks if not low <= tick.get_loc() <= high}
    shown = [
        text
        for text in ax.figure.findobj(Text)
        if text.get_visible() and text.get_text() and text not in beyond
    ]
    return sorted([text.get_text(), to_hex(text.get_color())] for text in shown)


def drawn(ax):
    """The picture without letters, on Axes of fixed size."""
    from matplotlib.text import Text

    figure = ax.figure
    figure.set_layout_engine("none")
    ax.set_position([0.1, 0.1, 0.8, 0.8])
    if ax.get_subplotspec().get_gridspec().nrows > 1:  # panels, each in its cell
        for panel in figure.axes:
            panel.set_position(panel.get_subplotspec().get_position(figure))
    for text in figure.findobj(Text):
        text.set_visible(False)
    ax.tick_params(which="both", labelleft=False, labelbottom=False)
    for legend in filter(None, (panel.get_legend() for panel in figure.axes)):
        legend.set_visible(False)  # it is as wide as its letters
    return style.rendered(figure, "png", DPI)


def blocks(picture):
    """Means over squares of `BLOCK` pixels; the rest at the edges is left out."""
    height, width = (size // BLOCK * BLOCK for size in picture.shape[:2])
    whole = picture[:height, :width]
    return whole.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean(axis=(1, 3))


def differences(one, other):
    """Root mean square difference over the figure, and the largest over a region."""
    if one.shape != other.shape:
        return 1.0, 1.0
    square = ((blocks(one) - blocks(other)) ** 2).mean(axis=2)
    windows = np.lib.stride_tricks.sliding_window_view(square, (REGION, REGION))
    return float(np.sqrt(square.mean())), float(np.sqrt(windows.mean(axis=(2, 3)).max()))


def same(one, other):
    overall, local = differences(one, other)
    return overall <= OVERALL and local <= LOCAL


@pytest.mark.parametrize("name", FIGURES)
def test_looks_as_it_should(name, tmp_path):
    ax = FIGURES[name]()
    assert letters(ax) == json.loads((BASELINE / f"{name}.json").read_text(encoding="utf-8"))
    found, expected = drawn(ax), (BASELINE / f"{name}.png").read_bytes()
    overall, local = differences(pixels(found), pixels(expected))
    if overall > OVERALL or local > LOCAL:
        (tmp_path / f"{name}.png").write_bytes(found)
        pytest.fail(
            f"{name} differs by {overall:.4f} overall, {local:.3f} at most in a region; "
            f"compare {tmp_path / name}.png with tests/baseline"
        )


def test_every_plotting_function_has_a_picture():
    functions = {name for name in plots.__all__ if name.startswith("plot_")}
    assert {f"plot_{name}" for name in FIGURES} == functions
    assert {path.stem for path in BASELINE.iterdir()} == set(FIGURES)


def line(ax, label):
    return next(found for found in ax.lines if found.get_label() == label)


def _move_a_line(ax):
    line(ax, "_hebbian").set_ydata(np.asarray(line(ax, "_hebbian").get_ydata()) - 0.04)


def _move_a_point(ax):
    line(ax, "_bigru").set_ydata(np.asarray(line(ax, "_bigru").get_ydata()) - [0, 0, 0.06, 0, 0, 0])


def _swap_a_colour(ax):
    line(ax, "_bigru").set_color("#0072B2")


def _drop_a_band(ax):
    ax.collections[0].set_visible(False)


@pytest.mark.parametrize("change", [_move_a_line, _move_a_point, _swap_a_colour, _drop_a_band])
def test_what_a_reader_would_see_is_caught(change):
    ax = FIGURES["labels"]()
    before = pixels(drawn(ax))
    assert same(before, pixels((BASELINE / "labels.png").read_bytes()))
    change(ax)
    assert not same(before, pixels(drawn(ax)))


def test_letters_that_change_are_caught():
    ax = FIGURES["labels"]()
    before = letters(ax)
    ax.set_xlabel("")
    ax.texts[0].set_color("#ff0000")
    lost = [entry for entry in before if entry not in letters(ax)]
    assert len(lost) == 2


def test_a_picture_moved_by_a_fraction_of_a_pixel_passes():
    picture = pixels((BASELINE / "labels.png").read_bytes())
    moved = 0.7 * picture + 0.3 * np.roll(picture, 1, axis=1)
    assert same(picture, moved)
    assert not same(picture, np.roll(picture, 3, axis=0))


if __name__ == "__main__":
    BASELINE.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        ax = draw()
        entries = [json.dumps(entry, ensure_ascii=False) for entry in letters(ax)]
        text = "[\n" + ",\n".join(entries) + "\n]\n"
        (BASELINE / f"{name}.json").write_text(text, encoding="utf-8")
        (BASELINE / f"{name}.png").write_bytes(drawn(ax))
