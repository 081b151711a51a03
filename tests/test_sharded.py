"""The learner in shards: the same to the last bit for any number of shards and workers."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from hebbsim import HebbianRoleInducer, RolePopulation, load_corpus
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.roles import run_roles
from hebbsim.experiments.workers import DaskWorkers, open_dask
from hebbsim.models import sharded
from hebbsim.models.prototypes import MEMORY, Prototypes
from hebbsim.models.sharded import (
    InProcess,
    Shards,
    Tokens,
    _pull,
    compete_in_round,
    fit_shards,
    take_in,
)
from hebbsim.models.summaries import Wins
from hebbsim.probes import accuracy
from hebbsim.probes.readout import RoleReadout

SMALL = {"n_clusters": 40, "n_categories": 20, "n_context_words": 50, "epochs": 2}


@pytest.fixture(scope="module", autouse=True)
def blocks_above_the_smallest():
    """The few sentences here have blocks of the smallest size else, whatever that follows from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharded, "N_BLOCKS", 8)
        yield


@pytest.fixture(scope="module")
def corpus():
    return load_corpus("builtin")


@pytest.fixture(scope="module")
def sentences(corpus):
    return corpus.splits["train"].sentences()[:600]


def learned(sentences, n_shards, *, workers=None, text=(), learner=None, say=None):
    learner = learner or HebbianRoleInducer(**SMALL)
    shards = Shards(workers or InProcess(), sentences, n_shards, text=text, progress=say)
    return fit_shards(learner, shards, round_size=200)


def bits(learner):
    """All that prediction goes by."""
    types, prototypes = learner.types_, learner.prototypes_
    arrays = [
        learner.vocabulary_.counts, types.codes, types.context_codes, types.context_weights,
        types.shape_weights, learner._weights, learner._bias, prototypes.centres,
        prototypes.wins, *(p.components for p in learner._principal),
    ]  # fmt: skip
    return b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)


