"""The options of a command, generated from the fields of its configuration, and its `--help`.

The name, description, type and default of an option are written once, at the field
(`hebbsim.config.option`). Values reach the configuration as text; only it checks them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from inspect import Parameter, Signature
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from hebbsim.config import ExperimentConfig
    from hebbsim.runs.experiment import Experiment


def flag(name: str, help: str) -> Any:
    """An option that takes no value."""
    return typer.Option(name, help=help)


Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Run folder to write (default: a new folder below runs)."),
]
Overwrite = Annotated[
    bool, flag("--overwrite", "Replace a finished run in the run folder; other files there stay.")
]
Json = Annotated[bool, flag("--json", "Print one JSON document instead of tables.")]

# Depending on its version, typer bundles click or uses the installed one.
_Context: Any = TyperCommand.context_class

#: Placeholder of a value, by type.
_METAVARS = {"int": "N", "float": "X", "str": "NAME", "Path": "PATH"}


class Verb(TyperCommand):
    """A command with an option for every field of its configuration.

    The configuration class is imported only when its options are needed, so that other commands
    start fast. The checked configuration becomes the ``obj`` of the context.
    """

    #: ``module:name`` of the configuration (default: that of the experiment).
    config_at: str = ""
    #: Fields that are not options of this command.
    without: tuple[str, ...] = ()

    @classmethod
    def of(cls, config_at: str, *without: str) -> type[Verb]:
        """The class of a command with the options of a configuration, some left out."""
        return type("Verb", (cls,), {"config_at": config_at, "without": without})

    @cached_property
    def config(self) -> type[ExperimentConfig]:
        """The class of the configuration."""
        from hebbsim.runs.registry import get_experiment

        return resolve_name(self.config_at) if self.config_at else get_experiment(self.name).config

    @cached_property
    def fields(self) -> dict[str, Any]:
        """Command-line parameters by field name."""
        found = parameters_of(self.config)
        return {name: param for name, param in found.items() if name not in self.without}

    def get_params(self, ctx: Any) -> list[Any]:
        """Parameters of the fields, then those of the command function."""
        return [*self.fields.values(), *super().get_params(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let a repeatable option take several values at once."""
        for param in self.fields.values():
            if getattr(param, "multiple", False):
                args = spread(args, param.opts[0])
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Check the configuration once, and call the command function."""
        values = {name: ctx.params.pop(name) for name in self.fields}
        given = {name: value for name, value in values.items() if value not in (None, ())}
        ctx.obj = self.config.checked(given)
        return super().invoke(ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """List options under the headings of their groups, ungrouped ones first."""
        from hebbsim.config import GROUPS

        groups: dict[str, list[Any]] = {name: [] for name in ("Arguments", "Options", *GROUPS)}
        for param in self.get_params(ctx):
            usual = "Arguments" if param.param_type_name == "argument" else "Options"
            if record := param.get_help_record(ctx):
                groups[getattr(param, "rich_help_panel", None) or usual].append(record)
        for group, records in groups.items():
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)


def add_command(app: typer.Typer, experiment: Experiment) -> None:
    """Add the command of an experiment, with an option for every field of its configuration."""

    def command(
        ctx: typer.Context, out: Out = None, overwrite: Overwrite = False, json: Json = False
    ) -> None:
        from hebbsim.cli.run_command import run_command

        run_command(experiment, ctx.obj, out, overwrite, json)

    app.command(experiment.name, cls=Verb, help=experiment.help)(command)


def parameters_of(config: type[ExperimentConfig]) -> dict[str, Any]:
    """The typer parameters of the fields of a configuration, by name."""

    def fill(**_: Any) -> None:
        """Never called: typer reads the signature that is assigned below."""

    fill.__annotations__ = {name: _annotated(config, name) for name in config.model_fields}
    fill.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
            for name, annotation in fill.__annotations__.items()
        ]
    )
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(fill)
    return {param.name: param for param in typer.main.get_command(app).params}


def _annotated(config: type[ExperimentConfig], name: str) -> Any:
    """The command-line annotation of a field: text, several texts, or a flag."""
    from hebbsim.config import spelling, type_words

    field, spelled = config.model_fields[name], config.option_name(name)
    said, words, text = spelling(field), type_words(field.annotation), field.description or ""
    default = default_words(spelled, field)
    shown: dict[str, Any] = {
        "help": f"{text.removesuffix('.')} (default: {default})." if default else text,
        "metavar": said.get("metavar"),
        "rich_help_panel": said.get("group") or None,
    }
    if said.get("positional"):
        return Annotated[list[str] | None, typer.Argument(**shown)]
    if words == "bool":
        both = f"{spelled}/--no-{spelled[2:]}" if field.default else spelled
        return Annotated[bool | None, typer.Option(both, **shown)]
    shown["metavar"] = shown["metavar"] or "|".join(_metavars(words))
    value: Any = list[str] | None if said.get("each") else str | None
    return Annotated[value, typer.Option(spelled, **shown)]


def _metavars(words: str) -> Iterator[str]:
    """Placeholders for a value, from its type in words."""
    for word in words.split(" or "):
        kind = word.removeprefix("tuple of ")
        if kind.startswith("{"):
            yield kind[1:-1].replace("'", "").replace(", ", "|")
        elif kind != "None":
            yield _METAVARS[kind] + ",..." * word.startswith("tuple")


def default_words(spelled: str, field: FieldInfo) -> str:
    """The default of a field as text; empty if it has none."""
    from hebbsim.config import spelling

    value = field.default
    if words := spelling(field).get("default"):
        return str(words)
    if isinstance(value, bool):
        return spelled if value else ""
    if value is None:
        return ""
    values = value if isinstance(value, tuple) else (value,)
    return ",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def spread(words: Sequence[str], option: str) -> list[str]:
    """Repeat an option before each of its values, such as those that a shell expands ``*`` to.

    >>> spread(["--unlabeled", "a.txt", "b.txt", "--json"], "--unlabeled")
    ['--unlabeled', 'a.txt', '--unlabeled', 'b.txt', '--json']
    """
    found: list[str] = []
    inside = 0
    for word in words:
        if word.startswith("-") and word != "-":
            inside = int(word == option)
        elif inside:
            if inside > 1:
                found.append(option)
            inside += 1
        found.append(word)
    return found


class _Formatter(_Context.formatter_class):  # type: ignore[misc]
    """Breaks lines between words only; click also breaks at hyphens and in long lists."""

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        rows = list(rows)
        left = min(max(len(term) for term, _ in rows), col_max) + col_spacing
        width = max(self.width - left - 2, 10)
        # click does not wrap a paragraph that begins with this mark.
        texts = ["\n".join(["\b", *_lines(text, width)]) for _, text in rows]
        terms = [term for term, _ in rows]
        super().write_dl(list(zip(terms, texts, strict=True)), col_max, col_spacing)


def _lines(text: str, width: int) -> list[str]:
    words = (word.replace(",", ", ") if len(word) > width else word for word in text.split())
    return textwrap.wrap(" ".join(words), width, break_long_words=False, break_on_hyphens=False)


class _HelpContext(_Context):
    formatter_class = _Formatter


def with_help(command: Any) -> Any:
    """Use this help format for a command and its subcommands; return the command."""
    for inner in getattr(command, "commands", {}).values():
        with_help(inner)
    command.context_class = _HelpContext
    for param in command.params:
        shown = param.default
        if getattr(param, "is_flag", False):  # for --a/--no-a, the one that is the default
            names = param.opts if shown else param.secondary_opts
            shown = names[0] if param.secondary_opts else None
        if shown is not None and getattr(param, "help", None):
            param.help = f"{param.help.removesuffix('.')} (default: {shown})."
            param.show_default = False
    return command
