"""Structure from the states that identity is read from, and other memories beside traces.

One probe reads every property of the token k places back from the state at a token: which word
it is (content) and what it is in its sentence (structure). Each property has a control task
(Hewitt & Liang 2019, "Designing and Interpreting Probes with Control Tasks"): every word type
has a random label, of the same frequencies; accuracy less accuracy there is the selectivity.
The number of the subject is read from the state *before* the finite verb, which may tell it; its
lag counts from the subject to that state.

Probes learn from train, are calibrated on dev and scored on test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.probes.identity import (
    Channel,
    Condition,
    Decoder,
    Reading,
    States,
    get_decoder,
    make_codes,
    read,
)
from hebbsim.probes.identity.states import hold, run_traces
from hebbsim.readers.annotation import structure, subject_distances
from hebbsim.readers.base import Corpus, Split
from hebbsim.readers.loading import cut
from hebbsim.runs.results import Score

if TYPE_CHECKING:
    from hebbsim.experiments.identity.config import IdentityConfig

__all__ = [
    "LAGS",
    "NETWORKS",
    "SWEEP_LAG",
    "TAUS",
    "Material",
    "Part",
    "content_scores",
    "corpus_codes",
    "draw_material",
    "fit_probe",
    "fixed_states",
    "network_states",
    "plane_scores",
    "structure_scores",
]

#: Lags at which properties are read.
LAGS = (0, 1, 2, 3, 4, 6, 8)
#: Timescales of single traces, read at one lag.
TAUS = (1, 2, 4, 8, 16, 32, 64)
SWEEP_LAG = 1
#: Commonest words that identity tells apart; the others are one class.
N_WORDS = 300
#: Memories that need torch: the untrained GRU and the forward half of a BiGRU.
NETWORKS = ("gru", "bigru")
#: Fewer tokens than this in dev or test are not scored.
_FEWEST = 40
#: Sentences that a BiGRU learns its roles from.
_NETWORK_SENTENCES = 1200
#: States by types that cancellation scores at once: bounds the time on large vocabularies.
_MOST_SCORES = 3_000_000
CONTENT, AGREEMENT = "word", "subject_number"


@dataclass(frozen=True, eq=False)
class Part:
    """Some sentences of a split, as numbers.

    Attributes
    ----------
    split : Split
    types : ndarray of int64, shape=(T,)
        Number of each word over all splits, the commonest of train first.
    place : ndarray of int64, shape=(T,)
        Position in the sentence.
    labels : dict of str to ndarray of int64, shape=(T,)
        By property; -1 where it does not apply.
    distances : ndarray of int64, shape=(T,)
        From the subject to the finite verb, 0 elsewhere.
    """

    split: Split
    types: NDArray[np.int64]
    place: NDArray[np.int64]
    labels: dict[str, NDArray[np.int64]]
    distances: NDArray[np.int64]

    def padded(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Types by sentence, shape=(B, L), and where there is a token."""
        lengths = np.diff(self.split.offsets)
        inside = np.arange(lengths.max()) < lengths[:, None]
        table = np.zeros(inside.shape, dtype=np.int64)
        table[inside] = self.types
        return table, inside


@dataclass(frozen=True, eq=False)
class Material:
    """What one seed reads: sentences to learn from, to calibrate on, to score.

    Attributes
    ----------
    parts : dict of str to Part
        ``train``, ``dev``, ``test``.
    names : dict of str to ndarray of str
        Labels of each property by number; of `CONTENT`, the words.
    controls : dict of str to ndarray of int64, shape=(V,)
        Random label of every word type, by property.
    words : list of str
        V words, the commonest of train first.
    counts : ndarray of int64, shape=(V,)
        Occurrences of each word in all of train.
    whole : Split
        All of train.
    """

    parts: dict[str, Part]
    names: dict[str, NDArray[np.str_]]
    controls: dict[str, NDArray[np.int64]]
    words: list[str]
    counts: NDArray[np.int64]
    whole: Split


