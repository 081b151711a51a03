"""`hebbsim run EXPERIMENT`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hebbsim.cli import run_lm
from hebbsim.cli.options import Run, verb

if TYPE_CHECKING:
    from hebbsim.experiments.identity.config import IdentityConfig
    from hebbsim.experiments.roles.config import RolesConfig
    from hebbsim.experiments.rules.config import RulesConfig
    from hebbsim.experiments.stream.config import StreamConfig

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
    """Assign roles without labels, beside supervised baselines and rivals without labels.

    A network of trace layers reads the training split token by token, with Hebbian rules and
    no label. Its clusters are named on dev and scored on test and on the generalization
    splits. A corpus without roles is clustered and shown by its commonest words.
    """
    from hebbsim.experiments.roles.table import show

    return Run("roles", f"roles-{slug(config.corpus)}", show)


@verb(app)
def identity(config: IdentityConfig) -> Run:
    """Decode past tokens from traces: which are still there, and for which decoder.

    Each decoder reads the token 0, 1, ... steps ago from the state of the traces. Bits are
    those of calibrated log-loss, beside the bounds of the noisy channel. The same probes read
    structure (position, part of speech, role, depth, number) and other memories of the same size.
    """
    if config.sentence is not None:
        from hebbsim.experiments.identity.sentence_table import show as show_sentence

        return Run("sentence", "identity-sentence", show_sentence)
    from hebbsim.experiments.identity.table import show

    return Run("identity", f"identity-{slug(config.stream)}", show)


@verb(app)
def rules(config: RulesConfig) -> Run:
    """Measure what each rule contributes to the network that learns roles.

    The network learns as it is, then with each part's rule replaced by every other that can
    stand there, with learning off in a part, a layer or everywhere, with prototypes drawn from
    tokens, and with fewer word layers.
    """
    from hebbsim.experiments.rules.table import show

    return Run("rules", f"rules-{slug(config.corpus)}", show)


@verb(app)
def stream(config: StreamConfig) -> Run:
    """Learn from a stream of any length in constant memory, and measure that it is so.

    The learner is kept as learner.safetensors in the run folder. Interrupted, the same command
    goes on from the last checkpoint.
    """
    from hebbsim.cli.stream import show

    return Run("stream", "stream", show)


run_lm.register(app)


def slug(corpus: str) -> str:
    """A folder name from the name or path of a corpus."""
    name = Path(corpus).resolve().name if set("/.") & set(corpus) else corpus
    for suffix in (".gz", ".conllu", ".conll", ".txt"):
        name = name.removesuffix(suffix)
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name) or "corpus"
