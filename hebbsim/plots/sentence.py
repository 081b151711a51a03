"""Figure of a sentence that is decoded from the state after its last word."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame

from hebbsim.plots import style, tables, wording
from hebbsim.plots.style import Axes

_NAMES = {"pos": "part of speech", "role": "role", "depth": "clause depth"}


@style.styled
def plot_sentence(
    read: DataFrame, structure: DataFrame | None = None, *, ax: Axes | None = None
) -> Axes:
    """Decoded words, one row per decoder and condition; cells are dark where it is right.

    Where a word is wrong, the cell shows the word decoded with the codes of the first seed. Rows
    below show what a linear probe reads of the structure of each word.
    """
    decoders = list(dict.fromkeys(read["decoder"]))
    conditions = list(dict.fromkeys(read["condition"]))
    # The linear decoders hardly depend on the condition: only the first one is shown.
    kept = [
        (decoder, condition)
        for decoder in decoders
        for condition in (conditions if decoder not in ("nearest", "linear") else conditions[:1])
    ]
    n_words = int(read["lag"].max()) + 1
    first = read[(read["seed"] == read["seed"].min()) & (read["decoder"] == decoders[0])]
    first = first[first["condition"] == conditions[0]].sort_values("lag", ascending=False)
    words = list(map(str, first["word"]))
    n_structure = 0 if structure is None else structure["property"].nunique()
    n_rows = len(kept) + n_structure
    if ax is None:
        ax = style.axes(None, 0.22 * n_rows + 1.6)
        ax.figure.canvas.figure.set_figwidth(max(style.WIDTH, 1.4 + 0.48 * n_words))
    right = np.zeros((len(kept), n_words))
    for i, (decoder, condition) in enumerate(kept):
        rows = read[(read["decoder"] == decoder) & (read["condition"] == condition)]
        for lag, of_lag in rows.groupby("lag"):
            column = n_words - 1 - int(lag)
            right[i, column] = np.mean(of_lag["word"].astype(str) == of_lag["read"].astype(str))
            shown = of_lag.sort_values("seed").iloc[0]
            if str(shown["word"]) != str(shown["read"]):
                ax.text(
                    column, i, _short(str(shown["read"])), ha="center", va="center",
                    fontsize=style.SMALL, color="white" if right[i, column] > 0.6 else style.INK,
                )  # fmt: skip
    ax.imshow(right, aspect="auto", cmap="Blues", vmin=0, vmax=1.15)
    names = [
        f"{decoder}, {wording.held(tables.words(condition)).removeprefix('noise ')}"
        for decoder, condition in kept
    ]
    if structure is not None:
        for j, (name, rows) in enumerate(structure.groupby("property", sort=False)):
            y = len(kept) + j
            names.append(_NAMES.get(str(name), str(name)))
            for _, row in rows.iterrows():
                sure = float(row["probability"]) >= 0.5
                ax.text(
                    n_words - 1 - int(row["lag"]), y, _short(str(row["read"])), ha="center",
                    va="center", fontsize=style.SMALL, color=style.INK if sure else style.MUTED,
                    fontweight="bold" if sure else "normal",
                )  # fmt: skip
        ax.axhline(len(kept) - 0.5, color="white", linewidth=3)
    ax.set(xlim=(-0.5, n_words - 0.5), ylim=(n_rows - 0.5, -0.5))
    ax.set_xticks(range(n_words), words, rotation=40 if n_words > 8 else 0)
    ax.xaxis.tick_top()
    ax.set_yticks(range(n_rows), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    n = int(read["seed"].nunique())
    books = f"{n} code book{'s' * (n != 1)}"
    note = f"Dark: right with more of {books}. Text: the wrong word that was read."
    if n_structure:
        note += (
            " Below: a linear probe on traces of learned codes; bold: probability of .5 or more."
        )
    if structure is not None:
        codes = sorted(set(structure["read"][structure["property"] == "role"].astype(str)))
        note += f" Roles: {', '.join(map(wording.role, codes))}." if codes else ""
    return style.caption(ax, "One sentence, read back from its last state", note)


def _short(word: str) -> str:
    return word if len(word) <= 8 else f"{word[:7]}…"
