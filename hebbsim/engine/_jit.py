"""The project's ``njit``: one set of compile options and a cache that never stops a run.

numba's cache folder is the first writable one of ``NUMBA_CACHE_DIR``, the ``__pycache__`` beside
the source, and the user's cache folder. Here, a kernel compiles uncached if none is writable; a
cache file that cannot be read or written (full disk, truncated file), or that belongs to another
source because a process ended while it wrote, costs a compilation and nothing else; and a kernel
is recompiled when any engine module that it uses has changed, not only its own file.

Loading numba takes half of the time from the start of a process to its first result, which
`_uncollected` and `_scipy_later` shorten.
"""

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
    """Disable garbage collection: numba creates many objects when it loads, all permanent."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextlib.contextmanager
def _scipy_later() -> Iterator[None]:
    """Let numba find stand-ins for SciPy's BLAS, which no kernel here calls.

    numba imports scipy.linalg only to check that it exists; it imports it again to compile a
    function that needs it.
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

#: Every kernel created so far.
KERNELS: list[Any] = []

_OPTIONS = {
    # Sums may be reordered (so that dot products vectorize) and multiply-adds fused, but never
    # `nnan` or `ninf`, which would break the check for weights that are not finite.
    "fastmath": {"reassoc", "contract"},
    "error_model": "numpy",
    "nogil": True,
    # A call that is not inlined resolves to whichever machine code of that name was loaded first:
    # that of the kernel itself, or the copy in a caller, whose sums may be in another order.
    # Results would then depend on what was compiled and what was cached.
    "forceinline": True,
}

_PACKAGE = __name__.rpartition(".")[0]
_Function = TypeVar("_Function", bound=Callable[..., Any])


@overload
def njit(function: _Function, /, **options: Any) -> _Function: ...
@overload
def njit(**options: Any) -> Callable[[_Function], _Function]: ...


def njit(function: Any = None, /, *, plain: Any = None, keep: bool = True, **options: Any) -> Any:
    """Compile a kernel lazily; it releases the GIL, and its machine code is cached.

    Use as ``@njit`` or ``@njit(option=value)``; options are those of ``numba.njit``. Kernels are
    inlined into their callers, so that results do not depend on which were cached. Division follows
    numpy (by zero gives inf or NaN, no exception). With ``NUMBA_DISABLE_JIT=1``, `plain` or the
    function itself is returned.

    Parameters
    ----------
    function : callable
    plain : callable, optional
        The same in numpy, for inner loops that would be a thousand times slower in Python.
    keep : bool
        Whether to cache the machine code for other processes.

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
    with contextlib.suppress(RuntimeError, OSError):  # no folder is writable
        dispatcher._cache = _KernelCache(function)
    return dispatcher


@functools.cache
def _specialised(kernel: FunctionType, functions: tuple[tuple[str, Any], ...]) -> Any:
    names = "_".join(f"{f.__module__.rpartition('.')[2]}_{f.__name__}" for _, f in functions)
    name = f"{kernel.__name__}_{names}"
    copy = FunctionType(kernel.__code__, {**kernel.__globals__, **dict(functions)}, name)
    copy.__qualname__ = name
    # A kernel of another package may change without a change in the sources that are digested.
    return njit(copy, keep=all(f.__module__.startswith(_PACKAGE) for _, f in functions))


def specialised(kernel: Any, **functions: Callable[..., Any]) -> Any:
    """A compiled copy of the plain function `kernel` whose global names stand for other kernels.

    Each choice of kernels is compiled separately, because numba does not cache functions that hold
    others in a closure or take them as arguments.
    """
    return _specialised(kernel, tuple(functions.items()))


class _CacheFile(IndexDataCacheFile):
    """Index and machine code of a kernel, which says for what it was compiled.

    numba writes the index first. If the process ends before the machine code is written, or two
    processes write at once, the index leads to code of other types, or of an earlier source.
    """

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (self._source_stamp, key, data))

    def load(self, key: Any) -> Any:
        stamp, of, data = super().load(key) or (None, None, None)
        return data if (stamp, of) == (self._source_stamp, key) else None


class _KernelCache(FunctionCache):
    """numba's file cache, fresh only while every engine module behind the kernel is."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        locator = self._impl.locator
        self._cache_file = _CacheFile(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=(locator.get_source_stamp(), _sources_digest(function)),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            with _uncollected():
                return super().load_overload(sig, target_context)
        except Exception:  # unpickling a damaged file may raise anything
            self._or_go_without(self.flush)  # an empty index, which this run fills again
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        self._or_go_without(super().save_overload, sig, data)

    def _or_go_without(self, write: Callable[..., None], *arguments: Any) -> None:
        try:
            write(*arguments)
        except Exception:  # the kernel is compiled; failing to cache it must not stop the run
            self.disable()


def _sources_digest(function: Callable[..., Any]) -> str:
    """SHA-256 of the sources of the engine modules that `function` uses names from."""
    names: set[str] = set()
    # The globals of a specialised copy differ from those of its module.
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
        except OSError:  # no source; numba stamps the function's own file
            digest.update(name.encode())
    return digest.hexdigest()


def _origins(namespace: dict[str, Any]) -> list[str]:
    """Modules in a namespace, and those that its functions and classes come from.

    A package's own submodules are excluded: which of them are imported differs between processes,
    which would then recompile each other's kernels.
    """
    own = f"{namespace.get('__name__')}."
    values = list(namespace.values())
    modules = [value.__name__ for value in values if inspect.ismodule(value)]
    others = [str(getattr(v, "__module__", "")) for v in values if not inspect.ismodule(v)]
    return [name for name in modules if not name.startswith(own)] + others
