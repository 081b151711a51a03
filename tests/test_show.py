"""`hebbsim show` and `hebbsim errors`: what was learned and what was wrong, for a person."""

from __future__ import annotations

import re
from html import escape

import numpy as np
import pandas as pd
import pytest
import taggers

from hebbsim.cli import main
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.figures import FIGURES
from hebbsim.experiments.roles.tabulate import tokens_file
from hebbsim.plots import NothingToDrawError, plot_confusions, style
from hebbsim.plots.matrices import MOST
from hebbsim.readers.base import make_split
from hebbsim.runs.finished import RunTables
from hebbsim.tagging import RoleTagger
from hebbsim.tagging.confusions import confusion_table, confusions, read_tokens
from hebbsim.tagging.portrait import cluster_portraits, listens_to, nearest_words

GOLD = ["DET", "SUBJ", "PRED", "DET", "OBJ", "DET", "SUBJ", "PRED"]
FOUND = ["DET", "OBJ", "PRED", "DET", "OBJ", "DET", "OBJ", "SUBJ"]
SAID = [["the", "dog", "saw", "a", "cat"], ["a", "bird", "slept"]]


def command(*words, status=0):
    with pytest.raises(SystemExit) as end:
        main([*map(str, words)])
    assert end.value.code == status


@pytest.fixture
def model(tmp_path):
    taggers.single().save(tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


@pytest.fixture
def run(tmp_path):
    split = make_split("test", SAID)
    content = tokens_file({"test": (split, {"gold": GOLD, "cluster": [1] * 8, "hebbian": FOUND})})
    (tmp_path / "tokens.csv.gz").write_bytes(content)
    return tmp_path


# What was learned ---------------------------------------------------------------------------


def test_clusters_are_told_by_size_with_their_roles_and_words():
    tagger = taggers.single()
    found = cluster_portraits(tagger)
    assert [one.size for one in found] == sorted((one.size for one in found), reverse=True)
    assert sum(one.size for one in found) == len(taggers.ROLES)
    clusters = tagger.assign(taggers.SENTENCES).clusters[:, 0]
    for one in found:
        roles = taggers.ROLES[clusters == one.cluster].tolist()
        for role, share in one.roles:
            assert share == pytest.approx(roles.count(role) / len(roles))
        assert one.roles[0][1] == max(share for _, share in one.roles)


def drawn(tagger, cluster, side, scale, word):
    """How far a trace full of a word draws a token to a prototype, step by step."""
    learner, top = tagger.members[0], tagger.members[0].network_.top
    code = np.sqrt(learner.word_codes([word])[0])
    x = np.zeros((2, len(code) + 1))
    x[scale, :-1] = code
    n, total = top.n_directions, 0.0
    for part, weights in ((side, top.prediction_weights), (2 + side, top.direction_weights)):
        at = len(code) + part * n
        for i, row in enumerate(weights[side].values):
            answer = row @ x.ravel()
            if part > 1:
                answer /= np.linalg.norm(row) or 1
            prototype = top.prototype_weights.values[cluster, at + i]
            total += top.drawn_lengths[1 + part] * answer * prototype
    return total


@pytest.mark.parametrize("cluster", [0, 5])
def test_a_prototype_listens_to_the_words_that_draw_tokens_to_it(cluster):
    tagger = taggers.single()
    words = list(tagger.members[0].network_.index)
    found = listens_to(tagger, cluster, n=len(words))
    assert [list(scales) for scales in found.values()] == [[2.0, 8.0]] * 2
    for side, name in enumerate(("left", "right")):
        for scale, order in enumerate(found[name].values()):
            weights = [drawn(tagger, cluster, side, scale, word) for word in order]
            assert sorted(order) == sorted(words)
            assert np.all(np.diff(weights) <= 1e-5)
            assert weights[0] > weights[-1]
    assert len(listens_to(tagger, cluster, n=3)["left"][2.0]) == 3


def test_nearest_words_are_those_of_nearest_codes():
    tagger = taggers.single()
    found = nearest_words(tagger, ["the", "dog"], n=3)
    learner = tagger.members[0]
    for word, near in found.items():
        others = [w for w in learner.network_.index if w != word]
        codes = np.sqrt(learner.word_codes([word, *others]))
        cosine = codes[1:] @ codes[0] / np.linalg.norm(codes[1:], axis=1)
        assert len(near) == 3 and word not in near
        at = [cosine[others.index(w)] for w in near]
        assert at == pytest.approx(np.sort(cosine)[::-1][:3])
    with pytest.raises(BadInputError, match="does not know the word 'zebra'"):
        nearest_words(tagger, ["zebra"])


def test_show_fits_80_columns_and_tells_all(model, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command("show", model)
    said = capsys.readouterr().out
    assert "Learned from mine" in said and "Nearest words by code" in said
    for one in cluster_portraits(taggers.single()):
        assert any(
            line.split()[:2] == [str(one.cluster), str(one.size)] for line in said.split("\n")
        )
    assert max(map(len, said.splitlines())) <= 80
    largest = cluster_portraits(taggers.single())[0].cluster
    command("show", model, "--cluster", largest)
    said = capsys.readouterr().out
    scales = listens_to(taggers.single(), largest, n=8)
    assert f"left, 2 tokens: {' '.join(scales['left'][2.0])}" in said
    command("show", model, "--word", "dog")
    said = capsys.readouterr().out
    assert f"dog: {' '.join(nearest_words(taggers.single(), ['dog'])['dog'])}" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cluster", "99"], "--cluster 99: clusters are numbered 0 to 5"),
        (["--word", "zebra"], "does not know the word"),
        (["--clusters", "0"], "--clusters: give a number of at least 1, got 0"),
        (["--html", "{model}", "--overwrite"], "is read by this command; name another file"),
        (["--html", "-"], "--html -: name a file"),
    ],
)
def test_what_is_not_there_is_one_line(model, capsys, words, said):
    command("show", model, *[word.format(model=model) for word in words], status=2)
    out, err = capsys.readouterr()
    assert said in err and out == ""


