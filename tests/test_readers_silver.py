"""spaCy: its tokenizer, pipelines that parse or are missing, labels to roles."""

import json
from pathlib import Path

import pytest

from hebbsim.errors import BadInputError
from hebbsim.readers import load_corpus, loading
from hebbsim.readers.silver import load_parser
from hebbsim.readers.text import blank_pipeline, stream_text
from hebbsim.readers.ud import RoleScheme

spacy = pytest.importorskip("spacy")

# form: position of the head from 0, label, part of speech.
CLEARNLP = {
    "dogs": (1, "nsubj", "NOUN"),
    "chased": (1, "ROOT", "VERB"),
    "cats": (1, "dobj", "NOUN"),
    "of": (2, "prep", "ADP"),
    "kings": (3, "pobj", "NOUN"),
    "in": (1, "prep", "ADP"),
    "gardens": (5, "pobj", "NOUN"),
    "and": (6, "cc", "CCONJ"),
    "parks": (6, "conj", "NOUN"),
    ".": (1, "punct", "PUNCT"),
}
UD = {"dogs": (1, "nsubj", "NOUN"), "chased": (1, "ROOT", "VERB"), "cats": (1, "obj", "NOUN")}
TEXT = "Dogs chased cats of kings in gardens and parks ."


def pipeline(folder, labels, name="table_parser"):
    """A spaCy pipeline on disk whose parser looks words up in a table; one of a name."""

    @spacy.Language.component(name)
    def parse(doc):
        for token in doc:
            head, label, pos = labels.get(token.lower_, (token.sent.start, "dep", "X"))
            token.head, token.dep_, token.pos_ = doc[token.sent.start + head], label, pos
        return doc

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe(name)
    nlp.to_disk(folder)
    return str(folder)


def test_clearnlp_labels_become_the_same_roles(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(f"{TEXT}\n" * 10)
    corpus = load_corpus(path, parser=pipeline(tmp_path / "nlp", CLEARNLP))
    assert corpus.layer == "grammatical" and list(corpus.splits) == ["train", "dev", "test"]
    split = corpus.splits["dev"]
    assert split.sentences() == [TEXT.lower().split()]
    assert split.layers["grammatical"].tolist() == (
        "SUBJ PRED OBJ CASE NMOD CASE OBL CC OBL PUNCT".split()
    )


def test_ud_labels_take_the_ud_scheme(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Dogs chased cats\n\nDogs chased cats\n")
    corpus = load_corpus(path, parser=pipeline(tmp_path / "nlp", UD))
    assert corpus.splits["train"].layers["grammatical"].tolist() == ["SUBJ", "PRED", "OBJ"] * 2


def test_labels_that_the_scheme_does_not_know_are_told_of(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Dogs chased cats")
    labels = UD | {"cats": (1, "oa", "NOUN")}
    corpus = load_corpus(path, parser=pipeline(tmp_path / "nlp", labels, "strange_parser"))
    assert corpus.unknown == {"oa": pytest.approx(1 / 3)}
    assert "33 % of the words of corpus a have" in corpus.notes[1]
    assert "as OTHER: oa 33 %" in corpus.notes[1]


def test_a_scheme_of_ones_own(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Dogs chased cats")
    scheme = tmp_path / "s.json"
    scheme.write_text('{"dobj": "PATIENT"}')
    parser = pipeline(tmp_path / "nlp", CLEARNLP)
    layer = load_corpus(path, parser=parser, scheme=scheme).splits["train"].layers["grammatical"]
    assert layer.tolist() == ["OTHER", "OTHER", "PATIENT"]


def test_silver_roles_and_their_scheme_are_told_of(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Dogs chased cats\n\n" * 10)
    scheme = tmp_path / "s.json"
    scheme.write_text('{"dobj": "PATIENT"}')
    parser = pipeline(tmp_path / "nlp", CLEARNLP)
    silver, cut = load_corpus(path, parser=parser).notes
    assert f"silver: spaCy pipeline {parser} assigned them" in silver and "(8 for train" in cut
    assert load_corpus(path).notes == ()
    schemes = [load_corpus(path, parser=parser, scheme=s).sha256 for s in (None, scheme)]
    assert [len(found) for found in schemes] == [1, 2]


def test_a_pipeline_that_does_not_parse_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Dogs chased cats")
    nlp = spacy.blank("en")
    nlp.to_disk(tmp_path / "nlp")
    with pytest.raises(BadInputError, match="does not parse dependencies"):
        load_corpus(path, parser=str(tmp_path / "nlp"))


def test_a_missing_pipeline_names_what_is_there_and_the_install_command(monkeypatch):
    monkeypatch.setattr(spacy.util, "get_installed_models", lambda: ["xx_sm", "de_sm"])
    with pytest.raises(BadInputError, match="python -m spacy download en_no_such_sm") as caught:
        load_parser("en_no_such_sm")
    assert "(installed: de_sm, xx_sm)" in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_that_holds_no_pipeline_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="cannot load it") as caught:
        load_parser(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spacy_version": ">=2.2.2,<3.0.0"}, "made for spaCy >=2.2.2,<3.0.0"),
        ({"factory": "no_such_component"}, "no_such_component"),
    ],
)
def test_a_pipeline_that_does_not_load_gives_its_own_reason(change, said, tmp_path):
    folder = Path(pipeline(tmp_path / "nlp", UD))
    if "factory" in change:  # as where a package of its components is not installed
        config = (folder / "config.cfg").read_text().replace("table_parser", change["factory"])
        (folder / "config.cfg").write_text(config)
    else:  # pipelines of version 2 have no configuration
        (folder / "config.cfg").unlink()
        meta = json.loads((folder / "meta.json").read_text())
        (folder / "meta.json").write_text(json.dumps(meta | change))
    with pytest.raises(BadInputError, match="cannot load it") as caught:
        load_parser(str(folder))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_pipeline_that_fails_on_a_text_gives_its_own_reason(tmp_path):
    @spacy.Language.component("broken_parser")
    def fail(doc):
        raise AttributeError("no\nvectors")

    nlp = spacy.blank("en")
    nlp.add_pipe("broken_parser")
    nlp.to_disk(tmp_path / "nlp")
    (tmp_path / "a.txt").write_text("Dogs chased cats")
    with pytest.raises(BadInputError, match=r"fails on the text \(AttributeError: no vectors\)"):
        load_corpus(tmp_path / "a.txt", parser=str(tmp_path / "nlp"))


def test_a_parser_for_a_corpus_with_roles_is_refused_and_not_ignored():
    with pytest.raises(BadInputError, match="corpus builtin is not text"):
        load_corpus("builtin", parser="en_no_such_sm")


def test_a_misspelt_parser_is_refused_before_the_text_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("Dogs chased cats")
    monkeypatch.setattr(loading, "read_text", None)
    with pytest.raises(BadInputError, match="--parser en_no_such_sm"):
        load_corpus(path, parser="en_no_such_sm")


def test_tokenizer_alone_needs_no_model(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("She can't  go. Why?")
    assert list(stream_text(path, tokenizer="spacy")) == [
        ["she", "ca", "n't", "go", "."],
        ["why", "?"],
    ]


def test_unknown_language_is_refused():
    with pytest.raises(BadInputError, match="no tokenizer for 'qq'"):
        blank_pipeline("qq")


def test_both_schemes_speak_of_the_same_roles():
    clearnlp, ud = (set(RoleScheme.load(n).roles.values()) for n in ("clearnlp-roles", "ud-roles"))
    assert clearnlp == ud
