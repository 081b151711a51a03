"""The built-in corpus: English-like sentences with gold roles, generated from a seed.

Words, probabilities and the definition of every split are data
(`corpora/grammar.json`); `lexicon.py` inflects and weighs the words, `syntax.py`
builds the sentences, and this module chooses which of them a split admits.

Generalization splits follow COGS (Kim & Linzen 2020) and SLOG (Li et al. 2023): each
shows a word in a role, or a construction in a position, that train never shows
together, although train has both apart. The grammatical roles are those of the
default scheme for Universal Dependencies: conjuncts take the role of the first,
a relativizer the role of the gap it stands for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from random import Random

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.lexicon import Lexicon, grammar_data
from hebbsim.readers.syntax import LAYERS, Generator, Sentence

_TRIES = 500  # per sentence, before a split is given up


def make_builtin(
    seed: int = 0, n_train: int = 4000, n_dev: int = 600, n_test: int = 1200, n_gen: int = 300
) -> Corpus:
    """Generate the built-in corpus; the same seed and sizes give the same one, byte for byte.

    No sentence occurs twice, in one split or in two. Words of the generalization
    splits all occur in train; dev and test may hold new ones, as any text does.

    Sizes are in sentences, `n_gen` those of each generalization split; 0 leaves a split out, but
    not train. Layers are ``grammatical``, ``thematic``, ``number`` (of nouns, pronouns and finite
    verbs) and ``depth`` (of the clause, ``"0"`` is main).

    Raises BadInputError if a size is not a whole number, or too few training sentences are asked
    for to show the words of a generalization split.

    Examples
    --------
    >>> corpus = make_builtin(seed=0, n_train=50, n_dev=5, n_test=5, n_gen=0)
    >>> {name: split.n_sentences for name, split in corpus.splits.items()}
    {'train': 50, 'dev': 5, 'test': 5}
    """
    sizes = {"train": n_train, "dev": n_dev, "test": n_test}
    for name, size in {**sizes, "gen": n_gen, "seed": seed}.items():
        least = 1 if name == "train" else 0
        if isinstance(size, bool) or not hasattr(size, "__index__") or int(size) < least:
            shown = name if name == "seed" else f"n_{name}"
            raise BadInputError(f"{shown}={size!r}: give a whole number of at least {least}")
    sizes.update((f"gen/{name}", n_gen) for name in grammar_data()["splits"])
    return _make_corpus(str(int(seed)), {name: int(size) for name, size in sizes.items()})


def make_sibling(n_train: int, names: Sequence[str]) -> Corpus:
    """A draw of the grammar that no seed of `make_builtin` produces.

    It has as many training sentences as the corpus that it is a sibling of, but at least 1,000, so
    that its train holds all words, and at most 4,000. Of the generalization splits `names`, those
    that the grammar does not define are left out.
    """
    known = {f"gen/{name}" for name in grammar_data()["splits"]}
    sizes = {"train": min(max(n_train, 1000), 4000), "dev": 1200}
    return _make_corpus("sibling", sizes | {name: 150 for name in names if name in known})


def _make_corpus(seed: str, sizes: dict[str, int]) -> Corpus:
    seen: set[tuple[str, ...]] = set()
    vocabulary: set[str] = set()
    splits = {}
    for name, size in sizes.items():
        if size == 0:
            continue
        splits[name] = _make_split(name, size, seed, seen, vocabulary)
        if name == "train":
            vocabulary = set(splits[name].forms.tolist())
    return Corpus(
        name="builtin",
        splits=splits,
        layer="grammatical",
        source="hebbsim's own grammar (corpora/grammar.json)",
        licence="BSD-3-Clause",
        sha256={"builtin": _digest(splits)},
        format="built-in grammar",
    )


def _make_split(
    name: str, size: int, seed: str, seen: set[tuple[str, ...]], vocabulary: set[str]
) -> Split:
    """Draw `size` sentences that the split's definition admits and add them to `seen`."""
    data = grammar_data()
    shown = name[4:] if name.startswith("gen/") else ""
    rule = data["splits"].get(shown, {})
    settings = dict(data["settings"])
    for key, value in rule.get("settings", {}).items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    wanted = rule.get("event", shown)
    held_out = {other.get("event", key) for key, other in data["splits"].items()}
    held_out -= {wanted, *rule.get("also", ())}

    # A string is hashed by SHA-512, so every split has its own stream, the same everywhere.
    lexicon = _lexicon(shown if "shown" in rule else "")
    generator = Generator(lexicon, settings, Random(f"builtin/{seed}/{name}"))
    chosen: list[Sentence] = []
    for _ in range(_TRIES * (size + 10)):
        sentence = generator.sentence()
        key = tuple(sentence.forms)
        if key in seen or len(key) > settings["max_length"] or sentence.events & held_out:
            continue
        if shown and not (wanted in sentence.events and vocabulary.issuperset(key)):
            continue
        seen.add(key)
        chosen.append(sentence)
        if len(chosen) == size:
            break
    else:
        raise BadInputError(
            f"built-in corpus, split {name!r}: found {len(chosen)} of {size} sentences; "
            "use a larger n_train, or n_gen=0 for no generalization splits"
        )
    return make_split(
        name,
        [sentence.forms for sentence in chosen],
        {
            layer: [label for sentence in chosen for label in getattr(sentence, layer)]
            for layer in LAYERS
        },
        [sentence.kind for sentence in chosen],
    )


@cache
def _lexicon(shown: str) -> Lexicon:
    """One lexicon for all splits that hold out no words, one for each of the others."""
    return Lexicon(shown)


def _digest(splits: dict[str, Split]) -> str:
    digest = hashlib.sha256()
    for name, split in splits.items():
        digest.update(f"{name} {split.offsets.tolist()}\n".encode())
        kinds = [] if split.kinds is None else split.kinds.tolist()
        for column in (split.forms.tolist(), kinds, *map(list, split.layers.values())):
            digest.update("\n".join(column).encode())
    return digest.hexdigest()
