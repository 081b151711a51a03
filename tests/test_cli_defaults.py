"""Defaults: those of the command line are those of what it calls, and every help says them."""

from __future__ import annotations

import inspect
import re

import pytest
import typer

from hebbsim.bench.run import DEFAULT_WORKS, BenchConfig
from hebbsim.cli import _spell_defaults, app
from hebbsim.experiments.identity.config import IdentityConfig
from hebbsim.experiments.language_models import config as lm_config
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.rules.run import RulesConfig
from hebbsim.experiments.stream.run import StreamConfig
from hebbsim.experiments.tune.run import TuneConfig
from hebbsim.readers import load_corpus
from hebbsim.runs.compare import compare_runs
from hebbsim.runs.rerun import rerun
from hebbsim.runs.sweep import run_sweep

CONFIGS = {
    "roles": RolesConfig, "identity": IdentityConfig, "rules": RulesConfig,
    "stream": StreamConfig, "lm": lm_config.LmConfig, "predictor": lm_config.PredictorConfig,
    "selection": lm_config.SelectionConfig, "depth": lm_config.DepthConfig,
    "blimp": lm_config.BlimpConfig, "recall": lm_config.RecallConfig, "tune": TuneConfig,
}  # fmt: skip
FUNCTIONS = {
    ("sweep",): run_sweep, ("compare",): compare_runs, ("rerun",): rerun,
    ("corpus", "make"): load_corpus, ("corpus", "info"): load_corpus,
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

    return list(walk(_spell_defaults(typer.main.get_command(app)), ()))


def test_every_experiment_is_here():
    assert {*command_of("run").commands, "tune"} == set(CONFIGS)


@pytest.mark.parametrize("verb", CONFIGS)
def test_options_that_are_not_given_leave_the_configuration_as_it_is(verb):
    """What the command passes on, and what its help texts name, is the configuration's own."""
    config = CONFIGS[verb]
    assert config.checked({}) == config()
    checked = 0
    for param in command_of(*([] if verb == "tune" else ["run"]), verb).params:
        name = param.name
        if name not in config.model_fields or name == "workers":
            continue
        default = getattr(config.checked({}), name)
        # As text, it has to be read as what the configuration has.
        said = re.search(r"\(default: ([^ )]+)\)", param.help or "")
        given = param.default if param.default is not None else said and said[1]
        if given is None or (param.default is None and default in (None, ())):
            continue
        options = {name: (given,) if name == "corpus" and verb == "stream" else given}
        assert getattr(config.checked(options), name) == default, name
        checked += 1
    assert checked > 3


@pytest.mark.parametrize("words", FUNCTIONS, ids=" ".join)
def test_commands_have_the_defaults_of_their_functions(words):
    known = inspect.signature(FUNCTIONS[words]).parameters
    found = [p for p in command_of(*words).params if p.name in known and p.default is not None]
    assert found
    for param in found:
        default = known[param.name].default
        assert default is inspect.Parameter.empty or param.default == default, param.name


def test_the_bench_has_the_defaults_of_its_configuration():
    given = {param.name: param.default for param in command_of("bench").params}
    config = BenchConfig()
    assert given["works"] is None and config.works == DEFAULT_WORKS
    assert (given["peers"],) == config.peers
    for name in ("rounds", "seconds", "corpus", "offline"):
        assert given[name] == getattr(config, name)


@pytest.mark.parametrize("command", every_command())
def test_every_help_names_its_default_in_one_form(command):
    text = " ".join(command.get_help(typer.Context(command, info_name="x")).split())
    assert "[default" not in text and ", 1, .. (" not in text
    assert not re.search(r"\bwithout[.;]|[;,] without\b|\bwithout, ", text.replace("without a", ""))
    for param in command.params:
        shown = param.default is not None and not getattr(param, "is_flag", False)
        if shown and getattr(param, "help", None):
            assert f"(default: {param.default})" in param.help
            assert param.help.count("default:") == 1
