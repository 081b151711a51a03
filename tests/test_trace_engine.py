"""TraceEngine: one arithmetic for step and run, state that resumes, divergence located."""

import contextlib
import copy
import itertools
import json
import os
import pickle
import tracemalloc

import hypothesis.strategies as st
import naive
import numpy as np
import pytest
from hypothesis import given, settings

from hebbsim.engine import TraceEngine, get_rule
from hebbsim.engine.checkpoint import read_checkpoint, write_checkpoint
from hebbsim.engine.rules import builtin_names
from hebbsim.errors import BadInputError, DivergenceError, DivergenceWarning
from hebbsim.readers import load_corpus

VARIANTS = [(name, post) for name in builtin_names() for post in get_rule(name).posts]
IN_BLOCKS = [name for name in builtin_names() if get_rule(name).learn_blocks]
each_variant = pytest.mark.parametrize(("rule", "post"), VARIANTS)

N_TYPES = 9


def build(rule="delta", **options):
    options = {"dim": 5, "timescales": (1, 2, 8), "eta": 0.02, "random_state": 1, **options}
    return TraceEngine(N_TYPES, rule=rule, **options)


def text(n_tokens=80, seed=0):
    """Tokens, and bounds of sentences of 1 to 12 of them."""
    rng = np.random.default_rng(seed)
    bounds = np.concatenate([[0], np.cumsum(rng.integers(1, 13, n_tokens))])
    return rng.integers(0, N_TYPES, n_tokens), np.append(bounds[bounds < n_tokens], n_tokens)


def same_state(one, other):
    """Whether configuration and state of two engines are equal bit by bit."""
    mine, theirs = one.state(), other.state()
    return one.config() == other.config() and all(
        mine[name].tobytes() == theirs[name].tobytes() for name in mine
    )


def run_in_pieces(engine, tokens, offsets, cuts):
    outs = []
    for a, b in itertools.pairwise(cuts):
        inside = offsets[(offsets >= a) & (offsets <= b)] - a
        outs.append(np.empty((b - a, engine.n_units), dtype=np.float32))
        engine.run(tokens[a:b], inside, out=outs[-1])
    return np.concatenate([*outs, np.empty((0, engine.n_units), np.float32)])


# One arithmetic ----------------------------------------------------------------------------


