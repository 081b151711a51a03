"""The script that writes the tables of REPRODUCING.md and the README from run folders."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tabulate(script):
    return script("roles/tabulate.py")


@pytest.mark.parametrize(("plain", "soft", "met"), [
    ((0.97, 0.96, 0.98), None, "yes"),
    ((0.97, 0.95, 0.99), (0.98, 0.97, 0.99), "softly"),
    ((0.97, 0.95, 0.99), (0.95, 0.94, 0.955), "not decided"),
    ((0.97, None, None), None, "not decided"),
    ((0.946, 0.94, 0.95), (0.95, 0.94, 0.955), "no, short by 0.014"),
])  # fmt: skip
def test_a_target_is_met_by_the_whole_interval(tabulate, plain, soft, met):
    values = [tabulate.Value(*v) if v else None for v in (plain, soft)]
    assert tabulate.met(*values, 0.96) == met
    assert tabulate.met(*values, None) == ""


@pytest.fixture
def kept(tabulate, tmp_path, monkeypatch):
    """Make a run folder, keep what the tables need of it, and read that."""
    monkeypatch.setattr(tabulate, "KEPT", tmp_path)

    def keep_and_read(rows, structure=(), **config):
        tabulate.keep(write_run(tmp_path / "some", rows, structure, **config))
        return tabulate.Run("some")

    return keep_and_read


def write_run(folder, rows, structure=(), **config):
    folder.mkdir()
    keys = ("split", "model", "condition", "metric", "role", "mean", "low", "high")
    document = {
        "config": {
            "corpus": "builtin",
            "timescales": [2],
            "ensemble_size": 1,
            "clusters": 9,
            "seeds": 5,
        }
        | config,
        "results": [dict(zip(keys, row, strict=True)) for row in rows],
        "tables": {"structure": list(structure)},
    }
    (folder / "results.json").write_text(json.dumps(document))
    with (folder / "results.csv").open("w", newline="") as file:
        csv.writer(file).writerows([keys, *rows])
    (folder / "machine.json").write_text('{"seconds": 61.0}')
    return folder


def test_a_claim_reads_the_population_where_the_run_has_one(tabulate, kept):
    rows = [
        ("test", "hebbian", f"K=9{words}", "accuracy", None, mean, mean - 0.01, mean + 0.01)
        for words, mean in [("", 0.5), (" readout=soft", 0.6), (" members=8", 0.7),
                            (" members=8 readout=soft", 0.8)]
    ]  # fmt: skip
    run = kept(rows, ensemble_size=8)
    claim = tabulate.Claim("accuracy", "some", target=0.75)
    assert claim.row({"some": run}) == (
        "accuracy", "some", "0.700 (0.690 to 0.710)", "0.800 (0.790 to 0.810)", "0.75", "softly",
    )  # fmt: skip


COMPARED = (
    "table", "split", "role", "condition", "rival_condition", "value", "other", "difference",
    "low", "high", "p", "corrected", "verdict", "ratio", "ratio_low", "ratio_high",
)  # fmt: skip


def compared(table, split, role, labels, verdict, readout=""):
    words = f"K=9{f' labels={labels}' * bool(labels)}{readout}"
    return (f"{table} {words}", split, role, words, f"labels={labels or 'all'}", 0.9, 0.8, 0.1,
            0.05, 0.15, 0.01, 0.02, verdict, 1.1, 1.0, 1.2)  # fmt: skip


def test_verdicts_are_read_from_the_comparisons_of_the_run(tabulate, tmp_path, monkeypatch):
    monkeypatch.setattr(tabulate, "KEPT", tmp_path)
    structure = [
        {"kind": "split", "name": f"gen/{name}", "decided": decided}
        for name, decided in [("a", "structure"), ("b", "structure"), ("c", "other")]
    ]
    folder = write_run(tmp_path / "some", [], structure)
    soft = " readout=soft"
    lines = [
        compared("overall", "test", "", None, "behind"),
        compared("splits", "gen/a", "", None, "behind"),
        compared("splits", "gen/c", "", None, "ahead"),
        compared("roles", "test", "SUBJ", None, "behind"),
        compared("overall", "test", "", 100, "no difference shown"),
        compared("overall", "test", "", 100, "ahead", soft),
        compared("roles", "test", "SUBJ", 100, "ahead", soft),
        compared("roles", "test", "OBJ", 100, "no difference shown", soft),
        compared("splits", "gen/a", "", 100, "ahead", soft),
        compared("splits", "gen/b", "", 100, "no difference shown", soft),
    ]
    with (folder / "comparisons.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COMPARED, *lines])
    tabulate.keep(folder)
    runs = {"some": tabulate.Run("some")}
    shown = "+0.100 (+0.050 to +0.150), "
    assert tabulate.all_labels_table(runs)[2:] == [
        f"| some, test | {shown}behind |  | 0 | 1 (SUBJ) |"
    ]
    assert tabulate.few_labels_table(runs)[2:] == [
        f"| some, test | 100 | 0.900 | 0.900 | 0.800 | {shown}ahead | 1 (SUBJ) | 0 |"
    ]
    assert tabulate.structure_splits_table(runs)[2:] == [
        "| some | all; the learner named by dev | 1 | 0 | 1 (a) |",
        "| some | 100 | 2 | 1 (a) | 0 |",
    ]


def test_what_is_kept_of_a_run_is_what_its_folder_says(tabulate, kept):
    rows = [("test", "hebbian", "K=9", "recall", "SUBJ", 1 / 3, 0.25, 0.5),
            ("test", "lookup", "", "accuracy", None, 0.7, None, None)]  # fmt: skip
    structure = [{"kind": "split", "name": "gen/a", "decided": "structure"}]
    run = kept(rows, structure, ensemble_size=8, resumed=True)
    assert (run.name, run.seconds, run.structure) == ("some", 61.0, structure)
    assert run.learner == "members=8"
    assert run.config == {
        "corpus": "builtin", "timescales": [2], "ensemble_size": 8, "clusters": 9, "seeds": 5
    }  # fmt: skip
    recall = run.find("test", metric="recall", role="SUBJ")
    assert recall == tabulate.Value(0.333333, 0.25, 0.5)
    assert run.find("test", model="lookup") == tabulate.Value(0.7, None, None)


def test_text_around_the_markers_stays(tabulate, tmp_path):
    path = tmp_path / "page.md"
    path.write_text("Before.\n<!-- one -->\nold\n<!-- /one -->\nAfter.\n")
    tabulate.fill(path, one=["new", "lines"])
    assert path.read_text() == "Before.\n<!-- one -->\nnew\nlines\n<!-- /one -->\nAfter.\n"
    with pytest.raises(SystemExit, match="no markers <!-- two -->"):
        tabulate.fill(path, two=["lines"])


def test_pages_hold_every_marker(tabulate):
    text = (ROOT / "experiments/REPRODUCING.md").read_text(encoding="utf-8")
    for name in (
        "runs",
        "claims",
        "all_labels",
        "few_labels",
        "structure_splits",
        "baselines",
        "equivalence",
        "parts",
        "rival_runs",
        "rivals",
    ):
        assert f"<!-- {name} -->\n" in text and f"<!-- /{name} -->" in text
    site = (ROOT / "docs/experiments/results.md").read_text(encoding="utf-8")
    for name in ("results", "few", "passes"):
        assert f"<!-- {name} -->\n" in site and f"<!-- /{name} -->" in site


def test_the_readme_shows_what_is_kept(tabulate):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- results -->\n")[2].partition("<!-- /results -->")[0].splitlines()
    assert shown == tabulate.readme_table(tabulate.kept())
    assert [len(line.strip("|").split("|")) for line in shown] == [4] * 5
    site = (ROOT / "docs/experiments/results.md").read_text(encoding="utf-8")
    for name, make in (("results", tabulate.results_table), ("few", tabulate.few_table)):
        assert "\n".join([f"<!-- {name} -->", *make(tabulate.kept()), f"<!-- /{name} -->"]) in site


def test_rivals_of_a_corpus_stand_together_however_many_runs_they_have(tabulate):
    """The short table names a corpus once: a row without a name is of the corpus above."""
    runs = {
        name: SimpleNamespace(
            config={"corpus": corpus}, costs=[{"model": model} for model in ("hebbian", rival)]
        )
        for name, corpus, rival in (("a", "one", "spectral"), ("b", "two", "hmm"),
                                    ("c", "one", "masked-bigru"))
    }  # fmt: skip
    found = [(run.config["corpus"], model) for run, model in tabulate._contenders(runs)]
    assert found == [
        ("one", "hebbian"), ("one", "spectral"), ("one", "masked-bigru"),
        ("two", "hebbian"), ("two", "hmm"),
    ]  # fmt: skip


def test_rivals_stand_below_the_learner_with_what_they_take(tabulate, tmp_path, monkeypatch):
    monkeypatch.setattr(tabulate, "KEPT", tmp_path)
    rows = [
        (split, model, f"K=9{soft}", "accuracy", None, mean, mean - 0.01, mean + 0.01)
        for split in ("test", "gen")
        for model, mean in (("hebbian", 0.9), ("spectral", 0.8))
        for soft in ("", " readout=soft")
    ]
    folder = write_run(tmp_path / "rivals-builtin", rows, rival_seeds=5)
    costs = [
        {"model": model, "condition": "K=9", "seed": seed, "seconds": seconds, "memory": memory}
        for model, seed, seconds, memory in (("hebbian", 0, 9.0, 2e7), ("spectral", 0, 2.0, 1e7),
                                             ("spectral", 1, 3.0, None))
    ]  # fmt: skip
    (folder / "machine.json").write_text(json.dumps({"seconds": 61.0, "costs": costs}))
    names = ("table", "split", "role", "condition", "rival", "rival_condition", "value", "other",
             "difference", "low", "high", "p", "corrected", "verdict", "ratio", "ratio_low",
             "ratio_high")  # fmt: skip
    compared = ("rivals K=9", "test", "", "K=9", "spectral", "K=9", 0.9, 0.8, 0.1, 0.05, 0.15,
                0.001, 0.002, "ahead", "", "", "")  # fmt: skip
    with (folder / "comparisons.csv").open("w", newline="") as file:
        csv.writer(file).writerows([names, compared])
    tabulate.keep(folder)
    runs = {"rivals-builtin": tabulate.Run("rivals-builtin")}
    mine, theirs = tabulate.rivals_table(runs)[2:]
    assert mine.split(" | ")[1:3] == ["hebbian", "0.900 ±0.010"] and mine.endswith("| 9.0 | 20 |")
    assert "| +0.100 (+0.050 to +0.150), ahead |  | 2.5 | 10 |" in theirs
    (command,) = tabulate.rival_runs_table(runs)[2:]
    assert "--rivals all" in command and command.endswith("| 5 | 5 |")
