"""The training loop: models of one shape are trained side by side, and resume exactly."""

import contextlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
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
from hebbsim.lm.hardware import has_gpu, make_accelerator, peak_rate, reproducible
from hebbsim.lm.model import LanguageModel, flops_per_token, sized
from hebbsim.lm.optimizer import Optimizer

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


@dataclass(frozen=True)
class Member:
    """One of the models that are trained side by side."""

    #: The same for all of them but for the learning rate.
    training: TrainingConfig
    #: With the context of the model.
    data: Examples
    validation: Examples
    #: Seed of the initial weights and of the order of the rows.
    seed: int
    #: Checkpoint to resume from and to write, with optimizer, position and curve (default: none).
    #: It must have the same configuration.
    path: Path | None = None
    #: Folder for TensorBoard's event files.
    log: Path | None = None

    def identity(self, config: ModelConfig) -> dict[str, Any]:
        """Everything that its weights depend on, ready for JSON."""
        # These change no weight.
        training = self.training.model_dump(mode="json", exclude={"checkpoint_every", "compile"})
        found = {
            "model": config.resolved(), "training": training, "seed": self.seed,
            "data": self.data.fingerprint(),
        }  # fmt: skip
        return json.loads(json.dumps(found))


@dataclass
class Trained:
    """A trained model and its training."""

    #: In evaluation mode.
    model: LanguageModel
    #: Tokens seen and validation loss in nats.
    curve: list[tuple[int, float]] = field(default_factory=list)
    #: Of the updates in this process, of all members together; 0 if the model was loaded.
    #: Utilization is the rate of their operations as a share of the peak rate of matrix products.
    tokens_per_second: float = 0.0
    utilisation: float = 0.0


class _Objective(nn.Module):
    """The losses as a module, because wrappers for several processes use `forward` only."""

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
    members: Sequence[Member],
    *,
    report: Report = lambda line, done, total: None,
    stop_after: int | None = None,
) -> list[Trained]:
    """Train models of one shape side by side, resume their training, or load trained models.

    Each step of all members is one batched computation, equal to training them one by one up
    to rounding. Members whose checkpoints are at the same update continue together. `report`
    receives the updates of all members; training stops after `stop_after` updates, and the
    checkpoints are written.

    Raises BadInputError if the vocabulary does not fit the data, or a checkpoint has another
    configuration or cannot be written, and DivergenceError if a loss is no longer finite; the last
    good checkpoints are kept.
    """
    config = sized(config)
    saved = [_read(config, member) for member in members]
    steps = [0 if found is None else found[1]["step"] for found in saved]
    total = sum(member.training.updates(config.context) for member in members)
    trained: dict[int, Trained] = {}
    done = list(steps)
    for step in sorted(set(steps)):
        numbers = [i for i, its in enumerate(steps) if its == step]
        before = sum(done) - step * len(numbers)

        def shift(
            line: str | None, each: int, _: int, before: int = before, n: int = len(numbers)
        ) -> None:
            report(line, before + n * each, total)

        with reproducible():
            run = _Run(config, [members[i] for i in numbers], [saved[i] for i in numbers], shift)
            found = run.go(stop_after)
        trained |= dict(zip(numbers, found, strict=True))
        for i in numbers:
            done[i] = run.step
    return [trained[i] for i in range(len(members))]


#: Arrays and description of a checkpoint.
_Saved = tuple[Mapping[str, Any], dict[str, Any]]


def _read(config: ModelConfig, member: Member) -> _Saved | None:
    """The checkpoint of a member, if there is one."""
    if member.path is None or not member.path.exists():
        return None
    arrays, found = read_checkpoint(member.path, KIND)
    if differing := _differences(found, member.identity(config)):
        raise BadInputError(
            f"checkpoint {member.path} is of another configuration ({', '.join(differing[:3])}); "
            "name another --store or remove it"
        )
    return arrays, found


