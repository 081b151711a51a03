"""Networks described in TOML: their layers, rules and sizes."""

import dataclasses
import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hebbsim.engine.network.network import Network
from hebbsim.engine.network.plasticity import Plasticity
from hebbsim.engine.network.token_layer import TokenLayer
from hebbsim.engine.network.word_layer import WordLayer
from hebbsim.errors import BadInputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The network that learns roles.
ROLES = Path(__file__).with_name("roles.toml")

#: Parameters of the whole network.
_WHOLE = ("max_words", "context_words")
_TOP = ("timescales", *_WHOLE, "words", "tokens")


def read_network(path: str | Path = ROLES) -> dict[str, Any]:
    """Read the description of a network from TOML or the ``network.json`` of a run.

    BadInputError, which names the file, if it cannot be read or describes no network.

    >>> [layer["name"] for layer in read_network()["words"]]
    ['first', 'second']
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise BadInputError(
            f"cannot read network {path}: {error.strerror}; give a TOML file, or the network.json "
            "of a run"
        ) from None
    kind = "JSON" if Path(path).suffix == ".json" else "TOML"
    try:
        text = content.decode("utf-8-sig")  # some editors mark UTF-8 at the start of a file
        said = json.loads(text) if kind == "JSON" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"network {path} is no {kind}: {error}") from None
    if not isinstance(said, dict):
        raise BadInputError(f"network {path} is no description: give a table, see {ROLES.name}")
    try:
        build(said)
    except BadInputError as error:
        raise BadInputError(f"network {path}: {error}") from None
    return said


def change(
    description: Mapping[str, Any], settings: Sequence[str] = (), rules: Sequence[str] = ()
) -> dict[str, Any]:
    """A copy of a description with some values replaced.

    `settings` are one or several of ``LAYER.PARAMETER=VALUE`` or, for a part of a layer,
    ``LAYER.PART.PARAMETER=VALUE``; ``words`` stands for every word layer, and ``max_words=NUMBER``
    and ``context_words=NUMBER`` apply to the whole network. `rules` are ``LAYER.PART=RULE``: the
    rule, with its default rate and parameters. BadInputError if one is malformed or names no layer.

    >>> changed = change(read_network(), ["words.size=20"], ["tokens.prediction=delta"])
    >>> changed["words"][1]["size"], changed["tokens"]["prediction"]
    (20, {'rule': 'delta'})
    """
    _check_tables(description)
    settings, rules = ([given] if isinstance(given, str) else given for given in (settings, rules))
    new: dict[str, Any] = _copied(dict(description))
    for text in rules:
        *where, rule = _split(text, "LAYER.PART=RULE", 2)
        for layer in _layers(new, where[0], text):
            _usual(layer, where[1], new)
            layer[where[1]] = {"rule": rule}
    for text in settings:
        *where, value = _split(text, "LAYER.PARAMETER=VALUE", 1, 2, 3)
        number = setting_value(value)
        if len(where) == 1:
            if where[0] not in _WHOLE:
                raise BadInputError(
                    f"{text!r} is not of the form LAYER.PARAMETER=VALUE; "
                    f"without a layer there are {' and '.join(_WHOLE)}"
                )
            new[where[0]] = number
            continue
        for layer in _layers(new, where[0], text):
            if len(where) == 3:
                usual = _usual(layer, where[1], new)
                part = layer.setdefault(where[1], usual)
                layer[where[1]] = layer = _said_of(part, where[1], where[0])
            layer[where[-1]] = number
    return new


def setting_value(text: str) -> Any:
    """The value of a setting, parsed as TOML, or the text itself if it is none.

    >>> setting_value("[1, 0.5]"), setting_value("oja")
    ([1, 0.5], 'oja')
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _copied(value: Any) -> Any:
    """A deep copy that shares no table, even if the original does."""
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _split(text: str, form: str, *n_parts: int) -> list[str]:
    where, mark, value = text.partition("=")
    parts, value = [part.strip() for part in where.split(".")], value.strip()
    if not mark or not value or len(parts) not in n_parts or not all(parts):
        raise BadInputError(f"{text!r} is not of the form {form}")
    return [*parts, value]


