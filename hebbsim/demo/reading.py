"""Everything that the page shows of one text, after each of its words, as plain data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.demo.content import read_back, recall_rates, select
from hebbsim.demo.held import held
from hebbsim.demo.room import Named, Room
from hebbsim.demo.settings import Settings
from hebbsim.demo.weights import learn_sentence
from hebbsim.errors import DivergenceError
from hebbsim.probes import memberships
from hebbsim.readers.text import split_text

__all__ = ["MOST_WORDS", "bigru_rows", "cut_text", "read_memory", "read_roles", "survival"]

#: Words of a text that are shown, and characters of it that are looked at.
MOST_WORDS = 60
MOST_CHARACTERS = 20_000
#: Prototypes told of each token.
N_WINNERS = 4

Sentences = list[list[str]]


def cut_text(text: str) -> tuple[Sentences, int]:
    """Sentences of what was typed, `MOST_WORDS` words at most, and how many words there were.

    Examples
    --------
    >>> cut_text("The dog ran. It slept.")
    ([['the', 'dog', 'ran', '.'], ['it', 'slept', '.']], 7)
    >>> cut_text("  ")
    ([], 0)
    """
    # A lone half of a character pair, which a browser may send, is no text.
    text = text.encode("utf-8", "replace").decode()
    whole = split_text(text[:MOST_CHARACTERS])
    n_words = sum(map(len, whole))
    if len(text) > MOST_CHARACTERS:
        n_words = max(n_words, len(text.split()))
    sentences: Sentences = []
    room = MOST_WORDS
    for sentence in whole:
        if room and sentence:
            sentences.append(sentence[:room])
            room -= len(sentences[-1])
    return sentences, n_words


def read_memory(room: Room, sentences: Sentences, settings: Settings) -> dict[str, Any]:
    """What memory and weights are after each word of a text; no roles, which may take longer.

    Returns
    -------
    dict
        Plain data; lists by word have one entry for each of T words, and those that tell of
        the past have T entries at most inside: ``linear[t][k]`` is the word read back for k
        words before t. ``states`` and ``codes`` are base64 of float32, little-endian: the
        traces, shape=(T, S, D), and the codes of the words that ``coded`` lists, shape=(W, D).
    """
    words = [word for sentence in sentences for word in sentence]
    content = read_back(room.book.with_words(words), room.before, words, settings)
    coded = list(dict.fromkeys([*words, *(w for row in content.cancellation for w in row)]))
    book = room.book.with_words(coded)
    return {
        "words": words,
        "starts": np.cumsum([0, *map(len, sentences)])[:-1].tolist(),
        "known": [word in room.learner.network_.index for word in words],
        "gold": _gold(room, sentences),
        "settings": settings.resolved(),
        "bigru": bigru_rows(room, sentences),
        "states": _packed(content.states),
        "before": _packed(content.before),
        "coded": coded,
        "codes": _packed(book.codes[book.numbers(coded)]),
        # In shares: what a word would make up that is as large as these.
        "sizes": content.sizes.round(5).tolist(),
        "peaks": content.peaks.round(5).tolist(),
        "code_peak": round(content.code_peak, 5),
        "linear": content.linear,
        "cancellation": content.cancellation,
        "weights": _weights(room, words, sentences, settings),
    }


def bigru_rows(room: Room, sentences: Sentences) -> list[list[str]] | None:
    """Roles that the supervised model gives after each word; None where there is none (yet)."""
    return _prefix_roles(sentences, room.bigru_roles(_prefixes(sentences)))


def _packed(values: NDArray[np.floating]) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def read_roles(
    room: Room, named: Named | None, sentences: Sentences, settings: Settings
) -> dict[str, Any]:
    """What roles are after each word of a text, and what a memory that selects by them holds.

    Parameters
    ----------
    room : Room
    named : Named or None
        Without a learner roles are empty strings, there are no winners, and nothing is selected.
    sentences : list of lists of str
    settings : Settings

    Returns
    -------
    dict
        ``roles[t][j]`` is the role of word j once word t is read.
    """
    words = [word for sentence in sentences for word in sentence]
    roles, winners = _roles(named, sentences, settings)
    slots = slots_of(room, len(settings.timescales))
    chosen = [slots.index(now[-1]) if now[-1] in slots else None for now in roles]
    book = room.book.with_words(words)
    places, kept = select(book, words, chosen, len(slots), settings.condition)
    clusters = {cluster for winner in winners for cluster, _ in winner}
    return {
        "roles": roles,
        "winners": winners,
        "prototypes": {str(c): room.describe(named, c) for c in sorted(clusters) if named},
        "slots": slots,
        "places": places,
        "kept": kept,
    }


def slots_of(room: Room, n: int) -> list[str]:
    """The roles whose words are told least by the role: what is worth keeping of a sentence.

    By the entropy of their words in dev, of roles that make up 2 % of it or more.
    """
    roles, forms = room.dev.layers[room.layer], room.dev.forms
    bits = {}
    for role in room.roles:
        counts = np.unique(forms[roles == role], return_counts=True)[1]
        if counts.sum() >= 0.02 * len(forms):
            share = counts / counts.sum()
            bits[role] = float(-(share * np.log2(share)).sum())
    return sorted(bits, key=lambda role: -bits[role])[:n]


def _prefixes(sentences: Sentences) -> Sentences:
    return [sentence[: t + 1] for sentence in sentences for t in range(len(sentence))]


def _prefix_roles(sentences: Sentences, flat: Sequence[str] | None) -> list[list[str]] | None:
    """Roles of all prefixes, one after the other, as roles of the text so far."""
    if flat is None:
        return None
    found: list[list[str]] = []
    done: list[str] = []
    at = 0
    for sentence in sentences:
        now: list[str] = []
        for t in range(len(sentence)):
            now = list(flat[at : at + t + 1])
            at += t + 1
            found.append(done + now)
        done = done + now
    return found


def _roles(
    named: Named | None, sentences: Sentences, settings: Settings
) -> tuple[list[list[str]], list[list[tuple[int, float]]]]:
    """Roles of the text so far after each word, and the prototypes closest to each word.

    Without a learner every role is the empty string.
    """
    if named is None:
        n_words = sum(map(len, sentences))
        return [[""] * (t + 1) for t in range(n_words)], [[] for _ in range(n_words)]
    view = held(named.learner, settings.condition)
    prefixes = _prefixes(sentences)
    vectors = view.transform(prefixes)
    flat = named.role_of(view.prototypes_.winners(vectors))
    last = np.cumsum([len(prefix) for prefix in prefixes]) - 1
    near = memberships(vectors[last], view.prototypes_.centres, N_WINNERS)
    winners = [
        [(int(c), round(float(share), 3)) for c, share in zip(*row, strict=True)]
        for row in zip(near.clusters, near.shares, strict=True)
    ]
    roles = _prefix_roles(sentences, flat)
    assert roles is not None
    return roles, winners


def _gold(room: Room, sentences: Sentences) -> list[str] | None:
    found: list[str] = []
    for sentence in sentences:
        gold = room.gold(sentence)
        if gold is None:
            return None
        found += gold
    return found


def _weights(
    room: Room, words: list[str], sentences: Sentences, settings: Settings
) -> dict[str, Any]:
    """Weights before the text and after each word, in thousandths of the largest."""
    try:
        engine = room.engine(settings)
        steps = []
        at = 0
        numbers = room.groups.numbers(room.learner, words)
        for sentence in sentences:
            engine.end_sentence()
            steps.append(learn_sentence(engine, numbers[at : at + len(sentence)]))
            at += len(sentence)
    except DivergenceError as error:
        return {"error": str(error)}
    weights = np.concatenate([steps[0].weights[:1], *(step.weights[1:] for step in steps)])
    largest = float(np.abs(weights).max()) or 1.0
    guesses = [step.guesses for step in steps if step.guesses is not None]
    return {
        "values": np.rint(weights * (1000 / largest)).astype(int).tolist(),
        "largest": largest,
        "groups": numbers.tolist(),
        "names": room.groups.names,
        "guesses": np.concatenate(guesses).tolist() if guesses else None,
        "equation": engine.rule.equation,
    }


def survival(room: Room, named: Named | None, settings: Settings) -> dict[str, Any]:
    """What survives in the memory, over text: roles on test, words by how long ago they were.

    Returns
    -------
    dict
        ``roles`` is the accuracy on test, ``arguments`` that on the words whose gold role is
        one of `Room.argument_roles`; both None without a learner. ``linear`` and
        ``cancellation`` have the share of words read back right 0, 1, ... words ago.
    """
    roles = arguments = None
    if named is not None:
        view = held(named.learner, settings.condition)
        right = np.array(named.role_of(view.predict(room.test.sentences()))) == room.gold_roles
        roles, arguments = float(right.mean()), float(right[room.is_argument].mean())
    return {
        "settings": settings.resolved(),
        "roles": roles,
        "arguments": arguments,
        "n_tokens": room.test.n_tokens,
        "n_states": 5 * len(room.streams),
        **recall_rates(room.book, room.streams, settings),
    }
