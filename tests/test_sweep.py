"""Sweeps, comparisons and repetitions of runs, over a small experiment that learns nothing."""

from __future__ import annotations

import io
import json
import math
import shutil
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import pytest
from rich.console import Console

import hebbsim.experiments
from hebbsim import run_roles
from hebbsim.cli import main
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.rules import run as rules
from hebbsim.experiments.rules.config import RulesConfig
from hebbsim.plots import matrices as plane
from hebbsim.readers.grammar import make_builtin
from hebbsim.readers.tables import write_tables
from hebbsim.runs import compare, registry
from hebbsim.runs import rerun as again
from hebbsim.runs import sweep as module
from hebbsim.runs.compare import compare_runs
from hebbsim.runs.folders import Numbered
from hebbsim.runs.registry import get_experiment
from hebbsim.runs.rerun import compare_folders, read_run, rerun
from hebbsim.runs.results import Results, Score, provenance, summarize
from hebbsim.runs.resume import RunCache
from hebbsim.runs.sweep import read_scores, run_folders, run_sweep
from hebbsim.runs.sweep_file import read_sweep
from hebbsim.runs.workers import run_all

pytest.importorskip("pyarrow")

CALLS: list[int] = []
RUN_RULES = rules.run_rules


def fake_rules(config, *, out, progress=None, overwrite=False):
    """Accuracy by K and timescales, with a draw of each seed; writes a run folder."""
    CALLS.append(config.passes)
    if config.passes == 13:
        raise HebbsimError("rule diverged")
    scores = [
        Score("tiny", split, "hebbian", f"K={config.clusters}{words}", "accuracy", None, seed,
              0.5 + 0.001 * config.clusters - 0.01 * len(config.timescales)
              + 0.01 * np.random.default_rng(seed).random() - 0.1 * bool(words)
              + 1e-4 * np.random.default_rng([seed, config.clusters]).random())
        for split in ("dev", "test")
        for words in ("", " view=own")
        for seed in range(config.seeds)
    ]  # fmt: skip
    results = Results(
        "rules",
        config.resolved() | {"corpus": "tiny", "source": config.corpus},
        provenance(inputs={"tiny.txt": "0"}, seeds=range(config.seeds)),
        summarize(scores),
        {"per_seed": scores},
    )
    with RunCache(out, overwrite=overwrite) as kept:
        kept.write(results, machine={"directory": str(Path.cwd())})
    return results


@pytest.fixture(autouse=True)
def small_experiment(monkeypatch):
    CALLS.clear()
    monkeypatch.setattr(rules, "run_rules", fake_rules)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    return write(
        tmp_path / "small.toml",
        'experiment = "rules"\n[base]\nseeds = 3\n'
        '[grid]\nclusters = [10, 20]\ntimescales = ["2", [2, 8]]\n',
    )


# The file --------------------------------------------------------------------------------------


def test_every_combination_is_a_run_with_a_name_of_its_own(file):
    sweep = read_sweep(file)
    assert sweep.axes == ("clusters", "timescales")
    found = [(p.config.clusters, p.config.timescales) for p in sweep.points]
    assert found == [(10, (2.0,)), (10, (2.0, 8.0)), (20, (2.0,)), (20, (2.0, 8.0))]
    assert {p.config.seeds for p in sweep.points} == {3}
    assert len({p.name for p in sweep.points}) == 4
    assert sweep.points[1].name.startswith("clusters=10_timescales=2,8-")


def test_a_plane_is_each_timescale_and_each_pair(tmp_path):
    sweep = read_sweep(write(tmp_path / "a.toml", 'experiment = "rules"\nplane = [8, 1.5, 2]\n'))
    assert [p.config.timescales for p in sweep.points] == [
        (1.5,), (2.0,), (8.0,), (1.5, 2.0), (1.5, 8.0), (2.0, 8.0),
    ]  # fmt: skip


