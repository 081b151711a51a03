"""The project's ``njit``: one set of compile options and a cache that never stops a run.

numba looks for a writable cache folder in this order: ``NUMBA_CACHE_DIR``, the
``__pycache__`` beside the source, the user's cache folder. Three things are added
here: where none of them can be written the kernel compiles uncached; a cache file that
cannot be read or written later (full disk, truncated file) costs a compilation and
nothing else; and a kernel is compiled anew when any engine module that it draws on has
changed, not only its own file.

Half of the time from the start of a process to its first result goes into loading numba.
Two things that it does then are put off: see `_uncollected` and `_scipy_later`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any, TypeVar, overload


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection: numba makes many objects when it loads, and keeps them all."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextlib.contextmanager
def _scipy_later() -> Iterator[None]:
    """Let numba find SciPy's BLAS without loading it; no kernel here calls it.

    numba loads scipy.linalg only to know that it is there, and again when a function that
    needs it is compiled: a stand-in answers the first question.
    """
    names = ("scipy", "scipy.linalg", "scipy.linalg.cython_blas")
    stand_ins = [name for name in names if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in stand_ins})
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


with _uncollected():
    import numba

    with _scipy_later():
        import numba.np.arraymath
    from numba.core.caching import FunctionCache, IndexDataCacheFile

__all__ = ["FASTMATH", "KERNELS", "njit", "specialised"]

#: Every kernel made so far, for those who ask what is compiled and where it is kept.
KERNELS: list[Any] = []

# Sums may be reordered (so that dot products vectorise) and multiply-adds fused. Never
# `nnan` or `ninf`: the check for weights that stop being finite must keep its meaning.
FASTMATH = frozenset({"reassoc", "contract"})

# A call that is not inlined goes to whichever machine code of that name the process loaded
# first: that of the kernel called, or the copy that came with a caller, whose sums may be
# ordered otherwise. Results would then depend on what was compiled and what came from the cache.
_OPTIONS = {
    "fastmath": set(FASTMATH),
    "error_model": "numpy",
    "nogil": True,
    "forceinline": True,
}

_PACKAGE = __name__.rpartition(".")[0]
_Function = TypeVar("_Function", bound=Callable[..., Any])


@overload
def njit(function: _Function, /, **options: Any) -> _Function: ...
@overload
def njit(**options: Any) -> Callable[[_Function], _Function]: ...


def njit(function: Any = None, /, *, plain: Any = None, keep: bool = True, **options: Any) -> Any:
    """Compile a kernel lazily, release the GIL while it runs, keep the machine code.

    A kernel that another calls becomes a part of it, so that results are the same whether
    kernels were compiled in this process or came from the cache.

    Use as ``@njit`` or ``@njit(option=value)``; options are those of ``numba.njit``.
    Division follows numpy (by zero gives inf or NaN, no exception). With
    ``NUMBA_DISABLE_JIT=1`` the function comes back as it is, or `plain` in its place.

    Parameters
    ----------
    function : callable
    plain : callable, optional
        The same by numpy, for the small loops that kernels are made of: Python would take
        them number by number, and a kernel a thousand times as long.
    keep : bool
        Keep the machine code for other processes.

    Examples
    --------
    >>> import numpy as np
    >>> @njit
    ... def scale(x, factor):
    ...     for i in range(len(x)):
    ...         x[i] *= factor
    >>> x = np.ones(3, dtype=np.float32)
    >>> scale(x, np.float32(2))
    >>> x
    array([2., 2., 2.], dtype=float32)
    """
    if function is None:
        return lambda function: njit(function, plain=plain, keep=keep, **options)
    dispatcher = numba.njit(**{**_OPTIONS, **options})(function)
    if dispatcher is function:  # the JIT is off
        return function if plain is None else plain
    KERNELS.append(dispatcher)
    if not keep:
        return dispatcher
    with contextlib.suppress(RuntimeError, OSError):  # no folder can be written
        dispatcher._cache = _KernelCache(function)
    return dispatcher


@functools.cache
def _specialised(kernel: FunctionType, functions: tuple[tuple[str, Any], ...]) -> Any:
    names = "_".join(f"{f.__module__.rpartition('.')[2]}_{f.__name__}" for _, f in functions)
    name = f"{kernel.__name__}_{names}"
    copy = FunctionType(kernel.__code__, {**kernel.__globals__, **dict(functions)}, name)
    copy.__qualname__ = name
    # Elsewhere a kernel may change without a trace in the sources that the cache looks at.
    return njit(copy, keep=all(f.__module__.startswith(_PACKAGE) for _, f in functions))


def specialised(kernel: Any, **functions: Callable[..., Any]) -> Any:
    """A copy of a kernel, compiled, in which global names stand for other kernels.

    One is compiled for each choice: numba caches no function that holds another in a closure or
    takes it as an argument.

    Parameters
    ----------
    kernel : function
        Not compiled; it calls the others by their names.
    **functions : callable
        Compiled kernels, by the names that they are called by.
    """
    return _specialised(kernel, tuple(functions.items()))


class _KernelCache(FunctionCache):
    """numba's file cache, fresh only while every engine module behind the kernel is."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        locator = self._impl.locator
        self._cache_file = IndexDataCacheFile(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=(locator.get_source_stamp(), _sources_digest(function)),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            with _uncollected():
                return super().load_overload(sig, target_context)
        except Exception:  # whatever unpickling a damaged file may raise
            self._or_go_without(self.flush)  # an empty index, for this run to fill again
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        self._or_go_without(super().save_overload, sig, data)

    def _or_go_without(self, write: Callable[..., None], *arguments: Any) -> None:
        try:
            write(*arguments)
        except Exception:  # the kernel is compiled; no failure to keep it may stop the run
            self.disable()


def _sources_digest(function: Callable[..., Any]) -> str:
    """SHA-256 over the sources of the engine modules that `function` draws names from."""
    names: set[str] = set()
    # Its global names need not be those of its module: some kernels are copies that differ
    # in what one name stands for.
    pending = [function.__module__, *_origins(function.__globals__)]
    while pending:
        name = pending.pop()
        if name not in names and name.startswith(_PACKAGE):
            names.add(name)
            pending.extend(_origins(vars(sys.modules[name])))
    digest = hashlib.sha256()
    for name in sorted(names):
        try:
            digest.update(inspect.getsource(sys.modules[name]).encode())
        except OSError:  # source not at hand: its own stamp is numba's affair
            digest.update(name.encode())
    return digest.hexdigest()


def _origins(namespace: dict[str, Any]) -> list[str]:
    """Modules in a namespace, and those that its functions and classes were imported from.

    A package holds every module of its own that the process has imported. Those do not count:
    two processes would disagree, and compile each other's kernels anew.
    """
    own = f"{namespace.get('__name__')}."
    values = list(namespace.values())
    modules = [value.__name__ for value in values if inspect.ismodule(value)]
    others = [str(getattr(v, "__module__", "")) for v in values if not inspect.ismodule(v)]
    return [name for name in modules if not name.startswith(own)] + others
