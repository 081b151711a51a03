"""Plain text: words, sentences, streams; text and tables as corpora."""

import gzip
import itertools
import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from hebbsim.errors import BadInputError
from hebbsim.readers import load_corpus
from hebbsim.readers.base import Corpus, make_split
from hebbsim.readers.lines import LineStream
from hebbsim.readers.tables import read_tables, write_tables
from hebbsim.readers.text import split_text, stream_text

DATA = Path(os.environ.get("HEBBSIM_DATA_DIR", "."))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't go; they cannot.", "do n't go ; they can not ."),
        ("It’s the dogs' food, I'LL say", "it 's the dogs ' food , i 'll say"),
        ("O'Brien's well-known e-mail", "o'brien 's well - known e-mail"),
        ("$3.5M at 5pm, 1,000 or 50%", "$ 3.5 m at 5 pm , 1,000 or 50 %"),
        ("See http://x.org/a?b=1, a.b@c.com!", "see http://x.org/a?b=1 , a.b@c.com !"),
        ("a 1 @,@ 000 role @-@ playing 3 @.@ 5 <unk>", "a 1,000 role - playing 3.5 <unk>"),
        ("wait... what?! (no)", "wait ... what ?! ( no )"),
        ("it 's n't tokenised twice", "it 's n't tokenised twice"),
        ("“Yes” — ‘no’ – ``so''", '" yes " -- \' no \' - " so "'),
        ("Kim said naïve 안녕", "kim said naïve 안녕"),
        ("gonna and/or", "gon na and / or"),
    ],
)
def test_words(text, words):
    assert [word for sentence in split_text(text) for word in sentence] == words.split()


@pytest.mark.parametrize(
    ("text", "firsts"),
    [
        ("One came. Two left! Three?", ["one", "two", "three"]),
        ("Mr. Hill met Dr. No in St. Louis. He left.", ["mr.", "he"]),
        ("J. K. Rowling came to the U.S. in Oct. 1999.", ["j."]),
        ("She lives in the U.S. The town is small.", ["she", "the"]),
        ("No. Not at No. 5 though.", ["no", "not"]),
        ("“Why?” she asked. “Go!”", ['"', '"']),
        ('He said "I see." Then he left.', ["he", "then"]),
        ('He left. "Why?" she said.', ["he", '"']),
        ('He said "Go. Stay." She left. "Why?"', ["he", "stay", "she", '"']),
        ("(He left.) They stayed.", ["(", "they"]),
        ("Well... he came. So... It rains.", ["well", "so", "it"]),
        ("what's the deal ? watch it . . . ok", ["what", "watch", "ok"]),
        ("No end here", ["no"]),
        ("", []),
    ],
)
def test_sentences(text, firsts):
    assert [sentence[0] for sentence in split_text(text)] == firsts


def test_no_character_but_space_is_lost():
    text = "A “b’s” c-d… (e) f@g h/i j_k #l 5% ~~ ½ 中文 <unk> *** ;-) n't don't O'K 's"
    joined = "".join(word for sentence in split_text(text) for word in sentence)
    plain = text.replace("“", '"').replace("”", '"').replace("’", "'").replace("…", "...")
    assert joined == plain.replace(" ", "").lower()


def test_stream_reads_files_and_folders_in_order(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "b.txt").write_text("Two.\n")
    (folder / "a.txt.gz").write_bytes(gzip.compress("One é.\n".encode()))
    (folder / "README.md").write_text("not text to learn from")
    extra = tmp_path / "c.md"
    extra.write_text("Three.")
    words = list(stream_text([folder, extra]))
    assert words == [["one", "é", "."], ["two", "."], ["three", "."]]
    assert list(stream_text(folder)) == words[:2]


