"""What a corpus is, by its files and whatever it is called; the preset follows from it."""

from __future__ import annotations

import gzip

import pytest

from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.readers import load_corpus
from hebbsim.readers.corpus_kinds import kinds_of
from hebbsim.readers.tables import write_tables

COGS = "Kim slept .\tsleep . agent ( x _ 1 , Kim )\tin_distribution\n"
CONLLU = "1\tKim\t_\tPROPN\t_\t_\t2\tnsubj\t_\t_\n2\tslept\t_\tVERB\t_\t_\t0\troot\t_\t_\n\n"
KOREAN = ("ko_gsd", "ko", "natural")


def folder_of(folder, names, text):
    folder.mkdir(parents=True)
    for name in names:
        data = (text * 3).encode()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("corpora")


@pytest.fixture(scope="module")
def cogs(place):
    return folder_of(place / "ud-english-ewt" / "original", ["train.tsv", "dev.tsv"], COGS)


@pytest.fixture(scope="module")
def korean(place):
    """In a folder that is named as another corpus."""
    names = ["ko_gsd-ud-train.conllu.gz", "ko_gsd-ud-dev.conllu", "README.md"]
    return folder_of(place / "cogs", names, CONLLU)


def test_logical_forms_are_cogs(cogs, place):
    for path in ("cogs", cogs, cogs.parent, cogs / "dev.tsv"):
        assert kinds_of(path) == ("cogs",)
    text = place / "cogs.txt"
    text.write_text("Kim slept .\n" * 3, encoding="utf-8")
    assert kinds_of(text) == ("natural",)


def test_a_treebank_is_of_the_language_that_its_files_name(korean, place):
    for path in ("ud-korean-gsd", korean, korean / "ko_gsd-ud-train.conllu.gz"):
        assert kinds_of(path) == KOREAN
    assert kinds_of("ud-welsh-ccg") == ("cy_ccg", "cy", "natural")
    sud = folder_of(place / "sud", ["ko_gsd-sud-train.conllu"], CONLLU)
    assert kinds_of(sud) == KOREAN
    assert kinds_of(folder_of(place / "other", ["train.conllu"], CONLLU)) == ("natural",)
    two = ["ko_gsd-ud-train.conllu", "en_ewt-ud-dev.conllu"]
    assert kinds_of(folder_of(place / "two", two, CONLLU)) == ("natural",)


def test_tables_are_what_they_were_made_of(cogs, korean, place):
    for made_of, kinds in (("builtin", ("builtin",)), (cogs, ("cogs",)), (korean, KOREAN)):
        folder = place / f"tables-{kinds[0]}"
        write_tables(load_corpus(made_of), folder)
        assert kinds_of(folder) == kinds


def test_what_cannot_be_read_is_natural_until_it_is_read(place):
    (place / "damaged").mkdir()
    (place / "damaged" / "corpus.json").write_text("{")
    (place / "packed.zip").write_bytes(b"PK\x03\x04")
    for name in ("nothing", "damaged", "packed.zip"):
        assert kinds_of(place / name) == ("natural",)


def test_the_best_preset_is_of_what_a_corpus_is(cogs, korean):
    def preset(corpus, **options):
        config = RolesConfig.checked({"preset": "best", "corpus": str(corpus)} | options)
        return config.timescales, config.clusters, config.settings

    assert preset(cogs) == preset("cogs") != preset("ud-english-ewt")
    for corpus in (korean, "nothing"):
        assert preset(corpus) == preset(corpus, preset="auto") != preset("ud-english-ewt")
    assert preset(cogs, clusters=7) == (preset("cogs")[0], 7, preset("cogs")[2])