@pytest.mark.parametrize("startup", ["zero", "first", "debias"])
@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize(("rule", "post"), [v for v in VARIANTS if v[0] in naive.RULES])
def test_run_equals_its_oracle(rule, post, reset, startup):
    engine = build(rule, post=post, reset=reset, startup=startup)
    before = engine.state()
    tokens, offsets = text(40)
    out = np.empty((40, engine.n_units), dtype=np.float32)
    engine.run(tokens, offsets, out=out)
    event = before["embedding"][tokens]
    context = naive.traces(
        event, offsets if reset else None, (1, 2, 8), startup=startup, include_current=False
    )
    weights, state, activity = naive.learn(
        rule, before["weights"], before["rule_state"], context.reshape(40, -1), event,
        post == "token", 0.02, engine.parameters,
    )  # fmt: skip
    np.testing.assert_allclose(engine.weights, weights, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(engine.rule_state, state, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(out, activity, rtol=1e-3, atol=1e-5)


@each_variant
def test_step_and_run_are_bit_identical(rule, post):
    tokens, offsets = text()
    by_run, by_step = (build(rule, post=post, in_order=True) for _ in range(2))
    out = np.empty((len(tokens), by_run.n_units), dtype=np.float32)
    by_run.run(tokens, offsets, out=out)
    for t, token in enumerate(tokens):
        if t in offsets:
            by_step.end_sentence()
        assert by_step.step(token).tobytes() == out[t].tobytes()
    by_step.end_sentence()
    assert same_state(by_step, by_run)


@settings(max_examples=40)
@given(st.data())
def test_results_do_not_depend_on_how_a_stream_is_cut(data):
    rule, post = data.draw(st.sampled_from(VARIANTS))
    n = data.draw(st.integers(0, 40))
    cuts = sorted({0, n, *data.draw(st.lists(st.integers(0, n), max_size=6))})
    tokens = np.array(data.draw(st.lists(st.integers(0, 8), min_size=n, max_size=n)), dtype=int)
    offsets = np.array(sorted(data.draw(st.lists(st.integers(0, n), max_size=5))), dtype=int)
    options = {
        "post": post,
        "reset": data.draw(st.booleans()),
        "startup": data.draw(st.sampled_from(["zero", "first", "debias"])),
        "in_order": True,
    }
    whole, pieces = build(rule, **options), build(rule, **options)
    out = run_in_pieces(whole, tokens, offsets, [0, n])
    assert run_in_pieces(pieces, tokens, offsets, cuts).tobytes() == out.tobytes()
    assert same_state(pieces, whole)


@pytest.mark.parametrize("rule", ["oja", "delta"])
def test_results_do_not_depend_on_the_chunk_inside(rule):
    # More tokens than a chunk holds, at odd sizes that leave a tail in every loop.
    tokens, offsets = text(1500)
    n_units = 13 if rule == "oja" else None
    whole, pieces = (
        build(rule, dim=37, n_units=n_units, eta=0.001, in_order=True) for _ in range(2)
    )
    assert len(whole._rows) < 1500
    whole.run(tokens, offsets)
    run_in_pieces(pieces, tokens, offsets, [0, 1, 2, 700, 703, 1500])
    assert same_state(pieces, whole)


@pytest.mark.parametrize("rule", IN_BLOCKS)
def test_blocks_of_tokens_equal_the_order_to_rounding(rule):
    tokens, offsets = text(1500)
    tied = get_rule(rule).tied(get_rule(rule).posts[0])
    options = {"rule": rule, "dim": 37, "n_units": None if tied else 13, "eta": 0.01}
    by_token = build(**options, in_order=True)
    expected = run_in_pieces(by_token, tokens, offsets, [0, 1500])
    for cuts in ([0, 1500], [0, 1, 2, 700, 703, 1500]):
        engine = build(**options)
        found = run_in_pieces(engine, tokens, offsets, cuts)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(engine.weights, by_token.weights, rtol=1e-4, atol=1e-5)
        # The traces are the same bits in any order.
        assert engine.traces.tobytes() == by_token.traces.tobytes()


def test_steps_are_taken_in_order():
    tokens, _ = text()
    blocks, in_order = build("delta"), build("delta", in_order=True)
    for token in tokens:
        assert blocks.step(token).tobytes() == in_order.step(token).tobytes()
    assert blocks.weights.tobytes() == in_order.weights.tobytes()


def test_memory_does_not_grow_with_the_text():
    engine = build("delta", dim=64).run(np.zeros(10, dtype=np.int32))  # compiled
    tokens = np.zeros(200_000, dtype=np.int32)
    tracemalloc.start()
    engine.run(tokens)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * len(tokens)  # traces would take 768 bytes a token


@pytest.mark.parametrize("rule", builtin_names())
def test_weights_learn_and_only_with_eta(rule):
    tokens, offsets = text()
    still, moved = build(rule, eta=0), build(rule)
    before = still.weights.tobytes()
    assert moved.weights.tobytes() == before
    still.run(tokens, offsets)
    moved.run(tokens, offsets)
    assert still.weights.tobytes() == before
    assert moved.weights.tobytes() != before
    assert still.position == moved.position == len(tokens)


def test_the_context_does_not_hold_the_token_itself():
    # One token alone has no context, so nothing can be learned from it.
    engine = build("delta")
    engine.run([3], [0, 1])
    engine.run([3], [0, 1])
    assert not engine.weights.any()
    engine.run([3, 4], [0, 2])
    assert engine.weights.any()


def test_delta_learns_what_follows_what():
    engine = TraceEngine(3, embedding=np.eye(3), timescales=[1], rule="delta", eta=0.5)
    engine.run(np.tile([0, 1, 2], 40))
    # Column: the token before; row: the token predicted.
    np.testing.assert_allclose(engine.weights, np.eye(3)[[2, 0, 1]], atol=1e-5)


def test_sentence_ends_start_traces_anew_unless_they_run_on():
    for reset in (True, False):
        cut, whole = build(reset=reset), build(reset=reset)
        cut.run([1, 2], [0, 2]).run([3, 4], [0, 2])
        whole.run([1, 2, 3, 4])
        assert (cut.weights.tobytes() == whole.weights.tobytes()) is not reset
        assert cut.traces.any() is np.bool_(not reset)


def test_empty_run_changes_nothing():
    engine = build()
    before = build()
    assert engine.run([]) is engine
    engine.run([], [0])
    engine.run(np.empty(0, dtype=np.int64), [0, 0, 0])
    assert same_state(engine, before)


# Seeds and state ---------------------------------------------------------------------------


def test_seeds():
    assert same_state(build("oja", random_state=4), build("oja", random_state=4))
    a, b = build("oja", random_state=4), build("oja", random_state=5)
    assert a.weights.tobytes() != b.weights.tobytes()
    assert a.embedding.tobytes() != b.embedding.tobytes()


@each_variant
def test_a_saved_engine_goes_on_as_if_it_had_never_stopped(rule, post, tmp_path):
    tokens, offsets = text()
    options = {"post": post, "startup": "debias", "eta": 0.01, "in_order": True}
    whole = build(rule, **options).run(tokens, offsets)
    first = build(rule, **options)
    inside = offsets[np.searchsorted(offsets, 33)] - 1  # in the middle of a sentence
    assert inside not in offsets
    run_in_pieces(first, tokens[:inside], offsets[offsets < inside], [0, inside])
    first.rng.random(3)
    first.save(tmp_path / "engine.safetensors")
    second = TraceEngine.load(tmp_path / "engine.safetensors")
    assert same_state(second, first)
    assert second.rng.random() == first.rng.random()
    second.run(tokens[inside:], offsets[offsets >= inside] - inside)
    for name in ("weights", "rule_state", "traces", "position"):
        assert second.state()[name].tobytes() == whole.state()[name].tobytes()


def test_state_is_a_copy_and_restores():
    tokens, _ = text()
    engine = build("bcm").run(tokens[:30])
    kept = engine.state()
    engine.run(tokens[30:])
    engine.rng.random()
    later = engine.state()
    assert kept["weights"].tobytes() != later["weights"].tobytes()
    engine.restore(kept)
    engine.run(tokens[30:])
    engine.rng.random()
    assert {k: v.tobytes() for k, v in engine.state().items()} == {
        k: v.tobytes() for k, v in later.items()
    }


def test_an_engine_of_another_seed_takes_on_a_state():
    a, b = build("oja", random_state=1).run([1, 2, 3]), build("oja", random_state=2)
    b.restore(a.state())
    assert same_state(b, a)


@pytest.mark.parametrize(
    "change",
    [
        lambda engine: engine.weights.__setitem__((0, 0), 9),
        lambda engine: engine.traces.__setitem__((0, 0), 9),
        lambda engine: engine.embedding.__setitem__((0, 0), 9),
        lambda engine: engine.rule_state.__setitem__(0, 9),
        lambda engine: engine._seen.__setitem__(0, 9),
        lambda engine: engine._mass.__setitem__(0, 9),
        lambda engine: engine.rng.random(),
        lambda engine: setattr(engine, "eta", 0.5),
        lambda engine: setattr(engine, "position", 5),
    ],
)
def test_same_state_sees_every_difference(change):
    a, b = build("bcm"), build("bcm")
    assert same_state(a, b)
    change(b)
    assert not same_state(a, b)


def test_restore_refuses_what_does_not_fit():
    engine, good = build(), build().state()
    for bad, words in [
        ({k: v for k, v in good.items() if k != "mass"}, "lacks mass"),
        ({**good, "weights": good["weights"][:2]}, "weights in the state is float32 of shape"),
        ({**good, "weights": np.float64(good["weights"])}, "weights in the state is float64"),
        ({**good, "traces": good["traces"] + np.float32("nan")}, "traces in the state holds NaN"),
    ]:
        with pytest.raises(BadInputError, match=words):
            engine.restore(bad)
    assert same_state(engine, build())


def test_unusable_checkpoints_are_refused_in_one_line(tmp_path):
    path = tmp_path / "engine.safetensors"
    engine = build()
    engine.save(path)
    content = path.read_bytes()
    arrays, config = read_checkpoint(path, "hebbsim.trace-engine/2")

    def refuses(words):
        with pytest.raises(BadInputError, match=words) as caught:
            TraceEngine.load(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    path.write_bytes(content[: len(content) // 2])
    refuses("cannot read")
    path.write_bytes(b"not safetensors at all")
    refuses("cannot read")
    path.unlink()
    refuses("cannot read")
    write_checkpoint(path, "something/1", arrays, config)
    refuses("holds something/1")
    write_checkpoint(path, "hebbsim.trace-engine/2", arrays, {**config, "rule": "no rule"})
    refuses("damaged")
    write_checkpoint(path, "hebbsim.trace-engine/2", arrays, {**config, "speed": 1})
    refuses("damaged")
    write_checkpoint(path, "hebbsim.trace-engine/2", arrays, {})
    refuses("damaged")
    write_checkpoint(
        path, "hebbsim.trace-engine/2", {k: v for k, v in arrays.items() if k != "seen"}, config
    )
    refuses("lacks seen")


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "engine.safetensors"
    build().save(path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(BadInputError, match="No space left on device"):
        build().run([1, 2, 3]).save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]
    monkeypatch.undo()
    with pytest.raises(BadInputError, match="cannot write checkpoint"):
        build().save(path / "below a file")


def test_config_is_json_and_rebuilds():
    engine = build("competitive", n_units=3, parameters={"rate": 0.5}, timescales="2,9.5")
    again = TraceEngine(**json.loads(json.dumps(engine.config())), embedding=engine.embedding)
    assert again.config() == engine.config()
    assert again.parameters == {"conscience": 10.0, "rate": 0.5}


# Watching ----------------------------------------------------------------------------------


def test_recorders_see_the_same_however_the_stream_is_cut():
    tokens, offsets = text(50)
    recorded = []
    for cuts in ([0, 50], list(range(51)), [0, 6, 7, 33, 50]):
        engine = build("oja", n_units=6)
        recorders = [
            engine.record("weights", every=7, units=[4, 0]),
            engine.record("traces", every=5, units=[2]),
            engine.record("post", every=1),
        ]
        out = run_in_pieces(engine, tokens, offsets, cuts)
        recorded.append([(r.positions.tolist(), r.values.tobytes()) for r in recorders])
        weights, traces, post = recorders
        assert weights.positions.tolist() == list(range(7, 51, 7))
        assert weights.values.shape == (7, 2, 15)
        assert traces.values.shape == (10, 3, 1)
        assert post.values.tobytes() == out.tobytes()
    assert recorded[0] == recorded[1] == recorded[2]


def test_recording_changes_nothing_and_keeps_what_was_there():
    tokens, offsets = text(50)
    plain, watched = build(), build()
    weights = watched.record("weights", every=20, units=[1])
    plain.run(tokens, offsets)
    watched.run(tokens, offsets)
    assert same_state(watched, plain)
    again = build().run(tokens[:20], offsets[offsets < 20])
    assert weights.values[0].tobytes() == again.weights[[1]].tobytes()
    assert build().record("traces", every=3).values.shape == (0, 3, 5)


def test_recorders_see_the_same_without_out():
    tokens, offsets = text(1300)
    kept = []
    for out in (None, np.empty((1300, 5), dtype=np.float32)):
        engine = build("oja")  # 15 inputs: chunks of 1024
        recorder = engine.record("post", every=130)
        engine.run(tokens, offsets, out=out)
        kept.append(recorder.values)
    assert kept[0].tobytes() == kept[1].tobytes() == out[129::130].tobytes()


@pytest.mark.parametrize(
    ("variable", "options", "words"),
    [
        ("errors", {}, "cannot record 'errors'"),
        ("weights", {"every": 0}, "every=0"),
        ("weights", {"every": 1.5}, "every=1.5"),
        ("weights", {"units": [5]}, "lie in 0..4"),
        ("post", {"units": [-1]}, "lie in 0..4"),
        ("post", {"units": [0.5]}, "row of integers"),
    ],
)
def test_unusable_recorders_are_refused(variable, options, words):
    with pytest.raises(BadInputError, match=words):
        build().record(variable, **options)


def test_progress_tells_seconds_and_share():
    tokens, _ = text(3000)
    reports = []
    engine = build(dim=50, timescales=(2, 8))
    engine.run(tokens, progress=lambda *report: reports.append(report), period=0)
    elapsed, fractions = zip(*reports, strict=True)
    assert list(fractions) == [1024 / 3000, 2048 / 3000, 1.0]
    assert list(elapsed) == sorted(elapsed) and elapsed[0] > 0
    reports.clear()
    engine.run(tokens, progress=lambda *report: reports.append(report), period=1e9)
    assert [fraction for _, fraction in reports] == [1.0]


# Rates -------------------------------------------------------------------------------------


def zipf_text(n_tokens=20_000):
    """Types as skewed as words are, in sentences of 20."""
    tokens = np.random.default_rng(0).zipf(1.3, 4 * n_tokens) - 1
    return tokens[tokens < 2000][:n_tokens], np.arange(0, n_tokens + 1, 20)


def longest_unit(engine):
    return float(np.linalg.norm(engine.weights.astype(np.float64), axis=1).max())


@each_variant
def test_weights_stay_about_as_large_as_they_start_at_the_default_rate(rule, post):
    tokens, offsets = zipf_text()
    engine = TraceEngine(2000, dim=32, timescales=(2, 8), rule=rule, post=post)
    assert engine.eta == get_rule(rule).eta
    weights, start = engine.weights.copy(), longest_unit(engine)
    longest = longest_unit(engine.run(tokens, offsets))
    assert longest < 1.5 * max(start, 1), f"lower the default eta of rule {rule}"
    assert (engine.weights != weights).any()


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("rule", builtin_names())
def test_a_treebank_is_learned_at_the_default_rate(rule):
    if not os.environ.get("HEBBSIM_DATA_DIR"):
        pytest.skip("needs ud-english-ewt")
    train = load_corpus("ud-english-ewt", offline=True).splits["train"]
    words, ids = np.unique(train.forms, return_inverse=True)
    engine = TraceEngine(len(words), rule=rule)
    assert longest_unit(engine.run(ids, train.offsets)) < 2.5


@pytest.mark.parametrize("rule", ["hebb", "covariance"])
def test_weights_that_grow_are_warned_of_before_they_are_infinite(rule):
    tokens, offsets = zipf_text(60_000)
    engine = TraceEngine(2000, dim=32, timescales=(2, 8), rule=rule, eta=0.05)
    with pytest.warns(DivergenceWarning) as caught, contextlib.suppress(DivergenceError):
        engine.run(tokens, offsets)
    (warning,) = caught
    message = str(warning.message)
    assert f"rule {rule}: weights have grown to" in message and "eta=0.05; lower eta" in message
    assert warning.filename == __file__ and "\n" not in message
    position = int(message.split(" at token ")[1].split()[0])
    twin = TraceEngine(2000, dim=32, timescales=(2, 8), rule=rule, eta=0.05)
    with pytest.warns(DivergenceWarning):
        twin.run(tokens[:position], offsets[offsets <= position])
    assert twin.position == position and np.isfinite(twin.weights).all()
    assert 1e6 < np.abs(twin.weights).max() < 1e30


# Divergence --------------------------------------------------------------------------------


def first_bad_token(options, tokens):
    """The token that makes the weights non-finite, found without the engine's own check."""
    engine = build(**options)
    engine._is_finite = lambda: True
    for position, token in enumerate(tokens):
        before = engine.state()
        engine.step(token)
        if not np.isfinite(engine.weights).all():
            return position, before
    raise AssertionError("did not diverge")


may_be_warned = pytest.mark.filterwarnings("ignore::hebbsim.errors.DivergenceWarning")


@may_be_warned
@pytest.mark.parametrize("rule", ["hebb", "delta", "bcm"])
def test_divergence_names_rule_token_and_rate(rule):
    tokens = np.random.default_rng(0).integers(0, N_TYPES, 400)
    options = {"rule": rule, "eta": 30.0, "random_state": 2, "in_order": True}
    position, before = first_bad_token(options, tokens)
    assert position > 3
    for cuts in ([0, 400], [0, position, 400], [0, position - 1, position + 1, 400]):
        engine = build(**options)
        with pytest.raises(DivergenceError) as caught:
            run_in_pieces(engine, tokens, np.array([0]), cuts)
        message = str(caught.value)
        assert f"rule {rule} diverged at token {position}:" in message
        assert "eta=30" in message
        assert "\n" not in message
        # The engine stands as it was before that token.
        assert engine.position == position
        for name, array in engine.state().items():
            assert array.tobytes() == before[name].tobytes(), name
        with pytest.raises(DivergenceError, match=f"at token {position}:"):
            engine.step(tokens[position])


@may_be_warned
@pytest.mark.parametrize("rule", ["delta", "hebb"])
def test_divergence_in_blocks_names_the_token_too(rule):
    tokens = np.random.default_rng(0).integers(0, N_TYPES, 400)
    options = {"rule": rule, "eta": 30.0, "random_state": 2}
    position, _ = first_bad_token({**options, "in_order": True}, tokens)
    for start in (0, 1, position - 2, position):
        engine = build(**options).run(tokens[:start])
        with pytest.raises(DivergenceError, match=f"diverged at token {position}:"):
            engine.run(tokens[start:])
        assert engine.position == position
        assert np.isfinite(engine.weights).all()


def test_overflow_of_blocks_alone_is_no_divergence(monkeypatch):
    tokens, offsets = text()
    engine, expected = build("delta"), build("delta", in_order=True).run(tokens, offsets)
    verdicts = iter([False])
    monkeypatch.setattr(engine, "_is_finite", lambda: next(verdicts, True))
    out = run_in_pieces(engine, tokens, offsets, [0, len(tokens)])
    assert engine.weights.tobytes() == expected.weights.tobytes()
    assert engine.position == len(tokens)
    assert np.isfinite(out).all()


def test_an_engine_that_diverged_goes_on_with_a_lower_rate():
    tokens = np.random.default_rng(0).integers(0, N_TYPES, 400)
    engine = build("delta", eta=30.0)
    with pytest.raises(DivergenceError):
        engine.run(tokens)
    engine.weights[:] = 0
    engine.eta = 0.01
    engine.run(tokens[engine.position :])
    assert engine.position == 400


# Files that cannot be used -----------------------------------------------------------------


def test_a_checkpoint_of_a_rule_that_is_not_here_says_so(tmp_path):
    engine = build("oja")
    write_checkpoint(
        tmp_path / "e",
        "hebbsim.trace-engine/2",
        engine.state(),
        {**engine.config(), "rule": "mine"},
    )
    with pytest.raises(BadInputError) as caught:
        TraceEngine.load(tmp_path / "e")
    message = str(caught.value)
    assert f"{tmp_path / 'e'} was learned by rule 'mine', which is not registered" in message
    assert "--rules FILE.py" in message and "damaged" not in message


# What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rule": "oya"}, "did you mean oja"),
        ({"timescales": [2, 0.5]}, "timescale 0.5 is below 1"),
        ({"dim": 0}, "dim is 0"),
        ({"n_units": 0, "rule": "oja"}, "n_units is 0"),
        ({"n_units": 4}, "one unit per dimension of the token's vector, 5, not 4"),
        ({"n_units": 4, "rule": "hebb", "post": "token"}, "hebb with post='token' has one unit"),
        ({"post": "token"}, "rule delta cannot take post='token': choose output"),
        ({"eta": -0.1}, "eta is -0.1"),
        ({"eta": float("nan")}, "eta is nan"),
        ({"eta": "fast"}, "eta is 'fast'"),
        ({"startup": "cold"}, "start-up 'cold'"),
        ({"random_state": -1}, "random_state is -1"),
        ({"random_state": None}, "random_state is None"),
        ({"parameters": {"rate": 1}}, "no parameter 'rate'"),
        ({"embedding": np.full((9, 2), np.nan)}, "input vector 0 holds NaN"),
        ({"embedding": np.zeros((8, 2))}, "embedding has 8 rows for 9 types"),
    ],
)
def test_unusable_arguments_are_refused(options, words):
    with pytest.raises(BadInputError, match=words) as caught:
        build(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0, 9],), "token 9 at position 1 is outside 0..8"),
        (([-1],), "token -1 at position 0"),
        (([0.5],), "integer ids"),
        (([[0], [1, 2]],), "one row of ids, not rows of different length"),
        (([0, 1], [0, 3]), "ascend within 0..2"),
        (([0, 1], [2, 0]), "ascend within 0..2"),
    ],
)
def test_unusable_tokens_are_refused_before_anything_changes(arguments, words):
    engine = build()
    with pytest.raises(BadInputError, match=words):
        engine.run(*arguments)
    with pytest.raises(BadInputError, match="contiguous float32"):
        engine.run([0, 1], out=np.empty((2, 5)))
    assert same_state(engine, build())


@pytest.mark.parametrize("rule", builtin_names())
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_a_copy_of_an_engine_learns_on_as_it_does(rule, copied):
    tokens = np.random.default_rng(0).integers(9, size=60)
    engine = TraceEngine(9, dim=4, rule=rule).run(tokens[:30])
    other = copied(engine)
    assert other.rule is engine.rule
    assert same_state(engine.run(tokens[30:]), other.run(tokens[30:]))


def test_the_embedding_given_is_left_alone():
    codes = np.eye(9, dtype=np.float32)
    codes.flags.writeable = False  # as a memory map would be
    engine = TraceEngine(9, embedding=codes, rule="stdp", timescales=[2])
    engine.run([1, 2, 3])
    assert not np.shares_memory(engine.embedding, codes)
