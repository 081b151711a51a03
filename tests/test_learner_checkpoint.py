"""Learners in files: the same bits go on in a new process; nothing damaged is taken."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from hebbsim.engine.checkpoint import read_checkpoint, write_checkpoint
from hebbsim.errors import BadInputError
from hebbsim.models import HebbianRoleInducer, RolePopulation, checkpoint
from hebbsim.models.checkpoint import KIND, Stages, from_state, state_of
from hebbsim.readers.grammar import make_builtin

SMALL = {
    "n_clusters": 12, "n_categories": 10, "n_components": 8, "n_context_words": 60,
    "n_directions": 6, "epochs": 2,
}  # fmt: skip
MEMBERS = {name: value for name, value in SMALL.items() if name != "n_clusters"}
LEARNERS = {
    "inducer": lambda: HebbianRoleInducer(**SMALL),
    "endings": lambda: HebbianRoleInducer(**SMALL, ending_weight=1.0, timescales="2,8"),
    "own": lambda: HebbianRoleInducer(**SMALL, view="own"),
    "occurrences": lambda: HebbianRoleInducer(**SMALL, rare_from="occurrence"),
    "codes": lambda: HebbianRoleInducer(**SMALL, rare_by="code", ending_weight=1.0),
    "population": lambda: RolePopulation(2, n_clusters=12, options=MEMBERS),
}
corpus = make_builtin(n_train=150, n_dev=20, n_test=20, n_gen=0)
TRAIN = corpus.splits["train"].sentences()
MORE = [*corpus.splits["dev"].sentences(), ["the", "zorble", "zorbled"], ["Quux-7", "…"]]
every_learner = pytest.mark.parametrize("kind", LEARNERS)


def same(a, b):
    """Whether two learners hold the same bits."""
    (mine, about), (theirs, also) = state_of(a), state_of(b)
    return about == also and all(
        mine[k].dtype == theirs[k].dtype and mine[k].tobytes() == theirs[k].tobytes() for k in mine
    )


@every_learner
def test_a_learner_comes_back_bit_by_bit(kind, tmp_path):
    learner = LEARNERS[kind]().fit(TRAIN)
    learner.save(tmp_path / "l")
    again = type(learner).load(tmp_path / "l")
    assert same(learner, again)
    assert np.array_equal(learner.predict(MORE), again.predict(MORE))
    changes = {} if kind == "own" else {"timescales": (4,)}
    derived = [one.derive(TRAIN, **changes) for one in (learner, again)]
    assert same(*derived)


@pytest.mark.parametrize("kind", ["inducer", "population"])
def test_parameters_that_are_not_those_learned_with_are_refused(kind, tmp_path):
    """What is saved loads again; and nothing is computed half by one value, half by another."""
    learner = LEARNERS[kind]().fit(TRAIN)
    learner.set_params(n_clusters=5)
    uses = [lambda: learner.save(tmp_path / "l"), lambda: learner.predict(MORE),
            lambda: learner.derive(TRAIN)]  # fmt: skip
    if kind == "inducer":
        uses.append(lambda: learner.partial_fit(MORE))
    for use in uses:
        with pytest.raises(BadInputError, match=r"n_clusters was changed .* set .* back to 12"):
            use()
    assert not (tmp_path / "l").exists()
    learner.set_params(n_clusters=12).save(tmp_path / "l")
    assert same(learner, type(learner).load(tmp_path / "l"))
    learner.set_params(n_clusters=5).fit(TRAIN).save(tmp_path / "l")
    assert type(learner).load(tmp_path / "l").n_clusters == 5


def test_the_number_of_jobs_may_change(tmp_path):
    learner = LEARNERS["population"]().fit(TRAIN)
    learner.set_params(n_jobs=2).save(tmp_path / "l")
    assert RolePopulation.load(tmp_path / "l").n_jobs == 2


def test_words_and_numbers_of_numpy_are_saved_too(tmp_path):
    words = [[np.str_(word) for word in sentence] for sentence in TRAIN]
    parameters = {
        "n_clusters": np.int16(12), "rare": np.float16(5), "conscience": 3, "view": np.str_("both"),
        "max_types": np.uint32(9000), "timescales": np.array([2, 8]), "shuffle_traces": np.False_,
    }  # fmt: skip
    learner = HebbianRoleInducer(**{**SMALL, **parameters}).fit(words)
    learner.save(tmp_path / "l")
    again = HebbianRoleInducer.load(tmp_path / "l")
    assert np.array_equal(learner.predict(MORE), again.predict(MORE))
    assert np.array_equal(*(one.partial_fit(MORE).predict(MORE) for one in (learner, again)))


def test_not_yet_fitted_is_a_state_too(tmp_path):
    HebbianRoleInducer(**SMALL).save(tmp_path / "l")
    assert same(
        HebbianRoleInducer.load(tmp_path / "l").fit(TRAIN), LEARNERS["inducer"]().fit(TRAIN)
    )


def test_2n_is_n_a_new_process_and_n_more(tmp_path):
    stretches = [TRAIN[start : start + 30] for start in range(0, 150, 30)]
    whole = HebbianRoleInducer(**SMALL)
    for stretch in [*stretches, MORE]:
        whole.partial_fit(stretch)
    half = HebbianRoleInducer(**SMALL)
    for stretch in stretches[:3]:
        half.partial_fit(stretch)
    half.save(tmp_path / "half")
    (tmp_path / "rest.json").write_text(json.dumps([*stretches[3:], MORE]))
    program = (
        "import json, sys\nfrom hebbsim.models import HebbianRoleInducer\n"
        "learner = HebbianRoleInducer.load(sys.argv[1])\n"
        "for stretch in json.load(open(sys.argv[2])):\n    learner.partial_fit(stretch)\n"
        "learner.save(sys.argv[3])\n"
    )
    places = [str(tmp_path / name) for name in ("half", "rest.json", "whole")]
    subprocess.run([sys.executable, "-c", program, *places], check=True)
    assert same(HebbianRoleInducer.load(tmp_path / "whole"), whole)


class Killed(BaseException):
    pass


@every_learner
def test_fit_goes_on_after_any_stage(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(Stages.__init__, "__kwdefaults__", {"every": 0.0})
    whole = LEARNERS[kind]().fit(TRAIN, text=MORE)
    keep = Stages.keep
    cuts = 0
    while True:
        calls = []

        def killed(self, learner, done, calls=calls):
            keep(self, learner, done)
            calls.append(done)
            if len(calls) == 1:  # after one more stage than the last time
                raise Killed

        monkeypatch.setattr(Stages, "keep", killed)
        try:
            again = LEARNERS[kind]().fit(TRAIN, text=MORE, checkpoints=tmp_path / "c")
            break
        except Killed:
            cuts += 1
    n_stages = {"own": 6, "population": 16}.get(kind, 8)
    assert cuts == n_stages and calls == []
    assert same(whole, again)
    folders = {path.parent for path in (tmp_path / "c").rglob("*.safetensors")}
    assert all(len(list(folder.iterdir())) == 2 for folder in folders)


def test_states_of_other_sentences_or_parameters_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Stages.__init__, "__kwdefaults__", {"every": 0.0})
    HebbianRoleInducer(**SMALL).fit(TRAIN, text=MORE, checkpoints=tmp_path / "c")
    swapped = [[*MORE[0][::-1]], *MORE[1:]]
    for learner, sentences, text in [
        (HebbianRoleInducer(**SMALL), TRAIN[:-1], MORE),
        (HebbianRoleInducer(**SMALL), [TRAIN[1], TRAIN[0], *TRAIN[2:]], MORE),  # the same counts
        (HebbianRoleInducer(**SMALL), TRAIN, swapped),
        (HebbianRoleInducer(**SMALL), [*TRAIN, *MORE], None),
        (HebbianRoleInducer(**SMALL, random_state=1), TRAIN, MORE),
        (HebbianRoleInducer(**SMALL, timescales="2,9"), TRAIN, MORE),
    ]:
        with pytest.raises(BadInputError, match="another learner or of other sentences"):
            learner.fit(sentences, text=text, checkpoints=tmp_path / "c")
    HebbianRoleInducer(**SMALL, timescales=[2, 8, 32]).fit(TRAIN, checkpoints=tmp_path / "d")
    again = HebbianRoleInducer(**SMALL, timescales=(2, 8, 32))
    again.fit(TRAIN, checkpoints=tmp_path / "d")


def test_states_on_the_way_hold_nothing_of_an_earlier_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(Stages.__init__, "__kwdefaults__", {"every": 0.0})
    keep = Stages.keep

    def killed(self, learner, done):
        keep(self, learner, done)
        raise Killed

    learner = LEARNERS["inducer"]().fit(MORE * 5)
    with monkeypatch.context() as patch:
        patch.setattr(Stages, "keep", killed)
        with pytest.raises(Killed):
            learner.fit(TRAIN, checkpoints=tmp_path / "c")
    with pytest.raises(NotFittedError):  # it is neither the one nor the other
        learner.predict(TRAIN)
    again = LEARNERS["inducer"]().fit(TRAIN, checkpoints=tmp_path / "c")
    assert same(again, LEARNERS["inducer"]().fit(TRAIN))


def test_a_step_of_a_pipeline_leaves_checkpoints(tmp_path, monkeypatch):
    """scikit-learn puts objects of its own into the step while it is fitted."""
    monkeypatch.setattr(Stages.__init__, "__kwdefaults__", {"every": 0.0})
    pipeline = make_pipeline(HebbianRoleInducer(**SMALL))
    pipeline.fit(TRAIN, hebbianroleinducer__checkpoints=tmp_path / "c")
    pipeline[-1].save(tmp_path / "l")
    assert same(HebbianRoleInducer.load(tmp_path / "l"), LEARNERS["inducer"]().fit(TRAIN))


def test_arrays_and_objects_that_are_shared_stay_shared():
    def twin(learner):  # as from a file, where every array is one of its own
        arrays, document = state_of(learner)
        return from_state({name: array.copy() for name, array in arrays.items()}, document)

    again = twin(LEARNERS["endings"]().fit(TRAIN))
    assert again.types_.counts is again.vocabulary_.counts
    assert again.types_.endings.shapes is again.types_.shapes
    population = twin(LEARNERS["population"]().fit(TRAIN))
    assert population.members_[0].vocabulary_ is population.members_[1].vocabulary_


def test_random_states_go_on_and_spawn_as_they_would_have():
    learner = LEARNERS["inducer"]().fit(TRAIN)
    rng = learner.types_.rng
    rng.spawn(1)
    rng.integers(2**16, dtype=np.uint16)  # leaves half a word over
    twin = from_state(*state_of(learner)).types_.rng
    assert np.array_equal(rng.random(5), twin.random(5))
    draws = [one.integers(2**16, size=3, dtype=np.uint16).tolist() for one in (rng, twin)]
    assert draws[0] == draws[1]
    assert rng.spawn(1)[0].random() == twin.spawn(1)[0].random()


def test_what_no_checkpoint_can_hold_is_said_when_it_is_written():
    learner = HebbianRoleInducer()
    for value in (object(), np.array(["a"]), np.random.Generator(np.random.MT19937(0)), Killed,
                  np.datetime64("2000-01-01"), np.zeros(2, dtype=np.float16)):  # fmt: skip
        learner.extra = value
        with pytest.raises(TypeError, match="cannot hold"):
            state_of(learner)


def test_a_learner_of_another_kind_is_refused(tmp_path):
    HebbianRoleInducer(**SMALL).save(tmp_path / "l")
    with pytest.raises(BadInputError, match="holds a HebbianRoleInducer, not a RolePopulation"):
        RolePopulation.load(tmp_path / "l")


# --- what was tampered with, its digest made right again -----------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("learner") / "l"
    HebbianRoleInducer(**SMALL, ending_weight=1.0).fit(TRAIN[:60]).save(path)
    return read_checkpoint(path, KIND)


def refuses(arrays, document, tmp_path):
    """A file of these is refused in one line, or holds a learner that predicts."""
    write_checkpoint(tmp_path / "l", KIND, arrays, document)
    try:
        learner = HebbianRoleInducer.load(tmp_path / "l")
    except BadInputError as error:
        assert "\n" not in str(error) and str(tmp_path / "l") in str(error)
        return True
    learner.predict(TRAIN[:3])
    return False


def test_every_array_must_have_its_shape_and_type(whole, tmp_path):
    arrays, document = whole
    unchecked = []
    for name, array in arrays.items():
        bad = [
            {k: v for k, v in arrays.items() if k != name},
            {**arrays, name: array[:0] if array.ndim else array[None]},
            {**arrays, name: np.zeros((2, *array.shape, 3), dtype=array.dtype)},
        ]
        if array.dtype == np.float32:
            bad.append({**arrays, name: array.astype(np.float64)})
        unchecked += [name for changed in bad if not refuses(changed, document, tmp_path)]
    # Those that no kernel reads: weights by which words are drawn, and what is attended to.
    assert len(set(unchecked)) <= len(arrays) // 4


def with_(thing, **changes):
    """An object of a document with other attributes."""
    return {**thing, "state": {**thing["state"], **changes}}


def test_populations_that_could_not_predict_are_refused(tmp_path):
    population = LEARNERS["population"]().fit(TRAIN)
    arrays, document = state_of(population)
    state = document["learner"]["state"]
    first, second = state["members_"]["list"]
    unfitted = {k: v for k, v in second["state"].items() if k != "prototypes_"}
    for changes in (
        {"members_": {"list": []}},
        {"members_": {"list": [first]}},
        {"members_": {"list": [first, {**second, "state": unfitted}]}},
        {"members_": {"list": [first, "x"]}},
        {"n_jobs": "many"},
        {"n_clusters": 5},
        {"random_state": "x"},
        {"options": {"list": []}, "n_members": -1},
    ):
        bad = {"learner": with_(document["learner"], **changes)}
        write_checkpoint(tmp_path / "l", KIND, arrays, bad)
        with pytest.raises(BadInputError, match="damaged") as caught:
            RolePopulation.load(tmp_path / "l")
        assert "\n" not in str(caught.value)


def test_documents_that_are_no_learner_are_refused(whole, tmp_path):
    arrays, document = whole
    learner = document["learner"]
    state = learner["state"]
    prototypes, types = state["prototypes_"], state["types_"]
    without = {k: v for k, v in state.items() if k != "_rng"}
    for bad in [
        {"learner": {**learner, "state": without}},
        {"learner": {**learner, "state": {**state, "_rng": None}}},
        {"learner": {**learner, "state": {**state, "n_tokens_seen_": None}}},
        {"learner": {**learner, "state": {**state, "epochs": 10**400}}},
        {"learner": {**learner, "state": {**state, "n_directions": 7}}},  # not those learned with
        {"learner": {**learner, "state": {**state, "prototypes_": with_(prototypes, memory="")}}},
        {"learner": {**learner, "state": {**state, "prototypes_": with_(prototypes, wins=None)}}},
        {"learner": {**learner, "state": {**state, "types_": with_(types, min_count="")}}},
        {"learner": {**learner, "state": {**state, "types_": with_(types, rng="x")}}},
        {"learner": {**learner, "state": {**state, "types_": with_(types, contexts=0)}}},
        {},
        {"learner": None},
        {"learner": []},
        {"learner": {"object": "int", "number": 0, "state": {}}},
        {"learner": {"object": "Components", "number": 0, "state": {}}},
        {"learner": {**learner, "state": {**state, "fit": 1}}},
        {"learner": {**learner, "state": {**state, "__class__": 1}}},
        {"learner": {**learner, "state": {**state, "n_clusters": "many"}}},
        {"learner": {**learner, "state": {**state, "n_clusters": 13}}},
        {"learner": {**learner, "state": {**state, "types_": {"same": 0}}}},
        {"learner": {**learner, "state": {**state, "vocabulary_": {"eval": "1"}}}},
    ]:  # fmt: skip
        assert refuses(arrays, bad, tmp_path), bad
    deep = "x"
    for _ in range(400):
        deep = {"list": [deep]}
    refuses(arrays, {"learner": {**learner, "state": {**state, "extra": deep}}}, tmp_path)


def test_what_kernels_would_read_beyond_is_refused(whole, tmp_path):
    """Found by the fuzzer: a crash of the process, as kernels look at no bounds."""
    arrays, document = whole
    types = document["learner"]["state"]["types_"]["state"]
    short = arrays[types["context_codes"]["array"]][:1]
    without = {name: value for name, value in types.items() if name != "counts"}
    bad = copy.deepcopy(document)
    bad["learner"]["state"]["types_"]["state"] = without
    changed = {**arrays, types["context_codes"]["array"]: short}
    assert refuses(changed, bad, tmp_path)
    length = document["learner"]["state"]["_own_length"]["scalar"]
    assert refuses({**arrays, length: np.ones((3, 1), dtype=np.float32)}, document, tmp_path)
    squares = document["learner"]["state"]["prototypes_"]["state"]["squares"]["array"]
    assert refuses({**arrays, squares: arrays[squares][:1]}, document, tmp_path)


def test_parts_are_checked_before_what_uses_them(whole, monkeypatch):
    order = []
    for name, check in checkpoint._CHECKS.items():

        def noted(it, name=name, check=check):
            order.append(name)
            check(it)

        monkeypatch.setitem(checkpoint._CHECKS, name, noted)
    from_state(*whole)
    assert order[-1] == "HebbianRoleInducer"
    assert max(order.index("Components"), order.index("Prototypes")) < order.index("TypeCodes")


def test_only_classes_of_the_package_are_built():
    known = checkpoint._classes()
    assert {"HebbianRoleInducer", "TypeCodes", "Vocabulary"} <= set(known)
    assert all(cls.__module__.startswith("hebbsim.models.") for cls in known.values())


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bits_that_flip_in_a_file_are_noticed(whole, tmp_path, data):
    arrays, document = whole
    path = tmp_path / "l"
    write_checkpoint(path, KIND, arrays, document)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        learner = HebbianRoleInducer.load(path)
    except BadInputError as error:
        assert "\n" not in str(error)
    else:  # white space between two words of the header
        assert same(learner, from_state(*whole))
