"""Configuration of `hebbsim run roles`."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator, model_validator

from hebbsim.config import (
    Count,
    Listed,
    Seeds,
    Workers,
    computing_option,
    corpus_option,
    evaluation_option,
    network_option,
    option,
    split_list,
)
from hebbsim.experiments.roles.learner_config import LearnerConfig
from hebbsim.rivals import CHEAP, RIVALS
from hebbsim.runs.corpus_config import CorpusConfig

if TYPE_CHECKING:
    from hebbsim.models import RoleNetwork, RolePopulation
    from hebbsim.readers.vectors import WordVectors


def _read_rivals(value: Any) -> tuple[str, ...]:
    """Names of rivals, in the order of the tables."""
    given = split_list(value)
    if given in (("none",), ("all",)):
        return tuple(RIVALS) if given == ("all",) else ()
    unknown = [name for name in given if name not in RIVALS]
    if unknown:
        raise ValueError(f"there is no {unknown[0]!r}: choose {', '.join(RIVALS)}, all or none")
    return tuple(name for name in RIVALS if name in given)


class RolesConfig(LearnerConfig, CorpusConfig):
    """Configuration of `run_roles`; every field is an option of the command line.

    The default numbers of repetitions keep a run short; use 5 of each for published tables.

    Examples
    --------
    >>> RolesConfig.checked({"timescales": "2,8"}).timescales
    (2.0, 8.0)
    """

    ensemble_size: Count = option(
        "Number of networks that vote on each role.", value=1, metavar="P"
    )
    seeds: Seeds = 5
    baselines: Literal["none", "simple", "all"] = option(
        "Supervised models to compare with: none, simple (majority and lookup), or all (also "
        "a BiGRU, if torch is installed).",
        value="all",
    )
    rivals: Annotated[tuple[str, ...], BeforeValidator(_read_rivals)] = evaluation_option(
        f"Unsupervised models to compare with: {', '.join(RIVALS)}, all or none.",
        value=CHEAP,
        metavar="NAME,...",
        default=f"{','.join(CHEAP)} with --baselines all, otherwise none",
    )
    unlabeled: tuple[Path, ...] = corpus_option(
        "Unlabelled text to learn from before the corpus: files or folders in any format that "
        "--corpus takes.",
        value=(),
        metavar="FILE...",
        each=True,
    )
    labels: Annotated[tuple[Count, ...], Listed] = evaluation_option(
        "Comma-separated numbers of labelled sentences for the label curve, which shows "
        "accuracy by number of labels.",
        value=(30, 100, 300, 1000),
    )
    label_curve_seeds: Count = evaluation_option(
        "Number of repetitions at each point of the label curve.", value=1
    )
    bigru_seeds: Count = evaluation_option(
        "Number of repetitions of the BiGRU with all labels.", value=2
    )
    rival_seeds: Count = evaluation_option("Number of repetitions of each rival.", value=2)
    ablation_seeds: int = evaluation_option(
        "Number of repetitions of the ablations and controls; 0 skips them.", value=1, ge=0
    )
    learning_curve_seeds: int = evaluation_option(
        "Number of repetitions of the learning curve, which shows accuracy by number of tokens "
        "read.",
        value=1,
        ge=0,
    )
    readout_sentences: Count = evaluation_option(
        "Number of labelled sentences that network and BiGRU are both given where they are "
        "compared by role and by split.",
        value=100,
    )
    readout_draws: Count = evaluation_option(
        "Number of random draws of --readout-sentences.", value=3
    )
    keep: Literal["first", "all", "none"] = evaluation_option(
        "Which seeds keep their network in the run folder, for `hebbsim tag`.", value="first"
    )
    vectors: Path | None = network_option(
        "Word vectors that give words their codes in the first layer: word2vec, GloVe or "
        "fastText (binary files need the extra `vectors`), or safetensors.",
        metavar="FILE",
    )
    vectors_learn: bool = network_option(
        "Let the codes that --vectors gives change as the network learns.", value=False
    )
    workers: Workers = min(2, os.cpu_count() or 1)
    shards: Count | None = computing_option(
        "Train on N shards with Dask (extra `cluster`); results are identical for every N.",
        default="8 with --scheduler, otherwise no shards",
    )
    scheduler: str | None = computing_option(
        "Address of the Dask scheduler for --shards, such as tcp://host:8786.",
        metavar="ADDRESS",
        default="processes on this machine",
        affects_results=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _follow(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in options whose default depends on another option."""
        if given.get("scheduler") and given.get("shards") is None:
            given = {**given, "shards": 8}
        if given.get("rivals") is None and given.get("baselines", "all") != "all":
            given = {**given, "rivals": ()}
        return given

    def keeps(self, seed: int) -> bool:
        """Whether the learner of a seed is stored in the run folder."""
        return self.keep == "all" or (self.keep == "first" and seed == 0)

    def learner(
        self, seed: int, network: dict[str, Any] | None = None, vectors: WordVectors | None = None
    ) -> RoleNetwork | RolePopulation:
        """An unfitted network or ensemble; `network` and `vectors` are what files hold."""
        from hebbsim.models import RolePopulation

        options: dict[str, Any] = {}
        if self.vectors is not None:
            given = self.vectors if vectors is None else vectors
            options = {"vectors": given, "vectors_learn": self.vectors_learn}
        if self.ensemble_size == 1:
            return self.network_learner(seed, network).set_params(**options)
        options |= self._network_options(network)
        return RolePopulation(self.ensemble_size, passes=self.passes, random_state=seed, **options)

    @model_validator(mode="after")
    def _vectors_fit(self) -> RolesConfig:
        if self.vectors_learn and self.vectors is None:
            raise ValueError("--vectors-learn says how --vectors are used; give both")
        if self.vectors is not None and self.shards is not None:
            raise ValueError("--shards learns without --vectors; leave one of the two out")
        return self

    @field_validator("vectors")
    @classmethod
    def _is_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"{value}: no such file")
        return value

    @field_validator("labels")
    @classmethod
    def _increasing(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(a >= b for a, b in pairwise(value)):
            raise ValueError("give increasing numbers of sentences, such as 30,100,300")
        return value

    @field_validator("unlabeled")
    @classmethod
    def _exists(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        from hebbsim.readers.lines import is_stdin

        for path in value:
            if not path.exists() and not is_stdin(path):
                raise ValueError(f"{path}: no such file or folder")
        return value
