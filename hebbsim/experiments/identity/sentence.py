"""Decodes one sentence, word by word, from the state after its last word.

>>> results = run_sentence(sentence="The dog saw a cat.", seeds=1, precision="float32",
...                        noise="none", decoders="cancellation")
>>> [word.read for word in reversed(results.tables["sentence"])]
['the', 'dog', 'saw', 'a', 'cat', '.']
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from hebbsim.errors import BadInputError
from hebbsim.experiments.identity.config import IdentityConfig
from hebbsim.experiments.identity.material import (
    Material,
    corpus_codes,
    draw_material,
    fixed_states,
)
from hebbsim.experiments.identity.structure import fit_rows
from hebbsim.probes.identity import Channel, Condition, get_decoder, make_states
from hebbsim.probes.identity.states import Floats, Ints
from hebbsim.readers.text import split_text
from hebbsim.runs.results import Progress, Results, Score, provenance, summarize
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function

#: Properties that are read for every word.
SHOWN = ("pos", "role", "depth")
#: Structure is read up to this lag, because few sentences are longer.
_FURTHEST = 12
_LONGEST = 60


@dataclass(frozen=True)
class Word:
    """What a decoder reads at one lag, with the codes from one seed."""

    seed: int
    decoder: str
    condition: str
    lag: int
    word: str
    read: str
    probability: float


@dataclass(frozen=True)
class Structure:
    """What a linear probe reads about the structure of one word, which has no gold label."""

    lag: int
    word: str
    property: str
    read: str
    probability: float


@run_function(IdentityConfig)
def run_sentence(config: IdentityConfig, cache: RunCache, progress: Progress) -> Results:
    """Run a sentence through traces, and decode its words and their structure from the last state.

    The code book holds the words of the corpus `structure` and of the sentence. Probabilities
    follow from the likelihoods of the decoder and are not calibrated.

    Metric ``right`` by decoder, condition and lag, and as a share of all words. Tables ``sentence``
    (`Word`) and ``structure`` (`Structure`).
    """
    from hebbsim.readers import load_corpus

    words = [word for sentence in split_text(config.sentence or "") for word in sentence]
    if not words:
        raise BadInputError("--sentence: there is no word in it; give some text")
    if len(words) > _LONGEST:
        raise BadInputError(
            f"--sentence: {len(words)} words, at most {_LONGEST} can be shown; give a shorter one"
        )
    cache.begin("sentence", config.resolved(), {})
    name = config.structure
    if name in ("auto", "none"):
        name = "builtin" if config.stream in ("uniform", "zipf") else config.stream
    corpus = load_corpus(name, offline=config.offline)
    found: list[Word] = []
    seen: list[Structure] = []
    with threadpool_limits(1):  # BLAS sums in another order with more threads
        progress(None, 0, config.seeds)
        for seed in range(config.seeds):
            material = draw_material(corpus, config, seed)
            number = {word: i for i, word in enumerate(material.words)}
            tokens = np.array([number.setdefault(word, len(number)) for word in words])
            codes = corpus_codes(material, config.dim, seed, config.codes, len(number))
            found += _read_words(config, seed, material.counts, list(number), tokens, codes)
            if seed == 0:
                # With learned codes, as the role learner keeps them in its traces.
                codes = corpus_codes(material, config.dim, seed, "learned", len(number))
                seen = list(_read_structure(config, material, words, tokens, codes))
            progress(None, seed + 1, config.seeds)
    results = Results(
        experiment="sentence",
        config=config.resolved(),
        provenance=provenance(inputs=corpus.sha256 | config.digests(), seeds=range(config.seeds)),
        rows=summarize(_scores(corpus.name, found)),
        tables={"sentence": found, "structure": seen},
        notes=list(corpus.notes),
    )
    new = sorted(set(words) - set(corpus.splits["train"].forms.tolist()))
    if new:
        results.notes.append(
            f"not in {corpus.name}, so their structure is unknown: {', '.join(new)}"
        )
    return results


def _read_words(
    config: IdentityConfig, seed: int, counts: Ints, words: list[str], tokens: Ints, codes: Floats
) -> Iterator[Word]:
    smoothed = np.pad(counts, (0, len(words) - len(counts))) + 0.5
    prior = smoothed / smoothed.sum()
    for condition in config.conditions:
        rng = np.random.default_rng([seed, 9])
        states = make_states(
            codes, tokens[None], config.taus(), condition,
            n_last=1, n_lags=len(tokens), rng=rng,
        )  # fmt: skip
        channel = Channel(codes, config.taus(), states.noise, prior, n_past=len(tokens))
        for name in config.decoders:
            if get_decoder(name).trained:
                continue  # there is no training data
            decoder = get_decoder(name)(channel, random_state=seed)
            for lag, scores in enumerate(decoder.decode(states.values, len(tokens))):
                shares = softmax(scores[0] + channel.log_prior)
                right = tokens[len(tokens) - 1 - lag]
                yield Word(
                    seed, name, condition.words, lag, words[right],
                    words[int(shares.argmax())], float(shares[right]),
                )  # fmt: skip


def _read_structure(
    config: IdentityConfig, material: Material, words: list[str], tokens: Ints, codes: Floats
) -> Iterator[Structure]:
    """Read the structure with linear probes trained on the corpus."""
    states = fixed_states("traces", material, codes, config.taus(), 0)
    last = make_states(
        codes, tokens[None], config.taus(), Condition("float32"),
        n_last=1, n_lags=1, rng=np.random.default_rng(0),
    ).values.reshape(1, 1, -1)  # fmt: skip
    for lag in range(min(len(words), _FURTHEST + 1)):
        for name in SHOWN:
            if name not in material.names:
                continue
            decoder = fit_rows(config.probe, material, states, name, lag)
            if decoder is None:
                continue
            scores = next(iter(decoder.decode(last, 1)))[0]
            shares = softmax(scores + decoder.channel.log_prior)
            best = int(shares.argmax())
            yield Structure(
                lag, words[-1 - lag], name, str(material.names[name][best]), float(shares[best])
            )


def _scores(corpus: str, found: list[Word]) -> Iterator[Score]:
    right: dict[tuple[str, str, int], list[bool]] = {}
    for by_lag, word in itertools.product((True, False), found):
        condition = f"lag={word.lag} " * by_lag + word.condition
        key = (word.decoder, condition, word.seed)
        right.setdefault(key, []).append(word.word == word.read)
    for (decoder, condition, seed), hits in right.items():
        share = float(np.mean(hits))
        yield Score(corpus, "sentence", decoder, condition, "right", None, seed, share)
