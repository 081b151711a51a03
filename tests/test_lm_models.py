"""The recurrences and models of `hebbsim.lm` against slow obvious ones."""

import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import naive_lm  # noqa: E402

from hebbsim.errors import BadInputError  # noqa: E402
from hebbsim.experiments.language_models.config import NAMES, model_values  # noqa: E402
from hebbsim.lm.config import (  # noqa: E402
    MEMORIES,
    ModelConfig,
    TrainingConfig,
    load_preset,
    preset_names,
)
from hebbsim.lm.memories import fast_weights, make_memory  # noqa: E402
from hebbsim.lm.model import LanguageModel, count_parameters, sized  # noqa: E402
from hebbsim.lm.spen import SpenBlock, top_k  # noqa: E402
from hebbsim.lm.traces import linear_scan, traces  # noqa: E402

ALPHAS = (0.5, 0.1, 1.0)


def made(n_tokens, dtype=torch.float64, dim=5, batch=2):
    torch.manual_seed(n_tokens)
    x = torch.randn(batch, n_tokens, dim, dtype=torch.float64).to(dtype)
    initial = torch.randn(batch, len(ALPHAS), dim, dtype=torch.float64)
    segments = (torch.rand(batch, n_tokens) < 0.2).cumsum(1)
    return x, initial, segments


@pytest.mark.parametrize("parted", [False, True])
@pytest.mark.parametrize("n_tokens", [1, 2, 7, 8, 19])
def test_traces_are_the_recurrence(n_tokens, parted):
    x, initial, segments = made(n_tokens)
    h, final = traces(x, ALPHAS, initial, segments if parted else None, form="chunked", chunk=8)
    numbers = segments.numpy() if parted else np.zeros((2, n_tokens))
    expected = naive_lm.traces(x.numpy(), ALPHAS, initial.numpy(), numbers)
    np.testing.assert_allclose(h.numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(final.numpy(), expected[:, -1], atol=1e-12)


@pytest.mark.parametrize("parted", [False, True])
def test_gradients_of_traces(parted):
    x, initial, segments = made(9, dim=2)
    alphas = torch.tensor([0.5, 0.1, 0.9], dtype=torch.float64, requires_grad=True)

    def run(x, initial, alphas):
        return traces(x, alphas, initial, segments if parted else None, form="chunked", chunk=4)

    assert torch.autograd.gradcheck(
        run, (x.requires_grad_(), initial.requires_grad_(), alphas), atol=1e-6
    )


@pytest.mark.parametrize("cut", [1, 6, 13])
def test_traces_go_on_from_a_state(cut):
    x, _, segments = made(20)
    whole, final = traces(x, ALPHAS, None, segments, chunk=8)
    first, state = traces(x[:, :cut], ALPHAS, None, segments[:, :cut], chunk=8)
    # A state belongs to the document of the first token behind it.
    same = segments[:, cut] == segments[:, cut - 1]
    rest, end = traces(x[:, cut:], ALPHAS, state * same[:, None, None], segments[:, cut:], chunk=8)
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole)
    torch.testing.assert_close(end, final)


def test_bfloat16_keeps_its_type_and_a_float32_state():
    x, initial, _ = made(40, torch.bfloat16)
    h, final = traces(x, ALPHAS, initial, form="chunked")
    exact, _ = traces(x.double(), ALPHAS, initial, form="chunked")
    assert h.dtype == torch.bfloat16 and final.dtype == torch.float32
    assert (h.double() - exact).abs().max() < 0.05


@pytest.mark.parametrize(
    "change",
    [
        {"form": "quick"},
        {"form": "fused", "alphas": torch.tensor(ALPHAS, requires_grad=True)},
        {"initial": torch.zeros(2, 1, 5)},
        {"segments": torch.zeros(2, 3)},
        {"x": torch.zeros(2, 0, 5)},
    ],
)
def test_traces_refuse_what_does_not_fit(change):
    given = {"x": torch.zeros(2, 4, 5), "alphas": ALPHAS} | change
    with pytest.raises(BadInputError):
        traces(**given)


