"""Training of language models: what it learns, and what survives an interruption."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hebbsim.engine import checkpoint as checkpoint_module  # noqa: E402
from hebbsim.errors import BadInputError, DivergenceError  # noqa: E402
from hebbsim.experiments.language_models.config import NAMES, model_values  # noqa: E402
from hebbsim.lm.blimp import log_probabilities  # noqa: E402
from hebbsim.lm.config import ModelConfig, TrainingConfig  # noqa: E402
from hebbsim.lm.evaluation import readability, token_losses  # noqa: E402
from hebbsim.lm.model import LanguageModel  # noqa: E402
from hebbsim.lm.packed import Tokens  # noqa: E402
from hebbsim.lm.recall import Copying, Recall, accuracy  # noqa: E402
from hebbsim.lm.training import Member, train, validation_losses  # noqa: E402

VALUES = {
    "vocabulary": 12, "context": 16, "dim": 16, "heads": 2, "layers": 1, "hidden": 32,
}  # fmt: skip
TRAINING = TrainingConfig(
    tokens=3200, batch=4, learning_rate=0.02, evaluations=3, checkpoint_every=1e9
)


@pytest.fixture
def text(tmp_path):
    """Documents that count up: token 0, then 1 to 11 over and over."""
    values = np.concatenate([[0, *(1 + np.arange(n) % 11)] for n in (30, 45, 61) * 9])
    path = tmp_path / "train.bin"
    values.astype("<u2").tofile(path)
    return Tokens(path, 16, 0)


def weights(model):
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def member(text, training=TRAINING, seed=0, **options):
    return Member(training, text, text, seed, **options)


def run(text, config=None, report=lambda *step: None, stop_after=None, **options):
    members = [member(text, **options)]
    config = config or ModelConfig(**VALUES)
    return train(config, members, report=report, stop_after=stop_after)[0]


@pytest.mark.parametrize("name", ["ema", "gpt2"])
def test_a_model_learns_to_count(text, name):
    config = ModelConfig(**VALUES | model_values(name))
    trained = run(text, config=config, training=TRAINING.model_copy(update={"tokens": 12_800}))
    # Mid-document rows aside, all but the end of a document is certain.
    assert trained.curve[0][1] > 1.5 and trained.curve[-1][1] < 0.7
    assert trained.curve[-1][0] == 12_800
    assert trained.tokens_per_second > 0 and trained.utilisation > 0


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("stop", [1, 20, 49])
def test_training_goes_on_bit_by_bit(text, tmp_path, stop, n):
    config = ModelConfig(**VALUES)
    paths = [tmp_path / f"{seed}.safetensors" for seed in range(n)]
    members = [member(text, seed=seed, path=path) for seed, path in enumerate(paths)]
    whole = train(config, [member(text, seed=seed) for seed in range(n)])
    part = train(config, members, stop_after=stop)
    rest = train(config, members)
    again = train(config, members)  # done: loaded
    for number in range(n):
        assert len(part[number].curve) < len(whole[number].curve)
        assert rest[number].curve == again[number].curve == whole[number].curve
        assert again[number].tokens_per_second == 0
        expected = weights(whole[number].model)
        for model in (rest[number].model, again[number].model):
            for name, value in weights(model).items():
                assert torch.equal(value, expected[name]), name


def test_an_interrupted_run_leaves_a_checkpoint_to_go_on_from(text, tmp_path):
    path = tmp_path / "a.safetensors"

    def interrupt(line, done, total):
        if done == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        run(text, path=path, report=interrupt)
    assert "a.safetensors holds 13 of 50 updates" in stopped.value.hint
    assert run(text, path=path).curve == run(text).curve


@pytest.mark.parametrize("depth", ["residual", "selection"])
@pytest.mark.parametrize("name", NAMES)
def test_side_by_side_is_one_by_one(text, name, depth):
    config = ModelConfig(**VALUES | model_values(name) | {"depth": depth})
    short = TRAINING.model_copy(update={"tokens": 512, "clip": 0.3})
    members = [
        member(text, short.model_copy(update={"learning_rate": rate}), seed)
        for seed, rate in ((0, 0.02), (1, 0.02), (1, 0.005))
    ]
    together = train(config, members)
    alone = [train(config, [each])[0] for each in members]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other.curve, one.curve, atol=1e-5)
        expected = weights(one.model)
        for key, value in weights(other.model).items():
            torch.testing.assert_close(value, expected[key], atol=3e-4, rtol=1e-4)
    assert len({tuple(each.curve) for each in together}) == 3


def test_members_that_have_come_unequally_far_go_on(text, tmp_path):
    paths = [tmp_path / f"{seed}.safetensors" for seed in range(3)]
    members = [member(text, seed=seed, path=path) for seed, path in enumerate(paths)]
    config = ModelConfig(**VALUES)
    whole = train(config, [member(text, seed=seed) for seed in range(3)])
    train(config, members, stop_after=7)
    paths[0].unlink()
    train(config, members[2:])
    steps = []
    rest = train(config, members, report=lambda line, done, total: steps.append((done, total)))
    assert steps[-1] == (150, 150) and [done for done, _ in steps] == sorted(d for d, _ in steps)
    for one, other in zip(whole, rest, strict=True):
        np.testing.assert_allclose(other.curve, one.curve, atol=1e-4)


@pytest.mark.parametrize("name", ["ema", "gated", "delta", "attention", "gpt2"])
def test_bfloat16_autocast_starts_as_float32(text, name):
    config = ModelConfig(**VALUES | model_values(name))
    once = TRAINING.model_copy(update={"tokens": 64, "evaluations": 1})
    exact = run(text, config=config, training=once)
    half = run(text, config=config, training=once.model_copy(update={"precision": "bfloat16"}))
    assert half.curve[0][1] == pytest.approx(exact.curve[0][1], abs=0.02)
    assert half.curve != exact.curve
    assert all(p.dtype == torch.float32 for p in half.model.parameters())


def test_seeds_differ_and_one_seed_does_not(text):
    first, same, other = run(text), run(text), run(text, seed=1)
    assert first.curve == same.curve and first.curve != other.curve


def test_the_order_of_tokens_is_the_same_for_every_model(text):
    class Noting(Tokens):
        def examples(self, numbers):
            self.seen.append(tuple(numbers))
            return super().examples(numbers)

    orders = []
    for name in ("ema", "gpt2", "delta"):
        noting = Noting(text.path, 16, 0)
        noting.seen = []
        run(noting, config=ModelConfig(**VALUES | model_values(name)), seed=3)
        orders.append(noting.seen)
    assert orders[0] == orders[1] == orders[2] and len(orders[0]) >= 50


def test_accumulation_gives_the_same_gradient(text):
    whole = run(text)
    parts = run(text, training=TRAINING.model_copy(update={"accumulate": 4}))
    assert parts.curve[-1][1] == pytest.approx(whole.curve[-1][1], abs=2e-3)


WORKER = """
import sys
from pathlib import Path
from hebbsim.lm.config import ModelConfig, TrainingConfig
from hebbsim.lm.packed import Tokens
from hebbsim.lm.training import Member, train
text = Tokens(Path(sys.argv[1]), 16, 0)
config, training = (kind.model_validate_json(x)
                    for kind, x in zip((ModelConfig, TrainingConfig), sys.argv[3:5]))
