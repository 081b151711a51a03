"""Configuration of `hebbsim run rules`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import field_validator, model_validator

from hebbsim.config import (
    Corpus,
    ExperimentConfig,
    Listed,
    Offline,
    RuleFiles,
    Seeds,
    Timescales,
    Workers,
    option,
)
from hebbsim.experiments.roles.learner_config import (
    Clusters,
    NetworkName,
    Passes,
    network_options,
    take_from_network,
)

if TYPE_CHECKING:
    from hebbsim.experiments.rules.ablations import Ablation
    from hebbsim.models import RoleNetwork


class RulesConfig(ExperimentConfig):
    """Configuration of `run_rules`; every field is an option of the command line.

    Rules registered by `register_rule` exist only in this process, so use 1 worker with them.

    Examples
    --------
    >>> RulesConfig.checked({"rule": "oja,hebb"}).rule
    ('oja', 'hebb')
    """

    corpus: Corpus = "builtin"
    rules: RuleFiles = ()  # loaded before `rule` names one of theirs
    rule: Annotated[tuple[str, ...], Listed] = option(
        "Comma-separated learning rules to try.",
        value=(),
        default="all, in each part where they fit",
    )
    layer: str | None = option(
        "Word layer whose parts are changed.", default="all word layers together"
    )
    timescales: Timescales = (2.0, 8.0, 32.0)
    clusters: Clusters = 300
    seeds: Seeds = 3
    network: NetworkName = "roles"
    passes: Passes = 1
    workers: Workers = min(2, os.cpu_count() or 1)
    offline: Offline = False

    @field_validator("rule")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from hebbsim.engine import get_rule

        return tuple(get_rule(name).name for name in value)

    @model_validator(mode="after")
    def _fits_network(self) -> RulesConfig:
        if self.network != "roles" and not Path(self.network).is_file():
            raise ValueError(f"network {self.network}: no such file; give a TOML file, or roles")
        from hebbsim.engine.network.description import build, written
        from hebbsim.models import RoleNetwork

        take_from_network(self, written(build(RoleNetwork(**network_options(self)).description())))
        self.ablations()
        return self

    def ablations(self) -> list[Ablation]:
        """The unchanged network and all ablations of it."""
        from hebbsim.experiments.rules.ablations import ablations

        said = self.learner(None if self.network == "roles" else self.network, 0).description()
        return ablations(said, layer=self.layer, rules=self.rule)

    def learner(self, network: Any, seed: int) -> RoleNetwork:
        """An unfitted network."""
        from hebbsim.models import RoleNetwork

        return RoleNetwork(
            network,
            timescales=self.timescales,
            n_clusters=self.clusters,
            passes=self.passes,
            random_state=seed,
        )
