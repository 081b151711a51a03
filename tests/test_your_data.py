"""Data as people have it: what a file holds, which split it is, and what is said of it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import re
import sys
import tarfile
import textwrap
import unicodedata
import zipfile

import pytest

from hebbsim.errors import BadInputError
from hebbsim.readers import load_corpus
from hebbsim.readers.columns import TreebankLines
from hebbsim.readers.kinds import kind_of
from hebbsim.readers.tables import write_tables
from hebbsim.readers.text import stream_text
from hebbsim.readers.ud import RoleScheme
from hebbsim.readers.words import split_text

ROWS = [
    ("Mia", "PROPN", 2, "nsubj"), ("sees", "VERB", 0, "root"), ("old", "ADJ", 4, "amod"),
    ("boats", "NOUN", 2, "obj"), (".", "PUNCT", 2, "punct"),
]  # fmt: skip
ROLES = ["SUBJ", "PRED", "MOD", "OBJ", "PUNCT"]
WORDS = ["mia", "sees", "old", "boats", "."]


def sentence(rows=ROWS, extra=""):
    return "".join(
        f"{i}\t{form}\t_\t{pos}\t_\t_\t{head}\t{relation}\t_\t_{extra}\n"
        for i, (form, pos, head, relation) in enumerate(rows, 1)
    ) + "\n"  # fmt: skip


def named(word):
    """A sentence that begins with its own word."""
    return sentence([(word, *ROWS[0][1:]), *ROWS[1:]])


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def roles(corpus, split="train"):
    return corpus.splits[split].layers["grammatical"].tolist()


def firsts(corpus, split="train"):
    return [words[0] for words in corpus.splits[split].sentences()]


def refusal(path, **options):
    with pytest.raises(BadInputError) as caught:
        load_corpus(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- 1: which files are a treebank, and which split each of them holds ---------------------


@pytest.mark.parametrize(
    "names",
    [
        ("en_train.conllu", "en_dev.conllu", "en_test.conllu"),
        ("TRAIN.CONLLU.GZ", "DEV.CONLLU", "TEST.CONLLU"),
        ("train.tok.conll", "valid.tok.conll", "test.tok.conll"),
        ("xx-ud-train.conllu.gz", "xx-ud-dev.conllu", "xx-ud-test.conllu"),
        ("train/a.conllu", "dev/a.conllu", "test/a.conllu"),
        ("x/train/1/a.conllu", "x/dev/1/a.conllu", "x/test/1/a.conllu"),
        ("xx-train.txt", "xx-dev.txt", "xx-test.txt"),
        ("trainSet.conllu", "devSet.conllu", "testset.conllu"),
        ("xx-train.conll06", "xx-dev.conll06", "xx-test.conll06"),
    ],
)
def test_splits_are_told_by_the_names_of_files_and_folders(names, tmp_path):
    for name, word in zip(names, ("One", "Two", "Three"), strict=True):
        content = named(word).encode()
        packed = gzip.compress(content) if name.lower().endswith("gz") else content
        write(tmp_path, **{name: packed})
    corpus = load_corpus(tmp_path)
    assert {name: firsts(corpus, name) for name in corpus.splits} == {
        "train": ["one"], "dev": ["two"], "test": ["three"]
    }  # fmt: skip
    assert roles(corpus, "test") == ROLES and corpus.layer == "grammatical"


def test_a_train_split_in_pieces_is_joined_in_their_order(tmp_path):
    for piece in "cab":
        write(tmp_path, **{f"xx-ud-train-{piece}.conllu": named(piece)})
    write(tmp_path, **{"xx-ud-dev.conllu": named("d")})
    corpus = load_corpus(tmp_path)
    assert firsts(corpus) == ["a", "b", "c"] and len(corpus.sha256) == 4
    assert "3 files are joined as train" in corpus.notes[0]
    write(tmp_path, **{"yy-ud-train.conllu": named("e")})
    assert "two files for split 'train'" in refusal(tmp_path)


def test_files_without_a_split_are_one_text_that_is_cut(tmp_path):
    for number in range(10):
        write(tmp_path, **{f"letter{number}.conllu": named(f"w{number}")})
    corpus = load_corpus(tmp_path)
    assert [firsts(corpus, name) for name in ("dev", "test")] == [["w8"], ["w9"]]
    assert any("10 files are joined" in note for note in corpus.notes)
    assert any("80, 10 and 10 %" in note for note in corpus.notes)
    write(tmp_path, **{"letter3.txt": "A raw copy.", "LICENSE.txt": "By me.", "song.txt": "La."})
    (note,) = (note for note in load_corpus(tmp_path).notes if "left out" in note)
    assert note == f"{tmp_path}: song.txt left out: only the treebank is read"
    write(tmp_path, **{"letters-train.conllu": named("x")})
    corpus = load_corpus(tmp_path)
    assert firsts(corpus) == ["x"] and "left out" in corpus.notes[0]


def test_a_single_file_is_known_whatever_case_its_name_has(tmp_path):
    for name in ("Toy.CONLLU", "toy.txt", "toy"):
        write(tmp_path, **{name: "".join(named(f"w{i}") for i in range(10))})
        assert roles(load_corpus(tmp_path / name), "test") == ROLES


def test_a_treebank_on_standard_input_is_scored(monkeypatch):
    packed = gzip.compress("".join(named(f"w{i}") for i in range(10)).encode())
    stdin(monkeypatch, packed)
    corpus = load_corpus("-")
    assert corpus.name == "stdin" and roles(corpus, "test") == ROLES
    assert list(corpus.sha256) == ["stdin"]


# --- 2: content that is neither prose nor CoNLL-U ------------------------------------------

TEXTS = ["It rains. I stay.", "Why?"]
SENTENCES = [["it", "rains", "."], ["i", "stay", "."], ["why", "?"]]


def stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))


PLUS = "# global.columns = ID FORM UPOS HEAD DEPREL PARSEME:MWE\n" + "".join(
    f"{i}\t{form}\t{pos}\t{head}\t{relation}\t*\n"
    for i, (form, pos, head, relation) in enumerate(ROWS, 1)
)


def test_conllu_plus_is_read_by_its_header(tmp_path):
    write(tmp_path, **{"a-train.cupt": PLUS, "a-dev.cupt": PLUS, "a-test.blind.cupt": PLUS})
    corpus = load_corpus(tmp_path)
    assert list(corpus.splits) == ["train", "dev"] and roles(corpus) == ROLES
    assert "PARSEME:MWE are left out" in corpus.notes[0]
    assert list(stream_text(tmp_path / "a-dev.cupt")) == [WORDS]
    write(tmp_path, **{"c.conllup": PLUS.replace("# global.columns =", "#global.columns=")})
    assert roles(load_corpus(tmp_path / "c.conllup")) == ROLES
    write(tmp_path, **{"b.conllup": PLUS.replace("\tPROPN", "")})
    assert "b.conllup:2: 5 columns, its header names 6" in refusal(tmp_path / "b.conllup")


@pytest.mark.parametrize("n", [1, 4])
def test_columns_that_others_add_are_left_out_with_a_note(n, tmp_path):
    more = sentence(extra="\tA0" * n) + sentence(extra="\tA0")
    write(tmp_path, **{"a.conllu": more})
    corpus = load_corpus(tmp_path / "a.conllu")
    assert roles(corpus) == ROLES * 2 and "columns from 11 on" in corpus.notes[0]


def test_conll_2009_keeps_heads_in_column_9(tmp_path):
    rows = "".join(
        f"{i}\t{form}\t_\t_\t{pos}\t_\t_\t_\t{head}\t{head}\t{relation}\t{relation}\t_\t_\n"
        for i, (form, pos, head, relation) in enumerate(ROWS, 1)
    )
    write(tmp_path, **{"a.conll": rows})
    assert roles(load_corpus(tmp_path / "a.conll")) == ROLES


ROWS_OF_JSON = [{"id": i, "text": text} for i, text in enumerate(TEXTS)]
LINES_OF_JSON = "\n".join(map(json.dumps, [*ROWS_OF_JSON, {"text": None}, None]))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(ROWS_OF_JSON, indent=1)),
        ("a.json", json.dumps([*TEXTS, None])),
        ("a.json", LINES_OF_JSON),
        ("a.jsonl", json.dumps(ROWS_OF_JSON)),
        ("a.jsonl", json.dumps({"text": [*TEXTS, None]})),
        ("a.jsonl", json.dumps([[*SENTENCES[0], None], *SENTENCES[1:]])),
        ("a.jsonl", json.dumps({"text": "It rains.\nI stay.\n\nWhy?"})),
        ("a.jsonl", "\ufeff" + LINES_OF_JSON),
        ("a.jsonl", LINES_OF_JSON.replace("null", "NaN", 1).replace('"text"', '"Text"')),
        ("a.txt", LINES_OF_JSON),
        ("a.txt", json.dumps(ROWS_OF_JSON, indent=2)),
        ("a.ndjson", "\n".join(json.dumps(row, indent=3) for row in ROWS_OF_JSON)),
        ("a.csv", 'id,text\n1,"It rains. I stay."\n2,\n3,Why?\n'),
        ("a.csv", "text;n\nIt rains. I stay.;1\nWhy?;2\n"),
        ("a.csv", "sentence\nIt rains. I stay.\nWhy?\n"),
        ("a.csv", 'sentence\n"It rains.\nI stay."\nWhy?\n'),
        ("a.csv", 'sep=|\nid|text\n1|"It rains.\nI stay."\n2|Why?\n'),
        ("a.csv", 'id, text\n1, "It rains. I stay."\n2, "Why?"\n'),
        ("a.tsv", 'id\ttext\n1\t"It rains.\nI stay."\n2\tWhy?\n'),
        ("a.tsv", 'label\tText\nx\t"It rains. I stay."\ny\tWhy?\n'),
        ("a.txt", "id\ttext\n1\tIt rains. I stay.\n2\tWhy?\n"),
    ],
)
def test_json_and_tables_are_known_by_their_content(name, content, tmp_path, monkeypatch):
    write(tmp_path, **{name: content, f"{name}.bz2": bz2.compress(content.encode())})
    for path in (tmp_path / name, tmp_path / f"{name}.bz2"):
        assert list(stream_text(path)) == SENTENCES
    corpus = load_corpus(tmp_path / name)
    assert corpus.layer is None and corpus.splits["train"].sentences() == SENTENCES
    stdin(monkeypatch, bz2.compress(content.encode()))
    # Of an array of strings and of a column alone only the name says that they are no prose.
    if name != "a.json" and not content.startswith(("sentence", "sep")):
        assert list(stream_text("-")) == SENTENCES


def test_strings_of_a_list_are_words_or_texts(tmp_path):
    for strings, sentences in [
        (["Hà Nội", "có", "mưa", "."], [["hà nội", "có", "mưa", "."]]),
        (["Dr.", "No", "z. B.", "!"], [["dr.", "no", "z. b.", "!"]]),
        (["Rain in the north", "Nobody stays at home"], [
            ["rain", "in", "the", "north"], ["nobody", "stays", "at", "home"]]),
        (["下雨。", "我走。"], [["下", "雨", "。"], ["我", "走", "。"]]),
    ]:  # fmt: skip
        write(tmp_path, **{"a.jsonl": json.dumps({"sentence": strings})})
        assert list(stream_text(tmp_path / "a.jsonl")) == sentences
    write(tmp_path, **{"b.jsonl": '{"text": "Why?"}\n{"text": [["Why"], 1]}\n'})
    assert "b.jsonl:2: neither text nor" in refusal(tmp_path / "b.jsonl")
    write(tmp_path, **{"c.jsonl": f'{{"text": "Why?", "n": {"9" * 5000}}}'})
    assert "c.jsonl:1: not JSON (Exceeds the limit" in refusal(tmp_path / "c.jsonl")


def test_lines_of_a_text_in_json_are_those_of_plain_text(tmp_path):
    heading = "Notes for the visitors of an old harbour and its museum"
    text = f"{heading}\r\nIt rains.\n{heading}"
    write(tmp_path, **{"a.jsonl": json.dumps({"text": text}), "b.csv": f'id,text\n1,"{text}"\n'})
    for name in ("a.jsonl", "b.csv"):
        assert list(stream_text(tmp_path / name)) == [heading.lower().split(), SENTENCES[0],
                                                      heading.lower().split()]  # fmt: skip
    wrapped = textwrap.fill(PROSE, 60)
    write(tmp_path, **{"a.txt": wrapped, "a.jsonl": json.dumps({"text": wrapped})})
    for how in ("auto", "lines", "wrapped"):
        found = list(stream_text(tmp_path / "a.jsonl", sentences=how))
        assert found == list(stream_text(tmp_path / "a.txt", sentences=how))
    write(tmp_path, **{"c.json": json.dumps(TEXTS)})
    assert len(list(stream_text(tmp_path / "c.json", sentences="lines"))) == 2


def test_a_long_array_is_read_piece_by_piece(tmp_path):
    write(tmp_path, **{"a.json": json.dumps([{"text": f"Word{i} é."} for i in range(9000)])})
    found = list(stream_text(tmp_path / "a.json"))
    assert len(found) == 9000 and found[-1] == ["word8999", "é", "."]
    text = (tmp_path / "a.json").read_text()
    write(tmp_path, **{"a.json": text[:-9]})
    with pytest.raises(BadInputError, match=r"a\.json:1: not JSON"):
        list(stream_text(tmp_path / "a.json"))


def test_the_field_that_holds_the_text_can_be_named(tmp_path):
    rows = "\n".join(json.dumps({"a": {"b": text}, "text": "no"}) for text in TEXTS)
    write(tmp_path, **{"a.jsonl": rows, "a.csv": "x,y\n1,Why?\n", "b.tsv": "1\tWhy?\n2\tWhy?\n"})
    assert list(stream_text(tmp_path / "a.jsonl", field="a.b")) == SENTENCES
    rows = {"version": 1, "talk": [{"turn": text} for text in [*TEXTS, None]]}
    write(tmp_path, **{"d.json": json.dumps(rows, indent=1)})
    assert list(stream_text(tmp_path / "d.json", field="talk.turn")) == SENTENCES
    assert list(stream_text(tmp_path / "a.csv", field="y")) == SENTENCES[2:]
    assert list(stream_text(tmp_path / "b.tsv", field="2")) == SENTENCES[2:] * 2
    assert "no field 'z'; there are a, text" in refusal(tmp_path / "a.jsonl", field="z")
    assert "no column 'z'; there are x, y" in refusal(tmp_path / "a.csv", field="z")
    assert "--field NAME" in refusal(tmp_path / "b.tsv")
    write(tmp_path, **{"c.jsonl": '{"post": "It rains."}'})
    assert "--field NAME (there are post)" in refusal(tmp_path / "c.jsonl")


def test_a_cell_of_a_table_may_hold_a_whole_document(tmp_path, monkeypatch):
    text = "It rains. I stay. Why?\n" * 30_000
    write(tmp_path, **{"a.csv": f'id,text\n1,"{text}"\n'})
    assert list(stream_text(tmp_path / "a.csv")) == SENTENCES * 30_000
    line = "It rains. I stay. Why? " * 60_000  # longer than a line of a treebank may be
    write(tmp_path, **{"b.csv": f"id,text\n1,{line}\n", "c.tsv": f"id\ttext\n1\t{line}\n"})
    for name in ("b.csv", "c.tsv"):
        assert list(stream_text(tmp_path / name)) == SENTENCES * 60_000
    monkeypatch.setattr("hebbsim.readers.formats._LONGEST_VALUE", 100)
    assert "a.csv:6: a cell of more than 100 characters" in refusal(tmp_path / "a.csv")
    assert "b.csv:2: " in refusal(tmp_path / "b.csv")


def test_a_quote_that_is_not_closed_does_not_swallow_the_rest_of_a_table(tmp_path):
    write(tmp_path, **{"a.csv": 'id,text\n1,Why?\n2,"It rains.\n3,I stay.\n'})
    assert 'a.csv:3: a quote (") of this row is not closed' in refusal(tmp_path / "a.csv")
    write(tmp_path, **{"b.csv": 'id,text\n1,Why?\n2,"It rains.\nI stay."'})
    assert list(stream_text(tmp_path / "b.csv")) == [*SENTENCES[2:], *SENTENCES[:2]]


def test_words_with_tabs_and_line_breaks_are_written_and_read_again(tmp_path):
    write(tmp_path, **{"a.jsonl": json.dumps(["a\tb", "c\r\nd", "\u00e9\n", "\t", "."])})
    found = load_corpus(tmp_path / "a.jsonl")
    assert found.splits["train"].sentences() == [["a b", "c d", "\u00e9", "."]]
    write_tables(found, tmp_path / "tables")
    assert load_corpus(tmp_path / "tables").splits["train"].sentences() == [
        ["a b", "c d", "\u00e9", "."]
    ]


def test_half_a_character_of_unicode_is_named(tmp_path):
    write(tmp_path, **{"a.jsonl": '{"text": "It rains."}\n{"text": "Why \\ud83d"}\n'})
    assert "a.jsonl:2: holds half a character, \\ud83d" in refusal(tmp_path / "a.jsonl")
    write(tmp_path, **{"b.jsonl": '{"words": ["Why", "\\udc00"]}\n'})
    assert "b.jsonl:1: holds half a character, \\udc00" in refusal(tmp_path / "b.jsonl")


def tar(form=tarfile.PAX_FORMAT, **files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def first_made(archive):
    """A tar archive as the oldest programs write it, without a magic word."""
    whole = bytearray(archive)
    whole[257:265] = bytes(8)
    whole[148:156] = b" " * 8
    whole[148:156] = b"%06o\0 " % sum(whole[:512])
    return bytes(whole)


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tar(a="It rains."), "a tar archive; unpack it"),
        (first_made(tar(tarfile.USTAR_FORMAT, a="It rains.")), "a tar archive; unpack it"),
        (gzip.compress(tar(a="It rains.")), "a tar archive; unpack it"),
        (zipped(a="It rains."), "a zip archive (or an office document); unpack it"),
        (zipped(), "an empty zip archive"),
        ("It rains.".encode("utf-16"), "iconv -f UTF-16 "),
        ("It rains.".encode("utf-16-le"), "iconv -f UTF-16LE "),
        ("Идёт дождь.".encode("utf-16-be"), "iconv -f UTF-16BE "),
        ("It rains.".encode("utf-32"), "iconv -f UTF-32 "),
        (b"<?xml version='1.0'?><a>It rains.</a>", "XML"),
        (b"\xef\xbb\xbf<!-- made by me --><a>It rains.</a>", "XML"),
        (b'<doc id="1" url="x">\nRain\n\nIt rains.\n', "XML"),
        (b"<p>It rains.</p>\n<p>I stay.</p>", "XML or HTML"),
        (b"%!PS-Adobe-3.0", "a PostScript"),
        (b"version https://git-lfs.github.com/spec/v1\noid x\nsize 9\n", "git lfs pull"),
        (b"%PDF-1.7 rest", "a PDF"),
        (gzip.compress(gzip.compress(b"It rains.")), "gzip data inside"),
        (bytes(range(200)) * 20 + bytes(999), "binary data"),
        (bytes(range(1, 256)) * 20, "binary data"),
        ("こんにちは。".encode("iso-2022-jp"), "iconv -f ISO-2022-JP"),
    ],
    # Not named by their content: compressed data hold the time.
    ids=(
        "tar|old tar|tar.gz|zip|no files|utf-16|utf-16le|utf-16be|utf-32|xml|comment|doc|p|ps|lfs|"
        "pdf|gz twice|binary|packed|jis"
    ).split("|"),
)
def test_what_is_no_text_is_refused_by_what_it_seems_to_be(content, said, tmp_path, monkeypatch):
    write(tmp_path, **{"a.txt": content})
    assert said in refusal(tmp_path / "a.txt")
    stdin(monkeypatch, content)
    with pytest.raises(BadInputError, match=re.escape(said)):
        stream_text("-").__next__()
    treebank = write(tmp_path / "folder", **{"a-train.conllu": content, "a-dev.conllu": sentence()})
    assert said in refusal(treebank)


def test_empty_files_of_a_folder_are_passed_over(tmp_path):
    write(tmp_path, **{"a.txt": "", "b.txt": "It rains.", "c.jsonl": ""})
    said = []
    assert list(stream_text(tmp_path, note=said.append)) == SENTENCES[:1]
    assert [note.split(": ")[1] for note in said] == [
        str(tmp_path / n) for n in ("a.txt", "c.jsonl")
    ]
    write(tmp_path, **{"b.txt": ""})
    assert "a.txt: empty file" in refusal(tmp_path)


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    write(tmp_path, **{"a.txt": "It rains.", "b__c.txt": "Why?", ".d__e.txt": "Why?"})

    def scandir(path, scan=os.scandir):  # the superuser may read anything
        if os.path.basename(path) in ("b", ".d"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert refusal(tmp_path) == f"{tmp_path / 'b'}: cannot be read (Permission denied)"


def test_archives_in_a_folder_are_told_of(tmp_path):
    write(
        tmp_path,
        **{
            "a.tgz": gzip.compress(tar(a="It rains.")), "b.zip": zipped(a="Why?"),
            "c.png": b"\x89P", "d.dat.gz": b"\x1f\x8bdamaged",
        },
    )  # fmt: skip
    assert "a.tgz: this seems to be a tar archive; unpack it" in refusal(tmp_path)
    write(tmp_path, **{"a.txt": "It rains."})
    files = [note.partition(": ")[2] for note in load_corpus(tmp_path).notes]
    assert [file.startswith(str(tmp_path / name)) for file, name in zip(
        files, ("a.tgz", "b.zip", "d.dat"), strict=True)] == [True] * 3  # fmt: skip


def test_prose_stays_prose(tmp_path):
    for text in (
        "[laughs] It rains.", '"Why?" he said\nno one', "{sic} and so on", "Text, content, words",
        "Rar! sa han.", "BZh is a firm.", "<unk> came", "<mia> I stay.", "<3 you",
        "# Heading\nIt rains, it rains.", "One\ttab here.\nIt rains.", "\tAn indent.\n\tA second.",
    ):  # fmt: skip
        write(tmp_path, **{"a.txt": text})
        assert kind_of(tmp_path / "a.txt") == "text"


def test_a_folder_of_text_is_read_with_its_subfolders_and_without_its_papers(tmp_path):
    write(
        tmp_path,
        **{
            "b.txt": "Why?", "a__c.txt.bz2": bz2.compress(b"It rains."), "LICENSE.txt": "By me.",
            "README.txt": "Mine.", "about.json": '{"version": 1}', "._b.txt": "\0\5\26Mac OS X",
            "__MACOSX__._c.txt": "Mac",
        },
    )  # fmt: skip
    said = []
    assert list(stream_text(tmp_path, note=said.append)) == [SENTENCES[0], SENTENCES[2]]
    assert len(said) == 1 and "about.json:1: no text in it" in said[0]


# --- 3: words and sentences of other scripts ------------------------------------------------


def decomposed(text):
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी में पत्र", "हिन्दी में पत्र"),
        (decomposed("L'été où"), "l'été où"),
        (decomposed("thư viện đọc"), "thư viện đọc"),
        ("שָׁלוֹם צה״ל", "שָׁלוֹם צה״ל"),
        ("مَرْحَبًا بِكُم", "مَرْحَبًا بِكُم"),
        ("نمی\u200cخواهم بروم", "نمی\u200cخواهم بروم"),
        ("தமிழ் நாடு", "தமிழ் நாடு"),
        ("col·lecció, sí", "col·lecció , sí"),
        ("a 👩\u200d🚀 or 👍🏽🇫🇷", "a 👩\u200d🚀 or 👍🏽 🇫🇷"),
        ("ba\u200bker so\u00adft \u200fכן\u200f", "baker soft כן"),
        ("我喜欢茶", "我 喜 欢 茶"),
        ("カメラで見た", "カメラ で 見 た"),
        ("ﾊﾞｽで", "ﾊﾞｽ で"),
        ('צה"ל אמר "כן"', 'צה"ל אמר " כן "'),
        (decomposed("İyi, İstanbul"), "iyi , istanbul"),
        ("สวัสดี", "ส วั ส ดี"),
        ("我 喜欢 喝茶 。", "我 喜欢 喝茶 。"),
        ("コーヒー を 飲み ます", "コーヒー を 飲み ます"),
        ("我走了。 你来吧。 好！", "我 走 了 。 你 来 吧 。 好 ！"),
        ("सचिव डॉ॰ शर्मा", "सचिव डॉ॰ शर्मा"),
        ("ሰላም፡ለዓለም", "ሰላም ለዓለም"),
        ("ខ្ញុំ\u200bទៅ\u200bសាលា។", "ខ្ញុំ ទៅ សាលា ។"),
        ("သွားသည်", "သွား သ ည်"),
        ("བོད་ཡིག་ཡིན།", "བོད་ ཡིག་ ཡིན །"),
        ("Ինչպե՞ս ես", "ինչպե՞ս ես"),
        ("كان ٣٫١٤ و ١٬٠٠٠", "كان ٣٫١٤ و ١٬٠٠٠"),
        ("EU:n ja NATO:sta: ei", "eu:n ja nato:sta : ei"),
        ("Это т.е. А. С. Пушкин", "это т.е. а. с. пушкин"),
        ("z. B. das, d. h. bzw. u. a. das", "z. b. das , d. h. bzw. u. a. das"),
    ],
)
def test_marks_and_joiners_belong_to_the_word(text, words):
    assert [word for found in split_text(text) for word in found] == words.split()


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("राम गया। सीता आई॥ बच्चा", "गया । आई ॥ बच्चा"),
        ("هل ذهبت؟ نعم. این است۔ خوب", "ذهبت ؟ نعم . است ۔ خوب"),
        ("Նա գնաց։ Նա եկավ։", "գնաց ։ եկավ ։"),
        ("我来了。你走了！他？！好", "了 。 了 ！ 他 ？！ 好"),
        ("「はい。」と", "。 」 と"),
        ("我 用 Python。ok！是", "python 。 ok ！ 是"),
        ("Er sagt: „Komm.“ Sie kam.", '. " kam .'),
        ("Er sagt: »Komm.« Sie kam.", '. " kam .'),
        ("Il dit « Va. » Elle part.", '. " part .'),
        ("Τι κάνεις; Καλά.", "κάνεις ; καλά ."),
        ("ነው። አዎ", "ነው ። አዎ"),
        ("ይህ፡ነው፡፡አዎ፡፡", "ነው ። አዎ ።"),
        ("Er sagte: ‚Komm.‘ Sie kam.", ". ' kam ."),
        ("Sie kam. »Ja«, sagte er. »Nein.«", 'kam . er . . "'),
        ("Hon kom. ”Ja”, sa han. ”Nej.”", 'kom . han . . "'),
        ("Ես գնացի: Նա եկավ:", "գնացի : եկավ :"),
        ("राम गया | सीता आई |", "गया | आई |"),
        ("בָּרָא׃ וְהָאָרֶץ׃", "בָּרָא ׃ וְהָאָרֶץ ׃"),
        ("ཡིན། །འགྲོ།", "། ། འགྲོ །"),
        ("В 1799 г. в Москве. Он", "москве . он"),
        ("La Sra. Ruiz vino. Sí.", "vino . sí ."),
        ("Am 3. Mai im 19. Jahrhundert. Er", "jahrhundert . er"),
    ],
)
def test_sentences_end_in_every_script(text, ends):
    found = split_text(text)
    assert " ".join(" ".join(words[-2:]) if len(words) > 1 else words[0] for words in found) == ends


def test_words_that_are_cut_by_character_are_told_of(tmp_path):
    write(
        tmp_path,
        **{
            "zh.txt": "我喜欢喝茶。\n" * 30,
            "en.txt": "I like 茶, of course, as all of us here do.\n" * 30,
        },
    )
    assert "every character counts as a word" in load_corpus(tmp_path / "zh.txt").notes[0]
    assert load_corpus(tmp_path / "en.txt").notes == ()
    write(tmp_path, **{"cut.txt": "我 喜欢 喝茶 。\n" * 30})
    assert load_corpus(tmp_path / "cut.txt").notes == ()
    whole = load_corpus(tmp_path / "zh.txt", tokenizer="spacy:zh")
    assert whole.splits["train"].n_sentences == 30 and whole.notes == ()
    assert "unknown tokenizer 'spacy:'" in refusal(tmp_path / "zh.txt", tokenizer="spacy:")


def test_text_and_treebank_share_their_words(tmp_path):
    odd = ["ba\u200bker", "so\u00adft", "in  so\u00a0far", decomposed("été"), "\ufeffx", "İyi"]
    odd += ["a\u2003b", "a\u3000b"]
    rows = [(form, "X", i, "dep" if i else "root") for i, form in enumerate(odd)]
    write(tmp_path, **{"a.conllu": sentence(rows), "a.json": json.dumps([odd])})
    words = [["baker", "soft", "in so far", "été", "x", "iyi", "a b", "a b"]]
    assert load_corpus(tmp_path / "a.conllu").splits["train"].sentences() == words
    assert list(stream_text(tmp_path / "a.conllu")) == words
    assert list(stream_text(tmp_path / "a.json")) == words
    write(tmp_path, **{"a.txt": "\ufeffx ba\u200bker so\u00adft " + decomposed("été") + " İyi"})
    assert list(stream_text(tmp_path / "a.txt")) == [["x", "baker", "soft", "été", "iyi"]]


# --- 4: what a line of plain text is --------------------------------------------------------

TITLES = [f"Notes for visitors of the old harbour and its museum, part {i}" for i in range(30)]
PENN = [
    " the company said n N of its <unk> plants closed after a slow quarter ",
    " it was n't clear how long analysts would wait before they changed it all ",
    " mr. hill who once led the unit in new york would not say what he was paid for it and why ",
    " shares fell N N ",
] * 8
PROSE = (
    "The old man who lived beside the river went to the town on Monday to look for the boat that "
    "his brother had sold, and nobody in the market had seen it. He asked the baker, who was busy "
    "with the bread of the morning, and the girl who sold flowers at the corner of the square; "
    "they told him that the boat had gone down the river with a man from Leeds. He went home and "
    "waited for spring. "
)  # fmt: skip


def wrapped(text, width):
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


SHUO = [("关于北方水域捕鱼的决议以及各岛附近渔民的来信" * 2)[: 40 + i % 4] for i in range(40)]


@pytest.mark.parametrize("lines", [TITLES, PENN, SHUO])
def test_a_line_a_sentence_stays_one(lines, tmp_path):
    write(tmp_path, **{"a.txt": "\n".join(lines)})
    for sentences in ("auto", "lines"):
        corpus = load_corpus(tmp_path / "a.txt", sentences=sentences)
        assert corpus.splits["train"].n_sentences == len(lines)
    joined = load_corpus(tmp_path / "a.txt", sentences="wrapped")
    assert joined.splits["train"].n_sentences < len(lines)


@pytest.mark.parametrize("width", [60, 78, 100, 120, 132])
def test_wrapped_prose_is_joined(width, tmp_path):
    write(tmp_path, **{"a.txt": "\n".join(wrapped(PROSE * 4, width))})
    assert load_corpus(tmp_path / "a.txt").splits["train"].n_sentences == 12
    apart = load_corpus(tmp_path / "a.txt", sentences="lines")
    assert apart.splits["train"].n_sentences == len(wrapped(PROSE * 4, width))
    assert "--sentences" in load_corpus(tmp_path / "a.txt").notes[0]


def test_joining_two_lines_is_told(tmp_path):
    write(tmp_path, **{"a.txt": "\n".join(TITLES[:3])})
    assert "are joined with the next (--sentences lines" in load_corpus(tmp_path / "a.txt").notes[0]


def test_any_width_may_be_joined_on_demand(tmp_path):
    write(tmp_path, **{"a.txt": "It rains\nat\nnight. I\nstay\n\nWhy\n"})
    found = list(stream_text(tmp_path / "a.txt", sentences="wrapped"))
    assert [" ".join(words) for words in found] == ["it rains at night .", "i stay", "why"]
    with pytest.raises(BadInputError, match="--sentences pages"):
        stream_text(tmp_path / "a.txt", sentences="pages")


# --- 5: what is unknown is said -------------------------------------------------------------


def test_relations_are_trimmed_and_folded(tmp_path):
    rows = [(*row[:3], f" {row[3].upper()} ") for row in ROWS]
    write(tmp_path, **{"a.conllu": sentence(rows)})
    corpus = load_corpus(tmp_path / "a.conllu")
    assert roles(corpus) == ROLES and corpus.notes == ()


@pytest.mark.parametrize(
    ("relations", "unknown", "scheme"),
    [
        (("nsubj", "root", "amod", "dobj", "punct"), "dobj 20 %", "ud1-roles"),
        (("subj", "root", "mod", "comp:obj", "punct"), "comp:obj 20 %, mod 20 %", "sud-roles"),
    ],
)
def test_unknown_relations_are_told_with_their_share(relations, unknown, scheme, tmp_path):
    rows = [(*row[:3], relation) for row, relation in zip(ROWS, relations, strict=True)]
    write(tmp_path, **{"a.conllu": sentence(rows)})
    (note,) = load_corpus(tmp_path / "a.conllu").notes
    assert unknown in note and f"--role-map {scheme}" in note and "ud-roles does not know" in note
    corpus = load_corpus(tmp_path / "a.conllu", scheme=scheme)
    assert roles(corpus) == ROLES and corpus.notes == ()


def test_a_missing_relation_has_a_name(tmp_path):
    write(tmp_path, **{"a.conllu": sentence([*ROWS[:-1], (*ROWS[-1][:3], " ")])})
    assert "count as OTHER: _ 20 %" in load_corpus(tmp_path / "a.conllu").notes[0]


def test_a_corpus_may_have_no_known_relation(tmp_path):
    write(tmp_path, **{"a.conllu": sentence([(*row[:3], "SB") for row in ROWS])})
    (note,) = load_corpus(tmp_path / "a.conllu").notes
    assert note.startswith("100 % of the words") and "OTHER: sb 100 %; give a scheme" in note


def test_a_scheme_of_ones_own_says_what_it_does_not_know(tmp_path):
    write(tmp_path, **{"a.conllu": sentence(), "s.json": '{"roles": {"root": "V", "obj": "O"}}'})
    (note,) = load_corpus(tmp_path / "a.conllu", scheme=tmp_path / "s.json").notes
    assert "60 % of the words" in note and "amod 20 %, nsubj 20 %, punct 20 %" in note
    write(tmp_path, **{"s.json": '{"roles": {"root": "V"}, "other": ["obj", "Amod"]}'})
    (note,) = load_corpus(tmp_path / "a.conllu", scheme=tmp_path / "s.json").notes
    assert "40 % of the words" in note
    write(tmp_path, **{"s.json": '{"roles": {"root": "V"}, "other": "obj"}'})
    assert "'other' of a role scheme" in refusal(tmp_path / "a.conllu", scheme=tmp_path / "s.json")


def test_roles_may_ask_for_parts_of_speech():
    scheme = RoleScheme.load("ud1-roles")
    assert scheme.assign([2, 0, 2], ["nmod"] * 3, ["NOUN", "VERB", "X"]) == ["OBL", "NMOD", "OBL"]
    surface = RoleScheme.load("sud-roles")
    found = surface.assign(
        [2, 0, 2, 3, 2],
        ["subj@expl", "root", "udep", "comp:obj", "comp:aux@tense"],
        ["PRON", "AUX", "ADP", "NOUN", "VERB"],
    )
    assert found == ["SUBJ", "AUX", "CASE", "OBL", "PRED"]


def test_a_scheme_may_tell_relations_by_case():
    scheme = RoleScheme({"OA": "OBJ", "oa": "ADV"})
    assert [scheme.role(name) for name in ("OA", "oa", "Oa")] == ["OBJ", "ADV", "ADV"]


def test_withheld_words_are_refused_with_the_way_to_get_them(tmp_path):
    withheld = sentence([("_", *row[1:]) for row in ROWS])
    write(
        tmp_path, **{"a.conllu": withheld * 3 + sentence(), "b.conllu": withheld + sentence() * 9}
    )
    said = refusal(tmp_path / "a.conllu")
    assert "its words are withheld" in said and "script" in said
    with pytest.raises(BadInputError, match="withheld"):
        list(stream_text(tmp_path / "a.conllu"))
    assert "10 % of its words are withheld" in load_corpus(tmp_path / "b.conllu").notes[0]


# --- 6: what is said ------------------------------------------------------------------------


def test_marks_of_joined_files_are_passed_over(tmp_path):
    text = "\ufeff# text = x\n" + sentence()
    write(tmp_path, **{"a.conllu": text * 2 + "\ufeff" + sentence()})
    assert roles(load_corpus(tmp_path / "a.conllu")) == ROLES * 3
    assert list(stream_text(tmp_path / "a.conllu")) == [WORDS] * 3


def test_missing_columns_are_told_from_missing_tabs(tmp_path):
    write(tmp_path, **{"a.conllu": "1\tMia\tX\n", "b.conllu": "1 Mia X 0 root\n"})
    assert "a.conllu:1: 3 columns, CoNLL-U has 10; write _" in refusal(tmp_path / "a.conllu")
    assert "b.conllu:1: 1 column, CoNLL-U has 10; separate" in refusal(tmp_path / "b.conllu")


@pytest.mark.parametrize("name", ["a.conllu", "a.txt"])
def test_blanks_in_place_of_tabs_are_told_of(name, tmp_path):
    for text, line in [
        (sentence().replace("\t", "  ") * 3, 1),
        (sentence().replace("\told\t_\t", "  old  _  "), 3),
    ]:
        write(tmp_path, **{name: text})
        said = refusal(tmp_path / name)
        assert f"{name}:{line}: " in said and said.endswith("separate them by tabs")
        with pytest.raises(BadInputError, match="by tabs"):
            list(stream_text(tmp_path / name))


@pytest.mark.parametrize("comment", ["", "# sent_id = 2\n# text = Tom sees old boats.\n"])
def test_sentences_without_an_empty_line_between_them_are_two(comment, tmp_path):
    first = f"# sent_id = 1\n{sentence().strip()}\n"
    second = "1-2\tTom's\t" + "_\t" * 7 + f"_\n{named('Tom')}"
    write(tmp_path, **{"a.conllu": first + comment + second})
    corpus = load_corpus(tmp_path / "a.conllu")
    assert firsts(corpus) == ["mia", "tom"] and roles(corpus) == ROLES * 2
    assert "an empty line is missing" in corpus.notes[0]
    assert list(stream_text(tmp_path / "a.conllu")) == [WORDS, ["tom", *WORDS[1:]]]
    file = TreebankLines(tmp_path / "a.conllu")
    lines = [line for _ in file for line in file.lines]
    assert lines == f"{first}{comment}{second}".strip().split("\n")


@pytest.mark.parametrize("name", ["a.txt", "a.conllu"])
def test_the_mark_at_the_end_of_a_text_of_dos_is_no_word(name, tmp_path):
    write(tmp_path, **{name: (sentence() if name == "a.conllu" else "It rains.\r\n") + "\x1a"})
    found = list(stream_text(tmp_path / name))
    assert found == ([WORDS] if name == "a.conllu" else SENTENCES[:1])


def test_a_file_without_heads_names_the_way_on(tmp_path):
    write(tmp_path, **{"a.conllu": sentence([(*row[:2], "_", "_") for row in ROWS])})
    assert "no head ('_' in column 7)" in refusal(tmp_path / "a.conllu")
    assert "--unlabeled FILE" in refusal(tmp_path / "a.conllu")
    write(tmp_path, **{"b.conllup": "# global.columns = ID FORM\n1\tMia\n"})
    assert "no head (no such column)" in refusal(tmp_path / "b.conllup")


def test_files_that_macos_leaves_behind_are_passed_over(tmp_path):
    for split in ("train", "dev", "test"):
        write(tmp_path, **{f"a-{split}.conllu": sentence(), f"._a-{split}.conllu": b"\0\5\x16Mac"})
    assert list(load_corpus(tmp_path).splits) == ["train", "dev", "test"]


# --- 8: the words of a treebank's folder ----------------------------------------------------


def test_of_a_treebanks_folder_the_training_words_alone_are_text(tmp_path):
    for split in ("train", "dev", "test"):
        write(tmp_path, **{f"a-{split}.conllu": named(split), f"a-{split}.txt": "Raw copy."})
    write(tmp_path, **{"LICENSE.txt": "By me."})
    said = []
    assert list(stream_text(tmp_path, note=said.append)) == [["train", *WORDS[1:]]]
    assert "not of dev, test" in said[0]
    (tmp_path / "a-train.conllu").unlink()
    with pytest.raises(BadInputError, match="no train split in it, only dev and test"):
        stream_text(tmp_path)
    assert list(stream_text(tmp_path / "a-test.conllu")) == [["test", *WORDS[1:]]]


TAGGED = [["The", "DT"], ["dog", "NN"], ["ran", "VBD"], [".", "."]]


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.conll", "\n".join(" ".join(pair) for pair in TAGGED) + "\n\n", "words with labels"),
        ("a.tsv", "\n".join("\t".join(pair) for pair in TAGGED) + "\n\n", "words with labels"),
        ("a.tsv", "".join(f"{a}\t{b}\t{a.lower()}\n" for a, b in TAGGED), "words with labels"),
        ("a.txt", "-DOCSTART- -X- O\n\nThe DT O\n", "words with labels in columns"),
        ("a.txt", "x 0 The DT (TOP* -\nx 1 dog NN * -\nx 2 ran VBD *) -\n\n", "words with labels"),
        ("a.txt", "The DT o\ndog NN o\nran VBD O\n\n", "words with labels in columns"),
        ("a.txt", "The DT\ndog NN\n" * 12 + "\n", "words with labels in columns"),
        ("a.txt", " ".join("/".join(pair) for pair in TAGGED) + "\n", "words with a tag each"),
        ("a.txt", " ".join("_".join(pair) for pair in TAGGED) + "\n", "words with a tag each"),
        ("a.mrg", "( (S (NP (DT The) (NN dog)) (VP (VBD ran)) (. .)) )\n", "bracketed trees"),
        ("a.txt", "(S (NP-SBJ (DT The) (NN dog)) (VP (VBD ran)))\n", "bracketed trees"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nThe dog ran.\n\n", "subtitles"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nThe dog ran.\n\n", "subtitles"),
        ("a.ass", "[Script Info]\nTitle: x\n\n[Events]\nDialogue: The dog ran.\n", "subtitles"),
        ("a.sbv", "0:00:01.000,0:00:02.000\nThe dog ran.\n\n", "subtitles"),
        ("a.sub", "{1}{25}The dog ran.\n", "subtitles"),
    ],
)
def test_other_annotation_is_no_prose(tmp_path, name, content, said):
    (tmp_path / name).write_text(10 * content)
    message = refusal(tmp_path / name)
    assert f"{name}: this seems to be {said}" in message
    assert message.endswith("give its words as plain text, or as CoNLL-U")


@pytest.mark.parametrize(
    "content",
    [
        "roses are red\nviolets are blue\n\nsugar is sweet\nand so too\n\n",  # as many words a line
        "The dog ran .\n\n",
        "dogs run\n\n",
        "He came. I left him .\n\n",
        "7 men met 7 men on 7 hills .\n",
        "she wore RED\nhe wore BLUE\n",  # no empty line between sentences
        "One and/or the other is right .\n",
        "(It was late.) The dog (a big one) slept.\n",
        "1\nThe first chapter\n",
        " ".join(f"this{n}/that{n}" for n in range(200)),
    ],
)
def test_prose_is_not_taken_for_annotation(tmp_path, content):
    (tmp_path / "a.txt").write_text(10 * content)
    assert kind_of(tmp_path / "a.txt") == "text"


def test_columns_of_conll_2012_are_no_treebank(tmp_path):
    (tmp_path / "a.conll").write_text(10 * ("bc/x\t0\t0\tIt\tPRP\t*\t-\t-\t-\t-\t*\t-\n\n"))
    said = "a.conll:1: 'bc/x' in column 1 is not a number"
    assert said in refusal(tmp_path / "a.conll")
    with pytest.raises(BadInputError, match=re.escape(said)):
        list(stream_text(tmp_path / "a.conll"))


def test_columns_of_conllu_apart_by_blanks_are_told_of_as_such(tmp_path):
    (tmp_path / "a.conllu").write_text(10 * ("1 It it PRON PRP _ 2 nsubj _ X\n\n"))
    assert "separate them by tabs" in refusal(tmp_path / "a.conllu")
