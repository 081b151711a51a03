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
            "Write a recording into this folder instead, as one page that needs no Python.",
            metavar="DIR",
        ),
    ] = None
    overwrite: Annotated[bool, option("Replace an earlier recording in that folder.")] = False
    allow_host: Annotated[
        tuple[str, ...],
        option(
            "Additional host name of the page, such as that of a proxy in front of it.",
            metavar="HOST",
            each=True,
        ),
    ] = ()
    votes: Annotated[
        bool,
        option(
            "Let phones on the same network vote on the questions of the lessons, at the address "
            "that the page shows; they can reach nothing else.",
            name="--class",
        ),
    ] = False
    rules: RuleFiles = ()
    offline: Offline = False