FUSED = """
import torch
from hebbsim.lm.traces import traces
from hebbsim.lm.triton_traces import CHANNELS, TILE, fused_traces

ALPHAS = (0.5, 0.1, 1.0, 0.02)


def documents(kind, shape):
    if kind == "one":
        return None
    if kind == "each token":
        return torch.arange(shape[1]).expand(shape)
    if kind == "tiles":  # documents begin where tiles do
        return (torch.arange(shape[1]) // TILE).expand(shape)
    return (torch.rand(shape) < 0.1).cumsum(1)


def check(dtype, n_tokens, n_channels, n_traces, kind):
    torch.manual_seed(n_tokens)
    shape = (2, n_tokens, n_channels)
    given = {
        "x": torch.randn(shape).to(dtype), "initial": torch.randn(2, n_traces, n_channels),
    }
    segments = documents(kind, shape[:2])
    alphas = torch.tensor(ALPHAS[:n_traces])
    slopes = [
        torch.randn(2, n_tokens, n_traces, n_channels).to(dtype),
        torch.randn(2, n_traces, n_channels),
    ]

    def gradients(found, own, slopes):
        return torch.autograd.grad(found, list(own), slopes, retain_graph=True)

    def leaves(change):
        return [change(part).requires_grad_() for part in given.values()]

    x, initial = exact = leaves(lambda part: part.double())
    h, final = traces(x, alphas.double(), initial, segments, form="chunked")
    wanted = {"h": h, "final": final}
    down = [slope.double() for slope in slopes]
    wanted |= zip(("dx", "d0"), gradients((h, final), exact, down))
    x, initial = own = leaves(torch.clone)
    h, final = fused_traces(x, alphas, initial, segments)
    found = {"h": h, "final": final}
    found |= zip(("dx", "d0"), gradients((h, final), own, slopes))
    for name, value in found.items():
        scale = wanted[name].abs().max().clamp(min=1)
        gap = ((value.double() - wanted[name]).abs().max() / scale).item()
        # What is written in bfloat16 is rounded once, by the interpreter towards zero; on a GPU
        # products are of tf32 parts.
        bound = 2**-7 if dtype == torch.bfloat16 else 1e-5
        case = (dtype, n_tokens, n_channels, n_traces, kind, name, gap)
        assert value.dtype == (dtype if name in ("h", "dx") else torch.float32), case
        assert gap <= bound, case


for dtype in (torch.float32, torch.bfloat16):
    for case in (
        (1, 1, 1, "one"),
        (TILE - 1, 3, 2, "some"),
        (TILE, CHANNELS, 3, "one"),
        (TILE + 1, CHANNELS + 1, 3, "some"),
        (2 * TILE + 6, 5, 4, "tiles"),
        (2 * TILE, 2, 3, "each token"),
    ):
        check(dtype, *case)
"""


