"""Tables of `hebbsim run roles` that compare the learner with its rivals."""

from functools import partial
from statistics import fmean
from typing import Any

from hebbsim.experiments.roles.comparisons import Compared
from hebbsim.rivals import RIVALS
from hebbsim.runs.results import Results, Row
from hebbsim.runs.terminal import Console, plain_table, print_heading

#: Remarks on splits by what decides them; the first character marks the split.
_MARKS = {
    "structure": "* depends on structure, judged on dev and on splits of a sibling corpus",
    "not judged": "? not judged: there is no sibling of this split",
}
#: Maximum width of the name of a split.
_WIDEST_SPLIT = 40

#: A table of numbers whose first column is folded if it is too wide.
table_of = partial(plain_table, fold=True)


def layer_in_words(config: dict[str, Any]) -> str:
    """The annotation layer that is scored, in words."""
    layer = config["gold_layer"]
    return f"{layer} roles" if layer in ("grammatical", "thematic") else f"layer {layer}"


def _label(results: Results) -> str:
    """The name for one class of the scored layer."""
    return "role" if layer_in_words(results.config).endswith("roles") else "label"


def find(
    results: Results, model: str, condition: str, split: str, metric: str = "accuracy"
) -> Row | None:
    """The row of a model and condition on a split, over all roles."""
    found = results.select(model=model, split=split, metric=metric, role=None)
    return next((row for row in found if row.condition == condition), None)


def cell(row: Row | None) -> str:
    """A mean and half of its interval: 0.912 ±0.004."""
    if row is None:
        return ""
    if row.low is None or row.high is None:
        return f"{row.mean:.3f}       "
    return f"{row.mean:.3f} ±{(row.high - row.low) / 2:.3f}"


def reference(results: Results) -> str:
    """Condition of the learner, or of the ensemble if there is one."""
    config = results.config
    members = f" members={config['ensemble_size']}" if config["ensemble_size"] > 1 else ""
    return f"K={config['clusters']}{members}"


def _remarks(results: Results) -> str:
    """A remark for headings if "hebbian" is an ensemble."""
    members = results.config["ensemble_size"]
    return f" (hebbian: {members} voting)" if members > 1 else ""


#: Short forms of the verdicts.
_SHORT = {"ahead": "ahead", "behind": "behind", "no difference shown": "-"}
_RULE = (
    "Ahead, behind: p < .05, corrected (Holm) over the table; -: no difference shown.",
    "p: two-level bootstrap over training runs and sentences; none from a single run.",
)


def comparisons_of(results: Results, table: str) -> list[Compared]:
    """The comparisons of one table."""
    return [c for c in results.tables.get("comparisons", ()) if c.table == table]


def _tested(results: Results, kind: str) -> dict[str, list[Compared]]:
    """Comparisons by heading: with all labels for the BiGRU, then with the same few labels."""
    n = results.config["readout_sentences"]
    tables = {
        "BiGRU with all labels": "",
        f"both with the same {n} labelled sentences, soft read-out": f" labels={n} readout=soft",
    }
    return {
        heading + _remarks(results): comparisons_of(results, f"{kind} {reference(results)}{end}")
        for heading, end in tables.items()
    }


def show_rivals(results: Results, console: Console) -> None:
    """Compare the learner with unsupervised rivals, in accuracy and cost."""
    mine = reference(results)
    k = f"K={results.config['clusters']}"
    models = [name for name in RIVALS if find(results, name, k, "test")]
    if not models:
        return
    splits = [s for s in ("test", "gen") if results.select(split=s, metric="accuracy")]
    verdicts = {(c.rival, c.split): c.verdict for c in comparisons_of(results, f"rivals {mine}")}
    print_heading(console, f"Without labels, roles named from dev{_remarks(results)}")
    table = table_of("model", *splits, "soft,\ntest", "V", "hebbian\nis", "CPU s", "MB")
    for model, condition in [("hebbian", mine), *((name, k) for name in models)]:
        cells = [cell(find(results, model, condition, split)) for split in splits]
        soft = find(results, model, f"{condition} readout=soft", "test")
        v = find(results, model, condition, "test", metric="v_measure")
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
        "named\nby the soft read-out. V: V-measure on test. CPU s, MB: processor time and\n"
        "growth of memory while one seed learns (of hebbian the first)."
    )
    _foot(console)


def _took(results: Results, model: str) -> tuple[str, str]:
    """Mean processor time of a seed, and the largest memory."""
    costs = [cost for cost in results.costs if cost.model == model]
    if not costs:
        return "", ""
    seconds = fmean(cost.seconds for cost in costs)
    sizes = [cost.memory for cost in costs if cost.memory is not None]
    return f"{seconds:,.{int(seconds < 10)}f}", f"{max(sizes) / 1e6:,.0f}" if sizes else ""


