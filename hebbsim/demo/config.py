"""Configuration of `hebbsim demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from hebbsim.config import Corpus, ExperimentConfig, Offline, RuleFiles, option
from hebbsim.experiments.roles.learner_config import Clusters

__all__ = ["PORT", "DemoConfig"]

#: Where the page is, unless that port is taken.
PORT = 5006


class DemoConfig(ExperimentConfig):
    """What `hebbsim demo` shows, and where.

    Examples
    --------
    >>> DemoConfig().clusters
    300
    """

    corpus: Corpus = "builtin"
    clusters: Clusters = 300
    port: Annotated[
        int | None,
        option(
            "Port of the page; 0 for any free one.",
            default=f"{PORT}, or a free one",
            ge=0,
            le=65535,
        ),
    ] = None
    browser: Annotated[bool, option("Open the page in the browser.")] = True
    bigru: Annotated[bool, option("Show the BiGRU's roles too, if torch is installed.")] = True
    export: Annotated[
        Path | None,
        option(
            "Folder to write a recording into, as one page that needs no Python, in place of "
            "showing it.",
            metavar="DIR",
        ),
    ] = None
    overwrite: Annotated[bool, option("Replace an earlier recording in that folder.")] = False
    allow_host: Annotated[
        tuple[str, ...],
        option(
            "Further name that the page may be opened by: that of a proxy before it.",
            metavar="HOST",
            each=True,
        ),
    ] = ()
    votes: Annotated[
        bool,
        option(
            "Let phones in the same network vote on the questions of the lessons, at the address "
            "that the page shows; nothing else is served to them.",
            name="--class",
        ),
    ] = False
    rules: RuleFiles = ()
    offline: Offline = False
