"""The tables that `hebbsim run roles` prints; they fit 80 columns."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table
from rich.text import Text

from hebbsim.cli.terminal import Console
from hebbsim.experiments.results import Results, Row

_PARTS = {
    "view=own": "own code only",
    "view=traces": "traces only",
    "shuffled=traces": "traces shuffled",
    "shuffled=labels": "dev roles shuffled",
}
_MOST_CLUSTERS = 20
#: Characters of a split's name that leave room for its numbers.
_WIDEST_SPLIT = 48


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print what a run found, the headline first, the files last."""
    console = console or Console(highlight=False, soft_wrap=False)
    if "clusters" in results.tables:
        _show_clusters(results, console)
    else:
        _show_models(results, console)
        _show_roles(results, console)
        _show_splits(results, console)
        console.print()
        for line in _headline(results):
            console.print(line)
    for note in results.notes:
        console.print(f"Note: {note}", markup=False)
    shown = "Figures and tables" if (folder / "figures").is_dir() else "Tables"
    console.print(f"{shown}: {folder}", markup=False, soft_wrap=True)


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    # Of what is too wide, names alone are folded: no number is ever cut.
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold", markup=False)


def _show_models(results: Results, console: Console) -> None:
    config = results.config
    taus = ", ".join(f"{tau:g}" for tau in config["timescales"])
    console.print()
    console.print(
        f"Corpus {config['corpus']}, {config['layer']} roles; K = {config['clusters']}; "
        f"timescales {taus}; {config['seeds']} seed{'s' * (config['seeds'] != 1)}",
        markup=False,
    )
    splits = [s for s in ("test", "gen") if results.select(split=s, metric="accuracy")]
    several = config["seeds"] > 1
    _heading(console, "Accuracy" + ", with half of the 95 % interval over seeds" * several)
    table = _table("model", "labels", *splits, "V-measure")
    for model, condition, name, labels in _model_rows(results):
        cells = [_cell(_find(results, model, condition, split)) for split in splits]
        v = _find(results, model, condition, "test", metric="v_measure")
        table.add_row(name, labels, *cells, f"{v.mean:.3f}" if v else "")
    console.print(table)
    console.print(
        "Labels are those learnt from. Clusters are named with roles of dev: by majority,"
    )
    console.print("or by the soft read-out, where a token belongs to several clusters.")
    curve = [
        (row.words["labels"], f"{row.mean:.3f}")
        for row in results.select(model="bigru", split="test", metric="accuracy")
        if set(row.words) == {"labels"} and not row.words["labels"].startswith("readout")
    ]
    if len(curve) > 1:
        names = [
            f"{int(n):,}" if n.isdigit() else f"all {config['n_sentences']:,}" for n, _ in curve
        ]
        _heading(console, "BiGRU on test by labelled sentences")
        table = _table("sentences", *names)
        table.add_row("accuracy", *(value for _, value in curve))
        console.print(table)


def _model_rows(results: Results) -> list[tuple[str, str, str, str]]:
    """Model, condition, name and labels of each line, in the order of the results."""
    few = results.config["readout_sentences"]
    shown = {"all": "all", "readout": "dev", f"readout-{few}": f"{few} of dev"}
    lines = []
    for row in results.select(split="test", metric="accuracy"):
        words = row.words
        if row.model == "hebbian":
            name, labels = _learner_name(words), "none"
        elif row.model == "bigru":
            name = "bigru, hebbian codes" if "codes" in words else "bigru"
            labels = shown.get(words["labels"], words["labels"])
            if labels.isdigit():
                continue  # the label curve has a line of its own
        else:
            name, labels = row.model, "all"
        lines.append((row.model, row.condition, name, labels))
    return lines


def _learner_name(words: dict[str, str]) -> str:
    """A learner by its name, what is made of the same learner below it, indented."""
    said = [
        _PARTS.get(f"{key}={value}", f"{key.replace('tau', 'timescale')} {value}")
        for key, value in words.items()
        if key not in ("K", "members", "labels", "readout")
    ]
    if "readout" in words:
        said.append("soft" if "labels" in words else "soft read-out")
    if "labels" in words:
        said.append(f"mapped with {words['labels']}")
    if said:
        return "  " + ", ".join(said)
    return f"{words['members']} voting" if "members" in words else "hebbian"


def _find(
    results: Results, model: str, condition: str, split: str, metric: str = "accuracy"
) -> Row | None:
    found = results.select(model=model, split=split, metric=metric, role=None)
    return next((row for row in found if row.condition == condition), None)


def _cell(row: Row | None, sign: str = "") -> str:
    """A mean and half of its interval: 0.912 ±0.004."""
    if row is None:
        return ""
    if row.low is None or row.high is None:
        return f"{row.mean:{sign}.3f}       "
    return f"{row.mean:{sign}.3f} ±{(row.high - row.low) / 2:.3f}"


def _reference(results: Results) -> tuple[str, str]:
    """Conditions of the learner (the population where there is one) and of its rival."""
    config = results.config
    members = f" members={config['members']}" if config["members"] > 1 else ""
    return f"K={config['clusters']}{members}", "labels=all"


def _remarks(results: Results, *remarks: str) -> str:
    """Who is meant by "hebbian" where it is not one learner, and other remarks on a table."""
    members = results.config["members"]
    said = [f"hebbian: {members} voting"] * (members > 1) + [*remarks]
    return f" ({'; '.join(said)})" if said else ""


