"""COGS: roles derived from logical forms."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from hebbsim.errors import BadInputError
from hebbsim.readers.cogs import FILES, analyse, find_cogs, read_cogs

DATA = Path(os.environ.get("HEBBSIM_DATA_DIR", "."), "cogs")

PASSIVE = (
    "A rose was helped by a dog .",
    "rose ( x _ 1 ) AND help . theme ( x _ 3 , x _ 1 ) AND help . agent ( x _ 3 , x _ 6 ) "
    "AND dog ( x _ 6 )",
)


def test_passive_subject_is_theme_and_by_phrase_is_agent():
    analysis = analyse(PASSIVE[0].split(), PASSIVE[1])
    assert analysis.thematic == "NONE THEME NONE PRED NONE NONE AGENT NONE".split()
    assert analysis.grammatical == "NONE SUBJ NONE PRED NONE NONE OBL NONE".split()
    assert analysis.heads == [None, 3, None, -1, None, None, 3, None]
    assert analysis.clauses == ("passive_by",)


def test_double_object_and_to_dative():
    double = analyse(
        "The girl shipped the cat the brush .".split(),
        "* girl ( x _ 1 ) ; ship . agent ( x _ 2 , x _ 1 ) AND ship . recipient ( x _ 2 , x _ 4 ) "
        "AND ship . theme ( x _ 2 , x _ 6 )",
    )
    assert double.grammatical[4] == "IOBJ" and double.thematic[4] == "RECIPIENT"
    assert double.grammatical[6] == "OBJ" and double.clauses == ("double_object",)
    dative = analyse(
        "Emma shipped the brush to Liam .".split(),
        "* brush ( x _ 3 ) ; ship . agent ( x _ 1 , Emma ) AND ship . theme ( x _ 1 , x _ 3 ) "
        "AND ship . recipient ( x _ 1 , Liam )",
    )
    assert dative.grammatical == "SUBJ PRED NONE OBJ NONE OBL NONE".split()
    assert dative.clauses == ("to_dative",)


def test_modifier_of_the_subject_and_its_head():
    analysis = analyse(
        "The baby on a tray screamed .".split(),
        "* baby ( x _ 1 ) ; baby . nmod . on ( x _ 1 , x _ 4 ) AND tray ( x _ 4 ) "
        "AND scream . agent ( x _ 5 , x _ 1 )",
    )
    assert analysis.grammatical == "NONE SUBJ NONE NONE NMOD PRED NONE".split()
    assert analysis.heads[4] == 1


def test_controlled_subject_belongs_to_the_finite_verb():
    analysis = analyse(
        "Emma needed to crawl .".split(),
        "need . agent ( x _ 1 , Emma ) AND need . xcomp ( x _ 1 , x _ 3 ) "
        "AND crawl . agent ( x _ 3 , Emma )",
    )
    assert analysis.heads == [1, -1, None, 1, None]
    assert analysis.clauses == ("xcomp", "intrans_agent")


def test_primitives():
    verb = "LAMBDA a . LAMBDA b . LAMBDA e . touch . agent ( e , b ) AND touch . theme ( e , a )"
    assert analyse(["touch"], verb).thematic == ["PRED"]
    assert analyse(["ball"], "LAMBDA a . ball ( a )").thematic == ["NONE"]
    assert analyse(["Layla"], "Layla").grammatical == ["NONE"]


def test_complements_in_a_circle_end():
    circle = " AND ".join(f"say . ccomp ( x _ {a} , x _ {b} )" for a, b in ((1, 2), (2, 3), (3, 2)))
    assert analyse("Emma said said said .".split(), circle).clauses[:2] == ("cp", "cp")


def write(folder, name, lines):
    (folder / f"{name}.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))


def test_reads_plain_and_gzip_alike_and_splits_gen_by_type(tmp_path):
    plain, packed = tmp_path / "plain", tmp_path / "packed" / "original"
    plain.mkdir()
    packed.mkdir(parents=True)
    rows = [(*PASSIVE, "b_type"), ("Emma slept .", "sleep . agent ( x _ 1 , Emma )", "a_type")]
    for name in ("train", "gen"):
        write(plain, name, rows)
        content = (plain / f"{name}.tsv").read_bytes()
        (packed / f"{name}.tsv.gz").write_bytes(gzip.compress(content))
    corpus = read_cogs(find_cogs(plain))
    again = read_cogs(find_cogs(packed.parent))
    assert list(corpus.splits) == list(again.splits) == ["train", "gen/a_type", "gen/b_type"]
    assert corpus.sha256["train.tsv"] == again.sha256["train.tsv.gz"]
    train = corpus.splits["train"]
    assert train.sentences()[1] == ["emma", "slept", "."]  # file order, lower-cased
    assert train.kinds.tolist() == ["passive_by", "intrans_agent"]
    assert corpus.splits["gen/a_type"].n_sentences == 1
    for name in corpus.splits:
        np.testing.assert_array_equal(corpus.splits[name].forms, again.splits[name].forms)


def test_carriage_returns_are_no_part_of_the_type(tmp_path):
    path = tmp_path / "gen.tsv"
    path.write_bytes("\t".join((*PASSIVE, "kind\r\n")).encode())
    assert list(read_cogs({"gen": path}).splits) == ["gen/kind"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Emma slept .\tsleep . agent ( x _ 1 , Emma )", "2 columns"),
        ("Emma slept .\tsleep . agent ( x _ 9 , Emma )\tin", "no token 9"),
        ("Emma slept .\tsleep . agent ( x _ 1 , Liam )\tin", "'Liam' stands 0 times"),
        ("Emma slept .\tsleep agent x\tin", "cannot read 'sleep agent x'"),
        ("Emma slept .\tboy ( x _ 1 )\tin", "0 main verbs"),
        (
            "Emma said that .\tsay . ccomp ( x _ 1 , x _ 2 ) AND say . ccomp ( x _ 2 , x _ 1 )\tin",
            "0 main verbs",
        ),
        (" \tsleep . agent ( x _ 1 , Emma )\tin", "sentence is empty"),
    ],
)
def test_bad_lines_name_file_and_line(tmp_path, line, message):
    good = "\t".join((*PASSIVE, "in"))
    path = tmp_path / "train.tsv"
    path.write_text(f"{good}\n{line}\n")
    with pytest.raises(BadInputError) as caught:
        read_cogs({"train": path})
    assert str(caught.value).startswith(f"{path}:2: ") and message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "cogs-gen.tokens.tsv.gz").exists(), reason="needs COGS tables")
@pytest.mark.parametrize("name", FILES)
def test_derivation_equals_the_token_tables_on_every_token(name):
    path = find_cogs(DATA)[name]
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    with gzip.open(DATA / f"cogs-{name}.tokens.tsv.gz", "rt", encoding="utf-8") as file:
        table = [line.rstrip("\n").split("\t") for line in file][1:]
    with gzip.open(DATA / f"cogs-{name}.sentences.tsv.gz", "rt", encoding="utf-8") as file:
        constructions = [line.split("\t")[3] for line in file][1:]
    derived = []
    for number, ((sentence, logical_form, kind), clauses) in enumerate(
        zip(rows, constructions, strict=True), 1
    ):
        tokens = sentence.split()
        analysis = analyse(tokens, logical_form)
        if kind != "primitive":
            assert ">".join(analysis.clauses) == clauses
        for i, token in enumerate(tokens):
            head = "_" if analysis.heads[i] is None else str(analysis.heads[i])
            derived.append(
                [f"{name}-{number:05d}", kind, str(i), token, analysis.thematic[i],
                 analysis.grammatical[i], head]
            )  # fmt: skip
    assert len(derived) == len(table)
    for ours, given in zip(derived, table, strict=True):
        assert ours == given[:7]


@pytest.mark.data
@pytest.mark.skipif(not find_cogs(DATA) if DATA.is_dir() else True, reason="needs COGS")
def test_counts_of_the_distributed_files():
    corpus = read_cogs(find_cogs(DATA))
    sizes = {name: (split.n_sentences, split.n_tokens) for name, split in corpus.splits.items()}
    assert sizes["train"] == (24155, 180724)
    assert sizes["dev"] == (3000, 22770)
    assert sizes["test"] == (3000, 22687)
    gen = [size for name, size in sizes.items() if name.startswith("gen/")]
    assert len(gen) == 21 and {n for n, _ in gen} == {1000}
    assert sum(t for _, t in gen) == 206693
