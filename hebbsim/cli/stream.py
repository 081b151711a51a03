"""`hebbsim run stream`, and the lines that it prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbsim.cli.carry_out import Overwrite, Rules, Settings, carry_out
from hebbsim.cli.text_options import Field, Sentences, Tokenizer

if TYPE_CHECKING:
    from hebbsim.runs.results import Results


def stream(
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE...",
            help="Files or folders of text, CoNLL-U, JSON, CSV, TSV or parquet, plain or "
            "compressed; - for standard input (default: builtin). Of a treebank's folder, the "
            "training split alone.",
        ),
    ] = None,
    tokenizer: Tokenizer = "plain",
    field: Field = None,
    sentences: Sentences = "auto",
    learner: Annotated[
        str,
        typer.Option(help="roles: the network that learns roles; engine: one local rule."),
    ] = "roles",
    network: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Network that learns roles, a TOML file (default: roles, the one that ships).",
        ),
    ] = None,
    setting: Settings = None,
    score: Annotated[
        str | None,
        typer.Option(
            metavar="CORPUS",
            help="Annotated corpus to score on after every stretch: dev names clusters, test is "
            "scored. No label reaches the learner.",
        ),
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(help="Tokens to learn, the files over and over (default: once through)."),
    ] = None,
    stretch: Annotated[int, typer.Option(help="Tokens learned at a time.")] = 100_000,
    every: Annotated[
        int, typer.Option(help="Tokens from one checkpoint to the next; two are kept.")
    ] = 1_000_000,
    timescales: Annotated[
        str | None,
        typer.Option(help="Comma-separated trace timescales in tokens (default: 2,8,32)."),
    ] = None,
    clusters: Annotated[
        int | None, typer.Option(metavar="K", help="Clusters of roles (default: 300).")
    ] = None,
    dim: Annotated[int, typer.Option(metavar="D", help="Dimensions of the engine.")] = 64,
    rule: Annotated[str, typer.Option(help="Learning rule of the engine.")] = "oja",
    rules: Rules = None,
    types: Annotated[
        int, typer.Option(metavar="V", help="Maximum vocabulary size (bounds memory use).")
    ] = 30_000,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: a new runs/stream).")
    ] = None,
    overwrite: Overwrite = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
) -> None:
    """Learn from a stream of any length in constant memory, and measure that it is so.

    The learner is kept as learner.safetensors in the run folder. Interrupted, the same command
    goes on from the last checkpoint.
    """
    from hebbsim.experiments.stream.run import StreamConfig, run_stream

    given: dict[str, Any] = {
        "corpus": tuple(corpus) if corpus else None, "tokenizer": tokenizer, "field": field,
        "sentences": sentences, "learner": learner, "network": network,
        "settings": tuple(setting or ()), "score": score, "tokens": tokens,
        "stretch": stretch, "every": every, "timescales": timescales, "clusters": clusters,
        "dim": dim, "rule": rule, "rules": rules, "types": types, "seed": seed,
    }  # fmt: skip
    config = StreamConfig.checked({k: v for k, v in given.items() if v is not None})
    default = Path("runs") / "stream"
    carry_out(run_stream, show, config, out, default, overwrite=overwrite, json=json)


def show(results: Results, folder: Path) -> None:
    """Print what a run found."""
    from hebbsim.runs.terminal import Console

    console = Console(highlight=False, soft_wrap=True)
    found = {row.metric: row for row in results.rows}
    cost = found["microseconds_per_token"]
    console.print(f"{found['tokens'].mean:,.0f} tokens of {cost.corpus}", markup=False)
    spread = "" if cost.low is None else f" (quartiles {cost.low:.3g} to {cost.high:.3g})"
    console.print(f"CPU time a token  {cost.mean:.3g} us{spread}")
    console.print(f"Memory            {found['memory'].mean:,.0f} MB at the end")
    slope = found.get("memory_slope")
    if slope is not None:
        console.print(
            f"Memory's slope    {slope.mean:.3g} MB a million tokens "
            f"({slope.low:.3g} to {slope.high:.3g}), second half"
        )
    console.print(f"10^9 tokens       {cost.mean * 1e3 / 3600:,.1f} hours of CPU at this pace")
    accuracy = found.get("accuracy")  # the last of them
    if accuracy is not None:
        console.print(
            f"Accuracy          {accuracy.mean:.3f} on test of {accuracy.corpus} at the end, "
            "clusters named on its dev",
            markup=False,
        )
    for note in results.notes:
        console.print(f"Note: {note}", markup=False)
    console.print(f"Learner, figure and tables: {folder}", markup=False)
