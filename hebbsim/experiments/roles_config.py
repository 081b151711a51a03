"""Configuration of `hebbsim run roles`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from hebbsim.experiments.learner_config import LearnerConfig
from hebbsim.readers.lines import is_stdin
from hebbsim.readers.text import check_tokenizer

if TYPE_CHECKING:
    from hebbsim.models import RoleNetwork, RolePopulation


class RolesConfig(LearnerConfig):
    """What `run_roles` does; every field is an option of the command line.

    Those of `LearnerConfig` and these.

    Attributes
    ----------
    tokenizer : {"plain", "spacy", "spacy:LANGUAGE"}
        For raw text.
    field : str or None
        Field or column that holds the text, in JSON, tables and parquet.
    sentences : {"auto", "lines", "wrapped"}
        What a line of plain text is (`hebbsim.readers.text.stream_text`).
    parser : str or None
        spaCy pipeline that gives raw text silver roles.
    members : int
        Networks that vote by summed log P(role | cluster).
    seeds : int
        Repetitions of the learner, with seeds 0, 1, ...
    text : tuple of Path
        Files or folders of unlabelled text to learn from beside the training sentences.
    baselines : {"none", "simple", "all"}
        ``simple`` are majority and lookup; ``all`` adds the BiGRU where torch is there.
    labels : tuple of int
        Numbers of labelled training sentences with which BiGRUs are trained and clusters
        are named, the same sentences for both.
    bigru_seeds : int
        Repetitions of the BiGRU with all labels.
    curve_seeds : int
        Draws of labelled sentences at each number of `labels`, and repetitions of the
        BiGRU on dev. The defaults of all these counts keep a run short; a reported table
        has 5 of each.
    readout_sentences, readout_draws : int
        Learner and BiGRU are compared by role and by split on so few labelled sentences,
        drawn so many times.
    part_seeds : int
        Repetitions of the learner's parts (own code, traces, single timescales), of the
        controls (shuffled traces, random prototypes) and, up to `curve_seeds`, of the BiGRU
        that starts from the learner's codes; 0 leaves them out.
    keep : {"first", "all", "none"}
        Seeds whose learner stays in the run folder, with the names of its clusters, for
        `hebbsim tag`.
    workers : int
        Processes that train BiGRUs, and seeds that learn at a time. No number depends on it.
    shards : int or None
        Learn a network on Dask workers, from so many shards (`hebbsim.models.sharded`). How many
        does not change a number; that there are any does.
    scheduler : str or None
        Address of a Dask scheduler; a cluster on this machine without. Given alone, `shards`
        is 8.

    Examples
    --------
    >>> RolesConfig.checked({"timescales": "2,8"}).timescales
    (2.0, 8.0)
    """

    tokenizer: str = "plain"
    field: str | None = None
    sentences: Literal["auto", "lines", "wrapped"] = "auto"
    parser: str | None = None
    members: Annotated[int, Field(ge=1)] = 1
    seeds: Annotated[int, Field(ge=1)] = 5
    text: tuple[Path, ...] = ()
    baselines: Literal["none", "simple", "all"] = "all"
    labels: tuple[Annotated[int, Field(ge=1)], ...] = (30, 100, 300, 1000)
    bigru_seeds: Annotated[int, Field(ge=1)] = 2
    curve_seeds: Annotated[int, Field(ge=1)] = 1
    readout_sentences: Annotated[int, Field(ge=1)] = 100
    readout_draws: Annotated[int, Field(ge=1)] = 3
    part_seeds: Annotated[int, Field(ge=0)] = 2
    keep: Literal["first", "all", "none"] = "first"
    workers: Annotated[int, Field(ge=1)] = min(2, os.cpu_count() or 1)
    shards: Annotated[int, Field(ge=1)] | None = None
    scheduler: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _shards_for_scheduler(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("scheduler") and given.get("shards") is None:
            return {**given, "shards": 8}
        return given

    def keeps(self, seed: int) -> bool:
        """Whether the learner of a seed stays in the run folder."""
        return self.keep == "all" or (self.keep == "first" and seed == 0)

    def learner(
        self, seed: int, network: Mapping[str, Any] | None = None
    ) -> RoleNetwork | RolePopulation:
        """What learns of this configuration: a network, or as many as vote."""
        from hebbsim.models import RolePopulation

        if self.members == 1:
            return self.network_learner(seed, network)
        options = self._network_options(network)
        return RolePopulation(self.members, passes=self.passes, random_state=seed, **options)

    @field_validator("labels", mode="before")
    @classmethod
    def _read_labels(cls, value: Any) -> Any:
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

    @field_validator("labels")
    @classmethod
    def _increasing(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(a >= b for a, b in pairwise(value)):
            raise ValueError("give increasing numbers of sentences, such as 30,100,300")
        return value

    @field_validator("text")
    @classmethod
    def _exists(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in value:
            if not path.exists() and not is_stdin(path):
                raise ValueError(f"{path}: no such file or folder")
        return value

    @field_validator("tokenizer")
    @classmethod
    def _is_tokenizer(cls, value: str) -> str:
        check_tokenizer(value)
        return value

    @property
    def reading(self) -> dict[str, Any]:
        """Options of `hebbsim.readers.text.stream_text`."""
        return {
            "tokenizer": self.tokenizer, "field": self.field, "sentences": self.sentences
        }  # fmt: skip
