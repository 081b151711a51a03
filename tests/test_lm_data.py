"""Sources, vocabularies and packed tokens of `hebbsim.lm`."""

import bz2
import gzip
import json

import naive_lm
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from hebbsim.errors import BadInputError
from hebbsim.lm import packed as packed_module
from hebbsim.lm.evaluation import distances
from hebbsim.lm.packed import Tokens, describe, held_out_of, pack
from hebbsim.lm.sources import LONGEST, Source, cut, open_source, stream_hugging_face
from hebbsim.lm.tokenizer import END, Tokenizer

DOCUMENTS = [f"Document {i} says that {i} apples fell, twice." for i in range(40)]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(DOCUMENTS, 300)


def write_json(path, documents=DOCUMENTS):
    text = "".join(json.dumps({"text": d, "timestamp": "", "url": ""}) + "\n" for d in documents)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def write_parquet(path, documents=DOCUMENTS, column="text"):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({column: documents, "id": documents}), path)
    return path


def test_blank_lines_and_articles_part_documents(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n\nthree\n = Title = \nfour\n")
    assert list(open_source(path).documents()) == ["one\ntwo", "three", " = Title = \nfour"]


def test_without_blank_lines_every_line_is_a_document(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress("één\ntwo\n".encode()))
    assert list(open_source(path).documents()) == ["één", "two"]


@pytest.mark.parametrize("name", ["c4.json.gz", "a.jsonl", "b.parquet"])
def test_shards_of_c4_and_fineweb(tmp_path, name):
    write = write_parquet if name.endswith("parquet") else write_json
    source = open_source(write(tmp_path / name))
    assert list(source.documents()) == DOCUMENTS
    assert list(source.documents(skip=38)) == DOCUMENTS[38:]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '[{"body": "One.", "text": "no"}, {"body": null}, {"body": "Two."}]'),
        ("a.csv", "id,body\n1,One.\n2,Two.\n"),
        ("a.txt.bz2", bz2.compress("\ufeffOne.\nTwo.\n".encode())),
        ("a.conllu", "".join(f"1\t{w}\t" + "_\t" * 7 + "_\n\n" for w in ("One.", "Two."))),
        ("a__b.jsonl", '{"body": "One."}\n{"body": "Two."}\n'),
    ],
)
def test_the_formats_are_those_of_the_readers(tmp_path, name, content):
    path = tmp_path / "folder" / name.replace("__", "/")
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for source in (open_source(path, "body"), open_source(tmp_path / "folder", "body")):
        assert list(source.documents()) == ["One.", "Two."]


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_streams_of_hugging_face(tmp_path, kind, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    write = write_parquet if kind == "parquet" else write_json
    path = write(tmp_path / ("c4.json.gz" if kind == "json" else "fineweb.parquet"))
    source = stream_hugging_face(kind, data_files=str(path))
    assert list(source.documents()) == DOCUMENTS
    assert list(source.documents(skip=39)) == DOCUMENTS[39:]
    other = stream_hugging_face(kind, data_files=str(tmp_path / "absent.gz"))
    with pytest.raises(BadInputError, match="cannot be streamed"):
        list(other.documents())


def test_a_folder_leaves_out_what_is_for_validation(tmp_path):
    for name in ("b.txt", "a.txt", "wiki-valid.txt", "x.test.txt", "contest.txt", "note.md"):
        (tmp_path / name).write_text(name)
    (tmp_path / "testing").mkdir()
    for name in ("val.txt", "TEST.TXT", "devset.txt", "testing/c.txt"):
        (tmp_path / name).write_text(name)
    assert [p.name for p in open_source(tmp_path).files] == ["a.txt", "b.txt", "contest.txt"]
    assert [p.name for p in open_source(tmp_path / "testing").files] == ["c.txt"]


def test_a_file_without_text_is_refused(tmp_path):
    for name, content in (("a.txt", " \n\n"), ("b.jsonl", '{"text": null}\n')):
        (tmp_path / name).write_text(content)
        with pytest.raises(BadInputError, match=f"{name}: no text in it"):
            list(open_source(tmp_path / name).documents())


def test_long_documents_are_cut_at_lines():
    text = "\n".join("x" * 999 for _ in range(100))
    pieces = cut(text)
    assert "\n".join(pieces) == text and len(pieces) > 1
    assert max(map(len, pieces)) <= LONGEST


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.txt.gz", gzip.compress(b"some text\n" * 99, mtime=0)[:-9], "damaged gzip"),
        ("a.jsonl", b'{"text": "whole"}\n{"text": "ha', ":2: not JSON"),
        ("a.jsonl", b"[" * 100_000, ":1: not JSON"),
        ("a.jsonl", b'{"texts": "whole"}\n', ":1: no text in it"),
        ("a.parquet", b"PAR1 not parquet", "parquet"),
        ("a.txt", b"caf\xe9\n", "not UTF-8"),
    ],
)
def test_damaged_shards_are_refused_in_one_line(tmp_path, name, content, match):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=match) as error:
        list(open_source(path).documents())
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_truncated_parquet_shard_is_refused(tmp_path):
    path = write_parquet(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInputError, match="not a parquet file"):
        list(open_source(path).documents())
    with pytest.raises(BadInputError, match="its columns are body, id"):
        list(open_source(write_parquet(path, column="body")).documents())


