"""`hebbsim run stream`: which network learns, and what a scored corpus tells of it."""

from __future__ import annotations

import pytest
from test_network_run import NETWORK
from test_reproducibility import conllu

from hebbsim.errors import BadInputError
from hebbsim.experiments.stream.config import StreamConfig
from hebbsim.experiments.stream.run import run_stream


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A treebank in a folder, and a network that begins early."""
    folder = tmp_path_factory.mktemp("stream")
    for seed, (split, n) in enumerate({"train": 80, "dev": 30, "test": 30}.items()):
        path = folder / "tiny" / f"xx_tiny-ud-{split}.conllu"
        path.parent.mkdir(exist_ok=True)
        path.write_text(conllu(n, seed), encoding="utf-8")
    (folder / "mine.toml").write_text(NETWORK)
    return folder


def run(folder, **options):
    given = {"corpus": (str(folder / "tiny"),), "network": str(folder / "mine.toml")}
    return run_stream(**{**given, "tokens": 4000, "chunk_tokens": 1000, **options})


def test_a_scored_corpus_is_scored_after_every_chunk_and_never_learned(folder):
    plain = run(folder)
    scored = run(folder, score=str(folder / "tiny"))
    found = [chunk.accuracy for chunk in scored.tables["stream"]]
    assert all(0.3 < accuracy <= 1 for accuracy in found)
    rows = scored.select(metric="accuracy", split="test")
    assert [row.mean for row in rows] == found
    read = [chunk.tokens for chunk in scored.tables["stream"]]
    assert [int(row.words["tokens"]) for row in rows] == read
    assert [chunk.accuracy for chunk in plain.tables["stream"]] == [None] * len(read)
    (one,), (other,) = (
        [note for note in results.notes if "sha256" in note] for results in (plain, scored)
    )
    assert one == other  # the state of the learner


def test_before_clusters_have_begun_there_is_no_accuracy(folder):
    late = run(folder, score=str(folder / "tiny"), settings=("tokens.start=1500",))
    first, *_, last = [chunk.accuracy for chunk in late.tables["stream"]]
    assert first is None and last > 0.3
    rows = late.select(metric="accuracy")
    assert 0 < len(rows) < len(late.tables["stream"])
    assert not [note for note in late.notes if "no accuracy" in note]
    never = run(folder, score=str(folder / "tiny"), settings=("tokens.start=150000",))
    assert [note for note in never.notes if note.startswith("no accuracy on tiny: ")]


def test_the_network_says_timescales_and_clusters_that_are_not_given(folder):
    network = str(folder / "mine.toml")
    config = StreamConfig.checked({"network": network})
    assert (config.timescales, config.clusters) == ((2.0, 4.0), 7)
    changed = StreamConfig.checked({"network": network, "settings": ["tokens.size=9"]})
    assert changed.clusters == 9
    assert StreamConfig.checked({"network": network, "clusters": 5}).role_network().n_clusters == 5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"learner": "engine", "score": "builtin"}, "--score is of --learner roles"),
        ({"learner": "engine", "settings": ("words.size=3",)}, "--set is of --learner roles"),
        ({"learner": "engine", "network": "mine.toml"}, "--network is of --learner roles"),
        ({"rule": "delta"}, "--rule is of --learner engine: give both, or neither"),
        ({"network": "nothing.toml"}, "cannot read network nothing.toml"),
        ({"settings": ("words.sise=3",)}, "did you mean size"),
    ],
)
def test_what_a_stream_cannot_learn_with(options, says):
    with pytest.raises(BadInputError, match=says) as caught:
        run_stream(**options)
    assert "\n" not in str(caught.value)


def test_a_corpus_without_roles_cannot_be_scored(folder, tmp_path):
    (tmp_path / "a.txt").write_text("a cat saw the dog\n" * 50)
    with pytest.raises(BadInputError, match=r"--score .*a\.txt: text without roles"):
        run(folder, score=str(tmp_path / "a.txt"))
