"""Stand-ins for the generalization splits of COGS, made of its train and dev splits alone.

    python experiments/roles/held_out.py --timescales 4 --set tokens.shrinkage=10

They compare settings without a look at a generalization split (`NOTES.md` says which looks were
taken all the same). Of 30 random nouns and names all training sentences but one are held out, and
so are all sentences with several phrases after nouns. The network learns from the rest, and its
clusters are named on the dev sentences that have neither. It is then asked for the roles of

*words*
    the held-out sentences with one of the 30 words,
*nested*
    the held-out sentences with several phrases,
*phrase*
    dev sentences whose subject was given a phrase from a training sentence,
*dev*
    those dev sentences, each half named by the other.

Printed are mean accuracies over draws, each of which is a seed of the network as well.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.roles.scores import assigned_roles
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.loading import load_corpus

LAYER = "thematic"
N_WORDS = 30
#: Held-out words occur this often in train.
OFTEN = (15, 200)


def held_out(corpus: Corpus, draw: int) -> Corpus:
    """The corpus with its training sentences divided as above; `draw` is its seed."""
    rng = np.random.default_rng(draw)
    train, dev = corpus.splits["train"], corpus.splits["dev"]
    counts = Counter(train.forms.tolist())
    nominal = Counter(train.forms[~np.isin(train.layers[LAYER], ("NONE", "PRED"))].tolist())
    words = sorted(
        word for word, n in nominal.items()
        if OFTEN[0] <= counts[word] <= OFTEN[1] and 2 * n > counts[word]
    )  # fmt: skip
    chosen = rng.choice(words, N_WORDS, replace=False)
    with_words, nested = _with(train, chosen), _nested(train)
    kept = _one_each(train, chosen, with_words & ~nested, rng)
    splits = {
        "train": train.subset(np.union1d(np.flatnonzero(~with_words & ~nested), kept)),
        "dev": dev.subset(np.flatnonzero(~_with(dev, chosen) & ~_nested(dev))),
        "words": train.subset(np.setdiff1d(np.flatnonzero(with_words), kept), "words"),
        "nested": train.subset(np.flatnonzero(nested & ~with_words), "nested"),
    }
    splits["phrase"] = _with_phrases(splits["dev"], train, rng)
    return replace(corpus, splits=splits)


def _of_sentences(split: Split, tokens: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.add.reduceat(tokens, split.offsets[:-1], dtype=np.int64)


def _with(split: Split, words: NDArray[np.str_]) -> NDArray[np.bool_]:
    return _of_sentences(split, np.isin(split.forms.astype(str), words)) > 0


def _nested(split: Split) -> NDArray[np.bool_]:
    return _of_sentences(split, split.layers[LAYER] == "NMOD") > 1


def _one_each(
    train: Split, words: NDArray[np.str_], among: NDArray[np.bool_], rng: np.random.Generator
) -> list[int]:
    """A random sentence of each word that has no other of the words."""
    sentences, held = train.sentences(), set(words.tolist())
    found: dict[str, int] = {}
    for at in rng.permutation(np.flatnonzero(among)).tolist():
        here = held.intersection(sentences[at])
        if len(here) == 1:
            found.setdefault(here.pop(), at)
    return list(found.values())


def _with_phrases(dev: Split, train: Split, rng: np.random.Generator) -> Split:
    """Dev sentences that begin with article, agent and verb, with a phrase after the agent."""
    words, roles = train.forms.tolist(), train.layers[LAYER].tolist()
    phrases = [words[at - 2 : at + 1] for at, role in enumerate(roles) if role == "NMOD"]
    begins = ["NONE", "AGENT", "PRED"]
    sentences, labels = [], []
    for at, sentence in enumerate(dev.sentences()):
        gold = dev.layers[LAYER][dev.offsets[at] : dev.offsets[at + 1]].tolist()
        if gold[:3] == begins:
            phrase = phrases[rng.integers(len(phrases))]
            sentences.append([*sentence[:2], *phrase, *sentence[2:]])
            labels += [*gold[:2], "NONE", "NONE", "NMOD", *gold[2:]]
    return make_split("phrase", sentences, {LAYER: labels})


def main() -> None:
    """Print the accuracies of one setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timescales", help="default: those of the preset")
    parser.add_argument("--set", nargs="*", default=[], metavar="LAYER.PARAMETER=VALUE")
    parser.add_argument("--draws", type=int, default=2)
    given = parser.parse_args()
    options = {"corpus": "cogs", "preset": "best", "settings": given.set}
    if given.timescales:
        options["timescales"] = given.timescales
    config = RolesConfig.checked(options)
    corpus, rows = load_corpus("cogs"), []
    for draw in range(given.draws):
        part = held_out(corpus, draw)
        learner, sentences = config.network_learner(draw), part.splits["train"].sentences()
        roles = assigned_roles(partial(learner.fit, sentences), part)
        gold = {name: part.splits[name].layers[LAYER] for name in roles}
        rows.append({name: (found == gold[name]).mean() for name, found in roles.items()})
    print(*(f"{name} {np.mean([row[name] for row in rows]):.4f}" for name in rows[0]), sep="  ")


if __name__ == "__main__":
    main()
