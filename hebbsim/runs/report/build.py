"""Builds a report from run folders: claims, findings, verdicts, tables, figures, provenance."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.plots import style
from hebbsim.runs.figures import Failed, RenderedFigure, each, figures_of
from hebbsim.runs.finished import RunTables, find, interval
from hebbsim.runs.registry import EXPERIMENTS
from hebbsim.runs.report.claims import CLAIMS, VERDICTS, Claim, Finding, verdict

SCHEMA = "hebbsim.report/1"

#: Metrics and splits in the table of a run, by experiment; other experiments show all rows that
#: are not about one role. A table has at most `MOST_ROWS` rows.
SHOWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "roles": (("accuracy", "v_measure", "accuracy_ratio", "label_equivalence"), ("test", "gen")),
    "identity": (("total_bits", "lags_found"), ("test",)),
}
MOST_ROWS = 100

#: Figures that belong to a claim.
FIGURES = {
    "C1": ("labels", "timescales", "roles"),
    "C2": ("generalization", "structure_content"),
    "C3": ("decoders", "precision"),
    "C4": ("curves", "ratio", "parameters"),
    "C5": ("predictor",),
    "C6": ("capacity",),
    "C7": ("ladder", "recall"),
    "C8": ("readability",),
}


@dataclass(frozen=True)
class Picture:
    """A figure in a report."""

    file: str
    drawn: RenderedFigure
    svg: bytes
    png: bytes

    @property
    def claim(self) -> str:
        """Key of its claim; empty if it only belongs to its run."""
        return next((key for key, names in FIGURES.items() if self.drawn.name in names), "")


@dataclass
class RunSection:
    """The section of a report about one run."""

    run: RunTables
    findings: list[Finding]
    pictures: list[Picture] = field(default_factory=list)
    failed: Failed = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Rows of the results table that the report shows."""
        rows = find(self.run.results, role="")
        if self.run.experiment in SHOWN:
            metrics, splits = SHOWN[self.run.experiment]
            rows = [row for row in rows if row["metric"] in metrics and row["split"] in splits]
        return [row | {"value": Finding("", "", **interval(row)).value} for row in rows[:MOST_ROWS]]

    @property
    def left_out(self) -> int:
        """Number of rows of the results table that the report leaves out."""
        return len(self.run.results) - len(self.rows)


@dataclass
class Report:
    """The claims, and what runs measured about them.

    Attributes
    ----------
    sections : list of RunSection
        One per run, in the given order.

    Examples
    --------
    >>> Report([]).verdict("C1")
    'absent'
    """

    sections: list[RunSection]

    def findings(self, claim: str) -> list[tuple[RunSection, Finding]]:
        """All findings about a claim, with the section of their run."""
        return [(s, f) for s in self.sections for f in s.findings if f.claim == claim]

    def verdict(self, claim: str) -> str:
        """Key of `hebbsim.runs.report.claims.VERDICTS`."""
        given = any(s.run.experiment in CLAIMS[claim].experiments for s in self.sections)
        return verdict((finding for _, finding in self.findings(claim)), given)

    def summary(self, claim: Claim) -> str:
        """Summary of the findings about a claim in one line."""
        found = self.findings(claim.key)
        if not found:
            if self.verdict(claim.key) == "absent":
                return f"Needs a run of hebbsim run {' | '.join(claim.experiments)}."
            return "The given runs have no row about it."
        judged = [f for _, f in found if f.judgement]
        count = Counter(str(f.judgement) for f in judged)
        names = {"yes": "for it", "part": "in part", "no": "against", "open": "undecided"}
        counts = [f"{count[key]} {name}" for key, name in names.items() if count[key]]
        if not counts:
            return "Shown below; none is decisive."
        measures = f"{len(judged)} measurement{'s' * (len(judged) != 1)}"
        section, first = next((section, f) for section, f in found if f.judgement)
        run = f" in {section.run.name}" if len(self.sections) > 1 else ""
        return f"{measures}: {', '.join(counts)}. First{run}: {first.measure}, {first.value}."

    def document(self) -> dict[str, Any]:
        """The report as a JSON document."""
        return {
            "schema": SCHEMA,
            "runs": [
                {"name": s.run.name, "experiment": s.run.experiment, "config": s.run.config,
                 "provenance": s.run.document["provenance"]}
                for s in self.sections
            ],
            "claims": [
                {
                    "claim": claim.key, "text": claim.text, "rule": claim.rule,
                    "verdict": VERDICTS[self.verdict(claim.key)],
                    "findings": [
                        {"run": section.run.name}
                        | {k: v for k, v in asdict(f).items() if k != "claim"}
                        for section, f in self.findings(claim.key)
                    ],
                }
                for claim in CLAIMS.values()
            ],
        }  # fmt: skip


def build_report(folders: Sequence[str | Path]) -> Report:
    """Read run folders, judge the claims, and draw the figures.

    Parameters
    ----------
    folders : sequence of path
        Run folders of any experiments.

    Raises
    ------
    BadInputError
        A folder holds no finished run, or two have the same name.
    """
    runs = [RunTables(folder) for folder in folders]
    names = [run.name for run in runs]
    for run in runs:
        _ = run.document, run.results
        if names.count(run.name) > 1:
            raise BadInputError(f"{run.folder}: two runs are called {run.name}; rename one folder")
    return Report([RunSection(run, findings_of(run), *_pictures(run)) for run in runs])


def findings_of(run: RunTables) -> list[Finding]:
    """All findings of a run about the claims; none if its experiment tests no claim."""
    experiment = EXPERIMENTS.get(run.experiment)
    if experiment is None or experiment.evidence is None:
        return []
    return list(experiment.evidence(run))


def _pictures(run: RunTables) -> tuple[list[Picture], Failed]:
    drawings = figures_of(run.experiment)

    def one(name: str) -> Picture:
        with style.without_captions():
            ax = drawings[name](run)
        return Picture(
            f"{run.name}-{name}",
            RenderedFigure(name, drawings[name].about, style.caption_of(ax), []),
            style.rendered(ax.figure.canvas.figure, "svg"),
            style.rendered(ax.figure.canvas.figure, "png", 200),
        )

    return each(drawings, one)
