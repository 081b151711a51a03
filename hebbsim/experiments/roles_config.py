"""Configuration of `hebbsim run roles`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from hebbsim.config import ExperimentConfig, RuleFiles, Timescales
from hebbsim.errors import BadInputError
from hebbsim.readers.corpus_kinds import BUILTIN, kinds_of
from hebbsim.readers.lines import is_stdin
from hebbsim.readers.text import check_tokenizer
from hebbsim.readers.ud import SCHEMES

if TYPE_CHECKING:
    from hebbsim.models import RoleNetwork, RolePopulation

#: What dev chose, by the kind of a corpus (`hebbsim.readers.corpus_kinds`). Fields of
#: `RolesConfig`; an option that is given wins, and of the settings each by itself.
BEST: dict[str, dict[str, Any]] = {
    "builtin": {"clusters": 600, "settings": ("words.size=200",)},
    "cogs": {
        "timescales": (2.0,),
        "clusters": 600,
        "settings": (
            "words.size=300",
            "tokens.shrinkage=20",
            "tokens.lengths=[1, 0.9, 0.9, 0.7, 0.5]",
            "tokens.shape_size=1",  # so few words are told apart by their shape
        ),
    },
    # Chosen on the dev split of ud-korean-gsd: Korean marks roles by endings.
    "ko": {
        "timescales": (1.1, 3.3),
        "settings": (
            "words.size=300",
            "words.ending_weight=1.4",
            "tokens.subsample=0.001",
            "tokens.lengths=[1, 0.5, 0.5, 0, 0]",
            "tokens.shape_size=2048",
        ),
    },
    # Chosen on the dev split of ud-english-ewt.
    "natural": {
        "timescales": (1.1, 3.3),
        "settings": (
            "words.size=300",
            "tokens.subsample=0.001",
            "tokens.lengths=[1, 0.7, 0.7, 0, 0]",
        ),
    },
}


def _merged(*settings: Sequence[str]) -> tuple[str, ...]:
    """Settings in turn: of two values of one parameter the later one holds."""
    values: dict[str, str] = {}
    for text in itertools.chain(*settings):
        name = str(text).partition("=")[0]
        values.pop(name, None)
        values[name] = str(text)
    return tuple(values.values())


class RolesConfig(ExperimentConfig):
    """What `run_roles` does; every field is an option of the command line.

    Attributes
    ----------
    corpus : str
        ``builtin``, ``cogs``, a registered name, or a path.
    layer : str or None
        Gold layer to score; the corpus's own choice without.
    scheme : Path or None
        Role scheme of a treebank: dependency relation to role. A file, or the name of a scheme
        that comes with the package (`hebbsim.readers.ud.SCHEMES`).
    tokenizer : {"plain", "spacy", "spacy:LANGUAGE"}
        For raw text.
    field : str or None
        Field or column that holds the text, in JSON, tables and parquet.
    sentences : {"auto", "lines", "wrapped"}
        What a line of plain text is (`hebbsim.readers.text.stream_text`).
    parser : str or None
        spaCy pipeline that gives raw text silver roles.
    timescales : tuple of float
        In tokens; of the forward and of the backward traces.
    preset : {"default", "best"}
        ``best`` fills in what dev chose for a corpus (`BEST`) wherever no value is given.
    network : str
        The network that learns: ``roles``, the one that ships, or a file, TOML or the
        ``network.json`` of a run. Timescales and K that are not given are its own.
    rules : tuple of str
        Python files with rules of one's own for it, see `hebbsim.engine.load_rules`.
    rule, settings : tuple of str
        Changes to it: ``LAYER.PART=RULE`` and ``LAYER.PARAMETER=VALUE``.
    passes : int
        Over the training sentences.
    clusters : int
        K, the number of prototypes that tokens compete for.
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
    offline : bool
        Never reach for the network.
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

    corpus: str = "builtin"
    layer: str | None = None
    scheme: Path | None = None
    tokenizer: str = "plain"
    field: str | None = None
    sentences: Literal["auto", "lines", "wrapped"] = "auto"
    parser: str | None = None
    timescales: Timescales = (2.0, 8.0, 32.0)
    preset: Literal["default", "best"] = "default"
    network: str = "roles"
    rules: RuleFiles = ()
    rule: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    passes: Annotated[int, Field(ge=1)] = 3
    clusters: Annotated[int, Field(ge=1)] = 300
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
    offline: bool = False
    workers: Annotated[int, Field(ge=1)] = min(2, os.cpu_count() or 1)
    shards: Annotated[int, Field(ge=1)] | None = None
    scheduler: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("preset") != "best":
            return {**given, "settings": _merged(given.get("settings", ()))}
        kinds = kinds_of(given.get("corpus", BUILTIN))
        chosen = next(BEST[kind] for kind in kinds if kind in BEST)
        settings = _merged(chosen.get("settings", ()), given.get("settings", ()))
        return {**chosen, **given, "settings": settings}

    @model_validator(mode="before")
    @classmethod
    def _shards_for_scheduler(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("scheduler") and given.get("shards") is None:
            return {**given, "shards": 8}
        return given

    @model_validator(mode="after")
    def _fits_network(self) -> RolesConfig:
        said = self.described()
        # A frozen model has no other way; what is given stays.
        if "timescales" not in self.model_fields_set:
            object.__setattr__(self, "timescales", tuple(said["timescales"]))
        if "clusters" not in self.model_fields_set:
            object.__setattr__(self, "clusters", said["tokens"]["size"])
        return self

    @classmethod
    def of_run(cls, options: Mapping[str, Any], folder: Path) -> RolesConfig:
        """As of any experiment; where its network is gone or another by now, that of the folder."""
        kept = folder / "network.json"
        if not kept.is_file():
            return cls.checked(options)
        used = cls.checked({**options, "network": str(kept)})
        try:
            named = cls.checked(options)
        except BadInputError:
            return used
        return named if named.described() == used.described() else used

    def described(self) -> dict[str, Any]:
        """The network of this configuration, every value of it, as JSON and TOML have it.

        Raises
        ------
        BadInputError
            It cannot be read or built.
        """
        from hebbsim.engine.network.description import build, written

        return written(build(self.network_learner(0).description()))

    def network_learner(self, seed: int, network: Mapping[str, Any] | None = None) -> RoleNetwork:
        """The network of this configuration, or one that was read before, yet to learn."""
        from hebbsim.models import RoleNetwork

        return RoleNetwork(passes=self.passes, random_state=seed, **self._network_options(network))

    def learner(
        self, seed: int, network: Mapping[str, Any] | None = None
    ) -> RoleNetwork | RolePopulation:
        """What learns of this configuration: a network, or as many as vote."""
        from hebbsim.models import RolePopulation

        if self.members == 1:
            return self.network_learner(seed, network)
        options = self._network_options(network)
        return RolePopulation(self.members, passes=self.passes, random_state=seed, **options)

    def _network_options(self, network: Mapping[str, Any] | None) -> dict[str, Any]:
        if network is not None:
            return {"network": network}
        given = self.model_fields_set
        return {
            "network": None if self.network == "roles" else self.network,
            "timescales": self.timescales if "timescales" in given else None,
            "n_clusters": self.clusters if "clusters" in given else None,
            "settings": self.settings,
            "rule": self.rule,
        }

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

    @field_validator("scheme")
    @classmethod
    def _is_scheme(cls, value: Path | None) -> Path | None:
        if value is not None and str(value) not in SCHEMES and not value.is_file():
            raise ValueError(f"{value}: no such file, nor one of {', '.join(SCHEMES)}")
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
