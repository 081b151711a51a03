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
    from hebbsim.experiments.identity_config import IdentityConfig
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


@verb(app)
def identity(config: IdentityConfig) -> Run:
    """Decode past tokens from traces: which are still there, and for which decoder.

    Each decoder reads the token 0, 1, ... steps ago from the state of the traces. Bits are
    those of calibrated log-loss, beside the bounds of the noisy channel. The same probes read
    structure (position, part of speech, role, depth, number) and other memories of the same size.
    """
    if config.sentence is not None:
        from hebbsim.cli.sentence_table import show as show_sentence

        return Run("sentence", "identity-sentence", show_sentence)
    from hebbsim.cli.identity_table import show

    return Run("identity", f"identity-{_slug(config.stream)}", show)


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
