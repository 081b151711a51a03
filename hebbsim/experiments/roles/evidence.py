"""Claims C1 and C2 from runs of `hebbsim run roles`."""

from collections.abc import Iterator

from pandas import DataFrame

from hebbsim.experiments.roles.figures import decided
from hebbsim.plots import tables
from hebbsim.runs.finished import RunTables, find, interval
from hebbsim.runs.report.claims import Finding, at_least, counted

#: Share of the BiGRU's accuracy that the paper reports.
TARGET = 0.96

_READOUTS = {"": "clusters named by majority", "soft": "by the soft read-out"}


def findings(run: RunTables) -> Iterator[Finding]:
    """Accuracy relative to the BiGRU, and how often the learner is ahead of it."""
    learner = tables.reference(run.results, "hebbian")
    voting = f", {learner['members']} voting" if "members" in learner else ""
    for readout, said in _READOUTS.items():
        condition = {**learner, **({"readout": readout} if readout else {})}
        yield from _share(run.results, condition, said + voting)
    yield from _verdicts(run, learner)


def _share(results: DataFrame, condition: dict[str, str], said: str) -> Iterator[Finding]:
    """Accuracy relative to the BiGRU, and its label equivalence."""
    for row in find(results, {**condition, "over": "bigru"}, split="test", metric="accuracy_ratio"):
        found = interval(row)
        yield Finding(
            "C1",
            f"accuracy on test / BiGRU with all labels, {said}",
            bound=TARGET,
            judgement=at_least(found["low"], found["high"], TARGET),
            **found,
        )
    against = {**condition, "minus": "bigru/readout"}
    for row in find(results, against, split="test", metric="accuracy_difference"):
        yield Finding(
            "C1",
            f"minus a BiGRU trained on the sentences that name the clusters, {said}",
            **interval(row),
        )
    beyond = {"": "", "above": "more than ", "below": "fewer than "}
    for place, relation in beyond.items():
        where = {**condition, **({"curve": place} if place else {})}
        for row in find(results, where, split="test", metric="label_equivalence"):
            found = interval(row)
            text = ""
            if place:
                text = f"{relation}{found['mean']:,.0f}"
                found |= {"mean": None, "low": None, "high": None}
            measure = f"labelled sentences with which a BiGRU does as well, {said}"
            yield Finding("C1", measure, text=text, **found)


def _verdicts(run: RunTables, learner: dict[str, str]) -> Iterator[Finding]:
    """Roles and splits decided by structure on which the learner is ahead."""
    table = run.table("comparisons")
    if table is None:
        return
    by = decided(run, "role") | decided(run, "split")
    of_structure = [name for name, decides in by.items() if decides == "structure"]
    for name, rows in table.groupby("table", sort=False):
        kind, _, condition = str(name).partition(" ")
        if kind not in ("roles", "splits"):
            continue
        said = tables.words(condition)
        labels = said.pop("labels", None)
        readout = said.pop("readout", "")
        if {key: said[key] for key in said if key != "K"} != learner:
            continue
        if labels not in (None, str(run.config.get("readout_sentences"))):
            continue  # the figure of labelled sentences shows the others
        if (labels is None) != (rows["rival_condition"].iloc[0] == "labels=all"):
            continue
        rival = (
            "the BiGRU with all labels"
            if labels is None
            else f"a BiGRU, both with the same {labels} labelled sentences"
        )
        voting = f", {said['members']} voting" if "members" in said else ""
        for whole in ("test", "gen") if kind == "roles" else (None,):
            chosen = rows if whole is None else rows[rows["split"] == whole]
            names = chosen["split"] if whole is None else chosen["role"]
            chosen = chosen[names.isin(of_structure)]
            if chosen.empty:
                continue
            names = names[chosen.index].str.removeprefix("gen/")
            ahead = names[chosen["verdict"] == "ahead"].tolist()
            behind = int((chosen["verdict"] == "behind").sum())
            listed = f" ({', '.join(ahead)})" if ahead else ""
            what = "generalization splits" if whole is None else f"roles ({whole})"
            yield Finding(
                "C2",
                f"{what} that structure decides, ahead of {rival}, {_READOUTS[readout]}{voting}",
                text=f"{len(ahead)} of {len(chosen)}{listed}; behind on {behind}",
                judgement=counted(len(ahead), len(chosen)),
            )
