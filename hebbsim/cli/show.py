"""`hebbsim show` and `hebbsim errors`: what a model learned, and which roles it confuses."""

from pathlib import Path
from typing import Annotated

import typer

from hebbsim.cli.options import flag
from hebbsim.cli.tag import Model
from hebbsim.errors import BadInputError


def show(
    model: Model,
    clusters: Annotated[
        int, typer.Option(metavar="N", help="Number of clusters to show, the largest first.")
    ] = 20,
    cluster: Annotated[
        list[int] | None,
        typer.Option(metavar="NUMBER", help="Cluster whose context words are shown; repeatable."),
    ] = None,
    word: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="Word whose nearest words are shown; repeatable."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all clusters to one HTML page instead."),
    ] = None,
    overwrite: Annotated[bool, flag("--overwrite", "Replace the file of --html.")] = False,
) -> None:
    """Show what a model learned: clusters, roles, similar words.

    With --cluster, lists the words to the left and to the right that pull a token into that
    cluster most strongly, by timescale.
    """
    from hebbsim.runs.terminal import Console, plain_table
    from hebbsim.tagging import load
    from hebbsim.tagging.output import check_file, whole_file
    from hebbsim.tagging.portrait import (
        cluster_portraits,
        common_words,
        html_page,
        listens_to,
        nearest_words,
    )
    from hebbsim.tagging.tagger import FILE

    if clusters < 1:
        raise BadInputError(f"--clusters: give a number of at least 1, got {clusters}")
    if html is not None:
        check_file("--html", html, overwrite=overwrite, inputs=(model, model / FILE))
    tagger, console = load(model), Console()
    if html is not None:
        page = html_page(tagger)
        with whole_file(html) as file:
            file.write(page)
        console.print(f"Page: {html}")
        return
    found = {one.cluster: one for one in cluster_portraits(tagger)}
    for number in cluster or ():
        if number not in found:
            last = len(tagger.prototypes[0]) - 1
            why = "no token fell into it when the clusters were named"
            if not 0 <= number <= last:
                why = f"clusters are numbered 0 to {last}"
            raise BadInputError(f"--cluster {number}: {why}")
    near = {} if cluster else nearest_words(tagger, word or common_words(tagger, 10))
    config = tagger.about.get("config", {})
    if config:
        trained = f"Learned from {config.get('corpus')}, {config.get('n_tokens', 0):,} tokens"
        console.print(f"{trained}; {len(found)} clusters in use")
    shown = [found[number] for number in cluster] if cluster else list(found.values())[:clusters]
    if not word:
        table = plain_table("cluster", "tokens", texts=0)
        table.add_column("roles", no_wrap=True)
        table.add_column("commonest words", overflow="fold")
        for one in shown:
            roles = " ".join(f"{role} {share:.2f}" for role, share in one.roles[:2])
            table.add_row(str(one.cluster), f"{one.size:,}", roles, " ".join(one.words[:8]))
        console.print(table)
    for number in cluster or ():
        console.print(f"\nCluster {number} listens to")
        for side, scales in listens_to(tagger, number, n=8).items():
            for tau, words in scales.items():
                console.print(f"  {side}, {tau:g} tokens: {' '.join(words)}")
    if not cluster:
        console.print("\nNearest words by code")
        for asked, others in near.items():
            console.print(f"  {asked}: {' '.join(others)}")


def errors(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a finished `hebbsim run roles`.")
    ],
    split: Annotated[str, typer.Option(metavar="NAME", help="Split to show.")] = "test",
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Column of the run's tokens.csv.gz, such as hebbian or bigru."
        ),
    ] = "hebbian_soft",
    most: Annotated[int, typer.Option(metavar="N", help="Number of confusions to show.")] = 8,
    examples: Annotated[
        int, typer.Option(metavar="N", help="Number of sentences to show for each confusion.")
    ] = 3,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the matrix as well: FILE.svg, .png or .pdf."),
    ] = None,
    overwrite: Annotated[bool, flag("--overwrite", "Replace the file of --figure.")] = False,
) -> None:
    """Show which roles were confused, with example sentences.

    Rows of the table are gold roles, columns are assigned roles. Brackets mark the wrong token.
    """
    from itertools import islice

    from hebbsim.plots import plot_confusions, style
    from hebbsim.runs.finished import RunTables
    from hebbsim.runs.terminal import Console
    from hebbsim.tagging.confusions import TOKENS, confusion_table, confusions, read_tokens
    from hebbsim.tagging.output import check_file

    for option, number in (("--most", most), ("--examples", examples)):
        if number < 0:
            raise BadInputError(f"{option}: give a number of at least 0, got {number}")
    if figure is not None:
        suffix = figure.suffix.removeprefix(".")
        if suffix not in style.FORMATS:
            named = ", ".join(f".{name}" for name in style.FORMATS)
            raise BadInputError(f"--figure {figure}: give a name that ends in one of {named}")
        check_file("--figure", figure, overwrite=overwrite, inputs=(run / TOKENS,))
    tokens, console = read_tokens(run, split, model), Console()
    table = confusion_table(tokens)
    right = int((tokens["gold"] == tokens["found"]).sum())
    share = right / len(tokens)
    console.print(f"{split}, {model}: {right:,} of {len(tokens):,} right ({share:.3f})\n")
    matrix = table.replace(0, ".").rename_axis(index=None, columns=None)
    for line in matrix.to_string(line_width=console.width).splitlines():
        console.print(line.rstrip("\\ "))  # without the marks of broken lines
    console.print()
    for one in islice(confusions(tokens, n_examples=examples), most):
        console.print(f"\n{one.gold} taken for {one.found}: {one.tokens:,}")
        for words, place in one.examples:
            marked = [f"[{w}]" if i == place else w for i, w in enumerate(words)]
            console.print(f"  {' '.join(marked)}")
    if figure is not None:
        corpus = RunTables(run).config.get("corpus", run.resolve().name)
        ax = plot_confusions(table, corpus=corpus, split=split, model=model)
        style.save(ax.figure.canvas.figure, figure.parent, figure.stem, (suffix,))
        console.print(f"\nFigure: {figure}")