class _Run:
    """Trains members that have done the same number of updates."""

    def __init__(
        self, config: ModelConfig, members: list[Member], saved: list[_Saved | None], report: Report
    ) -> None:
        self.config, self.members, self.report = config, members, report
        self.training = training = members[0].training
        self.updates = training.updates(config.context)
        self.accelerator = make_accelerator()
        self.device, self.world, self.rank = torch.device("cuda" if has_gpu() else "cpu"), 1, 0
        if self.accelerator:
            self.device = self.accelerator.device
            self.world, self.rank = self.accelerator.num_processes, self.accelerator.process_index
        if training.batch % (training.accumulate * self.world):
            raise BadInputError(
                f"--batch {training.batch}: no multiple of accumulate x processes "
                f"({training.accumulate} x {self.world})"
            )
        self.model = LanguageModel(config, len(members)).to(self.device)
        for number, member in enumerate(members):
            # Drawn as for a model alone.
            torch.manual_seed(member.seed)
            initial = LanguageModel(config).named_parameters()
            _fill(self.model, number, {f"model/{name}": own[0] for name, own in initial})
        self.objective: Any = _Objective(self.model, members[0].data.end)
        if training.compile:
            self.objective = torch.compile(self.objective)
        if self.accelerator:
            # Before the optimizer, because it moves the parameters.
            self.objective = self.accelerator.prepare(self.objective)
        self.optimizer = Optimizer(self.model, [member.training for member in members])
        self.step = 0
        self.curves: list[list[tuple[int, float]]] = [[] for _ in members]
        self.saved_step = None
        for number, (member, found) in enumerate(zip(members, saved, strict=True)):
            if found is not None:
                arrays, description = found
                self.step = self.saved_step = description["step"]
                _fill(self.model, number, arrays, member.path)
                self.curves[number] = [(int(n), float(loss)) for n, loss in description["curve"]]
                if self.step:
                    self.optimizer.load(number, self.step, arrays)
        self.writers = [
            _writer(member.log) if member.log is not None and not self.rank else None
            for member in members
        ]

    @property
    def precision(self) -> torch.dtype:
        if self.training.precision == "auto":
            return torch.bfloat16 if self.device.type == "cuda" else torch.float32
        return getattr(torch, self.training.precision)

    def autocast(self) -> Any:
        return torch.autocast(
            self.device.type, self.precision, enabled=self.precision == torch.bfloat16
        )

    def go(self, stop_after: int | None) -> list[Trained]:
        if self.step == self.updates:
            self.report(None, self.updates, self.updates)
            return self.trained(0.0, 0.0)
        last = self.updates if stop_after is None else min(self.updates, self.step + stop_after)
        points = self.points()
        peak = peak_rate(self.device, self.precision)
        first, began, saved = self.step, time.perf_counter(), time.monotonic()
        rate = utilisation = 0.0
        try:
            while self.step < last:
                losses = self.update(self.objective)
                self.step += 1
                lines: list[str | None] = [None]
                if self.step in points:
                    seconds = time.perf_counter() - began
                    read = (self.step - first) * self.tokens_per_update * len(self.members)
                    rate = read / seconds
                    utilisation = rate * flops_per_token(self.config) / (peak * self.world)
                    lines = [*self.look(losses, rate, utilisation)]
                if self.rank == 0:
                    for line in lines:
                        self.report(line, self.step, self.updates)
                if time.monotonic() - saved >= self.training.checkpoint_every:
                    self.save()
                    saved = time.monotonic()
        except KeyboardInterrupt as stop:
            self.save()
            paths = [member.path for member in self.members if member.path is not None]
            where = "done were"
            if paths:
                where = f"{paths[0] if len(paths) == 1 else paths[0].parent} holds"
            stop.hint = (  # type: ignore[attr-defined]  # `hebbsim.interrupts.Interruption` shows it
                f"{where} {self.step} of {self.updates} updates; "
                "the same command resumes from there"
            )
            raise
        finally:
            for writer in self.writers:
                if writer is not None:
                    writer.close()
        self.save()
        return self.trained(rate, utilisation)

    def trained(self, rate: float, utilisation: float) -> list[Trained]:
        """Each member as a model of its own."""
        return [
            Trained(self.model.member(number).eval(), curve, rate, utilisation)
            for number, curve in enumerate(self.curves)
        ]

    @property
    def tokens_per_update(self) -> int:
        """Tokens of one member."""
        return self.training.batch * self.config.context

    def points(self) -> set[int]:
        """Updates after which to validate, evenly spaced on a logarithmic scale."""
        n = self.training.evaluations
        found = np.geomspace(max(1.0, self.updates / 32), self.updates, n)
        return {round(x) for x in found} | {self.updates}

    def update(self, objective: Any) -> list[float]:
        """One step of the optimizer on one batch of each member; returns their mean losses."""
        training, members = self.training, self.members
        numbers = [m.data.batch(m.seed, self.step, training.batch) for m in members]
        parts = [
            each.reshape(training.accumulate, self.world, -1)[:, self.rank] for each in numbers
        ]
        total = torch.zeros(len(members), device=self.device)
        for i, part in enumerate(zip(*parts, strict=True)):
            tokens, targets = _batch([m.data for m in members], part, self.device)
            alone = self.accelerator and i < training.accumulate - 1
            with self.accelerator.no_sync(objective) if alone else contextlib.nullcontext():
                with self.autocast():
                    losses = objective(tokens, targets)
                (losses.sum() / training.accumulate).backward()
            total += losses.detach() / training.accumulate
        if self.accelerator:
            total = self.accelerator.reduce(total, "mean")
        values = torch.stack([total, self.optimizer.clip()]).tolist()
        for member, value, norm in zip(members, *values, strict=True):
            if not (math.isfinite(value) and math.isfinite(norm)):
                kept = (
                    f"; {member.path} keeps update {self.saved_step}"
                    if self.saved_step is not None
                    else ""
                )
                raise DivergenceError(
                    f"{self.config.name}, seed {member.seed}: at rate "
                    f"{member.training.learning_rate:g} the loss is no longer finite at update "
                    f"{self.step + 1} of {self.updates}; lower --learning-rate{kept}"
                )
        self.optimizer.take_step(self.step, self.updates)
        return values[0]

    def look(self, losses: list[float], rate: float, utilisation: float) -> list[str]:
        """Validate, add a point to each curve, and return a line about each member."""
        with self.autocast():
            found = validation_losses(self.model, [m.validation for m in self.members])
        seen = self.step * self.tokens_per_update
        left = (self.updates - self.step) * self.tokens_per_update * len(self.members) / rate
        lines = []
        for number, member in enumerate(self.members):
            self.curves[number].append((seen, found[number]))
            if (writer := self.writers[number]) is not None:
                for name, value in {
                    "loss/train": losses[number], "loss/validation": found[number],
                    "speed/tokens_per_second": rate, "speed/flop_utilisation": utilisation,
                }.items():  # fmt: skip
                    writer.add_scalar(name, value, seen)
            lines.append(
                f"{self.config.name}, seed {member.seed}, rate {member.training.learning_rate:g}: "
                f"{seen:,} tokens, loss {losses[number]:.3f}, validation {found[number]:.3f}; "
                f"{rate:,.0f} tokens/s, {utilisation:.0%} of peak, {duration(left)} left"
            )
        return lines

    def save(self) -> None:
        """Write weights, optimizer state, position and curve of each member atomically."""
        if self.rank:
            return
        for number, member in enumerate(self.members):
            if member.path is None:
                continue
            arrays = {
                f"model/{name}": value[number].detach().cpu().numpy()
                for name, value in self.model.named_parameters()
            }
            arrays |= self.optimizer.state(number)
            description = member.identity(self.config)
            description |= {"step": self.step, "curve": self.curves[number]}
            try:
                member.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BadInputError(f"{member.path.parent}: {error.strerror}") from None
            write_checkpoint(member.path, KIND, arrays, description)
        self.saved_step = self.step


