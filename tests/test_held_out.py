"""The script that makes stand-ins for generalization splits."""

from __future__ import annotations

import numpy as np
import pytest

from hebbsim.readers.grammar import make_builtin


def sentences_of(split):
    return {tuple(sentence) for sentence in split.sentences()}


@pytest.fixture(scope="module")
def parts(script):
    corpus = make_builtin(seed=3, n_train=1500, n_test=0, n_gen=0)
    return corpus, script("roles/held_out.py").held_out(corpus, 0).splits


def test_what_is_asked_for_was_not_learned(parts):
    corpus, splits = parts
    learned = sentences_of(splits["train"])
    for name in ("words", "nested", "phrase"):
        assert not learned & sentences_of(splits[name]), name
    rest = sentences_of(splits["words"]) | sentences_of(splits["nested"])
    assert learned | rest <= sentences_of(corpus.splits["train"])


def test_a_held_out_word_is_learned_once_and_nesting_never(script, parts):
    corpus, splits = parts
    before, after = (
        dict(zip(*np.unique(s["train"].forms.astype(str), return_counts=True), strict=True))
        for s in (corpus.splits, splits)
    )
    module = script("roles/held_out.py")
    held = [w for w, n in before.items() if n >= module.OFTEN[0] and after.get(w, 0) < 2]
    assert len(held) == module.N_WORDS
    assert sum(after.get(word, 0) for word in held) > 0.9 * module.N_WORDS
    assert not set(held) & set(splits["dev"].forms.tolist())
    per_sentence = np.add.reduceat(
        splits["train"].layers["thematic"] == "NMOD", splits["train"].offsets[:-1]
    )
    assert np.mean(per_sentence > 1) == 0


def test_a_phrase_stands_after_the_agent(parts):
    phrase, dev = parts[1]["phrase"], sentences_of(parts[1]["dev"])
    for at, sentence in enumerate(phrase.sentences()):
        roles = phrase.layers["thematic"][phrase.offsets[at] :][: len(sentence)]
        assert roles[:6].tolist() == ["NONE", "AGENT", "NONE", "NONE", "NMOD", "PRED"]
        assert (*sentence[:2], *sentence[5:]) in dev
