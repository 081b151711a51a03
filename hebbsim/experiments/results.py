"""One shape for the results of every experiment, and the folder that holds them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import platform
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hebbsim._version import __version__
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.probes.bootstrap import Estimate, seed_interval

SCHEMA = "hebbsim.results/1"

#: Called with a line to show, or None, the steps done and all of them (0 while unknown).
Progress = Callable[[str | None, int, int], None]

#: Packages whose versions can change a number.
PACKAGES = ("numpy", "numba", "scipy", "scikit-learn", "torch", "conllu", "spacy")


@dataclass(frozen=True)
class Score:
    """One value of one metric for one seed.

    Examples
    --------
    >>> Score("made", "test", "hebbian", "K=9", "accuracy", None, 0, 0.5).unit
    'fraction'
    """

    corpus: str
    split: str
    model: str
    condition: str
    metric: str
    role: str | None
    seed: int
    value: float
    unit: str = "fraction"


@dataclass(frozen=True)
class Row:
    """A mean with its 95 % interval: over n seeds, or as `condition` says otherwise.

    `role` is None for a metric that is not about one role; `low` and `high` are None
    where one value alone was measured.

    Examples
    --------
    >>> Row("made", "test", "hebbian", "K=9 tau=2", "accuracy", None, 0.5, None, None, 1).words
    {'K': '9', 'tau': '2'}
    """

    corpus: str
    split: str
    model: str
    condition: str
    metric: str
    role: str | None
    mean: float
    low: float | None
    high: float | None
    n: int
    unit: str = "fraction"

    @property
    def words(self) -> dict[str, str]:
        """The ``key=value`` words of the condition."""
        return dict(word.split("=", 1) for word in self.condition.split())


def row(key: Score, estimate: Estimate, n: int) -> Row:
    """A row like `key` with an estimate; an interval that is not finite becomes None."""
    low, high = (x if math.isfinite(x) else None for x in estimate[1:])
    return Row(
        key.corpus, key.split, key.model, key.condition, key.metric, key.role,
        estimate.mean, low, high, n, key.unit,
    )  # fmt: skip


def summarize(scores: Iterable[Score]) -> list[Row]:
    """One row for every corpus, split, model, condition, metric and role, in order of arrival."""
    groups: dict[tuple[str | None, ...], list[Score]] = defaultdict(list)
    for score in scores:
        key = (score.corpus, score.split, score.model, score.condition, score.metric, score.role)
        groups[key].append(score)
    return [
        row(group[0], seed_interval([score.value for score in group]), len(group))
        for group in groups.values()
    ]


@dataclass
class Results:
    """What an experiment found.

    Attributes
    ----------
    experiment : str
    config : dict
        Resolved: every value that the run used, ready for JSON.
    provenance : dict
        Package versions, input digests, seeds. No time stamp and no machine.
    rows : list of Row
    tables : dict of str to list of dataclass instances
        Further tidy tables, by file name without ``.csv``.
    notes : list of str
        What a reader should know, such as a baseline that could not run.
    files : dict of str to bytes
        Further files of the run folder, by name; no part of the document.

    Examples
    --------
    >>> scores = [Score("made", "test", "hebbian", "K=9", "accuracy", None, s, 0.5) for s in (0, 1)]
    >>> results = Results("roles", {}, {}, rows=summarize(scores))
    >>> [row.n for row in results.select({}, metric="accuracy")]
    [2]
    """

    experiment: str
    config: dict[str, Any]
    provenance: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    tables: dict[str, list[Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def select(self, condition: Mapping[str, str] | None = None, **columns: Any) -> list[Row]:
        """Rows with the given columns, and with exactly the given words beside ``K``."""
        found = [r for r in self.rows if all(getattr(r, k) == v for k, v in columns.items())]
        if condition is None:
            return found
        return [
            r for r in found if {k: v for k, v in r.words.items() if k != "K"} == dict(condition)
        ]

    def document(self) -> dict[str, Any]:
        """The results as one JSON document (schema ``hebbsim.results/1``)."""
        return {
            "schema": SCHEMA,
            "experiment": self.experiment,
            "config": self.config,
            "provenance": self.provenance,
            "notes": self.notes,
            "results": [asdict(r) for r in self.rows],
            "tables": {
                name: [asdict(record) for record in table]
                for name, table in self.tables.items()
                if name != "per_seed"  # as long as everything else together
            },
        }


def package_versions() -> dict[str, str]:
    """Versions of hebbsim and of those of `PACKAGES` that are installed."""
    found = {"hebbsim": __version__}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def provenance(
    *, inputs: Mapping[str, str], seeds: Sequence[int], text: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Versions, input digests and seeds: all that a number may depend on but the configuration.

    Parameters
    ----------
    inputs : mapping of str to str
        SHA-256 by name of what is scored.
    seeds : sequence of int
    text : mapping of str to str, optional
        The same of further inputs, which are learned from and never scored.
    """
    digests = {**inputs, **(text or {})}
    found = {"packages": package_versions(), "inputs": dict(sorted(digests.items()))}
    return found | {"seeds": list(seeds)} | ({"text": sorted(text)} if text else {})


