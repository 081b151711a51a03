"""Where attention overtakes traces, over sizes: table, fit, extrapolation and the figure.

    python experiments/lm/crossing.py runs/curve/*-text --out runs/curve/text

Reads finished run folders of `hebbsim run lm` on one text (those of `curve.py`), one or more
sizes. The fit is ``log ratio = a + b log tokens + c log parameters`` over the points behind the
turn of each curve, where the ratio of perplexities no longer falls; the crossing is where it gives
1. Intervals are of a bootstrap over seeds, within sizes. With one size c cannot be told: it is then
``-b``, as if the crossing came at as many tokens for each parameter at every size. Nothing is
predicted for other sizes from one size, or where no curve crossed.

What would refute it: a larger model whose crossing lies outside of the interval predicted for it
from the smaller ones; or curves that level off, so that no power law holds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hebbsim.conditions import words

#: The paper's model and text, and its ratio of perplexities there.
PARAMETERS, TOKENS, TIMES = 130e6, 8e9, 8.0
DRAWS = 2000


@dataclass(frozen=True)
class Curve:
    """Logarithm of the ratio of perplexities along training, of one size and seed."""

    size: str
    seed: int
    parameters: float
    tokens: NDArray[np.float64]
    gaps: NDArray[np.float64]


def curves(per_seed: pd.DataFrame, model: str = "ema/gpt2") -> list[Curve]:
    """One for each size and seed, in order of size."""
    told = [words(condition) for condition in per_seed["condition"].fillna("")]
    rows = per_seed.join(pd.DataFrame(told, index=per_seed.index))
    sizes = rows[(rows["metric"] == "parameters") & (rows["model"] == model.partition("/")[0])]
    n = sizes.groupby("preset")["value"].first()
    found = []
    ratios = rows[(rows["metric"] == "perplexity_ratio") & (rows["model"] == model)]
    for (size, seed), line in ratios.groupby(["preset", "seed"]):
        tokens = line["tokens"].astype(float).to_numpy()
        order = np.argsort(tokens)
        gaps = np.log(line["value"].to_numpy(float))[order]
        found.append(Curve(str(size), int(seed), float(n[size]), tokens[order], gaps))
    return sorted(found, key=lambda curve: (curve.parameters, curve.seed))


def fit(found: Sequence[Curve]) -> NDArray[np.float64]:
    """a, b and c of least squares over the points behind the turns."""
    tokens, parameters, gaps = [], [], []
    for curve in found:
        turn = int(np.argmin(curve.gaps))
        tokens += list(np.log(curve.tokens[turn:]))
        parameters += [np.log(curve.parameters)] * (len(curve.gaps) - turn)
        gaps += list(curve.gaps[turn:])
    x, n, y = np.array(tokens), np.array(parameters), np.array(gaps)
    if len({curve.parameters for curve in found}) == 1:
        slope, start = np.polyfit(x - n, y, 1)
        return np.array([start, slope, -slope])
    return np.linalg.lstsq(np.stack([np.ones_like(x), x, n], axis=1), y, rcond=None)[0]


def crossing_of(terms: NDArray[np.float64], parameters: float) -> float:
    """Tokens at which the fit gives a ratio of 1."""
    a, b, c = terms
    return float(np.exp(-(a + c * np.log(parameters)) / b))


def ratio_of(terms: NDArray[np.float64], parameters: float, tokens: float) -> float:
    """Ratio of perplexities that the fit gives."""
    return float(np.exp(terms @ [1.0, np.log(tokens), np.log(parameters)]))


def bootstrap(found: Sequence[Curve], draws: int = DRAWS) -> NDArray[np.float64]:
    """Fits to seeds drawn with replacement, within sizes [shape=(draws, 3)]."""
    random = np.random.default_rng(0)
    sizes = dict.fromkeys(curve.size for curve in found)
    by_size = [[curve for curve in found if curve.size == size] for size in sizes]
    return np.array(
        [
            fit([alike[i] for alike in by_size for i in random.integers(0, len(alike), len(alike))])
            for _ in range(draws)
        ]
    )


def shown(value: float, draws: Sequence[float], digits: int = 3) -> str:
    """A value and the interval of its draws."""
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return f"{value:.{digits}g} ({low:.{digits}g} to {high:.{digits}g})"


def predict(terms: NDArray[np.float64], drawn: NDArray[np.float64]) -> None:
    """Print the fit, and what it says of the paper's size and tokens."""
    a, b, c = terms
    print(f"\nlog ratio = {a:.3f} + {b:.3f} log tokens + {c:.3f} log parameters")
    predicted = ratio_of(terms, PARAMETERS, TOKENS)
    draws = [ratio_of(each, PARAMETERS, TOKENS) for each in drawn]
    print(f"ratio at 130M parameters, 8 billion tokens: {shown(predicted, draws)}; paper {TIMES:g}")
    draws = [crossing_of(each, PARAMETERS) / 1e9 for each in drawn]
    at = shown(crossing_of(terms, PARAMETERS) / 1e9, draws)
    print(f"crossing at 130M parameters: {at} billion tokens")


def main() -> int:
    """Print the table and the fit, and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", help="finished run folders")
    parser.add_argument(
        "--out", type=Path, help="write crossing.csv, curves.csv (all rows) and crossing.svg, .png"
    )
    given = parser.parse_args()
    runs = [run for run in given.runs if (run / "per_seed.csv").exists()]
    if not runs:
        parser.error(f"no finished run among {', '.join(map(str, given.runs))}")
    results = pd.concat([pd.read_csv(run / "results.csv") for run in runs], ignore_index=True)
    found = curves(pd.concat([pd.read_csv(r / "per_seed.csv") for r in runs], ignore_index=True))
    terms, drawn = fit(found), bootstrap(found)
    measured = results[results["metric"] == "crossing"].set_index("condition")
    lines = []
    for size in dict.fromkeys(curve.size for curve in found):
        alike = [curve for curve in found if curve.size == size]
        n = alike[0].parameters
        own = crossing_of(terms, n)
        row = {
            "size": size, "parameters": n, "seeds": len(alike), "tokens": alike[0].tokens[-1],
            "last_ratio": float(np.exp(np.mean([curve.gaps[-1] for curve in alike]))),
        }  # fmt: skip
        at = f"preset={size}"
        if at in measured.index:
            line = measured.loc[at]
            row |= {"crossing": line["mean"], "low": line["low"], "high": line["high"],
                    "crossed": line["n"], "per_parameter": line["mean"] / n}  # fmt: skip
        low, high = np.percentile([crossing_of(each, n) for each in drawn], [2.5, 97.5])
        row |= {"fitted": own, "fitted_low": low, "fitted_high": high}
        lines.append(row | {"fitted_per_parameter": own / n})
    table = pd.DataFrame(lines)
    if "crossing" not in table:  # a line that never came near zero says nothing of where it would
        table = table.drop(columns=[name for name in table if "fitted" in name])
    print(table.to_string(index=False, float_format=lambda x: f"{x:,.{3 if x < 1e3 else 0}f}"))
    if "crossing" not in table or len(lines) < 2:
        print("\nNo crossing was met, or at one size alone: nothing is predicted for other sizes.")
    else:
        predict(terms, drawn)
    if given.out:
        from hebbsim.plots import style
        from hebbsim.plots.lm import plot_ratio

        given.out.mkdir(parents=True, exist_ok=True)
        table.to_csv(given.out / "crossing.csv", index=False)
        results.to_csv(given.out / "curves.csv", index=False)
        ax = plot_ratio(results)
        style.save(ax.figure.canvas.figure, given.out, "crossing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