def test_a_value_inside_an_option_varies(tmp_path):
    sweep = read_sweep(
        write(
            tmp_path / "a.toml",
            '[base]\nsettings = ["words.size=20"]\n'
            '[grid]\n"settings.tokens.shrinkage" = [1, 5]\n"rule.tokens.own" = ["oja"]',
        )
    )
    assert [p.config.settings for p in sweep.points] == [
        ("words.size=20", "tokens.shrinkage=1"), ("words.size=20", "tokens.shrinkage=5"),
    ]  # fmt: skip
    assert {p.config.rule for p in sweep.points} == {("tokens.own=oja",)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[grid", "not TOML"),
        ('experiment = "lm"', "no experiment 'lm' for sweeps: choose identity, roles, rules"),
        ('experiment = "dance"', "no experiment 'dance' for sweeps: choose identity, roles, rules"),
        ("[bsae]\nseeds = 1", "unknown key 'bsae'"),
        ("# nothing", r"holds no sweep; give \[grid\]"),
        ("[grid]\nclusters = 10", "give a list"),
        ("[grid]\nclusters = []", "give a list"),
        ("[grid]\nclusters = [0]", "clusters=0: --clusters"),
        ("[grid]\nclusters = [10, 10]", "occurs twice"),
        ("[base]\nseeds = 0", "base: --seeds"),
        ("[base]\nspeed = 3", "--speed: no such option, got 3"),
        ("[base]\nclusters = 3\n[grid]\nclusters = [10]", "in \\[base\\] and in \\[grid\\]"),
        ("plane = [1, 2]\n[grid]\ntimescales = [2]", "both vary"),
        ("plane = ['a']", "timescales in tokens"),
        ("plane = [0.5]", "timescale"),
        ("base = 3", "not a table"),
        ("[grid]\nplane = [1, 2]", r"plane is in \[grid\].*top of the file"),
        ('[base]\nexperiment = "rules"', r"experiment is in \[base\]"),
        ('[grid]\ncorpus = ["builtin", "nowhere"]', "corpus=nowhere: no corpus or file 'nowhere'"),
        ('[base]\nparser = "en_core_web_smm"\ncorpus = "CORPUS.txt"', "--parser en_core_web_smm"),
        ('[base]\nparser = "en_core_web_smm"', "corpus builtin is not text"),
        ('[grid]\ncorpus = ["builtin", "CORPUS.txt"]', "text without roles"),
        ('experiment = "rules"\n[grid]\ncorpus = ["CORPUS.txt"]', "text without roles"),
        ('[base]\ncorpus = "x"\n[grid]\n"corpus.a" = [1]', "does not take named values"),
        (f"[grid]\nclusters = {list(range(1, 400))}\nseeds = {list(range(1, 400))}", "at most"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, text, says):
    corpus = write(tmp_path / "words.txt", "dogs sleep\n" * 30)
    path = write(tmp_path / "bad.toml", text.replace("CORPUS.txt", corpus.as_posix()))
    with pytest.raises(BadInputError, match=says) as error:
        read_sweep(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="no such file"):
        read_sweep(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInputError, match="not UTF-8"):
        read_sweep(tmp_path / "bytes.toml")


# Running it ------------------------------------------------------------------------------------


def test_one_tidy_table_of_all_runs(file, tmp_path):
    import pyarrow.parquet as pq

    found = run_sweep(read_sweep(file), tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "table.parquet").to_pandas()
    assert list(table.columns[:3]) == ["run", "clusters", "timescales"]
    assert len(table) == 4 * 2 * 2 * 3 and set(table["timescales"]) == {"2", "2,8"}
    one = table[(table["clusters"] == 20) & (table["timescales"] == "2,8")]
    (own,) = one[(one["split"] == "dev") & (one["seed"] == 0) & (one["condition"] == "K=20")][
        "value"
    ]
    scores = read_scores(tmp_path / "out" / "runs" / one["run"].iloc[0])
    assert own == scores["value"].iloc[0]
    assert found.n_kept == 0 and not found.failed
    best = max(found.runs, key=lambda run: run.estimate.mean)
    assert best.values == {"clusters": 20, "timescales": "2"} and best.n == 3


def test_what_is_done_is_not_done_again_and_what_is_new_is(file, tmp_path):
    out = tmp_path / "out"
    first = run_sweep(read_sweep(file), out)
    assert len(CALLS) == 4
    shutil.rmtree(out / "runs" / first.runs[2].run)  # as if it had been interrupted before it
    (out / "table.parquet").unlink()
    write(file, file.read_text(encoding="utf-8").replace("[10, 20]", "[10, 20, 30]"))
    second = run_sweep(read_sweep(file), out)
    assert len(CALLS) == 4 + 1 + 2 and second.n_kept == 3
    assert len(set(second.table["run"])) == 6


def test_an_interrupted_sweep_goes_on_to_the_same_table(file, tmp_path, monkeypatch):
    whole = run_sweep(read_sweep(file), tmp_path / "whole")

    def interrupted(config, **options):
        if len(CALLS) == 2:
            raise KeyboardInterrupt
        return fake_rules(config, **options)

    CALLS.clear()
    monkeypatch.setattr(rules, "run_rules", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(read_sweep(file), tmp_path / "cut")
    monkeypatch.setattr(rules, "run_rules", fake_rules)
    found = run_sweep(read_sweep(file), tmp_path / "cut")
    assert found.n_kept == 2
    assert (tmp_path / "cut" / "table.parquet").read_bytes() == (
        tmp_path / "whole" / "table.parquet"
    ).read_bytes()
    assert found.document() == whole.document()


def test_a_run_that_fails_stops_no_other_and_is_tried_again(tmp_path):
    path = write(tmp_path / "a.toml", 'experiment = "rules"\n[grid]\npasses = [1, 13, 2]\n')
    for calls in (3, 4):
        found = run_sweep(read_sweep(path), tmp_path / "out")
        assert [run.error for run in found.runs] == [None, "rule diverged", None]
        assert len(set(found.table["run"])) == 2 and len(CALLS) == calls


def test_a_folder_of_something_else_and_one_in_use_are_refused(file, tmp_path):
    from filelock import FileLock

    (tmp_path / "other").mkdir()
    write(tmp_path / "other" / "thesis.tex", "x")
    for folder in (tmp_path / "other", file):
        with pytest.raises(BadInputError, match="--out"):
            run_sweep(read_sweep(file), folder)
    run_sweep(read_sweep(file), tmp_path / "out")
    with FileLock(tmp_path / "out" / ".lock"), pytest.raises(BadInputError, match="another sweep"):
        run_sweep(read_sweep(file), tmp_path / "out")


def test_another_sweep_gets_a_folder_of_its_own(file, tmp_path):
    where = Numbered(tmp_path / "s")
    first = run_sweep(read_sweep(file), where)
    table = (first.folder / "table.parquet").read_bytes()
    write(file, file.read_text(encoding="utf-8").replace("[10, 20]", "[20, 30]"))
    with pytest.raises(BadInputError, match=r"another sweep \(it has run clusters=10.*--overwrite"):
        run_sweep(read_sweep(file), first.folder)
    assert run_sweep(read_sweep(file), where).folder == tmp_path / "s-2"
    assert (first.folder / "table.parquet").read_bytes() == table
    CALLS.clear()
    again = run_sweep(read_sweep(file), first.folder, overwrite=True)
    assert len(CALLS) == 2 and again.n_kept == 2  # a run that both have is not lost, nor any other
    assert len(list((first.folder / "runs").iterdir())) == 6
    (tmp_path / "s-2" / "table.parquet").rename(tmp_path / "ours")
    (tmp_path / "s-2" / "files.json").unlink()
    (tmp_path / "s-2" / "table.parquet").write_text("mine")
    with pytest.raises(BadInputError, match="already exists"):
        run_sweep(read_sweep(file), tmp_path / "s-2")


def test_a_plane_is_drawn_for_each_combination_of_what_else_varies(tmp_path):
    path = write(
        tmp_path / "a.toml",
        'experiment = "rules"\nplane = [1, 2, 8]\n[grid]\nclusters = [10, 20]\n',
    )
    found = run_sweep(read_sweep(path), tmp_path / "out")
    names = sorted(figure.name for figure in found.figures)
    assert names == ["plane-0.png", "plane-0.svg", "plane-1.png", "plane-1.svg"]
    svg = (tmp_path / "out" / "figures" / "plane-1.svg").read_text(encoding="utf-8")
    assert svg.startswith("<?xml") and all(figure.stat().st_size > 2000 for figure in found.figures)


def test_a_plane_that_fails_keeps_no_other_from_being_drawn(tmp_path, monkeypatch, capsys):
    def fail_at_first(*words, **more):
        monkeypatch.setattr(plane, "plot_plane", whole)
        raise ValueError("n is 0")

    whole = plane.plot_plane
    monkeypatch.setattr(plane, "plot_plane", fail_at_first)
    path = write(
        tmp_path / "a.toml",
        'experiment = "rules"\nplane = [1, 2]\n[grid]\nclusters = [10, 20]\n',
    )
    with pytest.raises(SystemExit) as stop:
        main(["sweep", str(path), "--out", str(tmp_path / "out")])
    assert stop.value.code == 0
    assert capsys.readouterr().err == "hebbsim: figure not drawn: plane-0 (n is 0)\n"
    assert (tmp_path / "out" / "table.parquet").is_file()
    names = sorted(file.name for file in (tmp_path / "out" / "figures").iterdir())
    assert names == ["plane-1.png", "plane-1.svg"]


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_in_processes_or_here_give_results_and_errors_by_number(workers):
    found = dict(run_all(math.factorial, [3, -1, 5], workers=workers))
    assert found[0] == 6 and found[2] == 120 and isinstance(found[1], ValueError)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A sweep of the experiment as it is, over a corpus of a few sentences."""
    folder = tmp_path_factory.mktemp("real")
    write_tables(make_builtin(0, n_train=40, n_dev=20, n_test=20, n_gen=0), folder / "corpus")
    return write(
        folder / "a.toml",
        f'experiment = "rules"\n[base]\ncorpus = {json.dumps(str(folder / "corpus"))}\n'
        'rule = "softmax"\nclusters = 20\nseeds = 1\nworkers = 1\n[grid]\npasses = [1, 2]\n',
    )


@pytest.fixture(scope="module")
def alone(real):
    """Table of that sweep, run one after the other in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "run_rules", RUN_RULES)
        found = run_sweep(read_sweep(real), real.parent / "one")
    assert set(found.table["passes"]) == {1, 2}
    return (real.parent / "one" / "table.parquet").read_bytes()


@pytest.mark.parametrize("options", [{"workers": 2}, {"scheduler": "local", "workers": 1}])
def test_processes_and_this_one_give_the_same_table(real, alone, tmp_path, options):
    """A process of its own does not see the small experiment."""
    found = run_sweep(read_sweep(real), tmp_path / "two", **options)
    assert not found.failed
    assert (tmp_path / "two" / "table.parquet").read_bytes() == alone


# Comparing -------------------------------------------------------------------------------------


@pytest.fixture
def runs(tmp_path):
    """Two runs that differ in K, and one of other timescales."""
    folders = []
    for name, options in {"a": {}, "b": {"clusters": 340}, "c": {"timescales": "2"}}.items():
        folders.append(tmp_path / name)
        fake_rules(RulesConfig.checked({"seeds": 5, **options}), out=folders[-1])
    return folders


def test_seeds_are_paired(runs):
    """The seeds' own spread is a hundred times the pairs'."""
    (row,) = compare_runs(runs[:2], splits=["test"])
    assert (row.run, row.minus, row.condition, row.n) == ("b", "a", "", 5)
    assert row.difference == pytest.approx(0.04, abs=1e-3)
    assert row.high - row.low < 2e-4 < np.ptp(read_scores(runs[0])["value"].iloc[:5])
    assert row.p < 1e-6 and row.value - row.other == pytest.approx(row.difference)


def test_only_seeds_in_common_count(runs, tmp_path):
    fake_rules(RulesConfig.checked({"seeds": 1, "clusters": 50}), out=tmp_path / "one")
    (row,) = compare_runs([runs[0], tmp_path / "one"], splits=["test"])
    assert (row.n, row.low, row.p, row.corrected) == (1, None, None, None)


def test_many_tests_are_corrected(runs):
    found = compare_runs(runs, splits=["dev", "test"], every_pair=True)
    assert len(found) == 6 and {(r.run, r.minus) for r in found} == {
        ("b", "a"), ("c", "a"), ("c", "b"),
    }  # fmt: skip
    assert all(r.corrected >= r.p for r in found)
    smallest = min(found, key=lambda r: r.p)
    assert smallest.corrected == pytest.approx(6 * smallest.p)
    (plain, *_) = compare_runs(runs, correction="none")
    assert plain.corrected == plain.p


def test_parts_are_compared_when_asked_for(runs):
    found = compare_runs(runs[:2], splits=["test"], every_condition=True)
    assert [r.condition for r in found] == ["", "view=own"]


def test_a_sweep_stands_for_its_runs(file, tmp_path):
    run_sweep(read_sweep(file), tmp_path / "out")
    assert len(run_folders([tmp_path / "out"])) == 4
    assert len(compare_runs([tmp_path / "out"], splits=["dev"])) == 3


def change_document(folder, part, **values):
    path = folder / "results.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document[part] |= values
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize(
    ("part", "values", "says"),
    [
        ("provenance", {"inputs": {"tiny.txt": "1" * 64}}, "tiny.txt: 0 and 111111111111\\)"),
        ("provenance", {"inputs": {"other.txt": "0"}}, "other.txt: absent and 0; tiny.txt"),
        ("provenance", {"inputs": {"tiny.txt": "0", "role scheme": "f"}}, "role scheme: absent"),
        ("config", {"gold_layer": "thematic"}, "gold_layer: default and thematic"),
        ("config", {"parser": "xx_small"}, "parser: default and xx_small"),
    ],
)
def test_runs_scored_on_different_data_are_not_paired(runs, part, values, says):
    change_document(runs[1], part, **values)
    with pytest.raises(BadInputError, match=says) as error:
        compare_runs(runs)
    assert "a and b are scored on different data" in str(error.value)
    assert compare_runs([runs[0], runs[2]])


def test_runs_of_corpora_of_other_names_say_so(runs):
    change_document(runs[1], "config", corpus="big")
    path = runs[1] / "per_seed.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("tiny", "big"), encoding="utf-8")
    with pytest.raises(BadInputError, match="corpus: tiny and big"):
        compare_runs(runs[:2])


def test_runs_of_roles_that_differ_in_their_network_are_compared(tmp_path):
    write_tables(make_builtin(0, n_train=40, n_dev=20, n_test=20, n_gen=0), tmp_path / "corpus")
    for k in (10, 20):
        run_roles(
            corpus=str(tmp_path / "corpus"), clusters=k, seeds=2, passes=1, workers=1,
            baselines="none", ablation_seeds=0, out=tmp_path / str(k),
        )  # fmt: skip
    found = compare_runs([tmp_path / "10", tmp_path / "20"])
    assert [(row.condition, row.n) for row in found] == [("", 2), ("readout=soft", 2)]


def test_what_a_run_learns_by_may_differ(runs):
    by = {"network": "1", "vectors": "2", "mine.py": "3", "own.py": "4"}
    change_document(runs[1], "provenance", inputs={"tiny.txt": "0", **by})
    change_document(runs[1], "config", rules=["here/mine.py"], decoders=["linear", "own.py"])
    assert compare_runs(runs[:2])


def test_text_that_is_only_learned_from_may_differ(runs):
    more = {"inputs": {"tiny.txt": "0", "more.txt": "2"}, "text": ["more.txt"]}
    change_document(runs[1], "provenance", **more)
    assert compare_runs(runs[:2])


def test_a_language_model_may_have_further_sources_to_be_scored_on(runs):
    for folder in runs[:2]:
        change_document(folder, "config", validation=[])
    change_document(runs[1], "provenance", inputs={"tiny.txt": "0", "c4.jsonl": "2"})
    assert compare_runs(runs[:2])
    change_document(runs[1], "provenance", inputs={"tiny.txt": "3"})
    with pytest.raises(BadInputError, match=r"tiny\.txt: 0 and 3"):
        compare_runs(runs[:2])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda runs: ([runs[0]], {}), "two or more"),
        (lambda runs: ([runs[0], runs[0]], {}), "given twice"),
        (lambda runs: ([runs[0], runs[0].parent / "none"], {}), "no such folder"),
        (lambda runs: ([runs[0], runs[0].parent], {}), "no finished run"),
        (lambda runs: (runs, {"correction": "magic"}), "--correction magic"),
        (lambda runs: (runs, {"metric": "perplexity"}), "no perplexity"),
        (lambda runs: (runs, {"splits": ["gen"]}), "in common"),
    ],
)
def test_what_cannot_be_compared_is_said(runs, change, says):
    paths, options = change(runs)
    with pytest.raises(BadInputError, match=says):
        compare_runs(paths, **options)


