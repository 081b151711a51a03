"""`hebbsim corpus`: tables for people, one JSON document for programs, one line on errors."""

import functools
import json

import pytest

from hebbsim.cli import main
from hebbsim.readers import grammar, load_corpus

SENTENCE = "1\tA\t_\t_\t_\t_\t2\tdet\t_\t_\n2\tdog\t_\t_\t_\t_\t0\troot\t_\t_\n\n"


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs a command line where nothing is downloaded: exit code, output, errors."""
    monkeypatch.setenv("HEBBSIM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HEBBSIM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words):
        with pytest.raises(SystemExit) as caught:
            main(["corpus", *map(str, words)])
        captured = capsys.readouterr()
        if "--json" not in words:  # a path may be as long as it is
            lines = [line for line in captured.out.splitlines() if str(tmp_path) not in line]
            assert all(len(line) <= 80 for line in lines)
        return caught.value.code, captured.out, captured.err

    return call


@pytest.fixture
def treebank(tmp_path):
    folder = tmp_path / "xx_pud"
    folder.mkdir()
    (folder / "xx_pud-ud-train.conllu").write_text(SENTENCE * 3)
    (folder / "xx_pud-ud-test.conllu").write_text(SENTENCE)
    return folder


def test_list_names_every_corpus_and_where_it_is(run):
    code, out, err = run("list")
    assert (code, err) == (0, "")
    for name in ("builtin", "cogs", "ud-english-ewt", "ud-korean-gsd", "ud-welsh-ccg"):
        assert name in out
    assert "254,818" in out and "not here" in out and "built in" in out


def test_list_as_json_is_one_document(run, tmp_path):
    local = tmp_path / "data" / "ud-welsh-ccg"
    local.mkdir(parents=True)
    (local / "cy_ccg-ud-dev.conllu.gz").touch()
    code, out, _ = run("list", "--json")
    document = json.loads(out)
    assert code == 0 and document["schema"] == "hebbsim.corpus/1"
    where = {row["name"]: row["where"] for row in document["corpora"]}
    assert where["cogs"] == "not here" and where["ud-welsh-ccg"] == "partly here"


def test_info_of_a_treebank(run, treebank):
    code, out, _ = run("info", treebank, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["splits"] == [
        {"name": "train", "sentences": 3, "words": 6},
        {"name": "test", "sentences": 1, "words": 2},
    ]
    assert document["layer"] == "grammatical" and document["roles"] == {"DET": 3, "PRED": 3}
    code, out, _ = run("info", treebank)
    assert code == 0 and "50.0 %" in out


def test_info_shows_at_a_glance_what_was_understood(run, tmp_path):
    strange = SENTENCE.replace("det", "Det ") + SENTENCE.replace("det", "dobj")
    (tmp_path / "a.conllu").write_text(strange)
    code, out, _ = run("info", tmp_path / "a.conllu", "--json")
    document = json.loads(out)
    assert code == 0 and document["format"] == "treebank (CoNLL-U)"
    assert document["unknown"] == {"dobj": 0.25} and document["scripts"] == {"Latin": 1.0}
    assert document["first"] == [["a", "DET"], ["dog", "PRED"]]
    code, out, _ = run("info", tmp_path / "a.conllu")
    lines = out.splitlines()
    for line in ("format   treebank (CoNLL-U)", "scripts  Latin 100 %", "unknown  dobj 25 %",
                 "first    a/DET dog/PRED", "layer    grammatical"):  # fmt: skip
        assert line in lines
    assert "--role-map ud1-roles" in out
    (tmp_path / "b.json").write_text('[{"a": "क्या तुम? It rains\\nNo"}]')
    code, out, _ = run("info", tmp_path / "b.json", "--field", "a")
    lines = out.splitlines()
    assert "format   JSON" in lines and "first    क्या तुम ?" in lines
    assert "scripts  Latin 69.2 %, Devanagari 30.8 %" in lines
    (tmp_path / "c.txt").write_text("ℓ Ａªʼ")
    document = json.loads(run("info", tmp_path / "c.txt", "--json")[1])
    assert document["scripts"] == {"Latin": 1.0}
    code, _, err = run("info", tmp_path / "b.json", "--field", "z")
    assert code == 2 and "no field 'z'; there are a" in err
    code, _, err = run("info", tmp_path / "b.json", "--sentences", "pages")
    assert code == 2 and "--sentences: give 'auto', 'lines' or 'wrapped', got 'pages'" in err


def test_info_of_the_builtin_corpus_counts_another_layer(run):
    code, out, _ = run("info", "builtin", "--layer", "thematic")
    assert code == 0 and "AGENT" in out and "gen/" in out


def test_info_of_an_absent_corpus_downloads_nothing(run):
    code, out, _ = run("info", "cogs")
    assert code == 0 and "24,155" in out and "hebbsim corpus fetch cogs" in out


def test_make_writes_tables_that_load(run, tmp_path, treebank):
    out_folder = tmp_path / "tables"
    code, out, _ = run("make", treebank, "--out", out_folder, "--json")
    assert code == 0 and len(json.loads(out)["files"]) == 3
    corpus = load_corpus(out_folder)
    assert corpus.splits["train"].sentences() == [["a", "dog"]] * 3
    code, _, err = run("make", treebank, "--out", out_folder)
    assert code == 2 and "name a new one" in err


def test_what_is_noted_of_a_corpus_stays_with_it(run, tmp_path):
    path = tmp_path / "one.conllu"
    path.write_text(SENTENCE * 20)
    code, out, _ = run("info", path)
    assert code == 0 and "Note: corpus one has no splits of its own" in out
    code, out, _ = run("make", path, "--out", tmp_path / "tables", "--json")
    (note,) = json.loads(out)["notes"]
    assert load_corpus(tmp_path / "tables").notes == (note,)
    about = tmp_path / "tables" / "corpus.json"
    about.write_text(about.read_text().replace('"notes": [', '"notes": 3, "rest": ['))
    code, _, err = run("info", tmp_path / "tables")
    assert code == 2 and "'notes' is not a list" in err


def test_make_writes_the_builtin_corpus_the_same_from_the_same_seed(run, tmp_path, monkeypatch):
    few = functools.partial(grammar.make_builtin, n_train=40, n_dev=10, n_test=10, n_gen=0)
    monkeypatch.setattr(grammar, "make_builtin", few)
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("make", "--seed", seed, "--out", tmp_path / folder)[0] == 0
    one, same, other = ((tmp_path / f / "train.tokens.tsv").read_bytes() for f in "abc")
    assert one == same != other


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["info", "no-such"], "known corpora: builtin, cogs"),
        (["fetch", "no-such"], "registered: cogs"),
        (["fetch", "cogs", "--offline"], "not on this machine"),
        (["make", "cogs", "--offline", "--out", "x"], "not on this machine"),
        (["info", "builtin", "--layer", "color"], "its layers"),
        (["make"], "--out"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert message in err and len(err.splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_unknown_scheme_is_one_line(run, treebank):
    code, _, err = run("info", treebank, "--role-map", "nowhere.json")
    assert code == 2 and "--role-map: nowhere.json: no such file" in err


def test_progress_is_silent_where_standard_error_is_no_terminal(capsys):
    from hebbsim.cli.corpus import _Downloads

    with _Downloads() as downloads:
        downloads.update("a.txt", 1, 2)
        downloads.update("a.txt", 2, 2)
    assert capsys.readouterr() == ("", "")
