"""What is chosen for a corpus that nobody tuned, by what its words look like."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from hebbsim import run_roles
from hebbsim.experiments.roles import auto
from hebbsim.experiments.roles.auto import choose, chosen_for, look_at
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.readers.lines import opened

LETTERS = list("bdfgklmnprstvz")
MARKS = {"noun": "ka", "verb": "to", "other": "mi"}


def made_up(n=800, *, stems=2000, ending=True, marked=True, seed=0):
    """Sentences whose words come in pairs: a word of a kind follows a little word of its own.

    Where words are marked, the kind shows at their end, or at their beginning.
    """
    rng = np.random.default_rng(seed)
    before = {"noun": "a", "verb": "e", "other": "o"}
    found = []
    for _ in range(n):
        words = []
        for kind in rng.permutation(list(MARKS)):
            stem = np.random.default_rng(rng.integers(stems)).choice(LETTERS, 5)
            mark = MARKS[kind] if marked else ""
            word = "".join([*stem, mark] if ending else [mark, *stem])
            words += [before[kind], word]
        found.append(words)
    return found


def chosen(sentences):
    options = choose(look_at(sentences))
    return options, dict(text.split("=", 1) for text in options["settings"])


def test_endings_and_beginnings_count_by_what_they_tell():
    ends, begins = look_at(made_up()), look_at(made_up(ending=False))
    assert ends.ending_gain > 0.1 > ends.beginning_gain
    assert begins.beginning_gain > 0.1 > begins.ending_gain
    assert ends.rare == pytest.approx(0.5, abs=0.01)
    for sentences, share, weight in ((made_up(), 0.25, "1.4"), (made_up(ending=False), 0.75, None)):
        settings = chosen(sentences)[1]
        assert settings["words.pieces"] == "4096"
        assert float(settings["words.beginnings"]) == pytest.approx(share, abs=0.1)
        assert settings.get("words.ending_weight") == weight


def test_endings_inside_syllables_of_hangul_tell():
    finals = dict(zip(MARKS.values(), (4, 8, 16), strict=True))  # ㄴ, ㄹ, ㅁ in Unicode's order

    def hangul(word):
        if len(word) == 1:
            return word
        *stem, last = (chr(ord("가") + 28 * ord(letter)) for letter in word[:-2])
        return "".join([*stem, chr(ord(last) + finals[word[-2:]])])

    look = look_at([[hangul(word) for word in sentence] for sentence in made_up(200)])
    assert look.ending_gain > 0.1


def test_letters_that_tell_nothing_are_told_from_those_that_do():
    look = look_at(made_up(marked=False))
    assert max(look.ending_gain, look.beginning_gain) < 0.05
    assert "words.ending_weight" not in chosen(made_up(marked=False))[1]


def test_a_text_without_rare_words_needs_no_pieces():
    few = made_up(stems=20)
    assert look_at(few).rare == 0
    assert "words.pieces" not in chosen(few)[1]


@pytest.mark.parametrize(("n", "clusters"), [(5, 2), (100, 30), (800, 240), (10_000, 1000)])
def test_clusters_grow_with_the_text_up_to_a_thousand(n, clusters):
    few = [["a", "b", "c", "d", "e", "f"]] * n
    assert chosen(few)[0]["clusters"] == clusters


@pytest.mark.parametrize(("n", "passes"), [(5, 10), (3300, 7), (5000, 4), (10_000, 3)])
def test_a_small_text_is_read_more_often(n, passes):
    few = [["a", "b", "c", "d", "e", "f"]] * n
    assert chosen(few)[0]["passes"] == passes


def conllu(sentences, relation="nsubj"):
    return "".join(
        "".join(
            f"{i}\t{word}\t_\tX\t_\t_\t{i - 1}\t{relation if i > 1 else 'root'}\t_\t_\n"
            for i, word in enumerate(words, 1)
        )
        + "\n"
        for words in sentences
    )


def write(folder, train, **others):
    folder.mkdir()
    for split, text in {"train": train, **others}.items():
        (folder / f"x-{split}.conllu").write_text(text)
    return str(folder)


def test_a_corpus_that_was_not_tuned_for_has_what_its_words_choose(tmp_path):
    corpus = write(tmp_path / "a", conllu(made_up()), dev=conllu(made_up(9)))
    config, wanted = RolesConfig.checked({"corpus": corpus}), choose(look_at(made_up()))
    assert config.preset == "auto" and config.clusters == wanted["clusters"] == 240
    assert config.passes == wanted["passes"] == 10
    assert list(config.settings) == wanted["settings"] and config.timescales == (1.1, 3.3)
    for preset in ("best", "auto"):
        named = RolesConfig.checked({"corpus": corpus, "preset": preset})
        assert named.described() == config.described() and named.preset == preset
    own = RolesConfig.checked({"corpus": corpus, "clusters": 9, "settings": ["words.pieces=0"]})
    assert own.clusters == 9 and own.settings[-1] == "words.pieces=0"
    assert RolesConfig.checked({"corpus": corpus, "preset": "default"}).settings == ()


def test_the_note_of_a_run_leaves_out_what_its_user_chose(tmp_path):
    corpus = write(tmp_path / "a", conllu(made_up(60)), dev=conllu(made_up(9)))
    given = {"clusters": 9, "settings": ["words.pieces=0"], "passes": 1, "seeds": 1}
    found = run_roles(corpus=corpus, baselines="none", ablation_seeds=0, **given)
    (note,) = (note for note in found.notes if "its words chose" in note)
    assert "timescales 1.1, 3.3" in note and "tokens.subsample=0.001" in note
    assert "clusters" not in note and "words.pieces" not in note


def test_neither_labels_nor_dev_change_the_choice(tmp_path):
    train, dev = made_up(200), made_up(20, seed=1)
    one = write(tmp_path / "a", conllu(train), dev=conllu(dev))
    two = write(tmp_path / "b", conllu(train, "obj"), dev=conllu(made_up(20, seed=2), "det"))
    assert RolesConfig.checked({"corpus": one}).settings == (
        RolesConfig.checked({"corpus": two}).settings
    )


def test_text_is_looked_at_by_its_beginning(tmp_path, monkeypatch):
    monkeypatch.setattr(auto, "_MOST", 1000)
    path = tmp_path / "a.txt"
    path.write_text("\n".join(" ".join(words) for words in made_up(2000)))
    assert chosen_for(str(path), "plain", None, "lines", True)["clusters"] == 50


def test_what_cannot_be_looked_at_is_taken_for_a_text_with_rare_words(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"It rains."))))
    for corpus in ("-", str(tmp_path / "nothing")):
        config = RolesConfig.checked({"corpus": corpus})
        assert config.preset == "auto" and "words.pieces=4096" in config.settings
    with opened("-") as rest:
        assert rest.read() == b"It rains."  # nothing of it was lost


@pytest.mark.parametrize(
    ("corpus", "clusters", "timescales", "settings"),
    [
        ("builtin", 600, (2, 8, 32), ("words.size=200",)),
        (
            "cogs", 600, (2,),
            ("words.size=300", "tokens.shrinkage=20", "tokens.lengths=[1, 0.4, 0.4, 0.7, 0.5]",
             "tokens.shape_size=1"),
        ),
        (
            "ud-english-ewt", 300, (1.1, 3.3),
            ("words.size=300", "tokens.subsample=0.001", "tokens.lengths=[1, 0.5, 0.5, 0.5, 0.5]",
             "tokens.n_directions=60", "words.pieces=4096", "words.piece_shrinkage=50",
             "tokens.spelled=5", "max_words=100000"),
        ),
    ],
)  # fmt: skip
def test_corpora_that_were_tuned_for_stay_as_they_are(corpus, clusters, timescales, settings):
    best = RolesConfig.checked({"corpus": corpus, "preset": "best"})
    assert (best.clusters, best.timescales, best.settings) == (clusters, timescales, settings)
    plain = RolesConfig.checked({"corpus": corpus})
    assert (plain.preset, plain.clusters, plain.settings) == ("default", 300, ())
    assert plain.described() == RolesConfig.checked({}).described()
    pieces = 4096 if corpus == "ud-english-ewt" else 0
    assert {layer["pieces"] for layer in best.described()["words"]} == {pieces}
