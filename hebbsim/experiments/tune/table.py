"""The table that `hebbsim tune` prints."""

from pathlib import Path

from rich.table import Table

from hebbsim.runs.results import Results
from hebbsim.runs.sweep_file import shown
from hebbsim.runs.terminal import Console, print_ending

#: Number of trials in the table.
_SHOWN = 3


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the best trials, one per column."""
    console = console or Console()
    trials = results.tables["trials"]
    best = [trial for trial in trials if not trial.failed][:_SHOWN]
    console.print()
    console.print(
        f"The best of {len(trials)} trials on {results.config['corpus']}: accuracy on dev",
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("trial", overflow="fold")
    for trial in best:
        table.add_column(str(trial.trial), justify="right", overflow="fold")
    table.add_row("accuracy", *(f"{trial.mean:.4f}" for trial in best))
    table.add_row("sd over seeds", *("" if t.sd is None else f"{t.sd:.4f}" for t in best))
    table.add_row("seeds", *(str(trial.seeds) for trial in best))
    for name in dict.fromkeys(name for trial in trials for name in trial.parameters):
        values = ("" if name not in t.parameters else shown(t.parameters[name]) for t in best)
        table.add_row(name, *values)
    console.print(table)
    for trial in trials:
        if trial.trial == 0 and trial.mean is not None:
            console.print(f"Trial 0, which changes nothing: {trial.mean:.4f}")
        if trial.failed:
            console.print(f"No score for trial {trial.trial}: {trial.failed}")
    print_ending(console, results, folder / "trials.csv", "All trials")
    if results.config["rival"] is not None:
        console.print(f"What was chosen: {folder / 'settings.toml'}", soft_wrap=True)
        return
    again = f"hebbsim run roles --corpus {results.config['source']} --preset"
    console.print(f"Use it: {again} {folder / 'preset.toml'}", soft_wrap=True)
