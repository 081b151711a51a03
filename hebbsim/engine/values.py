"""Checks of numeric parameters."""

import numbers
from collections.abc import Mapping
from typing import Any

from hebbsim.engine.timescales import check_timescales
from hebbsim.errors import BadInputError

#: Largest value of any count or number.
LARGEST = 10**15


def whole_number(what: str, value: Any, least: int, most: int = LARGEST) -> int:
    """`value` as an int; BadInputError unless it is a whole number from `least` to `most`."""
    given = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not (given and least <= value <= most):
        bounded = most < LARGEST or (given and value > most)
        beyond = f"from {least} to {most:,}" if bounded else f"of at least {least}"
        raise BadInputError(f"{what} is {value!r}: give a whole number {beyond}")
    return int(value)


def number(what: str, value: Any, above: bool) -> float:
    """`value` as a float; BadInputError unless it is at least 0, or `above` 0."""
    given = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (given and (0 < value if above else 0 <= value) and value <= LARGEST):
        most = f", at most {LARGEST:,}" if given and value > LARGEST else ""
        raise BadInputError(
            f"{what} is {value!r}: give a number {'above' if above else 'from'} 0{most}"
        )
    return float(value)


def check_layer(
    layer: Any, whole: Mapping[str, tuple[int, int]], floats: Mapping[str, bool]
) -> None:
    """Check the fields of a `WordLayer` or `TokenLayer` and convert them to Python types.

    `whole` gives the smallest and the largest value of each integer field, `floats` whether each
    other number must be above 0. BadInputError names the first field that is out of range.
    """
    name = layer.name
    if not isinstance(name, str) or not name or set(name) & set(".=") or name == "words":
        raise BadInputError(f"a layer is named {name!r}: give a name without . and =, not words")
    if not isinstance(layer.below, str):
        raise BadInputError(f"below of layer {name} is {layer.below!r}: name a layer, or text")
    for field, (least, most) in whole.items():
        value = whole_number(f"{field} of layer {name}", getattr(layer, field), least, most)
        setattr(layer, field, value)
    for field, above in floats.items():
        setattr(layer, field, number(f"{field} of layer {name}", getattr(layer, field), above))
    if layer.timescales is not None:
        try:
            layer.timescales = tuple(check_timescales(layer.timescales).tolist())
        except BadInputError as error:
            raise BadInputError(f"layer {name}: {error}") from None
