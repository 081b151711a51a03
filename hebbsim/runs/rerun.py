"""Repeats a run from its folder, and compares the two: `hebbsim rerun`."""

import contextlib
import csv
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hebbsim.config import ExperimentConfig
from hebbsim.errors import BadInputError
from hebbsim.runs.experiment import Experiment
from hebbsim.runs.folders import Numbered, Out, read_json
from hebbsim.runs.registry import get_experiment
from hebbsim.runs.results import Progress
from hebbsim.runs.terminal import Console, plain_table

SCHEMA = "hebbsim.rerun/1"


@dataclass(frozen=True)
class TableAgreement:
    """Agreement of a table in two runs: cells that differ, the `largest` gap, or a `problem`."""

    table: str
    cells: int = 0
    differing: int = 0
    largest: float = 0.0
    where: str = ""
    problem: str = ""

    def agrees(self, tolerance: float) -> bool:
        return not self.problem and (not self.differing or self.largest <= tolerance)


@dataclass
class Agreement:
    """Agreement of a run and its repetition, and what changed between them."""

    folder: Path
    again: Path
    tolerance: float
    tables: list[TableAgreement]
    changed: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return all(table.agrees(self.tolerance) for table in self.tables)

    @property
    def exact(self) -> bool:
        return all(table.agrees(0) for table in self.tables)

    def document(self) -> dict[str, Any]:
        """The comparison as a JSON document (schema ``hebbsim.rerun/1``)."""
        return {
            "schema": SCHEMA,
            "folder": str(self.folder),
            "again": str(self.again),
            "agrees": self.agrees,
            "exact": self.exact,
            "tolerance": self.tolerance,
            "changed": self.changed,
            "tables": [asdict(table) for table in self.tables],
        }


