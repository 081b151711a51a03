"""`hebbsim tune`: settings for a corpus, chosen on its dev split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbsim.cli.carry_out import Overwrite, Rules, Settings, carry_out

if TYPE_CHECKING:
    from hebbsim.runs.results import Results
    from hebbsim.runs.terminal import Console

#: Trials that the table shows.
_SHOWN = 3


def tune(
    corpus: Annotated[
        str, typer.Option(help="Corpus with roles; as of `hebbsim run roles`.")
    ] = "builtin",
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="NAME=RANGE",
            help="Values to try, such as words.size=50:400:log or timescales=[[2],[2,8,32]]; "
            "repeatable. NAME is timescales, clusters, passes, or LAYER.PARAMETER as of "
            "`hebbsim run roles --set` (default: the parameters that mattered for the presets).",
        ),
    ] = None,
    ranges_file: Annotated[
        Path | None,
        typer.Option(
            "--ranges",
            metavar="FILE.toml",
            help='The same in a file, such as "words.size" = "50:400:log"; --range wins.',
        ),
    ] = None,
    trials: Annotated[int, typer.Option(help="Trials; the first changes nothing.")] = 20,
    seeds: Annotated[
        int, typer.Option(help="Seeds of the best third of the trials; the others have one.")
    ] = 3,
    preset: Annotated[
        str, typer.Option(help="Preset that the trials change, as of `hebbsim run roles`.")
    ] = "default",
    network: Annotated[
        str,
        typer.Option(metavar="FILE", help="Network to tune: a TOML file, or the one that ships."),
    ] = "roles",
    rules: Rules = None,
    setting: Settings = None,
    clusters: Annotated[
        int | None, typer.Option(metavar="K", help="Clusters of tokens (default: 300).")
    ] = None,
    passes: Annotated[
        int | None, typer.Option(help="Passes over the training sentences (default: 3).")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Gold layer to score, such as thematic.")
    ] = None,
    scheme: Annotated[
        Path | None, typer.Option(help="Role scheme, as of `hebbsim run roles`.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that learn (default: at most two).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: a new runs/tune-CORPUS).")
    ] = None,
    overwrite: Overwrite = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
) -> None:
    """Search settings of the role learner for a corpus, and write the best as a preset.

    Settings are drawn at random and scored on dev, where either half names the clusters of the
    other; nothing depends on the test split. An interrupted search goes on when the same command is
    given again. `hebbsim run roles --preset FOLDER/preset.toml` uses what was found.
    """
    from hebbsim.cli.run import _slug
    from hebbsim.experiments.tune.run import TuneConfig, read_ranges, run_tune

    said = read_ranges(ranges_file) if ranges_file is not None else ()
    given: dict[str, Any] = {
        "corpus": corpus, "ranges": (*said, *(ranges or ())), "trials": trials, "seeds": seeds,
        "preset": preset, "network": network, "rules": rules, "settings": tuple(setting or ()),
        "clusters": clusters, "passes": passes, "layer": layer, "scheme": scheme,
        "workers": workers, "offline": offline,
    }  # fmt: skip
    config = TuneConfig.checked({k: v for k, v in given.items() if v is not None})
    default = Path("runs") / f"tune-{_slug(corpus)}"
    carry_out(run_tune, show, config, out, default, overwrite=overwrite, json=json)


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the best trials, a column each."""
    from rich.table import Table
    from rich.text import Text

    from hebbsim.runs.sweep_file import shown
    from hebbsim.runs.terminal import Console

    console = console or Console(highlight=False)
    trials = results.tables["trials"]
    best = [trial for trial in trials if not trial.failed][:_SHOWN]
    console.print()
    console.print(
        f"The best of {len(trials)} trials on {results.config['corpus']}: accuracy on dev",
        markup=False,
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
        table.add_row(Text(name), *map(Text, values))
    console.print(table)
    first = next(trial for trial in trials if trial.trial == 0)
    if first.mean is not None:
        console.print(f"Trial 0, which changes nothing: {first.mean:.4f}")
    for trial in trials:
        if trial.failed:
            console.print(f"No score for trial {trial.trial}: {trial.failed}", markup=False)
    for note in results.notes:
        console.print(f"Note: {note}", markup=False)
    console.print(f"All trials: {folder / 'trials.csv'}", markup=False, soft_wrap=True)
    again = f"hebbsim run roles --corpus {results.config['source']} --preset"
    console.print(f"Use it: {again} {folder / 'preset.toml'}", markup=False, soft_wrap=True)
