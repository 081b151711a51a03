"""`hebbsim tune`: settings drawn at random, scored on dev alone."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from rich.console import Console
from test_network_run import NETWORK
from test_rules_experiment import to_nan

from hebbsim.cli import main
from hebbsim.config import read_toml
from hebbsim.engine import rules
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.roles.learner_config import read_preset
from hebbsim.experiments.roles.run import run_roles
from hebbsim.experiments.tune import run as tune
from hebbsim.experiments.tune.config import TuneConfig, read_range, read_ranges
from hebbsim.experiments.tune.run import run_tune
from hebbsim.experiments.tune.table import show
from hebbsim.runs.rerun import rerun

NOUNS, VERBS = "cat dog girl boy bird".split(), "saw fed liked".split()
SIZES = {"train": 80, "dev": 30, "test": 30}
#: One cluster names every token alike.
RANGES = ("clusters=[1, 7]", "first.size=3:6", "tokens.subsample=0.1:1:log")
OPTIONS = {"ranges": RANGES, "trials": 6, "seeds": 2, "passes": 1, "workers": 1}


def conllu(n, seed):
    """Sentences of a subject, a verb and an object, the roles of some taken at random."""
    rng = np.random.default_rng(seed)
    sentences = []
    for _ in range(n):
        rows = [(rng.choice(["the", "a"]), "det"), (rng.choice(NOUNS), "nsubj"),
                (rng.choice(VERBS), "root"), (rng.choice(NOUNS), "obj"),
                (rng.choice(["today", "there"]), "advmod")]  # fmt: skip
        rows = [row for row in rows if row[1] == "root" or rng.random() < 0.8]
        root = 1 + [role for _, role in rows].index("root")
        rows = [
            (word, role if role == "root" or rng.random() < 0.8 else rng.choice(["obl", "amod"]))
            for word, role in rows
        ]
        sentences.append(
            "".join(
                f"{i}\t{word}\t_\tX\t_\t_\t{0 if i == root else root}\t{role}\t_\t_\n"
                for i, (word, role) in enumerate(rows, 1)
            )
        )
    return "\n".join(sentences) + "\n"


def treebank(folder, **changed):
    folder.mkdir()
    for seed, (split, n) in enumerate(SIZES.items()):
        text = changed.get(split, conllu(n, seed))
        (folder / f"xx_tiny-ud-{split}.conllu").write_text(text, encoding="utf-8")
    return str(folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("tune")


@pytest.fixture(scope="module")
def corpus(place):
    return treebank(place / "tiny")


@pytest.fixture(scope="module")
def network(place):
    (place / "net.toml").write_text(NETWORK, encoding="utf-8")
    return str(place / "net.toml")


@pytest.fixture(scope="module")
def done(corpus, network, place):
    folder = place / "run"
    return folder, run_tune(corpus=corpus, network=network, out=folder, **OPTIONS)


def files_of(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.name != "machine.json"
    }


# --- what is tried --------------------------------------------------------------------------


def test_the_good_setting_wins_and_the_bad_one_does_not(done):
    trials = done[1].tables["trials"]
    assert trials[0].parameters.get("clusters", 7) == 7
    bad = [trial for trial in trials if trial.parameters.get("clusters") == 1]
    assert bad and max(trial.mean for trial in bad) < trials[0].mean - 0.1


def test_the_best_third_has_all_seeds_and_comes_first(done):
    trials = done[1].tables["trials"]
    assert [trial.seeds for trial in trials] == [2, 2, 1, 1, 1, 1]
    scores = done[1].tables["per_seed"]
    first = {score.condition: score.value for score in scores if score.seed == 0}
    again = {score.condition for score in scores if score.seed == 1}
    assert min(first[name] for name in again) >= max(first[n] for n in first if n not in again)
    for some in (trials[:2], trials[2:]):
        assert [t.mean for t in some] == sorted((t.mean for t in some), reverse=True)


def test_all_trials_stand_in_a_table(done):
    rows = list(csv.DictReader(io.StringIO((done[0] / "trials.csv").read_text())))
    assert list(rows[0]) == [
        "trial", "clusters", "first.size", "tokens.subsample", "seeds", "mean", "sd", "failed"
    ]  # fmt: skip
    assert [row["trial"] for row in rows] == list("012345")
    assert rows[0]["clusters"] == rows[0]["first.size"] == ""  # as it is
    for row in rows:
        trial = next(t for t in done[1].tables["trials"] if str(t.trial) == row["trial"])
        assert float(row["mean"]) == trial.mean and bool(row["sd"]) == (trial.seeds == 2)
        of = [s.value for s in done[1].tables["per_seed"] if s.condition == f"trial={row['trial']}"]
        assert trial.mean == np.mean(of)
        assert trial.sd is None or trial.sd == pytest.approx(np.std(of, ddof=1))


def test_draws_lie_in_their_ranges_and_more_trials_change_none():
    ranges = ["words.size=10:12", "tokens.shrinkage=0.01:10:log", "timescales=[[2], [2, 8]]"]
    few, many = (TuneConfig.checked({"ranges": ranges, "trials": n}).drawn() for n in (5, 60))
    assert many[:5] == few and len(many) == 60 and few[0] == {}
    sizes = [values["words.size"] for values in many[1:]]
    assert set(sizes) == {10, 11, 12} and {type(size) for size in sizes} == {int}
    small = [0.01 <= values["tokens.shrinkage"] < 0.1 for values in many[1:]]
    assert 0.15 < np.mean(small) < 0.55  # a third of the logarithm; 1 % of the values
    assert {tuple(values["timescales"]) for values in many[1:]} == {(2,), (2, 8)}
    assert all(0.01 <= values["tokens.shrinkage"] <= 10 for values in many[1:])


def test_no_trial_is_made_twice(corpus, network):
    options = OPTIONS | {"ranges": ["tokens.size=3:4"], "trials": 9}
    with pytest.raises(BadInputError, match="is called clusters"):
        TuneConfig.checked(options)
    found = run_tune(corpus=corpus, network=network, **options | {"ranges": ["clusters=[2, 3]"]})
    assert [trial.parameters.get("clusters") for trial in found.tables["trials"]].count(2) == 1
    assert "the ranges have 3 different trials, not 9" in found.notes


# --- what is read ---------------------------------------------------------------------------


def test_no_test_split_changes_anything(done, network, place):
    other = conllu(30, 2).replace("nsubj", "obl").replace("cat", "zebra")
    for number, text in enumerate((other, "no treebank\n")):
        (place / f"{number}").mkdir()
        changed = treebank(place / f"{number}" / "tiny", test=text)
        out = place / f"{number}" / "run"
        run_tune(corpus=changed, network=network, out=out, **OPTIONS)
        for name in ("trials.csv", "results.csv", "preset.toml", "provenance.json"):
            assert (out / name).read_bytes() == (done[0] / name).read_bytes()
    dev = treebank(place / "dev", dev=conllu(30, 1).replace("nsubj", "obj"))
    found = run_tune(corpus=dev, network=network, **OPTIONS)
    assert found.tables["trials"] != done[1].tables["trials"]


@pytest.mark.parametrize("splits", [("train",), ("train", "test")])
def test_of_a_corpus_without_dev_the_sentences_that_stand_in_are_scored(splits, network, tmp_path):
    """The same as in `hebbsim run roles`, whose test split is not read, either."""
    folder = tmp_path / "half"
    folder.mkdir()
    for split in splits:
        (folder / f"xx_half-ud-{split}.conllu").write_text(conllu(200, 3), encoding="utf-8")
    options = {"corpus": str(folder), "network": network, "passes": 1, "seeds": 1}
    trial = run_tune(trials=1, workers=1, **options).tables["trials"][0]
    ran = run_roles(baselines="none", ablation_seeds=0, **options)
    (row,) = ran.select({}, split="dev", metric="accuracy", model="hebbian", role=None)
    assert trial.mean == row.mean


# --- what is written ------------------------------------------------------------------------


def test_run_roles_takes_the_preset_and_has_the_same_accuracy(done, corpus, tmp_path):
    folder, results = done
    preset = folder / "preset.toml"
    best = results.tables["trials"][0]
    said = read_preset(preset)
    for name, value in best.parameters.items():
        assert said[name] == value if name == "clusters" else f"{name}={value}" in said["settings"]
    assert said["network"] == str(folder / "network.json")
    ran = run_roles(corpus=corpus, preset=str(preset), seeds=2, baselines="none", ablation_seeds=0)
    (row,) = ran.select({}, split="dev", metric="accuracy", model="hebbian", role=None)
    assert row.mean == pytest.approx(best.mean, rel=1e-12) and row.n == best.seeds == 2


def test_a_search_that_was_interrupted_goes_on_to_the_same_bytes(
    done, corpus, network, tmp_path, monkeypatch
):
    score, calls = tune._score, []

    def interrupted(job):
        calls.append((job.trial, job.seed))
        if len(calls) in (3, 8):
            raise KeyboardInterrupt
        return score(job)

    monkeypatch.setattr(tune, "_score", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_tune(corpus=corpus, network=network, out=tmp_path / "run", **OPTIONS)
    run_tune(corpus=corpus, network=network, out=tmp_path / "run", **OPTIONS)
    assert len(calls) == 6 + 2 + 2 and len(set(calls)) == 8
    assert files_of(tmp_path / "run") == files_of(done[0])


def test_processes_change_no_bit_and_a_search_runs_again(done, tmp_path):
    """One process found what two, the default, find again."""
    assert rerun(done[0], tmp_path / "again").exact
    assert files_of(tmp_path / "again") == files_of(done[0])


def test_a_trial_without_a_score_stops_no_other(done, corpus, network, monkeypatch):
    score = tune._score
    scored = {t.trial: t for t in done[1].tables["trials"]}
    lost = done[1].tables["trials"][0].trial
    monkeypatch.setattr(
        tune, "_score", lambda job: "not finite" if job.trial == lost else score(job)
    )
    trials = run_tune(corpus=corpus, network=network, **OPTIONS).tables["trials"]
    assert (trials[-1].trial, trials[-1].mean, trials[-1].failed) == (lost, None, "not finite")
    assert trials[0].trial != lost and trials[0].seeds == 2
    for trial in trials[:-1]:
        assert trial == scored[trial.trial] or trial.seeds != scored[trial.trial].seeds
    monkeypatch.setattr(tune, "_score", lambda job: "not finite")
    with pytest.raises(HebbsimError, match="no trial could be scored: not finite"):
        run_tune(corpus=corpus, network=network, **OPTIONS)


def test_weights_that_do_not_stay_finite_have_no_score(corpus, network, monkeypatch):
    monkeypatch.setattr(rules, "_registered", dict(rules._registered))
    rules.register_rule(
        rules.Rule(name="diverges", source="", equation="", learn=to_nan, predictive=True)
    )
    options = OPTIONS | {"ranges": ["tokens.prediction=[diverges]"], "trials": 2}
    trials = run_tune(corpus=corpus, network=network, **options).tables["trials"]
    assert [trial.failed for trial in trials] == ["", "weights did not stay finite"]


# --- the command ----------------------------------------------------------------------------


def call(*words):
    with pytest.raises(SystemExit) as stopped:
        main(["tune", *map(str, words)])
    return stopped.value.code


def test_the_command_searches_ranges_of_a_file_and_says_what_to_do_next(
    corpus, network, tmp_path, capsys
):
    (tmp_path / "ranges.toml").write_text(
        'clusters = [7]\n"first.size" = "3:6"\n"tokens.lengths" = [[1, 0.5, 0.5, 0, 0]]\n'
    )
    words = ["--corpus", corpus, "--network", network, "--range", tmp_path / "ranges.toml",
             "--range", "first.size=[4]", "--trials", 2, "--seeds", 1, "--passes", 1, "--workers",
             1, "--out", tmp_path / "run"]  # fmt: skip
    assert call(*words) == 0
    said = capsys.readouterr().out
    assert f"--preset {tmp_path / 'run' / 'preset.toml'}" in said
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["ranges"] == ["clusters=[7]", "tokens.lengths=[[1, 0.5, 0.5, 0, 0]]",
                                "first.size=[4]"]  # fmt: skip
    assert "workers" not in config
    assert call(*words) == 2 and "finished run" in capsys.readouterr().err
    assert call(*words, "--overwrite", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["experiment"] == "tune" and len(document["tables"]["trials"]) == 2


def test_the_table_fits_80_columns(done, tmp_path):
    results = done[1]
    stream = io.StringIO()
    long = {"tokens.lengths": [1, 0.9, 0.9, 0.7, 0.5], "words.inverse_temperature": 12.345}
    for trial in results.tables["trials"]:
        trial.parameters.update(long)
    try:
        show(results, tmp_path, Console(file=stream, width=80, highlight=False))
    finally:
        for trial in results.tables["trials"]:
            for name in long:
                del trial.parameters[name]
    table = stream.getvalue().partition("All trials:")[0]
    assert "1,0.9,0.9,0.7,0.5" in table and "words.inverse_temperature" in table
    assert max(map(len, table.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--range", "words.size"], "--range words.size: give NAME=LOW:HIGH"),
        (["--range", "words.size=1:2:lin"], "--range words.size=1:2:lin: give NAME=LOW:HIGH"),
        (["--range", "words.size=[]"], "give NAME=LOW:HIGH"),
        (["--range", "words.size=a:b"], "give NAME=LOW:HIGH"),
        (["--range", "words.size=5:nan"], "give NAME=LOW:HIGH"),
        (["--range", "words.size=5:5"], "LOW must be below HIGH"),
        (["--range", "words.visits=0:5:log"], "LOW must be above 0 and below HIGH"),
        (["--range", "words.height=1:5"], "--range: trial 1 has words.height="),
        (["--range", "clusters=[0]"], "clusters: give a number of at least 1, got 0"),
        (["--range", "nowhere.toml"], "nowhere.toml: no such file; give a TOML file of ranges"),
        (["--trials", 0], "--trials: give a number of at least 1"),
        (["--range", "clusters=[100000]"], "--clusters 100000: more than the "),
    ],
)
def test_what_cannot_be_searched_costs_a_line_and_code_2(words, says, tmp_path, capsys):
    assert call("--out", tmp_path / "run", *words) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1 and not (tmp_path / "run").exists()


def test_a_bad_file_of_ranges_costs_a_line(tmp_path):
    for text, says in (
        ("words.size = [3]", "put a name with a dot in quotes"),
        ("clusters = 3", "give a list of values"),
        ("# none", 'holds no range: give a line such as "words.size" = "50:400"'),
        ('clusters = "3"', "clusters=3: give NAME=LOW:HIGH"),
    ):
        (tmp_path / "a.toml").write_text(text)
        with pytest.raises(BadInputError, match=says) as refused:
            read_ranges(tmp_path / "a.toml")
        assert str(refused.value).startswith(f"{tmp_path / 'a.toml'}: ")
    assert read_range("a.b= 1:2.5 ").draw(np.random.default_rng(0)) == 1.96


def test_a_text_without_roles_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("Kim slept .\n" * 30)
    with pytest.raises(BadInputError, match="text without roles"):
        run_tune(corpus=str(tmp_path / "a.txt"), trials=1)


def test_a_rival_is_searched_by_its_own_ranges_with_as_many_trials(corpus, tmp_path, capsys):
    options = {"corpus": corpus, "clusters": 6, "rival": "spectral", "trials": 4, "seeds": 2}
    done = run_tune(workers=1, out=tmp_path / "search", **options)
    assert {name for t in done.tables["trials"] for name in t.parameters} >= {"size", "near"}
    assert {row.model for row in done.rows} == {"spectral"}
    best = done.tables["trials"][0]
    said = read_toml(tmp_path / "search/settings.toml", "")
    assert said["natural"]["spectral"] == best.parameters
    assert call("--corpus", corpus, "--rival", "brwn") == 2
    assert "--rival: there is no 'brwn': choose skipgram" in capsys.readouterr().err
    assert call("--corpus", corpus, "--rival", "hmm", "--range", "size=2:3") == 2
    assert "hmm has no 'size': choose" in capsys.readouterr().err
