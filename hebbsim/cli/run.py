"""`hebbsim run EXPERIMENT`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbsim.cli import run_lm
from hebbsim.cli.carry_out import Overwrite, Rules, carry_out
from hebbsim.cli.options import Run, verb
from hebbsim.cli.stream import stream

if TYPE_CHECKING:
    from hebbsim.experiments.roles_config import RolesConfig

app = typer.Typer(
    help="Run an experiment and write its tables and figures.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.callback()
def _run() -> None:
    """Run an experiment and write its tables and figures."""


@verb(app)
def roles(config: RolesConfig) -> Run:
    """Assign roles without labels, beside supervised baselines.

    A network of trace layers reads the training split token by token, with Hebbian rules and
    no label. Its clusters are named on dev and scored on test and on the generalization
    splits. A corpus without roles is clustered and shown by its commonest words.
    """
    from hebbsim.cli.roles_table import show

    return Run("roles", f"roles-{_slug(config.corpus)}", show)


@app.command()
def identity(
    timescales: Annotated[
        str | None,
        typer.Option(help="Comma-separated trace timescales in tokens (default: 2,10,50)."),
    ] = None,
    dim: Annotated[int, typer.Option(metavar="D", help="Dimensions of a random code.")] = 64,
    types: Annotated[
        int,
        typer.Option(metavar="V", help="Vocabulary size; rarer words share one unknown type."),
    ] = 1000,
    lags: Annotated[int, typer.Option(metavar="K", help="Decode lags 0 to K - 1.")] = 32,
    codes: Annotated[
        str, typer.Option(help="random, one-hot, or learned from the contexts of a text.")
    ] = "random",
    stream: Annotated[
        str, typer.Option(help="uniform, zipf, or a corpus as of `hebbsim run roles`.")
    ] = "uniform",
    precision: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated number formats of the state "
            "(default: float64,float32,bfloat16,int8)."
        ),
    ] = None,
    rounding: Annotated[
        str, typer.Option(help="Round the state after every step, or at the readout alone.")
    ] = "step",
    noise: Annotated[
        str | None,
        typer.Option(
            metavar="DB", help="Comma-separated signal-to-noise ratios, or none (default: 40,20,0)."
        ),
    ] = None,
    decoders: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated decoders: nearest, linear, ridge, cancellation, beam, language, "
            "pursuit, likelihood, discriminant, softmax, mlp, or a Python file with your own "
            "(default: nearest,linear,ridge,cancellation)."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Repetitions, with seeds from 0.")] = 5,
    states: Annotated[int, typer.Option(help="States decoded per seed.")] = 320,
    training: Annotated[int, typer.Option(help="States that trained decoders learn from.")] = 3200,
    map_seeds: Annotated[
        int, typer.Option(help="Repetitions of the capacity map; 0 for none.")
    ] = 5,
    map_decoder: Annotated[
        str, typer.Option(help="Decoder of the capacity map; beam finds more, and takes long.")
    ] = "cancellation",
    structure: Annotated[
        str,
        typer.Option(
            help="Corpus whose structure is read too; auto: that of the stream, or the built-in "
            "one; none."
        ),
    ] = "auto",
    memories: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated memories to compare at equal size, or none "
            "(default: traces,traces-learned,window,lmu,fast-weights,gru,bigru)."
        ),
    ] = None,
    probe: Annotated[
        str, typer.Option(help="discriminant, ridge, softmax or mlp: reads structure.")
    ] = "discriminant",
    limits: Annotated[
        bool, typer.Option(help="Deeper processing of a state, and the past of one trace.")
    ] = True,
    sentence: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Read this sentence back instead, word by word, in seconds."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="Threads; no number depends on it.")] = 2,
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: a new runs/identity-STREAM).")
    ] = None,
    overwrite: Overwrite = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
) -> None:
    """Decode past tokens from traces: which are still there, and for which decoder.

    Each decoder reads the token 0, 1, ... steps ago from the state of the traces. Bits are
    those of calibrated log-loss, beside the bounds of the noisy channel. The same probes read
    structure (position, part of speech, role, depth, number) and other memories of the same size.
    """
    from hebbsim.experiments.identity_config import IdentityConfig

    given: dict[str, Any] = {
        "timescales": timescales, "dim": dim, "types": types, "lags": lags, "codes": codes,
        "stream": stream, "precision": precision, "rounding": rounding, "noise": noise,
        "decoders": decoders, "seeds": seeds, "states": states, "training": training,
        "map_seeds": map_seeds, "map_decoder": map_decoder, "structure": structure,
        "memories": memories, "probe": probe, "sentence": sentence, "offline": offline,
        "workers": workers, "limits": limits,
    }  # fmt: skip
    config = IdentityConfig.checked({k: v for k, v in given.items() if v is not None})
    name = "sentence" if sentence is not None else _slug(stream)
    default = Path("runs") / f"identity-{name}"

    if sentence is not None:
        from hebbsim.cli.sentence_table import show as show_sentence
        from hebbsim.experiments.identity_sentence import run_sentence

        carry_out(run_sentence, show_sentence, config, out, default, overwrite=overwrite, json=json)
        return

    from hebbsim.cli.identity_table import show
    from hebbsim.experiments.identity import run_identity

    carry_out(run_identity, show, config, out, default, overwrite=overwrite, json=json)


app.command()(stream)


@app.command()
def rules(
    corpus: Annotated[
        str, typer.Option(help="Corpus with roles; as of `hebbsim run roles`.")
    ] = "builtin",
    network: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Network to take apart: a TOML file, or the one that ships."
        ),
    ] = "roles",
    rules: Rules = None,
    rule: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated rules to try (default: every one, in each part where it can "
            "stand)."
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Word layer whose parts are changed (default: all word layers together).",
        ),
    ] = None,
    timescales: Annotated[
        str | None,
        typer.Option(help="Comma-separated trace timescales in tokens (default: 2,8,32)."),
    ] = None,
    clusters: Annotated[
        int | None, typer.Option(metavar="K", help="Clusters of tokens (default: 300).")
    ] = None,
    passes: Annotated[int, typer.Option(help="Passes over the training sentences.")] = 1,
    seeds: Annotated[int, typer.Option(help="Repetitions, with seeds from 0.")] = 3,
    workers: Annotated[
        int | None, typer.Option(help="Processes that learn (default: at most two).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: a new runs/rules-CORPUS).")
    ] = None,
    overwrite: Overwrite = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
) -> None:
    """Measure what each rule contributes to the network that learns roles.

    The network learns as it is, then with each part's rule replaced by every other that can
    stand there, with learning off in a part, a layer or everywhere, with prototypes drawn from
    tokens, and with fewer word layers.
    """
    from hebbsim.experiments.rules import RulesConfig, run_rules

    given: dict[str, Any] = {
        "corpus": corpus, "network": network, "rules": rules, "rule": rule, "layer": layer,
        "timescales": timescales, "clusters": clusters, "passes": passes, "seeds": seeds,
        "workers": workers, "offline": offline,
    }  # fmt: skip
    config = RulesConfig.checked({k: v for k, v in given.items() if v is not None})
    from hebbsim.cli.rules_table import show

    default = Path("runs") / f"rules-{_slug(corpus)}"
    carry_out(run_rules, show, config, out, default, overwrite=overwrite, json=json)


run_lm.register(app)


def _slug(corpus: str) -> str:
    """A folder name from the name or path of a corpus."""
    name = Path(corpus).resolve().name if set("/.") & set(corpus) else corpus
    for suffix in (".gz", ".conllu", ".conll", ".txt"):
        name = name.removesuffix(suffix)
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name) or "corpus"
