"""Measures what each learning rule contributes to the role network: `hebbsim run rules`.

The network is trained as in `hebbsim run roles`, and once more for each ablation from
`hebbsim.experiments.rules.ablations`. Clusters are named on dev by majority, and every ablation is
compared with the unchanged network on the same seeds and sentences. The lookup, which gives each
word its most frequent role, is a baseline without context.

A rule that replaces another uses its own default rate and parameters, which are not tuned for
that part.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from hebbsim.baselines import LookupBaseline
from hebbsim.engine import load_rules
from hebbsim.errors import HebbsimError
from hebbsim.experiments.roles.comparisons import compared
from hebbsim.experiments.roles.data import Gold, check_clusters, with_scored_splits
from hebbsim.experiments.roles.scores import Runs, assigned_roles
from hebbsim.experiments.rules.ablations import RANDOM, WHOLE, Ablation
from hebbsim.experiments.rules.config import RulesConfig
from hebbsim.models.role_network import RoleNetwork
from hebbsim.readers.base import Corpus
from hebbsim.readers.lines import digest
from hebbsim.runs.results import Progress, Results, provenance, summarize
from hebbsim.runs.resume import RunCache, StepResult
from hebbsim.runs.run_function import run_function
from hebbsim.runs.workers import run_all


@dataclass(frozen=True)
class Ablated:
    """A row of the table: what was changed, and to what.

    `failed` is the reason if there is no score. `idle` means that the rule learns nothing in that
    part: with every seed, all roles equal those with learning off.
    """

    condition: str
    group: str
    name: str
    failed: str
    idle: bool


@run_function(RulesConfig)
def run_rules(config: RulesConfig, cache: RunCache, progress: Progress) -> Results:
    """Learn roles with a network and with each of its ablations, and compare them.

    ``accuracy`` by condition, and of the model ``lookup``. The table ``ablations`` has one
    `Ablated` per condition, in order; ``comparisons`` has the difference between each and the
    unchanged network.

    Raises
    ------
    HebbsimError
        The unchanged network cannot learn from this corpus.
    """
    from hebbsim.readers import load_corpus

    corpus = load_corpus(config.corpus, offline=config.offline)
    corpus = with_scored_splits(corpus, f"--corpus {config.corpus}")
    check_clusters(corpus.splits["train"], config.clusters, corpus.name)
    inputs = dict(corpus.sha256)
    if config.network != "roles":
        inputs["network"] = digest(Path(config.network), unpacked=False)
    results = Results(
        experiment="rules",
        config=config.resolved() | {"corpus": corpus.name, "source": config.corpus},
        provenance=provenance(inputs=inputs, seeds=range(config.seeds), rules=config.rules),
        notes=list(corpus.notes),
    )
    cache.begin(results.experiment, results.config, results.provenance)
    assert corpus.layer is not None
    gold = Gold.of(corpus, corpus.layer)
    runs, failed = Runs(corpus.name, gold), dict[str, str]()
    whole = f"K={config.clusters}"
    planned = config.ablations()
    steps = _learned(config, corpus, planned, cache, progress)
    for seed, condition in itertools.product(range(config.seeds), [a.condition for a in planned]):
        step = steps[seed, condition]
        if step.document:
            failed.setdefault(condition, f"seed {seed}: {step.document}")
            continue
        roles = {split: gold.names[codes] for split, codes in step.arrays.items()}
        runs.add("hebbian", f"{whole} {condition}".strip(), seed, roles)
    if WHOLE in failed:
        raise HebbsimError(f"the network as it is cannot learn: {failed[WHOLE]}")
    rest = dict(corpus.splits)
    train = rest.pop("train")
    look_up = LookupBaseline().fit(train.sentences(), train.layers[corpus.layer])
    named = {name: look_up.predict(split.sentences()) for name, split in rest.items()}
    runs.add("lookup", "", 0, named)

    def learned(condition: str) -> list[bytes]:
        of = [steps[seed, condition].arrays for seed in range(config.seeds)]
        return [array.tobytes() for arrays in of for _, array in sorted(arrays.items())]

    def idle(condition: str) -> bool:
        part, rule, _ = condition.partition(" rule=")
        return bool(rule) and learned(condition) == learned(f"{part} learning=off")

    scores = [
        score
        for score in runs.scores()
        if score.metric == "accuracy" and score.condition.removeprefix(whole).strip() not in failed
    ]
    results.rows = summarize(scores)
    changed = [a.condition for a in planned if a.condition not in failed and a.condition != WHOLE]
    splits = [split for split in ("test", "gen") if split in gold.codes]
    cells = [(f"{whole} {c}", "hebbian", whole, split, None) for split in splits for c in changed]
    results.tables = {
        "ablations": [
            Ablated(a.condition, a.group, a.name, failed.get(a.condition, ""), idle(a.condition))
            for a in planned
        ],
        "comparisons": compared(runs, "rules", cells),
        "per_seed": scores,
    }
    return results


class _Job(NamedTuple):
    """A network to train with one seed; it gives the roles under each condition."""

    config: RulesConfig
    corpus: Corpus
    network: dict[str, Any]
    seed: int
    conditions: tuple[str, ...]


def _learned(
    config: RulesConfig, corpus: Corpus, plan: list[Ablation], cache: RunCache, progress: Progress
) -> dict[tuple[int, str], StepResult]:
    """Predicted roles by seed and condition; each condition is a step in the cache."""

    def name(seed: int, condition: str) -> str:
        return f"seed={seed} {condition or 'whole'}"

    found: dict[tuple[int, str], StepResult] = {}
    waiting, total = [], 0
    for seed, each in itertools.product(range(config.seeds), plan):
        if each.condition == RANDOM:
            continue
        total += 1
        # Random prototypes are drawn from the unchanged network, once it has learned.
        conditions = (WHOLE, RANDOM) if each is plan[0] else (each.condition,)
        for condition in conditions:
            if (step := cache.get(name(seed, condition))) is not None:
                found[seed, condition] = step
        if any((seed, condition) not in found for condition in conditions):
            waiting.append(_Job(config, corpus, each.network, seed, conditions))
    progress(None, total - len(waiting), total)
    ended = run_all(_learn, waiting, workers=min(config.workers, max(len(waiting), 1)))
    for done, (number, steps) in enumerate(ended, total - len(waiting) + 1):
        if isinstance(steps, Exception):
            raise steps
        seed = waiting[number].seed
        for condition, step in steps.items():
            cache.put(name(seed, condition), step.arrays, step.document)
            found[seed, condition] = step
        progress(None, done, total)
    return found


def _learn(job: _Job) -> dict[str, StepResult]:
    """Roles by condition from one network; the document is the reason if there are none."""
    load_rules(job.config.rules)
    with threadpool_limits(1):  # BLAS sums in another order with more threads
        sentences = job.corpus.splits["train"].sentences()
        learner = job.config.learner(job.network, job.seed)
        fits: dict[str, Callable[[], RoleNetwork]] = {
            condition: partial(learner.derive, sentences, prototypes="random")
            if condition == RANDOM
            else partial(learner.fit, sentences)
            for condition in job.conditions
        }
        return {condition: _codes(fit, job.corpus) for condition, fit in fits.items()}


def _codes(learn: Callable[[], RoleNetwork], corpus: Corpus) -> StepResult:
    try:
        roles = assigned_roles(learn, corpus)
    except Exception as error:  # a user's rule may raise anything
        name = "" if type(error) is HebbsimError else type(error).__name__
        said = str(error).strip().partition("\n")[0]
        return StepResult({}, ": ".join(filter(None, (name, said))))
    codes = Gold.of(corpus, corpus.layer or "").encode(roles)
    codes.pop("gen", None)
    return StepResult(dict(codes), "")
