"""The tables that `hebbsim run roles` prints; they fit 80 columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from hebbsim.experiments.roles.scores import Compared
from hebbsim.rivals import RIVALS
from hebbsim.runs.results import Results, Row
from hebbsim.runs.terminal import Console

_PARTS = {
    "view=own": "own code only",
    "view=traces": "traces only",
    "shuffled=traces": "traces shuffled",
    "prototypes=random": "prototypes random tokens",
    "shuffled=labels": "dev roles shuffled",
}
#: Measures of clusters before they are named, as columns.
_CLUSTERING = {
    "many_to_one": "many-to-one",
    "one_to_one": "one-to-one",
    "v_measure": "V-measure",
    "variation_of_information": "VI, bits",
    "adjusted_rand": "ARI",
}
#: Splits by what decides them: the mark before a name, and what it says.
_MARKS = {
    "structure": "* turns on structure, judged on dev and on splits of a sibling corpus",
    "not judged": "? not judged: there is no sibling of this split",
}
_MOST_CLUSTERS = 20
#: Points of a learning curve that fit a line, with tokens in millions, too.
_MOST_COLUMNS = 8
#: Characters of a split's name that leave room for its numbers.
_WIDEST_SPLIT = 40


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print what a run found, the headline first, the files last."""
    console = console or Console(highlight=False, soft_wrap=False)
    if "clusters" in results.tables:
        _show_clusters(results, console)
    else:
        _show_models(results, console)
        _show_rivals(results, console)
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
        f"Corpus {config['corpus']}, {_layer(config)}; K = {config['clusters']}; "
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
    console.print("Labels: those that a model learns from. Hebbian clusters learn from none; roles")
    console.print("of dev name them, by majority or by the soft read-out.")
    _show_seeds(results, console)
    _show_clustering(results, console)
    _show_curve(results, console)
    _show_learning(results, console)


def _show_rivals(results: Results, console: Console) -> None:
    """The learner beside the rivals that have no labels either, with what each takes."""
    mine, _ = _reference(results)
    k = f"K={results.config['clusters']}"
    models = [name for name in RIVALS if _find(results, name, k, "test")]
    if not models:
        return
    splits = [s for s in ("test", "gen") if results.select(split=s, metric="accuracy")]
    verdicts = {(c.rival, c.split): c.verdict for c in _comparisons(results, f"rivals {mine}")}
    _heading(console, f"Without labels, roles named from dev{_remarks(results)}")
    table = _table("model", *splits, "soft,\ntest", "V", "hebbian\nis", "CPU s", "MB")
    for model, condition in [("hebbian", mine), *((name, k) for name in models)]:
        cells = [_cell(_find(results, model, condition, split)) for split in splits]
        soft = _find(results, model, f"{condition} readout=soft", "test")
        v = _find(results, model, condition, "test", metric="v_measure")
        verdict = _SHORT.get(verdicts.get((model, "test"), ""), "")
        table.add_row(
            model,
            *cells,
            *(f"{row.mean:.3f}" if row else "" for row in (soft, v)),
            verdict,
            *_took(results, model),
        )
    console.print(table)
    n = results.config["rival_seeds"]
    console.print(
        f"Rivals: {n} seed{'s' * (n != 1)}. hebbian is ahead or behind on test, by majority. Soft: "
        "named\nby the soft read-out. V: V-measure on test. CPU s, MB: processor time and growth of"
        "\nmemory while one seed learns (of hebbian the first)."
    )
    for line in _RULE:
        console.print(line, markup=False)


def _took(results: Results, model: str) -> tuple[str, str]:
    """Processor time of one seed, the mean over seeds, and the most memory."""
    costs = [cost for cost in results.costs if cost.model == model]
    if not costs:
        return "", ""
    seconds = sum(cost.seconds for cost in costs) / len(costs)
    sizes = [cost.memory for cost in costs if cost.memory is not None]
    return f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.1f}", (
        f"{max(sizes) / 1e6:,.0f}" if sizes else ""
    )


