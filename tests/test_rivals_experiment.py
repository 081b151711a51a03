"""Rivals in a run of roles: what they are told, and what is told of them."""

from __future__ import annotations

import importlib.util
import io
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from rich.console import Console
from test_roles_experiment import FakeJobs, _Subscriptable, fakes, run, tiny, value

from hebbsim.baselines import PredictionJob
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles import run as roles
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.roles.table import show
from hebbsim.rivals import CHEAP, RIVALS, settings_for
from hebbsim.runs import costs
from hebbsim.runs.costs import Meter

__all__ = ["fakes", "tiny"]  # fixtures

OPTIONS = {"clusters": 12, "baselines": "simple", "ablation_seeds": 0, "rivals": "spectral"}


class InlineJobs(FakeJobs):
    """Rivals learn in this process."""

    found: ClassVar[dict] = {}

    def results(self):
        for key, job in self.submitted.items():
            assert not isinstance(job, PredictionJob)
            self.found[key] = job.run()
            yield key, self.found[key]


@pytest.fixture
def inline(fakes, monkeypatch):
    monkeypatch.setattr(InlineJobs, "found", {})
    monkeypatch.setattr(roles, "BackgroundJobs", _Subscriptable(InlineJobs))
    return fakes


def relabelled(corpus, labels):
    """The corpus with other labels on its tokens."""
    splits = {
        name: replace(split, layers={"grammatical": labels(split.layers["grammatical"])})
        for name, split in corpus.splits.items()
    }
    return replace(corpus, splits=splits)


@pytest.mark.parametrize("labels", [
    lambda of: np.random.default_rng(0).permutation(of),
    lambda of: np.where(np.arange(len(of)) % 2, "A", "B"),
])  # fmt: skip
def test_no_label_reaches_a_rival(inline, labels):
    run(**OPTIONS)
    before = dict(InlineJobs.found)
    inline.corpus = relabelled(inline.corpus, labels)
    run(**OPTIONS)
    assert before and before.keys() == InlineJobs.found.keys()
    for key, found in InlineJobs.found.items():
        assert np.array_equal(found.prototypes, before[key].prototypes)
        for split, members in found.members.items():
            assert np.array_equal(members.clusters, before[key].members[split].clusters)


def test_a_rival_is_given_words_alone_of_the_learners_splits(inline):
    run(**OPTIONS, rival_seeds=2)
    assert [key.seed for key in InlineJobs.submitted] == [0, 1]
    splits = inline.corpus.splits
    for job in InlineJobs.submitted.values():
        assert job.train == splits["train"].sentences() and job.n_clusters == 12
        assert job.evaluation.keys() == splits.keys() - {"train"}
        assert all(job.evaluation[name] == splits[name].sentences() for name in job.evaluation)


def test_a_rival_is_named_and_scored_as_the_learner_is(inline):
    results = run(**OPTIONS)
    names, gold = {}, inline.corpus.splits["dev"].layers["grammatical"]
    test = inline.corpus.splits["test"].layers["grammatical"]
    shares = []
    for found in InlineJobs.found.values():
        dev, other = (found.members[name].clusters[:, 0] for name in ("dev", "test"))
        for cluster in set(dev):
            roles_there, n = np.unique(gold[dev == cluster], return_counts=True)
            names[cluster] = roles_there[n.argmax()]
        shares.append(np.mean([names.get(c) == role for c, role in zip(other, test, strict=True)]))
    assert value(results, "K=12", model="spectral") == pytest.approx(np.mean(shares))
    assert value(results, "K=12 readout=soft", model="spectral") > 0.5
    assert value(results, "K=12", model="spectral", metric="v_measure") > 0
    mine, theirs = (value(results, "K=12", model=model) for model in ("hebbian", "spectral"))
    difference = value(results, "K=12 minus=spectral", metric="accuracy_difference")
    assert difference == pytest.approx(mine - theirs)
    (compared,) = [c for c in results.tables["comparisons"]
                   if (c.table, c.split) == ("rivals K=12", "test")]  # fmt: skip
    assert (compared.rival, compared.seeds, compared.rival_seeds) == ("spectral", 2, 2)


