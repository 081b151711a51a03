"""`hebbsim run EXPERIMENT`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hebbsim.cli import run_lm
from hebbsim.cli.carry_out import Overwrite, Rules, Settings, carry_out
from hebbsim.cli.stream import stream
from hebbsim.cli.text_options import Field, Sentences, Tokenizer

app = typer.Typer(
    help="Run an experiment and write its tables and figures.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.callback()
def _run() -> None:
    """Run an experiment and write its tables and figures."""


@app.command()
def roles(
    corpus: Annotated[
        str,
        typer.Option(
            help="builtin, a name that `hebbsim corpus list` shows, or a path: treebank or COGS "
            "(file or folder), text, JSON, CSV, TSV, parquet; - for standard input."
        ),
    ] = "builtin",
    layer: Annotated[
        str | None, typer.Option(help="Gold layer to score, such as thematic.")
    ] = None,
    timescales: Annotated[
        str | None,
        typer.Option(help="Comma-separated trace timescales in tokens (default: 2,8,32)."),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="default; best: what dev chose for such a corpus; or a TOML file, as of "
            "`hebbsim tune`."
        ),
    ] = "default",
    network: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Network of trace layers that learns: a TOML file, or a run's network.json "
            "(default: roles, the one that ships).",
        ),
    ] = None,
    rules: Rules = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYER.PART=RULE", help="Another rule in a part of the network; repeatable."
        ),
    ] = None,
    setting: Settings = None,
    passes: Annotated[
        int | None,
        typer.Option(help="Passes over the training sentences (default: 3)."),
    ] = None,
    clusters: Annotated[
        int | None,
        typer.Option(metavar="K", help="Clusters that tokens compete for (default: 300)."),
    ] = None,
    members: Annotated[
        int | None, typer.Option(metavar="P", help="Networks that vote on a role (default: 1).")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Repetitions, with seeds from 0.")] = 5,
    text: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE...",
            help="Unlabelled text, of any format that --corpus takes (or folders of it), to learn "
            "from as well.",
        ),
    ] = None,
    scheme: Annotated[
        Path | None,
        typer.Option(
            help="Role scheme: sud-roles, ud1-roles (UD version 1), clearnlp-roles, or a JSON file "
            "from dependency relation to role."
        ),
    ] = None,
    tokenizer: Tokenizer = "plain",
    field: Field = None,
    sentences: Sentences = "auto",
    parser: Annotated[
        str | None, typer.Option(help="spaCy pipeline that gives raw text silver roles.")
    ] = None,
    baselines: Annotated[
        str, typer.Option(help="none, simple (majority, lookup), or all (and BiGRU).")
    ] = "all",
    labels: Annotated[
        str,
        typer.Option(help="Numbers of labelled sentences that BiGRUs and read-outs are given."),
    ] = "30,100,300,1000",
    readout_sentences: Annotated[
        int,
        typer.Option(help="Compare by role and split on so many labelled sentences."),
    ] = 100,
    readout_draws: Annotated[
        int, typer.Option(help="Draws of those sentences (a reported table has 5).")
    ] = 3,
    bigru_seeds: Annotated[int, typer.Option(help="Seeds of the BiGRU with all labels.")] = 2,
    curve_seeds: Annotated[
        int,
        typer.Option(help="Draws at each other number of labelled sentences."),
    ] = 1,
    part_seeds: Annotated[
        int,
        typer.Option(help="Seeds of the learner's parts and controls; 0 for none."),
    ] = 2,
    keep: Annotated[
        str,
        typer.Option(
            help="Seeds whose learner stays in the run folder, for `hebbsim tag`: first, all or "
            "none."
        ),
    ] = "first",
    workers: Annotated[
        int | None, typer.Option(help="Processes that train BiGRUs (default: at most two).")
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Train the network on N shards on Dask workers (extra cluster); results are "
            "identical for every N.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Dask scheduler, such as tcp://host:8786 (default: processes of this machine).",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: a new runs/roles-CORPUS).")
    ] = None,
    overwrite: Overwrite = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
) -> None:
    """Assign roles without labels, beside supervised baselines.

    A network of trace layers reads the training split token by token, with Hebbian rules and
    no label. Its clusters are named on dev and scored on test and on the generalization
    splits. A corpus without roles is clustered and shown by its commonest words.
    """
    from hebbsim.experiments.roles_config import RolesConfig

    given: dict[str, Any] = {
        "corpus": corpus, "layer": layer, "timescales": timescales, "preset": preset,
        "network": network, "rules": rules, "rule": tuple(rule or ()),
        "settings": tuple(setting or ()), "passes": passes,
        "clusters": clusters, "members": members, "seeds": seeds, "text": tuple(text or ()),
        "scheme": scheme, "tokenizer": tokenizer, "field": field, "sentences": sentences,
        "parser": parser, "baselines": baselines,
        "labels": labels, "readout_sentences": readout_sentences,
        "readout_draws": readout_draws, "bigru_seeds": bigru_seeds,
        "curve_seeds": curve_seeds, "part_seeds": part_seeds, "offline": offline,
        "workers": workers, "keep": keep, "shards": shards, "scheduler": scheduler,
    }  # fmt: skip
    # What is not given is left to the preset and to the defaults of the configuration.
    config = RolesConfig.checked({k: v for k, v in given.items() if v is not None})
    from hebbsim.cli.roles_table import show
    from hebbsim.experiments.roles import run_roles

    default = Path("runs") / f"roles-{_slug(corpus)}"
    carry_out(run_roles, show, config, out, default, overwrite=overwrite, json=json)


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


def spread(words: Sequence[str], option: str) -> list[str]:
    """Repeat an option before each of the values that follow it, as a shell's ``*`` gives them.

    Examples
    --------
    >>> spread(["roles", "--text", "a.txt", "b.txt", "--json"], "--text")
    ['roles', '--text', 'a.txt', '--text', 'b.txt', '--json']
    """
    found: list[str] = []
    inside = 0
    for word in words:
        if word.startswith("-") and word != "-":
            inside = int(word == option)
        elif inside:
            if inside > 1:
                found.append(option)
            inside += 1
        found.append(word)
    return found


def _slug(corpus: str) -> str:
    """A folder name from the name or path of a corpus."""
    name = Path(corpus).resolve().name if set("/.") & set(corpus) else corpus
    for suffix in (".gz", ".conllu", ".conll", ".txt"):
        name = name.removesuffix(suffix)
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name) or "corpus"
