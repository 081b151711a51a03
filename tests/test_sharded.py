"""The network in shards: the same to the last bit for any number of shards and workers."""

from __future__ import annotations

import os
import signal
import tracemalloc

import naive_network
import numpy as np
import pytest
from test_network_run import NETWORK
from test_user_rules import EXAMPLE

from hebbsim import RoleNetwork, load_corpus
from hebbsim.engine import rules
from hebbsim.engine.network import WordLayer
from hebbsim.engine.network.description import tomllib
from hebbsim.engine.network.shape import Spelling, piece_rows
from hebbsim.engine.traces import decays
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.roles.run import run_roles
from hebbsim.models.sharded import (
    InProcess,
    Shards,
    _visit,
    fit_shards,
    put_together,
    share_files,
    worker_memory,
)
from hebbsim.probes import accuracy
from hebbsim.probes.readout import RoleReadout
from hebbsim.runs.workers import DaskWorkers, open_dask

SMALL = tomllib.loads(NETWORK)


@pytest.fixture(scope="module")
def corpus():
    return load_corpus("builtin")


@pytest.fixture(scope="module")
def sentences(corpus):
    return corpus.splits["train"].sentences()[:300]


def learned(sentences, n_shards, *, workers=None, text=(), say=None, **options):
    shards = Shards(workers or InProcess(), sentences, n_shards, text=text, progress=say)
    return fit_shards(RoleNetwork(SMALL, passes=2, **options), shards, round_size=100)


class Measured(InProcess):
    """Tasks here, and the most memory that arrays of one of them took [bytes]."""

    def __init__(self):
        self.peaks = {}

    def measure(self, name, do, *args):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        found = do(*args)
        peak = tracemalloc.get_traced_memory()[1] - before
        self.peaks[name] = max(self.peaks.get(name, 0), peak)
        return found

    def hold(self, function, *args):
        return self.measure(function.__name__, super().hold, function, *args)

    def merged(self, held):
        return self.measure("merge", super().merged, held)


@pytest.mark.parametrize("text", [False, True])
def test_the_memory_of_a_worker_is_bounded_and_told_before_it_starts(sentences, text, tmp_path):
    said, files = [], []
    if text:
        files = [tmp_path / "more.txt"]
        files[0].write_text("\n".join(" ".join(s) for s in sentences[:20]))
    words = len({word for sentence in sentences for word in sentence})
    workers = Measured()
    shards = Shards(workers, sentences, 2, text=files, progress=said.append)
    # What compiling or loading kernels takes for a moment is no memory of a task.
    fit_shards(RoleNetwork(SMALL, passes=1), Shards(InProcess(), sentences, 2), round_size=100)
    learner = RoleNetwork(SMALL | {"max_words": words if text else 30_000}, passes=1)
    tracemalloc.start()
    try:
        fit_shards(learner, shards, round_size=100)
    finally:
        tracemalloc.stop()
    bound = worker_memory(learner.network_, shards)
    assert said[0] == f"a worker takes up to {bound / 1e9 + 0.3:.1f} GB beside its words"
    # Sums of two shards, merged, are what the bound is for; it is no more than twice of them.
    largest = max(workers.peaks.values())
    assert bound / 2 < largest < bound, workers.peaks


def bits(learner):
    """All that it has learned."""
    arrays, document = learner.network_.state()
    return {name: array.tobytes() for name, array in arrays.items()} | document


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


class Backwards(InProcess):
    """Tasks end in another order than they were begun in."""

    def merged(self, held):
        return super().merged(held[::-1])


@pytest.mark.parametrize(
    ("n_shards", "workers"), [(2, InProcess()), (7, Backwards()), (1000, InProcess())]
)
def test_no_bit_depends_on_the_number_of_shards(sentences, alone, n_shards, workers):
    assert bits(learned(sentences, n_shards, workers=workers)) == bits(alone)


@pytest.mark.parametrize("changes", [(), ("first.memory=oja", "tokens.prototypes=competitive")])
def test_no_bit_depends_on_the_number_of_shards_with_text(sentences, files, changes):
    one, other = (learned(sentences, n, text=files, rule=changes) for n in (1, 4))
    assert bits(one) == bits(other)
    assert "flew" in one.network_.index


def test_words_that_occur_once_are_no_hindrance():
    words = [[f"w{i}_{j}" for j in range(5)] for i in range(20)]
    found = [learned(words, n) for n in (1, 3)]
    assert bits(found[0]) == bits(found[1])
    assert len(found[0].predict(words)) == 100


