"""Options of the network and its corpus that experiments share, and their presets."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import model_validator

from hebbsim.config import Corpus, RuleFiles, Timescales, network_option, option, read_toml
from hebbsim.errors import BadInputError
from hebbsim.runs.corpus_config import GoldConfig

if TYPE_CHECKING:
    from hebbsim.models import RoleNetwork

_Config = TypeVar("_Config", bound="LearnerConfig")

#: Folder of tuned settings, one file per kind of corpus (`hebbsim.readers.corpus_kinds`).
PRESETS = Path(__file__).with_name("presets")
#: Options that a preset may set.
_KEYS = ("timescales", "clusters", "passes", "settings", "rule", "network")

# Fields that experiments with a network have.
Clusters = Annotated[int, option("Number of clusters that tokens compete for.", metavar="K", ge=1)]
NetworkName = Annotated[
    str,
    network_option(
        "Network to train: roles (built in), a TOML file, or the network.json of a run.",
        metavar="FILE",
    ),
]
Settings = Annotated[
    tuple[str, ...],
    network_option(
        "Parameter of the network to change, such as words.size=50.",
        name="--set",
        metavar="LAYER.PARAMETER=VALUE...",
        each=True,
    ),
]
Passes = Annotated[int, network_option("Number of passes over the training sentences.", ge=1)]


def merged(*changes: Sequence[str] | str) -> tuple[str, ...]:
    """Merge changes to a network; a later change replaces an earlier one of the same parameter.

    >>> merged(["words.size=50", "tokens.size=9"], ["words.size=70"])
    ('tokens.size=9', 'words.size=70')
    """
    values: dict[str, str] = {}
    listed = ([change] if isinstance(change, str) else change for change in changes)
    for text in itertools.chain(*listed):
        name = str(text).partition("=")[0]
        values.pop(name, None)
        values[name] = str(text)
    return tuple(values.values())


def read_preset(path: str | Path) -> dict[str, Any]:
    """Read the options of a preset from a TOML file; the path of a network is relative to it.

    Raises BadInputError if the file cannot be read or sets other options.

    >>> read_preset(PRESETS / "builtin.toml")
    {'clusters': 600, 'settings': ['words.size=200']}
    """
    said = read_toml(path, "default, auto, best, or the TOML file of a preset")
    if not said:
        raise BadInputError(f"{path}: sets nothing: give one or more of {', '.join(_KEYS)}")
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
    """The preset for the narrowest kind of the corpus that has one."""
    from hebbsim.readers.corpus_kinds import kinds_of

    return next((p for kind in kinds_of(corpus) if (p := PRESETS / f"{kind}.toml").is_file()), None)


def _auto(corpus: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings chosen from the words of a corpus."""
    from hebbsim.experiments.roles.auto import chosen_for

    return chosen_for(
        corpus,
        str(given.get("tokenizer", "plain")),
        given.get("field"),
        str(given.get("sentences", "auto")),
        bool(given.get("offline", False)),
    )


def _chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options that the preset sets, and if none is given, the name of the preset."""
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
        LearnerConfig.checked(around)  # raises if these are wrong, not the preset
        raise BadInputError(f"--preset {name}: {str(error).removeprefix('--')}") from None
    return said


def network_options(config: Any) -> dict[str, Any]:
    """Arguments of `RoleNetwork`: the network, and the timescales and K that were given."""
    given = config.model_fields_set
    return {
        "network": None if config.network == "roles" else config.network,
        "timescales": config.timescales if "timescales" in given else None,
        "n_clusters": config.clusters if "clusters" in given else None,
    }


def take_from_network(config: Any, said: Mapping[str, Any]) -> None:
    """Set timescales and K to those of the network, unless they were given."""
    taken = {"timescales": tuple(said["timescales"]), "clusters": said["tokens"]["size"]}
    for name in taken.keys() - config.model_fields_set:
        object.__setattr__(config, name, taken[name])  # the model is frozen


class LearnerConfig(GoldConfig):
    """A network, its corpus, and the preset that supplies options that are not given.

    Timescales and number of clusters default to those of the network. `rule` and `settings` extend
    those of the preset.

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
    rule: tuple[str, ...] = network_option(
        "Learning rule for one part of the network, such as tokens.prediction=delta.",
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
        """The configuration of a finished run, with the network file stored in its folder.

        The named network is used instead if it still exists and is the same. Options from the
        preset are among `options`.
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

    def chosen_by_words(self) -> str:
        """The options that the words of the corpus chose, without those that were given."""
        chosen = _auto(self.corpus, self.model_dump())
        found = [text for text in self.settings if text in chosen["settings"]]
        if self.passes == chosen["passes"] != LearnerConfig.model_fields["passes"].default:
            found.insert(0, f"{self.passes} passes,")
        if self.timescales == tuple(chosen["timescales"]):
            found.insert(0, f"timescales {', '.join(f'{tau:g}' for tau in self.timescales)},")
        if self.clusters == chosen["clusters"]:
            found.insert(0, f"{self.clusters} clusters,")
        return " ".join(found).removesuffix(",")

    def described(self) -> dict[str, Any]:
        """The whole description of the network, ready for JSON; BadInputError if it is invalid."""
        from hebbsim.engine.network.description import build, written

        return written(build(self.network_learner(0).description()))

    def network_learner(self, seed: int, network: Mapping[str, Any] | None = None) -> RoleNetwork:
        """An unfitted network of this configuration, or of a description that was read before."""
        from hebbsim.models import RoleNetwork

        return RoleNetwork(passes=self.passes, random_state=seed, **self._network_options(network))

    def _network_options(self, network: Mapping[str, Any] | None) -> dict[str, Any]:
        if network is not None:
            return {"network": network}
        return network_options(self) | {"settings": self.settings, "rule": self.rule}
