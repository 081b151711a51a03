"""Configuration of `hebbsim run stream`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from hebbsim.config import Count, RuleFiles, Timescales, computing_option, network_option, option
from hebbsim.experiments.roles.learner_config import (
    Clusters,
    NetworkName,
    Settings,
    network_options,
    take_from_network,
)
from hebbsim.runs.corpus_config import TextConfig

if TYPE_CHECKING:
    from hebbsim.models import RoleNetwork


class StreamConfig(TextConfig):
    """Configuration of `run_stream`; every field is an option of the command line.

    Files of `corpus` are read one after another, and repeated until `tokens` are read. Of a folder
    with splits, and of the built-in corpus, only the training split is read. Timescales and number
    of clusters default to those of the network.

    Examples
    --------
    >>> StreamConfig.checked({"learner": "engine", "tokens": "5000"}).tokens
    5000
    """

    corpus: tuple[str, ...] = option(
        "Text to learn: builtin, or files and folders of text, CoNLL-U, JSON, CSV, TSV or "
        "parquet, plain or compressed; - for standard input.",
        value=("builtin",),
        metavar="FILE...",
        each=True,
    )
    learner: Literal["roles", "engine"] = option(
        "What learns: roles (the network that learns roles) or engine (one local rule).",
        value="roles",
    )
    tokens: Count | None = option(
        "Number of tokens to learn from; a shorter text is repeated.", default="the text once"
    )
    timescales: Timescales = (2.0, 8.0, 32.0)
    clusters: Clusters = 300
    score: str | None = option(
        "Annotated corpus to test the network on after each chunk of tokens; its labels never "
        "reach the learner.",
        metavar="NAME|PATH",
    )
    seed: int = option("Random seed.", value=0, ge=0)
    network: NetworkName = "roles"
    settings: Settings = ()
    dim: Count = network_option("Number of units of the engine.", value=64, metavar="D")
    rules: RuleFiles = ()
    rule: str = network_option("Learning rule of the engine.", value="oja")
    vocab_size: int = computing_option(
        "Maximum vocabulary size (bounds memory use).", value=30_000, metavar="V", ge=2
    )
    chunk_tokens: int = computing_option(
        "Number of tokens learned between two measurements.", value=100_000, ge=1000
    )
    checkpoint_every: Count = computing_option(
        "Number of tokens between checkpoints; the last two are kept.", value=1_000_000
    )

    @model_validator(mode="after")
    def _fits_learner(self) -> StreamConfig:
        if self.learner == "engine":
            for field in ("network", "settings", "score"):
                if field in self.model_fields_set and getattr(self, field) not in (None, ()):
                    name = self.option_name(field)
                    raise ValueError(f"{name} is of --learner roles: leave one of them out")
            return self
        if self.rule != type(self).model_fields["rule"].default:
            raise ValueError("--rule is of --learner engine: give both, or neither")
        take_from_network(self, self.role_network().description())
        return self

    def role_network(self) -> RoleNetwork:
        """An unfitted network; raises BadInputError if it cannot be built."""
        from hebbsim.models import RoleNetwork

        settings = (*self.settings, f"max_words={self.vocab_size}")
        options = network_options(self) | {"settings": settings}
        return RoleNetwork(**options, random_state=self.seed).partial_fit([])
