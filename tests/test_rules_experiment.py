"""`hebbsim run rules`: a network of trace layers, and what is left when a rule is changed."""

from __future__ import annotations

import dataclasses
import io
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import hebbsim.readers
from hebbsim.cli.run_command import warnings_in_one_line
from hebbsim.engine import Rule, register_rule
from hebbsim.engine import rules as registry
from hebbsim.engine.network.description import build, read_network
from hebbsim.errors import BadInputError, DivergenceWarning, HebbsimError
from hebbsim.experiments.roles.data import Gold
from hebbsim.experiments.roles.scores import named_on_dev
from hebbsim.experiments.rules import ablations as plan
from hebbsim.experiments.rules import run as rules
from hebbsim.experiments.rules import table as rules_table
from hebbsim.experiments.rules.ablations import RANDOM, WHOLE, ablations
from hebbsim.experiments.rules.config import RulesConfig
from hebbsim.experiments.rules.run import run_rules
from hebbsim.probes import RoleReadout
from hebbsim.readers.base import Corpus, make_split
from hebbsim.runs.figures import draw
from hebbsim.runs.finished import RunTables
from hebbsim.runs.resume import StepResult

NOUNS, VERBS = ["cat", "dog", "girl", "boy"], ["saw", "fed"]
NETWORK = """
timescales = [2]
[[words]]
name = "first"
below = "text"
size = 6
settle = 200
n_directions = 4
[[words]]
name = "second"
below = "first"
size = 6
start = 250
settle = 200
n_directions = 4
[tokens]
name = "tokens"
below = "second"
size = 12
start = 500
settle = 100
n_directions = 4
prediction = { rule = "nlms", eta = 0.2 }
"""
#: Few conditions: no part has another rule that is tried.
CONTROLS = {"corpus": "tiny", "rule": ("instar",), "seeds": 2, "workers": 1}


def load(monkeypatch, most_before=0, most_stops=1):
    """`noun verb noun .`, and some words around it: a noun after a verb is an object."""
    splits = {}
    for seed, (name, n) in enumerate({"train": 300, "dev": 60, "test": 60}.items()):
        rng = np.random.default_rng(seed)
        words, roles = [], []
        for _ in range(n):
            said = [*rng.choice(NOUNS, 1), *rng.choice(VERBS, 1), *rng.choice(NOUNS, 1)]
            before = rng.integers(most_before + 1) if most_before else 0
            stops = 1 + rng.integers(most_stops) if most_stops > 1 else 1
            words.append(["now"] * before + said + ["."] * stops)
            roles += ["ADV"] * before + ["SUBJ", "PRED", "OBJ"] + ["PUNCT"] * stops
        splits[name] = make_split(name, words, {"grammatical": roles})
    corpus = Corpus("tiny", splits, layer="grammatical", sha256={"tiny": "0"})
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: corpus)
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    return corpus


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    return load(monkeypatch)


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "network.toml"
    path.write_text(NETWORK)
    return str(path)


def pretend(monkeypatch, wrong=lambda condition, seed: 0.1, calls=None):
    """Networks that give gold roles, but for a share of wrong ones that `wrong` names."""

    def learn(job):
        if calls is not None:
            calls.append((job.seed, *job.conditions))
        gold = Gold.of(job.corpus, "grammatical")
        found = {}
        for condition in job.conditions:
            share = wrong(condition, job.seed)
            if isinstance(share, str):
                found[condition] = StepResult({}, share)
                continue
            arrays = {}
            for split, codes in gold.codes.items():
                rng = np.random.default_rng(job.seed)
                miss = rng.random(len(codes)) < share
                arrays[split] = np.where(miss, (codes + 1) % len(gold.names), codes)
            found[condition] = StepResult(arrays, "")
        return found

    monkeypatch.setattr(rules, "_learn", learn)


def shown(results):
    stream = io.StringIO()
    rules_table.show(results, Path("x"), Console(file=stream, width=80))
    return stream.getvalue()


# What is changed ---------------------------------------------------------------------------


def test_each_ablation_changes_what_it_says_and_nothing_else():
    found = {each.condition: each.network for each in ablations(read_network())}
    whole = found[WHOLE]
    assert len(found) == len(ablations(read_network())) and found[RANDOM] == whole
    assert found["part=words.memory rule=oja"] == {
        **whole, "words": [{**each, "memory": {"rule": "oja"}} for each in whole["words"]]
    }  # fmt: skip
    assert found["part=tokens.prediction learning=off"] == {
        **whole, "tokens": {**whole["tokens"], "prediction": {"rule": "nlms", "eta": 0.0}}
    }  # fmt: skip
    second = found["layer=second learning=off"]["words"]
    assert [each["categories"].get("eta") for each in second] == [None, 0.0]
    assert found["layer=second learning=off"]["tokens"] == whole["tokens"]
    nothing = build(found["learning=off"])
    parts = [getattr(layer, part) for layer in nothing.layers for part in layer.PARTS]
    assert {part.eta for part in parts} == {0.0} and len(parts) == 11
    fewer = found["word_layers=1"]
    assert fewer["words"] == whole["words"][:1] and fewer["tokens"]["below"] == "first"
    assert all(build(each) for each in found.values())


