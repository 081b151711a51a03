"""Claims C1 and C2 from runs of `hebbsim run roles`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hebbsim.plots import tables
from hebbsim.plots.run import RunTables
from hebbsim.report.claims import Finding, at_least, counted
from hebbsim.report.evidence import Rows, evidence_of, interval

#: Share of the BiGRU's accuracy that the paper reports.
TARGET = 0.96

_READOUTS = {"": "clusters named by majority", "soft": "by the soft read-out"}


@evidence_of("roles")
def findings(run: RunTables) -> Iterator[Finding]:
    """Shares of the BiGRU's accuracy, and how often the learner is ahead of it."""
    rows = Rows(run.results)
    learner = tables.reference(run.results, "hebbian")
    voting = f", {learner['members']} voting" if "members" in learner else ""
    for readout, said in _READOUTS.items():
        condition = {**learner, **({"readout": readout} if readout else {})}
        yield from _share(rows, condition, said + voting)
    for readout, said in _READOUTS.items():
        condition = {**learner, **({"readout": readout} if readout else {})}
        yield from _splits(run, rows, condition, said + voting)
    yield from _roles(run, rows, learner)


def _share(rows: Rows, condition: dict[str, str], said: str) -> Iterator[Finding]:
    """Accuracy over the BiGRU's, and with how many labelled sentences that one does as well."""
    for row in rows.find({**condition, "over": "bigru"}, split="test", metric="accuracy_ratio"):
        found = interval(row)
        yield Finding(
            "C1",
            f"accuracy on test / BiGRU with all labels, {said}",
            over="sentences",
            bound=TARGET,
            judgement=at_least(found["low"], found["high"], TARGET),
            **found,
        )
    against = {**condition, "minus": "bigru/readout"}
    for row in rows.find(against, split="test", metric="accuracy_difference"):
        yield Finding(
            "C1",
            f"minus a BiGRU trained on the sentences that name the clusters, {said}",
            over="sentences",
            **interval(row),
        )
    beyond = {"": "", "above": "more than ", "below": "fewer than "}
    for place, relation in beyond.items():
        where = {**condition, **({"curve": place} if place else {})}
        for row in rows.find(where, split="test", metric="label_equivalence"):
            found = interval(row)
            text = f"{relation}{found['mean']:,.0f}" if place else ""
            if place:
                found |= {"mean": None, "low": None, "high": None}
            yield Finding(
                "C1", f"labelled sentences with which a BiGRU does as well, {said}",
                over="sentences", text=text, **found,
            )  # fmt: skip


def _decided(run: RunTables, kind: str) -> list[str]:
    table = run.table("structure")
    if table is None:
        return []
    chosen = (table["kind"] == kind) & (table["decided"] == "structure")
    return list(table.loc[chosen, "name"])


def _splits(run: RunTables, rows: Rows, condition: dict[str, str], said: str) -> Iterator[Finding]:
    """Generalization splits that turn on structure: the paired difference to the BiGRU."""
    found = [
        row
        for split in _decided(run, "split")
        for row in rows.find(
            {**condition, "minus": "bigru"}, split=split, metric="accuracy_difference"
        )
    ]
    if not found:
        return
    ahead = [row["split"].removeprefix("gen/") for row in found if row["low"] > 0]
    behind = sum(row["high"] < 0 for row in found)
    yield Finding(
        "C2",
        f"generalization splits that turn on structure, ahead of the BiGRU, {said}",
        text=_count(ahead, len(found), behind),
        judgement=counted(len(ahead), len(found)),
    )


def _roles(run: RunTables, rows: Rows, learner: dict[str, str]) -> Iterator[Finding]:
    """Roles that turn on structure: recall beside the BiGRU's."""
    for split, name in (("test", "test"), ("gen", "generalization splits")):
        ahead, behind, total = [], 0, 0
        for role in _decided(run, "role"):
            where: dict[str, Any] = {"split": split, "metric": "recall", "role": role}
            mine = rows.find(learner, model="hebbian", **where)
            theirs = rows.find({"labels": "all"}, model="bigru", **where)
            if not (mine and theirs):
                continue
            total += 1
            if mine[0]["low"] > theirs[0]["high"]:
                ahead.append(role)
            behind += mine[0]["high"] < theirs[0]["low"]
        if total:
            yield Finding(
                "C2",
                f"roles that structure decides, recall ahead of the BiGRU's, {name}",
                text=_count(ahead, total, behind),
                judgement=counted(len(ahead), total),
            )


def _count(ahead: list[str], of: int, behind: int) -> str:
    names = f" ({', '.join(ahead)})" if ahead else ""
    return f"{len(ahead)} of {of}{names}; behind on {behind}"
