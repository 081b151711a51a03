"""What learns roles, and from which corpus: options that experiments share, and presets of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import model_validator

from hebbsim.config import NETWORK, Corpus, RuleFiles, Timescales, option, read_toml
from hebbsim.errors import BadInputError
from hebbsim.runs.corpus_config import GoldConfig

if TYPE_CHECKING:
    from hebbsim.models import RoleNetwork

_Config = TypeVar("_Config", bound="LearnerConfig")

#: What dev chose, a file a kind of corpus (`hebbsim.readers.corpus_kinds`).
PRESETS = Path(__file__).with_name("presets")
#: What a preset may set.
_KEYS = ("timescales", "clusters", "passes", "settings", "rule", "network")

# Fields that experiments with a network have.
Clusters = Annotated[int, option("Number of clusters that tokens compete for.", metavar="K", ge=1)]
NetworkName = Annotated[
    str,
    option(
        "Network to train: roles (built in), a TOML file, or the network.json of a run.",
        NETWORK,
        metavar="FILE",
    ),
]
Settings = Annotated[
    tuple[str, ...],
    option(
        "Parameter of the network to change, such as words.size=50.",
        NETWORK,
        name="--set",
        metavar="LAYER.PARAMETER=VALUE...",
        each=True,
    ),
]
Passes = Annotated[int, option("Number of passes over the training sentences.", NETWORK, ge=1)]


def merged(*changes: Sequence[str]) -> tuple[str, ...]:
    """Changes to a network in turn: of two to one thing the later one holds.

    Examples
    --------
    >>> merged(["words.size=50", "tokens.size=9"], ["words.size=70"])
    ('tokens.size=9', 'words.size=70')
    """
    values: dict[str, str] = {}
    for text in itertools.chain(*changes):
        name = str(text).partition("=")[0]
        values.pop(name, None)
        values[name] = str(text)
    return tuple(values.values())


def read_preset(path: str | Path) -> dict[str, Any]:
    """Options by name, from the TOML file of a preset; a network is looked for beside the file.

    Raises BadInputError if it cannot be read, or sets something else.

    Examples
    --------
    >>> read_preset(PRESETS / "builtin.toml")
    {'clusters': 600, 'settings': ['words.size=200']}
    """
    said = read_toml(path, "default, auto, best, or the TOML file of a preset")
    for key, value in said.items():
        if key not in _KEYS:
            raise BadInputError(f"{path}: a preset has no {key!r}: choose {', '.join(_KEYS)}")
        texts = isinstance(value, list) and all(isinstance(text, str) for text in value)
        if key in ("settings", "rule") and not texts:
            raise BadInputError(f'{path}: {key} is {value!r}: give a list of texts, ["NAME=VALUE"]')
    if isinstance(said.get("network"), str) and said["network"] != "roles":
        said["network"] = str(Path(path).parent / said["network"])
    return said


def _best(corpus: str) -> Path | None:
    """The preset of the narrowest kind of a corpus that has one."""
    from hebbsim.readers.corpus_kinds import kinds_of

    return next((p for kind in kinds_of(corpus) if (p := PRESETS / f"{kind}.toml").is_file()), None)


def _auto(corpus: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is chosen for a corpus by its words."""
    from hebbsim.experiments.roles.auto import chosen_for

    return chosen_for(
        corpus,
        str(given.get("tokenizer", "plain")),
        given.get("field"),
        str(given.get("sentences", "auto")),
        bool(given.get("offline", False)),
    )


