"""Describes what a tagger has learned: its clusters, their input words, and similar words."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.network import Network
from hebbsim.engine.timescales import check_timescales
from hebbsim.errors import BadInputError
from hebbsim.tagging.tagger import RoleTagger

#: Minimum count of the words that are listed.
_LEAST_COUNT = 5


class ClusterPortrait(NamedTuple):
    """A cluster in human-readable form."""

    cluster: int
    #: Number of tokens of the naming text.
    size: int
    #: Most frequent roles, with their shares of the tokens.
    roles: list[tuple[str, float]]
    #: Most frequent words.
    words: list[str]


def cluster_portraits(tagger: RoleTagger, member: int = 0) -> list[ClusterPortrait]:
    """The non-empty clusters of one of the learners, the largest first.

    Raises BadInputError if the clusters have not been named.
    """
    naming = tagger.naming
    if naming is None:
        raise BadInputError("this tagger has no names of clusters; see RoleTagger.name")
    sizes, counts = naming.sizes[member], naming.of_roles(member)
    found = []
    for cluster in np.argsort(-sizes, kind="stable").tolist():
        size, of_roles = int(sizes[cluster]), counts[cluster]
        if size:
            order = np.argsort(-of_roles, kind="stable")[:3].tolist()
            roles = [(naming.roles[r], float(of_roles[r] / size)) for r in order if of_roles[r] > 0]
            words = [word for word, _ in naming.words[member][cluster]]
            found.append(ClusterPortrait(cluster, size, roles, words))
    return found


def listens_to(
    tagger: RoleTagger, cluster: int, *, n: int = 5, member: int = 0
) -> dict[str, dict[float, list[str]]]:
    """The `n` context words that attract a token most to a cluster, by side and timescale.

    Sides are ``left`` and ``right``, timescales in tokens. The prototype is mapped back along the
    directions of each side's traces (as square roots). This gives a weight for every category at
    every timescale, and with the square root of its code a weight for every word.
    """
    network = tagger.members[member].network_
    top = network.top
    words = _frequent_words(network)
    codes = np.sqrt(tagger.members[member].word_codes(words))
    width, k = codes.shape[1], top.n_directions
    prototype = top.prototype_weights.values[cluster]
    own = network.timescales if top.timescales is None else top.timescales
    taus = check_timescales(own).tolist()
    found: dict[str, dict[float, list[str]]] = {}
    for side, name in enumerate(("left", "right")):
        weights = np.zeros(len(taus) * (width + 1), dtype=np.float32)
        for part, (matrix, length) in enumerate(
            (
                (top.prediction_weights[side].values, top.drawn_lengths[1 + side]),
                (_units(top.direction_weights[side].values), top.drawn_lengths[3 + side]),
            )
        ):
            at = width + (2 * part + side) * k
            weights += length * prototype[at : at + k] @ matrix
        by_scale = weights.reshape(len(taus), width + 1)[:, :width] @ codes.T
        found[name] = {
            tau: [words[i] for i in np.argsort(-row, kind="stable")[:n].tolist()]
            for tau, row in zip(taus, by_scale, strict=True)
        }
    return found


def nearest_words(
    tagger: RoleTagger, words: Sequence[str], *, n: int = 6, member: int = 0
) -> dict[str, list[str]]:
    """The known words with the most similar codes, for each of the given words.

    Raises BadInputError if the learner does not know one of the words.
    """
    learner = tagger.members[member]
    for word in words:
        if word not in learner.network_.index:
            raise BadInputError(f"the learner does not know the word {word!r}")
    known = _frequent_words(learner.network_)
    codes = _units(np.sqrt(learner.word_codes(known)))
    asked = _units(np.sqrt(learner.word_codes(words)))
    order = np.argsort(-(asked @ codes.T), axis=1, kind="stable")[:, : n + 1].tolist()
    return {
        word: [known[i] for i in row if known[i] != word][:n]
        for word, row in zip(words, order, strict=True)
    }


def common_words(tagger: RoleTagger, n: int, member: int = 0) -> list[str]:
    """The `n` most frequent words that contain a letter."""
    network = tagger.members[member].network_
    letters = [word for word in network.index if any(map(str.isalpha, word))]
    return sorted(letters, key=lambda word: -int(network.counts[network.index[word]]))[:n]


def _frequent_words(network: Network) -> list[str]:
    words = [word for word, row in network.index.items() if network.counts[row] >= _LEAST_COUNT]
    return words or list(network.index)


def _units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, np.float32(1))


def html_page(tagger: RoleTagger) -> str:
    """A self-contained HTML page with all clusters and the most frequent words."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, undefined=StrictUndefined
    )
    clusters = cluster_portraits(tagger)
    return environment.get_template("portrait.html.jinja").render(
        corpus=tagger.about.get("config", {}).get("corpus", "text"),
        n_tokens=sum(one.size for one in clusters),
        clusters=clusters,
        heard={one.cluster: listens_to(tagger, one.cluster, n=8) for one in clusters},
        alike=nearest_words(tagger, common_words(tagger, 40)),
    )