def table_text(records: Sequence[Any], columns: Sequence[str] | None = None) -> str:
    """CSV text of dataclass instances of one kind: None as an empty field, floats in full."""
    if columns is None:
        columns = [f.name for f in fields(records[0])] if records else []
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(astuple(record) for record in records)
    return stream.getvalue()


def json_text(document: Any) -> str:
    """JSON that any reader takes: no NaN, keys in the order given, a newline at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def utf8(text: str) -> bytes:
    """Text as bytes; what stands for the bytes of a file name becomes those bytes again.

    Where the locale knows ASCII alone, Python reads names with other letters so. Bytes that
    are no UTF-8 are replaced.

    Examples
    --------
    >>> utf8("gr\\udcc3\\udcb6\\udcc3\\udc9fe \\udcff").decode() == "größe \ufffd"
    True
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode()


def check_output(folder: Path, ours: Callable[[Path], bool] | None = None) -> None:
    """Refuse an output folder that could not be written, before any work is done.

    Parameters
    ----------
    folder : Path
    ours : callable, optional
        Whether a folder that is not empty may be replaced; a run folder may without.

    Raises
    ------
    BadInputError
        It is a file, it is a folder of something else, or its parent cannot be written.
    """
    if folder.is_dir():
        if any(folder.iterdir()) and not (ours or _is_run_folder)(folder):
            what = "report" if ours else "run"
            raise BadInputError(
                f"--out {folder}: a folder that is not empty and holds no hebbsim {what}; "
                "name another one"
            )
    elif folder.exists():
        raise BadInputError(f"--out {folder}: is a file; name a folder")
    parent = next(p for p in folder.absolute().parents if p.exists())
    if not parent.is_dir():
        raise BadInputError(f"--out {folder}: {parent} is a file; name another folder")
    try:  # permission bits do not tell: root passes them, a read-only file system does not
        os.rmdir(tempfile.mkdtemp(prefix=".hebbsim-", dir=parent))
    except OSError:
        raise BadInputError(
            f"--out {folder}: {parent} is not writable; name another folder"
        ) from None


def _is_run_folder(folder: Path) -> bool:
    if [path.name for path in folder.iterdir()] == ["unfinished"]:
        return True  # of a run that was interrupted: see `hebbsim.experiments.resume`
    try:
        document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        return document["schema"].startswith("hebbsim.results/")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


class Clock:
    """Started with a run, it says when, where and how long."""

    def __init__(self) -> None:
        self._started = datetime.now(timezone.utc)
        self._began = time.perf_counter()

    def machine(self) -> dict[str, Any]:
        """For `write_run`."""
        return {
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self._began, 1),
            "directory": os.getcwd(),  # where relative paths in the configuration start
            "host": platform.node(),
            "platform": platform.platform(),
        }


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder to fill that takes the place of `folder` whole, or not at all.

    The caller writes into a temporary neighbour; when the block ends without an error
    it is renamed, and an earlier run folder of that name goes.
    """
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Of this shape, so that the next run removes what is left of one that was killed here.
        draft = tempfile.mkdtemp(".hebbsim", prefix=f".{folder.name}.", dir=folder.parent)
        temporary = Path(draft)
    except OSError as error:
        raise BadInputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    try:
        temporary.chmod(0o755)
        yield temporary
        if folder.exists():
            old = temporary.with_name(temporary.name + "-old")
            os.rename(folder, old)
            os.rename(temporary, folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(temporary, folder)
    except OSError as error:
        raise HebbsimError(f"--out {folder}: could not be written ({error.strerror})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_run(
    folder: Path,
    results: Results,
    *,
    machine: Mapping[str, Any],
    draw: Callable[[Path], Sequence[Path]] | None = None,
) -> list[Path]:
    """Write a run folder and return the figures in it.

    ==================  =====================================================
    ``config.json``     the resolved configuration
    ``provenance.json`` package versions, input digests, seeds
    ``results.json``    the document that ``--json`` prints
    ``results.csv``     its rows; further tables and files stand beside it
    ``figures/``        what `draw` makes of those tables alone
    ``machine.json``    time stamps and host: the one file that may differ
                        between two runs of the same configuration
    ==================  =====================================================

    Parameters
    ----------
    folder : Path
    results : Results
    machine : mapping
        When, where and how long the run took.
    draw : callable, optional
        Given the folder, writes figures into it and returns their paths.
    """
    check_output(folder)
    texts = {
        "config.json": json_text(results.config),
        "provenance.json": json_text(results.provenance),
        "results.json": json_text(results.document()),
        "machine.json": json_text(dict(machine)),
        "results.csv": table_text(results.rows, [f.name for f in fields(Row)]),
    }
    texts |= {f"{name}.csv": table_text(table) for name, table in results.tables.items() if table}
    with replacing(folder) as temporary:
        for name, text in texts.items():
            (temporary / name).write_bytes(utf8(text))
        for name, content in results.files.items():
            (temporary / name).write_bytes(content)
        figures = [path.relative_to(temporary) for path in draw(temporary)] if draw else []
    return [folder / path for path in figures]
