"""Figures of the experiments on language models, drawn from a run folder's tables alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbsim.plots import style, tables
from hebbsim.plots.tables import NothingToDrawError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

# Okabe & Ito's palette, and a marker each for black and white.
LOOKS = defaultdict(
    lambda: ("#6B6B6B", "o"),  # of a memory of one's own
    {
        "gpt2": ("#D55E00", "s"),
        "window": ("#6B6B6B", "x"),
        "ema": ("#0072B2", "o"),
        "learned": ("#56B4E9", "v"),
        "gated": ("#009E73", "^"),
        "hebbian": ("#E69F00", "D"),
        "delta": ("#CC79A7", "P"),
        "attention": ("#222222", "*"),
        "ema-mlp": ("#009E73", "^"),
        "ema-attention": ("#CC79A7", "D"),
        "residual": ("#0072B2", "o"),
        "selection": ("#D55E00", "s"),
    },
)
NAMES = {
    "gpt2": "GPT-2",
    "window": "window",
    "ema": "fixed EMA",
    "learned": "learned decays",
    "gated": "input-dependent gate",
    "hebbian": "Hebbian fast weights",
    "delta": "delta-rule fast weights",
    "attention": "softmax attention",
    "ema-mlp": "EMA, MLP predictor",
    "ema-attention": "EMA, attention predictor",
    "residual": "residual stream",
    "selection": "learned selection",
    "blind": "any value",
    "chance": "one of the values there",
}
_DISTANCES = ("new", "1-4", "5-16", "17-64", "65-256", "257+")
_GUESSES = {"blind": (0, (1, 2)), "chance": (0, (4, 2))}
_STYLES = ("-", (0, (4, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1, 1)))


def _worded(rows: DataFrame) -> DataFrame:
    """Rows with a column for every word of their conditions."""
    rows = rows.copy()
    said = [tables.words(text) for text in rows["condition"]]
    for name in {key for words in said for key in words}:
        rows[name] = [words.get(name, "") for words in said]
    return rows


def _named(model: str) -> str:
    return NAMES.get(model, model)


def _count_axis(ax: Axes) -> None:
    """A logarithmic axis of counts, such as 50k and 2M."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _band(ax: Axes, x: Any, rows: DataFrame, color: str, limit: float = 1e9) -> None:
    low, high = style.interval(rows, (0.0, limit))
    ax.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)


