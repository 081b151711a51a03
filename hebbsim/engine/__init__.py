"""Traces and local learning rules, compiled: the only home of numba in the package.

Importing this package is cheap; numba loads when a name that needs it is first used.
"""

import importlib
from typing import Any

# Public name -> module that defines it; resolved on first use (PEP 562).
_LAZY = {
    "Rule": "rules",
    "TraceEngine": "trace_engine",
    "check_timescales": "timescales",
    "dense_traces": "traces",
    "get_rule": "rules",
    "last_traces": "traces",
    "load_rules": "rules",
    "njit": "_jit",
    "register_rule": "rules",
    "rule_names": "rules",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