def test_every_other_rule_that_can_stand_in_a_part_is_tried_and_one_of_ones_own():
    said = [each.condition for each in ablations(read_network())]
    assert "part=tokens.guess rule=delta" in said and "part=tokens.guess rule=nlms" in said
    assert "part=tokens.guess rule=softmax" not in said  # which it has
    assert "part=tokens.guess rule=oja" not in said  # which cannot stand there
    register_rule(Rule(name="mine", source="", equation="", learn=idle, predictive=True))
    mine = [each.condition for each in ablations(read_network(), rules=["mine"])]
    assert [one for one in mine if "rule=" in one] == [
        "part=tokens.guess rule=mine", "part=tokens.prediction rule=mine",
    ]  # fmt: skip


def test_one_word_layer_can_be_chosen():
    (one,) = (
        each.network["words"]
        for each in ablations(read_network(), layer="second")
        if each.condition == "part=second.memory rule=oja"
    )
    assert [each["memory"]["rule"] for each in one] == ["instar", "oja"]
    with pytest.raises(BadInputError, match=r"--layer tokens: .* choose first, second"):
        RulesConfig.checked({"layer": "tokens"})


def test_a_network_of_ones_own_names_what_is_not_given(network):
    config = RulesConfig.checked({"network": network})
    assert (config.timescales, config.clusters) == ((2.0,), 12)
    assert RulesConfig.checked({"network": network, "clusters": 5}).clusters == 5
    with pytest.raises(BadInputError, match=r"none\.toml: no such file"):
        RulesConfig.checked({"network": "none.toml"})


# Learning ----------------------------------------------------------------------------------


def idle(weights, state, pre, post_ids, target, clamped, eta, parameters, post):
    post[:] = 0


def to_nan(weights, state, pre, post_ids, target, clamped, eta, parameters, post):
    post[:] = 0
    if eta > 0:
        weights[0, 0] = np.nan


def test_networks_learn_and_a_rule_that_cannot_is_a_row(network, tmp_path, monkeypatch):
    def no_start(n_inputs, n_units):
        if n_inputs > 10:  # those of a layer, not those that it is tried out on
            raise ValueError("no start")
        return np.zeros(0, dtype=np.float32)

    rule = Rule(name="diverges", source="", equation="", learn=to_nan, predictive=True)
    register_rule(rule)
    register_rule(dataclasses.replace(rule, name="stuck", learn=idle, start=no_start))
    monkeypatch.setattr(
        plan, "can_stand", lambda part: ("diverges", "stuck") if part == "guess" else ()
    )
    options = {"corpus": "tiny", "network": network, "seeds": 1, "workers": 1}
    found = run_rules(**options, out=tmp_path / "run")
    mean = {row.condition: row.mean for row in found.rows if row.split == "test"}
    # The noun itself does not tell whether it is an object, what stands around it does.
    assert mean["K=12"] > 0.9 > mean[""] > 0.7
    assert mean["K=12 prototypes=random"] != mean["K=12"]
    failed = {each.name: each.failed for each in found.tables["ablations"] if each.failed}
    assert failed == {
        "diverges": "seed 0: weights did not stay finite",
        "stuck": "seed 0: ValueError: no start",
    }
    assert not any("rule=diverges" in row.condition for row in found.rows)
    assert "No score for part=tokens.guess rule=stuck: seed 0: ValueError" in shown(found)


def test_where_positions_do_not_tell_nothing_is_known_without_learning(network, monkeypatch):
    load(monkeypatch, most_before=2, most_stops=3)
    monkeypatch.setattr(plan, "can_stand", lambda part: ())
    found = run_rules(corpus="tiny", network=network, seeds=1, workers=1)
    mean = {row.condition: row.mean for row in found.rows if row.split == "test"}
    assert mean["K=12"] > 0.9 > mean[""] > 0.7 > mean["K=12 learning=off"]


def test_a_network_that_cannot_learn_ends_the_run(monkeypatch):
    pretend(monkeypatch, lambda condition, seed: "too small" if condition == WHOLE else 0.1)
    with pytest.raises(HebbsimError, match="network as it is cannot learn: seed 0: too small"):
        run_rules(**CONTROLS)


