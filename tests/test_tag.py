"""`hebbsim tag`: text of any format in, roles out, bit by bit, and a file whole or not at all."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from types import SimpleNamespace

import pytest
import taggers

from hebbsim.cli import main
from hebbsim.readers.lines import bytes_read, opened
from hebbsim.tagging import texts
from hebbsim.tagging.texts import Sentence, Texts
from hebbsim.tagging.writers import WRITERS

TREEBANK = """\
# newdoc
# sent_id = x-1
1-2\tDunno\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tThe\tthe\tDET\t_\t_\t2\tdet\t_\tGloss=x|Role=OLD|Share=0.10|Cluster=9
2\tdog\tdog\tNOUN\t_\t_\t3\tnsubj\t_\t_
2.1\tghost\t_\t_\t_\t_\t_\t_\t_\t_
3\tslept\tsleep\tVERB\t_\t_\t0\troot\t_\t

# sent_id = x-2
1\tA\ta\tDET\t_\t_\t2\tdet\t_\t_
2\tcat\tcat\tNOUN\t_\t_\t0\troot\t_\t_

"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "mine.safetensors"
    taggers.single().save(path)
    return path


def run(*words, status=0):
    with pytest.raises(SystemExit) as end:
        main(["tag", *map(str, words)])
    assert end.value.code == status


def rows(text):
    return [line.split("\t") for line in text.splitlines()]


def spelled(token):
    return f"Role={token.role}|Share={token.share:.2f}|Cluster={token.cluster}"


# What is written ----------------------------------------------------------------------------