train(config, [Member(training, text, text, 0, Path(sys.argv[2]))])
"""


def test_two_processes_train_as_one(text, tmp_path):
    pytest.importorskip("accelerate")
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    path = tmp_path / "two.safetensors"
    training = TRAINING.model_copy(update={"tokens": 640, "evaluations": 1})
    command = [
        sys.executable, str(script), str(text.path), str(path),
        ModelConfig(**VALUES).model_dump_json(), training.model_dump_json(),
    ]  # fmt: skip
    # What torch.distributed.run would set, which imports torch once more to do so.
    together = {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29533", "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    processes = [
        subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True,
            env=os.environ | together | {"RANK": rank, "LOCAL_RANK": rank},
        )
        for rank in "01"
    ]  # fmt: skip
    try:
        for process in processes:
            said = process.communicate()[1]
            assert process.returncode == 0, said[-2000:]
    finally:
        for process in processes:  # one waits for the other, which may have failed
            process.kill()
    one = weights(run(text, training=training).model)
    two = weights(run(text, training=training, path=path).model)  # loaded
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=2e-3, rtol=0)


def test_a_checkpoint_of_another_configuration_is_refused(text, tmp_path):
    path = tmp_path / "a.safetensors"
    run(text, path=path, stop_after=3)
    before = path.read_bytes()
    for change in (
        {"config": ModelConfig(**VALUES | {"hidden": 33})},
        {"training": TRAINING.model_copy(update={"learning_rate": 0.5})},
        {"seed": 4},
    ):
        with pytest.raises(BadInputError, match="another configuration"):
            run(text, path=path, **change)
    path.write_bytes(before[:-100])
    with pytest.raises(BadInputError, match="cannot read"):
        run(text, path=path)


def test_a_full_disk_keeps_the_last_good_checkpoint(text, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    run(text, path=path, stop_after=3)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint_module.os, "fsync", full)
    with pytest.raises(BadInputError, match="No space left"):
        run(text, path=path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(text, tmp_path):
    path = tmp_path / "a.safetensors"
    run(text, path=path, stop_after=3)
    before = path.read_bytes()

    def spoil(line, done, total):
        if done == 5:
            spoiled[0].embedding.weight.data.fill_(math.nan)

    spoiled = []
    init = LanguageModel.__init__

    def noting(self, config, members=1):
        init(self, config, members)
        spoiled.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LanguageModel, "__init__", noting)
        with pytest.raises(DivergenceError, match=r"no longer finite at update 6.*keeps update 3"):
            run(text, path=path, report=spoil)
    assert path.read_bytes() == before


def test_progress_says_speed_utilisation_and_what_is_left(text):
    steps = []
    run(text, report=lambda *step: steps.append(step))
    lines = [line for line, _, _ in steps if line]
    assert len(steps) == 50 and steps[-1][1:] == (50, 50) and len(lines) == 3
    for word in ("tokens/s", "of peak", "left", "validation", "seed 0"):
        assert word in lines[0]


def test_a_log_for_tensorboard(text, tmp_path):
    pytest.importorskip("tensorboard")
    run(text, log=tmp_path / "log")
    assert list((tmp_path / "log").glob("events.*"))


def test_losses_of_tokens_add_up(text):
    model = run(text).model
    found = token_losses(model, text, 10**9)
    assert len(found.losses) == text.n_rows * 16
    assert found.mean() == pytest.approx(validation_losses(model, [text], 10**9)[0], abs=1e-5)
    bins = found.by_distance()
    total = sum(loss * n for loss, n in bins.values())
    assert total / len(found.losses) == pytest.approx(found.mean())
    assert sum(n for _, n in bins.values()) == len(found.losses)
    assert bins["5-16"][1] > bins["new"][1] > 0  # every token comes again after eleven


def test_probabilities_of_sentences_in_any_company():
    pytest.importorskip("tokenizers")
    from hebbsim.lm.tokenizer import Tokenizer

    sentences = ["the cat sat", "a dog", "the dogs and the cats sat down"]
    tokenizer = Tokenizer.train(sentences * 20, 270)
    torch.manual_seed(0)
    model = LanguageModel(ModelConfig(**VALUES | {"vocabulary": 270, "context": 40})).eval()
    together = log_probabilities(model, tokenizer, sentences)
    for sentence, found in zip(sentences, together, strict=True):
        numbers = torch.tensor([[tokenizer.end, *tokenizer.encode([sentence])[0]]])
        log_p = model(numbers[:, :-1])[0].log_softmax(-1)[0]
        expected = log_p.gather(1, numbers[0, 1:, None]).sum().detach()
        assert found == pytest.approx(float(expected), abs=1e-4)
    with pytest.raises(BadInputError, match="--context"):
        log_probabilities(model, tokenizer, ["x " * 60])


def test_recall_asks_for_the_value_that_stood_with_the_key():
    task = Recall((2, 4), 8, 14, seed=1)
    tokens, targets, apart = task.made(np.arange(50))
    asked = targets != -100
    assert set(asked.sum(1)) == {2, 4}
    for row, place in zip(*np.nonzero(asked), strict=True):
        at = place - apart[row, place]
        assert tokens[row, at] == tokens[row, place] <= 8
        assert tokens[row, at + 1] == targets[row, place] > 8
        assert at % 2 == 0 and at < 8
    again, *_ = task.made(np.arange(50))
    other, *_ = task.made(np.arange(50, 100))
    assert (again == tokens).all() and (other != tokens).any()
    held_out = task.spread(1000)
    assert held_out.min() > task.batch(0, 10**6, 64).max()


def test_copying_asks_for_the_same_tokens_again():
    task = Copying((3, 5), 9, seed=0)
    tokens, targets, apart = task.made(np.arange(20))
    for row in range(20):
        places = np.nonzero(targets[row] != -100)[0]
        n = len(places)
        assert n in (3, 5) and (tokens[row, places[0]] == 0)
        assert (targets[row, places] == tokens[row, :n]).all()
        assert (apart[row, places] == n).all()
    for wrong in (dict(pairs=(9,), keys=8, context=40), dict(pairs=(4,), keys=8, context=11)):
        with pytest.raises(BadInputError):
            Recall(**wrong)


def test_accuracy_of_an_oracle_is_one():
    task = Recall((3,), 6, 12)

    class Oracle(torch.nn.Module):
        embedding = torch.nn.Embedding(13, 2)

        def forward(self, tokens):
            logits = torch.zeros(*tokens.shape, 13)
            for row in range(len(tokens)):
                for place in range(6, 12):
                    if tokens[row, place]:
                        at = (tokens[row, :6:2] == tokens[row, place]).nonzero().item()
                        logits[row, place, tokens[row, 2 * at + 1]] = 1
            return logits, None

    right, apart = accuracy(Oracle(), task, 3, 20)
    assert right.all() and len(right) == 60 and (apart > 0).all()


def test_the_top_of_one_layer_tells_its_own_contribution(text):
    torch.manual_seed(0)
    config = ModelConfig(**VALUES | {"layers": 3})
    model = LanguageModel(config)
    with torch.no_grad():
        for i, block in enumerate(model.blocks):  # the last layer drowns the others
            block.contract.weight.mul_(300 if i == 2 else 1)
    found = readability(model, text, 2000)
    assert found.probe.shape == found.gradient.shape == (4,)
    assert found.probe[3] > 0.9 > found.probe[1]
    assert found.gradient.mean() == pytest.approx(1)


def test_selection_over_depth_starts_as_their_mean_and_learns(text):
    model = LanguageModel(ModelConfig(**VALUES | {"depth": "selection", "layers": 2}))
    layers = [torch.randn(2, 3, 16) for _ in range(4)]
    torch.testing.assert_close(model.selectors[1](layers), sum(layers))
    trained = run(text, config=model.config)
    assert any(s.query.abs().max() > 0.01 for s in trained.model.selectors[1:])
