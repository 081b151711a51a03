"""Training of language models, beside nanoGPT's loop at the same shape.

The peer is nanoGPT's training loop (Karpathy 2022) as its README describes it for a CPU, written
with torch alone: one model at a time, rows drawn from anywhere in the text, no document bounds, a
loop over the parameters in AdamW, no compilation. On a GPU it uses bfloat16 and the fused AdamW,
as nanoGPT does.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hebbsim.bench.harness import Contender, Work, is_installed
from hebbsim.lm.config import ModelConfig, Preset, TrainingConfig

#: Models that are trained, and the updates of each in one run.
SEEDS, UPDATES = 3, 20
#: Length of a training, so that no validation happens within one run.
_TOKENS = 10**9


def lm(preset: str = "nano", updates: int = UPDATES) -> Work:
    """Three models of a preset that are trained together, and nanoGPT's loop three times."""
    from hebbsim.lm.config import load_preset

    training = {"batch": 8, "tokens": _TOKENS, "evaluations": 1}
    traces, gpt2 = (
        load_preset(preset, {"context": 128, "architecture": name}, training)
        for name in ("spen", "gpt2")
    )
    scale = float(SEEDS * updates * traces.training.batch * traces.model.context)
    given: dict[str, Any] = {"package": "torch", "most": 1, "scale": scale}

    def together(name: str, preset: Preset, precision: str, note: str = "") -> Contender:
        training = preset.training.model_copy(update={"precision": precision})
        return Contender(
            name, lambda n: _together(preset.model, training, updates), ours=True,
            note=note, **given,
        )  # fmt: skip

    return Work(
        "lm",
        f"training of language models, {preset}, {SEEDS} seeds",
        [
            together("GPT-2", gpt2, "auto"),
            together("GPT-2 bfloat16", gpt2, "bfloat16", "products in bfloat16"),
            together("traces", traces, "auto", "another model, as large"),
            Contender("nanoGPT loop", lambda n: _one_by_one(gpt2.model, gpt2.training, updates),
                      note="no bounds of documents", **given),
        ],
        size={"seeds": SEEDS, "parameters": traces.model.parameters, "updates": updates},
        clock=_clock(),
        rehearsed=False,
        bounded=False,
    )  # fmt: skip


def _clock() -> Callable[[], float]:
    """CPU seconds; on a GPU, elapsed seconds until its work is done."""
    if is_installed("torch"):
        import torch

        if torch.cuda.is_available():

            def clock() -> float:
                torch.cuda.synchronize()
                return time.perf_counter()

            return clock
    return time.process_time


def _text(vocabulary: int) -> np.ndarray:
    """Tokens of documents with about 300 tokens each."""
    draw = np.random.default_rng(0)
    values = draw.integers(1, vocabulary, 200_000)
    values[draw.random(len(values)) < 1 / 300] = 0
    return values.astype("<u2")


def _together(model: ModelConfig, training: TrainingConfig, updates: int) -> Callable[[], Any]:
    from hebbsim.lm.packed import Tokens
    from hebbsim.lm.training import Member, train

    with TemporaryDirectory() as folder:
        path = Path(folder) / "train.bin"
        _text(model.vocabulary).tofile(path)
        # The mapped file stays readable.
        text: Any = Tokens(path, model.context, 0)
    members = [Member(training, text, text, seed) for seed in range(SEEDS)]

    def run(updates: int = updates) -> Any:
        return train(model, members, stop_after=updates)

    run(1)
    return run


def _one_by_one(model: ModelConfig, training: TrainingConfig, updates: int) -> Callable[[], Any]:
    from hebbsim.lm.hardware import one_thread

    text = _text(model.vocabulary)

    def run(updates: int = updates) -> Any:
        # On one core, several threads would wait for one another.
        with one_thread():
            return [list(nano_gpt(model, training, text, updates, seed)) for seed in range(SEEDS)]

    run(1)
    return run


def nano_gpt_model(config: ModelConfig) -> Any:
    """GPT-2 as modules of torch; `forward` of tokens and targets returns the loss."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    from hebbsim.lm.model import sized

    config = sized(config)
    assert config.hidden is not None
    hidden, dim = config.hidden, config.dim

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
            self.attn, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
            self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            shape = (*x.shape[:2], config.heads, dim // config.heads)
            q, k, v = (y.view(shape).transpose(1, 2) for y in self.attn(self.ln_1(x)).split(dim, 2))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(y.transpose(1, 2).contiguous().view(x.shape))
            return x + self.mlp(self.ln_2(x))

    class Gpt(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wte = nn.Embedding(config.vocabulary, dim)
            self.wpe = nn.Embedding(config.context, dim)
            self.blocks = nn.ModuleList(Block() for _ in range(config.layers))
            self.ln_f = nn.LayerNorm(dim)
            self.head = nn.Linear(dim, config.vocabulary, bias=False)
            self.head.weight = self.wte.weight
            for p in self.parameters():
                if p.ndim > 1:
                    nn.init.normal_(p, std=0.02)

        def forward(self, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1], device=tokens.device))
            for block in self.blocks:
                x = block(x)
            return F.cross_entropy(self.head(self.ln_f(x)).flatten(0, 1), targets.flatten())

    return Gpt()


def nano_gpt(
    model: ModelConfig, training: TrainingConfig, text: np.ndarray, updates: int, seed: int
) -> Iterator[float]:
    """Train one model for so many updates; yields the loss of each tenth, as nanoGPT logs it."""
    import torch

    from hebbsim.lm.optimizer import learning_rate

    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    on_gpu = device.type == "cuda"
    net = nano_gpt_model(model).to(device)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": training.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    adamw = torch.optim.AdamW(groups, betas=(training.beta1, training.beta2), fused=on_gpu)

    def batch() -> list[torch.Tensor]:
        starts = torch.randint(len(text) - model.context - 1, (training.batch,)).tolist()
        return [
            torch.stack(
                [
                    torch.from_numpy(text[i + k : i + k + model.context].astype(np.int64))
                    for i in starts
                ]
            ).to(device)
            for k in (0, 1)
        ]

    tokens, targets = batch()
    for step in range(updates):
        for group in adamw.param_groups:
            group["lr"] = learning_rate(training, step, training.updates(model.context))
        with torch.autocast(device.type, torch.bfloat16, enabled=on_gpu):
            loss = net(tokens, targets)
        tokens, targets = batch()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), training.clip)
        adamw.step()
        adamw.zero_grad(set_to_none=True)
        if step % 10 == 0:
            yield loss.item()
