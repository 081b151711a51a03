"""Rules from outside the package: a file, an entry point, a call from Python."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from hebbsim.cli import main
from hebbsim.engine import Rule, TraceEngine, get_rule, load_rules, register_rule, rule_names, rules
from hebbsim.engine.network import Plasticity
from hebbsim.errors import BadInputError
from hebbsim.experiments.rules import run as experiment
from hebbsim.experiments.rules.config import RulesConfig
from hebbsim.experiments.rules.run import run_rules
from hebbsim.experiments.stream.config import StreamConfig
from hebbsim.experiments.stream.run import run_stream
from hebbsim.runs.rerun import read_run
from hebbsim.runs.resume import StepResult

ROOT = Path(__file__).parent.parent
(EXAMPLE,) = re.findall(
    r":caption: forget.py\n\n(.*?)```",
    (ROOT / "docs/your-rule.md").read_text(encoding="utf-8"),
    re.DOTALL,
)
PLAIN = EXAMPLE.replace("Rule, njit", "Rule").replace("@njit\n", "")


#: What is said of a type that does not fit: numba knows the line of it.
PLACE = "(ValueError: " if numba.config.DISABLE_JIT else "forget.py:14 (TypingError: "


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """Rules of a test are gone after it."""
    monkeypatch.setattr(rules, "_registered", dict(rules._registered))


@pytest.fixture
def declare(monkeypatch, tmp_path):
    """A function that installs a package that declares rules."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)

    def install(package, *points):
        about = site / f"{package}-1.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (about / "entry_points.txt").write_text("\n".join(["[hebbsim.rules]", *points, ""]))
        importlib.invalidate_caches()
        rules._declared.cache_clear()
        return site

    yield install
    rules._declared.cache_clear()


def write(path, text=EXAMPLE, **changes):
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def weights_of(rule):
    engine = TraceEngine(5, dim=4, n_units=1, rule=rule, eta=0.02)
    return engine.run(np.arange(40) % 5).weights


def does_nothing(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    post[:] = 0


# Ways in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [EXAMPLE, EXAMPLE.replace("hebbsim.engine import Rule, njit",
    "hebbsim.engine import Rule\nfrom numba import njit"), PLAIN],
    ids=["njit", "numba", "plain"])  # fmt: skip
def test_a_file_gives_its_rule(tmp_path, text):
    path = write(tmp_path / "mine.py", text)
    assert load_rules([path]) == ("forget",) == load_rules([str(path)]) == load_rules(path)
    assert "forget" in rule_names()
    assert numba.config.DISABLE_JIT or get_rule("forget").learn.signatures  # compiled
    # With a decay of 1 it is Oja's neuron.
    np.testing.assert_allclose(weights_of("forget"), weights_of("oja"), rtol=1e-5)


def test_files_may_define_several_rules_and_use_those_of_the_package(tmp_path):
    path = write(
        tmp_path / "two.py",
        EXAMPLE
        + "\nimport dataclasses\nfrom hebbsim.engine.rules.oja import RULE as OJA\n"
        + "SLOW = dataclasses.replace(OJA, name='slow', eta=0.001)\n",
    )
    assert load_rules([path]) == ("forget", "slow")
    assert weights_of("slow").tobytes() == weights_of("oja").tobytes()


def test_a_rule_is_registered_from_python_once():
    rule = Rule("still", "A paper (2026).", "ΔW = 0", does_nothing)
    made = register_rule(rule)
    assert register_rule(rule) is made is get_rule("still")
    with pytest.raises(BadInputError, match="there is a rule still already: give yours another"):
        register_rule(Rule("still", "Another (2026).", "ΔW = 0", does_nothing))
    with pytest.raises(BadInputError, match="there is a rule oja already"):
        register_rule(Rule("oja", "Another (2026).", "ΔW = 0", does_nothing))
    with pytest.raises(BadInputError, match="'oja' is no Rule"):
        register_rule("oja")


def test_installed_packages_declare_rules(declare):
    site = declare("one", "forget = a_package_of_rules:RULE", "broken = no_such_package:RULE")
    write(site / "a_package_of_rules.py")
    assert {"forget", "broken", "oja"} <= set(rule_names())
    assert "a_package_of_rules" not in sys.modules  # named, not imported
    assert get_rule("forget").equation.startswith("ΔWᵢ = η (yᵢ h − decay")
    with pytest.raises(BadInputError, match="rule broken of package one: No module named"):
        get_rule("broken")
    declare("two", "other = a_package_of_rules:RULE")
    with pytest.raises(BadInputError, match=r"of package two: .* is a rule by another name"):
        get_rule("other")


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (["oja = a:RULE"], "package first declares a rule oja, which hebbsim has already"),
        (["a = a:RULE", "b = b:RULE"], "declares a rule a, which package .* has already"),
    ],
)
def test_what_two_declare_is_said_to_be(declare, points, says):
    declare("first", *points)
    declare("second", "a = another:RULE")
    with pytest.raises(BadInputError, match=says):
        rule_names()
    assert get_rule("oja").name == "oja"  # what is not in doubt goes on


# Where they reach --------------------------------------------------------------------------


def run(*words):
    with pytest.raises(SystemExit) as stopped:
        main(["run", *map(str, words)])
    return stopped.value.code


