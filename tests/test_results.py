"""The results shape and the run folder."""

from __future__ import annotations

import json

import pytest

from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.runs import figures
from hebbsim.runs import folders as module
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.folders import check_output
from hebbsim.runs.results import (
    Results,
    Row,
    Score,
    json_text,
    provenance,
    summarize,
    table_text,
)
from hebbsim.runs.resume import RunCache


def score(seed=0, value=0.5, **changes):
    given = {
        "corpus": "tiny", "split": "test", "model": "hebbian", "condition": "K=3",
        "metric": "accuracy", "role": None,
    }  # fmt: skip
    return Score(**{**given, **changes}, seed=seed, value=value)


def results(value=0.5):
    scores = [score(seed, value) for seed in range(2)]
    return Results(
        experiment="roles",
        config={"corpus": "tiny", "seeds": 2},
        provenance=provenance(inputs={"b": "2", "a": "1"}, seeds=[0, 1]),
        rows=summarize(scores),
        tables={"per_seed": scores, "empty": []},
    )


def test_one_row_for_each_condition_in_order_of_arrival():
    rows = summarize(
        [score(0, 0.4), score(0, 0.7, split="gen"), score(1, 0.6), score(0, 1.0, role="OBJ")]
    )
    assert [(r.split, r.role, r.n) for r in rows] == [
        ("test", None, 2), ("gen", None, 1), ("test", "OBJ", 1),
    ]  # fmt: skip
    assert rows[0].mean == pytest.approx(0.5) and rows[0].low < 0.4 < 0.6 < rows[0].high
    assert rows[1].low is None and rows[1].high is None


def test_rows_are_found_by_the_words_of_their_condition():
    found = results()
    found.rows += summarize([score(condition="K=3 labels=100")])
    assert [r.condition for r in found.select({}, metric="accuracy")] == ["K=3"]
    assert [r.condition for r in found.select({"labels": "100"})] == ["K=3 labels=100"]
    assert len(found.select()) == 2


def test_the_document_has_the_shape_that_every_experiment_shares():
    document = json.loads(json_text(results().document()))
    assert document["schema"] == "hebbsim.results/1" and document["experiment"] == "roles"
    assert list(document["results"][0]) == [
        "corpus", "split", "model", "condition", "metric", "role", "mean", "low", "high", "n",
        "unit",
    ]  # fmt: skip
    assert document["tables"] == {"empty": []}
    assert document["provenance"]["inputs"] == {"a": "1", "b": "2"}
    assert "numpy" in document["provenance"]["packages"]


def test_json_never_holds_nan():
    (row,) = summarize([score()])  # of one value there is no interval
    assert (row.low, row.high) == (None, None)
    with pytest.raises(ValueError, match="JSON"):
        json_text({"value": float("nan")})


def test_a_table_keeps_every_digit_and_leaves_none_empty():
    text = table_text([Row("c", "test", "m", "", "accuracy", None, 1 / 3, None, None, 1)])
    header, line = text.splitlines()
    assert header.startswith("corpus,split") and f",{1 / 3!r}," in line and ",,,1," in line


# --- the run folder ---------------------------------------------------------------------


def write_run(folder, results, *, overwrite=False, save=None, **machine):
    with RunCache(folder, overwrite=overwrite) as kept:
        kept.write(results, machine=machine, save=save)
    return results


@pytest.fixture(autouse=True)
def drawings(monkeypatch):
    """The figures of the experiment, by name; to be filled."""
    found = {}
    monkeypatch.setattr(figures, "figures_of", lambda experiment: found)
    return found


def plot(results, ax=None):
    from hebbsim.plots import style

    ax = style.axes(ax, 2)
    ax.plot([0, len(results)])
    style.caption(ax, "A figure", "of n")
    return ax


def fail(results, ax=None):
    raise ZeroDivisionError("n is\n0")


def test_a_run_folder_holds_everything_and_lists_it(drawings, tmp_path):
    drawings["a"] = FigureSpec(plot)
    out = tmp_path / "runs" / "one"
    found = write_run(out, results(), save=lambda draft: (draft / "more").write_text("more"))
    assert found.folder == out
    names = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert names == [
        "config.json", "figures/a.png", "figures/a.svg", "files.json", "machine.json", "more",
        "per_seed.csv", "provenance.json", "results.csv", "results.json",
    ]  # fmt: skip
    assert json.loads((out / "files.json").read_text()) == {
        "schema": "hebbsim.files/1", "of": "run", "files": [n for n in names if n != "files.json"],
    }  # fmt: skip
    assert json.loads((out / "results.json").read_text()) == json.loads(
        json_text(results().document())
    )


