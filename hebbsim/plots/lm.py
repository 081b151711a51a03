"""Figures of the experiments on language models, drawn from the tables of a run alone."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from pandas import DataFrame

from hebbsim.plots import marks, style, tables
from hebbsim.plots.marks import DASHES
from hebbsim.plots.style import MUTED, Axes
from hebbsim.plots.tables import NothingToDrawError

# Okabe & Ito's palette, and a marker each for black and white.
_MODELS = {
    "gpt2": ("GPT-2", "#D55E00", "s"),
    "window": ("window", "#6B6B6B", "x"),
    "ema": ("fixed EMA", "#0072B2", "o"),
    "learned": ("learned decays", "#56B4E9", "v"),
    "gated": ("input-dependent gate", "#009E73", "^"),
    "hebbian": ("Hebbian fast weights", "#E69F00", "D"),
    "delta": ("delta-rule fast weights", "#CC79A7", "P"),
    "attention": ("softmax attention", "#222222", "*"),
    "ema-mlp": ("EMA, MLP predictor", "#009E73", "^"),
    "ema-attention": ("EMA, attention predictor", "#CC79A7", "D"),
    "residual": ("residual stream", "#0072B2", "o"),
    "selection": ("learned selection", "#D55E00", "s"),
}
LOOKS: dict[str, tuple[str, str]] = defaultdict(
    lambda: (MUTED, "o"),  # of a memory of one's own
    {model: (color, marker) for model, (_, color, marker) in _MODELS.items()},
)
LOOKS |= {"blind": (MUTED, "None"), "chance": (MUTED, "None")}
NAMES = {model: name for model, (name, *_) in _MODELS.items()}
NAMES |= {"blind": "guess of any value", "chance": "guess of a value shown"}
_DISTANCES = ("1-4", "5-16", "17-64", "65-256", "257+", "new")
#: Bounds of a measure without an upper one.
_OPEN = (0.0, 1e9)
_GUESSES = {"blind": (0, (1, 2)), "chance": DASHES}
_STYLES = ("-", (0, (4, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1, 1)))


def _worded(rows: DataFrame) -> DataFrame:
    """Rows with a column for every word of their conditions."""
    names = {key for text in rows["condition"] for key in tables.words(text)}
    return rows.assign(**{name: tables.column(rows, name) for name in names})


def _rows(results: DataFrame, what: str, **columns: Any) -> DataFrame:
    """Rows with these values of columns, worded; `what` names them in an error."""
    return _worded(tables.need(tables.select(results, **columns), what))


def _named(model: str) -> str:
    return NAMES.get(model, model)


def _broken(model: str) -> str:
    """A name for the margin, on two lines if long."""
    return _named(model).replace(" fast ", "\nfast ").replace(" gate", "\ngate").replace(
        "guess of ", "guess of\n").replace(" attention", "\nattention")  # fmt: skip


@style.styled
def plot_curves(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Validation loss against tokens seen, one line per model and size."""
    rows = _rows(results, "validation loss over tokens", metric="validation_loss")
    ax = style.axes(ax, 2.8)
    sizes = list(dict.fromkeys(rows["preset"]))
    ends = []
    for (model, size), line in rows.groupby(["model", "preset"], sort=False):
        label = _named(model) + (f", {size}" if len(sizes) > 1 else "")
        end = marks.curve(
            ax, line["tokens"].astype(float), line, *LOOKS[model], bounds=_OPEN, label=label,
            markersize=3, linestyle=_STYLES[sizes.index(size) % len(_STYLES)],
        )  # fmt: skip
        ends.append((label, *end))
    marks.log_scale(ax)
    ax.set(xlabel="tokens seen", ylabel="validation loss (nats)")
    style.caption(ax, "Loss over tokens: traces against attention", tables.interval_note(rows)
                  + " Equal parameters, the same tokens in the same order.")  # fmt: skip
    return marks.name_ends(ax, ends)