def _show_seeds(results: Results, console: Console) -> None:
    """How often each kind of line was measured, where that is not alike."""
    of = {
        "learner": ("seeds", ""),
        "parts and controls": ("ablation_seeds", "seeds"),
        "BiGRU, all labels": ("bigru_seeds", ""),
        "other BiGRUs": ("label_curve_seeds", ""),
    }
    config = results.config
    if config.get("baselines") != "all":
        of = dict(list(of.items())[:2])
    counts = {
        name: min(config[key], config[most]) if most else config[key]
        for name, (key, most) in of.items()
        if key in config
    }
    counts = {name: n for name, n in counts.items() if n}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name} {n}" for name, n in counts.items())
        console.print(f"Seeds: {said}.")


def _layer(config: dict[str, Any]) -> str:
    """What is scored, in words."""
    layer = config["gold_layer"]
    return f"{layer} roles" if layer in ("grammatical", "thematic") else f"layer {layer}"


def _label(results: Results) -> str:
    """What one of the things that are scored is called."""
    return "role" if _layer(results.config).endswith("roles") else "label"


def _show_clustering(results: Results, console: Console) -> None:
    """Measures of the clusters themselves, on the very tokens that they are scored on."""
    k = f"K={results.config['clusters']}"
    rows = {
        split: [_find(results, "hebbian", k, split, metric) for metric in _CLUSTERING]
        for split in ("dev", "test")
    }
    if not all(rows["test"]):
        return
    _heading(console, f"Clusters beside {_layer(results.config)}, before they are named")
    table = _table("split", *_CLUSTERING.values())
    for split, found in rows.items():
        if all(found):
            table.add_row(split, *map(_cell, found))
    console.print(table)
    console.print("Many-to-one and one-to-one name clusters on the tokens that they score. VI:")
    console.print("variation of information, 0 at best. ARI: adjusted Rand index.")


def _show_curve(results: Results, console: Console) -> None:
    """Accuracy on test by number of labelled sentences, the same for each model."""
    mine, _ = _reference(results)
    lines = {
        "hebbian, by majority": ("hebbian", mine, ""),
        "hebbian, soft read-out": ("hebbian", mine, " readout=soft"),
        "bigru": ("bigru", "", ""),
    }
    found = {
        name: {
            n: row
            for n in _label_counts(results)
            if (row := _find(results, model, f"{start} labels={n}{end}".strip(), "test"))
        }
        for name, (model, start, end) in lines.items()
    }
    counts = sorted(set().union(*found.values()))
    if len(counts) < 2:
        return
    _heading(console, "Accuracy on test by labelled training sentences, the same for each model")
    table = _table("model", *(f"{n:,}" for n in counts))
    for name, rows in found.items():
        if rows:
            table.add_row(name, *(f"{rows[n].mean:.3f}" if n in rows else "" for n in counts))
    console.print(table)
    draws = {
        n: max((c.draws for c in _comparisons(results, f"overall {mine} labels=few")
                if c.condition == f"{mine} labels={n}"), default=0)
        for n in counts
    }  # fmt: skip
    if any(draws.values()):
        said = ", ".join(f"{n:,}: {d}" for n, d in draws.items())
        console.print(f"Draws of labelled sentences ({said}).")


def _show_learning(results: Results, console: Console) -> None:
    """Accuracy by the tokens that a network had read, its clusters named on dev each time."""
    read = sorted(
        {
            int(row.words["tokens"])
            for row in results.select(split="test", metric="accuracy")
            if "tokens" in row.words and row.n == results.config["seeds"]
        }
    )
    if not read:
        return
    mine, _ = _reference(results)
    last = results.config["n_tokens"] * results.config["passes"]
    conditions = {n: f"{mine} tokens={n}" for n in read} | {last: mine}
    heads = {n: f"{n / 1000:,.0f}" if n >= 10_000 else f"{n / 1000:.2g}" for n in conditions}
    shown = _some(list(conditions), _MOST_COLUMNS)
    _heading(console, "Accuracy by thousands of tokens read, roles named on dev each time")
    table = _table("split", *(heads[n] for n in shown))
    for split in ("test", "gen"):
        rows = [_find(results, "hebbian", conditions[n], split) for n in shown]
        if any(rows):
            table.add_row(split, *(f"{row.mean:.3f}" if row else "" for row in rows))
    console.print(table)


