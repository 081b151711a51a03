"""What a tagger has learned, in words: its clusters, what each listens to, words that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.timescales import check_timescales
from hebbsim.errors import BadInputError
from hebbsim.tagging.tagger import RoleTagger

#: Words that are looked for among those that occurred so often.
_KNOWN_FROM = 5


class ClusterPortrait(NamedTuple):
    """A cluster as a person can read it.

    Attributes
    ----------
    cluster, size : int
        Its number, and the tokens of the naming text that fell into it.
    roles : list of (str, float)
        Its commonest roles, and the share of its tokens that have each.
    words : list of str
        Its commonest words.
    """

    cluster: int
    size: int
    roles: list[tuple[str, float]]
    words: list[str]


def cluster_portraits(tagger: RoleTagger, member: int = 0) -> list[ClusterPortrait]:
    """The clusters of one of the learners, the largest first, those without a token left out.

    Raises
    ------
    BadInputError
        The clusters have not been named.
    """
    if tagger.naming is None:
        raise BadInputError("this tagger has no names of clusters; see RoleTagger.name")
    sizes, counts = tagger.naming.sizes[member], tagger.naming.of_roles(member)
    found = []
    for cluster in np.argsort(-sizes, kind="stable").tolist():
        size = int(sizes[cluster])
        if size:
            order = np.argsort(-counts[cluster], kind="stable")[:3].tolist()
            named = [(tagger.naming.roles[r], float(counts[cluster, r] / size)) for r in order]
            words = [word for word, _ in tagger.naming.words[member][cluster]]
            roles = [(role, share) for role, share in named if share > 0]
            found.append(ClusterPortrait(cluster, size, roles, words))
    return found


def listens_to(
    tagger: RoleTagger, cluster: int, *, n: int = 5, member: int = 0
) -> dict[str, dict[float, list[str]]]:
    """The words around a token that draw it most to a prototype.

    A prototype is compared with directions of the root of each side's traces. Led back along them
    it gives a weight for every category at every timescale, and with the root of its code a
    weight for every word.

    Returns
    -------
    dict of str to dict of float to list of str
        By side (``left``, ``right``) and timescale in tokens, the `n` words of largest weight.
    """
    network = tagger.members[member].network_
    top = network.top
    words = [word for word, row in network.index.items() if network.counts[row] >= _KNOWN_FROM]
    words = words or list(network.index)
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
    """The known words whose codes lie nearest to those of some words.

    Raises
    ------
    BadInputError
        The learner does not know one of the words.
    """
    learner = tagger.members[member]
    index = learner.network_.index
    for word in words:
        if word not in index:
            raise BadInputError(f"the learner does not know the word {word!r}")
    counts = learner.network_.counts
    known = [word for word, row in index.items() if counts[row] >= _KNOWN_FROM] or list(index)
    codes = _units(np.sqrt(learner.word_codes(known)))
    asked = _units(np.sqrt(learner.word_codes(words)))
    order = np.argsort(-(asked @ codes.T), axis=1, kind="stable")[:, : n + 1].tolist()
    return {
        word: [known[i] for i in row if known[i] != word][:n]
        for word, row in zip(words, order, strict=True)
    }


def common_words(tagger: RoleTagger, n: int, member: int = 0) -> list[str]:
    """The words that occurred most, those without a letter left out."""
    network = tagger.members[member].network_
    letters = [word for word in network.index if any(map(str.isalpha, word))]
    return sorted(letters, key=lambda word: -int(network.counts[network.index[word]]))[:n]


def _units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units: NDArray[np.float32] = rows / np.where(lengths > 0, lengths, np.float32(1))
    return units


def html_page(tagger: RoleTagger) -> str:
    """All clusters and the commonest words on one page that asks nothing of elsewhere."""
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
