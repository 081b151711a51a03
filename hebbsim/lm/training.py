"""The training loop: the same tokens in the same order for every model; resumes exactly."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hebbsim.engine.checkpoint import read_checkpoint, write_checkpoint
from hebbsim.errors import BadInputError, DivergenceError
from hebbsim.lm.config import ModelConfig, TrainingConfig
from hebbsim.lm.hardware import make_accelerator, peak_rate, reproducible
from hebbsim.lm.model import LanguageModel, flops_per_token, sized

__all__ = [
    "Examples",
    "Trained",
    "load_model",
    "segments_of",
    "train",
    "validation_loss",
]

KIND = "hebbsim.lm/1"
#: Validation tokens per point of a curve.
VALIDATION_TOKENS = 8_192

#: Called with a line to show or None, the number of updates done, and that of all.
Report = Callable[[str | None, int, int], None]


class Examples(Protocol):
    """What a model learns from: packed text, or generated sequences."""

    end: int | None
    context: int

    def batch(self, seed: int, step: int, size: int) -> NDArray[np.int64]:
        """Numbers of the examples of an update [shape=(B,)]."""

    def spread(self, tokens: int) -> NDArray[np.int64]:
        """Numbers of examples, spread over the whole, with about so many tokens."""

    def examples(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Inputs and targets; a target of -100 is ignored [shapes (B, T)]."""

    def fingerprint(self) -> str:
        """A text that identifies the examples."""


@dataclass
class Trained:
    """A trained model and its training.

    Attributes
    ----------
    model : LanguageModel
        In evaluation mode.
    curve : list of (int, float)
        Tokens seen and validation loss in nats.
    tokens_per_second, utilisation : float
        Of the updates in this process; 0 if the model was loaded. Utilisation is the rate of
        the model's operations as a share of the peak rate of matrix products.
    """

    model: LanguageModel
    curve: list[tuple[int, float]] = field(default_factory=list)
    tokens_per_second: float = 0.0
    utilisation: float = 0.0


class _Objective(nn.Module):
    """The loss as a module, because wrappers for several processes use `forward` only."""

    def __init__(self, model: LanguageModel, end: int | None) -> None:
        super().__init__()
        self.model, self.end = model, end

    def forward(self, tokens: Tensor, targets: Tensor) -> Tensor:
        return self.model.loss(tokens, targets, segments_of(tokens, self.end))


def segments_of(tokens: Tensor, end: int | None) -> Tensor | None:
    """Number of each token's document in its row; documents begin with token `end`."""
    return None if end is None else (tokens == end).cumsum(1)


def train(
    config: ModelConfig,
    training: TrainingConfig,
    data: Examples,
    validation: Examples,
    *,
    seed: int,
    path: Path | None = None,
    report: Report = lambda line, done, total: None,
    log: Path | None = None,
    stop_after: int | None = None,
) -> Trained:
    """Train a model, resume its training, or load it if it is trained.

    Parameters
    ----------
    config, training : ModelConfig, TrainingConfig
    data, validation : Tokens
        With the context of the model.
    seed : int
        Seed of the initial weights and of the order of the rows.
    path : Path, optional
        Checkpoint to resume from and to write, with optimizer, position and curve (default:
        none). It must have the same configuration.
    report : callable
    log : Path, optional
        Folder for TensorBoard's event files.
    stop_after : int, optional
        Number of updates after which to write the checkpoint and return.

    Raises
    ------
    BadInputError
        The vocabulary does not fit the data, or the checkpoint has another configuration or
        cannot be written; the last good one stays.
    DivergenceError
        The loss is no longer finite; the last good checkpoint stays.
    """
    with reproducible(seed):
        return _Run(config, training, data, validation, seed, path, report, log).go(stop_after)