def draw_material(corpus: Corpus, config: IdentityConfig, seed: int) -> Material:
    """Draw sentences of each split until there are as many tokens as the configuration says.

    Raises
    ------
    BadInputError
        The corpus has too few sentences for a train, a dev and a test part.
    """
    splits = corpus.splits
    if not {"dev", "test"} <= splits.keys():
        splits = cut(splits["train"])
    if not {"dev", "test"} <= splits.keys():
        raise BadInputError(
            f"--structure {corpus.name}: too few sentences to learn from and to score; "
            "give a longer corpus, or --structure none"
        )
    rng = np.random.default_rng([seed, 3])
    wanted = {
        "train": config.probe_training,
        "dev": config.probe_states // 2,
        "test": config.probe_states // 2,
    }
    chosen = {name: _draw(splits[name], n, rng) for name, n in wanted.items()}
    whole = splits["train"]
    words, counts = np.unique(whole.forms, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    number = {word: i for i, word in enumerate(words[order].tolist())}
    for split in chosen.values():
        for word in split.forms.tolist():
            number.setdefault(word, len(number))
    all_counts = np.zeros(len(number), dtype=np.int64)
    all_counts[: len(counts)] = counts[order]

    names: dict[str, NDArray[np.str_]] = {}
    of_train = structure(corpus, chosen["train"])
    for name, values in of_train.items():
        names[name] = np.unique(values[values != ""])
    names[CONTENT] = np.array(list(number)[: min(N_WORDS, len(words))])
    parts = {}
    for key, split in chosen.items():
        types = np.array([number[word] for word in split.forms.tolist()])
        labels = {CONTENT: np.minimum(types, len(names[CONTENT]) - 1)}
        for name, values in structure(corpus, split).items():
            if name in of_train:
                labels[name] = _numbers(values, names[name])
        place = np.arange(split.n_tokens) - np.repeat(split.offsets[:-1], np.diff(split.offsets))
        parts[key] = Part(split, types, place, labels, subject_distances(split))
    controls = {}
    for name in of_train:
        known = parts["train"].labels[name]
        controls[name] = rng.choice(known[known >= 0], size=len(number))
    return Material(parts, names, controls, list(number), all_counts, whole)


def _draw(split: Split, n_tokens: int, rng: np.random.Generator) -> Split:
    order = rng.permutation(split.n_sentences)
    total = np.cumsum(np.diff(split.offsets)[order])
    return split.subset(order[: int(np.searchsorted(total, n_tokens)) + 1])


def _numbers(values: NDArray[np.str_], names: NDArray[np.str_]) -> NDArray[np.int64]:
    place = np.minimum(np.searchsorted(names, values), len(names) - 1)
    return np.where(names[place] == values, place, -1)


# --- states ----------------------------------------------------------------------------------


def fixed_states(
    name: str, material: Material, codes: NDArray[np.float64], taus: NDArray[np.float64], seed: int
) -> dict[str, NDArray[np.float32]]:
    """States of a fixed memory after every token, shape=(T, M), by part."""
    from hebbsim.probes.identity import get_memory

    found = {}
    for key, part in material.parts.items():
        # The same random weights for every part.
        memory = get_memory(name)(codes, taus, np.random.default_rng([seed, 4]))
        table, inside = part.padded()
        found[key] = memory.run(table)[inside]
    return found


def network_states(
    name: str, corpus: Corpus, material: Material, size: int, seed: int
) -> dict[str, NDArray[np.float32]]:
    """States of a GRU of `size` units after every token, by part.

    ``bigru`` is the forward half of one that learned the roles of a corpus; ``gru`` has the
    weights that it was drawn with, and inputs of unit variance.

    Raises
    ------
    TorchMissingError
        torch is not installed.
    """
    from dataclasses import replace

    from hebbsim.baselines.bigru import config_for, train_bigru, untrained_bigru

    whole = material.whole
    config = replace(config_for(whole), hidden=size, layers=1)
    if name == "gru":
        config = replace(config, affix_size=0, embedding_scale=1.0)
        network = untrained_bigru(whole, config, seed=seed)
    else:
        assert corpus.layer is not None
        rng = np.random.default_rng([seed, 5])
        few = rng.permutation(whole.n_sentences)[:_NETWORK_SENTENCES]
        network = train_bigru(whole.subset(few), corpus.layer, config=config, seed=seed)
    return {
        key: network.forward_states(part.split.sentences()) for key, part in material.parts.items()
    }


# --- probes ----------------------------------------------------------------------------------


def _label_prior(labels: NDArray[np.int64], n_labels: int) -> NDArray[np.float64]:
    counts = np.bincount(labels, minlength=n_labels) + 0.5
    return counts / counts.sum()


def fit_probe(
    probe: str, states: NDArray[np.floating], labels: NDArray[np.int64], n_labels: int, seed: int
) -> Decoder:
    """A trained decoder of labels from states, shape=(N, M)."""
    channel = Channel(np.eye(n_labels), np.ones(1), np.zeros(1), _label_prior(labels, n_labels))
    decoder = get_decoder(probe)(channel, random_state=seed)
    values = np.asarray(states, dtype=np.float64)[:, None]
    return decoder.fit(States(values, labels[:, None], np.zeros(1)))


def fit_rows(
    probe: str, material: Material, states: dict[str, NDArray[np.float32]], name: str, lag: int
) -> Decoder | None:
    """A probe of one property at one lag; None where train has too few such tokens."""
    rows = _rows(material, name, lag)
    if len(rows.state["train"]) < _FEWEST:
        return None
    n_labels = len(material.names[name])
    return fit_probe(probe, states["train"][rows.state["train"]], rows.label["train"], n_labels, 0)


def _scores(decoder: Decoder, states: NDArray[np.floating]) -> NDArray[np.float64]:
    return next(iter(decoder.decode(np.asarray(states, dtype=np.float64)[:, None], 1)))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Tokens to read: the state of each, its label, its type and its lag, by part."""

    state: dict[str, NDArray[np.int64]]
    label: dict[str, NDArray[np.int64]]
    token: dict[str, NDArray[np.int64]]


def _rows(material: Material, name: str, lag: int) -> _Rows:
    """Tokens that have property `name` and `lag` more tokens after them in the state.

    At lag -1 the state is the one before the token.
    """
    state, label, token = {}, {}, {}
    for key, part in material.parts.items():
        at = np.flatnonzero(part.labels[name] >= 0)
        length = np.repeat(np.diff(part.split.offsets), np.diff(part.split.offsets))
        at = at[(part.place[at] + lag >= 0) & (part.place[at] + lag < length[at])]
        state[key], label[key], token[key] = at + lag, part.labels[name][at], at
    return _Rows(state, label, token)


def _read(
    decoder: Decoder,
    states: dict[str, NDArray[np.float32]],
    rows: _Rows,
    labels: dict[str, NDArray[np.int64]],
    keep: dict[str, NDArray[np.bool_]] | None = None,
) -> Reading | None:
    """Calibrated on dev, scored on test, with as many tokens of each; None for too few."""
    at = {k: rows.state[k] if keep is None else rows.state[k][keep[k]] for k in ("dev", "test")}
    y = {k: labels[k] if keep is None else labels[k][keep[k]] for k in ("dev", "test")}
    n = min(len(at["dev"]), len(at["test"]))
    if n < _FEWEST:
        return None
    scores = np.concatenate([_scores(decoder, states[k][at[k][:n]]) for k in ("dev", "test")])
    found = np.concatenate([y["dev"][:n], y["test"][:n]])
    return read(scores, found, decoder.channel.log_prior)


@dataclass(frozen=True)
class _Writer:
    """Scores of one corpus, split, model and seed."""

    corpus: str
    split: str
    model: str
    seed: int

    def reading(self, words: str, reading: Reading) -> Iterator[Score]:
        """Accuracy, bits, and the share of the entropy that the bits are."""
        yield self.score(words, "accuracy", reading.accuracy)
        yield self.score(words, "bits", reading.bits, "bits")
        share = max(reading.bits, 0.0) / reading.entropy if reading.entropy > 0 else 0.0
        yield self.score(words, "share", share)

    def score(self, words: str, metric: str, value: float, unit: str = "fraction") -> Score:
        return Score(
            self.corpus, self.split, self.model, words, metric, None, self.seed, value, unit
        )


def structure_scores(
    corpus: Corpus,
    material: Material,
    states: dict[str, NDArray[np.float32]],
    model: str,
    seed: int,
    *,
    probe: str = "discriminant",
    lags: tuple[int, ...] = LAGS,
    words: str = "",
    control: bool = True,
) -> Iterator[Score]:
    """Every property at every lag, with control tasks.

    Parameters
    ----------
    states : dict of str to ndarray, shape=(T, M)
        By part.
    words : str
        Added to the condition.
    """
    write = _Writer(corpus.name, "structure", model, seed)
    for name in material.names:
        if name == AGREEMENT:
            if control:
                yield from _agreement(material, states, write, probe)
            continue
        for lag in lags:
            rows = _rows(material, name, lag)
            n_labels = len(material.names[name])
            if len(rows.state["train"]) < _FEWEST:
                continue
            fitted = fit_probe(
                probe, states["train"][rows.state["train"]], rows.label["train"], n_labels, seed
            )
            reading = _read(fitted, states, rows, rows.label)
            if reading is None:
                continue
            said = f"property={name} lag={lag}{words}"
            yield from write.reading(said, reading)
            if control and name in material.controls:
                random = _control(material, states, rows, name, probe, seed)
                if random is not None:
                    yield write.score(said, "control_accuracy", random.accuracy)
                    gap = reading.accuracy - random.accuracy
                    yield write.score(said, "selectivity", gap)


def _control(
    material: Material,
    states: dict[str, NDArray[np.float32]],
    rows: _Rows,
    name: str,
    probe: str,
    seed: int,
) -> Reading | None:
    """The same tokens, each labelled by its word type at random."""
    labels = {
        key: material.controls[name][part.types[rows.token[key]]]
        for key, part in material.parts.items()
    }
    n_labels = len(material.names[name])
    train = states["train"][rows.state["train"]]
    fitted = fit_probe(probe, train, labels["train"], n_labels, seed)
    return _read(fitted, states, rows, labels)


def _agreement(
    material: Material, states: dict[str, NDArray[np.float32]], write: _Writer, probe: str
) -> Iterator[Score]:
    """One probe at the state before the verb, scored by how long ago the subject was."""
    rows = _rows(material, AGREEMENT, -1)
    if len(rows.state["train"]) < _FEWEST:
        return
    train = states["train"][rows.state["train"]]
    fitted = fit_probe(probe, train, rows.label["train"], 2, write.seed)
    reading = _read(fitted, states, rows, rows.label)
    if reading is None:
        return
    yield from write.reading(f"property={AGREEMENT}", reading)
    random = _control(material, states, rows, AGREEMENT, probe, write.seed)
    if random is not None:
        words = f"property={AGREEMENT}"
        yield write.score(words, "control_accuracy", random.accuracy)
        yield write.score(words, "selectivity", reading.accuracy - random.accuracy)
    for lag in LAGS:
        keep = {
            key: part.distances[rows.token[key]] == lag + 1 for key, part in material.parts.items()
        }
        found = _read(fitted, states, rows, rows.label, keep)
        if found is not None:
            yield from write.reading(f"property={AGREEMENT} lag={lag}", found)


def plane_scores(
    corpus: Corpus,
    material: Material,
    states: dict[str, NDArray[np.float32]],
    model: str,
    seed: int,
    *,
    probe: str = "discriminant",
) -> Iterator[Score]:
    """What the word alone and what its past alone tell of each property.

    The word: a count of labels for each word type. The past, under the name of its memory: the
    probe on the state before the word.
    """
    for name in material.names:
        said = f"property={name}"
        rows = _rows(material, name, 0)
        n_labels = len(material.names[name])
        prior = _label_prior(rows.label["train"], n_labels)
        types = material.parts["train"].types[rows.token["train"]]
        counts = np.zeros((len(material.counts), n_labels))
        np.add.at(counts, (types, rows.label["train"]), 1)
        table = np.log((counts + prior) / (counts.sum(axis=1, keepdims=True) + 1) / prior)
        n = min(len(rows.token["dev"]), len(rows.token["test"]))
        if n < _FEWEST:
            continue
        keys = ("dev", "test")
        scores = [table[material.parts[k].types[rows.token[k][:n]]] for k in keys]
        labels = [rows.label[k][:n] for k in keys]
        word = read(np.concatenate(scores), np.concatenate(labels), np.log(prior))
        if model == "traces":
            yield from _Writer(corpus.name, "plane", "word", seed).reading(said, word)
        before = _rows(material, name, -1)
        fitted = fit_probe(
            probe, states["train"][before.state["train"]], before.label["train"], n_labels, seed
        )
        past = _read(fitted, states, before, before.label)
        if past is not None:
            yield from _Writer(corpus.name, "plane", model, seed).reading(said, past)


def content_scores(
    corpus: str,
    material: Material,
    codes: NDArray[np.float64],
    taus: NDArray[np.float64],
    seed: int,
    n_states: int,
) -> Iterator[Score]:
    """Which word stood at each lag, by cancellation, from traces of the same sentences.

    States are those with all of `LAGS` in their sentence; half of dev, half of test.
    """
    prior = (material.counts + 0.5) / (material.counts + 0.5).sum()
    n = min(n_states, max(_FEWEST, _MOST_SCORES // len(prior))) // 2
    rng = np.random.default_rng([seed, 8])
    write = _Writer(corpus, "structure", "cancellation", seed)
    for precision in ("float32", "bfloat16"):
        condition = Condition(precision)
        values, histories, errors = [], [], []
        for key in ("dev", "test"):
            table, inside = material.parts[key].padded()
            exact = run_traces(codes, table, taus, table.shape[1])
            held = hold(exact, codes, table, taus, condition)
            sentence, place = np.nonzero(inside & (np.arange(table.shape[1]) >= max(LAGS)))
            if len(place) < max(2, _FEWEST // 2):
                return
            chosen = rng.permutation(len(place))[:n]
            sentence, place = sentence[chosen], place[chosen]
            values.append(held[sentence, place])
            errors.append(held[sentence, place] - exact[sentence, place])
            history = place[:, None] - np.arange(max(LAGS) + 1)
            histories.append(table[sentence[:, None], history])
        least = min(map(len, values))
        states = np.concatenate([part[:least] for part in values])
        tokens = np.concatenate([part[:least] for part in histories])
        noise = np.sqrt((np.concatenate(errors) ** 2).mean(axis=(0, 2)))
        decoder = get_decoder("cancellation")(Channel(codes, taus, noise, prior))
        for lag, scores in enumerate(decoder.decode(states, max(LAGS) + 1)):
            if lag in LAGS:
                reading = read(scores, tokens[:, lag], np.log(prior))
                words = f"property={CONTENT} lag={lag} precision={precision}"
                yield from write.reading(words, reading)


def corpus_codes(
    material: Material, dim: int, seed: int, kind: str = "random", n_types: int | None = None
) -> NDArray[np.float64]:
    """A code of every word type, drawn or learned from all of train, shape=(V, D).

    Parameters
    ----------
    n_types : int, optional
        V; as many as the material has without. Further types have not been seen.
    """
    n_types = len(material.counts) if n_types is None else n_types
    rng = np.random.default_rng([seed, 6])
    if kind != "learned":
        return make_codes(n_types, dim, rng)
    from hebbsim.experiments.identity.codes import learned_codes

    whole = material.whole
    number = {word: i for i, word in enumerate(material.words)}
    ids = np.array([number[word] for word in whole.forms.tolist()])
    return learned_codes(ids, n_types, dim, rng, whole.offsets)
