"""Networks described in files: what they may say, and what is said of what they may not."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from hebbsim.config import read_toml
from hebbsim.engine.network import Network, Plasticity, TokenLayer, WordLayer
from hebbsim.engine.network.description import ROLES, build, change, read_network, written
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.learner_config import merged
from hebbsim.models.role_network import RoleNetwork


def small():
    return {
        "timescales": [2, 8],
        "words": [
            {"name": "first", "below": "text", "size": 4, "n_directions": 3},
            {"name": "second", "below": "first", "size": 4, "n_directions": 3},
        ],
        "tokens": {"name": "tokens", "below": "second", "size": 5, "n_directions": 3},
    }


def put(where, value):
    """A description with one value more, or another."""
    description = small()
    *path, name = where
    table = description
    for key in path:
        table = table[key]
    table[name] = value
    return description


FIRST, TOP = ("words", 0), ("tokens",)


class TestWritten:
    def test_says_every_value_and_builds_the_same(self):
        said = written(build(small()))
        assert said["tokens"]["guess"] == {"rule": "softmax", "eta": 10.0}
        assert said["words"][0]["min_count"] == 2 and said["max_words"] == 30_000
        assert written(build(said)) == said
        assert written(build(json.loads(json.dumps(said)))) == said

    def test_is_read_from_json_as_from_toml(self, tmp_path):
        (tmp_path / "network.json").write_text(json.dumps(small()))
        assert read_network(tmp_path / "network.json") == small()

    def test_numbers_of_numpy_become_those_of_python(self):
        said = written(build(small()))
        learner = RoleNetwork(small(), n_clusters=np.int64(5))
        assert json.dumps(written(build(learner.description()))) == json.dumps(said)


class TestChange:
    def test_of_a_layer_of_all_word_layers_and_of_a_part(self):
        said = change(
            small(),
            ["words.size=20", "first.size=7", "tokens.lengths=[1, 0, 0, 0, 0]",
             "tokens.prediction.eta=0.5", "second.timescales=[4]"],
            ["second.directions=oja", "tokens.guess=delta"],
        )  # fmt: skip
        network = build(said)
        assert [layer.size for layer in network.words] == [7, 20]
        assert network.top.lengths == (1, 0, 0, 0, 0)
        assert network.top.prediction == Plasticity("nlms", 0.5)  # the rest as it was
        assert network.top.guess == Plasticity("delta")
        assert network.words[1].directions == Plasticity("oja")
        assert network.words[1].timescales == (4,)

    def test_of_the_whole_network(self):
        network = build(change(small(), ["max_words=40", "context_words=7"]))
        assert (network.max_words, network.context_words) == (40, 7)
        assert build(change(written(network), ["context_words=8"])).max_words == 40

    def test_of_a_part_that_names_its_rule_alone(self):
        said = change(put((*TOP, "prediction"), "delta"), ["tokens.prediction.eta=0.5"])
        assert build(said).top.prediction == Plasticity("delta", 0.5)

    def test_of_a_rule_that_is_set_and_its_parameter(self):
        said = change(small(), ["first.categories.conscience=2"], ["first.categories=competitive"])
        assert build(said).words[0].categories == Plasticity("competitive", None, {"conscience": 2})

    def test_leaves_what_it_is_given(self):
        description, before = small(), small()
        change(description, ["tokens.prediction.eta=1", "words.size=3"], ["first.memory=oja"])
        assert description == before

    @pytest.mark.parametrize(
        ("settings", "rules", "says"),
        [
            (["size=3"], [], "'size=3' is not of the form LAYER.PARAMETER=VALUE"),
            (["size=3"], [], "without a layer there are max_words and context_words"),
            (["first.size"], [], "'first.size' is not of the form LAYER.PARAMETER=VALUE"),
            (["first.size="], [], "is not of the form"),
            (["first..size=3"], [], "is not of the form"),
            (["a.b.c.d=3"], [], "is not of the form"),
            ([], ["first=oja"], "'first=oja' is not of the form LAYER.PART=RULE"),
            (["frist.size=3"], [], "names no layer: choose words, first, second, tokens"),
            ([], ["roof.memory=oja"], "names no layer"),
            (["first.roof.eta=3"], [], "layer first has no part roof: memory, directions, cat"),
            (["first.size.eta=3"], [], "layer first has no part size"),
            ([], ["tokens.memory=instar"], "layer tokens has no part memory: guess, own"),
            ([], ["words.size=oja"], "has no part size"),
            (["first.size=[[[["], [], "size of layer first is '[[[['"),
            (["first.sise=3"], [], "layer first has no 'sise': did you mean size?"),
            ([], ["first.memory=instat"], "did you mean instar?"),
        ],
    )
    def test_what_cannot_be_changed(self, settings, rules, says):
        with pytest.raises(BadInputError) as refused:
            build(change(small(), settings, rules))
        assert says in str(refused.value) and "\n" not in str(refused.value)


WRONG = [
    (("rooms",), 3, "a network has no 'rooms': choose timescales, max_words, context_words, words"),
    (("wrds",), 3, "a network has no 'wrds': did you mean words?"),
    (("timescales",), 0, "timescale 0 is below 1 token"),
    (("timescales",), [], "no timescales given"),
    (("timescales",), [10**400], "is not a number"),
    (("max_words",), 0, "max_words is 0: give a whole number of at least 1"),
    (("max_words",), 2.5, "max_words is 2.5"),
    (("context_words",), 0, "context_words is 0: give a whole number from 1 to 100,000"),
    (("words",), [], "a network has tables [[words]] and one table [tokens]"),
    (("words",), {"name": "a"}, "a network has tables"),
    (("words", 1), "second", "a network has tables"),
    (("tokens",), [], "a network has tables"),
    ((*FIRST, "name"), "", "a layer is named ''"),
    ((*FIRST, "name"), 3, "a layer is named 3"),
    ((*FIRST, "name"), "a.b", "a layer is named 'a.b'"),
    ((*FIRST, "name"), "words", "a layer is named 'words'"),
    ((*FIRST, "name"), "second", "layer second is over 'first', which is no layer beneath it"),
    ((*TOP, "name"), "first", "a layer is named first as another is"),
    ((*FIRST, "name"), "text", "a layer is named text, which"),
    ((*FIRST, "below"), 3, "below of layer first is 3"),
    ((*FIRST, "below"), "first", "layer first is over 'first', which is no layer beneath it"),
    ((*TOP, "below"), "text", "layer tokens must be over a word layer"),
    ((*FIRST, "sise"), 3, "layer first has no 'sise': did you mean size?"),
    ((*FIRST, "size"), "x", "size of layer first is 'x': give a whole number from 1 to 10,000"),
    ((*FIRST, "size"), -1, "size of layer first is -1"),
    ((*FIRST, "size"), 10**12, "size of layer first is 1000000000000"),
    ((*FIRST, "size"), True, "size of layer first is True"),
    ((*FIRST, "start"), 0.5, "start of layer first is 0.5: give a whole number of at least 0"),
    ((*FIRST, "settle"), -1, "settle of layer first is -1"),
    ((*FIRST, "n_directions"), 0, "n_directions of layer first is 0"),
    ((*FIRST, "timescales"), 0, "layer first: timescale 0 is below 1 token"),
    ((*FIRST, "timescales"), ["x"], "layer first: timescale 'x' is not a number"),
    ((*FIRST, "memory_floor"), -0.1, "memory_floor of layer first is -0.1: give a number from 0"),
    ((*FIRST, "visits"), 0, "visits of layer first is 0: give a number above 0"),
    ((*FIRST, "inverse_temperature"), "hot", "inverse_temperature of layer first is 'hot'"),
    ((*FIRST, "inverse_temperature"), float("nan"), "inverse_temperature of layer first is nan"),
    ((*FIRST, "direction_visits"), [1], "direction_visits of layer first is [1]"),
    ((*FIRST, "min_count"), None, "min_count of layer first is None"),
    ((*FIRST, "memory"), 3, "part memory of layer first has no rule"),
    ((*FIRST, "memory"), {"eta": 1}, "part memory of layer first has no rule"),
    ((*FIRST, "memory"), {"rule": ["instar"]}, "a rule is ['instar']: give its name"),
    ((*FIRST, "memory"), "instat", "learning rule 'instat' is unknown: did you mean instar?"),
    ((*FIRST, "memory"), "delta", "layer first cannot learn its memory by delta: choose"),
    ((*FIRST, "memory"), {"rule": "instar", "eta": "x"}, "eta of rule instar is 'x'"),
    ((*FIRST, "memory"), {"rule": "instar", "eta": 10**400}, "eta of rule instar is 1"),
    ((*FIRST, "memory"), {"rule": "instar", "rate": 1}, "rule instar has no parameter 'rate'"),
    ((*FIRST, "categories"), {"rule": "kmeans", "amnesia": 10**400}, "parameter amnesia of rule"),
    ((*TOP, "lengths"), [1, 1, 1, 1], "lengths of layer tokens is [1, 1, 1, 1]: give five"),
    ((*TOP, "lengths"), 1, "lengths of layer tokens is 1: give five numbers"),
    ((*TOP, "lengths"), [1, 1, 1, 1, -1], "a length of layer tokens is -1"),
    ((*TOP, "lengths"), [1, 1, 1, 1, "x"], "a length of layer tokens is 'x'"),
    ((*TOP, "shrinkage"), 0, "shrinkage of layer tokens is 0: give a number above 0"),
    ((*TOP, "known_from"), -1, "known_from of layer tokens is -1"),
    ((*TOP, "subsample"), 0, "subsample of layer tokens is 0"),
    ((*FIRST, "ending_weight"), -1, "ending_weight of layer first is -1: give a number from 0"),
    ((*FIRST, "pieces"), -1, "pieces of layer first is -1: give a whole number from 0"),
    ((*FIRST, "shrinkage"), 0, "shrinkage of layer first is 0: give a number above 0"),
    ((*FIRST, "piece_shrinkage"), 0, "piece_shrinkage of layer first is 0: give a number above 0"),
    ((*FIRST, "beginnings"), 1.5, "beginnings of layer first is 1.5: give a share up to 1"),
    ((*TOP, "spelled"), -1, "spelled of layer tokens is -1: give a number from 0"),
    ((*TOP, "shape_size"), 0, "shape_size of layer tokens is 0: give a whole number from 1"),
    ((*TOP, "attention"), 1.5, "layer tokens has attention 1.5 and weight_jitter 0: give a share"),
    ((*TOP, "weight_jitter"), 1, "weight_jitter 1: give a share up to 1, and a jitter below 1"),
    ((*TOP, "fade_after"), 0, "fade_after of layer tokens is 0"),
    ((*TOP, "shuffled"), "yes", "shuffled of layer tokens is 'yes': give true or false"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "value", "says"), WRONG)
def test_what_a_description_cannot_say(where, value, says):
    with pytest.raises(BadInputError) as refused:
        build(put(where, value))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("field", ["name", "below"])
def test_what_a_layer_must_say(field):
    description = small()
    del description["words"][0][field]
    with pytest.raises(BadInputError, match=f"says no {field}"):
        build(description)


def test_every_field_of_the_layers_is_checked():
    tried = {where[-1] for where, _, _ in WRONG} | set(TokenLayer.PARTS) | set(WordLayer.PARTS)
    for kind in (WordLayer, TokenLayer):
        assert {field.name for field in dataclasses.fields(kind)} <= tried


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.toml", b"timescales = [2", "is no TOML"),
        ("a.toml", b"\xff\xfe", "is no TOML"),
        ("a.toml", b"x = " + b"[" * 5000, "is no TOML"),
        ("a.json", b"{", "is no JSON"),
        ("a.json", b"[" * 100_000, "is no JSON"),
        ("a.json", b"[1]", "is no description"),
        ("a.json", b"3", "is no description"),
    ],
)
def test_files_that_are_no_description(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError) as refused:
        read_network(tmp_path / name)
    said = str(refused.value)
    assert says in said and str(tmp_path / name) in said and "\n" not in said
    with pytest.raises(BadInputError, match=r"cannot read network .*No such file.*give a TOML"):
        read_network(tmp_path / "nothing.toml")


def test_a_file_is_named_with_what_is_wrong_in_it(tmp_path):
    (tmp_path / "mine.toml").write_text("")
    with pytest.raises(BadInputError, match=r"mine\.toml: a network has tables \[\[words"):
        RoleNetwork(tmp_path / "mine.toml").description()
    text = ROLES.read_text(encoding="utf-8").replace('below = "first"', 'below = "frist"')
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=r"mine\.toml: layer second is over 'frist'"):
        RoleNetwork(tmp_path / "mine.toml").description()


@pytest.mark.parametrize("read", [read_network, lambda path: read_toml(path, "a file")])
def test_a_byte_order_mark_is_no_part_of_a_file(read, tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + ROLES.read_bytes())
    assert read(tmp_path / "mine.toml") == read(ROLES)


def test_one_change_may_be_given_as_a_text():
    one = RoleNetwork(settings="words.size=7", rule="tokens.prediction=delta")
    assert one.description() == change(
        read_network(), ["words.size=7"], ["tokens.prediction=delta"]
    )
    assert merged("words.size=7") == merged(["words.size=7"])


def test_blanks_around_a_change_mean_nothing():
    changed = change(small(), ["first . size = 7 "], [" tokens.prediction = delta"])
    assert changed == change(small(), ["first.size=7"], ["tokens.prediction=delta"])


@pytest.mark.parametrize(
    ("change_to", "says"),
    [
        ("words.shrinkage=inf", "shrinkage of layer first is inf: give a number above 0, at most "),
        ("tokens.start=9999999999999999", "give a whole number from 0 to 1,000,000,000,000,000"),
        ("words.memory.eta=1e30", "eta of rule instar is 1e+30: give a number from 0 to 1,000,"),
        ("words.memory.etta=1", "rule instar has no parameter 'etta': it has none besides eta"),
    ],
)
def test_the_message_says_what_is_allowed(change_to, says):
    with pytest.raises(BadInputError) as refused:
        build(change(read_network(), [change_to]))
    assert says in str(refused.value)


@pytest.mark.filterwarnings("error")
def test_a_vocabulary_of_unknown_words_alone():
    learner = RoleNetwork(n_clusters=5, settings=["max_words=1"], passes=2)
    sentences = [[f"w{number}", "dog"] for number in range(50)]
    assert len(learner.fit(sentences).predict(sentences)) == 100


def test_networks_of_no_layers_and_of_no_seed():
    with pytest.raises(BadInputError, match="token layer"):
        Network([])
    for seed in (-1, 0.5, None, "x"):
        with pytest.raises(BadInputError, match="random_state is"):
            build(small(), random_state=seed)