# Once more -------------------------------------------------------------------------------------


def test_a_run_is_run_again_from_its_folder_and_agrees(runs, tmp_path):
    found = rerun(runs[1])
    assert found.exact and found.agrees and found.changed == []
    assert found.again == tmp_path / "b-rerun" and len(CALLS) == 4
    again = json.loads((found.again / "config.json").read_text(encoding="utf-8"))
    assert again["clusters"] == 340


def test_a_number_that_differs_is_found_and_named(runs, tmp_path, monkeypatch):
    def other(config, *, out, **options):
        results = fake_rules(config, out=out, **options)
        path = results.folder / "per_seed.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        fields = lines[3].split(",")
        fields[-2] = str(float(fields[-2]) + 1e-9)
        lines[3] = ",".join(fields)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return results

    monkeypatch.setattr(rules, "run_rules", other)
    found = rerun(runs[0], tmp_path / "again")
    assert not found.agrees
    (table,) = [t for t in found.tables if t.differing]
    assert table.table == "per_seed.csv" and table.differing == 1
    assert table.largest == pytest.approx(1e-9, rel=0.01)
    assert table.where.startswith("line 4, value: ")
    assert rerun(runs[0], tmp_path / "again", tolerance=1e-8, overwrite=True).agrees


def test_tables_that_are_not_alike_do_not_agree(runs):
    assert all(t.agrees(0) for t in compare_folders(runs[0], runs[0]))
    write(runs[0] / "more.csv", "a\n1\n")
    write(runs[1] / "results.csv", "a,b\n1,2\n")
    lines = (runs[1] / "per_seed.csv").read_text(encoding="utf-8").splitlines()
    write(runs[1] / "per_seed.csv", "\n".join(lines[:-1]) + "\n")
    problems = {t.table: t.problem for t in compare_folders(runs[0], runs[1])}
    assert problems["more.csv"].startswith("missing") and problems["results.csv"] == "other columns"
    assert problems["per_seed.csv"] == "20 rows against 19"


