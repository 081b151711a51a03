"""CoNLL-U treebanks: words, roles by scheme, errors with file and line."""

import gzip
import json
import os
from pathlib import Path

import pytest

from hebbsim.errors import BadInputError
from hebbsim.readers import load_corpus
from hebbsim.readers.treebanks import find_treebank
from hebbsim.readers.ud import RoleScheme, read_conllu, read_ud

DATA = Path(os.environ.get("HEBBSIM_DATA_DIR", "."))


def conllu(*words, comments=()):
    """A sentence from (id, form, head, relation)."""
    lines = [*comments]
    for number, form, head, relation in words:
        lines.append(f"{number}\t{form}\t_\t_\t_\t_\t{head}\t{relation}\t_\t_")
    return "\n".join(lines) + "\n\n"


SENTENCE = conllu(
    ("1-2", "Cannot", "_", "_"),
    (1, "Can", 4, "aux"),
    (2, "not", 4, "advmod"),
    (3, "Ann", 4, "nsubj:pass"),
    (4, "see", 0, "root"),
    ("4.1", "gap", "_", "_"),
    (5, "Bob", 4, "obj"),
    (6, "and", 7, "cc"),
    (7, "Cy", 5, "conj"),
    (8, "Di", 7, "conj:and"),
    (9, "x", 4, "dep"),
    comments=["# text = Cannot Ann see Bob and Cy Di x", "#no space"],
)


def read(tmp_path, text, scheme=None, name="a.conllu"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_conllu(path, "train", scheme or RoleScheme.load())[0]


def refusal(tmp_path, text):
    with pytest.raises(BadInputError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{tmp_path / 'a.conllu'}")


def test_words_are_integer_ids_lower_cased_and_conjuncts_follow_the_first(tmp_path):
    split = read(tmp_path, SENTENCE)
    assert split.sentences() == [["can", "not", "ann", "see", "bob", "and", "cy", "di", "x"]]
    assert split.layers["grammatical"].tolist() == (
        "AUX ADV SUBJ PRED OBJ CC OBJ OBJ OTHER".split()
    )


def test_conjunct_before_its_head_and_conjunct_of_the_root(tmp_path):
    text = conllu((1, "a", 3, "conj"), (2, "b", 1, "conj"), (3, "c", 0, "root"))
    assert read(tmp_path, text).layers["grammatical"].tolist() == ["PRED"] * 3


def test_relation_falls_back_to_the_part_before_the_colon_then_other():
    scheme = RoleScheme({"obl": "OBL", "obl:tmod": "TIME"})
    assert scheme.assign([0, 1, 1], ["obl:tmod", "obl:agent", "zzz:obl"]) == [
        "TIME",
        "OBL",
        "OTHER",
    ]


def test_a_scheme_that_lists_conj_decides_about_it():
    scheme = RoleScheme({"obj": "OBJ", "conj": "CONJ"})
    assert scheme.assign([0, 1], ["obj", "conj:and"]) == ["OBJ", "CONJ"]


def test_conj_as_root_has_no_first_conjunct():
    assert RoleScheme({"obj": "OBJ"}).assign([0, 1], ["conj", "conj"]) == ["OTHER", "OTHER"]


def test_gzip_bom_carriage_returns_and_missing_last_blank_line(tmp_path):
    plain = read(tmp_path, SENTENCE)
    odd = b"\xef\xbb\xbf" + SENTENCE.strip().replace("\n", "\r\n").encode()
    packed = read(tmp_path, gzip.compress(odd), name="b.conllu.gz")
    assert packed.sentences() == plain.sentences()


def test_spaces_inside_a_word_stay_in_it(tmp_path):
    text = conllu((1, "10  000", 2, "nummod"), (2, "krón\u2028ur", 0, "root"))
    assert read(tmp_path, text).sentences() == [["10 000", "krón\u2028ur"]]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (SENTENCE + "1\tnine\t_\t_\t_\t_\t0\troot\t_\n", 15, "9 columns"),
        (SENTENCE + conllu((1, "a", 7, "root")), 15, "head 7 does not exist"),
        (conllu((1, "a", "_", "root")), 1, "no head"),
        (conllu((1, "a", -1, "root")), 1, "head"),
        (conllu((1, "a", "x", "root")), 1, "'x' in column 7 is not a number"),
        (conllu((1, "a", 0, "root"), (3, "b", 1, "obj")), 2, "word id 3 where 2"),
        (conllu(("q", "a", 0, "root")), 1, "'q' in column 1 is not a number"),
        (conllu((1, "a", 2, "conj"), (2, "b", 1, "conj")), 1, "circle"),
        (conllu((1, "r", 0, "root"), (2, "a", 2, "conj")), 2, "circle"),
        (conllu((1, "", 0, "root")), 1, "empty"),
        (SENTENCE.encode() + b"1\tcaf\xe9\t", 15, "not UTF-8 (byte 0xe9)"),
    ],
)
def test_bad_lines_name_file_and_line(tmp_path, text, line, message):
    found = refusal(tmp_path, text)
    assert found.startswith(f":{line}: ")
    assert message in found