@style.styled
def plot_curves(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Validation loss against tokens seen, one line a model and size.

    Parameters
    ----------
    results : DataFrame
        Rows of a results table.
    ax : Axes, optional
        A new figure without.
    """
    rows = _worded(tables.select(results, metric="validation_loss"))
    tables.need(rows, "validation loss over tokens")
    whole_figure = ax is None
    ax = style.new_axes(2.7) if ax is None else ax
    sizes = list(dict.fromkeys(rows["preset"]))
    for (model, size), line in rows.groupby(["model", "preset"], sort=False):
        color, marker = LOOKS[model]
        seen = line["tokens"].astype(float)
        _band(ax, seen, line, color)
        label = _named(model) + (f", {size}" if len(sizes) > 1 else "")
        ax.plot(
            seen, line["mean"], color=color, marker=marker, markersize=3, label=label,
            linestyle=_STYLES[sizes.index(size) % len(_STYLES)],
        )  # fmt: skip
    _count_axis(ax)
    ax.set_xlabel("tokens seen")
    ax.set_ylabel("validation loss (nats)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.26), ncols=2)
    style.caption(
        ax, "Loss over tokens: traces against attention", tables.interval_note(rows)
        + " Equal parameters, the same tokens in the same order.", whole_figure=whole_figure,
    )  # fmt: skip
    return ax


@style.styled
def plot_ratio(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Perplexity of a model with traces over that of GPT-2 along training, by size.

    Parameters are those of :func:`plot_curves`.
    """
    rows = _worded(tables.select(results, metric="perplexity_ratio"))
    tables.need(rows, "ratios of perplexities")
    whole_figure = ax is None
    ax = style.new_axes(2.5) if ax is None else ax
    colors = ("#0072B2", "#009E73", "#E69F00", "#CC79A7")
    for i, ((model, size), line) in enumerate(rows.groupby(["model", "preset"], sort=False)):
        seen, color = line["tokens"].astype(float), colors[i % len(colors)]
        _band(ax, seen, line, color)
        ax.plot(
            seen, line["mean"], color=color, marker="osD^"[i % 4], markersize=3,
            label=f"{_named(model.partition('/')[0])}, {size}",
        )  # fmt: skip
    ax.axhline(1.0, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    _count_axis(ax)
    ax.set_xlabel("tokens seen")
    ax.set_ylabel("perplexity / that of GPT-2")
    ax.legend(loc="best")
    style.caption(
        ax, "Ratio of perplexities over tokens", tables.interval_note(rows)
        + " Below 1 the model with traces is ahead.", whole_figure=whole_figure,
    )  # fmt: skip
    return ax


@style.styled
def plot_parameters(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Ratio of perplexities on test at the end of training against parameters.

    Parameters are those of :func:`plot_curves`.
    """
    ratios = _worded(tables.select(results, metric="perplexity_ratio"))
    tables.need(ratios, "ratios of perplexities")
    sizes = _worded(tables.select(results, model="gpt2", metric="parameters"))
    if len(sizes) < 2:
        raise NothingToDrawError("one size alone")
    n = sizes.set_index("preset")["mean"]
    ratios["tokens"] = ratios["tokens"].astype(float)
    last = ratios.sort_values("tokens").groupby(["model", "preset"], sort=False).tail(1)
    whole_figure = ax is None
    ax = style.new_axes(2.3) if ax is None else ax
    for model, line in last.groupby("model", sort=False):
        line = line.assign(n=line["preset"].map(n)).sort_values("n")
        color, marker = LOOKS[model.partition("/")[0]]
        low, high = style.interval(line, (0.0, 1e9))
        mean = line["mean"]
        ax.errorbar(
            line["n"], mean, yerr=[mean - low, high - mean], color=color, marker=marker,
            elinewidth=1, label=_named(model.partition("/")[0]),
        )  # fmt: skip
    ax.axhline(1.0, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    _count_axis(ax)
    ax.set_xlabel("parameters")
    ax.set_ylabel("perplexity / that of GPT-2")
    ax.legend(loc="best")
    style.caption(
        ax, "Ratio of perplexities over parameters, at the end of training",
        tables.interval_note(tables.select(results, metric="perplexity_ratio")),
        whole_figure=whole_figure,
    )  # fmt: skip
    return ax


@style.styled
def plot_distances(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss on test by tokens since the predicted token's last occurrence.

    Parameters are those of :func:`plot_curves`.
    """
    rows = _worded(tables.select(results, metric="loss", split="test"))
    if "distance" not in rows or not (rows["distance"] != "").any():
        raise NothingToDrawError("no loss by distance")
    rows = rows[rows["distance"] != ""]
    size = list(dict.fromkeys(rows["preset"]))[-1]
    rows = rows[rows["preset"] == size]
    shown = [name for name in _DISTANCES if (rows["distance"] == name).any()]
    whole_figure = ax is None
    ax = style.new_axes(2.4) if ax is None else ax
    models = list(dict.fromkeys(rows["model"]))
    for i, model in enumerate(models):
        line = rows[rows["model"] == model].set_index("distance").reindex(shown).reset_index()
        color, marker = LOOKS[model]
        low, high = style.interval(line, (0.0, 1e9))
        place = np.arange(len(shown)) + 0.12 * (i - (len(models) - 1) / 2)
        ax.errorbar(
            place, line["mean"], yerr=[line["mean"] - low, high - line["mean"]], fmt=marker,
            color=color, elinewidth=1, label=_named(model),
        )  # fmt: skip
    ax.set_xticks(range(len(shown)), shown)
    ax.set_xlabel("tokens since the last occurrence in the document")
    ax.set_ylabel("loss on test (nats)")
    ax.grid(axis="y")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)
    style.caption(
        ax, f"Where identity matters: loss by earlier occurrence, {size}",
        tables.interval_note(rows), whole_figure=whole_figure,
    )  # fmt: skip
    return ax


@style.styled
def plot_predictor(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss of each predictor relative to the first, with the band of 1.5 %.

    Parameters are those of :func:`plot_curves`.
    """
    rows = tables.select(results, metric="relative_difference")
    tables.need(rows, "relative differences of loss")
    first = tables.words(rows["condition"].iloc[0])["minus"]
    percent = rows.assign(**{k: 100 * rows[k] for k in ("mean", "low", "high")})
    whole_figure = ax is None
    ax = style.new_axes(0.95 + 2 * style.ROW * len(rows)) if ax is None else ax
    ax.axvspan(-1.5, 1.5, color=style.GUIDE, alpha=0.5, linewidth=0)
    ax.axvline(0, color=style.MUTED, linewidth=0.8)
    for i, model in enumerate(percent["model"]):
        color, marker = LOOKS[model]
        style.dots(ax, percent.iloc[[i]], [-i], color=color, marker=marker, bounds=(-100.0, 1000.0))
    ax.set_yticks([-i for i in range(len(rows))], [_named(m) for m in percent["model"]])
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    plain = "the linear predictor" if first == "ema" else _named(first)
    ax.set_xlabel(f"loss above that of {plain} (%)")
    style.caption(
        ax, "A better predictor over the same traces",
        tables.interval_note(rows) + " Paired by seed. Grey: within 1.5 %.",
        whole_figure=whole_figure,
    )  # fmt: skip
    return ax


@style.styled
def plot_ladder(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """The ladder in one picture: loss on text, BLiMP and recall by memory.

    Parameters are those of :func:`plot_curves`; a given `ax` shows the loss alone.
    """
    from matplotlib.figure import Figure

    loss = tables.select(results, {}, metric="loss", split="test")
    tables.need(loss, "loss by memory")
    order = list(loss["model"])
    panels = [("loss (nats)", loss)]
    for split, title in (("blimp", "BLiMP"), ("recall", "recall")):
        found = tables.select(results, {}, metric="accuracy", split=split)
        if len(found):
            panels.append((title, found))
    whole_figure = ax is None
    if ax is None:
        first = style.new_axes(1.1 + style.ROW * len(order) * 1.2)
        figure = first.figure
        assert isinstance(figure, Figure)
        figure.clear()
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    else:
        axes, panels = np.array([ax]), panels[:1]
    for i, (panel, (title, rows)) in enumerate(zip(axes, panels, strict=True)):
        for place, model in enumerate(order):
            row = rows[rows["model"] == model]
            color, marker = LOOKS[model]
            style.dots(panel, row, [-place] * len(row), color=color, marker=marker,
                       bounds=(0.0, 1e9 if not i else 1.0))  # fmt: skip
        chance = 0.5 if title == "BLiMP" else None
        guess = rows[rows["model"] == "chance"]["mean"]
        chance = float(guess.iloc[0]) if len(guess) else chance
        if chance is not None:
            panel.axvline(chance, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)))
        if title == "recall":
            panel.set_xlim(0, 1)
        panel.set_title(title, fontweight="normal", fontsize=7)
        panel.grid(axis="x")
    axes[0].set_yticks([-i for i in range(len(order))], [_named(m) for m in order])
    style.caption(
        axes[0], "The ladder of selection",
        tables.interval_note(loss) + (" Dashed: chance." if len(panels) > 1 else ""),
        whole_figure=whole_figure,
    )  # fmt: skip
    return axes[0]


@style.styled
def plot_depth_loss(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss on test against depth, residual stream and learned selection.

    Parameters are those of :func:`plot_curves`.
    """
    rows = _worded(tables.select(results, metric="loss"))
    tables.need(rows, "loss by depth")
    whole_figure = ax is None
    ax = style.new_axes(2.2) if ax is None else ax
    depths = sorted({int(n) for n in rows["layers"]})
    models = list(dict.fromkeys(rows["model"]))
    for i, model in enumerate(models):
        line = rows[rows["model"] == model]
        color, marker = LOOKS[model]
        # Beside each other, so that one interval does not hide the other.
        places = [depths.index(int(n)) + 0.12 * (i - (len(models) - 1) / 2) for n in line["layers"]]
        low, high = style.interval(line, (0.0, 1e9))
        ax.errorbar(
            places, line["mean"], yerr=[line["mean"] - low, high - line["mean"]], color=color,
            marker=marker, elinewidth=1, label=_named(model),
        )  # fmt: skip
    ax.set_xlabel("layers")
    ax.set_xticks(range(len(depths)), [str(n) for n in depths])
    ax.set_ylabel("loss on test (nats)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    style.caption(ax, "Loss over depth", tables.interval_note(rows), whole_figure=whole_figure)
    return ax


@style.styled
def plot_readability(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """What a linear probe at the top reads of each layer's contribution, by depth.

    Layer 0 is the embedding. Parameters are those of :func:`plot_curves`; a given `ax` shows
    the deepest models alone.
    """
    first, _ = _by_layer(results, "probe", "What is still readable of a layer", ax)
    first.set_ylim(0, 1.02)
    first.set_ylabel("R² of a linear probe at the top")
    return first


@style.styled
def plot_gradient(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """How much gradient of the loss reaches what each layer added, by depth.

    Parameters are those of :func:`plot_readability`.
    """
    from matplotlib.ticker import FormatStrFormatter, NullFormatter

    first, rows = _by_layer(results, "gradient", "How much gradient reaches a layer", ax)
    bottom = rows["mean"].min() / 2
    first.set_yscale("log")
    first.set_ylim(bottom=bottom)
    first.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    first.yaxis.set_minor_formatter(NullFormatter())
    first.set_ylabel("gradient / mean of all layers")
    return first


def _by_layer(
    results: DataFrame, metric: str, title: str, ax: Axes | None
) -> tuple[Axes, DataFrame]:
    """A panel for every depth with one value a layer: its first Axes, and the rows shown."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows = _worded(tables.select(results, metric=metric))
    tables.need(rows, f"{metric} by layer")
    depths = sorted({int(n) for n in rows["layers"]})
    whole_figure = ax is None
    if ax is None:
        figure = style.new_axes(2.2).figure
        assert isinstance(figure, Figure)
        figure.clear()
        axes = figure.subplots(1, len(depths), sharey=True, squeeze=False)[0]
    else:
        axes, depths = np.array([ax]), depths[-1:]
    for panel, depth in zip(axes, depths, strict=True):
        for model, line in rows[rows["layers"] == str(depth)].groupby("model", sort=False):
            color, marker = LOOKS[model]
            layers = line["layer"].astype(int)
            if metric == "probe":
                line = line.assign(mean=line["mean"].clip(lower=0))
            _band(panel, layers, line, color, 1.0 if metric == "probe" else 1e9)
            panel.plot(
                layers, line["mean"], color=color, marker=marker, markersize=2.2,
                linewidth=0.9, markevery=max(1, depth // 12), label=_named(model),
            )  # fmt: skip
        panel.set_title(f"{depth} layers", fontweight="normal", fontsize=7)
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.set_xlabel("layer")
    handles = axes[0].get_legend_handles_labels()
    if whole_figure:
        figure.legend(
            *handles, loc="outside lower right", ncols=2, handlelength=1.2, columnspacing=1
        )
    else:
        axes[0].legend(loc="best")
    style.caption(axes[0], title, tables.interval_note(rows), whole_figure=whole_figure)
    return axes[0], rows


@style.styled
def plot_blimp(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Accuracy on BLiMP by phenomenon, one row each.

    Parameters are those of :func:`plot_curves`.
    """
    rows = _worded(tables.select(results, metric="accuracy", split="blimp"))
    if "phenomenon" not in rows:
        raise NothingToDrawError("no accuracy by phenomenon")
    rows = rows[rows["phenomenon"] != ""]
    models = list(dict.fromkeys(rows["model"]))
    own = rows[rows["model"] == models[0]].set_index("phenomenon")["mean"]
    order = list(own.sort_values().index)
    whole_figure = ax is None
    ax = style.new_axes(1.1 + style.ROW * len(order)) if ax is None else ax
    for i, model in enumerate(models):
        line = rows[rows["model"] == model].set_index("phenomenon").reindex(order).reset_index()
        shift = 0.15 * ((len(models) - 1) / 2 - i)
        color, marker = LOOKS[model]
        style.dots(
            ax, line, np.arange(len(order)) + shift, color=color, marker=marker,
            label=_named(model),
        )  # fmt: skip
    ax.axvline(0.5, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)))
    ax.set_yticks(range(len(order)), [name.replace("_", " ") for name in order])
    ax.set_xlim(0, 1)
    ax.grid(axis="y")
    ax.set_xlabel("accuracy (share of pairs)")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(models))
    style.caption(
        ax, "BLiMP by phenomenon", tables.interval_note(rows) + " Dashed: chance.",
        whole_figure=whole_figure,
    )  # fmt: skip
    return ax


@style.styled
def plot_recall(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Accuracy of associative recall (else of copying) against the number of pairs.

    Parameters are those of :func:`plot_curves`.
    """
    for split, word in (("mqar", "pairs"), ("copy", "length")):
        rows = _worded(tables.select(results, metric="accuracy", split=split))
        if word in rows:
            break
    else:
        raise NothingToDrawError("no accuracy by number of pairs")
    rows = rows[(rows[word] != "") & (rows.get("distance", "") == "")]
    whole_figure = ax is None
    ax = style.new_axes(2.6) if ax is None else ax
    for model, line in rows.groupby("model", sort=False):
        x = line[word].astype(int)
        if model in _GUESSES:
            dashes = _GUESSES[model]
            ax.plot(x, line["mean"], color=style.MUTED, linestyle=dashes, label=_named(model))
            continue
        color, marker = LOOKS[model]
        _band(ax, x, line, color, 1.0)
        ax.plot(x, line["mean"], color=color, marker=marker, label=_named(model))
    ax.set_xlabel({"pairs": "pairs of a key and a value", "length": "tokens to copy"}[word])
    ax.set_xticks(sorted({int(n) for n in rows[word]}))
    ax.set_ylabel("accuracy")
    ax.set_ylim(0, 1.02)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.26), ncols=2)
    pairs = word == "pairs"
    style.caption(
        ax, "Associative recall" if pairs else "Copying",
        tables.interval_note(rows)
        + " Dotted and dashed: guesses." * bool(rows["model"].isin(list(_GUESSES)).any()),
        whole_figure=whole_figure,
    )  # fmt: skip
    return ax