def _layers(description: dict[str, Any], name: str, text: str) -> list[dict[str, Any]]:
    layers = [*description.get("words", []), description.get("tokens", {})]
    if name == "words":
        return layers[:-1]
    found = [layer for layer in layers if layer.get("name") == name]
    if not found:
        known = ["words", *(str(layer.get("name")) for layer in layers)]
        raise BadInputError(f"{text!r} names no layer: choose {', '.join(known)}")
    return found


def _usual(layer: dict[str, Any], part: str, description: dict[str, Any]) -> dict[str, Any]:
    """The default rule of a part of a layer."""
    kind = TokenLayer if layer is description.get("tokens") else WordLayer
    if part not in kind.PARTS:
        raise BadInputError(
            f"layer {layer.get('name')} has no part {part}: {', '.join(kind.PARTS)}"
        )
    factory = next(f.default_factory for f in dataclasses.fields(kind) if f.name == part)
    return _written_part(factory())  # type: ignore[operator, misc]


def build(description: Mapping[str, Any], *, random_state: int = 0) -> Network:
    """Build the network of a description; BadInputError for unknown names or unusable values."""
    _check_names("a network", description, _TOP)
    _check_tables(description)
    layers = [
        *(_layer(WordLayer, values) for values in description["words"]),
        _layer(TokenLayer, description["tokens"]),
    ]
    return Network(
        layers,
        description.get("timescales", (2, 8, 32)),
        random_state=random_state,
        **{name: description[name] for name in _WHOLE if name in description},
    )


def _check_tables(description: Mapping[str, Any]) -> None:
    words = description.get("words")
    tables = [*words, description.get("tokens")] if isinstance(words, list) and words else [None]
    if not all(isinstance(table, dict) for table in tables):
        raise BadInputError("a network has tables [[words]] and one table [tokens]")


def _said_of(part: Any, name: str, layer: str) -> dict[str, Any]:
    """The description of a part as a table, which may be given by its rule alone."""
    said = {"rule": part} if isinstance(part, str) else part
    if not isinstance(said, dict) or "rule" not in said:
        raise BadInputError(f"part {name} of layer {layer} has no rule: give one, as rule = NAME")
    return said


def _layer(kind: type, values: Mapping[str, Any]) -> Any:
    name = values.get("name")
    what = f"layer {name}" if name else "a layer"
    fields = [field.name for field in dataclasses.fields(kind)]
    _check_names(what, values, fields)
    for field in ("name", "below"):
        if field not in values:
            raise BadInputError(f'{what} says no {field}: add the line {field} = "NAME"')
    given = dict(values)
    for part in [part for part in kind.PARTS if part in given]:  # type: ignore[attr-defined]
        said = dict(_said_of(given[part], part, values["name"]))
        eta = said.pop("eta", None)
        given[part] = Plasticity(said.pop("rule"), eta, said)
    return kind(**given)


def _check_names(what: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose {', '.join(known)}"
            raise BadInputError(f"{what} has no {name!r}: {hint}")


def written(network: Network) -> dict[str, Any]:
    """The complete description of a network."""
    return {
        "timescales": list(network.timescales),
        **{name: getattr(network, name) for name in _WHOLE},
        "words": [_written_layer(layer) for layer in network.words],
        "tokens": _written_layer(network.top),
    }


def _written_layer(layer: Any) -> dict[str, Any]:
    values = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
    for name, value in values.items():
        if isinstance(value, Plasticity):
            values[name] = _written_part(value)
        elif isinstance(value, tuple):
            values[name] = list(value)
    return {name: value for name, value in values.items() if value is not None}


def _written_part(part: Plasticity) -> dict[str, Any]:
    eta = {} if part.eta is None else {"eta": part.eta}
    return {"rule": part.rule, **eta, **part.parameters}
