"""`hebbsim run lm | predictor | selection | depth | blimp | recall`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hebbsim.cli.carry_out import Overwrite, carry_out
from hebbsim.cli.text_options import Field

__all__ = ["register"]

# Options that several of the commands have.
_Preset = Annotated[
    str, typer.Option(help="Size: pico, nano, micro, tiny, small, 130m, 130m-gpt2.")
]
_Presets = Annotated[
    str,
    typer.Option(help="Sizes, comma-separated: pico, nano, micro, tiny, small, 130m, 130m-gpt2."),
]
_Data = Annotated[
    str | None,
    typer.Option(
        help="Text: a file or folder of text, JSON, CSV, parquet or CoNLL-U, builtin, c4, fineweb, "
        "hf:NAME (default: $HEBBSIM_DATA_DIR/text)."
    ),
]
_Seeds = Annotated[int, typer.Option(help="Repetitions, with seeds from 0.")]
_Tokens = Annotated[
    int | None, typer.Option(help="Tokens that each model learns from (default: the preset's).")
]
_Batch = Annotated[
    int | None, typer.Option(help="Sequences of one update (default: the preset's).")
]
_Rate = Annotated[float | None, typer.Option(help="Peak learning rate (default: the preset's).")]
_Context = Annotated[int | None, typer.Option(help="Tokens of a sequence (default: the preset's).")]
_Vocabulary = Annotated[
    int | None, typer.Option(help="Tokens of the vocabulary (default: the preset's).")
]
_Tokenizer = Annotated[
    Path | None,
    typer.Option(
        help="tokenizer.json, or a folder with GPT-2's vocab.json and merges.txt (default: learned "
        "from the text)."
    ),
]
_Timescales = Annotated[
    str | None, typer.Option(help="Comma-separated trace timescales in tokens (default: 2,10,50).")
]
_Precision = Annotated[
    str | None,
    typer.Option(help="auto (bfloat16 on CUDA), float32 or bfloat16 (default: the preset's)."),
]
_Store = Annotated[
    Path, typer.Option(help="Folder of packed text and trained models; resumed from.")
]
_Log = Annotated[Path | None, typer.Option(help="Folder for TensorBoard's event files.")]
_Workers = Annotated[
    int | None,
    typer.Option(
        help="Processes that train models side by side (default: one a processor, on a GPU one)."
    ),
]
_Out = Annotated[Path | None, typer.Option(help="Run folder (default: a new runs/COMMAND-PRESET).")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
_Evaluate = Annotated[int, typer.Option(help="Tokens of each split that are scored.")]
_Blimp = Annotated[
    Path | None,
    typer.Option(help="blimp.jsonl[.gz] or a folder (default: $HEBBSIM_DATA_DIR/blimp)."),
]
_STORE = Path("runs/lm-store")


def _models(default: str) -> Any:
    return typer.Option(
        help="Comma-separated models: gpt2, window, ema, learned, gated, hebbian, delta, "
        f"attention, ema-mlp, ema-attention (default: {default})."
    )


def register(app: typer.Typer) -> None:
    """Mount the commands below `hebbsim run`."""
    for command in (lm, predictor, selection, depth, blimp, recall):
        app.command()(command)


def _run(name: str, config_name: str, given: dict[str, Any]) -> None:
    """Check the options, and carry the experiment out."""
    from hebbsim.experiments.language_models import config as lm_config

    out, overwrite, json = (given.pop(name) for name in ("out", "overwrite", "json"))
    options = {k: v for k, v in given.items() if v is not None}
    config = getattr(lm_config, config_name).checked(options)
    slug = config.preset.replace(",", "-")

    from hebbsim.experiments.language_models.base import need_torch
    from hebbsim.experiments.language_models.store import rank
    from hebbsim.experiments.language_models.table import show
    from hebbsim.runs.registry import get_experiment

    need_torch()
    run = get_experiment(name).run
    if rank():  # one of several that torchrun started: the first one speaks
        run(config)
    else:
        default = Path("runs") / f"{name}-{slug}"
        carry_out(run, show, config, out, default, overwrite=overwrite, json=json)


def lm(
    preset: _Presets = "tiny",
    models: Annotated[str | None, _models("ema,gpt2")] = None,
    data: _Data = None,
    field: Field = None,
    validation: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated further sources to evaluate on (default: the C4 sample of "
            "$HEBBSIM_DATA_DIR, if present)."
        ),
    ] = None,
    seeds: _Seeds = 3,
    tokens: _Tokens = None,
    batch: _Batch = None,
    learning_rate: _Rate = None,
    context: _Context = None,
    vocabulary: _Vocabulary = None,
    tokenizer: _Tokenizer = None,
    timescales: _Timescales = None,
    precision: _Precision = None,
    evaluate: _Evaluate = 65_536,
    store: _Store = _STORE,
    log: _Log = None,
    workers: _Workers = None,
    out: _Out = None,
    overwrite: Overwrite = False,
    json: _Json = False,
) -> None:
    """Train language models with traces for context beside GPT-2's architecture.

    Equally large, on the same tokens in the same order: loss over tokens and over parameters,
    the ratio of their perplexities, and perplexity by what there is to predict. Interrupted,
    the same command goes on.
    """
    _run("lm", "LmConfig", locals())


def predictor(
    preset: _Preset = "tiny",
    models: Annotated[str | None, _models("ema,ema-mlp,ema-attention")] = None,
    data: _Data = None,
    field: Field = None,
    seeds: _Seeds = 3,
    tokens: _Tokens = None,
    batch: _Batch = None,
    learning_rate: _Rate = None,
    context: _Context = None,
    vocabulary: _Vocabulary = None,
    tokenizer: _Tokenizer = None,
    timescales: _Timescales = None,
    precision: _Precision = None,
    evaluate: _Evaluate = 65_536,
    store: _Store = _STORE,
    log: _Log = None,
    workers: _Workers = None,
    out: _Out = None,
    overwrite: Overwrite = False,
    json: _Json = False,
) -> None:
    """Does a better predictor over the same traces help? Linear, MLP, softmax attention."""
    _run("predictor", "PredictorConfig", locals())


def selection(
    preset: _Preset = "tiny",
    models: Annotated[
        str | None, _models("window,ema,learned,gated,hebbian,delta,attention")
    ] = None,
    data: _Data = None,
    field: Field = None,
    blimp: _Blimp = None,
    pairs: Annotated[int, typer.Option(help="Minimal pairs of each paradigm.")] = 30,
    recall_seeds: Annotated[
        int, typer.Option(help="Repetitions of associative recall; 0 for none.")
    ] = 3,
    recall_tokens: Annotated[
        int, typer.Option(help="Tokens that each model learns recall from.")
    ] = 1_000_000,
    seeds: _Seeds = 3,
    tokens: _Tokens = None,
    batch: _Batch = None,
    learning_rate: _Rate = None,
    context: _Context = None,
    vocabulary: _Vocabulary = None,
    tokenizer: _Tokenizer = None,
    timescales: _Timescales = None,
    precision: _Precision = None,
    evaluate: _Evaluate = 65_536,
    store: _Store = _STORE,
    log: _Log = None,
    workers: _Workers = None,
    out: _Out = None,
    overwrite: Overwrite = False,
    json: _Json = False,
) -> None:
    """The ladder of selection: one block, one memory after another.

    Window, traces, learned decays, input-dependent gates, Hebbian and delta-rule fast weights,
    attention: loss on text, BLiMP and associative recall.
    """
    _run("selection", "SelectionConfig", locals())


def depth(
    preset: _Preset = "nano",
    model: Annotated[str, typer.Option(help="Whose blocks are stacked.")] = "ema",
    layers: Annotated[
        str | None, typer.Option(help="Comma-separated depths (default: 4,12,24,48).")
    ] = None,
    data: _Data = None,
    field: Field = None,
    seeds: _Seeds = 3,
    tokens: _Tokens = None,
    batch: _Batch = None,
    learning_rate: _Rate = None,
    context: _Context = None,
    vocabulary: _Vocabulary = None,
    tokenizer: _Tokenizer = None,
    timescales: _Timescales = None,
    precision: _Precision = None,
    evaluate: Annotated[int, typer.Option(help="Tokens that probes read.")] = 8_192,
    store: _Store = _STORE,
    log: _Log = None,
    workers: _Workers = None,
    out: _Out = None,
    overwrite: Overwrite = False,
    json: _Json = False,
) -> None:
    """Dilution over depth: a residual stream against learned selection over layers.

    How much of each layer a linear probe reads at the top, how much gradient reaches it, and
    the loss.
    """
    _run("depth", "DepthConfig", locals())


def blimp(
    preset: _Preset = "tiny",
    models: Annotated[str | None, _models("ema,gpt2")] = None,
    data: _Data = None,
    field: Field = None,
    blimp: _Blimp = None,
    pairs: Annotated[int, typer.Option(help="Minimal pairs of each paradigm.")] = 300,
    seeds: _Seeds = 3,
    tokens: _Tokens = None,
    batch: _Batch = None,
    learning_rate: _Rate = None,
    context: _Context = None,
    vocabulary: _Vocabulary = None,
    tokenizer: _Tokenizer = None,
    timescales: _Timescales = None,
    precision: _Precision = None,
    store: _Store = _STORE,
    log: _Log = None,
    workers: _Workers = None,
    out: _Out = None,
    overwrite: Overwrite = False,
    json: _Json = False,
) -> None:
    """Minimal pairs of BLiMP by phenomenon: what survives with structure alone."""
    _run("blimp", "BlimpConfig", locals())


def recall(
    preset: _Preset = "nano",
    models: Annotated[
        str | None, _models("gpt2,window,ema,learned,gated,hebbian,delta,attention")
    ] = None,
    task: Annotated[str, typer.Option(help="mqar, copy, or both.")] = "both",
    pairs: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated numbers of pairs, or of copied tokens (default: 4,8,16)."
        ),
    ] = None,
    keys: Annotated[int, typer.Option(help="Distinct keys, and as many values.")] = 32,
    length: Annotated[int, typer.Option(help="Tokens of a sequence of associative recall.")] = 48,
    tokens: Annotated[int, typer.Option(help="Tokens that each model learns from.")] = 1_000_000,
    batch: Annotated[int, typer.Option(help="Sequences of one update.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 3e-3,
    seeds: _Seeds = 3,
    evaluate: Annotated[int, typer.Option(help="Sequences scored for each number.")] = 512,
    store: _Store = _STORE,
    log: _Log = None,
    workers: _Workers = None,
    out: _Out = None,
    overwrite: Overwrite = False,
    json: _Json = False,
) -> None:
    """Associative recall (MQAR) and copying by memory, number of pairs and distance."""
    _run("recall", "RecallConfig", locals())