def test_conllu_has_roles_in_misc(model, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("The dog saw a cat.\n\nA bird slept.\n")
    run(model, tmp_path / "a.txt")
    first, second = taggers.single().tag(["The dog saw a cat.", "A bird slept."])
    said = capsys.readouterr().out
    assert said.startswith("# sent_id = 1\n# text = The dog saw a cat .\n1\tThe\t_\t")
    assert "\n\n# sent_id = 2\n# text = A bird slept .\n" in said and said.endswith("\n\n")
    words = [row for row in rows(said) if len(row) > 1]
    assert {len(row) for row in words} == {10}
    assert [(row[1], row[9]) for row in words] == [
        (token.word, spelled(token)) for token in [*first, *second]
    ]


def test_a_treebank_keeps_its_columns(model, tmp_path, capsys):
    (tmp_path / "a.conllu").write_text(TREEBANK)
    run(model, tmp_path / "a.conllu")
    said = rows(capsys.readouterr().out)
    given = rows(TREEBANK)
    one, two = taggers.single().tag([["The", "dog", "slept"], ["A", "cat"]])
    wanted = dict(zip(("3", "4", "6", "9", "10"), map(spelled, [*one, *two]), strict=True))
    assert len(said) == len(given)
    for number, (line, before) in enumerate(zip(said, given, strict=True)):
        if str(number) in wanted:
            assert line[:9] == before[:9]
            gloss = "Gloss=x|" if number == 3 else ""
            assert line[9] == gloss + wanted[str(number)]
        else:
            assert line == before


def test_a_treebank_without_misc_is_written_anew(model, tmp_path, capsys):
    (tmp_path / "a.conllu").write_text("# global.columns = ID FORM\n1\tthe\n2\tdog\n")
    run(model, tmp_path / "a.conllu")
    said = [row for row in rows(capsys.readouterr().out) if len(row) == 10]
    assert [row[1] for row in said] == ["the", "dog"]


def test_a_table_and_json_hold_the_same(model, tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text('{"tokens": ["The", "dog"]}\n{"text": "A bird slept."}\n')
    run(model, tmp_path / "a.jsonl", "--format", "tsv")
    header, *table = rows(capsys.readouterr().out)
    assert header == ["sentence", "position", "word", "role", "share", "cluster"]
    run(model, tmp_path / "a.jsonl", "--format", "jsonl")
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["tokens"] for one in found] == [["The", "dog"], ["A", "bird", "slept", "."]]
    flat = [
        [str(n), str(i), *map(str, each)]
        for n, one in enumerate(found, 1)
        for i, each in enumerate(
            zip(one["tokens"], one["roles"], one["shares"], one["clusters"], strict=True), 1
        )
    ]
    assert [[*row[:4], float(row[4]), row[5]] for row in table] == [
        [*row[:4], float(row[4]), row[5]] for row in flat
    ]
    asked = [["The", "dog"], "A bird slept."]
    roles = [t.role for one in taggers.single().tag(asked) for t in one]
    assert [row[3] for row in table] == roles


@pytest.mark.parametrize("maker", [taggers.voting, taggers.nameless])
def test_every_format_takes_voting_and_nameless_learners(maker, tmp_path, capsys):
    maker().save(tmp_path / "m.safetensors")
    (tmp_path / "a.txt").write_text("the dog .")
    (tokens,) = maker().tag(["the dog ."])
    cluster = tokens[0].cluster
    shown = ",".join(map(str, cluster)) if isinstance(cluster, tuple) else str(cluster)
    run(tmp_path / "m.safetensors", tmp_path / "a.txt")
    misc = rows(capsys.readouterr().out)[2][9]
    role = f"Role={tokens[0].role}|Share={tokens[0].share:.2f}|" if tokens[0].role else ""
    assert misc == f"{role}Cluster={shown}"
    run(tmp_path / "m.safetensors", tmp_path / "a.txt", "--format", "tsv")
    row = capsys.readouterr().out.splitlines()[1].split("\t")
    assert row[3] == (tokens[0].role or "") and row[5] == shown
    run(tmp_path / "m.safetensors", tmp_path / "a.txt", "--format", "jsonl")
    found = json.loads(capsys.readouterr().out)
    assert found["clusters"][0] == (list(cluster) if isinstance(cluster, tuple) else cluster)
    assert found["roles"][0] == tokens[0].role


def test_the_read_out_can_be_chosen(model, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("the dog saw a cat .")
    run(model, tmp_path / "a.txt", "--readout", "majority", "--format", "jsonl")
    found = json.loads(capsys.readouterr().out)
    (tokens,) = taggers.single().tag(["the dog saw a cat ."], readout="majority")
    assert found["shares"] == [round(token.share, 4) for token in tokens]


def test_no_word_breaks_a_line(model, tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text(json.dumps(["a\tb\nc", "dog"]) + "\n")
    for form in ("conllu", "tsv"):
        run(model, tmp_path / "a.jsonl", "--format", form)
        (line,) = [x for x in capsys.readouterr().out.splitlines() if "b c" in x and x[0] != "#"]
        assert "a b c" in line.split("\t")


# Where it comes from ------------------------------------------------------------------------


def test_files_follow_one_another_and_may_be_compressed(model, tmp_path, capsys):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"the dog slept ."))
    (tmp_path / "b.conllu").write_text(TREEBANK)
    run(model, tmp_path / "a.txt.gz", tmp_path / "b.conllu", "--format", "jsonl")
    found = [json.loads(line)["tokens"] for line in capsys.readouterr().out.splitlines()]
    assert found == [["the", "dog", "slept", "."], ["The", "dog", "slept"], ["A", "cat"]]


@pytest.mark.parametrize("words", [["-"], []])
def test_standard_input_is_read(model, capsys, monkeypatch, words):
    source = io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"The dog slept.")))
    monkeypatch.setattr(sys, "stdin", source)
    run(model, *words, "--format", "jsonl")
    assert json.loads(capsys.readouterr().out)["tokens"] == ["The", "dog", "slept", "."]


def test_what_is_read_is_written_before_more_is_read(model, tmp_path, monkeypatch):
    """A batch at a time, whatever the length of the text."""
    monkeypatch.setattr(texts, "BATCH", 3)
    events = []

    def sentences(self):
        for n in range(4):
            events.append(f"read {n}")
            yield Sentence(["the", "dog", "."])

    monkeypatch.setattr(Texts, "__iter__", sentences)
    to = SimpleNamespace(
        write=lambda text: events.append("write") if text else None,
        flush=lambda: None, isatty=lambda: False,
    )  # fmt: skip
    monkeypatch.setattr(sys, "stdout", to)
    (tmp_path / "a.txt").write_text("x")
    run(model, tmp_path / "a.txt")
    assert events == [step for n in range(4) for step in (f"read {n}", "write")]