@pytest.mark.usefixtures("no_figures")
def test_the_command_line_takes_them(tmp_path, capsys, monkeypatch):
    write(tmp_path / "forget.py")
    monkeypatch.chdir(tmp_path)
    tried = []

    def learn(job):
        tried.append(job.network["words"][0]["directions"]["rule"])
        return dict.fromkeys(
            job.conditions, StepResult({}, "not learned here" if tried[1:] else "")
        )

    monkeypatch.setattr(experiment, "_learn", learn)
    small = ["--seeds", 1, "--workers", 1, "--out", tmp_path / "run", "--json"]
    assert run("rules", "--rules", "forget.py", "--rule", "forget", *small) == 0
    assert "forget" in tried
    document = json.loads(capsys.readouterr().out)
    assert document["config"]["rule"] == ["forget"]
    assert document["config"]["rules"] == ["forget.py"]
    assert re.fullmatch("[0-9a-f]{64}", document["provenance"]["inputs"]["forget.py"])
    # The run says all that it takes to run it again, in a process that knows nothing, from
    # another folder.
    rules._registered.clear()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_run(tmp_path / "run")[1].rule == ("forget",)
    assert get_rule("forget")


def test_a_stream_is_learned_by_one(tmp_path, capsys):
    path = write(tmp_path / "forget.py")
    words = ["--learner", "engine", "--rules", path, "--rule", "forget", "--dim", 4]
    words += ["--tokens", 2000, "--chunk-tokens", 1000, "--out", tmp_path / "run"]
    assert run("stream", *words) == 0
    file = tmp_path / "run" / "learner.safetensors"
    assert TraceEngine.load(file).rule.name == "forget"
    assert "forget.py" in json.loads((tmp_path / "run" / "provenance.json").read_text())["inputs"]
    rules._registered.clear()
    with pytest.raises(BadInputError, match=r"rule 'forget', which is not registered here: reg"):
        TraceEngine.load(file)


def test_the_rate_is_that_of_the_rule_of_the_file(tmp_path):
    path = write(tmp_path / "forget.py", **{"    learn=learn,\n": "    learn=learn, eta=0.5,\n"})
    load_rules([path])
    assert Plasticity("forget").start(2, 3).rate == 0.5


@pytest.mark.parametrize(
    ("experiment", "config"), [(run_rules, RulesConfig), (run_stream, StreamConfig)]
)
def test_a_process_that_is_given_a_configuration_loads_its_files(tmp_path, experiment, config):
    path = write(tmp_path / "forget.py")
    other = (
        {"corpus": "nothing"} if config is RulesConfig else {"corpus": ["no"], "learner": "engine"}
    )
    ready = config.checked({"rules": [path], "rule": "forget", **other})
    rules._registered.clear()
    with pytest.raises(BadInputError, match="no"):  # its corpus, which comes after
        experiment(ready)
    assert "forget" in rule_names()


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="NUMBA_DISABLE_JIT is set")
def test_no_process_learns_by_the_kernel_of_yesterday(tmp_path):
    code = (
        "import numpy as np\nfrom hebbsim.engine import TraceEngine, load_rules\n"
        "load_rules(['mine.py'])\n"
        "print(TraceEngine(5, dim=4, rule='forget', eta=.02).run(np.arange(40) % 5)"
        ".weights.tolist())"
    )

    def result():
        return subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ).stdout  # fmt: skip

    write(tmp_path / "mine.py")
    before = result()
    write(tmp_path / "mine.py", **{"decay * y * y": "decay * y"})
    assert result() != before


def test_the_demo_takes_them_before_it_learns_anything(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--rules", str(tmp_path / "none.py"), "--export", str(tmp_path / "page")])
    assert stopped.value.code == 2 and "none.py: cannot be imported" in capsys.readouterr().err


# What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("RULE = Rule(", "rule_of_mine(", "cannot be imported (NameError"),
        ("RULE = Rule(", "print(", "cannot be imported (TypeError"),
        ("RULE = Rule(", "RULE = dict(", "defines no rule: add RULE = Rule(...) to it"),
        ('name="forget"', 'name="oja"', "there is a rule oja already: give yours another name"),
        ('name="forget"', 'name="my rule"', "give it a name of letters, digits and _"),
        (", eta, parameters, post", ", parameters, post", "learn takes 8 arguments, not the 9"),
        ("y * pre[t, j] -", "unknown(y) -", "name 'unknown' is not defined"),
        ("post[t, i] = y", "post[t, i] = 'a'", PLACE),
        ("+= eta * (", "+= 0.1 * (", "learn changes its weights or its state with eta 0"),
        ("post[t, i] = y", "pass", "learn does not fill post"),
        ('"decay": 1.0', '"decay": float("nan")',
         "parameter decay of rule forget is nan: give a number of at least 0"),
        ("learn=learn", "learn=3", "learn is 3, not a function"),
        ("learn=learn", "learn=learn, eta=-1", "eta of rule forget is -1: give a number from 0"),
        ("learn=learn", "learn=learn, posts=()", "posts is (), not output, token or both"),
        ("learn=learn", "learn=learn, start=lambda n, m: [0]", "start gives [0], not a flat"),
        ("learn=learn", "learn=learn, learn_blocks=len", "learn_blocks is <built-in function len>"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_costs_one_line(tmp_path, capsys, old, new, says):
    path = write(tmp_path / "forget.py", **{old: new})
    assert run("rules", "--rules", path, "--rule", "forget") == 2
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith(f"hebbsim: --rules: {path}: ") and says in line
    assert "forget" not in rule_names()


@pytest.mark.parametrize(
    ("name", "says"), [("none.py", "cannot be imported (FileNotFound"), ("a.txt", "is no Python")]
)
def test_files_that_are_not_there_or_not_python(tmp_path, name, says):
    with pytest.raises(BadInputError) as caught:
        load_rules([tmp_path / name])
    assert str(caught.value).startswith(f"{tmp_path / name}: {says}")