def test_dev_is_named_by_its_other_half(tiny):
    """A cluster for each sentence: named by themselves, all would be right."""
    dev = tiny.splits["dev"]
    roles, ids = dev.layers["grammatical"], np.arange(dev.n_tokens)

    def mapping(on):
        readout = RoleReadout().fit(ids[on], roles[on])
        return lambda split: readout.predict(ids)

    named = named_on_dev(mapping, dev, ["dev", "test"])
    assert (named["test"] == roles).all() and (named["dev"] == roles).mean() < 0.5


# Comparing and going on --------------------------------------------------------------------


def test_every_change_is_compared_with_the_network_as_it_is(monkeypatch, tmp_path):
    worse = "layer=second learning=off"
    pretend(monkeypatch, lambda condition, seed: (0.5 if condition == worse else 0.1) + seed / 100)
    found = run_rules(**CONTROLS, out=tmp_path / "run")
    (behind,) = (one for one in found.tables["comparisons"] if one.verdict != "no difference shown")
    assert (behind.condition, behind.rival_condition) == (f"K=300 {worse}", "K=300")
    assert behind.verdict == "behind" and behind.corrected > behind.p
    assert behind.difference == pytest.approx(behind.value - behind.other)
    assert behind.difference < -0.3
    (line,) = (line for line in shown(found).splitlines() if line[:2] == "  " and "behind" in line)
    assert line.split()[0] == "second"
    drawn, failed = draw(RunTables(tmp_path / "run"))
    assert not failed and [one.name for one in drawn] == ["ablations"]
    svg = drawn[0].paths[0].read_text(encoding="utf-8")
    assert "behind the network" in svg and "lookup" in svg


def test_tables_fit_eighty_columns_and_mark_rules_that_learn_nothing(monkeypatch):
    pretend(monkeypatch, lambda condition, seed: 0.3 if "soft_competitive" in condition else 0.1)
    found = run_rules(**CONTROLS | {"rule": ("soft_competitive", "sanger")})
    idle = {each.condition for each in found.tables["ablations"] if each.idle}
    assert idle == {
        f"part={part} rule=sanger"
        for part in ("words.directions", "words.categories", "tokens.own", "tokens.directions",
                     "tokens.prototypes")
    }  # fmt: skip
    text = shown(found)
    assert max(map(len, text.splitlines())) <= 80 and "…" not in text
    assert "  sanger *" in text and "  soft_competitive  " in text


def test_an_interrupted_run_goes_on(monkeypatch, tmp_path):
    calls: list = []
    pretend(monkeypatch, calls=calls)
    learn = rules._learn
    whole = run_rules(**CONTROLS, out=tmp_path / "whole")
    n_jobs = len(calls)

    def interrupted(job):
        if len(calls) == 5:
            raise KeyboardInterrupt
        return learn(job)

    calls.clear()
    monkeypatch.setattr(rules, "_learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_rules(**CONTROLS, out=tmp_path / "cut")
    monkeypatch.setattr(rules, "_learn", learn)
    with pytest.raises(BadInputError, match="passes was 1 and is 2"):
        run_rules(**CONTROLS, passes=2, out=tmp_path / "cut")
    assert run_rules(**CONTROLS, out=tmp_path / "cut").document() == whole.document()
    assert len(calls) == n_jobs == len(set(calls))


def test_what_is_noted_of_a_corpus_stands_in_the_results(tiny, tmp_path, monkeypatch):
    pretend(monkeypatch)
    noted = dataclasses.replace(tiny, notes=("cut in three",))
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: noted)
    found = run_rules(**CONTROLS, out=tmp_path / "run")
    assert found.notes == ["cut in three"] == found.document()["notes"]
    assert "Note: cut in three" in shown(found)
    config = json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert config["rule"] == ["instar"] and "workers" not in config


def test_growing_weights_are_told_of_in_one_line():
    usual = warnings.formatwarning
    with warnings_in_one_line():
        said = warnings.formatwarning("weights have grown", DivergenceWarning, "a.py", 3)
        other = warnings.formatwarning("else", UserWarning, "a.py", 3)
    assert said == "hebbsim: weights have grown\n"
    assert other == usual("else", UserWarning, "a.py", 3)
    assert warnings.formatwarning is usual


def test_text_without_roles_is_refused_in_one_line(tiny, monkeypatch):
    bare = dataclasses.replace(tiny, layer=None)
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: bare)
    with pytest.raises(BadInputError, match="text without roles"):
        run_rules(corpus="tiny")


def test_a_rule_that_is_not_there_is_refused():
    with pytest.raises(BadInputError, match="oja"):
        RulesConfig.checked({"rule": "ojo"})
