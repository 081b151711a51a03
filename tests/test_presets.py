"""Presets: what dev chose for a kind of corpus, and files of one's own."""

from __future__ import annotations

import pytest
from test_network_run import NETWORK, OPTIONS, corpus, file  # noqa: F401
from test_user_rules import EXAMPLE

from hebbsim.cli import main
from hebbsim.engine import rules
from hebbsim.experiments.roles import learner_config
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.roles.learner_config import PRESETS, LearnerConfig, read_preset
from hebbsim.experiments.roles.run import run_roles
from hebbsim.runs.rerun import read_run, rerun

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def preset(tmp_path):
    """What writes a preset."""

    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_preset_that_ships_can_be_given_as_a_file(path):
    config = LearnerConfig.checked({"preset": str(path)})
    for name, value in read_preset(path).items():
        assert list(getattr(config, name)) == value if isinstance(value, list) else value


def test_the_best_preset_fills_in_what_is_not_given(monkeypatch, tmp_path, preset):
    monkeypatch.setattr(learner_config, "PRESETS", tmp_path)
    preset("timescales = [3, 9]\nclusters = 600", "cogs.toml")
    preset("clusters = 7", "natural.toml")
    preset("clusters = 8", "ko_gsd.toml")
    best = RolesConfig.checked({"preset": "best", "corpus": "cogs", "clusters": 40})
    assert (best.timescales, best.clusters) == ((3, 9), 40)
    for name, clusters in (("ud-english-ewt", 7), ("ud-korean-gsd", 8)):
        assert RolesConfig.checked({"preset": "best", "corpus": name}).clusters == clusters
    assert RolesConfig.checked({"corpus": "cogs"}).clusters == 300


def test_settings_and_rules_of_ones_own_win_one_by_one(preset):
    mine = preset(
        'settings = ["words.size=20", "tokens.subsample=0.1"]\n'
        'rule = ["first.memory=oja", "tokens.prediction=delta"]\npasses = 2'
    )

    def changes(**options):
        config = RolesConfig.checked(options)
        return config.settings, config.rule, config.passes

    said = read_preset(mine)
    assert changes(preset=mine) == (tuple(said["settings"]), tuple(said["rule"]), 2)
    own = {"settings": ("words.size=30", "words.size=40"), "rule": ["tokens.prediction=nlms"]}
    assert changes(preset=mine, **own) == (
        ("tokens.subsample=0.1", "words.size=40"), ("first.memory=oja", "tokens.prediction=nlms"), 2
    )  # fmt: skip
    assert changes(**own) == (("words.size=40",), ("tokens.prediction=nlms",), 3)


def test_a_preset_names_a_network_beside_it_and_a_rule_that_the_command_brings(
    preset, tmp_path, monkeypatch
):
    monkeypatch.setattr(rules, "_registered", dict(rules._registered))
    preset(NETWORK, "net.toml")
    brought = preset(EXAMPLE, "forget.py")
    mine = preset('network = "net.toml"\nrule = ["first.categories=forget"]')
    config = RolesConfig.checked({"preset": mine, "rules": [brought]})
    assert config.network == str(tmp_path / "net.toml")
    assert (config.timescales, config.clusters) == ((2, 4), 7)
    assert config.described()["words"][0]["categories"]["rule"] == "forget"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("clusters = [", "not TOML: "),
        ("# none yet", "sets nothing: give one or more of timescales, clusters, "),
        ("cluster = 3", "a preset has no 'cluster': choose timescales, clusters, "),
        ("clusters = 0", "clusters: give a number of at least 1, got 0"),
        ("timescales = [0.5]", "timescales: "),
        ('settings = "words.size=50"', "settings is 'words.size=50': give a list"),
        ('settings = ["words.size=x"]', "size of layer first is 'x': give a whole number"),
        ('rule = ["third.memory=oja"]', "'third.memory=oja' names no layer"),
        ('network = "nothing.toml"', "cannot read network "),
    ],
)
def test_a_preset_that_cannot_be_used_costs_a_line_and_code_2(text, says, preset, capsys):
    mine = preset(text)
    with pytest.raises(SystemExit) as stopped:
        main(["run", "roles", "--preset", mine])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.count("\n") == 1
    assert said.startswith(f"hebbsim: --preset {mine}: ") and says in said


def test_what_is_wrong_with_another_option_is_no_fault_of_the_preset(preset, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["run", "roles", "--preset", preset("clusters = 9"), "--network", "nothing.toml"])
    assert stopped.value.code == 2 and "preset" not in capsys.readouterr().err


def test_a_run_runs_again_when_its_preset_has_changed(preset, corpus, file, tmp_path):  # noqa: F811
    mine = preset(f'network = "{file}"\nsettings = ["first.size=6"]\ntimescales = [3]')
    ran = run_roles(corpus=str(corpus), preset=mine, out=tmp_path / "run", **OPTIONS)
    assert ran.config["settings"] == ["first.size=6"] and ran.config["timescales"] == [3.0]
    preset('settings = ["first.size=4", "tokens.size=3"]\npasses = 5')
    assert read_run(tmp_path / "run")[1].settings == ("first.size=6",)
    assert rerun(tmp_path / "run", tmp_path / "again").exact