def test_versions_and_inputs_that_changed_are_named(runs, tmp_path):
    path = runs[0] / "provenance.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["packages"]["numpy"] = "0.1"
    document["inputs"]["tiny.txt"] = "1"
    write(path, json.dumps(document))
    changed = rerun(runs[0], tmp_path / "again").changed
    assert changed[0].startswith("package numpy was 0.1") and "input tiny.txt" in changed[1]


def test_paths_are_found_from_where_the_run_was_started(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    write(tmp_path / "there" / "my.txt", "words\n")
    monkeypatch.chdir(tmp_path / "there")
    fake_rules(RulesConfig.checked({"corpus": "my.txt"}), out=tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    _, config = read_run(tmp_path / "run")
    assert config.corpus == str(tmp_path / "there" / "my.txt")


def test_what_cannot_be_run_again_is_said(runs, tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadInputError, match=r"no results\.json"):
            rerun(folder)
    with pytest.raises(BadInputError, match="the run itself"):
        rerun(runs[0], runs[0])
    with pytest.raises(BadInputError, match="--tolerance"):
        rerun(runs[0], tolerance=float("nan"))
    write(
        runs[0] / "results.json", json.dumps({"schema": "hebbsim.results/1", "experiment": "bench"})
    )
    with pytest.raises(BadInputError, match="no second run of bench can agree"):
        rerun(runs[0])
    write(runs[0] / "results.json", "[" * 100_000)
    with pytest.raises(BadInputError, match="damaged"):
        rerun(runs[0])


def test_a_repetition_overwrites_none(runs, tmp_path):
    assert [rerun(runs[0]).again.name for _ in range(2)] == ["a-rerun", "a-rerun-2"]
    with pytest.raises(BadInputError, match="holds a finished run"):
        rerun(runs[0], runs[1])


def test_every_experiment_can_be_found_and_those_without_a_clock_run_again(tmp_path):
    folder = Path(hebbsim.experiments.__file__).parent
    found = {
        "hebbsim.experiments." + ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if "\ndef run_" in path.read_text(encoding="utf-8")
    }
    assert len(found) > 5 and found <= {
        experiment.run_at.partition(":")[0] for experiment in registry.EXPERIMENTS.values()
    }
    for name, experiment in registry.EXPERIMENTS.items():
        assert get_experiment(name) is experiment and callable(resolve_name(experiment.run_at))
        if experiment.once:
            continue
        config = experiment.config.checked({})
        folder = tmp_path / name
        folder.mkdir()
        write(folder / "results.json", json.dumps({"experiment": name}))
        write(folder / "config.json", json.dumps(config.resolved()))
        again, back = read_run(folder)
        assert again is experiment and back.resolved() == config.resolved()


def test_models_that_a_run_trained_do_not_stand_in_for_those_of_its_repetition(
    tmp_path, monkeypatch
):
    stores = []

    def fake(config, *, out, progress=None, overwrite=False):
        stores.append(config.store)
        (config.store / "models").mkdir(parents=True)
        results = Results("recall", config.resolved(), provenance(inputs={}, seeds=[0]))
        with RunCache(out, overwrite=overwrite) as kept:
            kept.write(results, machine={})
        return results

    import hebbsim.experiments.language_models.recall

    monkeypatch.setattr(hebbsim.experiments.language_models.recall, "run_recall", fake)
    config = get_experiment("recall").config.checked({"store": tmp_path / "store"})
    fake(config, out=tmp_path / "a")
    assert rerun(tmp_path / "a").agrees
    assert stores == [tmp_path / "store", tmp_path / "a-rerun-store"]
    assert stores[0].exists() and not stores[1].exists()


def test_what_the_clock_says_is_not_compared(tmp_path):
    for name, seconds in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "stream.csv", f"tokens,seconds\n5,{seconds}\n")
        write(tmp_path / name / "results.csv", f"metric,mean\nmemory,{seconds}\ntokens,5\n")
    folders = (tmp_path / "a", tmp_path / "b")
    assert not any(t.agrees(0) for t in compare_folders(*folders))
    timed = get_experiment("stream").timed
    assert [(t.cells, t.differing) for t in compare_folders(*folders, timed=timed)] == [
        (2, 0), (1, 0),
    ]  # fmt: skip


def test_standard_input_cannot_be_read_again(tmp_path):
    write(tmp_path / "results.json", json.dumps({"experiment": "stream"}))
    write(tmp_path / "config.json", json.dumps({"corpus": ["-"]}))
    with pytest.raises(BadInputError, match="it read standard input"):
        read_run(tmp_path)


# The command line ------------------------------------------------------------------------------


def run_cli(argv, capsys):
    with pytest.raises(SystemExit) as end:
        main(argv)
    captured = capsys.readouterr()
    return end.value.code, captured.out, captured.err


def test_the_verbs_exit_as_they_should(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run_cli(["sweep", str(file), "--list"], capsys)
    assert status == 0 and len(out.split()) == 4
    status, out, _ = run_cli(["sweep", str(file)], capsys)
    assert status == 0 and "4 runs of rules" in out and (tmp_path / "runs/sweep-small").is_dir()
    status, out, _ = run_cli(["sweep", str(file), "--json"], capsys)
    assert status == 0 and len(json.loads(out)["results"]) == 4
    names = sorted(path.name for path in (tmp_path / "runs/sweep-small/runs").iterdir())
    both = [f"runs/sweep-small/runs/{name}" for name in names[:2]]
    status, out, _ = run_cli(["compare", *both, "--split", "dev"], capsys)
    assert status == 0 and "corrected by Holm" in out
    status, out, _ = run_cli(["compare", *both, "--json"], capsys)
    assert json.loads(out)["schema"] == "hebbsim.compare/1"
    status, out, _ = run_cli(["rerun", both[0], "--out", "again"], capsys)
    assert status == 0 and "Every number is the same." in out
    write(tmp_path / "again" / "per_seed.csv", "seed\n1\n")
    status, _, err = run_cli(["compare", both[0], "again"], capsys)
    assert status == 2 and "per_seed.csv" in err and err.count("\n") == 1
    status, _, err = run_cli(["sweep", "none.toml"], capsys)
    assert status == 2 and "no such file" in err
    failing = write(tmp_path / "f.toml", 'experiment = "rules"\n[grid]\npasses = [1, 13]\n')
    status, out, _ = run_cli(["sweep", str(failing)], capsys)
    assert status == 1 and "Failed: passes=13" in out and "rule diverged" in out


def test_tables_fit_eighty_columns(file, tmp_path, runs):
    stream = io.StringIO()
    console = Console(file=stream, width=80, highlight=False)
    module.show(run_sweep(read_sweep(file), tmp_path / "s"), Path("s"), console)
    compare.show(compare_runs(runs, every_condition=True), "holm", console)
    again.show(rerun(runs[0], Path(tmp_path / "x")), console)
    lines = [line for line in stream.getvalue().splitlines() if str(tmp_path) not in line]
    assert len(lines) > 20 and max(map(len, lines)) <= 80
    assert "…" not in stream.getvalue()


def test_a_table_without_any_run_is_refused(tmp_path):
    path = write(tmp_path / "a.toml", 'experiment = "rules"\n[grid]\npasses = [13]\n')
    with pytest.raises(HebbsimError, match=r"no run was finished.*diverged"):
        run_sweep(read_sweep(path), tmp_path / "out")
    assert not (tmp_path / "out" / "table.parquet").exists()
    assert module.run_folders([tmp_path / "out"]) == []