@pytest.mark.parametrize("name", ["absent", "a.zip"])
def test_what_is_no_source_is_refused(tmp_path, name):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / name, tmp_path / "empty"):
        with pytest.raises(BadInputError):
            open_source(path)


def test_any_text_comes_back_from_its_tokens(tokenizer):
    text = "apples 🍎 naïve\t\n  \x00 ﷽"
    numbers = tokenizer.encode([text])[0]
    assert tokenizer.decode(numbers) == text
    assert len(tokenizer) == 300 and numbers.max() < 300
    assert tokenizer.decode([tokenizer.end]) == END


def test_the_gpt2_vocabulary_from_two_files(tmp_path, tokenizer):
    tokenizer.inner.model.save(str(tmp_path))
    again = Tokenizer.load(tmp_path)
    assert again.encode(DOCUMENTS)[3].tolist() == tokenizer.encode(DOCUMENTS)[3].tolist()
    assert again.end == tokenizer.end
    tokenizer.save(tmp_path / "tokenizer.json")
    assert Tokenizer.load(tmp_path).digest() == tokenizer.digest()


def test_vocabularies_that_cannot_be_are_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(BadInputError):
            Tokenizer.load(path)
    with pytest.raises(BadInputError, match="gives only"):
        Tokenizer.train(["a b"], 5000)
    with pytest.raises(BadInputError, match="at least 257"):
        Tokenizer.train(["a b"], 100)


def source_of(documents, stops_after=None):
    def stream(skip):
        for number, text in enumerate(documents[skip:], skip):
            if number == stops_after:
                raise BadInputError("the stream broke off")
            yield text

    return Source("made", stream=stream)


def test_packed_documents_are_those_of_the_source(tmp_path, tokenizer):
    done = pack(source_of(DOCUMENTS), tmp_path, vocabulary=300, tokenizer=tokenizer, held_out=10)
    assert done["documents"] == 40 and done["complete"]
    values = {s: np.fromfile(tmp_path / f"{s}.bin", dtype="<u2") for s in packed_module.SPLITS}
    for split, places in (("validation", {0}), ("test", {5}), ("train", set(range(10)) - {0, 5})):
        texts = tokenizer.decode(values[split]).split(END)[1:]
        assert texts == [d for i, d in enumerate(DOCUMENTS) if i % 10 in places]
        assert done["tokens"][split] == len(values[split])


@pytest.mark.parametrize("chunks", [1, 12, 400])
def test_of_few_documents_a_twentieth_is_held_out_at_line_ends(tmp_path, tokenizer, chunks):
    lines = [f"{i} apples fell on day {i}." for i in range(2400)]
    size = len(lines) // chunks
    write_json(
        tmp_path / "a.jsonl",
        ["\n".join(lines[i * size : (i + 1) * size]) for i in range(chunks)],
    )
    source, held_out = held_out_of(open_source(tmp_path / "a.jsonl"))
    assert held_out == (100 if chunks == 400 else 20)
    done = pack(source, tmp_path / "p", vocabulary=300, tokenizer=tokenizer, held_out=held_out)
    total = sum(done["tokens"].values())
    least = 0.009 if chunks == 400 else 0.045
    for split in ("validation", "test"):
        assert done["tokens"][split] >= least * total
        values = np.fromfile(tmp_path / "p" / f"{split}.bin", dtype="<u2")
        pieces = tokenizer.decode(values).split(END)[1:]
        assert {line for piece in pieces for line in piece.split("\n")} <= set(lines)


