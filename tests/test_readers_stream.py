"""Any file as a stream: formats, compression, standard input, and what goes wrong with them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import threading
import tracemalloc

import pytest

from hebbsim.errors import BadInputError
from hebbsim.lm.sources import open_source
from hebbsim.readers import load_corpus, text
from hebbsim.readers.lines import LineStream, digest
from hebbsim.readers.text import stream_text, text_files

TEXT = "It rains. I can't stay!\n\nWhy?\n"
SENTENCES = [["it", "rains", "."], ["i", "ca", "n't", "stay", "!"], ["why", "?"]]
CONLLU = "# text = It rains.\n" + "".join(
    f"{id_}\t{form}\t_\t_\t_\t_\t{head}\t{rel}\t_\t_\n"
    for id_, form, head, rel in [
        ("1-2", "Itrains", "_", "_"), ("1", "It", "2", "nsubj"), ("2", "rains", "0", "root"),
        ("2.1", "_", "_", "_"), ("3", ".", "2", "punct"),
    ]
)  # fmt: skip
JSONL = "\n".join(
    json.dumps(value)
    for value in [
        {"text": "It rains. I can't stay!", "tokens": ["not", "these"]}, "Why?",
        ["My", "Own", " ", "words"], {"id": 1, "words": ["and", "these"]},
    ]
)  # fmt: skip


def zstandard(data):
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)


PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
        ".zst": zstandard}  # fmt: skip


def refusal(path, read=lambda path: list(stream_text(path))):
    with pytest.raises(BadInputError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ending", PACK)
def test_every_format_and_every_compression(ending, tmp_path):
    for name, content, sentences in [
        ("a.txt", TEXT, SENTENCES),
        ("a.conllu", CONLLU, [["it", "rains", "."]]),
        ("a.jsonl", JSONL, [*SENTENCES, ["my", "own", "words"], ["and", "these"]]),
    ]:
        packed = PACK[ending](content.encode())
        (tmp_path / f"{name}{ending}").write_bytes(packed)
        assert list(stream_text(tmp_path / f"{name}{ending}")) == sentences
        odd = tmp_path / f"odd-{name}"  # a name that does not say that it is compressed
        odd.write_bytes(packed)
        assert list(stream_text(odd)) == sentences
        (tmp_path / name).write_bytes(content.encode())
        assert digest(odd) == digest(tmp_path / name)


@pytest.mark.parametrize("ending", [e for e in PACK if e])
@pytest.mark.parametrize("cut", [True, False])
def test_damaged_compression_is_said_in_one_line(ending, cut, tmp_path):
    path = tmp_path / f"a.txt{ending}"
    content = "".join(f"Word{i} stands here.\n" for i in range(3000))
    packed = PACK[ending](content.encode())
    path.write_bytes(packed[: len(packed) // 2] + (b"" if cut else b"!!!" + packed[-1000:]))
    said = refusal(path)
    assert "damaged" in said and str(path) in said


def test_parts_of_a_compressed_file_follow_each_other(tmp_path):
    for ending, pack in PACK.items():
        if ending:
            path = tmp_path / f"a.txt{ending}"
            path.write_bytes(pack(b"It rains.\n") + pack(b"Why?\n"))
            assert list(stream_text(path)) == [SENTENCES[0], SENTENCES[2]]
    skipped = b"\x50*M\x18\x04\0\0\0size"  # which pzstd writes first
    path.write_bytes(skipped + zstandard(TEXT.encode()))
    assert list(stream_text(path)) == SENTENCES


@pytest.mark.parametrize("pack", PACK.values(), ids=PACK)
def test_lines_may_end_in_carriage_returns_alone(pack, tmp_path, monkeypatch):
    for name, content, sentences in [
        ("a.txt", TEXT, SENTENCES),
        ("a.csv", "id,text\n1,It rains. I can't stay!\n2,Why?\n", SENTENCES),
        ("a.conllu", CONLLU + "\n" + CONLLU, [["it", "rains", "."]] * 2),
        ("a.jsonl", '{"text": "It rains. I can\'t stay!"}\n{"text": "Why?"}', SENTENCES),
    ]:
        data = pack(content.replace("\n", "\r").encode())
        (tmp_path / name).write_bytes(data)
        assert list(stream_text(tmp_path / name)) == sentences
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))
        assert list(stream_text("-")) == sentences


def test_a_pipe_is_read_once_and_whole(tmp_path):
    text = "".join(f"It rains {i}.\n" for i in range(20_000))
    for name, content, n in [("a", text, 20_000), ("b", gzip.compress(text.encode()), 20_000),
                             ("c", f"{CONLLU}\n{CONLLU}", 2), ("d", JSONL, 5)]:  # fmt: skip
        os.mkfifo(tmp_path / name)
        data = content if isinstance(content, bytes) else content.encode()
        writer = threading.Thread(target=(tmp_path / name).write_bytes, args=[data], daemon=True)
        writer.start()
        corpus = load_corpus(tmp_path / name)
        writer.join(10)
        assert corpus.splits["train"].n_sentences == n and list(corpus.sha256) == ["stdin"]
    os.mkfifo(tmp_path / "e")
    with pytest.raises(BadInputError, match="more than once"):
        open_source(tmp_path / "e")


def test_standard_input_is_called_so(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"caf\xe9"))))
    assert refusal("-", load_corpus).startswith("-:1: not UTF-8")
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input is closed" in refusal("-", load_corpus)


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    columns = {"id": [1, 2, 3], "text": ["It rains. I can't stay!", None, "Why?"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    assert list(stream_text(tmp_path / "a.parquet")) == SENTENCES
    parquet.write_table(pyarrow.table({"tokens": [["My", "own"], []]}), tmp_path / "b.parquet")
    assert list(stream_text(tmp_path / "b.parquet")) == [["my", "own"]]
    turns = [{"turn": "It rains."}, {"turn": "Why?"}]
    parquet.write_table(pyarrow.table({"talk": [turns], "Text": ["So."]}), tmp_path / "t.parquet")
    assert list(stream_text(tmp_path / "t.parquet")) == [["so", "."]]
    found = list(stream_text(tmp_path / "t.parquet", field="talk.turn"))
    assert found == [["it", "rains", "."], ["why", "?"]]
    parquet.write_table(pyarrow.table({"x": [1]}), tmp_path / "c.parquet")
    assert "its columns are x" in refusal(tmp_path / "c.parquet")
    parquet.write_table(pyarrow.table({"text": [1]}), tmp_path / "d.parquet")
    assert "d.parquet:1: neither text nor a list of words" in refusal(tmp_path / "d.parquet")
    (tmp_path / "e.parquet").write_bytes(b"PAR1 no, not at all PAR1")
    assert "not a parquet file" in refusal(tmp_path / "e.parquet")


@pytest.mark.parametrize(("line", "said"), [
    ("{", "not JSON"), ("[" * 100_000, "nested too deeply"), ("7", "neither text nor"),
    ('{"id": 3}', "name a field text or"), ('{"text": 3}', "neither text nor"),
    ('["a", 1]', "neither text nor"), ("NaN", "neither text"),
    ('"\\ud800"', "holds half a character, \\ud800"),
    ('["a", "\\udfff"]', "holds half a character, \\udfff"),
])  # fmt: skip
def test_lines_that_are_no_json_document(line, said, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(f'"fine"\n\n{line}\n')
    found = refusal(path)
    assert said in found and f"{path}:3: " in found


def test_conllu_that_is_none(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text("1\tIt\n")
    assert "a.conllu:1: 2 columns" in refusal(path)
    path.write_text("# a comment alone\n")
    assert "no text in it" in refusal(path)


def test_what_is_named_for_test_is_said_to_be_read(tmp_path):
    for name in ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"):
        (tmp_path / name).write_text("A dog sleeps.\n")
    notes = []
    assert len(text_files(tmp_path, notes.append)) == 3
    assert len(notes) == 1 and "(ptb.test.txt, ptb.valid.txt)" in notes[0]
    (tmp_path / "ptb.train.txt").rename(tmp_path / "ptb.txt")  # then nothing is train alone
    assert len(text_files(tmp_path, notes.append)) == 3 and len(notes) == 1


def test_a_folder_of_many_formats(tmp_path):
    (tmp_path / "b.txt").write_text("Why?")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'"It rains."'))
    (tmp_path / "README.md").write_text("not this")
    assert list(stream_text(tmp_path)) == [SENTENCES[0], SENTENCES[2]]


@pytest.mark.parametrize(("content", "sentences"), [
    (TEXT, SENTENCES), (CONLLU, [["it", "rains", "."]]), (JSONL, None),
    ("[laughs] It rains.", [["[", "laughs", "]", "it", "rains", "."]]),
    ('"Why?" he said', [['"', "why", "?", '"', "he", "said"]]), ("\ufeffWhy?", [["why", "?"]]),
])  # fmt: skip
def test_standard_input_is_known_by_its_first_line(content, sentences, monkeypatch):
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(content.encode())))
    monkeypatch.setattr(sys, "stdin", stream)
    found = list(stream_text("-"))
    assert found == sentences if sentences else found[-1] == ["and", "these"]


def test_compressed_standard_input(monkeypatch):
    data = io.BufferedReader(io.BytesIO(gzip.compress(TEXT.encode())))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    assert list(stream_text("-")) == SENTENCES


def test_standard_input_and_json_lines_are_corpora(tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_text(JSONL)
    corpus = load_corpus(tmp_path / "a.jsonl")
    assert corpus.name == "a" and corpus.splits["train"].sentences()[:3] == SENTENCES
    data = io.BufferedReader(io.BytesIO(JSONL.encode()))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    piped = load_corpus("-")
    assert piped.name == "stdin" and list(piped.sha256) == ["stdin"]
    assert list(piped.sha256.values()) == list(corpus.sha256.values())
    assert piped.splits["train"].sentences() == corpus.splits["train"].sentences()


# --- what goes wrong with files -----------------------------------------------------------


def test_windows_line_ends_and_mark_change_nothing(tmp_path):
    for name, content in [("a.txt", TEXT), ("a.conllu", CONLLU), ("a.jsonl", JSONL)]:
        path = tmp_path / name
        path.write_bytes(content.encode())
        plain = list(stream_text(path))
        path.write_bytes(b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode())
        assert list(stream_text(path)) == plain
        if name != "a.txt":
            continue
        assert load_corpus(path).splits["train"].sentences() == plain
    for name in ("x-train.conllu", "x-dev.conllu", "x-test.conllu"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + CONLLU.replace("\n", "\r\n").encode())
    roles = load_corpus(tmp_path / "x-train.conllu").splits["train"].layers["grammatical"]
    assert roles.tolist() == ["SUBJ", "PRED", "PUNCT"]


def test_a_line_of_24_megabytes(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        for _ in range(24):
            file.write(b"word after word " * (1 << 16))
    monkeypatch.setattr(text, "split_text", lambda piece, lower: [[piece]])
    tracemalloc.start()
    words = sum(sentence[0].count("word") for sentence in stream_text(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert words == 2 * 24 * (1 << 16)
    assert peak < 12e6
    for name in ("a.conllu", "a.tokens.tsv"):
        path.rename(tmp_path / name)
        path = tmp_path / name
        said = refusal(path, lambda path: list(LineStream(path)))
        assert f"{path}:1: a line of more than 1,048,576 bytes" in said
    path.rename(tmp_path / "a.jsonl")
    assert "a line of more than 16,777,216 bytes" in refusal(tmp_path / "a.jsonl")


def test_a_file_that_is_removed_while_it_is_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("It rains.\n" * 20_000)
    stream = stream_text(path)
    next(stream)
    path.unlink()
    assert sum(1 for _ in stream) == 19_999  # an open file stays until it is closed
    again = stream_text([tmp_path / "b.txt", path]) if path.exists() else None
    assert again is None
    assert "no such text file" in refusal(path)
    path.write_text("Why?")
    late = stream_text(path)
    path.unlink()
    assert "cannot be read (No such file or directory)" in refusal(late, list)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("Why?")

    class Broken(io.BufferedReader):
        def readline(self, *_):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(
        "builtins.open", lambda *_, **__: Broken(io.BytesIO(b"Why?")), raising=False
    )
    said = refusal(path)
    monkeypatch.undo()
    assert "cannot be read (Input/output error)" in said


def test_a_locale_that_knows_ascii_alone(tmp_path):
    path = tmp_path / "größe.txt"
    path.write_bytes("Schöne Grüße. ☃\n".encode())
    program = (
        "import sys\nfrom hebbsim.readers.text import stream_text\n"
        "print(ascii(list(stream_text(sys.argv[1]))))\n"
    )
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0",
                   "PYTHONCOERCECLOCALE": "0"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", program, os.fsencode(path)],
        capture_output=True, env=environment, timeout=120,
    )  # fmt: skip
    assert done.stdout.decode().strip() == ascii([["schöne", "grüße", "."], ["☃"]]), done.stderr
