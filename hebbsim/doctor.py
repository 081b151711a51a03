"""Facts for a bug report: versions, threads, folders, GPU, and what is not installed."""

from __future__ import annotations

import importlib.util
import locale
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim._version import __version__

if TYPE_CHECKING:
    from packaging.requirements import Requirement


_MISSING = "missing"
#: Purpose of each extra.
_PURPOSES = {
    "torch": "the supervised BiGRU beside the learner",
    "rivals": "the skip-gram among the rivals of `hebbsim run roles`",
    "lm": "language models: parquet, Hugging Face streams, several processes",
    "data": "parquet files and zstandard compression",
    "nlp": "spaCy pipelines that give raw text silver roles",
    "vectors": "binary files of word vectors, for --vectors",
    "demo": "the live demonstration",
    "cluster": "many machines: --shards, --scheduler, sweeps on Dask",
    "bench": "packages that `hebbsim bench` measures beside this one",
    "docs": "the site that `make docs` builds",
    "test": "the project's own tests",
}


@dataclass(frozen=True)
class Extra:
    """An extra: its purpose, and which of its packages are missing or too old."""

    name: str
    purpose: str
    installed: dict[str, str]
    missing: list[str]

    @property
    def complete(self) -> bool:
        return not self.missing


@dataclass
class Diagnosis:
    """Results of `examine`: values by section, the extras, and the problems to fix."""

    sections: dict[str, dict[str, str]]
    extras: list[Extra]
    problems: list[str]

    def document(self) -> dict[str, Any]:
        """As one JSON document (schema ``hebbsim.doctor/1``)."""
        extras = {extra.name: asdict(extra) for extra in self.extras}
        for about in extras.values():
            del about["name"]
        found = {"schema": "hebbsim.doctor/1", **self.sections, "extras": extras}
        return found | {"problems": self.problems}


def examine() -> Diagnosis:
    """Examine the installation; nothing is changed or downloaded.

    >>> sorted(examine().sections)
    ['folders', 'graphics', 'machine', 'threads', 'versions']
    """
    problems: list[str] = []
    sections = {
        "versions": _versions(problems),
        "machine": _machine(problems),
        "threads": _threads(),
        "folders": _folders(problems),
        "graphics": _graphics(),
    }
    return Diagnosis(sections, _extras(), problems)


def _versions(problems: list[str]) -> dict[str, str]:
    """Versions of Python, hebbsim and its requirements."""
    found = {"python": platform.python_version(), "hebbsim": __version__}
    for each in _requirements():
        there, good = _installed(each)
        found[each.name] = there
        if not good:
            old = f"{there} is not {each.specifier}"
            wrong = "is not installed" if there == _MISSING else old
            problems.append(f"{each.name} {wrong}: pip install '{each}'")
    return found


def _requirements(extra: str = "") -> list[Requirement]:
    """Requirements of hebbsim, or those that an extra adds, from the installed metadata."""
    from packaging.requirements import Requirement

    try:
        given = map(Requirement, requires("hebbsim") or [])
    except PackageNotFoundError:  # run from a source tree that is not installed
        return []
    found = []
    for each in given:
        always, wanted = (
            each.marker is None or each.marker.evaluate({"extra": name}) for name in ("", extra)
        )
        if wanted and always == (not extra) and each.name != "hebbsim":
            each.marker = None
            found.append(each)
    return found


def _installed(requirement: Requirement) -> tuple[str, bool]:
    """The installed version of a package, and whether it meets the requirement."""
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return _MISSING, False
    return found, requirement.specifier.contains(found, prereleases=True)


def _extras() -> list[Extra]:
    try:
        names = distribution("hebbsim").metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []
    extras = []
    for name in names:
        if name != "all":
            found = [(each, *_installed(each)) for each in _requirements(name)]
            installed = {each.name: there for each, there, _ in found if there != _MISSING}
            missing = [str(each) for each, _, good in found if not good]
            extras.append(Extra(name, _PURPOSES.get(name, ""), installed, missing))
    return extras


