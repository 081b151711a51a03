"""Roles in a pipeline of spaCy's own, saved and loaded with it."""

from __future__ import annotations

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
import spacy
import taggers

from hebbsim import spacy_component  # registers the factory, as the entry point does
from hebbsim.errors import BadInputError

ROOT = Path(__file__).parent.parent
TEXT = "The dog saw a cat. The  girl slept."


@pytest.fixture
def model(tmp_path):
    taggers.single().save(tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def pipeline(model, *first, **config):
    nlp = spacy.blank("en")
    for name in first:
        nlp.add_pipe(name)
    nlp.add_pipe("hebbsim_roles", config={"model": str(model), **config})
    return nlp


def tagged(doc):
    return [(t.text, t._.role, t._.role_share) for t in doc if not t.is_space]


def wanted(*sentences, **options):
    return [tuple(t[:3]) for one in taggers.single().tag(sentences, **options) for t in one]


def test_tokens_get_their_roles_sentence_by_sentence(model):
    doc = pipeline(model, "sentencizer")(TEXT)
    whole = wanted(["The", "dog", "saw", "a", "cat", "."], ["The", "girl", "slept", "."])
    assert tagged(doc) == whole
    assert {t._.role for t in doc if t.is_space} == {None}
    # A document whose sentences nobody found is read as one.
    apart = wanted(["The", "dog", "saw", "a", "cat", ".", "The", "girl", "slept", "."])
    assert tagged(pipeline(model)(TEXT)) == apart
    assert apart != whole


def test_the_read_out_is_configured(model):
    doc = pipeline(model, readout="majority")("the dog slept")
    assert tagged(doc) == wanted(["the", "dog", "slept"], readout="majority")


def test_many_documents_are_read_as_one_by_one(model):
    nlp = pipeline(model, "sentencizer")
    texts = [TEXT, "", "the bird slept ."] * 3
    assert [tagged(d) for d in nlp.pipe(texts, batch_size=4)] == [tagged(nlp(t)) for t in texts]


def test_clusters_without_names_give_no_roles(tmp_path):
    taggers.nameless().save(tmp_path / "m")
    assert tagged(pipeline(tmp_path / "m")("the dog")) == [("the", None, None), ("dog", None, None)]


def test_a_saved_pipeline_brings_its_model(model, tmp_path):
    nlp = pipeline(model, "sentencizer")
    before = tagged(nlp(TEXT))
    nlp.to_disk(tmp_path / "pipeline")
    content = nlp.to_bytes()
    model.unlink()
    assert tagged(spacy.load(tmp_path / "pipeline")(TEXT)) == before
    again = pipeline(model, "sentencizer").from_bytes(content)
    assert tagged(again(TEXT)) == before


@pytest.mark.parametrize(
    ("config", "said"),
    [({}, "no model is given"), ({"model": "gone.safetensors"}, "gone.safetensors: no such model")],
)
def test_without_a_model_it_says_what_to_give(config, said):
    nlp = spacy.blank("en")
    nlp.add_pipe("hebbsim_roles", config=config)
    with pytest.raises(BadInputError, match=f"hebbsim_roles: {said}; nlp.add_pipe"):
        nlp("the dog")


def test_a_foreign_file_is_refused_as_the_pipeline_is_made(tmp_path):
    (tmp_path / "text").write_text("no tagger")
    with pytest.raises(BadInputError, match="cannot read"):
        pipeline(tmp_path / "text")


def test_the_entry_point_brings_the_component(model, tmp_path):
    """In a process that imports nothing of hebbsim, by what setup.cfg declares."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    declared = setup["options.entry_points"]["spacy_factories"]
    assert declared.strip() == f"hebbsim_roles = {spacy_component.make_roles.__module__}:make_roles"
    installed = tmp_path / "site" / "declared-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Name: declared\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(f"[spacy_factories]\n{declared.strip()}\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import spacy; nlp = spacy.blank('en')\n"
        "assert not {'numba', 'hebbsim.tagging'} & {*sys.modules}\n"
        "nlp.add_pipe('hebbsim_roles', config={'model': sys.argv[2]})\n"
        "print([token._.role for token in nlp('the dog slept')])"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "site"), str(model)]
    result = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert result.stderr == ""
    assert result.stdout.strip() == str([role for _, role, _ in wanted(["the", "dog", "slept"])])
