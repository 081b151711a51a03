"""`hebbsim run rules`: what a rule finds beside units that do not learn."""

from __future__ import annotations

import dataclasses
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import hebbsim.readers
from hebbsim.cli import rules_table
from hebbsim.cli.carry_out import warnings_in_one_line
from hebbsim.engine import get_rule
from hebbsim.errors import BadInputError, DivergenceWarning
from hebbsim.experiments.rules import RulesConfig, _Learner, run_rules
from hebbsim.models.vocabulary import Vocabulary
from hebbsim.readers.base import Corpus, make_split

NOUNS, VERBS = ["cat", "dog", "girl", "boy"], ["saw", "fed"]


@pytest.fixture
def tiny(monkeypatch):
    """`noun verb noun .`: a noun after a verb is an object."""
    splits = {}
    for seed, (name, n) in enumerate({"train": 200, "dev": 60, "test": 60}.items()):
        rng = np.random.default_rng(seed)
        words = [[*rng.choice(NOUNS, 1), *rng.choice(VERBS, 1), *rng.choice(NOUNS, 1), "."]
                 for _ in range(n)]  # fmt: skip
        splits[name] = make_split(
            name, words, {"grammatical": ["SUBJ", "PRED", "OBJ", "PUNCT"] * n}
        )
    corpus = Corpus("tiny", splits, layer="grammatical", sha256={"tiny": "0"})
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: corpus)
    return corpus


def test_the_context_tells_what_the_word_does_not(tiny, tmp_path):
    found = run_rules(corpus="tiny", rule="delta", clusters=20, dim=16, out=tmp_path / "run")
    accuracy = {row.condition: row.mean for row in found.select(split="test", metric="accuracy")}
    assert accuracy["K=20"] > 0.9 > 0.8 > accuracy["K=20 view=own"]
    assert set(accuracy) == {"K=20", "K=20 learning=off", "K=20 view=own"}
    stream = io.StringIO()
    rules_table.show(found, Path("x"), Console(file=stream, width=80))
    assert "own code alone" in stream.getvalue()


def test_what_is_noted_of_a_corpus_stands_in_the_results(tiny, tmp_path, monkeypatch):
    noted = dataclasses.replace(tiny, notes=("cut in three",))
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: noted)
    options = {"corpus": "tiny", "seeds": 1, "dim": 8, "clusters": 5, "out": tmp_path / "run"}
    found = run_rules(**options)
    assert found.notes == ["cut in three"] == found.document()["notes"]
    stream = io.StringIO()
    rules_table.show(found, Path("x"), Console(file=stream, width=80))
    assert "Note: cut in three" in stream.getvalue()
    assert '"cut in three"' in (tmp_path / "run" / "results.json").read_text(encoding="utf-8")


def test_learning_changes_the_units_and_its_control_does_not(tiny):
    train = Vocabulary(100).take_in(tiny.splits["train"].sentences())
    for eta in (0.0, 0.01):
        learner = _Learner(RulesConfig(rule="oja", eta=eta, dim=8, clusters=5), 7, seed=0)
        before = learner.engine.weights.copy()
        learner.fit(train)
        assert (learner.engine.weights == before).all() == (eta == 0)


def test_words_never_seen_share_a_code_and_predicting_changes_nothing(tiny):
    vocabulary = Vocabulary(max_types=100)
    train = vocabulary.take_in(tiny.splits["train"].sentences())
    learner = _Learner(RulesConfig(rule="oja", dim=8, clusters=5), len(vocabulary), seed=0)
    learner.fit(train)
    text = vocabulary.encode([["zebra", "saw", "gnu", "."]])
    one, other = learner.vectors(text), learner.vectors(text)
    assert one.tobytes() == other.tobytes()
    assert (one[0, :8] == one[2, :8]).all()


def test_the_rate_is_that_of_the_rule_unless_one_is_given():
    assert RulesConfig.checked({"rule": "hebb"}).eta == get_rule("hebb").eta
    assert RulesConfig.checked({"rule": "hebb", "eta": None}).resolved()["eta"] == 0.0001
    assert RulesConfig.checked({"rule": "hebb", "eta": 0.5}).eta == 0.5
    assert RulesConfig.checked({}).eta == get_rule("oja").eta == 0.01


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
