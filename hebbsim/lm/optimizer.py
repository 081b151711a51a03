"""AdamW for models of one shape, over one array of all their weights."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from hebbsim.lm.config import TrainingConfig
from hebbsim.lm.model import LanguageModel

#: Values per cache line. Each parameter of a member starts at the beginning of one.
_LINE = 16
_MOMENTS = ("exp_avg", "exp_avg_sq")


class Optimizer:
    """AdamW with weight decay for matrices, but not for gains, biases or decays of traces.

    The weights of all members move into one array with a row for each member, and their gradients
    into another; the parameters become views. So a step is one pass over memory, whatever the
    number of parameters and members. The `trainings` differ only in their learning rates.
    """

    def __init__(self, model: LanguageModel, trainings: Sequence[TrainingConfig]) -> None:
        self.trainings = trainings
        parameters = sorted(model.parameters(), key=lambda p: p.ndim < 3)
        sizes = [-(-p[0].numel() // _LINE) * _LINE for p in parameters]
        first = parameters[0]
        flat = first.new_zeros((model.members, sum(sizes)), requires_grad=False)
        self.gradients = torch.zeros_like(flat)
        self.parts: list[tuple[Parameter, Tensor]] = []
        at, matrices = 0, 0
        for p, size in zip(parameters, sizes, strict=True):
            part = slice(at, at + p[0].numel())
            flat[:, part] = p.detach().flatten(1)
            p.data, gradient = (x[:, part].view_as(p) for x in (flat, self.gradients))
            self.parts.append((p, gradient))
            at += size
            matrices += size if p.ndim >= 3 else 0
        groups = []
        for row, slope, training in zip(flat, self.gradients, trainings, strict=True):
            for part, decay in (
                (slice(matrices), training.weight_decay), (slice(matrices, None), 0.0),
            ):  # fmt: skip
                own = row[part].requires_grad_()
                own.grad = slope[part]
                groups.append({"params": [own], "weight_decay": decay})
        betas = (trainings[0].beta1, trainings[0].beta2)
        self.adamw = torch.optim.AdamW(groups, lr=1.0, betas=betas, fused=True)

    def clip(self) -> Tensor:
        """Collect the gradients, and clip their norm per member; returns the norms before."""
        for p, gradient in self.parts:
            assert p.grad is not None
            gradient.copy_(p.grad)
            p.grad = None
        norms = self.gradients.norm(dim=1)
        share = self.trainings[0].clip / (norms + 1e-6)
        self.gradients.mul_(share.clamp(max=1.0)[:, None])
        return norms

    def take_step(self, step: int, updates: int) -> None:
        """Update the weights."""
        for number, training in enumerate(self.trainings):
            for group in self._groups(number):
                group["lr"] = learning_rate(training, step, updates)
        self.adamw.step()

    def state(self, number: int) -> dict[str, Any]:
        """Moments of a member in the order of its weights [each of shape (P,)]."""
        parts = [self.adamw.state[group["params"][0]] for group in self._groups(number)]
        if not parts[0]:
            return {}
        return {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in _MOMENTS}

    def load(self, number: int, step: int, arrays: Mapping[str, Any]) -> None:
        """Continue from the `state` after `step` steps."""
        at = 0
        for group in self._groups(number):
            (own,) = group["params"]
            part = slice(at, at + len(own))
            self.adamw.state[own] = {"step": torch.tensor(float(step), device=own.device)} | {
                name: torch.from_numpy(arrays[name])[part].to(own.device, copy=True)
                for name in _MOMENTS
            }
            at += len(own)

    def _groups(self, number: int) -> list[dict[str, Any]]:
        return self.adamw.param_groups[2 * number : 2 * number + 2]


def learning_rate(training: TrainingConfig, step: int, updates: int) -> float:
    """The learning rate of update `step`, counted from 0: linear warm-up, then a cosine.

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
