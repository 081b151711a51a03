"""The built-in corpus: English-like sentences with gold roles, generated from a seed.

Words, probabilities and the definition of every split are data (`corpora/grammar.json`);
`lexicon.py` inflects and weights the words, `syntax.py` builds the sentences, and this module
selects those of each split.

Generalization splits follow COGS (Kim & Linzen 2020) and SLOG (Li et al. 2023): each combines a
word with a role, or a construction with a position, that train contains only separately. The
grammatical roles are those of the default scheme for Universal Dependencies: conjuncts take the
role of the first conjunct, a relativizer that of its gap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.lexicon import grammar_data
from hebbsim.readers.syntax import LAYERS, Generator, Sentence

_TRIES = 500  # attempts per sentence


def make_builtin(
    seed: int = 0, n_train: int = 4000, n_dev: int = 600, n_test: int = 1200, n_gen: int = 300
) -> Corpus:
    """Generate the built-in corpus, which depends only on the seed and the sizes.

    No sentence occurs twice, within or across splits. All words of the generalization splits
    occur in train; dev and test may contain new ones, as in any text.

    Sizes are numbers of sentences, `n_gen` that of each generalization split; 0 omits a split
    other than train. Layers are ``grammatical``, ``thematic``, ``number`` (of nouns, pronouns and
    finite verbs) and ``depth`` (of the clause, ``"0"`` for the main clause).

    Raises BadInputError if a size is not a whole number, or `n_train` is too small to contain the
    words of a generalization split.

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

    It has `n_train` training sentences, but at least 1,000, so that train contains all words, and
    at most 4,000. Generalization splits in `names` that the grammar lacks are left out.
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
    """Draw `size` sentences that match the definition of the split, and add them to `seen`."""
    data = grammar_data()
    shown = name[4:] if name.startswith("gen/") else ""
    rule = data["splits"].get(shown, {})
    settings = dict(data["settings"])
    for key, value in rule.get("settings", {}).items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    wanted = rule.get("event", shown)
    held_out = {other.get("event", key) for key, other in data["splits"].items()}
    held_out -= {wanted, *rule.get("also", ())}

    # Random hashes strings by SHA-512: every split has its own reproducible stream.
    random = Random(f"builtin/{seed}/{name}")
    generator = Generator(shown if "shown" in rule else "", settings, random)
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
    layers = {
        layer: [label for sentence in chosen for label in getattr(sentence, layer)]
        for layer in LAYERS
    }
    forms, kinds = [one.forms for one in chosen], [one.kind for one in chosen]
    return make_split(name, forms, layers, kinds)


def _digest(splits: dict[str, Split]) -> str:
    digest = hashlib.sha256()
    for name, split in splits.items():
        digest.update(f"{name} {split.offsets.tolist()}\n".encode())
        kinds = [] if split.kinds is None else split.kinds.tolist()
        for column in (split.forms.tolist(), kinds, *map(list, split.layers.values())):
            digest.update("\n".join(column).encode())
    return digest.hexdigest()
