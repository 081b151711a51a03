"""Base class and shared fields of all configurations."""

import inspect
import sys
import textwrap
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from hebbsim.errors import BadInputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


#: Headings under which ``--help`` lists the options that a newcomer can leave alone.
CORPUS = "Corpus (advanced)"
NETWORK = "Network (advanced)"
EVALUATION = "Evaluation (advanced)"
COMPUTING = "Computing (advanced)"
GROUPS = (CORPUS, NETWORK, EVALUATION, COMPUTING)

_Config = TypeVar("_Config", bound="ExperimentConfig")


def read_toml(path: str | Path, wanted: str) -> dict[str, Any]:
    """Read a TOML file; BadInputError, which says to give what is `wanted`, if it is none."""
    try:
        # Some editors mark UTF-8 at the start of a file.
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BadInputError(f"{path}: no such file; give {wanted}") from None
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{path}: not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInputError(f"{path}: not TOML: {error}") from None


def option(
    description: str,
    group: str = "",
    *,
    value: Any = None,
    name: str | None = None,
    metavar: str | None = None,
    default: str | None = None,
    each: bool = False,
    positional: bool = False,
    affects_results: bool = True,
    **constraints: Any,
) -> Any:
    """Describe a field of a configuration to the command line, the documentation and pydantic.

    `description` is one sentence without the default, which is `value`, or, if fields share the
    description, stands after the field; `default` says it in words if the value says nothing.
    ``--help`` lists the option under the heading `group`, those without one first. `name` on the
    command line is by default that of the field; `metavar`, the placeholder, follows from the type.
    With `each`, a tuple is given as separate values, not as one text with commas; `positional`
    values are given without the name. `affects_results` is False for an option that changes no
    number, such as the number of processes. `constraints` are those of `pydantic.Field`: ``ge=1``.

    >>> class Example(ExperimentConfig):
    ...     passes: int = option("Passes over the text.", value=3, ge=1)
    >>> Example.checked({"passes": "5"}).passes
    5
    """
    shown: Any = {
        "group": group, "name": name, "metavar": metavar, "default": default, "each": each,
        "positional": positional, "affects_results": affects_results,
    }  # fmt: skip
    return Field(value, description=description, json_schema_extra=shown, **constraints)


# `option` in each group.
corpus_option, network_option, evaluation_option, computing_option = (
    partial(option, group=group) for group in GROUPS
)


def spelling(field: FieldInfo) -> dict[str, Any]:
    """Arguments of `option` for a field, except its description; empty for any other field."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def type_words(annotation: Any) -> str:
    """Name of a type in documentation.

    >>> type_words(tuple[int, ...]), type_words(str | None), type_words(Literal["a", "b"])
    ('tuple of int', 'str or None', "{'a', 'b'}")
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is None:
        return "None" if annotation is NoneType else str(annotation.__name__)
    if origin is Literal:
        return f"{{{', '.join(map(repr, args))}}}"
    if origin is Annotated:
        return type_words(args[0])
    if origin is tuple:
        return f"tuple of {type_words(args[0])}"
    return " or ".join(map(type_words, args))


def _read_timescales(value: Any) -> tuple[float, ...]:
    from hebbsim.engine.timescales import check_timescales

    return tuple(check_timescales(value).tolist())