def test_a_figure_that_fails_takes_neither_the_tables_nor_another_figure_with_it(
    drawings, tmp_path, monkeypatch
):
    drawings.update(first=FigureSpec(fail), second=FigureSpec(plot))
    found = write_run(tmp_path / "a", results())
    assert found.undrawn == ["first"]
    assert found.notes == ["figure not drawn: first (n is 0)"]
    assert (tmp_path / "a" / "results.csv").is_file()
    assert (tmp_path / "a" / "figures" / "second.svg").is_file()
    assert not (tmp_path / "a" / "unfinished").exists()

    def broken(*_):
        raise ImportError("no matplotlib")

    monkeypatch.setattr(figures, "draw_run", broken)
    assert write_run(tmp_path / "b", results()).undrawn == ["all"]
    assert (tmp_path / "b" / "results.json").is_file()


def test_an_interruption_while_figures_are_drawn_leaves_a_finished_run(drawings, tmp_path):
    def interrupt(results, ax=None):
        raise KeyboardInterrupt

    drawings["a"] = FigureSpec(interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        write_run(tmp_path / "a", results())
    assert f"figures --run {tmp_path / 'a'} draws the figures" in caught.value.hint
    assert (tmp_path / "a" / "results.json").is_file()
    assert not (tmp_path / "a" / "unfinished").exists()


def test_two_runs_differ_in_the_machine_file_alone(tmp_path):
    for name in ("a", "b"):
        write_run(tmp_path / name, results(), host=name)
    for path in (tmp_path / "a").iterdir():
        same = path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
        assert same == (path.name != "machine.json")


def test_of_an_earlier_run_its_own_files_go_and_no_others(drawings, tmp_path):
    drawings["a"] = FigureSpec(plot)
    first = results(0.1)
    first.tables["more"] = first.tables["per_seed"]
    write_run(tmp_path / "a", first, save=lambda draft: (draft / "learner").write_text("1"))
    (tmp_path / "a" / "notes.txt").write_text("mine")
    (tmp_path / "a" / "figures" / "b.svg").write_text("mine")
    drawings.clear()
    drawings["b"] = FigureSpec(plot)
    found = write_run(tmp_path / "a", results(0.9), overwrite=True)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        "config.json", "figures", "files.json", "machine.json", "notes.txt", "per_seed.csv",
        "provenance.json", "results.csv", "results.json",
    ]  # fmt: skip
    assert "0.9" in (tmp_path / "a" / "results.csv").read_text()
    # A drawing of the same name that is not ours is not drawn over, and that is said.
    assert [p.name for p in (tmp_path / "a" / "figures").iterdir()] == ["b.svg"]
    assert (tmp_path / "a" / "figures" / "b.svg").read_text() == "mine"
    assert "b.svg: already exists" in found.notes[0]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), OSError(28, "full")])
def test_a_failure_leaves_the_earlier_run_and_nothing_else(tmp_path, error):
    write_run(tmp_path / "a", results(0.1))
    before = {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir()}

    def save(folder):
        raise error

    with pytest.raises(HebbsimError if isinstance(error, OSError) else type(error)):
        write_run(tmp_path / "a", results(0.9), overwrite=True, save=save)
    assert {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_an_empty_folder_is_taken_and_a_stranger_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    check_output(tmp_path / "empty")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    (tmp_path / "mine" / "results.json").write_text("[1]")
    with pytest.raises(BadInputError, match="holds no hebbsim run"):
        write_run(tmp_path / "mine", results(), overwrite=True)
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_a_file_is_no_output_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadInputError, match="is a file"):
            check_output(path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    # Permission bits do not bind root, so the system's refusal is played.
    def refuse(dir):
        assert dir == tmp_path
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.tempfile, "TemporaryFile", refuse)
    with pytest.raises(BadInputError, match="not writable"):
        check_output(tmp_path / "new" / "run")


def test_asking_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    check_output(tmp_path / "new" / "run")
    assert not list(tmp_path.iterdir())