class _Run:
    def __init__(
        self,
        config: ModelConfig,
        training: TrainingConfig,
        data: Examples,
        validation: Examples,
        seed: int,
        path: Path | None,
        report: Report,
        log: Path | None,
    ) -> None:
        self.config = config = sized(config)
        self.training, self.data, self.seed = training, data, seed
        self.validation, self.path, self.report = validation, path, report
        self.updates = training.updates(config.context)
        self.identity = json.loads(
            json.dumps(
                {
                    "model": config.resolved(),
                    # How often to save and to look changes no weight.
                    "training": training.model_dump(
                        mode="json", exclude={"checkpoint_every", "compile"}
                    ),
                    "seed": seed,
                    "data": data.fingerprint(),
                }
            )
        )
        self.accelerator = make_accelerator()
        self.device = (
            self.accelerator.device
            if self.accelerator
            else torch.device("cuda" if torch.cuda.is_available() else "cpu")
        )
        self.world = self.accelerator.num_processes if self.accelerator else 1
        self.rank = self.accelerator.process_index if self.accelerator else 0
        if training.batch % (training.accumulate * self.world):
            raise BadInputError(
                f"--batch {training.batch}: no multiple of accumulate x processes "
                f"({training.accumulate} x {self.world})"
            )
        self.model = LanguageModel(config).to(self.device)
        self.curve: list[tuple[int, float]] = []
        self.optimizer = _optimizer(self.model, training)
        self.step = 0
        if path is not None and path.exists():
            self.load(path)
        self.saved_step = self.step if path is not None and path.exists() else None
        self.writer = _writer(log) if log is not None and self.rank == 0 else None

    @property
    def precision(self) -> torch.dtype:
        if self.training.precision == "auto":
            return torch.bfloat16 if self.device.type == "cuda" else torch.float32
        return getattr(torch, self.training.precision)

    def autocast(self) -> Any:
        return torch.autocast(
            self.device.type, self.precision, enabled=self.precision == torch.bfloat16
        )

    def go(self, stop_after: int | None) -> Trained:
        if self.step == self.updates:
            self.report(None, self.updates, self.updates)
            return Trained(self.model.eval(), self.curve)
        objective: Any = _Objective(self.model, self.data.end)
        if self.training.compile:
            objective = torch.compile(objective)
        if self.accelerator:
            objective = self.accelerator.prepare(objective)
        last = self.updates if stop_after is None else min(self.updates, self.step + stop_after)
        points = self.points()
        peak = peak_rate(self.device, self.precision)
        first, began, saved = self.step, time.perf_counter(), time.monotonic()
        rate = utilisation = 0.0
        try:
            while self.step < last:
                loss = self.update(objective)
                self.step += 1
                line = None
                if self.step in points or self.step == self.updates:
                    seconds = time.perf_counter() - began
                    rate = (self.step - first) * self.tokens_per_update / seconds
                    utilisation = rate * flops_per_token(self.config) / (peak * self.world)
                    line = self.look(loss, rate, utilisation)
                if self.rank == 0:
                    self.report(line, self.step, self.updates)
                if time.monotonic() - saved >= self.training.checkpoint_every:
                    self.save()
                    saved = time.monotonic()
        except KeyboardInterrupt as stop:
            self.save()
            where = f"{self.path} holds" if self.path else "done were"
            stop.hint = (  # type: ignore[attr-defined]  # `hebbsim.interrupts.Interruption` shows it
                f"{where} {self.step} of {self.updates} updates; "
                "the same command resumes from there"
            )
            raise
        finally:
            if self.writer is not None:
                self.writer.close()
        self.save()
        return Trained(self.model.eval(), self.curve, rate, utilisation)

    @property
    def tokens_per_update(self) -> int:
        return self.training.batch * self.config.context

    def points(self) -> set[int]:
        """Updates after which to validate, evenly spaced in the logarithm."""
        n = self.training.evaluations
        found = np.geomspace(max(1.0, self.updates / 32), self.updates, n)
        return {round(x) for x in found} | {self.updates}

    def update(self, objective: Any) -> float:
        """One step of the optimizer on one batch; returns the mean loss."""
        training = self.training
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(training, self.step, self.updates)
        numbers = self.data.batch(self.seed, self.step, training.batch)
        parts = numbers.reshape(training.accumulate, self.world, -1)[:, self.rank]
        total = torch.zeros((), device=self.device)
        for i, part in enumerate(parts):
            tokens, targets = (
                torch.from_numpy(x).to(self.device) for x in self.data.examples(part)
            )
            alone = self.accelerator and i < len(parts) - 1
            with self.accelerator.no_sync(objective) if alone else contextlib.nullcontext():
                with self.autocast():
                    loss = objective(tokens, targets)
                (loss / len(parts)).backward()
            total += loss.detach() / len(parts)
        if self.accelerator:
            total = self.accelerator.reduce(total, "mean")
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), training.clip)
        value = float(total)
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            kept = (
                f"; {self.path} keeps update {self.saved_step}"
                if self.saved_step is not None
                else ""
            )
            raise DivergenceError(
                f"{self.config.name}, seed {self.seed}: the loss is no longer finite at update "
                f"{self.step + 1} of {self.updates}; lower --learning-rate{kept}"
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return value

    def look(self, loss: float, rate: float, utilisation: float) -> str:
        """Validate, add a point to the curve, and return a line about it."""
        with self.autocast():
            found = validation_loss(self.model, self.validation)
        seen = self.step * self.tokens_per_update
        self.curve.append((seen, found))
        left = (self.updates - self.step) * self.tokens_per_update / rate
        if self.writer is not None:
            for name, value in {
                "loss/train": loss, "loss/validation": found, "speed/tokens_per_second": rate,
                "speed/flop_utilisation": utilisation,
            }.items():  # fmt: skip
                self.writer.add_scalar(name, value, seen)
        return (
            f"{self.config.name}, seed {self.seed}: {seen:,} tokens, loss {loss:.3f}, validation "
            f"{found:.3f}; {rate:,.0f} tokens/s, {utilisation:.0%} of peak, "
            f"{duration(left)} left"
        )

    def save(self) -> None:
        """Write weights, optimizer, position and curve atomically to one file."""
        if self.path is None or self.rank:
            return
        arrays = {}
        for name, value in self.model.named_parameters():
            arrays[f"model/{name}"] = value.detach().cpu().numpy()
            for key, moment in self.optimizer.state.get(value, {}).items():
                if key != "step":
                    arrays[f"{key}/{name}"] = moment.cpu().numpy()
        description = self.identity | {"step": self.step, "curve": self.curve}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(f"{self.path.parent}: {error.strerror}") from None
        write_checkpoint(self.path, KIND, arrays, description)
        self.saved_step = self.step

    def load(self, path: Path) -> None:
        arrays, found = read_checkpoint(path, KIND)
        differing = [key for key in self.identity if found.get(key) != self.identity[key]]
        if differing:
            what = ", ".join(_differences(found, self.identity, differing))
            raise BadInputError(
                f"checkpoint {path} is of another configuration ({what}); name another --store "
                "or remove it"
            )
        _fill(self.model, arrays, path)
        self.step = found["step"]
        self.curve = [(int(seen), float(loss)) for seen, loss in found["curve"]]
        if self.step:
            for name, value in self.model.named_parameters():
                self.optimizer.state[value] = {
                    "step": torch.tensor(float(self.step)),
                    **{
                        key: torch.from_numpy(arrays[f"{key}/{name}"]).to(self.device)
                        for key in ("exp_avg", "exp_avg_sq")
                    },
                }


def learning_rate(training: TrainingConfig, step: int, updates: int) -> float:
    """The learning rate of update `step`, counted from 0: linear warm-up, then a cosine.

    Examples
    --------
    >>> training = TrainingConfig(learning_rate=1.0, warmup=0.1, floor=0.1)
    >>> [round(learning_rate(training, step, 100), 2) for step in (0, 9, 10, 99)]
    [0.1, 1.0, 1.0, 0.1]
    """
    warm = max(1, round(training.warmup * updates)) if training.warmup else 0
    if step < warm:
        return training.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, updates - 1 - warm)
    share = training.floor + (1 - training.floor) * (1 + math.cos(math.pi * min(1.0, done))) / 2
    return training.learning_rate * share


