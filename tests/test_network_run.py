"""`hebbsim run roles --network`: what a run keeps of its network, and runs again by."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import pytest
from test_reproducibility import conllu
from test_user_rules import EXAMPLE

from hebbsim.cli import main
from hebbsim.engine import rules
from hebbsim.engine.network.description import build, read_network, written
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.roles.learning import curve_points
from hebbsim.experiments.roles.run import run_roles
from hebbsim.experiments.roles.table import show
from hebbsim.runs.rerun import read_run, rerun

pytestmark = pytest.mark.usefixtures("no_figures")

NETWORK = """
timescales = [2, 4]
[[words]]
name = "first"
below = "text"
size = 5
n_directions = 4
settle = 40
[tokens]
name = "tokens"
below = "first"
size = 7
n_directions = 3
start = 60
settle = 40
subsample = 0.5
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "tiny"
    folder.mkdir()
    for seed, (split, n) in enumerate({"train": 80, "dev": 30, "test": 30}.items()):
        (folder / f"xx_tiny-ud-{split}.conllu").write_text(conllu(n, seed), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "mine.toml"
    path.write_text(NETWORK)
    return path


OPTIONS = {
    "seeds": 3,
    "learning_curve_seeds": 2,
    "baselines": "none",
    "ablation_seeds": 0,
    "passes": 2,
}


@pytest.fixture(scope="module")
def done(corpus, file, tmp_path_factory):
    """A run by a file, and its results."""
    folder = tmp_path_factory.mktemp("done") / "run"
    return folder, run_roles(corpus=str(corpus), network=str(file), out=folder, **OPTIONS)


def test_a_run_keeps_every_value_of_its_network(done, file):
    folder, results = done
    kept = json.loads((folder / "network.json").read_text())
    assert kept == written(build(read_network(file)))
    digest = hashlib.sha256((folder / "network.json").read_bytes()).hexdigest()
    assert results.provenance["inputs"]["network"] == digest
    # Timescales and K that are not given are those of the file.
    assert (results.config["timescales"], results.config["clusters"]) == ([2.0, 4.0], 7)
    assert {row.words["K"] for row in results.rows if row.model == "hebbian"} == {"7"}


def test_seeds_share_the_points_of_the_learning_curve(done):
    folder, results = done
    curve = [row for row in results.rows if "tokens" in row.words and row.metric == "accuracy"]
    read = {int(row.words["tokens"]) for row in curve}
    assert 320 in read  # the end of the first pass
    assert read - {320} <= set(curve_points(105, 640)) and len(read) >= 8
    scores = pd.read_csv(folder / "per_seed.csv")
    of_curve = scores[scores["condition"].fillna("").str.contains("tokens=")]
    # Of three, and not of the first, whose result comes soonest without.
    assert set(of_curve["seed"]) == {1, 2} and all(row.n == 2 for row in curve)


def test_the_learning_curve_is_printed_though_not_all_seeds_have_one(done, capsys):
    folder, results = done
    show(results, folder)
    said = capsys.readouterr().out
    table = said.split("Accuracy by thousands of tokens read")[1].splitlines()
    first = min(int(row.words["tokens"]) for row in results.rows if "tokens" in row.words)
    assert table[1].split()[:2] == ["split", f"{first / 1000:.2g}"]
    (row,) = results.select({"tokens": str(first)}, split="test", metric="accuracy")
    assert table[2].split()[:2] == ["test", f"{row.mean:.3f}"]
    assert "2 seeds, but all 3 in the last column, as above." in table


@pytest.mark.parametrize("by", ["file", "changed", "missing", "roles"])
def test_a_run_runs_again_by_its_own_network(by, done, corpus, file, tmp_path):
    folder, changed = done[0], []
    if by == "roles":
        folder = tmp_path / "run"
        small = {"clusters": 7, "settings": ["words.size=5"]}
        run_roles(corpus=str(corpus), network="roles", out=folder, **small, **OPTIONS)
    elif by != "file":
        known = file.read_text()
        changed = [f"network {file} is gone or another: network.json of the run was learned"]
        file.write_text(
            known.replace("settle = 40", "settle = 41")
        ) if by == "changed" else file.unlink()
    try:
        found = rerun(folder, tmp_path / "again")
    finally:
        file.write_text(NETWORK)
    assert found.exact and len(found.tables) == 2
    assert found.changed == changed
    assert read_network(tmp_path / "again/network.json") == read_network(folder / "network.json")


def test_a_run_whose_network_json_is_damaged_costs_one_line(done, tmp_path):
    for name in ("results.json", "config.json"):
        (tmp_path / name).write_bytes((done[0] / name).read_bytes())
    (tmp_path / "network.json").write_text("{")
    with pytest.raises(BadInputError, match=r"network\.json is no JSON") as refused:
        read_run(tmp_path)
    assert "\n" not in str(refused.value)


def test_the_file_of_a_network_is_read_once(corpus, file, tmp_path, monkeypatch):
    """Or seeds would learn with two networks where it changes meanwhile."""
    config = RolesConfig.checked({"corpus": str(corpus), "network": str(file), **OPTIONS})
    given = []
    monkeypatch.setattr(
        RolesConfig, "network_learner",
        lambda self, seed, network=None, learner=RolesConfig.network_learner: (
            given.append(network), learner(self, seed, network)
        )[1],
    )  # fmt: skip
    run_roles(config)
    assert given[0] is None and len(given) == 1 + OPTIONS["seeds"] and None not in given[1:]


def call(*words):
    with pytest.raises(SystemExit) as stopped:
        main(["run", "roles", *map(str, words)])
    return stopped.value.code


def test_a_users_rule_learns_in_a_part_of_the_network(corpus, file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rules, "_registered", dict(rules._registered))
    (tmp_path / "forget.py").write_text(EXAMPLE, encoding="utf-8")
    words = ["--corpus", corpus, "--network", file, "--rules", tmp_path / "forget.py", "--rule",
             "first.categories=forget", "--set", "first.categories.eta=0.1", "--seeds", 1,
             "--ablation-seeds", 0, "--baselines", "none", "--out", tmp_path / "run"]  # fmt: skip
    assert call(*words, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["config"]["rules"] == [str(tmp_path / "forget.py")]
    assert "forget.py" in document["provenance"]["inputs"]
    kept = read_network(tmp_path / "run/network.json")
    assert kept["words"][0]["categories"] == {"rule": "forget", "eta": 0.1}
    rules._registered.clear()  # as in a process that knows nothing
    _, config = read_run(tmp_path / "run")
    rules._registered.clear()
    run_roles(config)  # checked elsewhere, and run here
    assert "forget" in rules.rule_names()


def test_a_setting_of_ones_own_keeps_the_others_of_the_preset():
    best = {"corpus": "cogs", "network": "roles", "preset": "best"}
    plain = RolesConfig.checked(best)
    config = RolesConfig.checked({**best, "settings": ["words.size=7"], "timescales": "3"})
    assert config.timescales == (3.0,)
    assert plain.timescales == (2.0,)
    assert config.clusters == plain.clusters == 600
    changed, kept = config.described(), plain.described()
    assert [layer.pop("size") for layer in changed["words"]] == [7, 7]
    assert [layer.pop("size") for layer in kept["words"]] == [300, 300]
    assert changed["words"] == kept["words"]
    assert changed["tokens"] == kept["tokens"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "words.size=x"], "size of layer first is 'x': give a whole number"),
        (["--rule", "first.memory=delta"], "layer first cannot learn its memory by delta"),
        (["--clusters", 10**9], "size of layer tokens is 1000000000"),
    ],
)
def test_what_a_network_cannot_be(file, words, says, capsys):
    assert call("--network", file, *words) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--passes", 0], "passes"),
        (["--network", "nothing.toml"], "cannot read network nothing.toml: No such file"),
        (["--network", "/"], "cannot read network /"),
    ],
)
def test_options_that_cannot_be_used_cost_a_line(words, says, capsys):
    assert call(*words) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1
