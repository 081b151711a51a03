"""The lines that `hebbsim run stream` prints."""

from pathlib import Path

from hebbsim.runs.results import Results
from hebbsim.runs.terminal import Console, print_ending


def show(results: Results, folder: Path) -> None:
    """Print the results of a run."""
    console = Console(soft_wrap=True)
    found = {row.metric: row for row in results.rows}
    cost = found["microseconds_per_token"]
    console.print(f"{found['tokens'].mean:,.0f} tokens of {cost.corpus}")
    spread = "" if cost.low is None else f" (quartiles {cost.low:.3g} to {cost.high:.3g})"
    compiled = len(results.tables["stream"]) == 1
    spread = ", compilation of kernels included" if compiled else spread
    console.print(f"CPU per token     {cost.mean:.3g} us{spread}")
    console.print(f"Memory            {found['memory'].mean:,.0f} MB at the end")
    slope = found.get("memory_slope")
    if slope is not None:
        console.print(
            f"Memory slope      {slope.mean:.3g} MB per million tokens "
            f"({slope.low:.3g} to {slope.high:.3g}), second half"
        )
    if not compiled:
        console.print(f"10^9 tokens       {cost.mean * 1e3 / 3600:,.1f} hours of CPU at this rate")
    accuracy = found.get("accuracy")  # after the last chunk
    if accuracy is not None:
        console.print(
            f"Accuracy          {accuracy.mean:.3f} on test of {accuracy.corpus} at the end, "
            "clusters named on its dev"
        )
    print_ending(console, results, folder, "Learner, figure and tables")
