"""Compares runs seed by seed: `hebbsim compare`."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pandas import DataFrame

from hebbsim.conditions import words
from hebbsim.errors import BadInputError
from hebbsim.probes.bootstrap import adjust, paired_test
from hebbsim.runs.folders import read_json
from hebbsim.runs.sweep import read_scores, run_folders
from hebbsim.runs.terminal import Console, plain_table

SCHEMA = "hebbsim.compare/1"
#: Condition words in which compared runs may differ.
_SIZES = ("K", "members")
#: Options that determine, with the input files, on which tokens and roles a run is scored.
_DATA = ("corpus", "gold_layer", "tokenizer", "parser", "vocabulary")
#: Inputs that a run learns by and is not scored on, and options that name files of such.
_LEARNED = ("network", "vectors")
_CODE = ("rules", "decoders")
#: Maximum number of differences in a message.
_NAMED = 3


@dataclass(frozen=True)
class RunDifference:
    """Difference of two runs in one metric, over their common seeds.

    `p` is two-sided; `corrected` accounts for the number of comparisons. Both and the ends of the
    95 % interval are None if there is a single seed.
    """

    run: str
    minus: str
    corpus: str
    split: str
    model: str
    condition: str
    metric: str
    value: float
    other: float
    difference: float
    low: float | None
    high: float | None
    n: int
    p: float | None
    corrected: float | None
    unit: str


def compare_runs(
    paths: Sequence[Path],
    *,
    metric: str | None = None,
    splits: Sequence[str] = (),
    model: str | None = None,
    every_pair: bool = False,
    every_condition: bool = False,
    correction: str = "holm",
) -> list[RunDifference]:
    """Compare all runs with the first, or every pair of runs, over their common seeds.

    Scores are paired by seed, because a seed determines the same random draws in every run. A run
    with an ensemble is compared by its ensemble, any other by its single learner. Conditions are
    matched by their words except K. A sweep folder stands for all of its runs.

    By default, `metric` is ``accuracy`` if all runs have it, else their first common metric;
    `splits` are ``test`` and ``gen``; `model` is ``hebbian`` in runs that have it, else every one.

    Raises BadInputError if there are fewer than two runs, one cannot be read, they have nothing in
    common, or they are scored on different data.
    """
    adjust([], correction)
    folders = run_folders(list(paths))
    if len(folders) < 2:
        raise BadInputError(f"{len(folders)} run to compare: give two or more, or a sweep")
    tables = [read_scores(folder) for folder in folders]
    names = _names(folders)
    metric = metric or _metric(tables)
    chosen = [_chosen(table, metric, splits, model, every_condition) for table in tables]
    pairs = (
        itertools.combinations(range(len(folders)), 2)
        if every_pair
        else ((0, other) for other in range(1, len(folders)))
    )
    found, unlike = [], ""
    for first, second in pairs:
        rows = list(_pair(names[second], chosen[second], names[first], chosen[first]))
        if differences := _differences(folders[first], folders[second]):
            unlike = (
                f"{names[first]} and {names[second]} are scored on different data "
                f"({differences}); compare runs of one corpus, layer and role scheme"
            )
            if rows:
                raise BadInputError(unlike)
        found += rows
    if not found and unlike:
        raise BadInputError(unlike)
    if not found:
        had = [sorted(set(zip(t["corpus"], t["split"], strict=True))) for t in chosen]
        shown = "; ".join(
            f"{name}: {', '.join(f'{c} {s}' for c, s in has[:4]) or 'nothing'}"
            for name, has in zip(names, had, strict=True)
        )
        raise BadInputError(
            f"the runs have no {metric} of one corpus, split and condition in common ({shown}); "
            "see --metric, --split and --model"
        )
    p = adjust([np.nan if row.p is None else row.p for row in found], correction).tolist()
    return [
        replace(row, corrected=None if row.p is None else value)
        for row, value in zip(found, p, strict=True)
    ]


def _differences(first: Path, second: Path) -> str:
    """Description of how the data differ on which two runs are scored; "" if they do not."""
    configs, digests = zip(_scored(first), _scored(second), strict=True)
    found = []
    for name in _DATA:
        one, other = (config.get(name) for config in configs)
        if one != other:
            found.append(f"{name}: {one or 'default'} and {other or 'default'}")
    for name in sorted({*digests[0], *digests[1]}):
        one, other = (side.get(name) for side in digests)
        # Further sources of `run lm` are separate splits, which a run may lack.
        if one != other and ((one and other) or "validation" not in configs[0]):
            shown = (str(value)[:12] if value else "absent" for value in (one, other))
            found.append(f"{name}: {' and '.join(shown)}")
    more = len(found) - _NAMED
    return "; ".join([*found[:_NAMED], *([f"{more} more"] if more > 0 else [])])


def _scored(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The configuration of a run, and the digests of what it is scored on."""
    try:
        document = read_json(folder / "results.json") or {}
        config, provenance = dict(document["config"]), dict(document["provenance"])
        code = [str(file) for option in _CODE for file in config.get(option) or ()]
        unscored = {*_LEARNED, *provenance.get("text", []), *code, *(Path(f).name for f in code)}
        inputs = {k: v for k, v in provenance["inputs"].items() if k not in unscored}
        return config, inputs
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInputError(
            f"{folder / 'results.json'}: damaged, it does not say what the run read; run it again"
        ) from None


