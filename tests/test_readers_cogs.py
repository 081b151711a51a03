"""COGS: roles derived from logical forms."""

import gzip
import os
import re
from pathlib import Path

import numpy as np
import pytest

from hebbsim.errors import BadInputError
from hebbsim.readers import load_corpus
from hebbsim.readers.cogs import FILES, analyse, find_cogs, read_cogs
from hebbsim.readers.text import stream_text

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


RELATIVE = [
    (
        "Kim gave a box to the nurse that a nurse knew .",
        "* nurse ( x _ 6 ) ; give . agent ( x _ 1 , Kim ) AND give . theme ( x _ 1 , x _ 3 ) AND "
        "give . recipient ( x _ 1 , x _ 6 ) AND box ( x _ 3 ) AND nurse . nmod ( x _ 6 , x _ 10 ) "
        "AND nurse ( x _ 9 ) AND know . agent ( x _ 10 , x _ 9 ) AND "
        "know . theme ( x _ 10 , x _ 6 )",
        "give ( agent = Kim , theme = box , recipient = * nurse ( nmod = know ( agent = nurse , "
        "theme = * nurse ) ) )",
        "AGENT/SUBJ PRED/PRED - THEME/OBJ - - RECIPIENT/OBL - - AGENT/SUBJ PRED/PRED -",
    ),
    (
        "A fox that slept beside a tent wanted to swim .",
        None,
        "want ( agent = fox ( nmod = sleep ( agent = fox ) , nmod . beside = tent ) , xcomp = "
        "swim ( agent = fox ( nmod = sleep ( agent = fox ) , nmod . beside = tent ) ) )",
        "- AGENT/SUBJ - PRED/PRED - - NMOD/NMOD PRED/PRED - PRED/PRED -",
    ),
    (
        "The judge that the duck that Kim met fed slept .",
        "* judge ( x _ 1 ) ; * duck ( x _ 4 ) ; judge . nmod ( x _ 1 , x _ 8 ) AND duck . nmod "
        "( x _ 4 , x _ 7 ) AND meet . agent ( x _ 7 , Kim ) AND meet . theme ( x _ 7 , x _ 4 ) AND "
        "feed . agent ( x _ 8 , x _ 4 ) AND feed . theme ( x _ 8 , x _ 1 ) AND "
        "sleep . agent ( x _ 9 , x _ 1 )",
        "sleep ( agent = * judge ( nmod = feed ( agent = * duck ( nmod = meet ( agent = Kim , "
        "theme = * duck ) ) , theme = * judge ) ) )",
        "- AGENT/SUBJ - - AGENT/SUBJ - AGENT/SUBJ PRED/PRED PRED/PRED PRED/PRED -",
    ),
    (
        "Kim saw the hat that was sold to Kim .",
        "* hat ( x _ 3 ) ; see . agent ( x _ 1 , Kim ) AND see . theme ( x _ 1 , x _ 3 ) AND hat . "
        "nmod ( x _ 3 , x _ 6 ) AND sell . theme ( x _ 6 , x _ 3 ) AND sell . recipient "
        "( x _ 6 , Kim )",
        "see ( agent = Kim , theme = * hat ( nmod = sell ( theme = * hat , recipient = Kim ) ) )",
        "AGENT/SUBJ PRED/PRED - THEME/OBJ - - PRED/PRED - RECIPIENT/OBL -",
    ),
    (
        "A boy in a tent that collapsed slept .",
        "boy ( x _ 1 ) AND boy . nmod . in ( x _ 1 , x _ 4 ) AND tent ( x _ 4 ) AND "
        "tent . nmod ( x _ 4 , x _ 6 ) AND collapse . theme ( x _ 6 , x _ 4 ) AND "
        "sleep . agent ( x _ 7 , x _ 1 )",
        "sleep ( agent = boy ( nmod . in = tent ( nmod = collapse ( theme = tent ) ) ) )",
        "- AGENT/SUBJ - - NMOD/NMOD - PRED/PRED PRED/PRED -",
    ),
]
QUESTIONS = [
    (
        "What did Kim say that a fox ate ?",
        "say . agent ( x _ 3 , Kim ) AND say . ccomp ( x _ 3 , x _ 7 ) AND fox ( x _ 6 ) AND "
        "eat . agent ( x _ 7 , x _ 6 ) AND eat . theme ( x _ 7 , ? )",
        "say ( agent = Kim , ccomp = eat ( agent = fox , theme = ? ) )",
        "THEME/OBJ - AGENT/SUBJ PRED/PRED - - AGENT/SUBJ PRED/PRED -",
    ),
    (
        "Who did the duck sell a hat to ?",
        None,
        "sell ( agent = * duck , theme = hat , recipient = ? )",
        "RECIPIENT/OBL - - AGENT/SUBJ PRED/PRED - THEME/OBJ - -",
    ),
    (
        "Who tried to swim ?",
        "try . agent ( x _ 1 , ? ) AND try . xcomp ( x _ 1 , x _ 3 ) AND "
        "swim . agent ( x _ 3 , ? )",
        "try ( agent = ? , xcomp = swim ( agent = ? ) )",
        "AGENT/SUBJ PRED/PRED - PRED/PRED -",
    ),
    (
        "What was found by a nurse ?",
        "find . theme ( x _ 2 , ? ) AND find . agent ( x _ 2 , x _ 5 ) AND nurse ( x _ 5 )",
        "find ( theme = ? , agent = nurse )",
        "THEME/SUBJ - PRED/PRED - - AGENT/OBL -",
    ),
]
REORDERED = [
    (
        "A hat beside a tent Kim um um saw .",
        "hat ( x _ 1 ) AND hat . nmod . beside ( x _ 1 , x _ 4 ) AND tent ( x _ 4 ) AND "
        "see . theme ( x _ 8 , x _ 1 ) AND see . agent ( x _ 8 , Kim )",
        "hat ( 4 ) ; tent ( 51 ) ; Kim ( 7 ) ; nmod . beside ( 4 , 51 ) AND see ( 9 ) AND "
        "theme ( 9 , 4 ) AND agent ( 9 , 7 )",
        "- THEME/OBJ - - NMOD/NMOD AGENT/SUBJ - - PRED/PRED -",
    ),
    (
        "A hat in the tent the nurse was sold by Kim .",
        "* nurse ( x _ 6 ) ; hat ( x _ 1 ) AND hat . nmod . in ( x _ 1 , x _ 4 ) AND "
        "tent ( x _ 4 ) AND sell . theme ( x _ 8 , x _ 1 ) AND "
        "sell . recipient ( x _ 8 , x _ 6 ) AND sell . agent ( x _ 8 , Kim )",
        None,
        "- THEME/OBJ - - NMOD/NMOD - RECIPIENT/SUBJ - PRED/PRED - AGENT/OBL -",
    ),
]
RENUMBERED = (
    "The nurse beside a tent hoped that Kim was sold a hat .",
    "* nurse ( 31 ) ; tent ( 7 ) ; Kim ( 0 ) ; hat ( 12 ) ; nmod . beside ( 31 , 7 ) AND "
    "hope ( 5 ) AND agent ( 5 , 31 ) AND ccomp ( 5 , 40 ) AND sell ( 40 ) AND "
    "recipient ( 40 , 0 ) AND theme ( 40 , 12 )",
    None,
    "- AGENT/SUBJ - - NMOD/NMOD PRED/PRED - RECIPIENT/SUBJ - PRED/PRED - THEME/OBJ -",
)


