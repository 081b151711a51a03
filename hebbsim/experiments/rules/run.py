"""What each rule contributes to the network that learns roles: `hebbsim run rules`.

The network of trace layers learns as in `hebbsim run roles`, and once more for each change of
`hebbsim.experiments.rules.ablations`. Clusters are named on dev by majority, and every change is
compared with the unchanged network on the same seeds and sentences. The look-up, which gives
each word its most frequent role, is a baseline without memory.

A rule that replaces another uses its own default rate and parameters, which are not tuned for
that part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from hebbsim.baselines import LookupBaseline
from hebbsim.engine import load_rules
from hebbsim.errors import HebbsimError
from hebbsim.experiments.roles.comparisons import compared
from hebbsim.experiments.roles.data import Gold, check_clusters
from hebbsim.experiments.roles.scores import Runs
from hebbsim.experiments.roles.variants import assigned_roles, with_scored_splits
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

    `failed` says why there is no score. `idle` means that the rule learns nothing in that part:
    in all seeds, every role is the same as with learning off.
    """

    condition: str
    group: str
    name: str
    failed: str
    idle: bool


@run_function(RulesConfig)
def run_rules(config: RulesConfig, cache: RunCache, progress: Progress) -> Results:
    """Learn roles with a network and with each of its ablations, and compare them.

    Returns
    -------
    Results
        ``accuracy`` by condition, and of the model ``lookup``. The table ``ablations`` has an
        `Ablated` per condition, in order; ``comparisons`` has the difference of each to the
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
    _fill(results, config, corpus, cache, progress)
    return results


def _fill(
    results: Results, config: RulesConfig, corpus: Corpus, cache: RunCache, progress: Progress
) -> None:
    """Learn what is not in the cache, and fill the tables."""
    assert corpus.layer is not None
    gold = Gold.of(corpus, corpus.layer)
    runs, failed = Runs(corpus.name, gold), dict[str, str]()
    whole = f"K={config.clusters}"
    planned = config.ablations()
    seen: dict[str, list[bytes]] = {}
    for seed, condition, step in _learned(config, corpus, planned, cache, progress):
        seen.setdefault(condition, []).extend(a.tobytes() for _, a in sorted(step.arrays.items()))
        if step.document:
            failed.setdefault(condition, f"seed {seed}: {step.document}")
            continue
        roles = {split: gold.names[codes] for split, codes in step.arrays.items()}
        runs.add("hebbian", f"{whole} {condition}".strip(), seed, roles)
    if WHOLE in failed:
        raise HebbsimError(f"the network as it is cannot learn: {failed[WHOLE]}")
    look_up = LookupBaseline().fit(
        corpus.splits["train"].sentences(), corpus.splits["train"].layers[corpus.layer]
    )
    rest = {name: split for name, split in corpus.splits.items() if name != "train"}
    named = {name: look_up.predict(split.sentences()) for name, split in rest.items()}
    runs.add("lookup", "", 0, named)
    scores = [
        score
        for score in runs.scores()
        if score.metric == "accuracy" and score.condition.removeprefix(whole).strip() not in failed
    ]
    results.rows = summarize(scores)
    conditions = [each.condition for each in planned if each.condition not in failed]
    results.tables = {
        "ablations": [
            Ablated(
                each.condition,
                each.group,
                each.name,
                failed.get(each.condition, ""),
                " rule=" in each.condition
                and seen[each.condition]
                == seen[f"{each.condition.partition(' rule=')[0]} learning=off"],
            )
            for each in planned
        ],
        "comparisons": compared(
            runs,
            "rules",
            [
                (f"{whole} {condition}", "hebbian", whole, split, None)
                for split in ("test", "gen")
                if split in gold.codes
                for condition in conditions
                if condition != WHOLE
            ],
        ),
        "per_seed": scores,
    }


@dataclass(frozen=True)
class _Job:
    config: RulesConfig
    corpus: Corpus
    network: dict[str, Any]
    seed: int
    conditions: tuple[str, ...]


def _learned(
    config: RulesConfig,
    corpus: Corpus,
    planned: Sequence[Ablation],
    cache: RunCache,
    progress: Progress,
) -> Iterator[tuple[int, str, StepResult]]:
    """Seed, condition and predicted roles of all ablations, in order; cached one by one."""
    jobs = [
        # Random prototypes are drawn once the unchanged network has learned.
        _Job(config, corpus, each.network, seed, (WHOLE, RANDOM) if each is planned[0] else (said,))
        for seed in range(config.seeds)
        for each in planned
        if (said := each.condition) != RANDOM
    ]

    def name(job: _Job, condition: str) -> str:
        return f"seed={job.seed} {condition or 'whole'}"

    found: dict[tuple[int, str], StepResult] = {}
    waiting = []
    for job in jobs:
        for said in job.conditions:
            step = cache.get(name(job, said))
            if step is not None:
                found[job.seed, said] = step
        if any((job.seed, said) not in found for said in job.conditions):
            waiting.append(job)
    total = len(jobs)
    progress(None, total - len(waiting), total)
    ended = run_all(_learn, waiting, workers=min(config.workers, max(len(waiting), 1)))
    for done, (number, steps) in enumerate(ended, total - len(waiting) + 1):
        if isinstance(steps, Exception):
            raise steps
        job = waiting[number]
        for said, step in steps.items():
            cache.put(name(job, said), step.arrays, step.document)
            found[job.seed, said] = step
        progress(None, done, total)
    for seed in range(config.seeds):
        for each in planned:
            yield seed, each.condition, found[seed, each.condition]


def _learn(job: _Job) -> dict[str, StepResult]:
    """Roles that one network assigns, by condition; or, in the document, why there are none."""
    load_rules(job.config.rules)
    with threadpool_limits(1):  # BLAS sums in another order with more threads
        sentences = job.corpus.splits["train"].sentences()
        learner = job.config.learner(job.network, job.seed)
        steps: dict[str, Callable[[], RoleNetwork]] = {
            said: partial(learner.derive, sentences, prototypes="random")
            if said == RANDOM
            else partial(learner.fit, sentences)
            for said in job.conditions
        }
        return {said: _codes(step, job.corpus) for said, step in steps.items()}


def _codes(learn: Callable[[], RoleNetwork], corpus: Corpus) -> StepResult:
    try:
        roles = assigned_roles(learn, corpus)
    except Exception as error:  # of a rule, which anyone may have written
        name = "" if type(error) is HebbsimError else type(error).__name__
        said = str(error).strip().partition("\n")[0]
        return StepResult({}, ": ".join(filter(None, (name, said))))
    codes = Gold.of(corpus, corpus.layer or "").encode(roles)
    return StepResult({split: codes[split] for split in codes if split != "gen"}, "")
