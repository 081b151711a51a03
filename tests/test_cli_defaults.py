"""Defaults: those of the command line are those of what it calls, and every help says them."""

from __future__ import annotations

import inspect
import pkgutil
import re

import pytest
import typer

from hebbsim.cli import app
from hebbsim.cli.options import with_help
from hebbsim.config import GROUPS, spelling
from hebbsim.demo.config import DemoConfig
from hebbsim.experiments.identity.config import IdentityConfig
from hebbsim.probes.identity import PRECISIONS
from hebbsim.readers import load_corpus
from hebbsim.runs import registry
from hebbsim.runs.compare import compare_runs
from hebbsim.runs.corpus_config import SeededCorpusConfig, TextConfig
from hebbsim.runs.rerun import rerun
from hebbsim.runs.sweep import run_sweep

EXPERIMENTS = {one.name: one for one in registry.EXPERIMENTS.values() if one.help}
CONFIGS = {one.name: one.config for one in EXPERIMENTS.values()} | {
    "demo": DemoConfig, "corpus make": SeededCorpusConfig, "corpus info": SeededCorpusConfig,
    "tag": TextConfig,
}  # fmt: skip
WITHOUT = {"corpus make": ("gold_layer",), "corpus info": ("parser", "offline")}
FUNCTIONS = {
    ("sweep",): run_sweep, ("compare",): compare_runs, ("rerun",): rerun,
}  # fmt: skip


def command_of(*words):
    found = typer.main.get_command(app)
    for word in words:
        found = found.commands[word]
    return found


def every_command():
    def walk(command, words):
        inner = getattr(command, "commands", {})
        for name, one in inner.items():
            yield from walk(one, (*words, name))
        if not inner:
            yield pytest.param(command, id=" ".join(words))

    return list(walk(with_help(typer.main.get_command(app)), ()))


def test_an_experiment_has_the_command_that_it_declares():
    known = [name for name, one in EXPERIMENTS.items() if one.command.startswith("run ")]
    assert sorted(command_of("run").commands) == known and "roles" in known
    assert {"tune", "bench"} == {*EXPERIMENTS} - {*known}
    for one in EXPERIMENTS.values():
        assert command_of(*one.command.split()).name == one.name


def options_of(verb):
    """The configuration of a command, and its parameters by the name of their field."""
    words = EXPERIMENTS[verb].command if verb in EXPERIMENTS else verb
    command = command_of(*words.split())
    found = {param.name: param for param in command.get_params(typer.Context(command))}
    # Of `corpus make` all layers are written; `corpus info` shows what is on this machine.
    assert command.without == WITHOUT.get(verb, ())
    return CONFIGS[verb], found


@pytest.mark.parametrize("verb", CONFIGS)
def test_every_field_is_an_option_with_a_description(verb):
    config, params = options_of(verb)
    for name, field in config.model_fields.items():
        if name in WITHOUT.get(verb, ()):
            continue
        text = field.description or ""
        assert text.endswith(".") and not re.search(r"[.:;] [A-Z]", text), f"{name}: one sentence"
        assert (params[name].help or "").startswith(text[:-1]), name
        assert "default" not in text.replace("default,", ""), f"{name}: the default is added"
        assert f"{name} : " in config.__doc__, name


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda one: one.name)
def test_what_every_experiment_takes_and_raises_is_described_once(experiment):
    text = inspect.getdoc(pkgutil.resolve_name(experiment.run_at))
    for line in ("config : ", "out : ", "progress : ", "overwrite : ", "Raises\n------\n"):
        assert text.count(f"\n{line}") == 1


@pytest.mark.parametrize("verb", CONFIGS)
def test_the_default_that_help_shows_is_that_of_the_python_function(verb):
    """As a user types it, it is read as what a call without options has."""
    config, params = options_of(verb)
    without = config.checked({})
    assert without == config()
    for name, field in config.model_fields.items():
        if name in WITHOUT.get(verb, ()):
            continue
        default, said = getattr(without, name), re.search(r"\(default: (.+)\)", params[name].help)
        if spelling(field)["default"] is not None:  # in words, where no value says it
            assert default in (None, ()) or name in (
                "workers",
                "ranges",
                "works",
                "rivals",
                "preset",
            ), name
        elif default is None or default is False or default == ():
            assert said is None, name
        elif default is True:
            assert said[1] == params[name].opts[0] != params[name].secondary_opts[0], name
        else:
            typed = said[1].split(",") if spelling(field)["each"] else said[1]
            assert getattr(config.checked({name: typed}), name) == default, name


@pytest.mark.parametrize("verb", CONFIGS)
def test_what_changes_no_number_is_no_part_of_a_recorded_configuration(verb):
    config = CONFIGS[verb]()
    left_out = set(type(config).model_fields) - set(config.resolved())
    assert left_out <= {"workers", "scheduler", "store", "log"}
    assert ("workers" in left_out) == ("workers" in type(config).model_fields)


def test_every_number_format_is_compared_by_default():
    assert IdentityConfig().precision == PRECISIONS


def test_a_corpus_is_read_with_the_defaults_of_the_reader():
    known = inspect.signature(load_corpus).parameters
    names = {"gold_layer": "layer", "role_map": "scheme"}
    for name in SeededCorpusConfig.model_fields:
        assert getattr(SeededCorpusConfig(), name) == known[names.get(name, name)].default, name


@pytest.mark.parametrize("words", FUNCTIONS, ids=" ".join)
def test_commands_have_the_defaults_of_their_functions(words):
    known = inspect.signature(FUNCTIONS[words]).parameters
    found = [p for p in command_of(*words).params if p.name in known and p.default is not None]
    assert found
    for param in found:
        default = known[param.name].default
        assert default is inspect.Parameter.empty or param.default == default, param.name


@pytest.mark.parametrize("command", every_command())
def test_every_help_names_its_default_in_one_form(command):
    text = " ".join(command.get_help(typer.Context(command, info_name="x")).split())
    assert "[default" not in text and ", 1, .. (" not in text
    assert not re.search(r"\bwithout[.;]|[;,] without\b|\bwithout, ", text.replace("without a", ""))
    for param in command.get_params(typer.Context(command)):
        shown = param.default is not None and not getattr(param, "is_flag", False)
        if shown and getattr(param, "help", None):
            assert f"(default: {param.default})" in param.help
            assert param.help.count("default:") == 1


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("command", every_command())
def test_no_help_text_is_broken_inside_a_word(command, columns):
    context = command.context_class(command, info_name="x", terminal_width=columns)
    printed = command.get_help(context)
    assert max(map(len, printed.splitlines())) <= columns
    texts = [
        record[1] for p in command.get_params(context) if (record := p.get_help_record(context))
    ]
    words = {word for text in texts for item in text.split() for word in item.split(",")}
    assert words <= {word for item in printed.split() for word in item.split(",")}


def test_run_roles_shows_the_ten_options_that_matter_first(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command = command_of("run", "roles")
    lines = command.get_help(typer.Context(command, info_name="roles")).splitlines()
    assert max(map(len, lines)) <= 80
    heads = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert heads == ["Options:", *(f"{group}:" for group in GROUPS)]
    first = lines[lines.index(heads[0]) : lines.index(heads[1])]
    names = [line.split()[0] for line in first if line.startswith("  --")]
    assert names == [
        "--corpus", "--preset", "--timescales", "--clusters", "--ensemble-size", "--seeds",
        "--baselines", "--out", "--overwrite", "--json", "--help",
    ]  # fmt: skip