def _names(folders: Sequence[Path]) -> list[str]:
    """Folder names, with as many parent folders as are needed to distinguish them."""
    whole = [folder.absolute().parts for folder in folders]
    for depth in range(1, max(map(len, whole)) + 1):
        names = ["/".join(parts[-depth:]) for parts in whole]
        if len(set(names)) == len(names):
            break
    if len(set(whole)) < len(whole):
        raise BadInputError("a run is given twice")
    return names


def _metric(tables: Sequence[DataFrame]) -> str:
    """The metric to compare if none is named."""
    common = set.intersection(*(set(table["metric"]) for table in tables))
    for name in ("accuracy", *sorted(common)):
        if name in common:
            return name
    raise BadInputError("the runs have no metric in common")


def _chosen(
    table: DataFrame, metric: str, splits: Sequence[str], model: str | None, every_condition: bool
) -> DataFrame:
    """Rows to compare, with a column ``key``: the condition without sizes."""
    wanted = list(splits) or ["test", "gen"]
    if model is None and (table["model"] == "hebbian").any():
        model = "hebbian"
    rows = table[(table["metric"] == metric) & (table["role"] == "") & table["split"].isin(wanted)]
    if model is not None:
        rows = rows[rows["model"] == model]
    conditions = [words(condition) for condition in rows["condition"]]
    keys = [" ".join(f"{k}={v}" for k, v in w.items() if k not in _SIZES) for w in conditions]
    members = np.array([int(each.get("members", 1)) for each in conditions], dtype=int)
    rows = rows.assign(key=keys)[members == members.max(initial=1)]
    plain = rows[rows["key"].isin(["", "readout=soft"])]
    return rows if every_condition or plain.empty else plain


def _pair(run: str, table: DataFrame, minus: str, other: DataFrame) -> Iterator[RunDifference]:
    on = ["corpus", "split", "model", "key", "metric", "unit"]
    both = table.merge(other, on=[*on, "seed"], suffixes=("", "_other"), validate="one_to_one")
    for (corpus, split, model, key, metric, unit), rows in both.groupby(on, sort=False):
        found = paired_test(rows["value"], rows["value_other"])
        tested = found.n > 1
        yield RunDifference(
            run, minus, corpus, split, model, key, metric,
            float(rows["value"].mean()), float(rows["value_other"].mean()),
            found.difference.mean,
            found.difference.low if tested else None,
            found.difference.high if tested else None,
            found.n, found.p if tested else None, None, unit,
        )  # fmt: skip


def document(found: Sequence[RunDifference], correction: str) -> dict[str, Any]:
    """The comparisons as a JSON document (schema ``hebbsim.compare/1``)."""
    return {
        "schema": SCHEMA,
        "correction": correction,
        "tests": sum(row.p is not None for row in found),
        "results": [asdict(row) for row in found],
    }


def show(found: list[RunDifference], correction: str, console: Console | None = None) -> None:
    """Print a table for every pair of runs."""
    console = console or Console()
    by = {"holm": "Holm", "bh": "Benjamini and Hochberg", "none": "nothing"}[correction]
    for (run, minus), rows in itertools.groupby(found, lambda row: (row.run, row.minus)):
        console.print()
        console.print(f"{run} minus {minus}", style="bold", soft_wrap=True)
        names = ("split", "condition", "mean", "minus", "difference", "95 %", "p", "n")
        table = plain_table(*names, texts=2, fold=True)
        for r in rows:
            interval = "" if r.low is None else f"{r.low:+.4f} to {r.high:+.4f}"
            name = f"{r.model} {r.condition}".removeprefix("hebbian ").strip()
            table.add_row(
                r.split, name, f"{r.value:.4f}", f"{r.other:.4f}", f"{r.difference:+.4f}",
                interval, _p(r.corrected), str(r.n),
            )  # fmt: skip
        console.print(table)
    tests = sum(row.p is not None for row in found)
    console.print()
    console.print(
        f"{found[0].metric.capitalize()} paired by seed; t intervals, not corrected; "
        f"p of {tests} test{'s' * (tests != 1)},"
    )
    console.print(f"corrected by {by}.")


def _p(p: float | None) -> str:
    if p is None:
        return ""
    return "<.0001" if p < 0.0001 else f"{p:.4f}".removeprefix("0")
