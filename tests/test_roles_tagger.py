"""A run of roles keeps its learner: what it reads is what the run said of every token."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pytest

import hebbsim
import hebbsim.readers
import hebbsim.runs.figures
from hebbsim import RoleNetwork, run_roles
from hebbsim.readers.grammar import make_builtin
from hebbsim.tagging.compact import compacted, expanded

SMALL = {
    "clusters": 12, "seeds": 2, "ablation_seeds": 0, "labels": (10,), "readout_sentences": 5,
    "readout_draws": 1, "baselines": "none", "passes": 1, "timescales": "2,8",
    "settings": ("words.size=10", "words.n_directions=8", "tokens.n_directions=8"),
}  # fmt: skip


@pytest.fixture
def corpus(monkeypatch):
    found = make_builtin(n_train=60, n_dev=20, n_test=20, n_gen=0)
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: found)
    monkeypatch.setattr(hebbsim.runs.figures, "draw_run", lambda *_: {})
    return found


@pytest.mark.parametrize("members", [1, 2])
def test_the_tagger_of_a_run_says_what_its_table_says(corpus, tmp_path, members):
    out = tmp_path / "run"
    run_roles(out=out, ensemble_size=members, **SMALL)
    table = pd.read_csv(out / "tokens.csv.gz", keep_default_na=False)
    test = table[table["split"] == "test"]
    tagger = hebbsim.load(out)
    sentences = corpus.splits["test"].sentences()
    soft, majority = (tagger.assign(sentences, readout=name) for name in ("soft", "majority"))
    assert soft.roles.tolist() == test["hebbian_soft"].tolist()
    assert majority.roles.tolist() == test["hebbian"].tolist()
    if members == 1:
        assert soft.clusters[:, 0].tolist() == test["cluster"].tolist()
    files = json.loads((out / "files.json").read_text())["files"]
    assert "tagger.safetensors" in files and "tagger-1.safetensors" not in files
    assert (out / "tagger.safetensors").stat().st_mode == (out / "tokens.csv.gz").stat().st_mode


def test_a_tagger_reads_words_that_were_never_met_by_their_pieces():
    train = make_builtin(n_train=60, n_dev=0, n_test=0, n_gen=0).splits["train"].sentences()
    strange = [["a", "zebra", "walked", "unwatchfully", "."], ["ice cream"]]
    settings = [*SMALL["settings"], "words.pieces=256", "words.ending_weight=0.5"]
    learner = RoleNetwork(n_clusters=12, passes=1, settings=settings).fit(train)
    arrays, about = compacted(learner)
    read = expanded(arrays, about).transform(strange)
    assert np.array_equal(read, learner.transform(strange))
    codes = learner.word_codes(["unwatchfully", "zebra"])
    assert not np.allclose(codes[0], codes[1])
    for name, wrong in (("met", arrays["pieces met"][::-1]), ("pieces.counts", -np.ones_like(
        arrays["pieces pieces.counts"]))):  # fmt: skip
        with pytest.raises(ValueError, match="piece"):
            expanded({**arrays, f"pieces {name}": wrong}, about)


def test_it_says_what_it_was_trained_on(corpus, tmp_path):
    run_roles(out=tmp_path / "run", **SMALL)
    about = hebbsim.load(tmp_path / "run").about
    assert about["seed"] == 0
    assert about["config"] == json.loads((tmp_path / "run" / "config.json").read_text())
    assert about["provenance"] == json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert set(corpus.sha256.values()) <= set(about["provenance"]["inputs"].values())


@pytest.mark.parametrize(
    ("keep", "names"),
    [("all", ["tagger-1.safetensors", "tagger.safetensors"]), ("none", [])],
)
def test_all_seeds_stay_or_none(corpus, tmp_path, keep, names):
    run_roles(out=tmp_path / "run", keep=keep, **SMALL)
    assert sorted(path.name for path in (tmp_path / "run").glob("tagger*")) == names
    if names:
        one, other = (hebbsim.load(tmp_path / "run" / name) for name in reversed(names))
        assert (one.about["seed"], other.about["seed"]) == (0, 1)
        assert one.tag(["the dog saw a cat ."]) != other.tag(["the dog saw a cat ."])


@pytest.mark.parametrize("members", [1, 2])
def test_of_text_without_roles_the_clusters_stay(tmp_path, members, monkeypatch):
    monkeypatch.setattr(hebbsim.runs.figures, "draw_run", lambda *_: {})
    words = make_builtin(n_train=60, n_dev=2, n_test=2, n_gen=0).splits["train"].sentences()
    (tmp_path / "a.txt").write_text("\n\n".join(map(" ".join, words)))
    out = tmp_path / "run"
    options = {**SMALL, "ensemble_size": members, "corpus": str(tmp_path / "a.txt")}
    run_roles(out=out, **options)
    content = gzip.decompress((out / "tokens.csv.gz").read_bytes()).decode()
    rows = [line.rsplit(",", 1) for line in content.splitlines()[1:]]
    tagger = hebbsim.load(out)
    found = tagger.assign(words)
    assert found.clusters[:, 0].tolist() == [int(cluster) for _, cluster in rows]
    assert found.clusters.shape[1] == members
    assert set(found.roles) == {None}
    largest = int(tagger.naming.sizes[0].argmax())
    assert tagger.naming.words[0][largest]