def test_wrapped_lines_are_joined_and_paragraphs_are_not(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(
        "The old man who lived beside the river went to\n"
        "London on a Monday in the early spring of\n"
        "\nThe end\nShort lines stay apart\n = = Heading = = \nLast"
    )
    assert [" ".join(words) for words in stream_text(path)] == [
        "the old man who lived beside the river went to london on a monday in the early spring of",
        "the end",
        "short lines stay apart",
        "last",
    ]


def test_a_very_long_line_is_streamed_whole(tmp_path):
    path = tmp_path / "a.txt"
    n = 400_000
    path.write_text("été " * n + "end.\nNext.")
    words = [word for sentence in stream_text(path) for word in sentence]
    assert len(words) == n + 4 and words[-4:] == ["end", ".", "next", "."]
    assert set(words[:n]) == {"été"}
    path.write_text("我走。" * 120_000)
    assert list(stream_text(path)) == [["我", "走", "。"]] * 120_000


def test_stream_is_lazy(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"Good.\n" * 200_000 + b"\xff")
    assert list(itertools.islice(stream_text(path), 3)) == [["good", "."]] * 3


def refusal(path, **options):
    with pytest.raises(BadInputError) as caught:
        list(stream_text(path, **options))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_text_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"fine\ncaf\xe9\n")
    assert refusal(path).startswith(f"{path}:2: not UTF-8 (byte 0xe9)")
    path.write_bytes(b" \n\n")
    assert refusal(path).startswith(f"{path}: no text in it")
    path.write_bytes(b"one\n" + b"x" * 2_000_000)
    assert refusal(path).startswith(f"{path}:2: a megabyte without a space")
    packed = gzip.compress(b"some words " * 1000)
    path.write_bytes(packed[: len(packed) // 2])
    assert "damaged gzip" in refusal(path)
    assert "no such text file" in refusal(tmp_path / "none.txt")
    (tmp_path / "empty").mkdir()
    assert "no text in this folder (*.txt" in refusal(tmp_path / "empty")
    assert "plain, spacy" in refusal(path, tokenizer="magic")
    assert "no text file given" in refusal([])


def test_line_numbers_go_on_after_a_long_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"word " * 500_000 + b"\n\n\xff")
    assert refusal(path).startswith(f"{path}:3: ")


def test_text_file_as_a_corpus_has_no_layer(tmp_path):
    path = tmp_path / "story.txt.gz"
    path.write_bytes(gzip.compress(b"It was late. He slept.\n" * 20))
    corpus = load_corpus(path)
    assert (corpus.name, corpus.layer, list(corpus.splits)) == ("story", None, ["train"])
    assert corpus.splits["train"].n_sentences == 40
    assert corpus.splits["train"].layers == {}


def test_folder_without_usable_files_is_refused(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"")
    with pytest.raises(BadInputError, match="no usable file"):
        load_corpus(tmp_path)


def test_empty_file_as_a_corpus_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.touch()
    with pytest.raises(BadInputError, match=r"a\.txt: no text in it"):
        load_corpus(path)


def test_unreadable_file_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="cannot be read"):
        list(LineStream(tmp_path))


def test_a_long_word_costs_no_more_than_its_letters():
    tracemalloc.start()
    try:
        split = make_split("train", [["x" * 20_000, *["y", "z"] * 10_000]] * 2)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < 4e6  # fixed-width strings took 3.2e9
    assert split.sentences()[1][:2] == ["x" * 20_000, "y"]
    assert split.forms[0] is split.forms[20_001]  # equal words are one object
    assert (split.subset([1]).forms == split.forms[20_001:]).all()


def test_a_long_label_is_refused():
    with pytest.raises(BadInputError, match="layer 'roles': a label of 1,001 characters"):
        make_split("train", [["a", "b"]], {"roles": ["A", "B" * 1001]})


def corpus():
    splits = {
        "train": make_split(
            "train", [["a", "b"], ["c"]], {"grammatical": ["X", "Y", "X"]}, ["k", "l"]
        ),
        "gen/new": make_split("gen/new", [["d e"]], {"grammatical": ["Y"]}),
    }
    return Corpus("toy", splits, "grammatical", "somewhere", "CC0", {"in": "0"})