@pytest.mark.parametrize(
    ("sentence", "form", "other", "roles"), [*RELATIVE, *QUESTIONS, *REORDERED, RENUMBERED]
)
def test_relative_clauses_questions_and_other_notations(sentence, form, other, roles):
    tokens = sentence.split()
    for logical_form in filter(None, (form, other)):
        analysis = analyse(tokens, logical_form)
        both = zip(analysis.thematic, analysis.grammatical, strict=True)
        assert [f"{a}/{b}" for a, b in both] == [
            "NONE/NONE" if role == "-" else role for role in roles.split()
        ]
        verbs = [i for i, role in enumerate(analysis.grammatical) if role == "PRED"]
        assert sum(analysis.heads[verb] == -1 for verb in verbs) == 1


def test_the_verb_of_a_relative_clause_hangs_on_its_noun():
    sentence, form, other, _ = RELATIVE[2]
    for logical_form in (form, other):
        heads = analyse(sentence.split(), logical_form).heads
        assert (heads[1], heads[4], heads[7], heads[8], heads[9]) == (9, 8, 4, 1, -1)


def test_a_name_that_stands_often_goes_to_the_nearest_verb():
    n = 12
    sentence = " ".join(["Kim said that"] * n) + " Kim slept ."
    form = " AND ".join(
        f"say . agent ( x _ {i} , Kim ) AND say . ccomp ( x _ {i} , x _ {i + 3} )"
        for i in range(1, 3 * n, 3)
    )
    analysis = analyse(sentence.split(), f"{form} AND sleep . agent ( x _ {3 * n + 1} , Kim )")
    assert analysis.grammatical == ["SUBJ", "PRED", "NONE"] * (n + 1)
    assert analysis.heads[::3] == list(range(1, 3 * n + 2, 3))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("see ( agent = Kim , theme = dog )", "'dog' of the logical form is aligned with 'fox'"),
        ("see ( agent = Kim )", "has 2 words, the sentence 3"),
        ("see ( agent = Kim , theme = fox", "cannot read 'its end'"),
        ("see ( agent = ? , theme = fox )", "the logical form has 2 words"),
        ("Kim ( 1 ) ; fox ( 2 ) ; see ( 3 ) AND agent ( 3 , 9 )", "refers to no word"),
        ("Kim ( 1 ) ; fox ( 2 )", "has 2 words, the sentence 3"),
        ("Kim ( 1 ) ; fox ( 2 ) ; see ( 3 )", "'fox' of the logical form is aligned with 'saw'"),
        ("see . agent ( x _ 1 , ? )", "no who or what in the sentence"),
        ("see ( agent = " * 3000, "nested too deeply"),
    ],
)
def test_forms_that_do_not_fit_are_refused(form, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        analyse("Kim saw a fox .".split(), form)


def test_files_as_users_have_them(tmp_path):
    row = "Kim slept .\tsleep . agent ( x _ 1 , Kim )\tin_distribution"
    quoted = "\t".join(f'"{cell}"' for cell in row.split("\t"))
    free = "Who slept ?\tsleep ( agent = ? )\tQ_subject"
    folder = tmp_path / "data" / "cogs_LF"
    folder.mkdir(parents=True)
    (folder / "train.tsv").write_text(f"sentence\tlogical_form\ttype\r\n{row}\r\n \r\n")
    (folder / "dev.tsv").write_text(quoted)
    (folder / "generalization_sets.tsv").write_text(f"{row}\n{free}\n")
    (folder / "train_100.tsv").write_text(row)
    corpus = load_corpus(tmp_path)
    assert list(corpus.splits) == ["train", "dev", "gen/Q_subject", "gen/in_distribution"]
    assert all(split.n_sentences == 1 for split in corpus.splits.values())
    assert corpus.splits["gen/Q_subject"].layers["thematic"].tolist() == ["AGENT", "PRED", "NONE"]
    assert list(stream_text(tmp_path)) == [["kim", "slept", "."]]
    (folder / "train.tsv").unlink()
    with pytest.raises(BadInputError, match=r"no train split.*train_100\.tsv is not it"):
        load_corpus(folder)
    single = tmp_path / "single.tsv"
    single.write_text(f"{row}\n" * 10)
    corpus = load_corpus(single)
    assert list(corpus.splits) == ["train", "dev", "test"] and corpus.layer == "thematic"
    assert list(stream_text(single)) == [["kim", "slept", "."]] * 10
    single.write_text(f"{row}\nPaula\tPaula\tprimitive\n")
    assert load_corpus(single).splits["train"].sentences()[1] == ["paula"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "train.tsv").write_text("sentence\tlabel\nIt rains.\t1\nWhy?\t0\n")
    assert load_corpus(other).splits["train"].sentences() == [["it", "rains", "."], ["why", "?"]]


ROW = "Kim slept .\tsleep . agent ( x _ 1 , Kim )\tin_distribution\n"


@pytest.mark.parametrize(
    "names",
    [
        ("Train.tsv", "DEV.TSV", "Test.tsv", "GEN.tsv"),
        ("train.txt", "valid.txt", "test.txt", "gen_samples.txt"),
        ("cogs_train.tsv", "cogs-dev.tsv", "cogs.test.tsv", "cogs_gen.tsv"),
        ("mine/train.tsv", "mine/development.tsv", "mine/test.tsv", "mine/generalization.tsv"),
    ],
)
def test_splits_are_told_by_the_names_of_files(names, tmp_path):
    for n, name in enumerate(names, 1):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(n * ROW)
    (tmp_path / "train_100.tsv").write_text(ROW)
    (tmp_path / "notes_train.md").write_text("It rains.")
    corpus = load_corpus(tmp_path)
    assert {name: split.n_sentences for name, split in corpus.splits.items()} == {
        "train": 1, "dev": 2, "test": 3, "gen/in_distribution": 4
    }  # fmt: skip
    assert corpus.splits["test"].layers["thematic"].tolist() == 3 * ["AGENT", "PRED", "NONE"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "train.tsv").write_text(ROW)
    if "/" in names[0]:
        with pytest.raises(BadInputError, match=r"in several folders \(mine, other\); give one"):
            load_corpus(tmp_path)
    else:
        assert load_corpus(tmp_path).sha256 == corpus.sha256


def test_two_corpora_in_one_folder_are_refused(tmp_path):
    for name in ("cogs_train.tsv", "slog_train.tsv"):
        (tmp_path / name).write_text(ROW)
    with pytest.raises(BadInputError, match="two files for split 'train'"):
        load_corpus(tmp_path)
    (tmp_path / "train.tsv").write_text(ROW * 2)
    assert load_corpus(tmp_path).splits["train"].n_sentences == 2


def test_any_header_is_passed_over_and_blanks_are_one(tmp_path):
    for header in ("utterance\tparse\tsplit", "src\ttgt\tcode", "Sentence\tLogical form\tType"):
        (tmp_path / "a.tsv").write_text(f"{header}\nAva\tAva\tprimitive\n{ROW}")
        assert load_corpus(tmp_path / "a.tsv").splits["train"].n_sentences == 2
        assert list(stream_text(tmp_path / "a.tsv")) == [["ava"], ["kim", "slept", "."]]
    spaced = ROW.replace(" . agent", "  . \u00a0agent")
    (tmp_path / "a.tsv").write_text(f"Ava\tAva\tprimitive\nlabel\tlabel\tprimitive\n{spaced}")
    assert load_corpus(tmp_path / "a.tsv").splits["train"].n_sentences == 3
    assert len(list(stream_text(tmp_path / "a.tsv"))) == 3


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
        ("Emma slept .\tsleep . agent ( x _ 1 , Liam )\tin", "'Liam' occurs 0 times"),
        ("Emma slept .\tsleep agent x\tin", "cannot read 'sleep agent x'"),
        ("Emma slept .\tslept ( x _ 1 )\tin", "0 main verbs"),
        ("Emma slept .\tboy ( x _ 1 )\tin", "token 1 is 'slept', not 'boy'"),
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


def cogs_folder(folder, splits=("train", "dev", "test", "gen")):
    folder.mkdir(parents=True)
    for split in splits:
        rows = "Kim slept .\tsleep . agent ( x _ 1 , Kim )\tin_distribution\n" * 3
        (folder / f"{split}.tsv").write_text(rows, encoding="utf-8")
    return folder


def test_splits_that_are_not_asked_for_stay_closed(tmp_path):
    folder = cogs_folder(tmp_path / "mine")
    for split in ("test", "gen"):
        (folder / f"{split}.tsv").write_text("no COGS\n", encoding="utf-8")
    corpus = load_corpus(folder, splits=("train", "dev"))
    assert list(corpus.splits) == ["train", "dev"] and corpus.unread == ("test", "gen")
    assert set(corpus.sha256) == {"train.tsv", "dev.tsv"}
    with pytest.raises(BadInputError):
        load_corpus(folder)
    (folder / "all.tsv").write_bytes((folder / "train.tsv").read_bytes() * 4)
    one = load_corpus(folder / "all.tsv", splits=("train", "dev"))
    assert list(one.splits) == ["train", "dev"] and one.unread == ("test",)
