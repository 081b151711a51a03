"""`hebbsim figures`: which figures, where, and what it refuses."""

from __future__ import annotations

import inspect
import json

import pytest
from test_plots import FIGURES, ROLES, make_results, write_run

from hebbsim import plots
from hebbsim.cli import main
from hebbsim.errors import BadInputError
from hebbsim.plots import NothingToDrawError, style
from hebbsim.runs import figures
from hebbsim.runs.figures import FigureSpec, figures_of
from hebbsim.runs.finished import RunTables, find_runs
from hebbsim.runs.registry import EXPERIMENTS
from hebbsim.runs.report import build


def call(*words):
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return stop.value.code


def make_run(folder, results=None, experiment="roles", **other):
    """A run folder as `write_run` of the experiments leaves it, but for its figures.

    Some figures have a panel a role: of few roles they are drawn in a third of the time.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    config = {"timescales": [2.0, 8.0, 32.0], "n_sentences": 12544} | other
    write_run(folder, make_results(roles=ROLES[:4]) if results is None else results, **config)
    document = {
        "schema": "hebbsim.results/1", "experiment": experiment, "config": config,
        "provenance": {"packages": {"numpy": "2.0"}, "inputs": {"made": "00ff"}, "seeds": [0, 1]},
        "notes": [],
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "one")


def test_draws_all_from_the_tables_alone_and_writes_captions(run, tmp_path, capsys):
    assert call("figures", "--run", run, "--out", tmp_path, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert {figure["name"] for figure in document["figures"]} == FIGURES
    for figure in document["figures"]:
        assert "seed" in figure["note"] or "bootstrap" in figure["note"]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"one-{f}.{s}" for f in FIGURES for s in ("svg", "png")} | {
        "captions.md", "files.json",
    }  # fmt: skip
    captions = (tmp_path / "captions.md").read_text()
    assert "Mean and 95 % interval over 5 seeds" in captions
    assert captions.count("\n## ") == len(FIGURES)


def test_draws_what_is_named_in_the_formats_named(run, tmp_path, capsys):
    words = ("figures", "labels", "roles", "--run", run, "--out", tmp_path)
    assert call(*words, "--format", "pdf,png", "--dpi", 60) == 0
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == ["captions.md", "files.json", "one-labels.pdf", "one-labels.png",
                     "one-roles.pdf", "one-roles.png"]  # fmt: skip
    assert (tmp_path / "one-roles.pdf").read_bytes().startswith(b"%PDF")
    width = int.from_bytes((tmp_path / "one-roles.png").read_bytes()[16:20], "big")
    assert width == 3.5 * 60
    assert "one-" not in capsys.readouterr().err
    # A later call completes the captions, and forgets those of figures that are gone.
    (tmp_path / "one-labels.pdf").unlink()
    (tmp_path / "one-labels.png").unlink()
    assert call("figures", "timescales", "--run", run, "--out", tmp_path) == 0
    captions = (tmp_path / "captions.md").read_text()
    assert [line for line in captions.splitlines() if line.startswith("## ")] == [
        "## one-roles",
        "## one-timescales",
    ]


def test_without_a_run_it_draws_those_in_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("figures") == 2
    assert "no run folder in ./runs" in capsys.readouterr().err
    (tmp_path / "runs" / "not-a-run").mkdir(parents=True)
    make_run(tmp_path / "runs" / "b")
    make_run(tmp_path / "runs" / "a")
    assert [run.name for run in find_runs()] == ["a", "b"]
    assert call("figures", "roles") == 0
    for name in ("a", "b"):
        folder = tmp_path / "runs" / name / "figures"
        found = {path.name for path in folder.iterdir()}
        assert found == {"roles.svg", "roles.png", "captions.md"}


def test_lists_names_with_what_they_show(capsys):
    assert call("figures", "--list") == 0
    shown = capsys.readouterr().out
    for experiment in ("roles", "identity", "bench"):
        for name, drawing in figures_of(experiment).items():
            assert name in shown
            assert drawing.about.endswith(".")
    having = {name for name, one in EXPERIMENTS.items() if one.figures_at}
    assert having >= {"roles", "identity", "bench"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense",), "nonsense: no such figure; roles has roles, roles_gen"),
        (("--format", "gif"), "--format: give any of svg, png, pdf, got 'gif'"),
        (("--format", ","), "--format: give any of"),
        (("--dpi", "0"), "--dpi: give a number from 30 to 2400"),
        (("--run", "absent"), "absent: no such folder; give the folder of a finished run"),
    ],
)
def test_refuses_in_one_line(run, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert call("figures", *words, "--run", run, "--out", "here") == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_refuses_tables_without_rows_and_folders_of_one_name(tmp_path, capsys):
    run = make_run(tmp_path / "a" / "run", make_results(bigru=False))
    assert call("figures", "labels", "--run", run) == 2
    assert "no rows to draw labels" in capsys.readouterr().err
    assert not (run / "figures").exists()
    other = make_run(tmp_path / "b" / "run")
    assert call("figures", "--run", run, "--run", other, "--out", tmp_path / "out") == 2
    assert "two runs are called run" in capsys.readouterr().err
    strange = make_run(tmp_path / "c", experiment="unheard-of")
    assert call("figures", "--run", strange) == 2
    assert "no figures are known of `unheard-of`" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert call("figures", "--run", run, "--out", tmp_path / "file") == 2


def test_says_which_of_the_named_figures_has_no_rows(tmp_path, capsys):
    run = make_run(tmp_path / "run", make_results(bigru=False))
    assert call("figures", "roles", "labels", "--run", run) == 2
    said = capsys.readouterr()
    assert "labels (the tables have no rows" in said.err
    assert "roles" in said.out


def test_every_run_that_drew_a_figure_can_be_drawn_again(tmp_path, capsys):
    """A sentence read back, as `hebbsim run identity --sentence` leaves it."""
    run = make_run(tmp_path / "run", experiment="sentence")
    (run / "sentence.csv").write_text(
        "seed,decoder,condition,lag,word,read\n"
        "0,nearest,precision=float32,0,dog,dog\n0,nearest,precision=float32,1,the,a\n"
    )
    assert call("figures", "--run", run) == 0
    assert (run / "figures" / "sentence.svg").is_file()
    for experiment in EXPERIMENTS.values():
        assert bool(experiment.figures_at) == bool(figures_of(experiment.name))


def test_no_file_that_is_not_a_figure_of_ours_is_drawn_over(run, tmp_path, capsys):
    (tmp_path / "one-roles.svg").write_text("mine")
    words = ("figures", "--run", run, "--out", tmp_path)
    assert call(*words, "roles", "labels") == 2
    assert "one-roles.svg: already exists" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["one-roles.svg"]
    assert call(*words, "labels") == 0
    assert call(*words, "labels") == 0  # its own are drawn anew
    assert (tmp_path / "one-roles.svg").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "cannot be read"), ("[" * 100_000, "cannot be read"),
     ('{"schema": "other/1"}', "not the record of a run"),
     ('{"schema": "hebbsim.results/1"}', "lacks experiment")],
)  # fmt: skip
def test_a_damaged_record_is_named(tmp_path, capsys, content, said):
    (tmp_path / "results.json").write_text(content)
    assert call("figures", "--run", tmp_path) == 2
    assert f"results.json: {said}" in capsys.readouterr().err


def plotting_functions():
    return [getattr(plots, name) for name in plots.__all__ if name.startswith("plot_")]


@pytest.mark.parametrize("draw", plotting_functions(), ids=lambda f: f.__name__)
def test_every_plotting_function_takes_axes(draw):
    assert inspect.signature(draw).parameters["ax"].default is None


def test_captions_travel_in_the_files_and_can_be_left_out(run, tmp_path):
    ax = plots.plot_roles(RunTables(run).results)
    said = style.caption_of(ax)
    assert said.title == "Recall by role against BiGRU: made, test split"
    paths = style.save(ax.figure, tmp_path, "roles", ("svg", "png", "pdf"))
    for path in paths[:2]:
        content = path.read_bytes().decode("utf-8", errors="replace")
        assert said.title in content
        assert "interval over 5 seeds" in content
    with style.without_captions():
        bare = plots.plot_roles(RunTables(run).results)
    assert style.caption_of(bare) == said
    assert not bare.figure.get_supxlabel() and not bare.figure.get_suptitle()
    with pytest.raises(KeyError):
        style.caption_of(bare.figure.add_subplot())


def test_the_style_sheet_is_one_that_matplotlib_finds_by_name():
    from matplotlib import rcParams
    from matplotlib.colors import to_hex
    from matplotlib.style import context

    with context("hebbsim.plots.hebbsim"):
        assert rcParams["font.family"] == ["DejaVu Sans"]
        assert to_hex(rcParams["text.color"]) == style.INK.lower()
        assert to_hex(rcParams["axes.edgecolor"]) == style.MUTED.lower()


def test_a_figure_without_rows_is_left_out(tmp_path):
    run = RunTables(make_run(tmp_path / "run", make_results(roles=ROLES[:4], gen=())))
    with pytest.raises(NothingToDrawError):
        figures_of("roles")["generalization"](run)
    drawn, failed = figures.draw(run, out=tmp_path / "out")
    absent = {"generalization", "roles_gen", "few_labels_gen"}
    assert {one.name for one in drawn} == FIGURES - absent and failed == {}


@pytest.mark.parametrize(("error", "status"), [(ValueError("n is 0"), 1), (BadInputError("no"), 2)])
def test_a_figure_that_fails_keeps_no_other_from_being_drawn(
    run, tmp_path, monkeypatch, capsys, error, status
):
    def fail(results, ax=None):
        raise error

    drawings = {"broken": FigureSpec(fail), "timescales": figures_of("roles")["timescales"]}
    for module in (figures, build):
        monkeypatch.setattr(module, "figures_of", lambda experiment: drawings)
    assert call("figures", "--run", run, "--out", tmp_path / "out") == status
    out, said = capsys.readouterr()
    assert said == f"hebbsim: figure not drawn: broken of one ({error})\n"
    assert "timescales" in out and "## one-timescales" in (tmp_path / "out/captions.md").read_text()
    assert (tmp_path / "out" / "one-timescales.svg").is_file()
    # A report shows what could be drawn, too.
    assert call("report", run, "--out", tmp_path / "report") == 0
    assert capsys.readouterr().err == f"hebbsim: one: figure not drawn: broken ({error})\n"
    assert (tmp_path / "report" / "figures" / "one-timescales.png").is_file()
    # Where no figure is left, the tables are not said to hold no rows.
    del drawings["timescales"]
    assert call("figures", "--run", run, "--out", tmp_path / "none") == status
    out, said = capsys.readouterr()
    assert "rows" not in out + said and "broken of one" in said


def test_all_runs_are_read_before_any_is_drawn(run, tmp_path, capsys):
    other = make_run(tmp_path / "other")
    (other / "results.csv").unlink()
    words = ("figures", "timescales", "--run", run, "--run", other)
    assert call(*words, "--out", tmp_path / "out") == 2
    assert "results.csv: no such table" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