def test_what_learning_took_stands_apart_from_what_was_found(inline, tmp_path):
    results = run(**OPTIONS, out=tmp_path / "run")
    took = json.loads((tmp_path / "run/machine.json").read_text())["costs"]
    assert [(c["model"], c["seed"]) for c in took] == [
        ("hebbian", 0), ("spectral", 0), ("spectral", 1),
    ]  # fmt: skip
    assert all(cost["seconds"] >= 0 for cost in took)
    assert results.provenance["rivals"] == {"spectral": settings_for("spectral", ["builtin"])}
    assert "seconds" not in json.dumps(results.document())


def test_rivals_of_an_interrupted_run_are_read_back(inline, tmp_path, monkeypatch):
    whole = run(**OPTIONS)
    monkeypatch.setattr(roles, "tabulate", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(**OPTIONS, out=tmp_path / "run")
    monkeypatch.undo()
    monkeypatch.setattr(roles.BackgroundJobs, "submit", None)  # nothing is left to do
    from test_roles_experiment import FakeLearner

    monkeypatch.setattr(RolesConfig, "learner", lambda *a, **k: FakeLearner(12, 0))
    monkeypatch.setattr("hebbsim.readers.load_corpus", lambda *a, **k: inline.corpus)
    again = run(**OPTIONS, out=tmp_path / "run")
    assert again.rows == whole.rows and [c.model for c in again.costs] == [
        "hebbian", "spectral", "spectral",
    ]  # fmt: skip


def test_a_missing_library_is_one_line(inline, monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "gensim" else there(name, *a)
    )
    says = "gensim is not installed: pip install 'hebbsim\\[rivals\\]'"
    with pytest.raises(BadInputError, match=f"--rivals skipgram: {says}"):
        run(**OPTIONS | {"rivals": "skipgram,spectral"})
    assert not inline.received, "before anything is learned"


@pytest.mark.parametrize(("given", "names"), [
    ({}, CHEAP),
    ({"baselines": "simple"}, ()),
    ({"baselines": "none", "rivals": "all"}, tuple(RIVALS)),
    ({"rivals": "none"}, ()),
    ({"rivals": "hmm, skipgram"}, ("skipgram", "hmm")),
])  # fmt: skip
def test_the_cheap_rivals_stand_beside_all_baselines(given, names):
    assert RolesConfig.checked(given).rivals == names


def test_an_unknown_rival_costs_a_line():
    with pytest.raises(BadInputError, match="--rivals: there is no 'brwn': choose skipgram, "):
        RolesConfig.checked({"rivals": "brown,brwn"})


def test_the_table_of_rivals_fits_80_columns(inline, tmp_path):
    results = run(**OPTIONS | {"rivals": "spectral,brown"})
    # The longest of everything.
    for table in (results.rows, results.costs):
        table[:] = [
            replace(each, model="masked-bigru") if each.model == "brown" else each for each in table
        ]
    results.costs = [replace(cost, seconds=1234.5, memory=12_345_000_000) for cost in results.costs]
    results.tables["comparisons"] = [
        replace(c, rival="masked-bigru", verdict="behind") if c.rival == "brown" else c
        for c in results.tables["comparisons"]
    ]
    text = io.StringIO()
    show(results, tmp_path, Console(file=text, width=80, highlight=False))
    shown = text.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    part = shown[shown.index("Without labels") :].split("\n\n")[0]
    lines = {line.split()[0]: line for line in part.splitlines()[1:] if line.split()}
    assert {"hebbian", "spectral", "masked-bigru"} <= lines.keys()
    assert lines["masked-bigru"].endswith("behind  1,234  12,345")
    for split in ("test", "gen"):
        (row,) = results.select({}, model="masked-bigru", split=split, metric="accuracy")
        assert f"{row.mean:.3f} ±" in lines["masked-bigru"]


def test_a_meter_leaves_out_what_is_done_aside(monkeypatch):
    times = iter([10.0, 11.0, 111.0, 113.0, 0.0, 1.0])  # begins; aside, and back; ends
    monkeypatch.setattr(costs, "time", SimpleNamespace(process_time=lambda: next(times)))
    with Meter() as meter, meter.aside():
        table = np.ones(30_000_000)
        del table
    assert meter.seconds == 3.0
    assert meter.memory is None or meter.memory < 100_000_000
    with Meter() as meter:
        table = np.ones(30_000_000)
        del table
    assert meter.memory is None or meter.memory > 200_000_000