def test_how_far_a_text_is_read_is_known(tmp_path):
    first, second = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    first.write_text("the dog slept .\n\n" * 50_000)
    second.write_bytes(gzip.compress(b"a cat saw the bird .\n"))
    read = Texts([first, second])
    assert read.total == first.stat().st_size + second.stat().st_size
    assert read.done == 0
    told = [read.done for _ in read]
    assert told == sorted(told)
    assert 0 < told[1000] < 0.9 * first.stat().st_size
    assert told[-2] >= 0.9 * first.stat().st_size
    assert told[-1] >= first.stat().st_size
    assert read.done == read.total
    assert Texts([first, "-"]).total == 0


def test_bytes_are_counted_while_a_file_is_open(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 100_000)
    with opened(path) as outer:
        outer.read(50_000)
        assert 50_000 <= bytes_read(path) <= 100_000
        with opened(path):
            pass
        assert bytes_read(path) >= 50_000
    assert bytes_read(path) == 0


def test_progress_stands_on_a_terminal_and_nowhere_else(model, tmp_path, monkeypatch, capsys):
    (tmp_path / "a.txt").write_text("the dog slept .\n\n" * 20)
    run(model, tmp_path / "a.txt", "--out", tmp_path / "o")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(texts, "BATCH", 3)
    shown = []
    from rich.progress import Progress

    update = Progress.update
    monkeypatch.setattr(
        Progress,
        "update",
        lambda self, task, **given: (shown.append(given), update(self, task, **given)),
    )
    run(model, tmp_path / "a.txt", "--out", tmp_path / "p")
    assert len(shown) == 20
    assert shown[-1]["said"].startswith("80 tokens")
    assert 0 < shown[-1]["completed"] <= 17 * 20


# Files and errors ---------------------------------------------------------------------------


def test_a_file_is_there_whole_or_not_at_all(model, tmp_path, capsys):
    good, bad, out = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "o.conllu"
    good.write_text("the dog slept .")
    bad.write_bytes(b"the dog .\n\n\xff\n")
    run(model, good, bad, "--out", out, status=2)
    assert "b.txt:3: not UTF-8" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]
    run(model, good, "--out", out)
    before = out.read_text()
    assert "Role=" in before
    assert out.stat().st_mode == good.stat().st_mode
    run(model, good, "--out", out, status=2)
    assert "give --overwrite" in capsys.readouterr().err
    run(model, good, bad, "--out", out, "--overwrite", status=2)
    assert out.read_text() == before
    run(model, good, "--out", out, "--overwrite", "--format", "tsv")
    assert out.read_text().startswith("sentence\t")


def test_what_is_read_is_not_replaced(model, tmp_path, capsys):
    text, run_folder = tmp_path / "a.txt", tmp_path / "run"
    text.write_text("the dog slept .")
    run_folder.mkdir()
    kept = run_folder / "tagger.safetensors"
    kept.write_bytes(model.read_bytes())
    (tmp_path / "link").symlink_to(text)
    for out in (text, tmp_path / "link", kept):
        run(run_folder, text, "--out", out, "--overwrite", status=2)
        assert "is read by this command; name another file" in capsys.readouterr().err
    assert text.read_text() == "the dog slept ." and kept.read_bytes() == model.read_bytes()


def test_a_dash_is_standard_output(model, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("the dog slept .")
    run(model, "a.txt")
    said = capsys.readouterr().out
    run(model, "a.txt", "--out", "-")
    assert capsys.readouterr().out == said and os.listdir() == ["a.txt"]


def test_help_names_every_format(capsys):
    run("--help")
    said = " ".join(capsys.readouterr().out.split())
    assert all(f"{name}: {kind.about}" in said for name, kind in WRITERS.items())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.safetensors", "-"], "no.safetensors"),
        (["{model}", "nothing.txt"], "no such text file"),
        (["{model}", "-", "--format", "xml"], "--format xml: choose conllu, tsv, jsonl"),
        (["{model}", "-", "--readout", "hard"], "--readout hard: choose soft, majority"),
        (["{model}", "-", "--out", "/nowhere/o"], "--out /nowhere/o: /nowhere cannot be written"),
        (["{model}", "-", "--out", "."], "is a folder; name a file"),
        (["{model}", "-", "--out", "{pipe}", "--overwrite"], "pipe: is not an ordinary file"),
        (["{model}", "-", "--out", "{model}", "--overwrite"], "is read by this command; name an"),
    ],
)
def test_what_cannot_be_done_is_one_line(model, tmp_path, capsys, words, said):
    os.mkfifo(tmp_path / "pipe")
    run(*[word.format(model=model, pipe=tmp_path / "pipe") for word in words], status=2)
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
