"""The main path on one page is what `run_roles` does."""

from __future__ import annotations

import pytest
from test_reproducibility import conllu

from hebbsim.experiments.roles.main_path import text_to_roles
from hebbsim.experiments.roles.run import run_roles
from hebbsim.plots import plot_roles, wording


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "tiny"
    folder.mkdir()
    for seed, (split, n) in enumerate({"train": 80, "dev": 30, "test": 30}.items()):
        (folder / f"xx_tiny-ud-{split}.conllu").write_text(conllu(n, seed), encoding="utf-8")
    return str(folder)


def test_the_main_path_gives_the_numbers_of_a_run(corpus):
    options = {"timescales": (2.0, 4.0), "clusters": 6, "passes": 2}
    found = text_to_roles(corpus, **options)
    options |= {
        "preset": "default",
        "seeds": 1,
        "baselines": "simple",
        "ablation_seeds": 0,
        "workers": 1,
    }
    run = run_roles(corpus=corpus, **options)
    (row,) = run.select({}, model="hebbian", split="test", metric="accuracy")
    assert found.accuracy == row.mean
    assert sum(map(len, found.words)) == len(found.roles)
    for model in ("hebbian", "lookup"):
        rows = run.select({}, model=model, split="test", metric="recall")
        mine = found.table[found.table["model"] == model].set_index("role")["mean"]
        assert mine.to_dict() == {row.role: row.mean for row in rows} and len(mine) > 1
    names = [label.get_text() for label in plot_roles(found.table).get_yticklabels()]
    assert set(names) == set(map(wording.role, found.table["role"]))
