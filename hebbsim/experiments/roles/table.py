"""Tables that `hebbsim run roles` prints, in 80 columns."""

from pathlib import Path

from hebbsim.experiments.roles import comparison_tables as tables
from hebbsim.rivals import RIVALS
from hebbsim.runs.results import Results
from hebbsim.runs.terminal import Console, print_ending, print_heading

_PARTS = {
    "view=own": "own code only",
    "view=traces": "traces only",
    "shuffled=traces": "traces shuffled",
    "prototypes=random": "prototypes random tokens",
    "shuffled=labels": "dev roles shuffled",
}
#: Columns for scores of clusters before they are named.
_CLUSTERING = {
    "many_to_one": "many-to-one",
    "one_to_one": "one-to-one",
    "v_measure": "V-measure",
    "variation_of_information": "VI, bits",
    "adjusted_rand": "ARI",
}
_MOST_CLUSTERS = 20
#: Maximum number of points of a learning curve in one row.
_MOST_COLUMNS = 8


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the tables of a run, its main results in words, and where its files are."""
    console = console or Console()
    if "clusters" in results.tables:
        _show_clusters(results, console)
    else:
        _show_models(results, console)
        tables.show_rivals(results, console)
        tables.show_roles(results, console)
        tables.show_splits(results, console)
        console.print()
        for line in tables.headline(results):
            console.print(line)
    shown = "Figures and tables" if (folder / "figures").is_dir() else "Tables"
    print_ending(console, results, folder, shown)


def _show_models(results: Results, console: Console) -> None:
    config = results.config
    taus = ", ".join(f"{tau:g}" for tau in config["timescales"])
    console.print()
    console.print(
        f"Corpus {config['corpus']}, {tables.layer_in_words(config)}; K = {config['clusters']}; "
        f"timescales {taus}; {config['seeds']} seed{'s' * (config['seeds'] != 1)}"
    )
    splits = [s for s in ("test", "gen") if results.select(split=s, metric="accuracy")]
    several = config["seeds"] > 1
    print_heading(console, "Accuracy" + ", with half of the 95 % interval over seeds" * several)
    table = tables.table_of("model", "labels", *splits, "V-measure")
    for model, condition, name, labels in _model_rows(results):
        cells = [tables.cell(tables.find(results, model, condition, split)) for split in splits]
        v = tables.find(results, model, condition, "test", metric="v_measure")
        table.add_row(name, labels, *cells, f"{v.mean:.3f}" if v else "")
    console.print(table)
    console.print("Labels: those that a model learns from. Hebbian clusters learn from none; roles")
    console.print("of dev name them, by majority or by the soft read-out.")
    _show_seeds(results, console)
    _show_clustering(results, console)
    _show_curve(results, console)
    _show_learning(results, console)


def _show_seeds(results: Results, console: Console) -> None:
    """Numbers of seeds, if they differ between models."""
    config = results.config
    counts = {"learner": config["seeds"]}
    counts["parts and controls"] = min(config.get("ablation_seeds", 0), config["seeds"])
    if config.get("baselines") == "all":
        counts["BiGRU, all labels"] = config.get("bigru_seeds", 0)
        counts["other BiGRUs"] = config.get("label_curve_seeds", 0)
    counts = {name: n for name, n in counts.items() if n}
    if len(set(counts.values())) > 1:
        console.print(f"Seeds: {', '.join(f'{name} {n}' for name, n in counts.items())}.")


def _show_clustering(results: Results, console: Console) -> None:
    """Scores of the clusters themselves, on the tokens that they are scored on."""
    k = f"K={results.config['clusters']}"
    rows = {
        split: [tables.find(results, "hebbian", k, split, metric) for metric in _CLUSTERING]
        for split in ("dev", "test")
    }
    if not all(rows["test"]):
        return
    print_heading(
        console, f"Clusters beside {tables.layer_in_words(results.config)}, before they are named"
    )
    table = tables.table_of("split", *_CLUSTERING.values())
    for split, found in rows.items():
        if all(found):
            table.add_row(split, *map(tables.cell, found))
    console.print(table)
    console.print(
        "Many-to-one and one-to-one name clusters on the tokens that they score. VI:\n"
        "variation of information, 0 at best. ARI: adjusted Rand index."
    )


def _show_curve(results: Results, console: Console) -> None:
    """Accuracy on test by number of labelled sentences, which are the same for each model."""
    mine = tables.reference(results)
    rows = results.select(split="test", metric="accuracy")
    counts = sorted({int(n) for row in rows if (n := row.words.get("labels", "")).isdigit()})
    if len(counts) < 2:
        return
    print_heading(
        console, "Accuracy on test by labelled training sentences, the same for each model"
    )
    table = tables.table_of("model", *(f"{n:,}" for n in counts))
    for name, model, start, end in (
        ("hebbian, by majority", "hebbian", f"{mine} ", ""),
        ("hebbian, soft read-out", "hebbian", f"{mine} ", " readout=soft"),
        ("bigru", "bigru", "", ""),
    ):
        found = [tables.find(results, model, f"{start}labels={n}{end}", "test") for n in counts]
        if any(found):
            table.add_row(name, *(f"{row.mean:.3f}" if row else "" for row in found))
    console.print(table)
    draws = {
        n: max((c.draws for c in tables.comparisons_of(results, f"overall {mine} labels=few")
                if c.condition == f"{mine} labels={n}"), default=0)
        for n in counts
    }  # fmt: skip
    if any(draws.values()):
        said = ", ".join(f"{n:,}: {d}" for n, d in draws.items())
        console.print(f"Draws of labelled sentences ({said}).")


def _show_learning(results: Results, console: Console) -> None:
    """Accuracy by number of tokens read, with clusters named on dev each time."""
    points = {
        int(row.words["tokens"]): row.n
        for row in results.select(split="test", metric="accuracy")
        if "tokens" in row.words
    }
    n_seeds = max(points.values(), default=0)
    # At the first points, some seeds may have no clusters yet.
    read = sorted(n for n, seeds in points.items() if seeds == n_seeds)
    if not read:
        return
    mine = tables.reference(results)
    last = results.config["n_tokens"] * results.config["passes"]
    conditions = {n: f"{mine} tokens={n}" for n in read} | {last: mine}
    heads = {n: f"{n / 1000:,.0f}" if n >= 10_000 else f"{n / 1000:.2g}" for n in conditions}
    shown = _some(list(conditions), _MOST_COLUMNS)
    print_heading(console, "Accuracy by thousands of tokens read, roles named on dev each time")
    table = tables.table_of("split", *(heads[n] for n in shown))
    for split in ("test", "gen"):
        rows = [tables.find(results, "hebbian", conditions[n], split) for n in shown]
        if any(rows):
            table.add_row(split, *(f"{row.mean:.3f}" if row else "" for row in rows))
    console.print(table)
    if n_seeds < results.config["seeds"]:
        seeds = f"{n_seeds} seed{'s' * (n_seeds > 1)}"
        console.print(f"{seeds}, but all {results.config['seeds']} in the last column, as above.")


def _some(points: list[int], n: int) -> list[int]:
    """At most `n` of the points, spread evenly, including the first and the last.

    >>> _some([1, 2, 3, 4, 5], 3), _some([1, 2], 3)
    ([1, 3, 5], [1, 2])
    """
    last = len(points) - 1
    return points if last < n else [points[i * last // (n - 1)] for i in range(n)]


def _model_rows(results: Results) -> list[tuple[str, str, str, str]]:
    """Model, condition, name and labels of each row, in the order of the results."""
    lines = []
    for row in results.select(split="test", metric="accuracy"):
        words = row.words
        if words.get("labels", "").isdigit() or "tokens" in words or row.model in RIVALS:
            continue  # curves and rivals have tables of their own
        if row.model == "hebbian":
            name, labels = _learner_name(words), "none"
        elif row.model == "bigru":
            name = "bigru, hebbian codes" if "codes" in words else "bigru"
            labels = words["labels"].replace("readout", "dev")
        else:
            name, labels = row.model, "all"
        lines.append((row.model, row.condition, name, labels))
    return lines


def _learner_name(words: dict[str, str]) -> str:
    """The name of a learner, or of an ablation or read-out of it, indented."""
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


def _show_clusters(results: Results, console: Console) -> None:
    clusters = results.tables["clusters"]
    shown = min(_MOST_CLUSTERS, len(clusters))
    print_heading(console, f"The {shown} largest of {len(clusters)} clusters")
    table = tables.table_of("cluster", "tokens")
    for column in table.columns:
        column.min_width = len(str(column.header))
    table.add_column("commonest words", no_wrap=True, overflow="ellipsis", ratio=1)
    for record in clusters[:_MOST_CLUSTERS]:
        table.add_row(str(record.cluster), f"{record.tokens:,}", record.words)
    console.print(table)
