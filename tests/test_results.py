"""The results shape and the run folder."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments import results as module
from hebbsim.experiments.results import (
    Results,
    Row,
    Score,
    check_output,
    json_text,
    provenance,
    row,
    summarize,
    table_text,
    write_run,
)
from hebbsim.probes import Estimate


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
    key = score()
    assert row(key, Estimate(0.5, np.nan, np.nan), 1).low is None
    with pytest.raises(ValueError, match="JSON"):
        json_text({"value": float("nan")})


def test_a_table_keeps_every_digit_and_leaves_none_empty():
    text = table_text([Row("c", "test", "m", "", "accuracy", None, 1 / 3, None, None, 1)])
    header, line = text.splitlines()
    assert header.startswith("corpus,split") and f",{1 / 3!r}," in line and ",,,1," in line


# --- the run folder ---------------------------------------------------------------------


def test_a_run_folder_holds_everything_and_the_figures_see_the_tables(tmp_path):
    def draw(folder):
        assert (folder / "results.csv").exists() and (folder / "structure.csv").exists() is False
        (folder / "figures").mkdir()
        (folder / "figures" / "a.svg").write_text("<svg/>")
        return [folder / "figures" / "a.svg"]

    out = tmp_path / "runs" / "one"
    paths = write_run(out, results(), machine={"host": "h"}, draw=draw)
    assert paths == [out / "figures" / "a.svg"] and paths[0].exists()
    assert sorted(p.name for p in out.iterdir()) == [
        "config.json", "figures", "machine.json", "per_seed.csv", "provenance.json",
        "results.csv", "results.json",
    ]  # fmt: skip
    assert json.loads((out / "results.json").read_text()) == json.loads(
        json_text(results().document())
    )


def test_two_runs_differ_in_the_machine_file_alone(tmp_path):
    for name in ("a", "b"):
        write_run(tmp_path / name, results(), machine={"host": name})
    for path in (tmp_path / "a").iterdir():
        same = path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
        assert same == (path.name != "machine.json")


def test_an_earlier_run_is_replaced_whole(tmp_path):
    write_run(tmp_path / "a", results(0.1), machine={})
    (tmp_path / "a" / "left.txt").write_text("of the old run")
    write_run(tmp_path / "a", results(0.9), machine={})
    assert not (tmp_path / "a" / "left.txt").exists()
    assert "0.9" in (tmp_path / "a" / "results.csv").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), OSError(28, "full")])
def test_a_failure_leaves_the_earlier_run_and_nothing_else(tmp_path, error):
    write_run(tmp_path / "a", results(0.1), machine={})
    before = (tmp_path / "a" / "results.csv").read_bytes()

    def draw(folder):
        raise error

    with pytest.raises(HebbsimError if isinstance(error, OSError) else type(error)):
        write_run(tmp_path / "a", results(0.9), machine={}, draw=draw)
    assert (tmp_path / "a" / "results.csv").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_an_empty_folder_is_taken_and_a_stranger_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    check_output(tmp_path / "empty")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    (tmp_path / "mine" / "results.json").write_text("[1]")
    with pytest.raises(BadInputError, match="holds no hebbsim run"):
        write_run(tmp_path / "mine", results(), machine={})
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_a_file_is_no_output_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadInputError, match="is a file"):
            check_output(path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    # Permission bits do not bind root, so the system's refusal is played.
    def refuse(prefix, dir):
        assert dir == tmp_path
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.tempfile, "mkdtemp", refuse)
    with pytest.raises(BadInputError, match="not writable"):
        check_output(tmp_path / "new" / "run")


def test_asking_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    check_output(tmp_path / "new" / "run")
    assert not list(tmp_path.iterdir())
