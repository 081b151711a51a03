"""Matrices: confusions of roles, and scores of a sweep by pairs of timescales."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame

from hebbsim.plots import marks, style
from hebbsim.plots.style import MODEL_COLORS, MODEL_NAMES, Axes
from hebbsim.plots.tables import NothingToDrawError

#: Largest number of rows; numbers in smaller cells could not be read.
MOST = 14
#: Smallest percentage that is shown as a number.
SHOWN_FROM = 1
#: Column of all roles that have no row.
RARER = "rarer"


@style.styled
def plot_confusions(
    counts: DataFrame, *, corpus: str, split: str, model: str = "hebbian", ax: Axes | None = None
) -> Axes:
    """Confusion matrix of gold roles and roles found, in percent of each gold role's tokens.

    Parameters
    ----------
    counts : DataFrame
        Number of tokens by gold role (rows, the commonest first) and role found (columns); see
        `hebbsim.tagging.confusions.confusion_table`.
    corpus : str
        Name of the corpus in the caption.
    model : str
        A column of ``tokens.csv.gz``, which the caption names.
    """
    from matplotlib.colors import LinearSegmentedColormap

    if not counts.to_numpy().sum():
        raise NothingToDrawError(f"no tokens of {split} with a gold role and a role found")
    tokens = counts.sum(axis=1)
    roles = [role for role in counts.index if tokens[role]][:MOST]
    rows = counts.loc[roles]
    shown = rows.reindex(columns=roles, fill_value=0)
    others = rows.sum(axis=1) - shown.sum(axis=1)
    if others.any():
        shown = shown.assign(**{RARER: others})
    percent = 100 * shown.to_numpy(float) / tokens[roles].to_numpy(float)[:, None]
    n_rows, n_columns = percent.shape

    ax = style.axes(ax, 1.15 + 2.6 * n_rows / n_columns)
    colors = LinearSegmentedColormap.from_list("share", ["white", MODEL_COLORS["hebbian"]])
    box = (0, n_columns, n_rows, 0)
    ax.imshow(percent, cmap=colors, vmin=0, vmax=100, extent=box, aspect="auto")
    for (i, j), value in np.ndenumerate(percent):
        if value >= SHOWN_FROM or shown.iat[i, j] == tokens.iat[i]:
            ax.text(
                j + 0.5, i + 0.5, f"{value:.0f}", ha="center", va="center", fontsize=style.SMALL,
                color=marks.ink(colors(value / 100)),
            )  # fmt: skip
    ax.set_xticks(np.arange(n_columns) + 0.5, list(shown.columns), rotation=90)
    names = [f"{role} ({tokens[role]:,})" for role in roles]
    ax.set_yticks(np.arange(n_rows) + 0.5, names)
    ax.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.xaxis.set_label_position("top")
    ax.set(xlabel="role found", ylabel="gold role (tokens)")
    right = sum(int(counts.at[r, r]) for r in counts.index if r in counts.columns)
    total = int(tokens.sum())
    left_out = int((tokens > 0).sum()) - len(roles)
    return style.caption(
        ax,
        f"What each role was taken for: {corpus}, {split}",
        f"{_named(model)}, first seed: {right / total:.3f} of {total:,} tokens are right. Numbers "
        f"are percent of a row, none below {SHOWN_FROM}."
        + (f" The {left_out} rarest roles have no row." if left_out > 0 else ""),
    )


def _named(model: str) -> str:
    """Name of a column of the table of tokens.

    >>> _named("hebbian_soft"), _named("bigru")
    ('Hebbian, soft read-out', 'BiGRU')
    """
    name, _, readout = model.partition("_")
    return MODEL_NAMES.get(name, name) + (f", {readout} read-out" if readout else "")


@style.styled
def plot_plane(
    table: DataFrame, *, title: str, metric: str, note: str = "", ax: Axes | None = None
) -> Axes:
    """Means by the faster and the slower timescale; single timescales are on the diagonal.

    `table` has columns ``timescales`` (text such as ``2,8``; rows of more than two are left out)
    and ``value``.
    """
    means = table.groupby("timescales")["value"].mean()
    cells = {tuple(sorted(map(float, name.split(",")))): mean for name, mean in means.items()}
    cells = {taus: mean for taus, mean in cells.items() if len(taus) <= 2}
    ticks = sorted({tau for taus in cells for tau in taus})
    grid = np.full((len(ticks), len(ticks)), np.nan)
    for taus, mean in cells.items():
        grid[ticks.index(taus[-1]), ticks.index(taus[0])] = mean
    ax = style.axes(ax, 1.3 + 0.36 * len(ticks))
    names = [f"{tau:g}" for tau in ticks]
    marks.cells(ax, grid, names, names, origin="lower")
    best = np.unravel_index(np.nanargmax(grid), grid.shape)
    for text in ax.texts:
        if text.get_position() == best[::-1]:
            text.set_fontweight("bold")
    ax.set(xlabel="faster timescale, in tokens", ylabel="slower timescale, in tokens")
    alone = "On the diagonal one timescale alone; the best in bold."
    return style.caption(ax, title, f"{metric}. {alone} {note}".strip())