def validation_losses(
    model: LanguageModel, data: Sequence[Examples], limit: int = VALIDATION_TOKENS
) -> list[float]:
    """Mean loss of each member in nats over about `limit` tokens, evenly spread over its split."""
    numbers = [each.spread(limit) for each in data]
    device = model.embedding.weight.device
    total, training = np.zeros(len(data)), model.training
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(numbers[0]), 16):
            tokens, targets = _batch(data, [own[start : start + 16] for own in numbers], device)
            losses = model.loss(tokens, targets, segments_of(tokens, data[0].end))
            total += losses.double().cpu().numpy() * (len(tokens) // len(data))
    model.train(training)
    return (total / len(numbers[0])).tolist()


def _batch(
    data: Sequence[Examples], numbers: Sequence[NDArray[np.int64]], device: torch.device
) -> list[Tensor]:
    """Inputs and targets of all members, one member after another [each of shape (M B, T)]."""
    found = [each.examples(own) for each, own in zip(data, numbers, strict=True)]
    return [torch.from_numpy(np.concatenate(x)).to(device) for x in zip(*found, strict=True)]


def _fill(
    model: LanguageModel, number: int, weights: Mapping[str, Any], path: Path | None = None
) -> None:
    """Copy the weights of a member, arrays or tensors by name."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            own = weights.get(f"model/{name}")
            if own is None or tuple(own.shape) != tuple(value.shape[1:]):
                raise BadInputError(f"checkpoint {path}: {name} is missing or of another shape")
            value[number].copy_(torch.as_tensor(own))


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    said = []
    for key, here in wanted.items():
        there = found.get(key)
        if isinstance(there, dict) and isinstance(here, dict):
            for name in sorted(there.keys() | here.keys()):
                if there.get(name) != here.get(name):
                    said.append(f"{name} {there.get(name)} there, {here.get(name)} here")
        elif there != here:
            said.append(f"another {key}")
    return said


def _writer(log: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise BadInputError("--log needs the package tensorboard; pip install it") from None
    return SummaryWriter(str(log))


def duration(seconds: float) -> str:
    """Format a duration, such as ``3 min 20 s``.

    >>> duration(200), duration(7300)
    ('3 min 20 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"
