"""Ablations of a network of trace layers: parts removed or replaced."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hebbsim.engine.network import TokenLayer, WordLayer
from hebbsim.engine.network.description import build, written
from hebbsim.engine.network.plasticity import can_stand
from hebbsim.errors import BadInputError

#: Conditions of the unchanged network, and of prototypes drawn at random from tokens.
WHOLE, RANDOM = "", "prototypes=random"
_LEFT_OUT, _OFF = "left out", "learning off in a layer"


@dataclass(frozen=True)
class Ablation:
    """A network with one change."""

    #: Condition words of the results: `WHOLE` for the unchanged network.
    condition: str
    #: The part that is changed.
    group: str
    #: The change.
    name: str
    #: Description of the changed network.
    network: dict[str, Any]


def ablations(
    network: Mapping[str, Any], *, layer: str | None = None, rules: Sequence[str] = ()
) -> list[Ablation]:
    """The unchanged network and all ablations of it.

    These are: every other rule that fits in a part, with its default rate and parameters; learning
    off (eta = 0) in a part, in a layer and everywhere; random prototypes; fewer word layers.
    `layer` is the word layer whose parts are changed (default: all together), and `rules` are the
    rules to try (default: all). Raises BadInputError if the network cannot be built, or has no such
    layer.

    >>> from hebbsim.engine.network.description import read_network
    >>> [each.condition for each in ablations(read_network(), rules=["delta"])][:3]
    ['', 'part=words.memory learning=off', 'part=words.directions learning=off']
    """
    whole = written(build(network))
    names = [each["name"] for each in whole["words"]]
    if layer is not None and layer not in names:
        raise BadInputError(
            f"--layer {layer}: no word layer has that name; choose {', '.join(names)}"
        )
    return [
        Ablation(WHOLE, "", "network as it is", whole),
        *_parts(whole, layer, rules),
        *_layers_off(whole),
        Ablation(RANDOM, _LEFT_OUT, "prototypes drawn from tokens", whole),
        *_fewer(whole),
    ]


def _parts(whole: dict[str, Any], layer: str | None, rules: Sequence[str]) -> Iterator[Ablation]:
    words = "words" if layer is None else layer
    places = [(words, part) for part in WordLayer.PARTS]
    places += [(whole["tokens"]["name"], part) for part in TokenLayer.PARTS]
    for place, part in places:
        now = {each[part]["rule"] for each in _chosen(whole, place)}
        group, said = f"{place}.{part}: {', '.join(sorted(now))}", f"part={place}.{part}"
        for rule in can_stand(part):
            if (rule in rules or not rules) and {rule} != now:
                changed = _with(whole, place, part, lambda _, rule=rule: {"rule": rule})
                yield Ablation(f"{said} rule={rule}", group, rule, changed)
        changed = _with(whole, place, part, _off)
        yield Ablation(f"{said} learning=off", group, "learning off", changed)


def _layers_off(whole: dict[str, Any]) -> Iterator[Ablation]:
    everywhere = whole
    for kind, layers in ((WordLayer, whole["words"]), (TokenLayer, [whole["tokens"]])):
        for name in (each["name"] for each in layers):
            alone = whole
            for part in kind.PARTS:
                alone, everywhere = (_with(n, name, part, _off) for n in (alone, everywhere))
            yield Ablation(f"layer={name} learning=off", _OFF, name, alone)
    yield Ablation("learning=off", _OFF, "all layers", everywhere)


def _fewer(whole: dict[str, Any]) -> Iterator[Ablation]:
    """Only the first word layers; tokens are clustered by the codes of the last of them."""
    for n in range(len(whole["words"]) - 1, 0, -1):
        fewer = copy.deepcopy(whole)
        del fewer["words"][n:]
        names = [each["name"] for each in fewer["words"]]
        if fewer["tokens"]["below"] not in names:
            fewer["tokens"]["below"] = names[-1]
        name = f"{n} word layer{'s' if n > 1 else ''}"
        yield Ablation(f"word_layers={n}", _LEFT_OUT, name, fewer)


def _chosen(network: dict[str, Any], place: str) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = network["words"]
    if place != "words":
        layers = [each for each in [*layers, network["tokens"]] if each["name"] == place]
    return layers


def _with(network: dict[str, Any], place: str, part: str, changed: Any) -> dict[str, Any]:
    new = copy.deepcopy(network)
    for layer in _chosen(new, place):
        layer[part] = changed(layer[part])
    return new


def _off(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "eta": 0.0}