def _show_roles(results: Results, console: Console) -> None:
    mine, theirs = _reference(results)
    splits = [s for s in ("test", "gen") if results.select(split=s, metric="recall")]
    decided = {s.name: s.decided for s in results.tables.get("structure", ()) if s.kind == "role"}
    recall = {(r.split, r.model, r.condition, r.role): r.mean
              for r in results.select(metric="recall")}  # fmt: skip
    with_bigru = any(key[1] == "bigru" for key in recall)
    columns = [f"{s} {m}" for s in splits for m in ("hebbian", "bigru")[: 1 + with_bigru]]
    _heading(console, f"Recall by role{_remarks(results)}")
    table = _table("role", *columns, *(["decided by"] if decided else []))
    for row in results.select(split="test", model="hebbian", metric="recall"):
        if row.condition != mine:
            continue
        cells = []
        for split in splits:
            a = recall.get((split, "hebbian", mine, row.role))
            b = recall.get((split, "bigru", theirs, row.role))
            ahead = a is not None and b is not None and round(a, 3) > round(b, 3)
            cells.append(Text(f"{a:.3f}" if a is not None else "", style="bold" if ahead else ""))
            if with_bigru:
                cells.append(Text(f"{b:.3f}" if b is not None else ""))
        extra = [decided.get(str(row.role), "")] if decided else []
        table.add_row(str(row.role), *cells, *extra)
    console.print(table)


def _show_splits(results: Results, console: Console) -> None:
    mine, theirs = _reference(results)
    rows = [
        r
        for r in results.select(metric="accuracy", model="hebbian")
        if r.condition == mine and r.split.startswith("gen/")
    ]
    if not rows:
        return
    turns = {s.name for s in results.tables.get("structure", ()) if s.decided == "structure"}
    difference = {
        r.split: r
        for r in results.select(metric="accuracy_difference", model="hebbian")
        if r.condition == f"{mine} minus=bigru"
    }
    columns = ["hebbian", "bigru", "difference"] if difference else ["hebbian"]
    note = ["* turns on structure, judged on dev"] * bool(turns)
    _heading(console, f"Generalization splits{_remarks(results, *note)}")
    table = _table("split", *columns)
    for row in sorted(rows, key=lambda r: (r.split not in turns, r.split)):
        mark = "* " if row.split in turns else "  "
        name = (mark if turns else "") + _broken(row.split.removeprefix("gen/"))
        cells = [f"{row.mean:.3f}"]
        if row.split in difference:
            other = _find(results, "bigru", theirs, row.split)
            cells += [f"{other.mean:.3f}" if other else "", _cell(difference[row.split], "+")]
        table.add_row(name, *cells)
    console.print(table)


def _broken(name: str) -> str:
    """A long name on two lines, the first as full as an underscore allows."""
    if len(name) <= _WIDEST_SPLIT:
        return name
    cut = name.rfind("_", 0, _WIDEST_SPLIT) + 1 or _WIDEST_SPLIT
    return f"{name[:cut]}\n    {name[cut:]}"


def _headline(results: Results) -> list[str]:
    """What the run says in words, one sentence a line."""
    mine, _ = _reference(results)
    lines = []
    share, equal = _ratio(results, mine), _equivalent(results, mine)
    if share:
        lines.append(f"On test, {share[0]} of the BiGRU's accuracy ({share[1]}) without a label.")
    if equal:
        lines.append(f"It equals a BiGRU trained on {equal}.")
    soft = _ratio(results, f"{mine} readout=soft"), _equivalent(results, f"{mine} readout=soft")
    if soft[0] and soft[1]:
        lines.append(f"By the soft read-out: {soft[0][0]}, and {soft[1]}.")
    ahead = _ahead(results, mine)
    return lines + ([ahead] if ahead else [])


def _ratio(results: Results, condition: str) -> tuple[str, str] | None:
    """Share of the BiGRU's accuracy on test, and its interval."""
    for row in results.select(split="test", metric="accuracy_ratio"):
        if row.condition == f"{condition} over=bigru" and row.low is not None:
            assert row.high is not None
            return f"{100 * row.mean:.1f} %", f"{100 * row.low:.1f} to {100 * row.high:.1f}"
    return None


def _equivalent(results: Results, condition: str) -> str | None:
    """With how many labelled sentences the BiGRU does as well on test."""
    for row in results.select(split="test", metric="label_equivalence"):
        name, _, place = row.condition.partition(" curve=")
        if name != condition:
            continue
        if place:
            side = "more" if place == "above" else "fewer"
            return f"{side} than {row.mean:,.0f} labelled sentences"
        if row.low is not None and row.high is not None:
            return f"{row.mean:,.0f} labelled sentences ({row.low:,.0f} to {row.high:,.0f})"
    return None


def _ahead(results: Results, mine: str) -> str | None:
    """On how many of the splits that turn on structure the learner is ahead."""
    turns = {s.name for s in results.tables.get("structure", ()) if s.decided == "structure"}
    differences = [
        row.mean
        for row in results.select(metric="accuracy_difference", model="hebbian")
        if row.split in turns and row.condition == f"{mine} minus=bigru"
    ]
    if not differences:
        return None
    return (
        f"It is ahead on {sum(d > 0 for d in differences)} of the {len(differences)} "
        "generalization splits that turn on structure."
    )


def _show_clusters(results: Results, console: Console) -> None:
    clusters = results.tables["clusters"]
    shown = min(_MOST_CLUSTERS, len(clusters))
    _heading(console, f"The {shown} largest of {len(clusters)} clusters")
    table = _table("cluster", "tokens")
    for column in table.columns:
        column.min_width = len(str(column.header))
    table.add_column("commonest words", no_wrap=True, overflow="ellipsis", ratio=1)
    for record in clusters[:_MOST_CLUSTERS]:
        table.add_row(str(record.cluster), f"{record.tokens:,}", Text(record.words))
    console.print(table)
