"""Pages of the site that are made when it is built.

`api_pages` writes one page for every public name. `claim_pages` writes what the runs whose rows
stand in ``experiments/*/results`` measured of each claim, with the verdicts of `hebbsim report`:
no number of these pages is typed. Notebooks are copied to where Sphinx reads pages.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

import hebbsim
from hebbsim.plots import tables
from hebbsim.runs.finished import RunTables
from hebbsim.runs.report.build import findings_of
from hebbsim.runs.report.claims import CLAIMS, VERDICTS, Finding, number, verdict

ROOT = Path(__file__).resolve().parents[2]


def setup(app: Any) -> dict[str, bool]:
    """Make the pages before Sphinx looks for any."""
    app.connect("config-inited", lambda app, config: make(Path(app.srcdir)))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def make(docs: Path) -> None:
    """Write every page that is made into the folder of the pages that are written."""
    api_pages(docs / "api")
    claim_pages(ROOT / "experiments", docs / "experiments/measured")
    shutil.copytree(ROOT / "notebooks", docs / "notebooks", dirs_exist_ok=True)


# --- API ------------------------------------------------------------------------------------


def public_names() -> dict[str, list[str]]:
    """What each package exports, by the name of the package."""
    found = {}
    names = ["hebbsim"] + [
        module.name
        for module in pkgutil.walk_packages(hebbsim.__path__, "hebbsim.")
        if module.ispkg
    ]
    for name in names:
        exported = getattr(importlib.import_module(name), "__all__", ())
        if shown := [x for x in exported if not x.startswith("__")]:
            found[name] = shown
    return found


def api_pages(folder: Path) -> None:
    """Write ``index.rst``, one page a package and one a name; remove those that are no more."""
    pages = {}
    documented: dict[int, str] = {}
    for package, names in public_names().items():
        module = importlib.import_module(package)
        about = (module.__doc__ or "").strip().split("\n\n")[0]
        full = []
        for name in names:
            value = getattr(module, name)
            here = f"{package}.{name}"
            # What several packages export has its page under the first of them.
            home = documented.setdefault(id(value), here) if callable(value) else here
            if home == here:
                pages[here] = _page(here, value)
            full.append(home)
        own = [name for name in full if name in pages and name.rpartition(".")[0] == package]
        pages[package] = "\n".join(
            [package, "=" * len(package), "", about, "", ".. autosummary::", ""]
            + [f"   {name}" for name in full]
            + ["", ".. toctree::", "   :hidden:", ""]
            + [f"   {name}" for name in own]
        )
    packages = [name for name in pages if name in public_names()]
    pages["index"] = (
        "API\n===\n\nEvery public name, by package, from its docstring. The examples run in the "
        "tests.\n\n.. toctree::\n   :maxdepth: 1\n\n" + "\n".join(f"   {p}" for p in packages)
    )
    _write_all(folder, {f"{name}.rst": text + "\n" for name, text in pages.items()})


def _page(name: str, value: Any) -> str:
    short = name.rpartition(".")[2]
    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
    members = "   :members:\n" if kind == "class" else ""
    return f"{short}\n{'=' * len(short)}\n\n.. auto{kind}:: {name}\n{members}"


def _write_all(folder: Path, files: dict[str, str]) -> None:
    """Write files that differ from what is there, so that Sphinx reads no other anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


# --- claims ---------------------------------------------------------------------------------


class KeptRun(RunTables):
    """A run of which the repository holds rows alone."""

    def __init__(self, name: str, experiment: str, results: Path) -> None:
        super().__init__(results.parent)
        self.name = name
        self._experiment, self._results = experiment, results

    @property
    def experiment(self) -> str:
        return self._experiment

    @cached_property
    def document(self) -> dict[str, Any]:
        return {"experiment": self._experiment, "notes": []}

    @cached_property
    def about(self) -> dict[str, Any]:
        path = self._results.with_suffix(".json")
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    @cached_property
    def config(self) -> dict[str, Any]:
        config = dict(self.about.get("config", {}))
        if self.experiment == "roles":
            config.setdefault("readout_sentences", 100)
        if self.experiment == "identity":
            lags = [int(x) for c in self.results["condition"] for x in re.findall(r"^lag=(\d+)", c)]
            config["lags"] = max(lags) + 1
        return config

    @cached_property
    def results(self) -> pd.DataFrame:
        return tables.read(self._results)

    def table(self, name: str) -> pd.DataFrame | None:
        if name == "structure":
            if not self.about.get("structure"):
                return None
            return pd.DataFrame(self.about["structure"]).astype(str)
        path = self._results.with_name(f"{self._results.stem}.{name}.csv")
        return tables.read_text(path) if path.is_file() else None


