"""What configurations have in common, of experiments and of language models."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from hebbsim.engine.timescales import check_timescales
from hebbsim.errors import BadInputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["ExperimentConfig", "RuleFiles", "Timescales", "read_toml"]

_Config = TypeVar("_Config", bound="ExperimentConfig")


def read_toml(path: str | Path, wanted: str) -> dict[str, Any]:
    """The content of a TOML file.

    Parameters
    ----------
    path : path
    wanted : str
        What to give, where there is no such file.

    Raises
    ------
    BadInputError
        It cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInputError(f"{path}: no such file; give {wanted}") from None
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{path}: not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInputError(f"{path}: not TOML: {error}") from None


def _read_timescales(value: Any) -> tuple[float, ...]:
    return tuple(check_timescales(value).tolist())


#: Timescales in tokens, as numbers or as text such as ``2,8,32``.
Timescales = Annotated[tuple[float, ...], BeforeValidator(_read_timescales)]


def _load_rules(value: Any) -> tuple[str, ...]:
    files = (value,) if isinstance(value, str | Path) else tuple(value or ())
    if files:
        from hebbsim.engine import load_rules

        load_rules(files)
    return tuple(str(file) for file in files)


#: Python files with learning rules of one's own, which are registered.
RuleFiles = Annotated[tuple[str, ...], BeforeValidator(_load_rules)]


#: What pydantic found, by its name for it, in words that say what to give.
_WORDS = {
    "greater_than_equal": "give a number of at least {ge}",
    "greater_than": "give a number above {gt}",
    "less_than_equal": "give a number of at most {le}",
    "less_than": "give a number below {lt}",
    "int_parsing": "give a whole number",
    "int_from_float": "give a whole number",
    "float_parsing": "give a number",
    "literal_error": "give {expected}",
}


def _plain(error: Mapping[str, Any]) -> str:
    """What is wrong with an option, and what to give instead."""
    words = _WORDS.get(error["type"])
    if words is not None:
        return words.format(**error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ")


class ExperimentConfig(BaseModel):
    """Fields are the options of an experiment's command, and of its function."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def checked(cls: type[_Config], options: Mapping[str, Any]) -> _Config:
        """A configuration from options by name.

        Raises
        ------
        BadInputError
            With one line on the first option that cannot be used, under its name on the
            command line.
        """
        try:
            return cls(**options)
        except ValidationError as error:
            first = error.errors()[0]
            message = _plain(first)
            if not first["loc"]:  # about several options at once
                raise BadInputError(message) from None
            name = str(first["loc"][0]).replace("_", "-")
            shown = "" if first["type"] == "value_error" else f", got {first['input']!r}"
            raise BadInputError(f"--{name}: {message}{shown}") from None

    @classmethod
    def of_run(cls: type[_Config], options: Mapping[str, Any], folder: Path) -> _Config:
        """The configuration of a finished run, from its options and its folder.

        Raises
        ------
        BadInputError
            As `checked`.
        """
        return cls.checked(options)

    def resolved(self) -> dict[str, Any]:
        """Every value, ready for JSON."""
        return self.model_dump(mode="json")
