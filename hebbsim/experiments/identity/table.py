"""Tables that `hebbsim run identity` prints, in 80 columns."""

from collections.abc import Iterator
from pathlib import Path

from rich.table import Table

from hebbsim.experiments.identity.config import TIMESCALE_SETS
from hebbsim.experiments.identity.sentence import Structure, Word
from hebbsim.plots.tables import words
from hebbsim.plots.wording import held
from hebbsim.runs.results import Results, Row
from hebbsim.runs.terminal import Console, plain_table, print_ending, print_heading

#: Lags of the accuracy table, and of the tables of structure.
_LAGS, _STRUCTURE_LAGS = (0, 1, 2, 4, 8, 11, 16, 24, 31), (0, 1, 2, 4, 8)
#: Models that are not decoders.
_LIMITS = ("bound", "estimate")
_SHORT = {"cancellation": "cancel"}
#: Maximum number of columns for conditions of cancellation.
_MOST = 4
#: Maximum width of a word that is read, and of the correct word.
_READ, _WORD = 8, 10


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the tables of a run."""
    console = console or Console()
    config = results.config
    taus = ", ".join(f"{tau:g}" for tau in config["timescales"])
    width = f"D = {config['dim']}" if config["codes"] == "random" else "one-hot"
    seeds = config["seeds"]
    console.print()
    console.print(
        f"Stream {config['stream']}; V = {config['vocab_size']}, {width}; timescales {taus}; "
        f"{seeds} seed{'s' * (seeds != 1)}"
        + ", rounded at the readout"
        * (config["rounding"] == "readout"),
        soft_wrap=True,
    )
    entropy = results.select(model="stream", metric="entropy")[0].mean
    known = results.select(model="stream", metric="ngram_information")
    orders = ", ".join(f"{int(row.words['order']) - 1}" for row in known)
    console.print(
        f"Entropy {entropy:.2f} bits a token; the next {orders} tokens tell "
        + ", ".join(f"{row.mean:.2f}" for row in known)
    )
    for part in (_accuracy, _totals, _map, _structure, _memories, _limits):
        part(results, console)
    console.print()
    print_ending(console, results, folder)


def _rows_of_totals(results: Results) -> Iterator[tuple[str, Row]]:
    """Rows of total bits, each with its condition if that differs from the row above."""
    before = ""
    for row in results.select(split="test", metric="total_bits"):
        if row.model not in _LIMITS:
            name = held(row.words)
            yield name if name != before else "", row
            before = name


def _accuracy(results: Results, console: Console) -> None:
    lags = [lag for lag in _LAGS if lag < results.config["lags"]]
    print_heading(console, "Accuracy by lag")
    table = plain_table("condition", "decoder", *map(str, lags), texts=2)
    for name, total in _rows_of_totals(results):
        found = [
            results.select({"lag": str(lag), **total.words}, model=total.model, metric="accuracy")
            for lag in lags
        ]
        table.add_row(name, total.model, *(f"{rows[0].mean:.2f}" for rows in found))
    console.print(table)


def _totals(results: Results, console: Console) -> None:
    print_heading(console, f"Bits over lags 0 to {results.config['lags'] - 1}")
    table = plain_table("condition", "decoder", "bits", "bound", "above it", "lags found", texts=2)
    for name, total in _rows_of_totals(results):
        cells = (
            _value(results, total.words, model=model, split="test", metric=metric, shown=shown)
            for metric, model, shown in (
                ("total_bits", "bound", ",.0f"),
                ("excess", total.model, "+.2f"),
                ("lags_found", total.model, ".1f"),
            )
        )
        table.add_row(name, total.model, f"{total.mean:.1f}", *cells)
    console.print(table)
    console.print(
        "Bound: capacity of the Gaussian channel under noise, else entropy. Above it: the\n"
        "most bits that any one lag has beyond its bound."
    )


def _value(
    results: Results, words: dict[str, str], *, model: str = "traces", split: str = "structure",
    metric: str = "share", shown: str = ".2f",
) -> str:  # fmt: skip
    """The mean of the one row with these words; empty if there is none."""
    found = results.select(words, model=model, split=split, metric=metric)
    return format(found[0].mean, shown) if found else ""


def _structure(results: Results, console: Console) -> None:
    """Share of the bits of each property by lag, from traces, with selectivity."""
    rows = results.select(split="structure", model="traces", metric="share")
    if not rows:
        return
    print_heading(
        console, f"Structure and content of the same traces, {rows[0].corpus}: share of bits"
    )
    lags = [{"lag": str(lag)} for lag in _STRUCTURE_LAGS]
    columns = (*map(str, _STRUCTURE_LAGS), "select.", "word", "past", "learned")
    table = plain_table("property", *columns)
    for name in dict.fromkeys(row.words["property"] for row in rows):
        of = {"property": name}
        at = of if name == "subject_number" else of | {"lag": "1"}
        gap = _value(results, at, metric="selectivity", shown="+.2f")
        models = ("word", "traces", "traces-learned")
        plane = [_value(results, of, model=model, split="plane") for model in models]
        table.add_row(name, *(_value(results, of | lag) for lag in lags), gap, *plane)
    of = {"property": "word", "precision": "float32"}
    cancelled = [_value(results, of | lag, model="cancellation") for lag in lags]
    table.add_row("word, cancelled", *cancelled, "", "", "")
    console.print(table)
    console.print(
        "By lag, with a linear probe; last line: by cancellation in float32. Select.: the\n"
        "accuracy less that of random labels by word, lag 1. Word: what the word alone\n"
        "tells. Past, learned: what traces of random and of learned codes before it tell."
    )


def _memories(results: Results, console: Console) -> None:
    """Content and structure of memories of equal size, with the same linear probe."""
    rows = results.select({"property": "word", "lag": "0"}, split="structure", metric="share")
    models = [row.model for row in rows]
    if len(models) < 2:
        return
    print_heading(console, "Memories of equal size under the same linear probe: share of bits")
    asked = {
        f"word {lag}" if not lag else str(lag): {"property": "word", "lag": str(lag)}
        for lag in _STRUCTURE_LAGS
    }
    for name in ("position", "pos", "role", "depth"):
        if results.select(of := {"property": name, "lag": "1"}, split="structure", metric="share"):
            asked[name] = of
    table = plain_table("memory", *asked)
    for model in models:
        table.add_row(model, *(_value(results, of, model=model) for of in asked.values()))
    console.print(table)
    console.print("Word: at lags 0 to 8. The other properties: at lag 1.")


def _limits(results: Results, console: Console) -> None:
    """Deeper processing compared with the exact bits, and the expansion of one trace."""
    exact = results.select(split="processing", model="exact", metric="total_bits")
    if exact:
        rows = results.select(split="processing", model="linear", metric="total_bits")
        print_heading(
            console, f"Deeper processing: bits of {exact[0].mean:.2f} that a linear probe finds"
        )
        depths = list(dict.fromkeys(row.words["depth"] for row in rows))
        table = plain_table("layers", *(f"depth {depth}" for depth in depths))
        for kind in dict.fromkeys(row.words["layers"] for row in rows):
            found = [row for row in rows if row.words["layers"] == kind]
            table.add_row(kind, *(f"{row.mean:.2f}" for row in found))
        console.print(table)
        worst = max(row.mean for row in results.select(split="processing", metric="excess"))
        console.print(f"Most that a layer has above the exact bits of any lag: {worst:+.2f}")
    measured = results.select(split="expansion", model="cancellation")
    if measured:
        print_heading(
            console, "One trace of one-hot tokens: tokens of the past that are always found"
        )
        table = plain_table("alpha", *(row.words["alpha"] for row in measured))
        for name, model in (("measured", "cancellation"), ("closed form", "bound")):
            rows = results.select(split="expansion", model=model, metric="exact_past")
            table.add_row(name, *(f"{row.mean:g}" + "+" * (row.mean == 8) for row in rows))
        console.print(table)


def _map(results: Results, console: Console) -> None:
    rows = results.select(split="map", metric="total_bits")
    if not rows:
        return
    print_heading(console, f"Bits that {rows[0].model} finds, by timescales")
    found = {(r.words["timescales"], held(r.words)): r.mean for r in rows}
    conditions = list(dict.fromkeys(name for _, name in found))
    table = plain_table("timescales", *(name.replace("noise ", "") for name in conditions))
    for taus in TIMESCALE_SETS:
        table.add_row(taus, *(f"{found[taus, name]:.0f}" for name in conditions))
    console.print(table)


def show_sentence(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the sentence, one word per line, last word first."""
    console = console or Console()
    found: list[Word] = [w for w in results.tables["sentence"] if w.seed == 0]
    structure: list[Structure] = results.tables["structure"]
    columns = _sentence_columns(found)
    print_heading(console, "Read from the state after the last word, newest first")
    table = Table(box=None, pad_edge=False)
    for name in ("lag", "word"):
        table.add_column(name, justify="right" if name == "lag" else "left", no_wrap=True)
    for decoder, condition in columns:
        short = held(words(condition)).replace("noise ", "")
        table.add_column(f"{_SHORT.get(decoder, decoder)}\n{short}", no_wrap=True)
    roles = {s.lag: f"{s.read} {s.probability:.0%}" for s in structure if s.property == "role"}
    if roles:
        table.add_column("role?", no_wrap=True)
    cells = {(w.decoder, w.condition, w.lag): w for w in found}
    for lag in range(max(w.lag for w in found) + 1):
        right = next(w.word for w in found if w.lag == lag)
        read = [cells[decoder, condition, lag].read for decoder, condition in columns]
        row = ["ok" if word == right else _cut(word, _READ) for word in read]
        row += [roles.get(lag, "")] if roles else []
        table.add_row(str(lag), _cut(right, _WORD), *row)
    console.print(table)
    seeds = results.config["seeds"]
    for share in results.rows:
        if "lag" not in share.words and (share.model, share.condition) in columns:
            console.print(
                f"{share.model}, {held(share.words)}: {share.mean:.0%} of the words "
                f"(mean of {seeds} code book{'s' * (seeds != 1)})"
            )
    if roles:
        console.print("role?: what a linear probe reads from traces of learned codes")
    print_ending(console, results, folder, "Figure and tables")


def _sentence_columns(found: list[Word]) -> list[tuple[str, str]]:
    """Decoders and conditions to show: linear once, cancellation in some conditions."""
    pairs = list(dict.fromkeys((w.decoder, w.condition) for w in found))
    decoders = list(dict.fromkeys(decoder for decoder, _ in pairs))
    best = "cancellation" if "cancellation" in decoders else decoders[-1]
    other = next((d for d in ("linear", *decoders) if d in decoders and d != best), None)
    conditions = [condition for decoder, condition in pairs if decoder == best]
    kept = [c for c in conditions if "precision=float32" in c or "snr" in c or "int8" in c]
    shown = (kept or conditions)[:_MOST]
    return ([(other, shown[0])] if other else []) + [(best, c) for c in shown]


def _cut(word: str, most: int) -> str:
    return word if len(word) <= most else f"{word[: most - 1]}…"
