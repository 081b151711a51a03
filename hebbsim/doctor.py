"""What a run here would find: versions, threads, folders, GPU, and what is not installed."""

from __future__ import annotations

import importlib.util
import locale
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path
from typing import Any

from hebbsim._version import __version__

__all__ = ["Extra", "Report", "examine"]

#: What an extra is for, in the words of a user.
_PURPOSES = {
    "torch": "the supervised BiGRU beside the learner",
    "nlp": "spaCy pipelines that give raw text silver roles",
    "vectors": "binary files of word vectors, for --vectors",
    "demo": "the live demonstration",
    "cluster": "many machines: --shards, --scheduler, sweeps on Dask",
    "bench": "packages that `hebbsim bench` measures beside this one",
    "test": "the project's own tests",
}


@dataclass(frozen=True)
class Extra:
    """An optional part: what it adds, and which of its packages are missing or too old."""

    name: str
    purpose: str
    installed: dict[str, str]
    missing: list[str]

    @property
    def complete(self) -> bool:
        return not self.missing


@dataclass
class Report:
    """What `examine` found: values by section, the extras, and what to mend."""

    sections: dict[str, dict[str, str]]
    extras: list[Extra]
    problems: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As one JSON document (schema ``hebbsim.doctor/1``)."""
        return {
            "schema": "hebbsim.doctor/1",
            **self.sections,
            "extras": {
                extra.name: {
                    "purpose": extra.purpose,
                    "installed": extra.installed,
                    "missing": extra.missing,
                }
                for extra in self.extras
            },
            "problems": self.problems,
        }


def examine() -> Report:
    """Look at everything; nothing is changed, and nothing is downloaded.

    Examples
    --------
    >>> sorted(examine().sections)
    ['folders', 'graphics', 'machine', 'threads', 'versions']
    """
    report = Report({}, _extras())
    report.sections["versions"] = _versions(report.problems)
    report.sections["machine"] = _machine(report.problems)
    report.sections["threads"] = _threads()
    report.sections["folders"] = _folders(report.problems)
    report.sections["graphics"] = _graphics()
    return report


def _versions(problems: list[str]) -> dict[str, str]:
    """Of Python, of hebbsim, and of all that it needs."""
    found = {"python": platform.python_version(), "hebbsim": __version__}
    for requirement in _requirements(None):
        try:
            found[requirement.name] = version(requirement.name)
        except PackageNotFoundError:
            found[requirement.name] = "missing"
            problems.append(f"{requirement.name} is not installed: pip install '{requirement}'")
            continue
        if not requirement.specifier.contains(found[requirement.name], prereleases=True):
            problems.append(
                f"{requirement.name} {found[requirement.name]} is not "
                f"{requirement.specifier}: pip install '{requirement}'"
            )
    return found


def _requirements(extra: str | None) -> list[Any]:
    """What hebbsim needs, or what an extra adds to it, by its installed metadata."""
    from packaging.requirements import Requirement

    try:
        given = requires("hebbsim") or []
    except PackageNotFoundError:  # run from a source tree that is not installed
        return []
    found = []
    for text in given:
        requirement = Requirement(text)
        marker = requirement.marker
        always = marker is None or marker.evaluate({"extra": ""})
        wanted = always
        if extra is not None and marker is not None:
            wanted = not always and marker.evaluate({"extra": extra})
        elif extra is not None:
            wanted = False
        if wanted and requirement.name != "hebbsim":
            requirement.marker = None
            found.append(requirement)
    return found


def _extras() -> list[Extra]:
    try:
        names = distribution("hebbsim").metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []
    extras = []
    for name in names:
        if name == "all":
            continue
        installed, missing = {}, []
        for requirement in _requirements(name):
            try:
                installed[requirement.name] = version(requirement.name)
            except PackageNotFoundError:
                missing.append(str(requirement))
                continue
            if not requirement.specifier.contains(installed[requirement.name], prereleases=True):
                missing.append(str(requirement))
        extras.append(Extra(name, _PURPOSES.get(name, ""), installed, missing))
    return extras


def _machine(problems: list[str]) -> dict[str, str]:
    encoding = locale.getpreferredencoding(False)
    if sys.stdout.encoding and sys.stdout.encoding.lower().replace("-", "") != "utf8":
        problems.append(
            f"output is {sys.stdout.encoding}, not UTF-8: set PYTHONIOENCODING=utf-8 if words of "
            "a corpus are shown wrong"
        )
    found = {
        "platform": platform.platform(),
        "processor": _processor(),
        "memory": _memory(),
        "encoding": encoding,
        "terminal": f"{shutil.get_terminal_size().columns} columns",
    }
    return found


def _processor() -> str:
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
    """Cores, what limits them, and what numba and each BLAS would use."""
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
    import hebbsim.engine.contexts  # noqa: F401  # any module with kernels
    from hebbsim.engine._jit import KERNELS
    from hebbsim.readers.registry import cache_folder

    kept = [kernel.stats.cache_path for kernel in KERNELS if _is_cached(kernel)]
    kernels = Path(kept[0]) if kept else None
    found = {
        "package": str(Path(__file__).parent),
        "cache": _state(cache_folder(), problems),
        "kernels": _state(kernels, problems) if kernels else "none",
        "data": os.environ.get("HEBBSIM_DATA_DIR", "HEBBSIM_DATA_DIR is not set"),
        "temporary": _state(Path(tempfile.gettempdir()), problems),
        "here": _state(Path.cwd(), problems),
    }
    if kernels is None:
        problems.append(
            "no folder keeps compiled kernels: every process compiles anew; set NUMBA_CACHE_DIR "
            "to a folder that can be written"
        )
    data = os.environ.get("HEBBSIM_DATA_DIR")
    if data and not Path(data).is_dir():
        problems.append(f"HEBBSIM_DATA_DIR is {data}, which is no folder")
    return found


def _is_cached(kernel: Any) -> bool:
    return bool(getattr(kernel._cache, "_enabled", False))


def _state(folder: Path, problems: list[str]) -> str:
    """A folder with the room in it; where it cannot be written, that is a problem."""
    there = next((p for p in (folder, *folder.absolute().parents) if p.is_dir()), None)
    if there is None:
        return f"{folder} (not there)"
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
    """GPUs that torch sees; the learner itself needs none."""
    if importlib.util.find_spec("torch") is None:
        return {"torch": "not installed"}
    try:
        from hebbsim.lm.hardware import graphics

        return graphics()
    except Exception as error:  # a broken installation is what this is to find
        return {"torch": f"cannot be imported ({type(error).__name__}: {error})"}
