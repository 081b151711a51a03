"""The common format of results, and the files that hold them."""

import contextlib
import csv
import hashlib
import io
import json
import math
import os
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hebbsim._version import __version__
from hebbsim.conditions import words
from hebbsim.errors import reason
from hebbsim.probes.bootstrap import seed_interval
from hebbsim.runs.costs import Cost

SCHEMA = "hebbsim.results/1"

#: Called with a line to show or None, the number of completed steps, and the total or 0.
Progress = Callable[[str | None, int, int], None]


def quiet(line: str | None, done: int, total: int) -> None:
    """Progress that shows nothing."""


#: Packages whose versions may affect results.
PACKAGES = ("numpy", "numba", "scipy", "scikit-learn", "torch", "gensim", "conllu", "spacy")


@dataclass(frozen=True)
class Score:
    """One value of one metric for one seed.

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
    """A mean with its 95 % interval over n seeds, unless `condition` says otherwise.

    `role` is None for a metric that is not about one role; `low` and `high` are None if there is
    only one value.

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
        return words(self.condition)


def summarize(scores: Iterable[Score]) -> list[Row]:
    """Means over seeds, one row per corpus, split, model, condition, metric and role.

    Rows are in order of first occurrence; ends of intervals that are not finite become None.
    """
    groups: dict[tuple[Any, ...], list[Score]] = defaultdict(list)
    for score in scores:
        key = (score.corpus, score.split, score.model, score.condition, score.metric, score.role)
        groups[key].append(score)
    rows = []
    for key, group in groups.items():
        mean, *ends = seed_interval([score.value for score in group])
        low, high = (end if math.isfinite(end) else None for end in ends)
        rows.append(Row(*key, mean, low, high, len(group), group[0].unit))
    return rows


@dataclass
class Results:
    """The results of an experiment.

    >>> scores = [Score("made", "test", "hebbian", "K=9", "accuracy", None, s, 0.5) for s in (0, 1)]
    >>> results = Results("roles", {}, {}, rows=summarize(scores))
    >>> [row.n for row in results.select({}, metric="accuracy")]
    [2]
    """

    experiment: str
    #: Every option that results may depend on, as JSON values.
    config: dict[str, Any]
    #: Package versions, input digests, seeds; no time stamps, nothing about the machine.
    provenance: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    #: Further tidy tables, by file name without ``.csv``.
    tables: dict[str, list[Any]] = field(default_factory=dict)
    #: Caveats, such as a baseline that could not run.
    notes: list[str] = field(default_factory=list)
    #: Further files of the run folder, by name; not part of the document.
    files: dict[str, bytes] = field(default_factory=dict)
    #: The run folder, if any.
    folder: Path | None = field(default=None, compare=False)
    #: Figures that could not be drawn.
    undrawn: list[str] = field(default_factory=list, compare=False)
    #: Writes further files into the given run folder.
    save: Callable[[Path], None] | None = field(default=None, compare=False)
    #: Entries of ``machine.json`` in addition to those of `Clock`.
    machine: dict[str, Any] = field(default_factory=dict, compare=False)
    #: Processor time and memory, for ``machine.json``; not part of the document.
    costs: list[Cost] = field(default_factory=list, compare=False)

    def select(self, condition: Mapping[str, str] | None = None, **columns: Any) -> list[Row]:
        """Rows with the given columns and exactly the given condition words, apart from ``K``."""
        found = [r for r in self.rows if all(getattr(r, k) == v for k, v in columns.items())]
        if condition is None:
            return found
        return [
            r for r in found if {k: v for k, v in r.words.items() if k != "K"} == dict(condition)
        ]

    def document(self) -> dict[str, Any]:
        """The results as a JSON document (schema ``hebbsim.results/1``)."""
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
                if name != "per_seed"  # longer than all the rest
            },
        }

    def contents(self, machine: Mapping[str, Any]) -> dict[str, bytes]:
        """Files of the run folder by name, no figures; `machine` is ``machine.json`` less costs."""
        costs = {"costs": [asdict(cost) for cost in self.costs]} if self.costs else {}
        texts = {
            "config.json": json_text(self.config),
            "provenance.json": json_text(self.provenance),
            "results.json": json_text(self.document()),
            "machine.json": json_text({**machine, **costs}),
            "results.csv": table_text(self.rows, [f.name for f in fields(Row)]),
        }
        texts |= {f"{name}.csv": table_text(table) for name, table in self.tables.items() if table}
        return {name: utf8(text) for name, text in texts.items()} | self.files


def package_versions() -> dict[str, str]:
    """Versions of hebbsim and of those of `PACKAGES` that are installed."""
    found = {"hebbsim": __version__}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def provenance(
    *,
    inputs: Mapping[str, str],
    seeds: Sequence[int],
    text: Mapping[str, str] | None = None,
    rules: Sequence[str] = (),
) -> dict[str, Any]:
    """Versions, input digests and seeds: what results depend on besides the configuration.

    `inputs` and `text` map names of inputs to their SHA-256; `text` is only learned from, and not
    scored. `rules` are Python files that define learning rules.
    """
    digests = {**inputs, **(text or {})}
    for file in rules:
        digests[Path(file).name] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    found = {"packages": package_versions(), "inputs": dict(sorted(digests.items()))}
    return found | {"seeds": list(seeds)} | ({"text": sorted(text)} if text else {})


def table_text(records: Sequence[Any], columns: Sequence[str] | None = None) -> str:
    """CSV text of dataclass instances: None as an empty field, floats at full precision."""
    if columns is None:
        columns = [f.name for f in fields(records[0])] if records else []
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(astuple(record) for record in records)
    return stream.getvalue()


def json_text(document: Any) -> str:
    """Strict JSON without NaN, with keys in the given order and a newline at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def not_drawn(failed: Mapping[str, Exception]) -> list[str]:
    """A line for each figure that could not be drawn.

    >>> not_drawn({"roles": ValueError("n is 0")})
    ['figure not drawn: roles (n is 0)']
    """
    return [f"figure not drawn: {name} ({reason(error)})" for name, error in failed.items()]


def utf8(text: str) -> bytes:
    """Encode text as UTF-8, with escaped bytes of file names (in an ASCII locale) restored.

    Bytes that are not UTF-8 are replaced.

    >>> utf8("gr\\udcc3\\udcb6\\udcc3\\udc9fe \\udcff").decode() == "größe \ufffd"
    True
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode()


class Clock:
    """Records when, where and how long a run took."""

    def __init__(self) -> None:
        self._started = datetime.now(timezone.utc)
        self._began = time.perf_counter()

    def machine(self) -> dict[str, Any]:
        """The content of ``machine.json``."""
        return {
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self._began, 1),
            "directory": os.getcwd(),  # base of relative paths in the configuration
            "host": platform.node(),
            "platform": platform.platform(),
        }