@pytest.fixture(scope="module")
def alone(sentences):
    return learned(sentences, 1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    found = []
    for number, text in enumerate(["A dog saw a cat. The cat ran.\n" * 30, "A bird flew.\n" * 9]):
        found.append(folder / f"{number}.txt")
        found[-1].write_text(text, encoding="utf-8")
    return found


@pytest.mark.parametrize("n_shards", [2, 5, 1000])
def test_no_bit_depends_on_the_number_of_shards(sentences, alone, n_shards):
    assert (
        256 < Shards(InProcess(), sentences, 1).block < Shards(InProcess(), sentences, 1).n_tokens
    )
    assert bits(learned(sentences, n_shards)) == bits(alone)


def test_no_bit_depends_on_the_number_of_shards_with_text(sentences, files):
    one, other = (learned(sentences, n, text=files) for n in (1, 4))
    assert bits(one) == bits(other)
    assert "flew" in one.vocabulary_.index


def test_workers_read_text_as_its_options_say(sentences, tmp_path):
    (tmp_path / "a.csv").write_text("id,body\n1,crows flew\n")
    shards = Shards(InProcess(), sentences, 2, text=[tmp_path / "a.csv"], reading={"field": "body"})
    words = shards.counts().vocabulary(10**6).index
    assert "flew" in words and "body" not in words


def test_no_bit_depends_on_the_number_of_shards_where_occurrences_are_drawn(sentences, files):
    options = {**SMALL, "rare_from": "occurrence"}
    one, other = (
        learned(sentences, n, text=files, learner=HebbianRoleInducer(**options)) for n in (1, 4)
    )
    assert bits(one) == bits(other)
    by_type = learned(sentences, 1, text=files)
    assert (one.types_.context_weights != by_type.types_.context_weights).any()


def test_other_rounds_and_other_seeds_are_other_results(sentences, alone):
    shards = Shards(InProcess(), sentences, 2)
    larger = fit_shards(HebbianRoleInducer(**SMALL), shards, round_size=400)
    assert bits(larger) != bits(alone)
    other = fit_shards(HebbianRoleInducer(**SMALL, random_state=1), shards, round_size=200)
    assert bits(other) != bits(alone)


def test_stages_that_merge_are_those_of_one_pass(sentences, alone):
    one_pass = HebbianRoleInducer(**SMALL).fit(sentences)
    assert list(alone.vocabulary_.index) == list(one_pass.vocabulary_.index)
    assert alone.vocabulary_.counts.tolist() == one_pass.vocabulary_.counts.tolist()


def test_a_learner_in_shards_finds_roles_as_one_pass_does(corpus):
    """Within three points of accuracy on dev; the measured difference is in the notes."""
    train, dev = corpus.splits["train"].sentences()[:1200], corpus.splits["dev"]
    roles = dev.layers[corpus.layer]

    def score(learner):
        ids = learner.predict(dev.sentences())
        return accuracy(roles, RoleReadout().fit(ids, roles).predict(ids))

    options = {"n_clusters": 120, "n_categories": 60}
    one_pass = score(HebbianRoleInducer(**options).fit(train))
    shards = Shards(InProcess(), train, 3)
    assert score(fit_shards(HebbianRoleInducer(**options), shards)) > one_pass - 0.03 > 0.8


def test_members_of_a_population_learn_in_shards(sentences):
    population = RolePopulation(2, n_clusters=20, options={"n_categories": 10, "epochs": 1})
    one = fit_shards(population, Shards(InProcess(), sentences, 1)).predict(sentences[:5])
    two = fit_shards(population, Shards(InProcess(), sentences, 3)).predict(sentences[:5])
    assert one.shape[1] == 2 and (one == two).all() and (one[:, 0] != one[:, 1]).any()


@pytest.mark.parametrize("options", [{"view": "own"}, {"trace_weights": (0.0, 0.5)},
                                     {"shuffle_traces": True}, {"ending_weight": 1.0},
                                     {"max_types": 60}])  # fmt: skip
def test_every_form_of_the_learner_learns_in_shards(sentences, options):
    ids = [
        learned(sentences, n, learner=HebbianRoleInducer(**SMALL, **options)).predict(sentences)
        for n in (1, 4)
    ]
    assert (ids[0] == ids[1]).all() and len(np.unique(ids[0])) > 20


def test_random_prototypes_in_shards_are_vectors_of_training_tokens(sentences):
    random = learned(sentences, 2, learner=HebbianRoleInducer(**SMALL, prototypes="random"))
    vectors = random.transform(sentences)
    found = [
        np.isclose(vectors, centre, atol=1e-5).all(axis=1).any()
        for centre in random.prototypes_.centres
    ]
    assert all(found)


def test_a_round_moves_prototypes_to_the_mean_of_what_they_won():
    """By hand: with wins as steps, one round of two inputs is both one by one."""
    prototypes = Prototypes(np.zeros((1, 2), dtype=np.float32), 1, rng=np.random.default_rng(0))
    x = np.float32([[1, 0], [0, 2]])
    take_in(prototypes, Wins.of(x, np.int32([0, 0]), prototypes.centres))
    np.testing.assert_allclose(prototypes.centres, [[1 / 3, 2 / 3]], rtol=1e-6)
    assert prototypes.wins == [3] and prototypes.share == [1]
    assert prototypes.spread[0] == pytest.approx((1 - 0.999**2) * 2.5, rel=1e-4)
    np.testing.assert_allclose(prototypes.squares, [5 / 9], rtol=1e-6)


def test_rounds_count_wins_and_move_prototypes_however_long_the_text():
    prototypes = Prototypes(np.ones((1, 2), dtype=np.float32), 1, rng=np.random.default_rng(0))
    prototypes.wins[:] = 2.0**30
    x = np.full((8, 2), 2, dtype=np.float32)
    take_in(prototypes, Wins.of(x, np.zeros(8, dtype=np.int32), prototypes.centres))
    assert prototypes.wins.tolist() == [2**30 + 8]
    np.testing.assert_allclose(prototypes.centres - 1, 8 / MEMORY, rtol=0.02)
    prototypes.memory = 2.0  # less than a round brings: to the mean of it, and no further
    take_in(prototypes, Wins.of(x, np.zeros(8, dtype=np.int32), prototypes.centres))
    assert prototypes.centres.tolist() == [[2, 2]]


def test_rounds_of_one_input_are_the_competition_one_by_one():
    """The kernel of one pass is the oracle: conscience, shares, spread and steps."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 5)).astype(np.float32)
    in_rounds, one_by_one = (
        Prototypes(x, 7, rng=np.random.default_rng(1), conscience=3.0) for _ in range(2)
    )
    one_by_one.learn(x, np.arange(len(x)))
    tokens = Tokens(x, np.ones(len(x)), 0, [(0, len(x))])
    for t in range(len(x)):
        held_back = in_rounds.squares + _pull(in_rounds) * in_rounds.share
        drawn = np.array([t]), np.array([0, 1])
        take_in(in_rounds, compete_in_round(tokens, drawn, 0, (in_rounds.centres, held_back)))
    assert in_rounds.wins.tolist() == one_by_one.wins.tolist()
    for name in ("centres", "squares", "share", "spread"):
        found, expected = getattr(in_rounds, name), getattr(one_by_one, name)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_too_few_tokens_and_senseless_numbers_are_refused(sentences):
    for n_shards in (0, -1):
        with pytest.raises(BadInputError, match="shards"):
            Shards(InProcess(), sentences, n_shards)
    with pytest.raises(BadInputError, match="clusters for"):
        learned([["a", "b"]] * 5, 2)
    with pytest.raises(BadInputError, match="round"):
        fit_shards(HebbianRoleInducer(), Shards(InProcess(), sentences, 1), round_size=0)


# On Dask ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client():
    pytest.importorskip("distributed")
    with open_dask(n_workers=2) as client:
        yield client


def test_a_task_that_ends_its_workers_is_given_up_with_what_helps(client):
    """In one line, with an option that there is."""
    from distributed import KilledWorker

    class Ended:
        def result(self):
            raise KilledWorker("sum_words-1", None, 10)

    with pytest.raises(HebbsimError, match=r"memory \(dask worker --memory-limit\)$") as caught:
        DaskWorkers(client).value(Ended())
    assert "\n" not in str(caught.value) and "max-types" not in str(caught.value)


def kill_one(client):
    """End the worker that holds most, without a word, as the kernel does for want of memory."""
    held = client.nbytes(summary=False)
    where = client.has_what()
    worst = max(where, key=lambda address: sum(held.get(key, 0) for key in where[address]))
    pid = client.run(os.getpid, workers=[worst])[worst]
    os.kill(pid, signal.SIGKILL)
    return worst


def test_workers_that_die_change_nothing(client, sentences, alone, files):
    """One dies with all that it read, a second in the middle of the competition."""
    died = []
    rounds = 0

    def say(line):
        if line == "moments of contexts":
            died.append(kill_one(client))

    class Counting(DaskWorkers):
        def merged(self, held):
            nonlocal rounds
            rounds += "compete" in held[0].key
            if rounds == 5 and len(died) == 1:
                died.append(kill_one(client))
            return super().merged(held)

    found = learned(sentences, 4, workers=Counting(client), say=say)
    assert len(set(died)) == 2 and rounds > 5
    assert bits(found) == bits(alone)


def test_a_run_on_an_existing_scheduler_is_the_same_for_any_number_of_shards(
    client, files, tmp_path
):
    learner = {"n_categories": 5, "n_context_words": 10, "epochs": 1}
    address = client.scheduler_info()["address"]
    ran = [
        run_roles(
            corpus=str(files[0]), clusters=4, learner=learner, scheduler=address, shards=n,
            out=tmp_path / f"{n}",
        )
        for n in (2, 3)
    ]  # fmt: skip
    one, other = ((tmp_path / f"{n}" / "clusters.csv").read_bytes() for n in (2, 3))
    assert one == other
    assert "scheduler" not in ran[0].config and ran[0].config["shards"] == 2


def test_errors_of_a_task_reach_the_caller_in_one_line(client, sentences, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"good\n\xff\xfe\n")
    with pytest.raises(BadInputError, match=r"bad\.txt:2: not UTF-8"):
        learned(sentences, 2, workers=DaskWorkers(client), text=[bad])


def test_a_scheduler_that_is_not_there_is_refused_at_once(monkeypatch, tmp_path):
    pytest.importorskip("distributed")
    monkeypatch.setattr("hebbsim.experiments.workers.PATIENCE", (0.5, 1))
    for address in ("tcp://127.0.0.1:9", "nonsense", str(tmp_path / "none.json")):
        with pytest.raises(BadInputError, match="--scheduler"), open_dask(address):
            pass