def test_workers_read_text_as_its_options_say(sentences, tmp_path):
    (tmp_path / "a.csv").write_text("id,body\n1,crows flew\n")
    shards = Shards(InProcess(), sentences, 2, text=[tmp_path / "a.csv"], reading={"field": "body"})
    words = shards.counts().counts
    assert "flew" in words and "body" not in words


def test_text_reaches_the_word_layers_alone(sentences, alone, files):
    more = learned(sentences, 2, text=files)
    n_text = more.network_.counts.sum() - alone.network_.counts.sum()
    assert n_text > 100
    assert more.network_.top.tokens == alone.network_.top.tokens
    assert more.network_.tokens == alone.network_.tokens + n_text


def test_other_rounds_and_other_seeds_are_other_results(sentences, alone):
    shards = Shards(InProcess(), sentences, 2)
    larger = fit_shards(RoleNetwork(SMALL, passes=2), shards, round_size=200)
    assert bits(larger) != bits(alone)
    assert bits(learned(sentences, 2, random_state=1)) != bits(alone)


def test_counts_and_memory_are_those_of_the_whole_text(sentences, alone):
    """The naive mean, in float64, over every occurrence of a word."""
    network = alone.network_
    online = RoleNetwork(SMALL).partial_fit(sentences).network_
    assert {w: network.counts[r] for w, r in network.index.items()} == {
        w: online.counts[r] for w, r in online.index.items()
    }
    met = {}
    codes = network.codes("text").astype(float)
    assert (codes.argmax(axis=1) > 0).sum() > 20
    for sentence in sentences:
        rows = [network.index[word] for word in sentence]
        shortest = [min(network.timescales)]
        around = [naive_network.contexts(codes[rows], shortest, s) for s in range(2)]
        for row, context in zip(rows, np.hstack(around), strict=True):
            met.setdefault(row, []).append(context)
    layer = network.words[0]
    for row, found in met.items():
        assert layer.counts[row] == len(found)
        # Values are below one. Running means of float32 are rounded at every step, by 2**-24,
        # and what was there before counts ever less: a few roundings remain.
        np.testing.assert_allclose(
            layer.memory_weights.values[row], np.mean(found, axis=0), atol=16 * 2.0**-24
        )


def test_pieces_have_the_memory_that_rare_words_share(sentences):
    """Of n occurrences of a word its first ten count, as its mean context."""
    one, other = (learned(sentences, n, settings=["words.pieces=512"]) for n in (1, 5))
    assert bits(one) == bits(other)
    network = one.network_
    layer, spelling = network.words[0], network.spelling
    total, counts = np.zeros((513, len(layer.mean))), np.zeros(513)
    for word, row in network.index.items():
        n = min(network.counts[row], 10)
        rows = piece_rows([word], 512)[0]
        assert rows.tolist() == spelling.pieces[row].tolist()
        for piece in [*rows[rows >= 0], 512]:
            total[piece] += n * layer.memory_weights.values[row].astype(float)
            counts[piece] += n
    assert layer.piece_counts.tolist() == counts.tolist()
    wanted = total / np.maximum(counts, 1)[:, None]
    np.testing.assert_allclose(layer.piece_weights.values, wanted, atol=2e-5)


def test_a_weight_is_the_mean_over_the_blocks_that_moved_it():
    before = {"w": np.float32([[1, 1], [2, 2]]), "n": np.array([4, 4]), "waiting": None}
    found = [
        {"w": np.float32([[1, 1], [2, 2]]), "n": np.array([4, 6])},
        {"w": np.float32([[1, 3], [2, 2]]), "n": np.array([4, 8])},
        {"w": np.float32([[3, 1], [2, 2]]), "n": np.array([4, 4])},
    ]
    after = put_together(before, found)
    assert after["w"].tolist() == [[2, 2], [2, 2]]
    assert after["n"].tolist() == [4, 7]


@pytest.mark.parametrize(("n_common", "teach"), [(12, False), (11, True)])
def test_rare_words_teach_no_categories_where_there_are_others_enough(n_common, teach):
    """Four a category, of which there are three."""
    n = np.where(np.arange(30) < n_common, 50, 3)

    def visited(seed):
        layer = WordLayer("first", "text", size=3, n_directions=2)
        layer.connect(4, *decays([2.0]), np.random.default_rng(0))
        layer.grow(30)
        memory = layer.memory_weights.values
        memory[:] = np.random.default_rng(1).random(memory.shape)
        memory[n_common:] = np.random.default_rng(seed).random(memory[n_common:].shape)
        unspelled = Spelling(np.zeros((30, 0), np.float32), np.zeros((30, 0), np.int32), n)
        _visit(layer, np.arange(30), n, np.random.default_rng(2), unspelled)
        return layer

    one, other = visited(3), visited(4)
    assert (one.category_weights.values != other.category_weights.values).any() == teach
    assert (one.codes[n_common:] != other.codes[n_common:]).any(axis=1).all()
    assert one.counts.tolist() == n.tolist() and one.min_count == WordLayer.min_count


