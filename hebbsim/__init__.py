"""hebbsim: Hebbian learning on multi-timescale traces of language.

Importing the package is cheap: numba, spacy and torch load when first used.
"""

import importlib
from typing import Any

from hebbsim._version import __version__

# Public name -> module that defines it; resolved on first use (PEP 562).
_LAZY = {
    "TraceEngine": "hebbsim.engine",
    "RoleNetwork": "hebbsim.models",
    "RolePopulation": "hebbsim.models",
    "RoleTagger": "hebbsim.tagging",
    "load": "hebbsim.tagging",
    "load_corpus": "hebbsim.readers",
    "run_roles": "hebbsim.experiments.roles.run",
}

__all__ = ["__version__", *sorted(_LAZY)]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'hebbsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
