"""A caption explains what its figure shows, and nothing that is not there."""

from __future__ import annotations

import pandas as pd
import pytest
from test_figure_images import COLUMNS, bench_results, identity_results

from hebbsim.plots import plot_capacity, plot_roofline, style
from hebbsim.plots.structure import plot_plane, plot_structure


def shares(*rows):
    """A results table of rows as (split, model, condition)."""
    filled = [["made", *row, "share", "", 0.6, 0.5, 0.7, 3, "fraction"] for row in rows]
    return pd.DataFrame(filled, columns=COLUMNS)


def note(ax):
    return style.caption_of(ax).note


@pytest.mark.parametrize(
    ("drop", "says", "says_not"),
    [
        ("nothing", ["log8", "dB"], []),
        ("timescales=log", ["dB"], ["log8", "log16"]),
        ("snr=", ["log8"], ["dB", "noise"]),
    ],
)
def test_capacity_names_the_sets_and_the_noise_that_it_has(drop, says, says_not):
    table = identity_results()
    ax = plot_capacity(table[~table["condition"].str.contains(drop)])
    assert all(word in note(ax) for word in says)
    assert not any(word in note(ax) for word in says_not)


@pytest.mark.parametrize("model", ["traces", "traces-learned"])
@pytest.mark.parametrize("cancellation", [True, False])
def test_structure_names_the_dashed_line_where_it_is_drawn(model, cancellation):
    rows = [("structure", model, f"property=word lag={lag}") for lag in (1, 2)]
    if cancellation:
        held = "precision=float32"
        rows += [("structure", "cancellation", f"property=word lag=1 {held}")]
    ax = plot_structure(shares(*rows), model=model)
    dashed = any(line.get_label() == "word, by cancellation" for line in ax.lines)
    named = any("float32" in text.get_text() for text in ax.texts)
    assert named == dashed == (cancellation and model == "traces")


@pytest.mark.parametrize("models", [["traces"], ["traces-learned"], ["traces", "traces-learned"]])
def test_the_plane_names_the_codes_whose_points_it_has(models):
    rows = [("plane", model, "property=role") for model in ("word", *models)]
    ax = plot_plane(shares(*rows))
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert ("words before it, random codes" in named) == ("traces" in models)
    assert ("words before it, learned codes" in named) == ("traces-learned" in models)
    faces = {line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"}
    assert ("white" in faces) == ("traces" in models) and len(faces) == len(models)


@pytest.mark.parametrize("status", ["measured", "failed", "no peer"])
def test_the_roofline_names_peers_where_there_are_some(status):
    tables = bench_results()
    peers = tables["contenders"]["ours"] != "True"
    tables["contenders"].loc[peers, "status"] = status
    if status == "no peer":
        tables["contenders"] = tables["contenders"][~peers]
    ax = plot_roofline(**tables)
    open_points = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert ("open: peers" in note(ax)) == bool(open_points) == (status == "measured")
