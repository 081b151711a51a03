"""A learner put to use: roles of new text, and what was learned as a person can read it.

Importing this package is cheap; what reads learners loads when a name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hebbsim.tagging.tagger import Assignment, RoleTagger, Token, load

__all__ = ["Assignment", "RoleTagger", "Token", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(f"{__name__}.tagger"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