def test_a_network_in_shards_finds_roles_as_the_online_one_does(corpus):
    """Within two points of accuracy on dev, after the whole corpus, seeds 0 to 3: .939 and .936.

    After 1,200 sentences, shards are four points behind.
    """
    train, dev = corpus.splits["train"].sentences(), corpus.splits["dev"]
    roles = dev.layers[corpus.layer]

    def score(learner):
        ids = learner.predict(dev.sentences())
        return accuracy(roles, RoleReadout().fit(ids, roles).predict(ids))

    online, other = (RoleNetwork(n_clusters=120) for _ in range(2))
    in_shards = score(fit_shards(other, Shards(InProcess(), train, 3)))
    assert in_shards > score(online.fit(train)) - 0.02 > 0.9


def test_a_network_from_shards_is_saved_and_learns_on(sentences, alone, tmp_path):
    alone.save(tmp_path / "a.safetensors")
    again = RoleNetwork.load(tmp_path / "a.safetensors")
    assert bits(again) == bits(alone)
    before = again.predict(sentences[:20])
    again.partial_fit(sentences[:20])
    assert again.network_.tokens == alone.network_.tokens + sum(map(len, sentences[:20]))
    assert (alone.predict(sentences[:20]) == before).all()
    assert bits(again) != bits(alone)
    assert again.derive(sentences[:50]).predict(sentences[:5]).shape


def test_words_beyond_the_bound_share_the_row_of_the_unknown(sentences):
    few = {**SMALL, "max_words": 20}
    found = [
        fit_shards(RoleNetwork(few), Shards(InProcess(), sentences, n), round_size=100)
        for n in (1, 3)
    ]
    network = found[0].network_
    assert bits(found[0]) == bits(found[1])
    assert len(network.index) == 20 and network.counts[0] == 0
    assert not network.words[0].memory_weights.values[0].any()


def test_too_few_tokens_and_senseless_numbers_are_refused(sentences):
    for n_shards in (0, -1):
        with pytest.raises(BadInputError, match="shards"):
            Shards(InProcess(), sentences, n_shards)
    with pytest.raises(BadInputError, match="clusters for"):
        learned([["a", "b"]], 2)
    with pytest.raises(BadInputError, match="clusters for"):
        learned([], 2)
    with pytest.raises(BadInputError, match="round"):
        fit_shards(RoleNetwork(SMALL), Shards(InProcess(), sentences, 1), round_size=0)


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
    """One dies with all that it read, a second amid the rounds of the token layer."""
    died = []
    rounds = 0

    def say(line):
        if line == "memory of first":
            died.append(kill_one(client))

    class Counting(DaskWorkers):
        def value(self, held):
            nonlocal rounds
            rounds += "learn_tokens" in held.key
            if rounds == 5 and len(died) == 1:
                died.append(kill_one(client))
            return super().value(held)

    found = learned(sentences, 4, workers=Counting(client), say=say)
    assert len(set(died)) == 2 and rounds > 5
    assert bits(found) == bits(alone)


@pytest.mark.usefixtures("no_figures")
def test_a_run_on_an_existing_scheduler_is_the_same_for_any_number_of_shards(
    client, files, tmp_path, monkeypatch
):
    """With a rule of one's own, which workers must know as well."""
    monkeypatch.setattr(rules, "_registered", dict(rules._registered))
    (tmp_path / "net.toml").write_text(NETWORK)
    (tmp_path / "forget.py").write_text(EXAMPLE)
    address = client.scheduler_info()["address"]
    ran = [
        run_roles(
            corpus=str(files[0]), network=str(tmp_path / "net.toml"), scheduler=address, shards=n,
            rules=(tmp_path / "forget.py",), rule=("first.directions=forget",), clusters=4, seeds=1,
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
    monkeypatch.setattr("hebbsim.runs.workers.PATIENCE", (0.5, 1))
    for address in ("tcp://127.0.0.1:9", "nonsense", str(tmp_path / "none.json")):
        with pytest.raises(BadInputError, match="--scheduler"), open_dask(address):
            pass


def test_files_are_shared_by_size(tmp_path):
    files = [tmp_path / str(number) for number in range(4)]
    for file, size in zip(files, (1, 7, 3, 4), strict=True):
        file.write_bytes(bytes(size))
    assert share_files(files, 2) == [[0, 1], [2, 3]]  # 8 and 7 bytes
    assert share_files(files, 9) == [[1], [3], [2], [0]]
    assert share_files([], 4) == []