def _some(points: list[int], n: int) -> list[int]:
    """At most so many of the points, spread evenly, the first and the last among them.

    Examples
    --------
    >>> _some([1, 2, 3, 4, 5], 3), _some([1, 2], 3)
    ([1, 3, 5], [1, 2])
    """
    last = len(points) - 1
    return points if last < n else [points[i * last // (n - 1)] for i in range(n)]


def _label_counts(results: Results) -> list[int]:
    """Numbers of labelled sentences that anything was measured with."""
    said = {row.words.get("labels", "") for row in results.select(split="test", metric="accuracy")}
    return sorted(int(n) for n in said if n.isdigit())


def _comparisons(results: Results, table: str) -> list[Compared]:
    return [c for c in results.tables.get("comparisons", ()) if c.table == table]


def _model_rows(results: Results) -> list[tuple[str, str, str, str]]:
    """Model, condition, name and labels of each line, in the order of the results."""
    shown = {"all": "all", "readout": "dev"}
    lines = []
    for row in results.select(split="test", metric="accuracy"):
        words = row.words
        if words.get("labels", "").isdigit() or "tokens" in words or row.model in RIVALS:
            continue  # curves and rivals have tables of their own
        if row.model == "hebbian":
            name, labels = _learner_name(words), "none"
        elif row.model == "bigru":
            name = "bigru, hebbian codes" if "codes" in words else "bigru"
            labels = shown.get(words["labels"], words["labels"])
        else:
            name, labels = row.model, "all"
        lines.append((row.model, row.condition, name, labels))
    return lines


def _learner_name(words: dict[str, str]) -> str:
    """A learner by its name, what is made of the same learner below it, indented."""
    said = [
        _PARTS.get(f"{key}={value}", f"{key.replace('tau', 'timescale')} {value}")
        for key, value in words.items()
        if key not in ("K", "members", "readout")
    ]
    if "readout" in words:
        said.append("soft read-out")
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
    members = f" members={config['ensemble_size']}" if config["ensemble_size"] > 1 else ""
    return f"K={config['clusters']}{members}", "labels=all"


def _remarks(results: Results) -> str:
    """Who is meant by "hebbian" where it is not one learner."""
    members = results.config["ensemble_size"]
    return f" (hebbian: {members} voting)" if members > 1 else ""


#: How a verdict is shown where there is little room.
_SHORT = {"ahead": "ahead", "behind": "behind", "no difference shown": "-"}
_RULE = (
    "Ahead, behind: p < .05, corrected (Holm) over the table; -: no difference shown.",
    "p: two-level bootstrap over training runs and sentences; none from a single run.",
)


def _tested(results: Results, kind: str) -> list[tuple[str, str]]:
    """Tables of comparisons to show, with their headings: all labels, then the same few."""
    mine, _ = _reference(results)
    few = results.config["readout_sentences"]
    said = _remarks(results)
    return [
        (f"{kind} {mine}", f"BiGRU with all labels{said}"),
        (
            f"{kind} {mine} labels={few} readout=soft",
            f"both with the same {few} labelled sentences, soft read-out{said}",
        ),
    ]


def _show_roles(results: Results, console: Console) -> None:
    decided = {s.name: s.decided for s in results.tables.get("structure", ()) if s.kind == "role"}
    shown = False
    for table_name, heading in _tested(results, "roles"):
        cells = {(c.split, c.role): c for c in _comparisons(results, table_name)}
        splits = [s for s in ("test", "gen") if any(split == s for split, _ in cells)]
        if not cells:
            continue
        _heading(console, f"Recall by {_label(results)}, {heading}")
        columns = [f"{s} {m}" for s in splits for m in ("hebbian", "bigru", "verdict")]
        table = _table(_label(results), *(name.replace(" ", "\n") for name in columns))
        for role in dict.fromkeys(role for _, role in cells):
            found = [cells.get((split, role)) for split in splits]
            table.add_row(
                ("* " if decided.get(str(role)) == "structure" else "  ") * bool(decided)
                + str(role),
                *(text for c in found for text in _cells(c)),
            )
        console.print(table)
        shown = True
    if shown:
        _foot(console, "* structure decides, judged on dev" if decided else "")
    else:
        _show_recall(results, console)


def _cells(found: Compared | None) -> tuple[str, str, str]:
    if found is None:
        return "", "", ""
    return f"{found.value:.3f}", f"{found.other:.3f}", _SHORT[found.verdict]


def _foot(console: Console, *remarks: str) -> None:
    for line in (*filter(None, remarks), *_RULE):
        console.print(line, markup=False)


def _show_recall(results: Results, console: Console) -> None:
    """Recall by role of the learner alone, where no BiGRU ran."""
    mine, _ = _reference(results)
    splits = [s for s in ("test", "gen") if results.select(split=s, metric="recall")]
    _heading(console, f"Recall by {_label(results)}{_remarks(results)}")
    table = _table(_label(results), *splits)
    recall = {
        (r.split, r.role): f"{r.mean:.3f}"
        for r in results.select(metric="recall", model="hebbian")
        if r.condition == mine
    }
    for role in dict.fromkeys(role for _, role in recall):
        table.add_row(str(role), *(recall.get((split, role), "") for split in splits))
    console.print(table)


def _show_splits(results: Results, console: Console) -> None:
    structure = results.tables.get("structure", ())
    decided = {s.name: s.decided for s in structure if s.kind == "split"}
    marked = _MARKS.keys() & decided.values()
    remarks = [mark for kind, mark in _MARKS.items() if kind in marked]

    def first(split: str) -> tuple[bool, str]:
        return decided.get(split) != "structure", split

    def name(split: str) -> str:
        mark = _MARKS.get(decided.get(split, ""), "  ")[:2]
        return mark * bool(marked) + _broken(split.removeprefix("gen/"))

    shown = False
    for table_name, heading in _tested(results, "splits"):
        found = _comparisons(results, table_name)
        if not found:
            continue
        _heading(console, f"Generalization splits, {heading}")
        table = _table("split", "hebbian", "bigru", "difference", "verdict")
        for c in sorted(found, key=lambda c: first(c.split)):
            mine, theirs, verdict = _cells(c)
            table.add_row(name(c.split), mine, theirs, f"{c.difference:+.3f}", verdict)
        console.print(table)
        shown = True
    if shown:
        _foot(console, *remarks)
        return
    rows = {
        r.split: r.mean
        for r in results.select(metric="accuracy", model="hebbian")
        if r.condition == _reference(results)[0] and r.split.startswith("gen/")
    }
    if rows:
        _heading(console, f"Generalization splits{_remarks(results)}")
        table = _table("split", "hebbian")
        for split in sorted(rows, key=first):
            table.add_row(name(split), f"{rows[split]:.3f}")
        console.print(table)
        for line in remarks:
            console.print(line, markup=False)


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
    if soft[0]:
        lines.append(
            f"By the soft read-out: {soft[0][0]} ({soft[0][1]})"
            + (f", and {soft[1]}." if soft[1] else ".")
        )
    return lines + _where_structure_decides(results)


def _where_structure_decides(results: Results) -> list[str]:
    """How many roles and splits that turn on structure the learner is ahead on."""
    turns = {s.name for s in results.tables.get("structure", ()) if s.decided == "structure"}
    few = results.config["readout_sentences"]
    rivals = ("all labels for the BiGRU", f"the same {few} labels for both")
    lines = []
    for number, rival in enumerate(rivals):
        for kind in ("roles", "splits"):
            table = _tested(results, kind)[number][0]
            every = [c for c in _comparisons(results, table) if (c.role or c.split) in turns]
            widest = "gen" if any(c.split == "gen" for c in every) else "test"
            words = [c.verdict for c in every if c.role is None or c.split == widest]
            if words:
                on = f" on {widest}" if kind == "roles" else ""
                ahead, behind = words.count("ahead"), words.count("behind")
                lines.append(
                    f"  {rival}, {kind}{on}: {ahead} ahead, {behind} behind, of {len(words)}"
                )
    return ["Where structure decides, the learner against the BiGRU:", *lines] if lines else []


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
