"""No number depends on threads, on workers, or on where a text is cut; seeds are spawned."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from hebbsim import RoleNetwork, RolePopulation
from hebbsim.experiments.roles.run import run_roles
from hebbsim.experiments.rules.run import run_rules
from hebbsim.readers.text import stream_text
from hebbsim.runs.rerun import compare_folders, rerun

pytestmark = pytest.mark.usefixtures("no_figures")

NOUNS, VERBS = "cat dog girl boy bird fish".split(), "saw fed liked".split()


def conllu(n, seed):
    rng = np.random.default_rng(seed)
    sentences = []
    for _ in range(n):
        words = [*rng.choice(NOUNS, 1), *rng.choice(VERBS, 1), *rng.choice(NOUNS, 1), "."]
        columns = zip(words, (2, 0, 2, 2), ("nsubj", "root", "obj", "punct"), strict=True)
        sentences.append(
            "".join(
                f"{i}\t{word}\t_\tX\t_\t_\t{head}\t{relation}\t_\t_\n"
                for i, (word, head, relation) in enumerate(columns, start=1)
            )
        )
    return "\n".join(sentences) + "\n"


@pytest.fixture
def treebank(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    for seed, (split, n) in enumerate({"train": 80, "dev": 30, "test": 30}.items()):
        path = folder / f"xx_tiny-ud-{split}.conllu"
        path.write_text(conllu(n, seed), encoding="utf-8")
    return folder


SMALL = {
    "clusters": 6, "seeds": 3, "baselines": "simple", "ablation_seeds": 1, "timescales": "2,8",
    "settings": ("words.size=5", "context_words=12", "tokens.n_directions=5"),
}  # fmt: skip


def test_workers_change_no_number(treebank, tmp_path):
    for workers in (1, 3):
        run_roles(corpus=str(treebank), workers=workers, out=tmp_path / f"{workers}", **SMALL)
    tables = compare_folders(tmp_path / "1", tmp_path / "3")
    assert len(tables) >= 3 and all(table.agrees(0) for table in tables)
    config = json.loads((tmp_path / "1" / "config.json").read_text(encoding="utf-8"))
    assert "workers" not in config


@pytest.mark.parametrize("run", ["roles", "rules"])
def test_a_run_of_the_real_experiment_runs_again_to_the_same_numbers(
    treebank, tmp_path, run, monkeypatch
):
    """From its folder alone, and from another folder than it was started in."""
    monkeypatch.chdir(treebank.parent)
    if run == "roles":
        run_roles(corpus=treebank.name, preset="best", out=tmp_path / "run", **SMALL)
    else:
        options = {"clusters": 6, "rule": "softmax", "seeds": 1, "workers": 1}
        run_rules(corpus=treebank.name, **options, out=tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = rerun(tmp_path / "run")
    assert found.exact and found.changed == [] and found.tables


_CHILD = """
import hashlib, sys
import numpy as np
from hebbsim import RoleNetwork, TraceEngine
rng = np.random.default_rng(0)
words = [f"w{i}" for i in range(60)]
text = [list(rng.choice(words, size=rng.integers(2, 12))) for _ in range(300)]
learner = RoleNetwork(n_clusters=20, settings=["words.size=10"]).fit(text)
engine = TraceEngine(60, dim=16, rule="oja").run(rng.integers(60, size=3000))
digest = hashlib.sha256(learner.transform(text).tobytes() + engine.weights.tobytes())
print(digest.hexdigest())
"""


def test_threads_change_no_bit():
    digests = set()
    for n in ("1", "4"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        done = subprocess.run(
            [sys.executable, "-c", _CHILD], env={**os.environ, **dict.fromkeys(names, n)},
            capture_output=True, text=True, check=True, timeout=600,
        )  # fmt: skip
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_members_learn_the_same_in_any_number_of_threads(treebank):
    sentences = [line.split() for line in ["the cat saw a dog .", "a dog fed the bird ."] * 30]
    found = [
        RolePopulation(3, n_clusters=5, n_jobs=n, settings=["words.size=4"]).fit(sentences)
        for n in (1, 3)
    ]
    one, other = (population.transform(sentences).tobytes() for population in found)
    assert one == other


def test_where_a_text_is_cut_into_files_changes_no_bit(tmp_path):
    lines = ["A cat saw the dog.", "The dog fed a bird.", "Some girl liked it."] * 20
    whole = tmp_path / "whole.txt"
    whole.write_text("\n".join(lines), encoding="utf-8")
    parts = []
    for number, start in enumerate(range(0, len(lines), 7)):
        parts.append(tmp_path / f"part{number}.txt")
        parts[-1].write_text("\n".join(lines[start : start + 7]), encoding="utf-8")
    train = [["the", "cat", "saw", "a", "dog", "."]] * 20
    digests = [
        hashlib.sha256(
            RoleNetwork(n_clusters=4, settings=["words.size=4"])
            .fit(train, text=stream_text(files))
            .transform(train)
            .tobytes()
        ).hexdigest()
        for files in ([whole], parts)
    ]
    assert digests[0] == digests[1]


def test_seeds_of_members_are_spawned_and_differ():
    """Neighbouring seeds of a population have no member in common."""
    seeds = [
        member.random_state
        for state in range(20)
        for member in RolePopulation(8, random_state=state).draw_members()
    ]
    assert len(set(seeds)) == len(seeds) and min(seeds) > 20
    streams = {
        np.random.default_rng([seed, part]).random() for seed in range(50) for part in range(6)
    }
    assert len(streams) == 300