def kept_runs(experiments: Path) -> list[KeptRun]:
    """All runs whose rows the repository holds, as far as they can speak to a claim."""
    runs = [
        KeptRun(path.stem, "roles", path.with_suffix(".csv"))
        for path in sorted((experiments / "roles/results").glob("*.json"))
    ]
    runs.append(KeptRun("default", "identity", experiments / "identity/results/default.csv"))
    for folder in sorted((experiments / "lm/results").iterdir()):
        verb = re.split("-", folder.name)[0]
        experiment = {"copy": "recall"}.get(verb, verb)
        runs.append(KeptRun(folder.name, experiment, folder / "results.csv"))
    return runs


def claim_pages(experiments: Path, folder: Path) -> None:
    """Write ``cN.md`` for every claim, in words, with its verdict and what was measured of it,
    and ``verdicts.md``, a line for each.
    """
    found: dict[str, list[tuple[str, Finding]]] = {key: [] for key in CLAIMS}
    for run in kept_runs(experiments):
        for finding in findings_of(run):
            found[finding.claim].append((run.name, finding))
    commands = _commands((experiments / "REPRODUCING.md").read_text(encoding="utf-8"))
    pages = {}
    verdicts = ["| claim | in short | our verdict |", "|---|---|---|"]
    for key, claim in CLAIMS.items():
        decided = VERDICTS[verdict([f for _, f in found[key]], bool(found[key]))]
        small = "" if {*claim.experiments} <= {"roles", "identity"} else ", at the size tested"
        verdicts.append(f"| [{key}]({key.lower()}.md) | {claim.title} | {decided}{small} |")
        pages[f"{key.lower()}.md"] = "\n".join(
            [
                f"> {claim.text}\n",
                "## Runs\n",
                *_runs(commands, dict.fromkeys(run for run, _ in found[key]), claim.experiments),
                f"## Result: {decided}{small}\n",
                f"{claim.rule}\n",
                *_findings(found[key]),
            ]
        )
    pages["verdicts.md"] = "\n".join(verdicts) + "\n"
    _write_all(folder, pages)


def _commands(text: str) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    """Tables of runs on a page: their headers, and their rows."""
    tables_: list[tuple[tuple[str, ...], list[tuple[str, ...]]]] = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        header, _, *rows = (
            tuple(cell.strip() for cell in line.strip("|").split("|"))
            for line in block.splitlines()
        )
        if header[:2] == ("run", "command"):
            tables_.append((header, rows))
    return tables_


def _runs(commands: Any, names: Any, experiments: tuple[str, ...]) -> list[str]:
    """The commands of some runs of these experiments, and what they took, as tables."""
    lines = []
    for header, rows in commands:
        verbs = "|".join(experiments)
        known = [row for row in rows if re.search(rf"hebbsim run ({verbs})\b|the same", row[1])]
        if chosen := [row for row in known if row[0] in names]:
            lines += [f"| {' | '.join(row)} |" for row in (header, ("---",) * len(header), *chosen)]
            lines.append("")
    return lines


_SAID = {"yes": "supports", "no": "contradicts", "part": "in part", "open": "cannot tell"}


def _findings(found: list[tuple[str, Finding]]) -> list[str]:
    header = ("run", "measured", "value (95 % interval)", "n", "held against", "says")
    rows = [
        (run, f.measure, f.value, f.repeated, "" if f.bound is None else number(f.bound, f.unit),
         _SAID.get(f.judgement or "", ""))
        for run, f in found
    ]  # fmt: skip
    return [f"| {' | '.join(row)} |" for row in (header, ("---",) * len(header), *rows)] + [""]