@pytest.mark.parametrize("text", ["", "\n \n", "# text = only a comment\n\n"])
def test_a_file_without_sentences_is_refused(tmp_path, text):
    assert refusal(tmp_path, text).startswith(": ")


def test_damaged_gzip_is_refused(tmp_path):
    packed = gzip.compress(SENTENCE.encode() * 50)
    assert "damaged gzip" in refusal(tmp_path, packed[: len(packed) // 2])


def test_a_sentence_of_100_000_words_whose_conjuncts_chain(tmp_path):
    n = 100_000
    words = [(i, "w", i + 1, "conj") for i in range(1, n)] + [(n, "w", 0, "obj")]
    split = read(tmp_path, conllu(*words))
    assert split.n_tokens == n and split.n_sentences == 1
    assert set(split.layers["grammatical"].tolist()) == {"OBJ"}


def test_folder_by_split_names_and_missing_splits(tmp_path):
    for name in ("xx_a-ud-train.conllu", "xx_a-ud-test.conllu.gz", "notes.txt"):
        data = SENTENCE.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    corpus = load_corpus(tmp_path)
    assert list(corpus.splits) == ["train", "test"]
    assert corpus.layer == "grammatical" and corpus.name == tmp_path.name
    assert corpus.sha256["xx_a-ud-train.conllu"] == corpus.sha256["xx_a-ud-test.conllu.gz"]
    (tmp_path / "xx_a-ud-train.conllu").unlink()
    with pytest.raises(BadInputError, match="no train split, only test"):
        load_corpus(tmp_path)


def test_two_treebanks_in_one_folder_are_refused(tmp_path):
    for name in ("xx_a-ud-train.conllu", "xx_b-ud-train.conllu"):
        (tmp_path / name).write_text(SENTENCE)
    with pytest.raises(BadInputError, match="two files for split 'train'"):
        find_treebank(tmp_path)


def test_one_file_is_cut_in_order(tmp_path):
    path = tmp_path / "mine.conllu"
    path.write_text("".join(conllu((1, f"w{i}", 0, "root")) for i in range(20)))
    splits = load_corpus(path).splits
    assert [s[0] for s in splits["train"].sentences()] == [f"w{i}" for i in range(16)]
    assert splits["dev"].sentences() == [["w16"], ["w17"]]
    assert splits["test"].sentences() == [["w18"], ["w19"]]
    assert load_corpus(path).notes == (
        "corpus mine has no splits of its own: its sentences are cut in their order into 80, 10 "
        "and 10 % (16 for train, 2 for dev, 2 for test)",
    )
    path.write_text(SENTENCE)
    assert list(load_corpus(path).splits) == ["train"] and load_corpus(path).notes == ()


def test_scheme_file_replaces_the_default(tmp_path):
    scheme = tmp_path / "mine.json"
    scheme.write_text(json.dumps({"roles": {"root": "V"}}))
    path = tmp_path / "a.conllu"
    path.write_text(SENTENCE)
    layer = load_corpus(path, scheme=scheme).splits["train"].layers["grammatical"]
    assert set(layer.tolist()) == {"V", "OTHER"}


def test_digests_of_a_corpus_tell_role_schemes_apart(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text(SENTENCE)
    found = []
    for roles in ({"root": "V"}, {"root": "W"}, RoleScheme.load().roles):
        (tmp_path / "mine.json").write_text(json.dumps({"roles": roles}))
        found.append(load_corpus(path, scheme=tmp_path / "mine.json").sha256)
    assert found[0]["a.conllu"] == found[1]["a.conllu"]
    assert found[0]["role scheme"] != found[1]["role scheme"]
    # The default one by another way is the default one.
    assert found[2] == load_corpus(path).sha256


def test_default_scheme_has_15_roles():
    assert len({*RoleScheme.load().roles.values(), "OTHER"}) == 15


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "role scheme needs"),
        ("{}", "role scheme needs"),
        ('{"roles": {"nsubj": 3}}', "role of 'nsubj'"),
        ("", "empty file"),
    ],
)
def test_bad_schemes_are_refused(tmp_path, content, message):
    path = tmp_path / "scheme.json"
    path.write_text(content)
    with pytest.raises(BadInputError, match=message) as caught:
        RoleScheme.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_unknown_scheme_names_the_packaged_ones():
    with pytest.raises(BadInputError, match="ud-roles, clearnlp-roles"):
        RoleScheme.load("no-such-roles")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ud-english-ewt", ((12544, 204577), (2001, 25147), (2077, 25094))),
        ("ud-korean-gsd", ((4400, 56687), (950, 11958), (989, 11677))),
        ("ud-welsh-ccg", ((1255, 26159), (409, 9123), (953, 17026))),
    ],
)
def test_counts_of_the_treebanks(name, counts):
    if not (DATA / name).is_dir():
        pytest.skip(f"needs {name}")
    corpus = read_ud(find_treebank(DATA / name).splits, name=name)
    sizes = tuple((split.n_sentences, split.n_tokens) for split in corpus.splits.values())
    assert sizes == counts
    assert {len(split.layers["grammatical"]) for split in corpus.splits.values()} == {
        words for _, words in counts
    }
