"""The tables that the commands on language models print; they fit 80 columns."""

from pathlib import Path

from hebbsim.conditions import words
from hebbsim.runs.results import Results, Row
from hebbsim.runs.terminal import Console, plain_table, print_ending, print_heading

_DISTANCES = ("new", "1-4", "5-16", "17-64", "65-256", "257+")


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the results of a run."""
    console = console or Console()
    tables = {
        "lm": _lm, "predictor": _predictor, "selection": _selection, "depth": _depth,
        "blimp": _blimp, "recall": _recall,
    }  # fmt: skip
    tables[results.experiment](results, console)
    console.print()
    print_ending(console, results, folder)


def cell(row: Row | None, digits: int = 3, *, percent: bool = False) -> str:
    """Format a mean and half the width of its interval.

    >>> cell(Row("c", "s", "m", "", "loss", None, 4.06, 4.05, 4.07, 3))
    '4.060 ±0.010'
    """
    if row is None:
        return ""
    factor = 100 if percent else 1
    shown = f"{factor * row.mean:.{digits}f}"
    if row.low is not None and row.high is not None:
        shown += f" ±{factor * (row.high - row.low) / 2:.{digits}f}"
    return shown


def _models(results: Results, split: str, metric: str) -> list[str]:
    """Models with a score of a metric on a split, for the whole split."""
    return [row.model for row in results.select({}, split=split, metric=metric)]


def _lm(results: Results, console: Console) -> None:
    sized = results.select(metric="parameters")
    sizes = list(dict.fromkeys(row.words["preset"] for row in sized))
    models = list(dict.fromkeys(row.model for row in sized))
    splits = list(dict.fromkeys(r.split for r in results.select(metric="perplexity")))
    print_heading(console, "Perplexity")
    table = plain_table("size", "model", "parameters", *splits, texts=2)
    for size in sizes:
        for model in models:
            at = f"preset={size}"
            table.add_row(
                size, model, _parameters(results, model, at),
                *(cell(_named(results, at, model, "perplexity", s), 1) for s in splits),
            )  # fmt: skip
    console.print(table)
    ratios = results.select(metric="perplexity_ratio")
    if ratios:
        print_heading(console, "Ratio of perplexities on validation, by tokens seen")
        seen = list(dict.fromkeys(r.words["tokens"] for r in ratios))[-6:]
        table = plain_table("size", "models", *(f"{int(n):,}" for n in seen), texts=2)
        for size in sizes:
            for model in dict.fromkeys(r.model for r in ratios):
                found = {
                    r.words["tokens"]: f"{r.mean:.3f}"
                    for r in ratios
                    if r.model == model and r.words["preset"] == size
                }
                table.add_row(size, model, *(found.get(n, "") for n in seen))
        console.print(table)
        for row in results.select(metric="crossing"):
            console.print(
                f"{row.model}, {row.words['preset']}: 1 at {row.mean:,.0f} tokens, "
                f"the mean of {row.n} of {ratios[0].n} seed{'s' * (ratios[0].n != 1)}"
            )
    _by_distance(results, console, sizes[-1], models)


def _by_distance(results: Results, console: Console, size: str, models: list[str]) -> None:
    print_heading(console, f"Loss on test by tokens since the last occurrence, {size}")
    shown = [
        d for d in _DISTANCES
        if any(r.words.get("distance") == d for r in results.select(metric="share", split="test"))
    ]  # fmt: skip
    table = plain_table("model", *shown)
    for model in models:
        table.add_row(
            model,
            *(
                cell(_named(results, f"preset={size} distance={d}", model), 2).split(" ")[0]
                for d in shown
            ),
        )
    console.print(table)


def _named(
    results: Results, condition: str, model: str, metric: str = "loss", split: str = "test"
) -> Row | None:
    found = results.select(words(condition), model=model, metric=metric, split=split)
    return found[0] if found else None


def _parameters(results: Results, model: str, condition: str = "") -> str:
    n = _named(results, condition, model, "parameters", "model")
    return f"{n.mean:,.0f}" if n else ""


def _predictor(results: Results, console: Console) -> None:
    print_heading(console, "Loss on test (nats)")
    table = plain_table("model", "parameters", "loss", "difference to the first, %")
    for model in _models(results, "test", "loss"):
        difference = results.select(model=model, metric="relative_difference")
        table.add_row(
            model, _parameters(results, model), cell(_named(results, "", model)),
            cell(difference[0], 2, percent=True) if difference else "",
        )  # fmt: skip
    console.print(table)


def _selection(results: Results, console: Console) -> None:
    print_heading(console, "The ladder")
    table = plain_table("memory", "parameters", "loss on test", "BLiMP", "recall")
    for model in _models(results, "test", "loss"):
        table.add_row(
            model, _parameters(results, model), cell(_named(results, "", model)),
            cell(_named(results, "", model, "accuracy", "blimp")),
            cell(_named(results, "", model, "accuracy", "recall")),
        )  # fmt: skip
    for guess, blimp in (("blind", "0.500"), ("chance", "")):
        recall = _named(results, "", guess, "accuracy", "recall")
        if recall or blimp:
            table.add_row(guess, "", "", blimp, cell(recall).split(" ")[0])
    console.print(table)


def _depth(results: Results, console: Console) -> None:
    print_heading(console, "Loss, and what is readable at the top, by depth")
    table = plain_table("layers", "stream", "loss", "first", "middle", "last", texts=2)
    for row in results.select(metric="loss"):
        layers = int(row.words["layers"])
        probes = [
            _named(results, f"layers={layers} layer={k}", row.model, "probe")
            for k in (1, (layers + 1) // 2, layers)
        ]
        table.add_row(str(layers), row.model, cell(row), *(cell(p, 2) for p in probes))
    console.print(table)
    console.print("First, middle, last layer: R² of a linear probe of what it added.")


def _blimp(results: Results, console: Console) -> None:
    models = _models(results, "blimp", "accuracy")
    for word in ("phenomenon", "paradigm"):
        print_heading(console, f"Accuracy by {word}")
        table = plain_table(word, *models)
        groups = [
            r.condition
            for r in results.select(model=models[0], metric="accuracy")
            if r.condition.startswith(f"{word}=") or not r.condition
        ]
        for group in sorted(groups):
            name = group.partition("=")[2].replace("_", " ") or "all"
            name = name if len(name) < 44 else f"{name[:42]}…"
            table.add_row(
                name, *(cell(_named(results, group, m, "accuracy", "blimp"), 2) for m in models)
            )
        console.print(table)


def _recall(results: Results, console: Console) -> None:
    for split, title in (("mqar", "Associative recall"), ("copy", "Copying")):
        rows = [r for r in results.select(split=split, metric="accuracy") if "=" in r.condition]
        conditions = list(dict.fromkeys(r.condition for r in rows))
        if not conditions:
            continue
        print_heading(console, f"{title}: accuracy")
        # The first word of a condition is the number, distances follow the largest.
        names = [c.replace("pairs=", "").replace("length=", "") for c in conditions]
        heads = [n.split("distance=")[-1] if "distance" in n else f"n={n}" for n in names]
        table = plain_table("memory", *heads)
        for model in dict.fromkeys(r.model for r in rows):
            cells = [_named(results, c, model, "accuracy", split) for c in conditions]
            table.add_row(model, *(cell(c, 2).replace(" ", "") for c in cells))
        console.print(table)
        if any("distance" in c for c in conditions):
            console.print(
                "n: number of pairs; for the largest n also by distance from query to key."
            )
        console.print("blind: guesses any value; chance: guesses a value of the sequence.")