def test_the_page_holds_all_that_it_shows(tmp_path, capsys):
    sentences = [[w.replace("dog", "<b>") for w in s] for s in taggers.SENTENCES]
    tagger = RoleTagger(taggers.small().fit(sentences)).name(sentences, taggers.ROLES)
    tagger.save(tmp_path / "m")
    command("show", tmp_path / "m", "--html", tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text()
    for one in cluster_portraits(tagger):
        assert f"<strong>Cluster {one.cluster}</strong>" in page
        for scales in listens_to(tagger, one.cluster, n=8).values():
            for words in scales.values():
                assert f"<dd>{escape(' '.join(words))}</dd>" in page
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert not re.search(r"src=|href=[^#]{2}|url\(|@import|https?:", page)
    capsys.readouterr()
    command("show", tmp_path / "m", "--html", tmp_path / "p.html", status=2)
    assert "give --overwrite" in capsys.readouterr().err


# What was wrong -----------------------------------------------------------------------------


def test_confusions_are_counted_and_shown_in_their_sentences(run):
    tokens = read_tokens(run, "test", "hebbian")
    table = confusion_table(tokens)
    assert list(table.index) == ["DET", "PRED", "SUBJ", "OBJ"]
    assert table.loc["SUBJ"].to_dict() == {"DET": 0, "PRED": 0, "SUBJ": 0, "OBJ": 2}
    assert table.to_numpy().sum() == 8
    first, second = confusions(tokens, n_examples=1)
    assert first == ("SUBJ", "OBJ", 2, [(SAID[0], 1)])
    assert second == ("PRED", "SUBJ", 1, [(SAID[1], 2)])


def test_errors_prints_the_matrix_and_the_sentences(run, capsys):
    command("errors", run, "--model", "hebbian")
    said = capsys.readouterr().out
    assert "test, hebbian: 5 of 8 right (0.625)" in said
    assert "SUBJ taken for OBJ: 2\n  the [dog] saw a cat\n  a [bird] slept\n" in said
    assert any(line.split() == ["SUBJ", ".", ".", ".", "2"] for line in said.split("\n"))


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_errors_draws_the_matrix_it_prints(run, capsys, suffix):
    path = run / f"matrix.{suffix}"
    command("errors", run, "--model", "hebbian", "--figure", path)
    assert f"Figure: {path}" in capsys.readouterr().out.replace("\n", "")
    first = path.read_bytes()
    command("errors", run, "--model", "hebbian", "--figure", path, status=2)
    assert "give --overwrite" in capsys.readouterr().err
    command("errors", run, "--model", "hebbian", "--figure", path, "--overwrite")
    assert path.read_bytes() == first
    command("errors", run, "--model", "hebbian", "--figure", run / "matrix.gif", status=2)
    assert ".svg, .png, .pdf" in capsys.readouterr().err


def cells(ax):
    """Numbers that stand in a matrix by gold role and role found, and its colours."""
    found = {t.get_text(): t.get_position()[0] for t in ax.get_xticklabels()}
    gold = [t.get_text().partition(" ")[0] for t in ax.get_yticklabels()]
    at = {(t.get_position()[1] - 0.5, t.get_position()[0] - 0.5): t.get_text() for t in ax.texts}
    (mesh,) = ax.images
    return gold, list(found), at, np.asarray(mesh.get_array())


def test_colour_and_number_of_a_cell_are_its_share_of_the_row(run):
    ax = plot_confusions(
        confusion_table(read_tokens(run, "test", "hebbian")), corpus="mine", split="test"
    )
    gold, found, at, colours = cells(ax)
    assert gold == found == ["DET", "PRED", "SUBJ", "OBJ"]
    assert at == {
        (0, 0): "100", (1, 1): "50", (1, 2): "50", (2, 3): "100", (3, 3): "100"
    }  # fmt: skip
    expected = np.zeros((4, 4))
    for place, text in at.items():
        expected[tuple(map(int, place))] = float(text)
    np.testing.assert_allclose(colours.reshape(4, 4), expected)
    assert "0.625 of 8 tokens are right" in style.caption_of(ax).note


def test_rare_roles_share_a_column_and_have_no_row():
    n = MOST + 3
    names = [f"R{i:02}" for i in range(n)]
    table = pd.DataFrame(np.eye(n, dtype=int) * 50, names, [*names[:-1], "NEW"])
    table.loc["R00", names[MOST + 1]] = 50
    ax = plot_confusions(table, corpus="mine", split="test")
    gold, found, at, _ = cells(ax)
    assert gold == names[:MOST] and found == [*gold, "rarer"]
    assert at[0, 0] == at[0, MOST] == "50" and len(at) == MOST + 1
    note = style.caption_of(ax).note
    assert "The 3 rarest roles have no row" in note
    assert f"{(n - 1) / (n + 1):.3f} of {50 * (n + 1):,} tokens" in note


def test_the_figure_of_a_run_is_drawn_from_its_table_of_tokens(run):
    path = run / "tokens.csv.gz"
    header = "corpus,split,model,condition,metric,role,mean,low,high,n,unit\n"
    line = "mine,test,hebbian,K=9,accuracy,,0.5,,,1,fraction\n"
    (run / "config.json").write_text('{"corpus": "mine"}')
    split = make_split("test", SAID)
    content = tokens_file({"test": (split, {"gold": GOLD, "hebbian_soft": FOUND})})
    path.write_bytes(content)
    (run / "results.csv").write_text(header + line)
    ax = FIGURES["confusions"](RunTables(run))
    assert style.caption_of(ax).title == "What each role was taken for: mine, test"
    path.unlink()
    with pytest.raises(NothingToDrawError):
        FIGURES["confusions"](RunTables(run))
    path.write_bytes(content)
    (run / "results.csv").write_text(header)  # as of text without roles
    with pytest.raises(NothingToDrawError):
        FIGURES["confusions"](RunTables(run))


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_wide_matrix_is_printed_in_pieces(columns, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    roles = [f"ROLE{i}" for i in range(20)]
    split = make_split("test", [["w"] * 20])
    content = tokens_file({"test": (split, {"gold": roles, "hebbian": roles})})
    (tmp_path / "tokens.csv.gz").write_bytes(content)
    command("errors", tmp_path, "--model", "hebbian")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    heads = [name for line in lines if line[:5] == "     " for name in line.split()]
    assert heads == sorted(roles)
    assert sum(line.split().count("1") for line in lines) == 20


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (lambda folder: (folder / "tokens.csv.gz").unlink(), [], "no such table"),
        (lambda folder: (folder / "tokens.csv.gz").write_bytes(b"x,y"), [], "can be read"),
        (lambda folder: None, ["--split", "none"], "no split none"),
        (lambda folder: None, ["--model", "bigru"], "no model bigru.*choose hebbian"),
    ],
)
def test_a_run_that_cannot_be_read_is_one_line(run, capsys, change, words, said):
    change(run)
    given = {"--split": "test", "--model": "hebbian"}
    given |= dict(zip(words[::2], words[1::2], strict=True))
    with pytest.raises(BadInputError, match=said):
        read_tokens(run, *given.values())
    command("errors", run, *(word for pair in given.items() for word in pair), status=2)
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("option", ["--most", "--examples"])
def test_there_are_no_fewer_errors_than_none(run, capsys, option):
    command("errors", run, option, "-1", status=2)
    assert f"{option}: give a number of at least 0, got -1" in capsys.readouterr().err


def test_text_without_roles_has_no_errors(tmp_path):
    content = tokens_file({"train": (make_split("train", SAID), {"cluster": [0] * 8})})
    (tmp_path / "tokens.csv.gz").write_bytes(content)
    with pytest.raises(BadInputError, match="has no roles"):
        read_tokens(tmp_path, "train", "hebbian")
