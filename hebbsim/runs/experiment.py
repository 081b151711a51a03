"""The declaration of an experiment: its parts, its command, its figures and its main score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from hebbsim.conditions import words

if TYPE_CHECKING:
    from hebbsim.config import ExperimentConfig
    from hebbsim.runs.folders import Out
    from hebbsim.runs.results import Progress, Results


@dataclass(frozen=True)
class Experiment:
    """How to run and show an experiment, and the score that a sweep shows."""

    name: str
    #: ``module:name`` of its configuration and of its function.
    config_at: str
    run_at: str
    #: ``module:name`` of the function that prints its results: ``show(results, folder)``.
    table_at: str
    #: Help text of its command; empty if it has no command of its own.
    help: str = ""
    #: Words after ``hebbsim`` (default: ``run NAME``).
    command: str = ""
    #: Default name of its run folder, with options in braces (default: NAME).
    folder: str = ""
    #: Options that run another experiment if given, with the name of that experiment.
    instead: Mapping[str, str] = field(default_factory=dict)
    #: ``module:name`` of its figures by name; empty if it has none.
    figures_at: str = ""
    #: ``module:name`` of a function from `hebbsim.runs.finished.RunTables` to an iterator of
    #: `hebbsim.runs.report.Finding`; empty if its runs test no claim.
    evidence_at: str = ""
    #: Columns of the rows that a sweep shows; hyperparameters are selected on dev. An experiment
    #: without a metric cannot be swept.
    model: str = "hebbian"
    split: str = "dev"
    metric: str = ""
    #: Condition words of those rows, apart from ``K`` and ``members``.
    words: Mapping[str, str] = field(default_factory=dict)
    #: Options that may hold paths.
    paths: tuple[str, ...] = ("corpus",)
    #: Metrics and table columns that measure time or memory, which differ between runs.
    timed: tuple[str, ...] = ()
    #: Why runs cannot be reproduced; empty if they can.
    once: str = ""

    def __post_init__(self) -> None:
        for attribute, default in (("command", f"run {self.name}"), ("folder", self.name)):
            object.__setattr__(self, attribute, getattr(self, attribute) or default)

    @property
    def config(self) -> type[ExperimentConfig]:
        return resolve_name(self.config_at)

    @property
    def figures(self) -> Mapping[str, Any]:
        """Its figures by name; see `hebbsim.runs.figures`."""
        return resolve_name(self.figures_at) if self.figures_at else {}

    @property
    def evidence(self) -> Callable[[Any], Iterator[Any]] | None:
        return resolve_name(self.evidence_at) if self.evidence_at else None

    @property
    def show(self) -> Callable[[Results, Path], None]:
        """The function that prints its tables."""
        return resolve_name(self.table_at)

    def default_folder(self, config: ExperimentConfig) -> Path:
        """The run folder if none is given."""
        options = {k: slug(v) if isinstance(v, str) else v for k, v in config}
        return Path("runs") / self.folder.format_map(options)

    def run(
        self,
        config: ExperimentConfig,
        out: Out | None = None,
        *,
        progress: Progress | None = None,
        overwrite: bool = False,
    ) -> Results:
        """Run it, in a folder if one is given; an unfinished run in the folder is resumed."""
        return resolve_name(self.run_at)(config, out=out, progress=progress, overwrite=overwrite)

    def check(self, config: ExperimentConfig) -> None:
        """Raise BadInputError if its corpus has no roles, or its parser is not installed."""
        if self.metric == "accuracy":
            from hebbsim.readers.loading import check_roles

            options = config.model_dump(include={"corpus", "parser"})
            check_roles(options["corpus"], options.get("parser"))

    def shows(self, row: Any) -> bool:
        """Whether a sweep shows a row or score."""
        extra = {k: v for k, v in words(row.condition).items() if k not in ("K", "members")}
        asked = (self.model, self.split, self.metric)
        return (row.model, row.split, row.metric) == asked and extra == dict(self.words)


def slug(text: str) -> str:
    """A folder name from the name or path of a corpus.

    >>> slug("data/fr_gsd.conllu"), slug("tiny,small")
    ('fr_gsd', 'tiny-small')
    """
    name = Path(text).resolve().name if set("/.") & set(text) else text
    for suffix in (".gz", ".conllu", ".conll", ".txt"):
        name = name.removesuffix(suffix)
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name) or "corpus"
