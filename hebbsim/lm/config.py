"""Configurations of language models and their training; presets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from hebbsim.config import Count, ExperimentConfig, Timescales
from hebbsim.errors import BadInputError

_Memory = Literal["window", "ema", "learned", "gated", "hebbian", "delta", "attention"]
_Predictor = Literal["linear", "mlp", "attention"]

#: The ladder of selection, from no memory beyond a window to attention.
MEMORIES: tuple[str, ...] = get_args(_Memory)
PREDICTORS: tuple[str, ...] = get_args(_Predictor)


class ModelConfig(ExperimentConfig):
    """A language model.

    Examples
    --------
    >>> ModelConfig(parameters=1_300_000).name
    'ema'
    >>> ModelConfig(architecture="gpt2", hidden=512).name
    'gpt2'
    """

    architecture: Literal["spen", "gpt2"] = "spen"
    #: Memory of a SPEN block; one of `MEMORIES`.
    memory: _Memory = "ema"
    #: Predictor of a SPEN block's input from the memory one token earlier.
    predictor: _Predictor = "linear"
    #: Input of a block: the sum of all earlier layers, or a learned, input-dependent selection.
    depth: Literal["residual", "selection"] = "residual"
    #: V, T, D, L, and the number of heads of attention and fast weights.
    vocabulary: Annotated[int, Field(ge=2, le=65536)] = 2048
    context: Annotated[int, Field(ge=2)] = 256
    dim: Count = 128
    layers: Count = 4
    heads: Count = 4
    #: Timescales of the traces, in tokens.
    timescales: Timescales = (2.0, 10.0, 50.0)
    #: Number of tokens in the memory ``window``, including the current one.
    window: Count = 4
    #: Units of the feed-forward layer (default: the number that gives `parameters`).
    hidden: Count | None = None
    #: Share of those units that stay active at each token in SPEN.
    active: Annotated[float, Field(gt=0, le=1)] = 0.06
    #: Target number of parameters; the tied embedding counts once.
    parameters: Count | None = None

    @model_validator(mode="after")
    def _fits(self) -> ModelConfig:
        if self.dim % (2 * self.heads):
            raise ValueError(
                f"dim {self.dim} is no multiple of twice the heads ({self.heads}); change either"
            )
        if self.hidden is None and self.parameters is None:
            raise ValueError("give hidden or parameters")
        return self

    @property
    def name(self) -> str:
        """Name of the model in results."""
        if self.architecture == "gpt2":
            name = "gpt2"
        else:
            name = self.memory if self.predictor == "linear" else f"{self.memory}-{self.predictor}"
        return name if self.depth == "residual" else f"{name}-selection"


class TrainingConfig(ExperimentConfig):
    """How a model is trained."""

    #: Total number of tokens; a shorter corpus is read several times, each in another order.
    tokens: Count = 3_000_000
    #: Sequences per update, over all processes and steps of gradient accumulation.
    batch: Count = 16
    #: Number of steps of gradient accumulation per update.
    accumulate: Count = 1
    #: Peak learning rate of AdamW. It rises linearly over the share `warmup` of all updates and
    #: then follows a cosine down to the share `floor` of the peak.
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05
    floor: Annotated[float, Field(ge=0, le=1)] = 0.1
    #: Parameters of AdamW; `clip` bounds the norm of the gradient.
    weight_decay: Annotated[float, Field(ge=0)] = 0.1
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.95
    clip: Annotated[float, Field(gt=0)] = 1.0
    #: auto means bfloat16 autocast on CUDA and float32 elsewhere.
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    #: Use `torch.compile`, which pays off on CUDA.
    compile: bool = False
    #: Number of points of the validation curve.
    evaluations: Count = 8
    #: Seconds between checkpoints.
    checkpoint_every: Annotated[float, Field(ge=0)] = 60.0

    @model_validator(mode="after")
    def _parts(self) -> TrainingConfig:
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} is no multiple of accumulate {self.accumulate}")
        return self

    def updates(self, context: int) -> int:
        """Number of updates for `tokens`, rounded up."""
        return -(-self.tokens // (self.batch * context))


class Preset(ExperimentConfig):
    """A model size: a model and the training that suits it."""

    model: ModelConfig
    training: TrainingConfig

    def replaced(self, training: Mapping[str, Any] | None = None, **model: Any) -> Preset:
        """A copy with other values of the training and of the model."""
        return Preset(
            model=self.model.model_copy(update=model),
            training=self.training.model_copy(update=training),
        )


def preset_names() -> list[str]:
    """Names of the presets, by number of parameters."""
    folder = files("hebbsim.lm").joinpath("presets")
    found = [p.name.removesuffix(".json") for p in folder.iterdir() if p.name.endswith(".json")]
    return sorted(found, key=lambda name: (load_preset(name).model.parameters or 0, name))


def load_preset(
    name: str, model: Mapping[str, Any] | None = None, training: Mapping[str, Any] | None = None
) -> Preset:
    """Load a preset by name, with some values replaced.

    Raises BadInputError if the preset does not exist, or a value is invalid.

    >>> load_preset("tiny", {"predictor": "mlp"}).model.name
    'ema-mlp'
    """
    path = files("hebbsim.lm").joinpath("presets").joinpath(f"{name}.json")
    if not path.is_file():
        raise BadInputError(f"--preset {name}: not one of {', '.join(preset_names())}")
    values = json.loads(path.read_text(encoding="utf-8"))
    return Preset(
        model=ModelConfig.checked(values["model"] | dict(model or {})),
        training=TrainingConfig.checked(values["training"] | dict(training or {})),
    )