def test_tables_round_trip(tmp_path):
    folder = tmp_path / "deep" / "toy"
    files = write_tables(corpus(), folder)
    assert all(path.is_file() for path in files)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["toy"]
    again = load_corpus(folder)
    assert (again.name, again.layer, again.source) == ("toy", "grammatical", "somewhere")
    for name, split in corpus().splits.items():
        back = again.splits[name]
        np.testing.assert_array_equal(back.forms, split.forms)
        np.testing.assert_array_equal(back.offsets, split.offsets)
        np.testing.assert_array_equal(back.layers["grammatical"], split.layers["grammatical"])
    assert again.splits["train"].kinds.tolist() == ["k", "l"]
    assert again.splits["gen/new"].kinds is None


def test_tables_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    folder = tmp_path / "toy"

    def fail(split):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hebbsim.readers.tables._table", fail)
    with pytest.raises(BadInputError, match="No space left"):
        write_tables(corpus(), folder)
    assert list(tmp_path.iterdir()) == []


def test_tables_never_replace_what_is_there(tmp_path):
    for target in (tmp_path / "file", tmp_path / "folder" / "x"):
        target.parent.mkdir(exist_ok=True)
        target.write_text("mine")
    for target in (tmp_path / "file", tmp_path / "folder"):
        with pytest.raises(BadInputError, match="name a new one"):
            write_tables(corpus(), target)
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "x").read_text() == "mine"


def test_damaged_tables_name_file_and_line(tmp_path):
    folder = tmp_path / "toy"
    write_tables(corpus(), folder)
    table = folder / "train.tokens.tsv"
    good = table.read_text()
    for bad, place in (
        (good.replace("\tb\t", "\t"), ":3: 4 columns"),
        (good.replace("form", "word"), ":1: the columns"),
        (good.replace("\t1\tb", "\t7\tb"), ":3: word 1"),
    ):
        table.write_text(bad)
        with pytest.raises(BadInputError) as caught:
            read_tables(folder)
        assert str(caught.value).startswith(f"{table}{place}")
    table.unlink()
    with pytest.raises(BadInputError, match="missing"):
        read_tables(folder)


@pytest.mark.parametrize(
    "about",
    ["{", "[]", '{"name": "x"}', '{"name": "x", "splits": ["../up"]}', '{"splits": ["train"]}'],
)
def test_bad_corpus_json_is_refused(tmp_path, about):
    (tmp_path / "corpus.json").write_text(about)
    with pytest.raises(BadInputError, match=r"corpus\.json:(1: not JSON| needs 'name')"):
        load_corpus(tmp_path)


def test_table_columns_are_those_of_cogs(tmp_path):
    write_tables(corpus(), tmp_path / "toy")
    lines = (tmp_path / "toy" / "train.tokens.tsv").read_text().splitlines()
    assert lines[0] == "sent_id\ttype\tidx\tform\tgrammatical"
    assert lines[3] == "train-00002\tl\t0\tc\tX"
    assert json.loads((tmp_path / "toy" / "corpus.json").read_text())["splits"] == [
        "train",
        "gen/new",
    ]


@pytest.mark.data
def test_plain_words_agree_with_a_treebank():
    folder = DATA / "ud-english-ewt"
    if not folder.is_dir():
        pytest.skip("needs ud-english-ewt")
    lines = LineStream(next(folder.glob("*-dev.conllu*")))
    straight = str.maketrans({"‘": "'", "’": "'", "`": "'", "“": '"', "”": '"', "–": "-"})
    agree = total = 0
    for block in "\n".join(lines).split("\n\n"):
        rows = block.split("\n")
        text = next((row[9:] for row in rows if row.startswith("# text = ")), "")
        gold = [row.split("\t")[1] for row in rows if row.split("\t")[0].isdigit()]
        ours = [word for sentence in split_text(text) for word in sentence]
        gold = [word.lower().translate(straight) for word in gold]
        total += len(gold)
        agree += len(_spans(gold) & _spans(ours))
    assert agree / total > 0.98


def _spans(words):
    ends = list(itertools.accumulate(map(len, words)))
    return {(end - len(word), end) for word, end in zip(words, ends, strict=True)}