def _machine(problems: list[str]) -> dict[str, str]:
    if sys.stdout.encoding and sys.stdout.encoding.lower().replace("-", "") != "utf8":
        problems.append(
            f"output is {sys.stdout.encoding}, not UTF-8: set PYTHONIOENCODING=utf-8 if words of "
            "a corpus are shown wrong"
        )
    return {
        "platform": platform.platform(),
        "processor": processor_name(),
        "memory": _memory(),
        "encoding": locale.getpreferredencoding(False),
        "terminal": f"{shutil.get_terminal_size().columns} columns",
    }


def processor_name() -> str:
    """Name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> str:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        left = os.sysconf("SC_AVPHYS_PAGES") * size
    except (ValueError, OSError, AttributeError):  # not on every system
        return "not known"
    return f"{pages * size / 2**30:.1f} GiB, {left / 2**30:.1f} free"


def _threads() -> dict[str, str]:
    """Cores, environment variables that limit them, and threads of numba and each BLAS."""
    import numba
    import scipy.linalg  # noqa: F401  # loads its BLAS, which is not numpy's
    from threadpoolctl import threadpool_info

    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        usable = os.cpu_count() or 1
    found = {
        "cores": f"{os.cpu_count()}, {usable} for this process",
        "numba": f"{numba.get_num_threads()} threads",
    }
    for pool in threadpool_info():
        name = f"{pool['internal_api']} {pool.get('version') or ''}".strip()
        if name not in found:
            found[name] = f"{pool['num_threads']} threads"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                 "NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT"):  # fmt: skip
        if name in os.environ:
            found[name] = os.environ[name]
    return found


def _folders(problems: list[str]) -> dict[str, str]:
    import hebbsim.engine.traces  # noqa: F401  # any module with kernels
    from hebbsim.engine._jit import KERNELS
    from hebbsim.readers.registry import cache_folder

    kernels = next(filter(None, map(kernel_folder, KERNELS)), None)
    found = {
        "package": str(Path(__file__).parent),
        "cache": _state(cache_folder(), problems),
        "kernels": _state(Path(kernels), problems) if kernels else "none",
        "data": os.environ.get("HEBBSIM_DATA_DIR", "HEBBSIM_DATA_DIR is not set"),
        "temporary": _state(Path(tempfile.gettempdir()), problems),
        "here": _state(Path.cwd(), problems),
    }
    if kernels is None:
        problems.append(
            "compiled kernels cannot be cached, so every process compiles them again; set "
            "NUMBA_CACHE_DIR to a writable folder"
        )
    data = os.environ.get("HEBBSIM_DATA_DIR")
    if data and not Path(data).is_dir():
        problems.append(f"HEBBSIM_DATA_DIR is {data}, which is not a folder")
    return found


def kernel_folder(kernel: Any) -> str | None:
    """Cache folder of a compiled kernel; None if it cannot be cached."""
    return kernel.stats.cache_path if getattr(kernel._cache, "_enabled", False) else None


def _state(folder: Path, problems: list[str]) -> str:
    """A folder with its free space; adds a problem if it cannot be written."""
    there = next((p for p in (folder, *folder.absolute().parents) if p.is_dir()), None)
    if there is None:
        return f"{folder} (does not exist)"
    try:  # permission bits do not tell: root passes them, a read-only file system does not
        os.rmdir(tempfile.mkdtemp(prefix=".hebbsim-", dir=there))
    except OSError as error:
        problems.append(f"{folder} cannot be written ({error.strerror})")
        return f"{folder} (cannot be written)"
    free = shutil.disk_usage(there).free / 2**30
    if free < 0.5:
        problems.append(f"{folder}: {free:.2f} GiB free")
    return f"{folder} ({free:.0f} GiB free)"


def _graphics() -> dict[str, str]:
    """Version of torch and the GPUs that it finds."""
    if importlib.util.find_spec("torch") is None:
        return {"torch": "not installed"}
    try:
        from hebbsim.lm.hardware import graphics

        return graphics()
    except Exception as error:  # a broken installation is a finding, too
        return {"torch": f"cannot be imported ({type(error).__name__}: {error})"}
