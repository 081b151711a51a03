"""Finds the roles and generalization splits that depend on structure (`hebbsim.probes`)."""

from dataclasses import dataclass

from hebbsim.baselines import LookupBaseline
from hebbsim.experiments.roles.scores import Runs
from hebbsim.probes import SplitStructure, accuracy, decide_roles, decide_split
from hebbsim.readers.base import Corpus


@dataclass(frozen=True)
class Structure:
    """What decides a role (from F1 on dev), or whether a split depends on structure.

    For a role, `lookup` and `traces` are F1 on dev. For a split, the numbers come from a sibling
    corpus (`hebbsim.readers.siblings`): `lookup` is the accuracy of its lookup on the split of that
    name, `lookup_dev` on its dev, and `share` the share of errors on roles decided by structure. A
    split that the sibling lacks is ``not judged``. See `hebbsim.probes.structure`.
    """

    kind: str
    name: str
    decided: str
    lookup: float | None = None
    traces: float | None = None
    lookup_dev: float | None = None
    share: float | None = None


def structure_table(runs: Runs, traces: str, sibling: Corpus | None) -> list[Structure]:
    """Apply the definition of structure dependence; `traces` is the traces-only condition."""
    by_lookup, by_traces = runs.f1("lookup", "", "dev"), runs.f1("hebbian", traces, "dev")
    decided = decide_roles(by_lookup, by_traces)
    table = [Structure("role", r, d, by_lookup[r], by_traces[r]) for r, d in decided.items()]
    found = _judge(sibling, {role for role, d in decided.items() if d == "structure"})
    for split in runs.gold.codes:
        if split in found:
            table.append(Structure("split", split, **found[split]._asdict()))
        elif split.startswith("gen/"):
            table.append(Structure("split", split, "not judged"))
    return table


def _judge(sibling: Corpus | None, structure_roles: set[str]) -> dict[str, SplitStructure]:
    """Judge the generalization splits of a sibling corpus."""
    if sibling is None or sibling.layer is None:
        return {}
    gold = {name: split.layers[sibling.layer] for name, split in sibling.splits.items()}
    model = LookupBaseline().fit(sibling.splits["train"].sentences(), gold["train"])
    lookup = {name: model.predict(split.sentences()) for name, split in sibling.splits.items()}
    on_dev = accuracy(gold["dev"], lookup["dev"])
    return {
        name: decide_split(
            gold[name], lookup[name], lookup_dev=on_dev, structure_roles=structure_roles
        )
        for name in gold
        if name.startswith("gen/")
    }