def validation_loss(model: LanguageModel, data: Examples, limit: int = VALIDATION_TOKENS) -> float:
    """Mean loss in nats over about `limit` tokens, evenly spread over a split."""
    numbers = data.spread(limit)
    device = model.embedding.weight.device
    total, training = 0.0, model.training
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(numbers), 16):
            tokens, targets = (
                torch.from_numpy(x).to(device) for x in data.examples(numbers[start : start + 16])
            )
            loss = model.loss(tokens, targets, segments_of(tokens, data.end))
            total += float(loss) * len(tokens)
    model.train(training)
    return total / len(numbers)


def load_model(path: Path) -> LanguageModel:
    """Load the model of a checkpoint, in evaluation mode.

    Raises
    ------
    BadInputError
        The file is not a checkpoint of a language model.
    """
    arrays, found = read_checkpoint(path, KIND)
    model = LanguageModel(ModelConfig.checked(found["model"]))
    _fill(model, arrays, path)
    return model.eval()


def _fill(model: LanguageModel, arrays: Mapping[str, Any], path: Path) -> None:
    with torch.no_grad():
        for name, value in model.named_parameters():
            array = arrays.get(f"model/{name}")
            if array is None or array.shape != tuple(value.shape):
                raise BadInputError(f"checkpoint {path}: {name} is missing or of another shape")
            value.copy_(torch.from_numpy(array))


def _optimizer(model: LanguageModel, training: TrainingConfig) -> torch.optim.AdamW:
    """AdamW with weight decay for matrices, not for gains, biases or decays of traces."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": training.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups,
        lr=training.learning_rate,
        betas=(training.beta1, training.beta2),
        fused=next(model.parameters()).is_cuda,
    )


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any], keys: list[str]) -> list[str]:
    said = []
    for key in keys:
        there, here = found.get(key), wanted[key]
        if isinstance(there, dict) and isinstance(here, dict):
            names = sorted(k for k in here if there.get(k) != here[k])
            said += [f"{name} {there.get(name)} there, {here[name]} here" for name in names]
        else:
            said.append(f"another {key}")
    return said[:3]


def _writer(log: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise BadInputError("--log needs the package tensorboard; pip install it") from None
    return SummaryWriter(str(log))


def duration(seconds: float) -> str:
    """A duration in words, such as ``3 min 20 s``.

    Examples
    --------
    >>> duration(200), duration(7300)
    ('3 min 20 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"
