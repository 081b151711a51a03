"""Applies trained learners to new text, and describes what they have learned.

Modules that load learners are imported on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hebbsim.tagging.tagger import Assignment, RoleTagger, Token, load

__all__ = ["Assignment", "RoleTagger", "Token", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(f"{__name__}.tagger"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