def _chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the preset of some options sets; if none is given, its name as well."""
    corpus = str(given.get("corpus", LearnerConfig.model_fields["corpus"].default))
    if "preset" not in given:
        ours = str(given.get("network", "roles")) != "roles" or _best(corpus) is not None
        return {} if ours else {"preset": "auto", **_auto(corpus, given)}
    name = str(given["preset"])
    if name == "default":
        return {}
    if name == "best" and (best := _best(corpus)) is not None:
        return read_preset(best)
    if name in ("best", "auto"):
        return _auto(corpus, given)
    try:
        said = read_preset(name)
    except BadInputError as error:
        raise BadInputError(f"--preset {error}") from None
    around = {key: given[key] for key in ("rules", "network") if key in given}
    try:
        LearnerConfig.checked({**said, **around})
    except BadInputError as error:
        LearnerConfig.checked(around)  # what is wrong with these is no fault of the preset
        raise BadInputError(f"--preset {name}: {str(error).removeprefix('--')}") from None
    return said


def network_options(config: Any) -> dict[str, Any]:
    """Which network a configuration names, as `RoleNetwork` takes it, and what it was given."""
    given = config.model_fields_set
    return {
        "network": None if config.network == "roles" else config.network,
        "timescales": config.timescales if "timescales" in given else None,
        "n_clusters": config.clusters if "clusters" in given else None,
    }


def take_from_network(config: Any, said: Mapping[str, Any]) -> None:
    """Set the timescales and K that were not given to those of the network."""
    # A frozen model has no other way.
    if "timescales" not in config.model_fields_set:
        object.__setattr__(config, "timescales", tuple(said["timescales"]))
    if "clusters" not in config.model_fields_set:
        object.__setattr__(config, "clusters", said["tokens"]["size"])


class LearnerConfig(GoldConfig):
    """A network, what it learns from, and the preset that fills in what is not given.

    Timescales and the number of clusters that are not given are those of the network. Of
    `rule` and `settings`, what is given is added to what the preset says.

    Examples
    --------
    >>> LearnerConfig.checked({"preset": "best", "timescales": "2,4"}).clusters
    600
    """

    corpus: Corpus = "builtin"
    preset: str = option(
        "Values of the options that you do not set: default, auto (chosen from what the words "
        "of the corpus look like), best (tuned for this kind of corpus, otherwise auto), or a "
        "TOML file from `hebbsim tune`.",
        value="default",
        metavar="NAME|FILE",
        default="auto if no settings were tuned for this kind of corpus, otherwise default",
    )
    timescales: Timescales = (2.0, 8.0, 32.0)
    clusters: Clusters = 300
    network: NetworkName = "roles"
    rules: RuleFiles = ()
    rule: tuple[str, ...] = option(
        "Learning rule for one part of the network, such as tokens.prediction=delta.",
        NETWORK,
        value=(),
        metavar="LAYER.PART=RULE...",
        each=True,
    )
    settings: Settings = ()
    passes: Passes = 3

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, given: dict[str, Any]) -> dict[str, Any]:
        chosen = _chosen(given)
        changes = {
            name: merged(chosen.get(name, ()), given.get(name, ())) for name in ("rule", "settings")
        }
        return {**chosen, **given, **changes}

    @model_validator(mode="after")
    def _fits_network(self) -> LearnerConfig:
        take_from_network(self, self.described())
        return self

    @classmethod
    def of_run(cls: type[_Config], options: Mapping[str, Any], folder: Path) -> _Config:
        """As of any experiment; where its network is gone or another by now, that of the folder.

        What its preset had filled in stands among the options.
        """
        options = {**options, "preset": "default"}
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

        Raises BadInputError if it cannot be read or built.
        """
        from hebbsim.engine.network.description import build, written

        return written(build(self.network_learner(0).description()))

    def network_learner(self, seed: int, network: Mapping[str, Any] | None = None) -> RoleNetwork:
        """The network of this configuration, or one that was read before, yet to learn."""
        from hebbsim.models import RoleNetwork

        return RoleNetwork(passes=self.passes, random_state=seed, **self._network_options(network))

    def _network_options(self, network: Mapping[str, Any] | None) -> dict[str, Any]:
        if network is not None:
            return {"network": network}
        return network_options(self) | {"settings": self.settings, "rule": self.rule}