def comma_parts(text: str) -> tuple[str, ...]:
    """Split a text at commas, without blanks around parts and without empty ones.

    >>> comma_parts("a, b,"), comma_parts(",")
    (('a', 'b'), ())
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


def split_list(value: Any) -> Any:
    """Split a text at commas; any other value is returned unchanged.

    ValueError for a text of commas alone.

    >>> split_list("a, b,"), split_list(("a",))
    (('a', 'b'), ('a',))
    """
    if not isinstance(value, str):
        return value
    parts = comma_parts(value)
    if value.strip() and not parts:
        raise ValueError(f"there is nothing between the commas of {value!r}")
    return parts


def _load_rules(value: Any) -> tuple[str, ...]:
    files = (value,) if isinstance(value, str | Path) else tuple(value or ())
    if files:
        from hebbsim.engine import load_rules

        load_rules(files)
    return tuple(str(file) for file in files)


#: A tuple may be given as text with commas.
Listed = BeforeValidator(split_list)

#: A whole number from 1 on.
Count = Annotated[int, Field(ge=1)]

# Fields that several experiments have.
Corpus = Annotated[
    str,
    option(
        "Corpus: builtin, a name from `hebbsim corpus list`, or a path (treebank, COGS, text, "
        "JSON, CSV, TSV or parquet; - for standard input).",
        metavar="NAME|PATH",
    ),
]
Timescales = Annotated[
    tuple[float, ...],
    BeforeValidator(_read_timescales),
    option("Comma-separated trace timescales in tokens.", metavar="TAU,..."),
]
Seeds = Annotated[int, option("Number of repetitions N, with random seeds 0 to N - 1.", ge=1)]
RuleFiles = Annotated[
    tuple[str, ...],
    BeforeValidator(_load_rules),
    network_option("Python files that define learning rules of your own.", metavar="FILE.py...",
           each=True),
]  # fmt: skip
Offline = Annotated[bool, computing_option("Never download anything.")]
Workers = Annotated[
    int,
    computing_option(
        "Number of parallel processes; results do not depend on it.",
        default="up to 2",
        affects_results=False,
        ge=1,
    ),
]


#: Messages by type of pydantic's error.
_WORDS = {
    "greater_than_equal": "give a number of at least {ge}",
    "greater_than": "give a number above {gt}",
    "less_than_equal": "give a number of at most {le}",
    "less_than": "give a number below {lt}",
    "int_parsing": "give a whole number",
    "int_from_float": "give a whole number",
    "float_parsing": "give a number",
    "finite_number": "give a finite number",
    "literal_error": "give {expected}",
    "extra_forbidden": "no such option",
}


def _plain(error: Mapping[str, Any]) -> str:
    """Message for an error of pydantic: what to give."""
    words = _WORDS.get(error["type"])
    if words is not None:
        return words.format(**error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ")


class ExperimentConfig(BaseModel):
    """Base of configurations; fields are options of a command and arguments of its function."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Add the descriptions of the fields to the docstring."""
        super().__pydantic_init_subclass__(**options)
        described = [
            f"{name} : {type_words(field.annotation)}\n"
            + textwrap.indent(textwrap.fill(field.description, 92), "    ")
            for name, field in cls.model_fields.items()
            if field.description
        ]
        text = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
        if described and text:
            before, heading, after = text.partition("Examples\n--------")
            fields = "\n".join(["Attributes", "----------", *described])
            cls.__doc__ = f"{before.rstrip()}\n\n{fields}\n\n{heading}{after}".rstrip() + "\n"

    @classmethod
    def option_name(cls, field: str) -> str:
        """Name of a field on the command line.

        >>> ExperimentConfig.option_name("batch_size")
        '--batch-size'
        """
        said = spelling(cls.model_fields[field]) if field in cls.model_fields else {}
        name = said.get("name") or f"--{field.replace('_', '-')}"
        return str(said["metavar"] if said.get("positional") else name)

    @classmethod
    def checked(cls: type[_Config], options: Mapping[str, Any]) -> _Config:
        """A configuration from options by name; BadInputError about the first unusable one."""
        try:
            return cls(**options)
        except ValidationError as error:
            first = error.errors()[0]
            message = _plain(first)
            if not first["loc"]:  # about several options at once
                raise BadInputError(message) from None
            name = cls.option_name(str(first["loc"][0]))
            shown = "" if first["type"] == "value_error" else f", got {first['input']!r}"
            raise BadInputError(f"{name}: {message}{shown}") from None

    @classmethod
    def of_run(cls: type[_Config], options: Mapping[str, Any], folder: Path) -> _Config:
        """The configuration of a finished run, from its options and folder; errors as `checked`."""
        return cls.checked(options)

    def resolved(self) -> dict[str, Any]:
        """Every value that results may depend on, ready for JSON."""
        said = {name: spelling(field) for name, field in type(self).model_fields.items()}
        neutral = {name for name, of in said.items() if not of.get("affects_results", True)}
        return self.model_dump(mode="json", exclude=neutral)
