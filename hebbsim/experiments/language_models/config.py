"""Configurations of `hebbsim run lm | predictor | selection | depth | blimp | recall`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from hebbsim.config import ExperimentConfig
from hebbsim.errors import BadInputError
from hebbsim.lm.config import MEMORIES, PREDICTORS, Preset, load_preset, preset_names

__all__ = [
    "BlimpConfig",
    "DepthConfig",
    "LmConfig",
    "PredictorConfig",
    "RecallConfig",
    "SelectionConfig",
    "model_values",
]

_Count = Annotated[int, Field(ge=1)]

#: Models that the commands know by name, beside the rungs of the ladder.
NAMES = ("gpt2", *MEMORIES, *(f"ema-{name}" for name in PREDICTORS if name != "linear"))


def model_values(name: str) -> dict[str, Any]:
    """Values of a `ModelConfig` that make the model of that name.

    Raises
    ------
    ValueError
        No such model.

    Examples
    --------
    >>> model_values("ema-mlp")
    {'architecture': 'spen', 'memory': 'ema', 'predictor': 'mlp'}
    """
    if name not in NAMES:
        raise ValueError(f"{name} is not one of {', '.join(NAMES)}")
    if name == "gpt2":
        return {"architecture": "gpt2"}
    memory, _, predictor = name.partition("-")
    return {"architecture": "spen", "memory": memory, "predictor": predictor or "linear"}


def _read_list(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


class _Base(ExperimentConfig):
    """What all six have in common.

    Attributes
    ----------
    preset : str
    data : str
        A source of text (`hebbsim.lm.sources`); without, ``$HEBBSIM_DATA_DIR/text``.
    field : str, optional
        Field or column that holds the text, in JSON, tables and parquet.
    vocabulary : int, optional
        Tokens of the vocabulary; the preset's without.
    tokenizer : Path, optional
        ``tokenizer.json`` or a folder with GPT-2's files; learned from the data without.
    seeds : int
    tokens, batch, learning_rate, context, timescales, precision
        In place of the preset's.
    store : Path
        Packed data and trained models. What is there is used, what is half done goes on.
    workers : int, optional
        Processes that train models side by side; as many as processors without, on a GPU one.
    """

    preset: str = "tiny"
    data: str | None = None
    field: str | None = None
    vocabulary: _Count | None = None
    tokenizer: Path | None = None
    seeds: _Count = 3
    tokens: _Count | None = None
    batch: _Count | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    context: _Count | None = None
    timescales: str | None = None
    precision: Literal["auto", "float32", "bfloat16"] | None = None
    store: Path = Path("runs/lm-store")
    log: Path | None = None
    workers: _Count | None = None

    @field_validator("preset")
    @classmethod
    def _known(cls, value: str) -> str:
        for name in value.split(","):
            if name not in preset_names():
                raise ValueError(f"{name} is not one of {', '.join(preset_names())}")
        return value

    def presets(self, values: dict[str, Any]) -> list[Preset]:
        """One for each size, with the values of a model and the options in place."""
        model = {"vocabulary": self.vocabulary, "context": self.context}
        model["timescales"] = self.timescales  # type: ignore[assignment]
        training = {"tokens": self.tokens, "batch": self.batch, "precision": self.precision}
        training["learning_rate"] = self.learning_rate  # type: ignore[assignment]
        given = [{k: v for k, v in part.items() if v is not None} for part in (model, training)]
        return [load_preset(name, given[0] | values, given[1]) for name in self.preset.split(",")]

    def source(self) -> str:
        """The data, found.

        Raises
        ------
        BadInputError
            None was given and there is no default.
        """
        if self.data is not None:
            return self.data
        root = os.environ.get("HEBBSIM_DATA_DIR")
        if root and (Path(root) / "text").is_dir():
            return str(Path(root) / "text")
        raise BadInputError(
            "--data: give text (a file, a folder, c4, fineweb, hf:NAME), or put a folder text "
            "into $HEBBSIM_DATA_DIR; --data builtin tries it on the built-in grammar"
        )

    def resolved(self) -> dict[str, Any]:
        """Every value but those that change no number."""
        return self.model_dump(mode="json", exclude={"store", "log", "workers"})


def _models(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        model_values(name)
    if not value or len(set(value)) < len(value):
        raise ValueError("name each model once, and at least one")
    return value


class LmConfig(_Base):
    """`hebbsim run lm`: loss over tokens and parameters.

    Attributes
    ----------
    models : tuple of str
        The first but one is compared with ``gpt2``.
    validation : tuple of str
        Further sources to evaluate on, such as a C4-format validation shard; without,
        ``$HEBBSIM_DATA_DIR/c4-sample`` where it is there.
    evaluate : int
        Tokens of each split that the last evaluation reads.
    """

    models: tuple[str, ...] = ("ema", "gpt2")
    validation: tuple[str, ...] = ()
    evaluate: _Count = 65_536

    _list = field_validator("models", "validation", mode="before")(_read_list)
    _names = field_validator("models")(_models)


class PredictorConfig(_Base):
    """`hebbsim run predictor`: linear, MLP and attention over the traces."""

    models: tuple[str, ...] = ("ema", "ema-mlp", "ema-attention")
    evaluate: _Count = 65_536

    _list = field_validator("models", mode="before")(_read_list)
    _names = field_validator("models")(_models)


class SelectionConfig(_Base):
    """`hebbsim run selection`: the ladder on text, BLiMP and recall.

    Attributes
    ----------
    blimp : Path, optional
        ``blimp.jsonl[.gz]``; without, the one in ``$HEBBSIM_DATA_DIR/blimp`` where it is there.
    pairs : int
        Minimal pairs of each paradigm.
    recall_seeds : int
        Repetitions of associative recall; 0 leaves it out.
    recall_tokens : int
        Tokens that a model sees of it.
    """

    models: tuple[str, ...] = MEMORIES
    evaluate: _Count = 65_536
    blimp: Path | None = None
    pairs: _Count = 30
    recall_seeds: Annotated[int, Field(ge=0)] = 3
    recall_tokens: _Count = 1_000_000

    _list = field_validator("models", mode="before")(_read_list)
    _names = field_validator("models")(_models)


class BlimpConfig(_Base):
    """`hebbsim run blimp`: minimal pairs by phenomenon."""

    models: tuple[str, ...] = ("ema", "gpt2")
    blimp: Path | None = None
    pairs: _Count = 300

    _list = field_validator("models", mode="before")(_read_list)
    _names = field_validator("models")(_models)


class RecallConfig(ExperimentConfig):
    """`hebbsim run recall`: associative recall and copying, made by rule.

    Attributes
    ----------
    models : tuple of str
    task : {"mqar", "copy", "both"}
    preset : str
        Whose sizes the model has; its vocabulary and context come from the task.
    pairs : tuple of int
        Numbers of pairs (of copied tokens); all are trained on, each is scored.
    keys : int
        Distinct keys, and as many values.
    length : int
        Tokens of a sequence of MQAR.
    tokens, batch, learning_rate, seeds, store, workers
        As elsewhere.
    evaluate : int
        Sequences that are scored for each number of pairs.
    """

    models: tuple[str, ...] = ("gpt2", *MEMORIES)
    task: Literal["mqar", "copy", "both"] = "both"
    preset: str = "nano"
    pairs: tuple[_Count, ...] = (4, 8, 16)
    keys: _Count = 32
    length: _Count = 48
    tokens: _Count = 1_000_000
    batch: _Count = 64
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    seeds: _Count = 3
    evaluate: _Count = 512
    store: Path = Path("runs/lm-store")
    log: Path | None = None
    workers: _Count | None = None

    _list = field_validator("models", "pairs", mode="before")(_read_list)
    _names = field_validator("models")(_models)

    def resolved(self) -> dict[str, Any]:
        """Every value but those that change no number."""
        return self.model_dump(mode="json", exclude={"store", "log", "workers"})


class DepthConfig(_Base):
    """`hebbsim run depth`: what stays readable over layers, and the loss.

    Attributes
    ----------
    model : str
    layers : tuple of int
        Depths.
    evaluate : int
        Tokens that probes are fitted and scored on.
    """

    preset: str = "nano"
    model: str = "ema"
    layers: tuple[_Count, ...] = (4, 12, 24, 48)
    evaluate: _Count = 8_192

    _list = field_validator("layers", mode="before")(_read_list)

    @field_validator("model")
    @classmethod
    def _named(cls, value: str) -> str:
        model_values(value)
        return value
