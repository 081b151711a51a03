"""Local learning rules, one file each.

To add a rule to the package, put a file ``NAME.py`` with a kernel and a ``RULE`` into this
folder. The registry, the engine and the test suites find it by its file name; the tests also need
an oracle, the function ``NAME`` in ``tests/naive.py``. A file for `load_rules` has the same
content::

    @njit
    def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
        for t in range(len(pre)):
            ...

    RULE = Rule(name="NAME", source="the paper", equation="ΔW = ...", learn=learn)

The kernel processes a chunk of B tokens. Its arguments are float32 unless stated otherwise:

``weights``, shape=(m, n)
    One row per unit; updated in place.
``state``, shape as the rule's ``start(n, m)`` returns it
    Other state of the rule; updated in place.
``pre``, shape=(B, n)
    Traces of the context at each token, before the token is absorbed; timescale s of
    dimension d is in column ``s * D + d``.
``tokens``, int32, shape=(B,), and ``table``, shape=(V, D)
    The vector of token t is ``table[tokens[t]]``: the target if the rule has one. Its D
    may differ from that of the traces in ``pre``, except for a ``recurrent`` rule.
``clamped``, bool
    Whether the activity is the token's vector (``post="token"``) instead of the response.
``eta``, scalar
    Learning rate. With 0 the kernel must fill ``post`` and change neither weights nor state,
    so that a layer can respond without learning.
``parameters``, shape=(P,)
    In the order in which the rule names them.
``post``, shape=(B, m)
    Filled with the activity of the units, before the update.

The arithmetic per token must not depend on the length of the chunk, so that results do not depend
on how a stream is cut. If units are independent, it is fastest to loop over units outside and
over tokens inside, which keeps the weights of one unit in the cache.

A rule may have a second kernel, ``learn_blocks``, that processes several tokens at a time and
equals the first up to rounding.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim.engine.rules._rule import Rule
from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["Rule", "builtin_names", "get_rule", "load_rules", "register_rule", "rule_names"]

#: Entry points by which other packages declare rules: ``NAME = module:RULE``.
ENTRY_POINTS = "hebbsim.rules"

# Rules registered in this process: as given, and with compiled kernels.
_registered: dict[str, tuple[Any, Rule]] = {}


@functools.cache
def builtin_names() -> tuple[str, ...]:
    """Names of the built-in rules, sorted: the files of this folder."""
    files = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in files if not name.startswith("_")))


@functools.cache
def _declared() -> dict[str, EntryPoint]:
    """Rules that installed packages declare, by name; imports none."""
    from importlib.metadata import entry_points

    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINTS):
        other = found.setdefault(point.name, point)
        if point.name in builtin_names() or other.value != point.value:
            taken = "hebbsim" if point.name in builtin_names() else _by(other)
            raise BadInputError(
                f"{_by(point)} declares a rule {point.name}, which {taken} has already: "
                "uninstall one"
            )
    return found


def _by(point: EntryPoint) -> str:
    return f"package {point.dist.name}" if point.dist else f"entry point {point.value}"


def rule_names() -> tuple[str, ...]:
    """Names of all rules, sorted: built-in, declared by installed packages or registered.

    Examples
    --------
    >>> "oja" in rule_names()
    True
    """
    return tuple(sorted({*builtin_names(), *_registered, *_declared()}))


def get_rule(name: str) -> Rule:
    """Look up a rule by name.

    Raises
    ------
    BadInputError
        There is none, or it is declared by an installed package and unusable.

    Examples
    --------
    >>> print(get_rule("delta").equation)
    ΔW = η (x − y) hᵀ,  y = W h
    """
    if name in builtin_names():
        return importlib.import_module(f"{__name__}.{name}").RULE
    if name not in _registered and name in _declared():
        _register_declared(_declared()[name])
    if name in _registered:
        return _registered[name][1]
    names = rule_names()
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose {', '.join(names)}"
    raise BadInputError(f"learning rule {name!r} is unknown: {hint}")


def register_rule(rule: Rule) -> Rule:
    """Register a learning rule under its name in this process.

    Parameters
    ----------
    rule : Rule
        Its kernels may be compiled by `hebbsim.engine.njit` or by numba; plain functions are
        compiled here.

    Returns
    -------
    Rule
        The rule with its kernels compiled.

    Raises
    ------
    BadInputError
        Another rule has that name, or a kernel has the wrong arguments, cannot be compiled, or
        does not fill `post`.

    Examples
    --------
    >>> def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    ...     for t in range(len(pre)):
    ...         for i in range(len(weights)):
    ...             post[t, i] = table[tokens[t], i]
    ...             weights[i] += eta * post[t, i] * (pre[t] - weights[i])
    >>> rule = register_rule(Rule("outer", "A paper (2026).", "ΔW = η x (h − W)ᵀ", learn,
    ...                           posts=("token",)))
    >>> get_rule("outer") is rule
    True
    """
    from hebbsim.engine.rules._check import checked

    name = getattr(rule, "name", None)
    if name in _registered and _registered[name][0] is rule:
        return _registered[name][1]
    if name in _registered or name in builtin_names():
        raise BadInputError(f"there is a rule {name} already: give yours another name")
    made = checked(rule)
    _registered[made.name] = rule, made
    return made


def load_rules(files: Iterable[str | Path] | str | Path) -> tuple[str, ...]:
    """Register every `Rule` that Python files define, under any name, and return their names.

    Raises
    ------
    BadInputError
        A file cannot be imported or defines no rule, or a rule cannot be registered.
    """
    from hebbsim.extensions import import_file

    names: list[str] = []
    for file in [files] if isinstance(files, str | Path) else files:
        module = import_file(file)
        # Excludes rules that the file imports from here.
        here = {id(get_rule(name)) for name in builtin_names()}
        found = [r for r in vars(module).values() if isinstance(r, Rule) and id(r) not in here]
        if not found:
            raise BadInputError(f"{file}: defines no rule: add RULE = Rule(...) to it")
        for rule in found:
            try:
                names.append(register_rule(rule).name)
            except BadInputError as error:
                raise BadInputError(f"{file}: {error}") from None
    return tuple(dict.fromkeys(names))


def _register_declared(point: EntryPoint) -> None:
    try:
        rule = point.load()
        if getattr(rule, "name", point.name) != point.name:
            raise BadInputError(f"{point.value} is a rule by another name, {rule.name}")
        register_rule(rule)
    except Exception as error:  # another package's module may raise anything
        raise BadInputError(f"learning rule {point.name} of {_by(point)}: {error}") from None