def rerun(
    folder: Path,
    out: Out | None = None,
    *,
    tolerance: float = 0.0,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Agreement:
    """Repeat a run in another folder, and compare the tables of both.

    By default, `out` is ``FOLDER-rerun``, or the next free number. `tolerance` is the maximum
    difference that counts as agreement; 0 requires identical digits. Raises BadInputError if the
    folder holds no reproducible run, or an input is missing.
    """
    if not tolerance >= 0:
        raise BadInputError(f"--tolerance {tolerance}: give a number from 0 on")
    experiment, config = read_run(folder)
    if out is None:
        base = folder.absolute().with_name(f"{folder.resolve().name}-rerun")
        out = base if overwrite else Numbered(base)
    elif not isinstance(out, Numbered) and Path(out).resolve() == folder.resolve():
        raise BadInputError(f"--out {out}: is the run itself; name another folder")
    with _own_store(config, out) as config:
        results = experiment.run(config, out, progress=progress, overwrite=overwrite)
    again = results.folder
    assert again is not None
    tables = compare_folders(folder, again, timed=experiment.timed)
    changed = _changed(folder, again)
    named = _read(folder, "config.json").get("network")
    if getattr(config, "network", None) == str(folder / "network.json") != named:
        changed.append(f"network {named} is gone or another: network.json of the run was learned")
    return Agreement(folder, again, tolerance, tables, changed)


@contextlib.contextmanager
def _own_store(config: ExperimentConfig, out: Out) -> Iterator[ExperimentConfig]:
    """Use a separate store of trained models, because those of the first run prove nothing."""
    if "store" not in type(config).model_fields:
        yield config
        return
    store = Path(f"{os.fspath(out.base if isinstance(out, Numbered) else out)}-store")
    new = not store.exists()
    yield config.model_copy(update={"store": store})
    if new:  # kept if interrupted, to be resumed
        shutil.rmtree(store, ignore_errors=True)


def read_run(folder: Path) -> tuple[Experiment, ExperimentConfig]:
    """The experiment and the configuration of a run; errors are those of `rerun`."""
    document, kept = _read(folder, "results.json"), _read(folder, "config.json")
    experiment = get_experiment(document.get("experiment"))
    if experiment.once:
        raise BadInputError(
            f"{folder}: no second run of {experiment.name} can agree with the first: "
            f"{experiment.once}; run it again by its own command"
        )
    options = {k: v for k, v in kept.items() if k in experiment.config.model_fields}
    if "source" in kept:  # name or path as given; ``corpus`` is the name of the corpus
        options["corpus"] = kept["source"]
    began = Path((read_json(folder / "machine.json") or {}).get("directory", ""))
    for name in experiment.paths:
        if name in options:
            value = options[name]
            if "-" in (value if isinstance(value, list) else [value]):
                raise BadInputError(f"{folder}: it read standard input, which cannot be read again")
            options[name] = _found(value, began)
    try:
        return experiment, experiment.config.of_run(options, folder)
    except BadInputError as error:
        raise BadInputError(f"{folder}: {error}") from None


def _read(folder: Path, name: str) -> dict[str, Any]:
    document = read_json(folder / name)
    if document is None and not (folder / name).exists():
        raise BadInputError(f"{folder}: no {name} in it; give the folder of a finished run")
    if document is None:
        raise BadInputError(f"{folder / name}: damaged, or not readable")
    return document


def _found(value: Any, began: Path) -> Any:
    """Resolve a relative path from the folder in which the run was started."""
    if isinstance(value, list):
        return [_found(part, began) for part in value]
    if isinstance(value, str) and not Path(value).exists() and (began / value).exists():
        return str(began / value)
    return value


def _changed(folder: Path, again: Path) -> list[str]:
    """Descriptions of packages and inputs that differ between the runs."""
    before, now = (_read(f, "provenance.json") for f in (folder, again))
    found = []
    for what, name in (("packages", "package"), ("inputs", "input")):
        old, new = before.get(what, {}), now.get(what, {})
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                was, is_now = (str(side.get(key, "absent"))[:12] for side in (old, new))
                found.append(f"{name} {key} was {was} and is {is_now}")
    return found


def compare_folders(
    folder: Path, again: Path, *, timed: tuple[str, ...] = ()
) -> list[TableAgreement]:
    """Compare all tables of two run folders by cell, except for `timed` metrics and columns."""
    names = sorted({path.name for side in (folder, again) for path in side.glob("*.csv")})
    return [_compare_tables(name, folder / name, again / name, timed) for name in names]


def _compare_tables(name: str, one: Path, other: Path, timed: tuple[str, ...]) -> TableAgreement:
    missing = [path.parent for path in (one, other) if not path.is_file()]
    if missing:
        return TableAgreement(name, problem=f"missing in {missing[0]}")
    mine, theirs = (_rows(path, timed) for path in (one, other))
    if mine[0] != theirs[0]:
        return TableAgreement(name, problem="other columns")
    if len(mine) != len(theirs):
        return TableAgreement(name, problem=f"{len(mine) - 1} rows against {len(theirs) - 1}")
    cells = differing = 0
    largest, where = 0.0, ""
    for number, (row, again) in enumerate(zip(mine[1:], theirs[1:], strict=True), start=2):
        cells += len(row)
        for column, a, b in zip(mine[0], row, again, strict=False):
            if a != b:
                differing += 1
                size = _difference(a, b)
                if size > largest:
                    largest, where = size, f"line {number}, {column}: {a} against {b}"
    return TableAgreement(name, cells, differing, largest, where)


def _rows(path: Path, timed: tuple[str, ...]) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    shown = [i for i, name in enumerate(header) if name not in timed]
    kept = (row for row in rows if not set(row) & set(timed))
    return [[row[i] for i in shown if i < len(row)] for row in [header, *kept]]


def _difference(a: str, b: str) -> float:
    """Difference of two cells; infinite if one is not a number."""
    try:
        size = abs(float(a) - float(b))
    except ValueError:
        return math.inf
    return math.inf if math.isnan(size) else size


def show(found: Agreement, console: Console | None = None) -> None:
    """Print how far the tables of two runs agree."""
    console = console or Console()
    table = plain_table("table", "cells", "differ", "largest", fold=True)
    for each in found.tables:
        if each.problem:
            table.add_row(each.table, "", "", each.problem)
        else:
            size = f"{each.largest:.3g}" if each.differing else "0"
            table.add_row(each.table, f"{each.cells:,}", f"{each.differing:,}", size)
    console.print()
    console.print(table)
    for each in found.tables:
        if each.where:
            console.print(f"{each.table}: {each.where}", soft_wrap=True)
    for line in found.changed:
        console.print(f"Changed: {line}", soft_wrap=True)
    if found.exact:
        console.print("Every number is the same.")
    elif found.agrees:
        console.print(f"No number differs by more than {found.tolerance:g}.")
    else:
        console.print("The two runs do not agree.")
    console.print(f"New run: {found.again}", soft_wrap=True)
