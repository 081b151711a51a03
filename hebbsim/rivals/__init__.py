"""Rivals that learn clusters of tokens without labels, as a user might take them off the shelf.

Each is a file of its own with one class, a subclass of `Rival`: ``fit(sentences)``,
``predict(sentences)`` and ``memberships(sentences)``. None of them knows the learner, its engine or
a label. ``settings.toml`` holds what dev chose for each kind of corpus.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim.config import read_toml
from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from hebbsim.rivals.base import Rival

__all__ = ["CHEAP", "RIVALS", "SETTINGS", "new_rival", "rival_class", "settings_for"]

#: Every rival by name: its module and its class.
RIVALS = {
    "skipgram": "hebbsim.rivals.skipgram:SkipGram",
    "spectral": "hebbsim.rivals.spectral:Spectral",
    "brown": "hebbsim.rivals.brown:Brown",
    "hmm": "hebbsim.rivals.hmm:HMM",
    "hmm-online": "hebbsim.rivals.hmm:OnlineHMM",
    "masked-bigru": "hebbsim.rivals.masked:MaskedBiGRU",
}
#: Those that add little to a run, and need no library beyond the base installation.
CHEAP = ("spectral", "hmm-online")
#: What dev chose, by kind of corpus and rival.
SETTINGS = Path(__file__).with_name("settings.toml")


def rival_class(name: str) -> type[Rival]:
    """The class of a rival.

    Examples
    --------
    >>> rival_class("brown").__name__
    'Brown'
    """
    module, _, of = RIVALS[name].partition(":")
    found: type[Rival] = getattr(importlib.import_module(module), of)
    return found


def settings_for(name: str, kinds: Sequence[str]) -> dict[str, Any]:
    """What dev chose for a rival on the narrowest kind of corpus that was searched.

    Parameters
    ----------
    name : str
    kinds : sequence of str
        As of `hebbsim.readers.corpus_kinds.kinds_of`.
    """
    said = read_toml(SETTINGS, "the settings of the rivals")
    return next((dict(said[kind][name]) for kind in kinds if name in said.get(kind, {})), {})


def new_rival(name: str, n_clusters: int, seed: int, settings: Mapping[str, Any]) -> Rival:
    """A rival, yet to learn.

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