@style.styled
def plot_ratio(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Perplexity of a model with traces over that of GPT-2 along training, by size."""
    rows = _rows(results, "ratios of perplexities", metric="perplexity_ratio")
    ax = style.axes(ax, 2.6)
    crossings = tables.select(results, metric="crossing")
    colors = ("#0072B2", "#009E73", "#E69F00", "#CC79A7")
    starred = False
    ends: list[tuple[Any, ...]] = [("GPT-2", 1.0, MUTED)]
    for i, ((model, size), line) in enumerate(rows.groupby(["model", "preset"], sort=False)):
        label = f"{_named(model.partition('/')[0])},\n{size}"
        seen = line["tokens"].astype(float)
        look = colors[i % len(colors)], "osD^"[i % 4]
        ends.append((label, *marks.curve(ax, seen, line, *look, bounds=_OPEN, label=label)))
        own = tables.select(crossings, condition={"preset": size}, model=model)
        own = own[own["n"] >= line["n"].max()]  # a mean over those that crossed comes too early
        starred = starred or len(own) > 0
        for _, at in own.iterrows():
            ax.plot(at["mean"], 1.0, "*", color=look[0], markersize=11, zorder=4, gid="crossing")
            if at["low"] == at["low"]:  # no interval of one seed
                ends_at = max(at["low"], float(seen.min())), min(at["high"], float(seen.max()))
                ax.plot(ends_at, (1.0, 1.0), color=look[0], linewidth=2.5, zorder=3)
    ax.axhline(1.0, color=MUTED, linewidth=0.8, linestyle=DASHES, zorder=0)
    marks.log_scale(ax)
    ax.set(xlabel="tokens seen", ylabel="perplexity / that of GPT-2")
    style.caption(ax, "Ratio of perplexities over tokens", tables.interval_note(rows)
                  + " Below 1 the model with traces is ahead."
                  + (" Stars: where GPT-2 overtakes." if starred else ""))  # fmt: skip
    return marks.name_ends(ax, ends)


@style.styled
def plot_parameters(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Ratio of perplexities on test at the end of training against parameters."""
    ratios = _rows(results, "ratios of perplexities", metric="perplexity_ratio")
    sizes = _worded(tables.select(results, model="gpt2", metric="parameters"))
    if len(sizes) < 2:
        raise NothingToDrawError("one size alone")
    n = sizes.set_index("preset")["mean"]
    ratios["tokens"] = ratios["tokens"].astype(float)
    last = ratios.sort_values("tokens").groupby(["model", "preset"], sort=False).tail(1)
    ax = style.axes(ax, 2.4)
    ends: list[tuple[Any, ...]] = [("GPT-2", 1.0, MUTED)]
    for model, line in last.groupby("model", sort=False):
        line = line.assign(n=line["preset"].map(n)).sort_values("n")
        ends.append(_dotted(ax, line, line["n"], model.partition("/")[0]))
    ax.axhline(1.0, color=MUTED, linewidth=0.8, linestyle=DASHES, zorder=0)
    marks.log_scale(ax)
    ax.set(xlabel="parameters", ylabel="perplexity / that of GPT-2")
    style.caption(ax, "Ratio of perplexities over parameters, at the end of training",
                  tables.interval_note(ratios))  # fmt: skip
    return marks.name_ends(ax, ends)


@style.styled
def plot_distances(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss on test minus that of GPT-2, by distance to the last occurrence of the token."""
    rows = _worded(tables.select(results, split="test"))
    if "distance" not in rows or not (rows["distance"] != "").any():
        raise NothingToDrawError("no loss by distance")
    rows = rows[rows["distance"] != ""]
    size = list(dict.fromkeys(rows["preset"]))[-1]
    rows = rows[rows["preset"] == size]
    shown = [name for name in _DISTANCES if (rows["distance"] == name).any()]
    loss = rows[rows["metric"] == "loss"]
    by_model = {model: line.set_index("distance").loc[shown] for model, line in
                loss.groupby("model", sort=False)}  # fmt: skip
    rival = by_model.pop("gpt2", None)
    if rival is None or not by_model:
        raise NothingToDrawError("no loss by distance of GPT-2 and of another model")
    ax = style.axes(ax, 2.7)
    width = 0.7 / len(by_model)
    for i, (model, line) in enumerate(by_model.items()):
        place = np.arange(len(shown)) + width * (i - (len(by_model) - 1) / 2)
        difference = (line["mean"] - rival["mean"]).to_numpy()
        half = np.hypot(*((each["high"] - each["mean"]).fillna(0.0) for each in (line, rival)))
        color = LOOKS[model][0]
        bars = ax.bar(place, difference, width, color=color, label=_named(model),
                      yerr=half if half.any() else None, error_kw={"elinewidth": 0.8})  # fmt: skip
        if len(by_model) == 1 and not half.any():
            ax.bar_label(bars, [f"{d:+.3f}".replace("-", "\u2212") for d in difference], padding=2,
                         fontsize=style.SMALL)  # fmt: skip
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    ax.margins(y=0.15)
    share = rows[(rows["metric"] == "share") & (rows["model"] == "gpt2")].set_index("distance")
    part = share["mean"].reindex(shown)
    ax.set_xticks(range(len(shown)), [
        name.replace("-", "–") + (f"\n{100 * p:.0f} %" if np.isfinite(p) else "")
        for name, p in zip(shown, part, strict=True)
    ])  # fmt: skip
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel("tokens since the last occurrence in the document\n(and share of all tokens)")
    ax.set_ylabel("loss minus that of GPT-2 (nats)")
    one = _named(next(iter(by_model))) if len(by_model) == 1 else "traces"
    if len(by_model) > 1:
        marks.legend(ax)
    n = tables.interval_note(loss)
    return style.caption(
        ax, f"Loss by distance to the last occurrence: {one} minus GPT-2, {size}",
        "Below 0 the model with traces is ahead. "
        + (n if n == "One seed." else f"{n} Intervals of the two losses add in quadrature."),
    )  # fmt: skip


@style.styled
def plot_predictor(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss of each predictor relative to the first, with the band of 1.5 %."""
    rows = tables.need(
        tables.select(results, metric="relative_difference"), "relative differences of loss"
    )
    first = tables.words(rows["condition"].iloc[0])["minus"]
    percent = rows.assign(**{k: 100 * rows[k] for k in ("mean", "low", "high")})
    ax = style.axes(ax, 1.1 + 2 * style.ROW * len(rows))
    ax.axvspan(-1.5, 1.5, color=style.GUIDE, alpha=0.5, linewidth=0)
    ax.axvline(0, color=MUTED, linewidth=0.8)
    for i, model in enumerate(percent["model"]):
        marks.dots(ax, percent.iloc[[i]], [-i], *LOOKS[model], bounds=(-100.0, 1e3))
    ax.set_yticks([-i for i in range(len(rows))], [_named(m) for m in percent["model"]])
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    plain = "the linear predictor" if first == "ema" else _named(first)
    ax.set_xlabel(f"loss above that of {plain} (%)")
    return style.caption(ax, "A better predictor over the same traces",
                  tables.interval_note(rows) + " Paired by seed. Grey: within 1.5 %.")  # fmt: skip


@style.styled
def plot_ladder(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss on text, and accuracy on BLiMP and on associative recall, by memory."""
    loss = tables.need(tables.select(results, {}, metric="loss", split="test"), "loss by memory")
    order = list(loss["model"])
    shown = [("loss (nats)", loss)]
    for split, title in (("blimp", "BLiMP"), ("recall", "recall")):
        shown.append((title, tables.select(results, {}, metric="accuracy", split=split)))
    shown = [(title, rows) for title, rows in shown if len(rows)]
    height = 1.3 + style.ROW * len(order) * 1.2
    host, panels = style.panels(ax, height, 1, len(shown), sharey=True)
    for panel, (title, rows) in zip(panels, shown, strict=True):
        for place, model in enumerate(order):
            row = rows[rows["model"] == model]
            bounds = (0.0, 1.0) if panel is not panels[0] else _OPEN
            marks.dots(panel, row, [-place] * len(row), *LOOKS[model], bounds=bounds)
        guess = rows[rows["model"] == "chance"]["mean"]
        for chance in [0.5] if title == "BLiMP" else list(guess[:1]):
            panel.axvline(chance, color=MUTED, linewidth=0.8, linestyle=DASHES)
        if title == "recall":
            panel.set_xlim(0, 1)
        panel.locator_params(axis="x", nbins=3)
        panel.set_title(title, fontweight="normal", fontsize=7)
        panel.grid(axis="x")
        panel.set_yticks([-i for i in range(len(order))], [_named(m) for m in order])
        panel.tick_params(axis="y", labelleft=panel is panels[0])
    note = tables.interval_note(loss) + " Dashed: chance." * (len(shown) > 1)
    return style.caption(host, "The ladder of selection", note)


@style.styled
def plot_depth_loss(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss on test against depth, residual stream and learned selection."""
    rows = _rows(results, "loss by depth", metric="loss")
    ax = style.axes(ax, 2.4)
    depths = sorted({int(n) for n in rows["layers"]})
    models = list(dict.fromkeys(rows["model"]))
    ends = []
    for i, model in enumerate(models):
        line = rows[rows["model"] == model]
        # Beside each other, so that one interval does not hide the other.
        places = [depths.index(int(n)) + 0.12 * (i - (len(models) - 1) / 2) for n in line["layers"]]
        ends.append(_dotted(ax, line, places, model))
    ax.set_xlabel("layers")
    ax.set_xticks(range(len(depths)), [str(n) for n in depths])
    ax.set_ylabel("loss on test (nats)")
    style.caption(ax, "Loss over depth", tables.interval_note(rows))
    return marks.name_ends(ax, ends)


def _dotted(ax: Axes, line: DataFrame, x: Any, model: str) -> tuple[str, float, str, str]:
    """Draw dots joined by a line, with upright intervals; returns what `marks.name_ends` takes."""
    color, marker = LOOKS[model]
    marks.dots(
        ax, line, x, color, fmt=f"{marker}-", bounds=_OPEN, upright=True, label=_named(model)
    )
    return _broken(model), float(line["mean"].iloc[-1]), color, marks.glyph(marker)


@style.styled
def plot_readability(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """R² of a linear probe at the top for each layer's part (0: the embedding), by depth."""
    host, panels, ends, _ = _by_layer(results, "probe", "What is still readable of a layer", ax)
    for panel in panels:
        panel.set_ylim(0, 1.02)
    panels[0].set_ylabel("R² of a linear probe at the top")
    marks.name_ends(panels[-1], ends)
    return host


@style.styled
def plot_gradient(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Gradient of the loss with respect to the contribution of each layer, by depth."""
    host, panels, ends, rows = _by_layer(
        results, "gradient", "How much gradient reaches a layer", ax
    )
    for panel in panels:
        panel.set_ylim(rows["mean"].min() / 2, rows["mean"].max() * 2)
        marks.log_scale(panel, "y", (1.0,))
    panels[0].set_ylabel("gradient / mean of all layers")
    marks.name_ends(panels[-1], ends)
    return host


def _by_layer(
    results: DataFrame, metric: str, title: str, ax: Axes | None
) -> tuple[Axes, list[Any], list[Any], DataFrame]:
    """Draw values by layer, a panel for each depth; returns host, panels, ends of lines, rows."""
    from matplotlib.ticker import MaxNLocator

    rows = _rows(results, f"{metric} by layer", metric=metric)
    depths = sorted({int(n) for n in rows["layers"]})
    host, panels = style.panels(ax, 2.6, 1, len(depths))
    for panel, depth in zip(panels, depths, strict=True):
        ends = []
        for model, line in rows[rows["layers"] == str(depth)].groupby("model", sort=False):
            if metric == "probe":
                line = line.assign(mean=line["mean"].clip(lower=0))
            end = marks.curve(
                panel, line["layer"].astype(int), line, *LOOKS[model], label=_named(model),
                bounds=(0.0, 1.0) if metric == "probe" else _OPEN, markersize=2.2, linewidth=0.9,
                markevery=max(1, depth // 12),
            )  # fmt: skip
            ends.append((_named(model).replace(" ", "\n"), *end))
        panel.set_title(f"{depth} layers", fontweight="normal", fontsize=7)
        panel.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        panel.set_xlabel("layer")
        panel.tick_params(axis="y", labelleft=panel is panels[0])
    style.caption(host, title, tables.interval_note(rows))
    return host, panels, ends, rows


@style.styled
def plot_blimp(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Accuracy on BLiMP by phenomenon, one row each."""
    rows = _worded(tables.select(results, metric="accuracy", split="blimp"))
    if "phenomenon" not in rows:
        raise NothingToDrawError("no accuracy by phenomenon")
    rows = rows[rows["phenomenon"] != ""]
    models = list(dict.fromkeys(rows["model"]))
    own = rows[rows["model"] == models[0]].set_index("phenomenon")["mean"]
    order = list(own.sort_values().index)
    ax = style.axes(ax, 1.2 + style.ROW * len(order))
    for i, model in enumerate(models):
        line = rows[rows["model"] == model].set_index("phenomenon").reindex(order).reset_index()
        places = np.arange(len(order)) + 0.15 * ((len(models) - 1) / 2 - i)
        marks.dots(ax, line, places, *LOOKS[model], label=_named(model))
    ax.axvline(0.5, color=MUTED, linewidth=0.8, linestyle=DASHES)
    ax.set_yticks(
        range(len(order)), [name.replace("_", " ").replace("npi", "NPI") for name in order]
    )
    ax.set_xlim(0, 1)
    ax.grid(axis="y")
    ax.set_xlabel("accuracy (share of pairs)")
    marks.legend(ax, columns=len(models), side="right")
    return style.caption(ax, "BLiMP by phenomenon", tables.interval_note(rows) + " Dashed: chance.")


@style.styled
def plot_recall(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Accuracy of associative recall (else of copying) against the number of pairs."""
    for split, word in (("mqar", "pairs"), ("copy", "length")):
        rows = _worded(tables.select(results, metric="accuracy", split=split))
        if word in rows:
            break
    else:
        raise NothingToDrawError("no accuracy by number of pairs")
    rows = rows[(rows[word] != "") & (rows.get("distance", "") == "")]
    ax = style.axes(ax, 2.9)
    ends = []
    for model, line in rows.groupby("model", sort=False):
        end = marks.curve(ax, line[word].astype(int), line, *LOOKS[model], label=_named(model),
                          linestyle=_GUESSES.get(model, "-"))  # fmt: skip
        ends.append((_broken(model), *end))
    numbers = sorted({int(n) for n in rows[word]})
    ax.set_xlabel({"pairs": "pairs of a key and a value", "length": "tokens to copy"}[word])
    ax.set_xticks(numbers)
    ax.set(xlim=(numbers[0] - 0.02 * numbers[-1], numbers[-1]), ylabel="accuracy", ylim=(0, 1.02))
    style.caption(
        ax, "Associative recall" if word == "pairs" else "Copying",
        tables.interval_note(rows)
        + " Dotted and dashed: guesses." * bool(rows["model"].isin(list(_GUESSES)).any()),
    )  # fmt: skip
    return marks.name_ends(ax, ends)