def show_roles(results: Results, console: Console) -> None:
    decided = {s.name: s.decided for s in results.tables.get("structure", ()) if s.kind == "role"}
    tables = {heading: found for heading, found in _tested(results, "roles").items() if found}
    for heading, compared in tables.items():
        cells = {(c.split, c.role): c for c in compared}
        splits = [s for s in ("test", "gen") if any(split == s for split, _ in cells)]
        print_heading(console, f"Recall by {_label(results)}, {heading}")
        columns = [f"{s} {m}" for s in splits for m in ("hebbian", "bigru", "verdict")]
        table = table_of(_label(results), *(name.replace(" ", "\n") for name in columns))
        for role in dict.fromkeys(role for _, role in cells):
            found = [cells.get((split, role)) for split in splits]
            table.add_row(
                ("* " if decided.get(str(role)) == "structure" else "  ") * bool(decided)
                + str(role),
                *(text for c in found for text in _cells(c)),
            )
        console.print(table)
    if tables:
        _foot(console, *["* structure decides, judged on dev"] * bool(decided))
    else:
        _show_recall(results, console)


def _cells(found: Compared | None) -> tuple[str, str, str]:
    if found is None:
        return "", "", ""
    return f"{found.value:.3f}", f"{found.other:.3f}", _SHORT[found.verdict]


def _foot(console: Console, *remarks: str) -> None:
    for line in (*remarks, *_RULE):
        console.print(line)


def _show_recall(results: Results, console: Console) -> None:
    """Recall of the learner by role, if no BiGRU ran."""
    mine = reference(results)
    splits = [s for s in ("test", "gen") if results.select(split=s, metric="recall")]
    print_heading(console, f"Recall by {_label(results)}{_remarks(results)}")
    table = table_of(_label(results), *splits)
    recall = {
        (r.split, r.role): f"{r.mean:.3f}"
        for r in results.select(metric="recall", model="hebbian")
        if r.condition == mine
    }
    for role in dict.fromkeys(role for _, role in recall):
        table.add_row(str(role), *(recall.get((split, role), "") for split in splits))
    console.print(table)


def show_splits(results: Results, console: Console) -> None:
    structure = results.tables.get("structure", ())
    decided = {s.name: s.decided for s in structure if s.kind == "split"}
    marked = _MARKS.keys() & decided.values()
    remarks = [mark for kind, mark in _MARKS.items() if kind in marked]

    def first(split: str) -> tuple[bool, str]:
        return decided.get(split) != "structure", split

    def name(split: str) -> str:
        mark = _MARKS.get(decided.get(split, ""), "  ")[:2]
        return mark * bool(marked) + _broken(split.removeprefix("gen/"))

    tables = {heading: found for heading, found in _tested(results, "splits").items() if found}
    for heading, found in tables.items():
        print_heading(console, f"Generalization splits, {heading}")
        table = table_of("split", "hebbian", "bigru", "difference", "verdict")
        for c in sorted(found, key=lambda c: first(c.split)):
            mine, theirs, verdict = _cells(c)
            table.add_row(name(c.split), mine, theirs, f"{c.difference:+.3f}", verdict)
        console.print(table)
    if tables:
        _foot(console, *remarks)
        return
    rows = {
        r.split: r.mean
        for r in results.select(metric="accuracy", model="hebbian")
        if r.condition == reference(results) and r.split.startswith("gen/")
    }
    if rows:
        print_heading(console, f"Generalization splits{_remarks(results)}")
        table = table_of("split", "hebbian")
        for split in sorted(rows, key=first):
            table.add_row(name(split), f"{rows[split]:.3f}")
        console.print(table)
        for line in remarks:
            console.print(line)


def _broken(name: str) -> str:
    """Break a long name into two lines at an underscore."""
    if len(name) <= _WIDEST_SPLIT:
        return name
    cut = name.rfind("_", 0, _WIDEST_SPLIT) + 1 or _WIDEST_SPLIT
    return f"{name[:cut]}\n    {name[cut:]}"


def headline(results: Results) -> list[str]:
    """The main results in words, one sentence per line."""
    mine = reference(results)
    lines = []
    if share := _ratio(results, mine):
        lines.append(f"On test, {share[0]} of the BiGRU's accuracy ({share[1]}) without a label.")
    if equal := _equivalent(results, mine):
        lines.append(f"It equals a BiGRU trained on {equal}.")
    if share := _ratio(results, f"{mine} readout=soft"):
        equal = _equivalent(results, f"{mine} readout=soft")
        more = f", and {equal}." if equal else "."
        lines.append(f"By the soft read-out: {share[0]} ({share[1]}){more}")
    return lines + _where_structure_decides(results)


def _where_structure_decides(results: Results) -> list[str]:
    """On how many roles and splits that depend on structure the learner is ahead."""
    turns = {s.name for s in results.tables.get("structure", ()) if s.decided == "structure"}
    few = results.config["readout_sentences"]
    rivals = ("all labels for the BiGRU", f"the same {few} labels for both")
    lines = []
    for number, rival in enumerate(rivals):
        for kind in ("roles", "splits"):
            found = list(_tested(results, kind).values())[number]
            every = [c for c in found if (c.role or c.split) in turns]
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
    """The number of labelled sentences with which the BiGRU is as accurate on test."""
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
