"""Rivals: established methods that cluster tokens without labels, for comparison.

Each file holds one method, a subclass of `Rival` with ``fit(sentences)``, ``predict(sentences)``
and ``memberships(sentences)``. None uses the role network, the engine or labels. ``settings.toml``
holds the settings chosen on dev for each kind of corpus.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim.config import read_toml
from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from hebbsim.rivals.base import Rival

__all__ = ["CHEAP", "RIVALS", "SETTINGS", "new_rival", "rival_class", "settings_for"]

#: Module and class of every rival, by name.
RIVALS = {
    "skipgram": "hebbsim.rivals.skipgram:SkipGram",
    "spectral": "hebbsim.rivals.spectral:Spectral",
    "brown": "hebbsim.rivals.brown:Brown",
    "hmm": "hebbsim.rivals.hmm:HMM",
    "hmm-online": "hebbsim.rivals.hmm:OnlineHMM",
    "masked-bigru": "hebbsim.rivals.masked:MaskedBiGRU",
}
#: Rivals that add little to the time of a run and need no extra library.
CHEAP = ("spectral", "hmm-online")
#: Settings chosen on dev, by kind of corpus and rival.
SETTINGS = Path(__file__).with_name("settings.toml")


def rival_class(name: str) -> type[Rival]:
    """The class of a rival.

    Examples
    --------
    >>> rival_class("brown").__name__
    'Brown'
    """
    return pkgutil.resolve_name(RIVALS[name])


def settings_for(name: str, kinds: Sequence[str]) -> dict[str, Any]:
    """Settings of a rival that were chosen on dev, for the first of `kinds` that has any.

    Parameters
    ----------
    name : str
    kinds : sequence of str
        See `hebbsim.readers.corpus_kinds.kinds_of`.
    """
    said = read_toml(SETTINGS, "the settings of the rivals")
    return next((dict(said[kind][name]) for kind in kinds if name in said.get(kind, {})), {})


def new_rival(name: str, n_clusters: int, seed: int, settings: Mapping[str, Any]) -> Rival:
    """Create an unfitted rival.

    Raises
    ------
    BadInputError
        It has no such setting.
    """
    of = rival_class(name)
    known = {field.name for field in fields(of) if field.init} - {"n_clusters", "random_state"}
    for key in settings:
        if key not in known:
            raise BadInputError(f"{name} has no {key!r}: choose {', '.join(sorted(known))}")
    return of(n_clusters=n_clusters, random_state=seed, **settings)
