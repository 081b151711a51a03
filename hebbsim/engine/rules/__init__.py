"""Local learning rules, one file each.

To add a rule to the package, put a file ``NAME.py`` with a kernel and a ``RULE`` into this
folder; nothing else in the package changes. The registry, the engine and the checks that every
rule must pass find it by its file name. The checks also need an oracle, the function ``NAME`` in
``tests/naive.py``. A file elsewhere, which `load_rules` takes, has the same content::

    @njit
    def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
        for t in range(len(pre)):
            ...

    RULE = Rule(name="NAME", source="the paper", equation="ΔW = ...", learn=learn)

The kernel goes through a chunk of B tokens and fills the arrays it is given, all float32:

``weights``, shape=(m, n)
    One row per unit; updated in place.
``state``, shape as the rule's ``start(n, m)`` returns it
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
    Learning rate. With 0 the kernel must fill ``post`` and change neither weights nor state:
    this is how a layer responds without learning.
``parameters``, shape=(P,)
    In the order in which the rule names them.
``post``, shape=(B, m)
    Filled with the activity of the units, taken before the update.

Each token must be treated with the same arithmetic, however long the chunk is: results may not
depend on how a stream is cut. If units do not depend on each other, it is fastest to loop over
units outside and over tokens inside, so that the weights of one unit stay in the cache.

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

#: Where other packages declare rules of theirs, in their metadata: ``NAME = module:RULE``.
ENTRY_POINTS = "hebbsim.rules"

# Rules registered in this process, each as it was given and as it is learned by.
_registered: dict[str, tuple[Any, Rule]] = {}


@functools.cache
def builtin_names() -> tuple[str, ...]:
    """Names of the rules of this package, sorted: the files of this folder."""
    files = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in files if not name.startswith("_")))


@functools.cache
def _declared() -> dict[str, EntryPoint]:
    """Rules that installed packages declare, by name; none is imported."""
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
    """Names of all rules, sorted: built in, declared by installed packages, registered.

    Examples
    --------
    >>> "oja" in rule_names()
    True
    """
    return tuple(sorted({*builtin_names(), *_registered, *_declared()}))


def get_rule(name: str) -> Rule:
    """The rule of that name.

    Raises
    ------
    BadInputError
        There is none, or one that an installed package declares cannot be used.

    Examples
    --------
    >>> print(get_rule("delta").equation)
    ΔW = η (x − y) hᵀ,  y = W h
    """
    if name in builtin_names():
        rule: Rule = importlib.import_module(f"{__name__}.{name}").RULE
        return rule
    if name not in _registered and name in _declared():
        _register_declared(_declared()[name])
    if name in _registered:
        return _registered[name][1]
    names = rule_names()
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose {', '.join(names)}"
    raise BadInputError(f"learning rule {name!r} is unknown: {hint}")


def register_rule(rule: Rule) -> Rule:
    """Register a learning rule, so that this process can use it by its name.

    Parameters
    ----------
    rule : Rule
        The rule. Its kernels may be compiled by `hebbsim.engine.njit` or by numba; plain
        functions are compiled here.

    Returns
    -------
    Rule
        The rule with its kernels compiled.

    Raises
    ------
    BadInputError
        Another rule has that name; or a kernel has the wrong arguments, cannot be compiled, or
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
        return _registered[name][1]  # once more
    if name in _registered or name in builtin_names():
        raise BadInputError(f"there is a rule {name} already: give yours another name")
    made = checked(rule)
    _registered[made.name] = rule, made
    return made


def load_rules(files: Iterable[str | Path]) -> tuple[str, ...]:
    """Register the rules that Python files define, and return their names.

    Whatever stands in a file under a name of its own and is a `Rule` counts, ``RULE`` as any.

    Raises
    ------
    BadInputError
        A file cannot be imported or defines no rule, or a rule cannot be registered.
    """
    from hebbsim.extensions import import_file

    names: list[str] = []
    for file in files:
        module = import_file(file)
        # What a file imports from here it does not define.
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
    except Exception as error:  # whatever someone else's module may raise
        raise BadInputError(f"learning rule {point.name} of {_by(point)}: {error}") from None
