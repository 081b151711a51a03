"""Configurations of `hebbsim run lm | predictor | selection | depth | blimp | recall`."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from hebbsim.config import (
    COMPUTING,
    CORPUS,
    NETWORK,
    Count,
    ExperimentConfig,
    Listed,
    Seeds,
    computing_option,
    corpus_option,
    evaluation_option,
    option,
)
from hebbsim.errors import BadInputError
from hebbsim.lm.config import MEMORIES, PREDICTORS, Preset, load_preset, preset_names
from hebbsim.runs.corpus_config import FieldName

#: Sizes, from small to large.
_SIZES = preset_names()
#: Models by name: GPT-2, every memory, and traces with other predictors.
NAMES = ("gpt2", *MEMORIES, *(f"ema-{name}" for name in PREDICTORS if name != "linear"))


def model_values(name: str) -> dict[str, Any]:
    """Values of a `ModelConfig` for a model name; ValueError if no model has that name.

    >>> model_values("ema-mlp")
    {'architecture': 'spen', 'memory': 'ema', 'predictor': 'mlp'}
    """
    if name not in NAMES:
        raise ValueError(f"{name} is not one of {', '.join(NAMES)}")
    if name == "gpt2":
        return {"architecture": "gpt2"}
    memory, _, predictor = name.partition("-")
    return {"architecture": "spen", "memory": memory, "predictor": predictor or "linear"}


def _models(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        model_values(name)
    if not value or len(set(value)) < len(value):
        raise ValueError("name each model once, and at least one")
    return value


def _sizes(value: str) -> str:
    for name in value.split(","):
        if name not in _SIZES:
            raise ValueError(f"{name} is not one of {', '.join(_SIZES)}")
    return value


def _one_size(value: str) -> str:
    if "," in value:
        raise ValueError(f"{value}: the experiment runs one size; name one")
    return _sizes(value)


def in_data_folder(*parts: str) -> Path | None:
    """A path in $HEBBSIM_DATA_DIR, or None if it does not exist."""
    root = os.environ.get("HEBBSIM_DATA_DIR")
    path = Path(root, *parts) if root else None
    return path if path and path.exists() else None


def _of_preset(description: str, group: str = COMPUTING, **more: Any) -> Any:
    """An option whose default comes from the preset."""
    return option(description, group, default="the preset's", **more)


_TOKENS = "Number of tokens that each model learns from."
_BATCH = "Number of sequences in one update."
_RATE = "Peak learning rate."

# Fields of several experiments.
_Preset = Annotated[
    str, AfterValidator(_one_size), option(f"Size of the models: {', '.join(_SIZES)}.")
]
_Models = Annotated[
    tuple[str, ...],
    Listed,
    AfterValidator(_models),
    option(f"Comma-separated models: {', '.join(NAMES)}."),
]
_Evaluate = Annotated[int, evaluation_option("Number of tokens to score in each split.", ge=1)]
_Blimp = Annotated[
    Path | None,
    evaluation_option(
        "BLiMP's minimal pairs: blimp.jsonl, also as .gz, or its folder.",
        default="$HEBBSIM_DATA_DIR/blimp",
    ),
]
_Pairs = Annotated[int, evaluation_option("Number of minimal pairs per paradigm.", ge=1)]
_Store = Annotated[
    Path,
    computing_option(
        "Folder that keeps prepared text and trained models, so that an interrupted run can "
        "resume.",
        metavar="DIR",
        affects_results=False,
    ),
]
_Log = Annotated[
    Path | None,
    computing_option("Folder for TensorBoard's event files.", metavar="DIR", affects_results=False),
]
_Workers = Annotated[
    int | None,
    computing_option(
        "Number of models that train at the same time.",
        default="one per processor, or one on a GPU",
        affects_results=False,
        ge=1,
    ),
]
_STORE = Path("runs/lm-store")


class _Base(ExperimentConfig):
    """Common options of all experiments but recall."""

    preset: _Preset = "tiny"
    data: str | None = option(
        "Text to learn: a file or folder of text, JSON, CSV, parquet or CoNLL-U, builtin, c4, "
        "fineweb, or hf:NAME (a data set of Hugging Face).",
        metavar="NAME|PATH",
        default="$HEBBSIM_DATA_DIR/text",
    )
    field: FieldName = None
    vocabulary: Count | None = _of_preset("Number of tokens in the vocabulary.", CORPUS)
    tokenizer: Path | None = corpus_option(
        "Tokenizer to use: tokenizer.json, or a folder with GPT-2's vocab.json and merges.txt.",
        default="learned from the text",
    )
    seeds: Seeds = 3
    tokens: Count | None = _of_preset(_TOKENS, "")
    batch: Count | None = _of_preset(_BATCH)
    learning_rate: float | None = _of_preset(_RATE, gt=0)
    context: Count | None = _of_preset("Number of tokens in a sequence.", NETWORK)
    timescales: str | None = _of_preset(
        "Comma-separated trace timescales in tokens.", "", metavar="TAU,..."
    )
    precision: Literal["auto", "float32", "bfloat16"] | None = _of_preset(
        "Number format: auto (bfloat16 on CUDA), float32 or bfloat16.", value=None
    )
    store: _Store = _STORE
    log: _Log = None
    workers: _Workers = None

    def presets(self, model_name: str) -> list[Preset]:
        """One preset per size, for a model by name, with the given options."""
        model, training = (
            self.model_dump(include=names, exclude_none=True)
            for names in (
                {"vocabulary", "context", "timescales"},
                {"tokens", "batch", "precision", "learning_rate"},
            )
        )
        model |= model_values(model_name)
        return [load_preset(size, model, training) for size in self.preset.split(",")]

    def source(self) -> str:
        """The data to read; raises BadInputError if none is given and there is no default."""
        if found := self.data or in_data_folder("text"):
            return str(found)
        raise BadInputError(
            "--data: give text (a file, a folder, c4, fineweb, hf:NAME), or put a folder text "
            "into $HEBBSIM_DATA_DIR; --data builtin tries it on the built-in grammar"
        )


class LmConfig(_Base):
    """`hebbsim run lm`: loss over tokens and parameters; all models are compared with ``gpt2``."""

    preset: Annotated[str, AfterValidator(_sizes)] = option(
        f"Comma-separated sizes of the models: {', '.join(_SIZES)}.", value="tiny"
    )
    models: _Models = ("ema", "gpt2")
    learning_rates: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Listed] = computing_option(
        "Comma-separated peak learning rates to try with the first seed; all seeds of a "
        "model then use the one that is best on validation.",
        value=(),
        default="--learning-rate alone",
    )
    validation: Annotated[tuple[str, ...], Listed] = evaluation_option(
        "Comma-separated additional texts to evaluate on.",
        value=(),
        default="the C4 sample of $HEBBSIM_DATA_DIR if present",
    )
    evaluate: _Evaluate = 65_536


class PredictorConfig(_Base):
    """`hebbsim run predictor`: linear, MLP and attention over the traces."""

    models: _Models = ("ema", "ema-mlp", "ema-attention")
    evaluate: _Evaluate = 65_536


class SelectionConfig(_Base):
    """`hebbsim run selection`: the ladder on text, BLiMP and recall."""

    models: _Models = MEMORIES
    evaluate: _Evaluate = 65_536
    blimp: _Blimp = None
    pairs: _Pairs = 30
    recall_seeds: int = evaluation_option(
        "Number of repetitions of associative recall; 0 skips it.", value=3, ge=0
    )
    recall_tokens: Count = evaluation_option(
        "Number of tokens that each model learns recall from.", value=1_000_000
    )


class BlimpConfig(_Base):
    """`hebbsim run blimp`: minimal pairs by phenomenon."""

    models: _Models = ("ema", "gpt2")
    blimp: _Blimp = None
    pairs: _Pairs = 300


class RecallConfig(ExperimentConfig):
    """`hebbsim run recall`: associative recall and copying of generated sequences.

    The preset gives the size of the models; vocabulary and context follow from the task.
    """

    models: _Models = ("gpt2", *MEMORIES)
    task: Literal["mqar", "copy", "both"] = option(
        "Task to learn: mqar (associative recall), copy, or both.", value="both"
    )
    preset: _Preset = "nano"
    pairs: Annotated[tuple[Count, ...], Listed] = option(
        "Comma-separated numbers of pairs, or of tokens to copy, to learn and score.",
        value=(4, 8, 16),
    )
    keys: Count = evaluation_option("Number of distinct keys, and of distinct values.", value=32)
    length: Count = evaluation_option("Number of tokens in an mqar sequence.", value=48)
    tokens: Count = option(_TOKENS, value=1_000_000)
    batch: Count = computing_option(_BATCH, value=64)
    learning_rate: float = computing_option(_RATE, value=3e-3, gt=0)
    seeds: Seeds = 3
    evaluate: Count = evaluation_option(
        "Number of sequences scored for each number of pairs.", value=512
    )
    store: _Store = _STORE
    log: _Log = None
    workers: _Workers = None


class DepthConfig(_Base):
    """`hebbsim run depth`: readability of layers, and loss."""

    preset: _Preset = "nano"
    model: str = option(f"Model whose layers are stacked: {', '.join(NAMES)}.", value="ema")
    layers: Annotated[tuple[Count, ...], Listed] = option(
        "Comma-separated depths to try, in layers.", value=(4, 12, 24, 48)
    )
    evaluate: Count = evaluation_option(
        "Number of tokens for the probes, half to learn and half to score.", value=8_192
    )

    @field_validator("model")
    @classmethod
    def _named(cls, value: str) -> str:
        model_values(value)
        return value