def test_a_stream_is_not_read_ahead_to_hold_out(tokenizer):
    source = source_of(DOCUMENTS, stops_after=0)
    assert held_out_of(source) == (source, 100)


def test_packing_goes_on_where_it_broke_off(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(packed_module, "_BLOCK", 7)
    options = {"vocabulary": 300, "tokenizer": tokenizer, "held_out": 10}
    pack(source_of(DOCUMENTS), tmp_path / "whole", **options)
    with pytest.raises(BadInputError, match="broke off"):
        pack(source_of(DOCUMENTS, stops_after=20), tmp_path / "parts", **options)
    assert describe(tmp_path / "parts")["documents"] == 14
    with (tmp_path / "parts" / "train.bin").open("ab") as file:
        file.write(b"half a block")  # what a process leaves that is killed while it writes
    pack(source_of(DOCUMENTS), tmp_path / "parts", **options)
    for name in ("train.bin", "validation.bin", "test.bin"):
        whole, parts = (tmp_path / d / name for d in ("whole", "parts"))
        assert whole.read_bytes() == parts.read_bytes()


def test_a_limit_of_tokens_can_be_raised(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(packed_module, "_BLOCK", 5)
    options = {"vocabulary": 300, "tokenizer": tokenizer, "held_out": 10}
    first = pack(source_of(DOCUMENTS), tmp_path, tokens=100, **options)
    assert 100 <= first["tokens"]["train"] < 300 and not first["complete"]
    assert pack(source_of(DOCUMENTS), tmp_path, tokens=50, **options) == first
    assert pack(source_of(DOCUMENTS), tmp_path, **options)["complete"]


@pytest.fixture
def folder(tmp_path, tokenizer):
    pack(source_of(DOCUMENTS * 3), tmp_path, vocabulary=300, tokenizer=tokenizer, held_out=10)
    return tmp_path


def test_rows_are_the_tokens_in_order(folder):
    tokens = Tokens.open(folder, "train", 16, 300)
    values = np.fromfile(folder / "train.bin", dtype="<u2")
    inputs, targets = tokens.examples(np.array([0, 3]))
    np.testing.assert_array_equal(inputs[1], values[48:64])
    np.testing.assert_array_equal(targets[1], values[49:65])


def test_batches_are_one_order_cut_anywhere(folder):
    tokens = Tokens.open(folder, "train", 16, 300)
    size = 7
    n = 3 * tokens.n_rows // size
    flat = np.concatenate([tokens.batch(5, step, size) for step in range(n)])
    expected = np.concatenate([tokens.order(5, epoch) for epoch in range(3)])[: len(flat)]
    np.testing.assert_array_equal(flat, expected)
    assert sorted(flat[: tokens.n_rows]) == list(range(tokens.n_rows))
    assert (tokens.order(5, 0) != tokens.order(6, 0)).any()


def test_packed_folders_that_do_not_fit_are_refused(folder, tokenizer):
    with pytest.raises(BadInputError, match="--vocabulary 300"):
        Tokens.open(folder, "train", 16, 299)
    with pytest.raises(BadInputError, match="too few"):
        Tokens.open(folder, "test", 100_000, 300)
    with pytest.raises(BadInputError, match="more than the model's"):
        pack(source_of(DOCUMENTS), folder / "new", vocabulary=299, tokenizer=tokenizer)
    with pytest.raises(BadInputError, match="another source"):
        pack(Source("other", stream=None), folder, vocabulary=300)
    path = folder / "train.bin"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(BadInputError, match="truncated"):
        Tokens.open(folder, "train", 16, 300)
    (folder / "packed.json").write_text("{")
    with pytest.raises(BadInputError, match="damaged"):
        Tokens.open(folder, "train", 16, 300)


def test_distances_to_earlier_occurrences():
    tokens = np.random.default_rng(0).integers(0, 6, 200)
    assert distances(tokens, 0).tolist() == naive_lm.distances(tokens.tolist(), 0)
