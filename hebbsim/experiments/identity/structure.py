"""Probes for structure in the states of traces and other memories.

From the state at a token, a probe predicts properties of the token at lag k: which word it is
(content), and its place in the sentence (structure). Each property has a control task (Hewitt &
Liang 2019, "Designing and Interpreting Probes with Control Tasks"): every word type gets a random
label with the same frequencies. Selectivity is the accuracy minus the accuracy on the control. The
number of the subject is read from the state *before* the finite verb, because the verb may reveal
it; its lag counts from the subject to that state.

Probes are trained on train, calibrated on dev and scored on test.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.experiments.identity.material import CONTENT, Material, SplitStates
from hebbsim.probes.identity import Channel, Condition, Decoder, Reading, States, get_decoder, read
from hebbsim.probes.identity.states import Floats, Ints, hold, run_traces
from hebbsim.readers.base import Corpus
from hebbsim.runs.results import Score

#: Lags at which properties are read.
LAGS = (0, 1, 2, 3, 4, 6, 8)
#: Timescales of the single traces that are read at `SWEEP_LAG`.
TAUS = (1, 2, 4, 8, 16, 32, 64)
SWEEP_LAG = 1
#: Minimum number of tokens that are scored, of dev and of test.
_FEWEST = 40
#: Maximum number of cancellation scores (states by types); bounds the time on large vocabularies.
_MOST_SCORES = 3_000_000
AGREEMENT = "subject_number"


def _label_prior(labels: Ints, n_labels: int) -> Floats:
    counts = np.bincount(labels, minlength=n_labels) + 0.5
    return counts / counts.sum()


def fit_rows(
    probe: str, material: Material, states: SplitStates, name: str, lag: int
) -> Decoder | None:
    """Train a probe for one property at one lag; None if train has too few such tokens."""
    rows = _rows(material, name, lag)
    if len(rows.state["train"]) < _FEWEST:
        return None
    return _Probes(material, states, probe, 0).fit(name, rows)


class _Rows(NamedTuple):
    """Tokens to read: their states, labels and positions, by split."""

    state: dict[str, Ints]
    label: dict[str, Ints]
    token: dict[str, Ints]


def _rows(material: Material, name: str, lag: int) -> _Rows:
    """Tokens with property `name`, read `lag` tokens later; -1 is the state before the token."""
    state, label, token = {}, {}, {}
    for key, part in material.parts.items():
        at = np.flatnonzero(part.labels[name] >= 0)
        length = np.repeat(np.diff(part.split.offsets), np.diff(part.split.offsets))
        at = at[(part.place[at] + lag >= 0) & (part.place[at] + lag < length[at])]
        state[key], label[key], token[key] = at + lag, part.labels[name][at], at
    return _Rows(state, label, token)


class _Probes(NamedTuple):
    """Probes of the states of one memory, which are by split, shape=(T, M)."""

    material: Material
    states: SplitStates
    probe: str
    seed: int

    def fit(self, name: str, rows: _Rows) -> Decoder:
        labels, n_labels = rows.label["train"], len(self.material.names[name])
        channel = Channel(np.eye(n_labels), np.ones(1), np.zeros(1), _label_prior(labels, n_labels))
        states = self.states["train"][rows.state["train"]].astype(np.float64)
        decoder = get_decoder(self.probe)(channel, random_state=self.seed)
        return decoder.fit(States(states[:, None], labels[:, None], np.zeros(1)))

    def read(
        self, decoder: Decoder, rows: _Rows, keep: dict[str, NDArray[np.bool_]] | None = None
    ) -> Reading | None:
        """Calibrate on dev and score on test, with equal numbers of tokens; None if too few."""
        keys = ("dev", "test")
        kept = {k: slice(None) if keep is None else keep[k] for k in keys}
        at, y = ([part[k][kept[k]] for k in keys] for part in (rows.state, rows.label))
        n = min(map(len, y))
        if n < _FEWEST:
            return None
        scores: list[Floats] = []
        for key, places in zip(keys, at, strict=True):
            states = np.asarray(self.states[key][places[:n]], dtype=np.float64)[:, None]
            scores += decoder.decode(states, 1)
        labels = np.concatenate([part[:n] for part in y])
        return read(np.concatenate(scores), labels, decoder.channel.log_prior)

    def control(self, name: str, rows: _Rows) -> Reading | None:
        """Train and score a probe on the control task."""
        labels = {
            key: self.material.controls[name][part.types[rows.token[key]]]
            for key, part in self.material.parts.items()
        }
        rows = rows._replace(label=labels)
        return self.read(self.fit(name, rows), rows)


def _write(
    score: Callable[..., Score], words: str, reading: Reading, control: Reading | None = None
) -> Iterator[Score]:
    """Scores of a reading and, with a control task, its accuracy and the selectivity."""
    share = max(reading.bits, 0.0) / reading.entropy if reading.entropy > 0 else 0.0
    yield score(words, "accuracy", value=reading.accuracy)
    yield score(words, "bits", value=reading.bits, unit="bits")
    yield score(words, "share", value=share)
    if control is not None:
        yield score(words, "control_accuracy", value=control.accuracy)
        yield score(words, "selectivity", value=reading.accuracy - control.accuracy)


def structure_scores(
    corpus: Corpus,
    material: Material,
    states: SplitStates,
    model: str,
    seed: int,
    *,
    probe: str = "discriminant",
    lags: tuple[int, ...] = LAGS,
    words: str = "",
    control: bool = True,
) -> Iterator[Score]:
    """Every property at every lag, from `states`, shape=(T, M); `words` join the condition."""
    score = partial(Score, corpus.name, "structure", model, role=None, seed=seed)
    probes = _Probes(material, states, probe, seed)
    for name in material.names:
        if name == AGREEMENT:
            if control:
                yield from _agreement(probes, score)
            continue
        for lag in lags:
            rows = _rows(material, name, lag)
            if len(rows.state["train"]) < _FEWEST:
                continue
            reading = probes.read(probes.fit(name, rows), rows)
            if reading is not None:
                wanted = control and name in material.controls
                random = probes.control(name, rows) if wanted else None
                yield from _write(score, f"property={name} lag={lag}{words}", reading, random)


def _agreement(probes: _Probes, score: Callable[..., Score]) -> Iterator[Score]:
    """One probe at the state before the verb, scored by the distance of the subject."""
    material = probes.material
    rows = _rows(material, AGREEMENT, -1)
    if len(rows.state["train"]) < _FEWEST:
        return
    fitted = probes.fit(AGREEMENT, rows)
    reading = probes.read(fitted, rows)
    if reading is None:
        return
    yield from _write(score, f"property={AGREEMENT}", reading, probes.control(AGREEMENT, rows))
    for lag in LAGS:
        keep = {
            key: part.distances[rows.token[key]] == lag + 1 for key, part in material.parts.items()
        }
        found = probes.read(fitted, rows, keep)
        if found is not None:
            yield from _write(score, f"property={AGREEMENT} lag={lag}", found)


def plane_scores(
    corpus: Corpus, material: Material, states: SplitStates, model: str, seed: int, probe: str
) -> Iterator[Score]:
    """How much the word alone, and the past alone, tell about each property.

    The word is scored by the label counts of its type (only with the model ``traces``); the past,
    under the name of its memory, by the probe on the state before the word.
    """
    score = partial(Score, corpus.name, "plane", role=None, seed=seed)
    probes = _Probes(material, states, probe, seed)
    for name in material.names:
        words = f"property={name}"
        rows = _rows(material, name, 0)
        types = {key: part.types[rows.token[key]] for key, part in material.parts.items()}
        n = min(len(types["dev"]), len(types["test"]))
        if n < _FEWEST:
            continue
        if model == "traces":
            n_labels = len(material.names[name])
            prior = _label_prior(rows.label["train"], n_labels)
            counts = np.zeros((len(material.counts), n_labels))
            np.add.at(counts, (types["train"], rows.label["train"]), 1)
            table = np.log((counts + prior) / (counts.sum(axis=1, keepdims=True) + 1) / prior)
            asked, labels = (
                np.concatenate([of["dev"][:n], of["test"][:n]]) for of in (types, rows.label)
            )
            word = read(table[asked], labels, np.log(prior))
            yield from _write(partial(score, "word"), words, word)
        before = _rows(material, name, -1)
        past = probes.read(probes.fit(name, before), before)
        if past is not None:
            yield from _write(partial(score, model), words, past)


def content_scores(
    corpus: str, material: Material, codes: Floats, taus: Floats, seed: int, n_states: int
) -> Iterator[Score]:
    """Which word is at each lag, by cancellation on traces that reach back over all of `LAGS`."""
    prior = (material.counts + 0.5) / (material.counts + 0.5).sum()
    n = min(n_states, max(_FEWEST, _MOST_SCORES // len(prior))) // 2
    rng = np.random.default_rng([seed, 8])
    score = partial(Score, corpus, "structure", "cancellation", role=None, seed=seed)
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
                yield from _write(score, words, reading)