def test_the_fused_kernel_agrees_under_the_interpreter():
    pytest.importorskip("triton")
    # Triton reads the variable when it is imported: a process of its own.
    done = subprocess.run(
        [sys.executable, "-c", FUSED],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_fused_kernel_agrees_on_cuda():
    code = FUSED.replace("import torch\n", "import torch\ntorch.set_default_device('cuda')\n", 1)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("doubling", [False, True])
def test_gated_scan(doubling):
    torch.manual_seed(0)
    a, b = torch.rand(7, 2, 3, dtype=torch.float64), torch.randn(7, 2, 3, dtype=torch.float64)
    initial = torch.randn(2, 3, dtype=torch.float64)
    h, last = linear_scan(a, b, initial, doubling=doubling), initial
    for t in range(7):
        last = a[t] * last + b[t]
        torch.testing.assert_close(h[t], last)
    given = tuple(x.requires_grad_() for x in (a, b, initial))
    assert torch.autograd.gradcheck(lambda *x: linear_scan(*x, doubling=doubling), given)


@pytest.mark.parametrize("parted", [False, True])
@pytest.mark.parametrize("rule", ["hebbian", "delta"])
def test_fast_weights_are_the_recurrence(rule, parted):
    torch.manual_seed(1)
    q, k, v = torch.randn(3, 2, 2, 13, 4, dtype=torch.float64)
    k = torch.nn.functional.normalize(k, dim=-1)
    beta = torch.rand(2, 2, 13, dtype=torch.float64) if rule == "delta" else None
    initial = torch.randn(2, 2, 4, 4, dtype=torch.float64)
    segments = (torch.rand(2, 13) < 0.25).cumsum(1) if parted else None
    read, final = fast_weights(q, k, v, beta, initial, segments, chunk=4)
    expected = naive_lm.fast_weights(
        q.numpy(), k.numpy(), v.numpy(), None if beta is None else beta.numpy(), initial.numpy(),
        np.zeros((2, 13)) if segments is None else segments.numpy(),
    )  # fmt: skip
    np.testing.assert_allclose(read.numpy(), expected[0], atol=1e-10)
    np.testing.assert_allclose(final.numpy(), expected[1], atol=1e-10)


@pytest.mark.parametrize("k", [1, 2, 3, 8, 9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_top_k_keeps_the_largest(k, dtype):
    torch.manual_seed(0)
    x = torch.randn(2, 40, 9).to(dtype)
    x[0, 0], x[0, 1, :4], x[0, 2], x[0, 3, 2:] = 1.0, 2.0, torch.arange(9), -5.0
    for row, kept in zip(x.flatten(0, 1), top_k(x, k).flatten(0, 1), strict=True):
        expected = naive_lm.top_k(row.double().numpy(), k)
        np.testing.assert_array_equal(kept.double().numpy(), expected)


def small(name, **change):
    values = {
        "vocabulary": 30, "context": 24, "dim": 16, "heads": 2, "layers": 2, "hidden": 32,
    }  # fmt: skip
    return ModelConfig(**values | model_values(name) | change)


@pytest.mark.parametrize("depth", ["residual", "selection"])
@pytest.mark.parametrize("name", NAMES)
def test_one_token_at_a_time_gives_the_same_logits(name, depth):
    torch.manual_seed(0)
    model = LanguageModel(small(name, depth=depth)).double().eval()
    tokens = torch.randint(0, 30, (2, 12))
    whole, _ = model(tokens)
    state, found = None, []
    for t in range(12):
        logits, state = model(tokens[:, t : t + 1], state)
        found.append(logits)
    torch.testing.assert_close(torch.cat(found, dim=1), whole)


@pytest.mark.parametrize("name", NAMES)
def test_no_token_sees_a_later_one_or_another_document(name):
    torch.manual_seed(0)
    model = LanguageModel(small(name)).double().eval()
    tokens = torch.randint(0, 30, (1, 20))
    segments = torch.zeros(1, 20, dtype=torch.long)
    segments[:, 11:] = 1
    before, _ = model(tokens, None, segments)
    changed = tokens.clone()
    changed[0, 5] = (changed[0, 5] + 1) % 30
    after, _ = model(changed, None, segments)
    same = (before == after).all(-1)[0]
    assert same[:5].all() and same[11:].all()
    assert not same[5:8].any()


@pytest.mark.parametrize("memory", MEMORIES)
def test_a_memory_starts_anew_with_a_document(memory):
    torch.manual_seed(0)
    rung = make_memory(small(memory)).double()
    u = torch.randn(1, 15, 16, dtype=torch.float64)
    segments = (torch.arange(15) >= 6).long()[None]
    parted, _ = rung(u, None, segments)
    alone, _ = rung(u[:, 6:], None, None)
    assert parted.shape[-1] == rung.width
    torch.testing.assert_close(parted[:, 6:], alone)


def test_the_prediction_of_a_block_knows_the_past_alone():
    torch.manual_seed(0)
    block = SpenBlock(small("ema")).double()
    seen = []
    block.predictor.register_forward_hook(lambda m, given, out: seen.append(out[0]))
    x = torch.randn(1, 8, 16, dtype=torch.float64)
    block(x)
    x = x.clone()
    x[0, 4] += 1
    block(x)
    same = (seen[0] == seen[1]).all(-1)[0]
    assert same[:5].all() and not same[5]


def test_a_block_keeps_six_percent_of_its_units():
    block = SpenBlock(small("ema", hidden=200))
    seen = []
    block.contract.register_forward_hook(lambda m, given, out: seen.append(given[0]))
    block(torch.randn(2, 7, 16))
    assert ((seen[0] != 0).sum(-1) == 12).all()


@pytest.mark.parametrize("preset", [n for n in preset_names() if "gpt2" not in n])
@pytest.mark.parametrize("name", NAMES)
def test_models_of_a_preset_are_equally_large(preset, name):
    config = load_preset(preset, model_values(name)).model
    assert abs(count_parameters(sized(config)) / config.parameters - 1) < 0.02


def test_sizes_of_the_presets():
    expected = {"tiny": 1.3e6, "small": 15e6, "130m": 130e6, "130m-gpt2": 130e6}
    for name, n in expected.items():
        found = count_parameters(sized(load_preset(name).model))
        assert found == pytest.approx(n, rel=0.02)
    large = load_preset("130m").model
    assert large.layers == 12 and large.vocabulary == 50257
    assert large.timescales == (2.0, 10.0, 50.0) and large.active == 0.06


def test_the_parameters_are_those_counted():
    model = LanguageModel(small("delta"))
    assert count_parameters(model.config) == sum(p.numel() for p in model.parameters())


def test_gpt2_refuses_more_tokens_than_positions():
    with pytest.raises(BadInputError, match="positions"):
        LanguageModel(small("gpt2"))(torch.zeros(1, 25, dtype=torch.long))


@pytest.mark.parametrize(
    ("model", "training"),
    [
        ({"dim": 10, "heads": 4}, {}),
        ({"hidden": None, "parameters": None}, {}),
        ({"timescales": "0.5"}, {}),
        ({"vocabulary": 70_000}, {}),
        ({}, {"batch": 5, "accumulate": 2}),
        ({}, {"learning_rate": -1}),
        ({"parameters": 1000}, {}),
    ],
)
def test_configurations_that_cannot_be_are_refused(model, training):
    with pytest.raises(BadInputError):
        sized(load_preset("nano", model).model)
        TrainingConfig.checked(training)


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(BadInputError, match="tiny"):
        load_preset("huge")
