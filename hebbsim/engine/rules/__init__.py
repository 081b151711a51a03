"""Local learning rules, one file each.

To add a rule, put a file ``NAME.py`` into this folder; nothing else in the package
changes. It holds a kernel and a ``RULE``, and the registry, the engine and the suite of
checks that every rule must pass find it by its file name. The suite asks for two things
of its own: an oracle in ``tests/naive.py``, one step by hand in ``tests/test_rules.py``::

    @njit
    def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
        for t in range(len(pre)):
            ...

    RULE = Rule(name="NAME", source="the paper", equation="ΔW = ...", learn=learn)

The kernel goes through a chunk of B tokens and fills the arrays it is given, all float32:

``weights``, shape=(m, n)
    One row a unit; updated in place.
``state``, shape as the rule's ``start(n, m)`` gave it
    Whatever else the rule remembers; updated in place.
``pre``, shape=(B, n)
    Traces of the context at each token, before the token is absorbed; timescale s of
    dimension d stands in column ``s * D + d``.
``tokens``, int32, shape=(B,), and ``table``, shape=(V, D)
    The vector of token t is ``table[tokens[t]]``: a target where the rule has one. Its D
    need not be that of the traces in ``pre``; only a rule that is ``recurrent`` asks for it.
``clamped``, bool
    Whether the post side is the token's vector (``post="token"``) instead of the units'
    own response.
``eta``, scalar
``parameters``, shape=(P,)
    In the order in which the rule names them.
``post``, shape=(B, m)
    Filled with the activity of the units, taken before the update.

Each token must be taken with the same arithmetic however long the chunk is: results may not
depend on how a stream is cut. Where units do not see each other it is fastest to go through
them outside and through the tokens inside, so that the weights of one stay in the cache.

A rule may name a second kernel, ``learn_blocks``, that takes several tokens at a time and
equals the first to rounding.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from pathlib import Path

from hebbsim.engine.rules._rule import Rule
from hebbsim.errors import BadInputError

__all__ = ["RULES_FOLDER", "Rule", "get_rule", "rule_names"]

#: Where a file registers a rule by being there.
RULES_FOLDER = Path(__path__[0])


def rule_names() -> tuple[str, ...]:
    """Names of all rules, sorted: the files of this folder.

    Examples
    --------
    >>> "oja" in rule_names()
    True
    """
    files = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in files if not name.startswith("_")))


def get_rule(name: str) -> Rule:
    """The rule of that name.

    Raises
    ------
    BadInputError
        No file of that name.

    Examples
    --------
    >>> print(get_rule("delta").equation)
    ΔW = η (x − y) hᵀ,  y = W h
    """
    names = rule_names()
    if name not in names:
        near = difflib.get_close_matches(str(name), names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose {', '.join(names)}"
        raise BadInputError(f"learning rule {name!r} is unknown: {hint}")
    return importlib.import_module(f"{__name__}.{name}").RULE
