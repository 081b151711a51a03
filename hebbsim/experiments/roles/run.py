"""Zero-label role assignment beside supervised baselines: `hebbsim run roles`."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hebbsim.baselines import LookupBaseline, MajorityBaseline, PredictionJob, TorchMissingError
from hebbsim.baselines.bigru import draw_labelled
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.roles.data import (
    Gold,
    check_clusters,
    check_splits,
    cluster_notes,
    hold_out,
    text_notes,
)
from hebbsim.experiments.roles.scores import (
    Runs,
    clusters,
    comparison_rows,
    comparisons,
    constructions,
    equivalences,
    named_on_dev,
    structure_table,
)
from hebbsim.experiments.roles.tagger import keep_tagger, write_taggers
from hebbsim.experiments.roles.tokens import tokens_file
from hebbsim.probes import (
    Memberships,
    RoleReadout,
    SoftReadout,
    memberships,
    one_to_one,
    v_measure,
)
from hebbsim.readers.base import Corpus, Split
from hebbsim.readers.lines import digest, is_stdin, on_disk
from hebbsim.readers.siblings import sibling_of
from hebbsim.runs.background import BackgroundJobs
from hebbsim.runs.folders import Out
from hebbsim.runs.results import (
    Clock,
    Progress,
    Results,
    Score,
    json_text,
    provenance,
    summarize,
)
from hebbsim.runs.resume import Units, open_run
from hebbsim.runs.steps import Steps

if TYPE_CHECKING:
    from hebbsim.models import RoleNetwork

JobKey = tuple[str, int]  # condition, seed

#: What the steps of a run weigh on its progress bar: about their seconds on the built-in grammar.
WEIGHTS = {"main": 14, "part": 5, "bigru": 5}
#: Share of the main step of a seed in which its learner is fitted.
FITTING = 0.7


def run_roles(
    config: RolesConfig | None = None,
    *,
    out: Out | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Results:
    """Learn roles without a label, map clusters on dev, score on test, compare.

    Parameters
    ----------
    config : RolesConfig, optional
        Or its fields as keywords.
    out : path, optional
        Run folder to write; none without. What an interrupted run of the same configuration
        left there is taken up.
    progress : callable, optional
        Receives lines and step counts while the run goes on.
    overwrite : bool
        Replace a finished run in `out`.

    Returns
    -------
    Results
        A corpus without roles gives the table ``clusters`` in place of scores.

    Raises
    ------
    BadInputError
        An option, the corpus or the output folder cannot be used.

    Examples
    --------
    >>> from hebbsim import run_roles
    >>> results = run_roles(corpus="builtin", seeds=1, baselines="simple")  # doctest: +SKIP
    >>> results.select({}, model="hebbian", split="test", metric="accuracy")  # doctest: +SKIP
    """
    from hebbsim.readers import load_corpus

    if config is None:
        config = RolesConfig.checked(options)
    if config.rules:  # in a process that was given a checked configuration, too
        from hebbsim.engine import load_rules

        load_rules(config.rules)
    clock = Clock()
    report = progress or (lambda line, done, total: None)

    def parsing(name: str, done: int, total: int) -> None:
        report(None if done % 10_000 else f"{name}: {done:,} sentences parsed", done, total)

    with open_run(out, overwrite=overwrite) as kept, contextlib.ExitStack() as stack:
        corpus = load_corpus(
            config.corpus,
            layer=config.gold_layer,
            scheme=config.role_map,
            offline=config.offline,
            **config.reading,
            parser=config.parser,
            processes=config.workers,
            progress=parsing if config.parser else None,
        )
        files, notes = _files_to_read(config, stack)
        run = _Run(config, corpus, files, notes, kept, report)
        # BLAS sums in another order with more threads: one makes a run repeatable anywhere,
        # and leaves the other cores to the workers.
        with threadpool_limits(1):
            results = run.without_roles() if corpus.layer is None else run.with_roles(corpus.layer)
        kept.write(
            results, machine=clock.machine(), save=partial(write_taggers, kept, config.seeds)
        )
    return results


def _files_to_read(
    config: RolesConfig, stack: contextlib.ExitStack
) -> tuple[dict[str, Path], list[str]]:
    """The unlabelled text by file name, folders as the files in them; what was left out."""
    from hebbsim.readers.text import text_files
    from hebbsim.readers.treebanks import split_of

    files: dict[str, Path] = {}
    notes: list[str] = []
    given = config.unlabeled
    for path in text_files(given, notes.append, config.field) if given else []:
        name = "stdin" if is_stdin(path) else path.name
        if path in given and (split := split_of(path)) in ("dev", "test"):
            notes.append(f"--unlabeled {path}: its name says {split}; its words are learned")
        files[name if name not in files else str(path)] = stack.enter_context(on_disk(path))
    return files, notes


@dataclass(frozen=True, eq=False)
class Clustering:
    """What a fitted learner, or each of P members, makes of the splits that are scored.

    Attributes
    ----------
    members : dict of str to list of P Memberships
        By split, the clusters of its tokens; ``train`` holds those of `labelled` alone.
    prototypes : list of P ndarrays of float32, shape=(K, D)
        Where those clusters lie.
    labelled : ndarray of int64
        Training sentences that a draw of few labelled sentences contains, sorted.
    train : Split
        Those sentences.
    """

    members: dict[str, list[Memberships]]
    prototypes: list[NDArray[np.float32]]
    labelled: NDArray[np.int64]
    train: Split

    @property
    def scored(self) -> list[str]:
        """The splits that predictions are scored on."""
        return [split for split in self.members if split != "train"]

    def winners(self, split: str) -> NDArray[np.int32]:
        """The nearest cluster of every token, shape=(T, P)."""
        return np.stack([found.clusters[:, 0] for found in self.members[split]], axis=1)

    def mapping(
        self, split: str, roles: NDArray[np.str_], on: NDArray[np.bool_], *, soft: bool
    ) -> Callable[[str], NDArray[np.str_]]:
        """Map clusters to roles on some tokens of a split: roles of all tokens of another."""
        if not soft:
            majority = RoleReadout().fit(self.winners(split)[on], roles[on])
            return lambda other: majority.predict(self.winners(other))
        labelled = [found.part(on) for found in self.members[split]]
        readout = SoftReadout().fit(labelled, roles[on], self.prototypes)
        return lambda other: readout.predict(self.members[other])


def _nearest(clusters: NDArray[np.int32]) -> Memberships:
    """Of tokens that belong to one cluster each."""
    return Memberships(clusters[:, None], np.ones((len(clusters), 1), dtype=np.float32))


def curve_points(first: int, n_tokens: int, n_points: int = 7) -> list[int]:
    """Where a learner is looked at on its way through so many tokens: even steps of a ratio.

    Parameters
    ----------
    first : int
        Tokens after which clusters begin.
    n_tokens : int
        At which it is looked at anyway, as learning ends.

    Examples
    --------
    >>> curve_points(100, 1000, 3)
    [100, 215, 464]
    >>> curve_points(9, 12)
    [9, 10, 11]
    """
    ratio = max(n_tokens, 1) / max(first, 1)
    return sorted({int(max(first, 1) * ratio ** (i / n_points)) for i in range(n_points)})


def part_name(seed: int, condition: str = "main") -> str:
    """What is measured of the learner of a seed, as a step of a run and as a kept part."""
    return f"seed={seed} {condition}"


def bigru_name(condition: str, seed: int) -> str:
    """A BiGRU, as a step of a run and as a kept part."""
    return f"bigru {condition} seed={seed}"


def _later(fitted: Callable[[int], Any], seed: int) -> Callable[[], Any]:
    """What fits the learner of a seed when it is first asked for."""
    return cache(partial(fitted, seed))


class _Run:
    """The steps of one run and what they share."""

    def __init__(
        self,
        config: RolesConfig,
        corpus: Corpus,
        text: dict[str, Path],
        notes: list[str],
        kept: Units,
        progress: Progress,
    ) -> None:
        self.config = config
        self.text = text
        # Once, before anything is learned: a file may be gone at the end.
        self.inputs = {name: digest(path, unpacked=False) for name, path in text.items()}
        # Once, as well: every seed learns with this network, whatever becomes of the file.
        self.network = config.described()
        self.kept = kept
        self.steps = Steps(progress)
        self.notes: list[str] = [*corpus.notes, *notes]
        # By seed of a network: tokens read, the same for every seed, and its clusters by then.
        self.on_the_way: dict[int, list[tuple[int, Clustering]]] = {}
        if corpus.layer is not None:
            corpus, note = hold_out(corpus)
            if note:
                self.notes.append(note)
        check_clusters(corpus.splits["train"], config.clusters, corpus.name)
        if text:
            self.notes += text_notes(corpus, text, config.reading)
        self.corpus = corpus
        self.sentences = {name: split.sentences() for name, split in corpus.splits.items()}

    def fitted(self, seed: int) -> Any:
        """A learner that has seen the tokens of train, and the text, and nothing else."""
        main = part_name(seed)
        learner = self.config.learner(seed, self.network)
        options: dict[str, Any] = {
            "progress": lambda share: self.steps.reach(main, FITTING * share)
        }
        if self.text:
            from hebbsim.readers.text import stream_text

            stream = partial(stream_text, self.text.values(), **self.config.reading)
            options["text"] = stream if self.config.ensemble_size > 1 else stream()
            if self.kept.folder is not None:
                options["after_text"] = self.kept.states_folder(f"seed={seed}") / "after-text"
        if self.config.ensemble_size == 1 and self.corpus.layer is not None:
            options |= self.looks(learner, seed)
        return learner.fit(self.sentences["train"], **options)

    def looks(self, learner: RoleNetwork, seed: int) -> dict[str, Any]:
        """Options of `fit` by which a network's clusters are looked at on the way."""
        n_once, passes = self.corpus.splits["train"].n_tokens, self.config.passes

        def look(n_read: int) -> None:
            self.on_the_way.setdefault(seed, []).append((n_read, self.cluster(learner, few=False)))

        # A little later than they begin at the earliest: by then those of every seed have.
        first = int(1.05 * learner.clusters_begin(n_once, after=bool(self.text)))
        ends = {n_once * n for n in range(1, passes)}
        points = sorted(ends.union(curve_points(first, passes * n_once)))
        return {"observe": look, "observed_at": points}

    def learners(self, parts: Sequence[str]) -> Iterator[tuple[int, Callable[[], Any]]]:
        """What gives the learner of every seed, in order, some learning at a time, in threads.

        The first is alone, so that its result comes soon, and no more are begun than there
        are workers, as each takes its memory. A learner shares nothing with another. Seeds
        of which nothing is left to do learn only if asked for.
        """
        config = self.config
        if config.shards is not None:
            from hebbsim.experiments.roles.shards import sharded_learners

            for seed, fitted in sharded_learners(
                lambda seed: config.learner(seed, self.network),
                config.seeds,
                self.sentences["train"],
                text=list(self.text.values()),
                reading=config.reading,
                rules=config.rules,
                shards=config.shards,
                scheduler=config.scheduler,
                say=self.steps.say,
            ):
                yield seed, cache(fitted)
            return
        workers = config.workers
        threads = ThreadPoolExecutor(workers)
        conditions = ["main", *parts]
        try:
            for first in [0, *range(1, config.seeds, workers)]:
                last = min(first + workers, config.seeds) if first else 1
                begun = {}
                for seed in range(first, last):
                    wanted = conditions if seed < config.ablation_seeds else conditions[:1]
                    if all(self.kept.has(part_name(seed, condition)) for condition in wanted):
                        begun[seed] = _later(self.fitted, seed)
                    else:
                        begun[seed] = threads.submit(self.fitted, seed).result
                yield from begun.items()
        finally:
            # Not waited for: on the way here from an interruption, what they learn is lost.
            threads.shutdown(wait=False, cancel_futures=True)

    def results(self) -> Results:
        train = self.corpus.splits["train"]
        resolved = self.config.resolved() | {
            "corpus": self.corpus.name,
            "source": self.config.corpus,
            "gold_layer": self.corpus.layer,
            "n_sentences": train.n_sentences,
            "n_tokens": train.n_tokens,
        }
        for name in ("workers", "scheduler"):  # no number depends on them
            del resolved[name]
        inputs, seeds = dict(self.corpus.sha256), range(self.config.seeds)
        files = {"network.json": json_text(self.network).encode()}
        inputs["network"] = hashlib.sha256(files["network.json"]).hexdigest()
        return Results(
            experiment="roles",
            config=resolved,
            provenance=provenance(
                inputs=inputs, seeds=seeds, text=self.inputs, rules=self.config.rules
            ),
            notes=self.notes,
            files=files,
        )

    def begin(self) -> None:
        results = self.results()
        self.kept.begin(results.experiment, results.config, results.provenance)

    def without_roles(self) -> Results:
        """Clusters of the first seed, the largest first, with their commonest words."""
        self.steps.plan(WEIGHTS["main"], [part_name(0)])
        self.notes.append(
            f"corpus {self.corpus.name} has no roles: clusters are shown by their words"
        )
        self.begin()
        learners = self.learners([])  # a cluster ends with what gives its learners
        _, learner = next(learners)
        of_each = np.atleast_2d(learner().predict(self.sentences["train"]).T)
        ids = of_each[0]
        if self.config.keeps(0):
            found = list(map(_nearest, of_each))
            keep_tagger(
                self.kept, learner(), 0, self.results(), self.sentences["train"], members=found
            )
        self.steps.reach(part_name(0))
        results = self.results()
        train = self.corpus.splits["train"]
        results.tables["clusters"] = clusters(ids, train.forms)
        results.files["tokens.csv.gz"] = tokens_file({"train": (train, {"cluster": ids})})
        return results

    def with_roles(self, layer: str) -> Results:
        """Every model on every split, then the tables."""
        config, corpus = self.config, self.corpus
        check_splits(corpus, layer)
        self.notes += cluster_notes(corpus.splits["dev"], config.clusters)
        self.roles = {name: split.layers[layer] for name, split in corpus.splits.items()}
        self.runs = Runs(corpus.name, Gold.of(corpus, layer))
        self.other_scores: list[Score] = []
        self.added: list[tuple[str, str, int, dict[str, NDArray[np.str_]]]] = []
        self.winners: dict[str, NDArray[np.int32]] = {}  # of the first seed's single learner
        self.k = f"K={config.clusters}"
        self.draws = self.labelled_draws()
        bigru = self.bigru_jobs() if config.baselines == "all" else {}
        parts = self.parts()
        counts = (config.seeds, config.label_curve_seeds, config.ablation_seeds)
        of_codes = min(counts) if bigru else 0
        trained = [*bigru, *(("labels=all codes=hebbian", seed) for seed in range(of_codes))]
        for seed in range(config.seeds):
            self.steps.plan(WEIGHTS["main"], [part_name(seed)])
            if seed < config.ablation_seeds:
                self.steps.plan(WEIGHTS["part"], [part_name(seed, part) for part in parts])
        self.steps.plan(WEIGHTS["bigru"], [bigru_name(*key) for key in trained])
        if config.baselines != "none":
            self.simple_baselines()
        self.begin()
        self.steps.say()
        with BackgroundJobs[JobKey](config.workers) as background:
            for seed, learner in self.learners(list(parts)):
                self.part(part_name(seed), self.learner_seed, learner, seed)
                self.steps.reach(part_name(seed), line=self.last_line(seed))
                # Only now, so that nothing stands in the way of the first result.
                try:
                    for key, job in bigru.items() if seed == 0 else ():
                        self.submit(background, key, lambda job: job, job)
                    if seed < of_codes:
                        key = ("labels=all codes=hebbian", seed)
                        self.submit(background, key, self.codes_job, learner, seed)
                except TorchMissingError as error:
                    self.notes.append(f"no BiGRU beside the learner: {error}")
                    self.steps.drop(bigru_name(*key) for key in trained)
                    bigru, of_codes = {}, 0
                for condition, changes in parts.items() if seed < config.ablation_seeds else ():
                    name = part_name(seed, condition)
                    self.part(name, self.derived, learner, seed, condition, changes)
                    self.steps.reach(name)
                self.kept.drop(f"seed={seed}")
            for (condition, seed), predicted in background.results():
                name = bigru_name(condition, seed)
                self.part(name, self.add, "bigru", condition, seed, predicted)
                self.steps.reach(name)
        return self.tabulated()

    # --- parts that an interrupted run may have finished ----------------------------------

    def add(
        self, model: str, condition: str, seed: int, predicted: dict[str, NDArray[np.str_]]
    ) -> None:
        """Keep predicted roles, as those of the part under way."""
        self.added.append((model, condition, seed, predicted))

    def part(self, name: str, measure: Callable[..., None], *arguments: Any) -> None:
        """The predictions and scores that a measurement adds, or that are kept of it."""
        self.added, before, winners = [], self.other_scores, self.winners
        found = self.kept.get(name)
        names = self.runs.gold.names
        if found is None:
            self.other_scores = []
            measure(*arguments)
            arrays: dict[str, NDArray[np.integer]] = {
                f"{number} {split}": self.runs.gold.encode({split: roles})[split]
                for number, (*_, predicted) in enumerate(self.added)
                for split, roles in predicted.items()
            }
            if self.winners is not winners:
                arrays |= {f"winners {split}": ids for split, ids in self.winners.items()}
            keys = [key for *key, _ in self.added]
            self.kept.put(
                name, arrays, {"keys": keys, "scores": list(map(asdict, self.other_scores))}
            )
        else:
            self.other_scores = [Score(**score) for score in found.document["scores"]]
            self.winners |= {
                key.partition(" ")[2]: ids
                for key, ids in found.arrays.items()
                if key.startswith("winners ")
            }
            for number, (model, condition, seed) in enumerate(found.document["keys"]):
                predicted = {
                    key.partition(" ")[2]: names[codes]
                    for key, codes in found.arrays.items()
                    if key.partition(" ")[0] == str(number)
                }
                self.added.append((model, condition, seed, predicted))
        self.other_scores = before + self.other_scores
        for key in self.added:
            self.runs.add(*key)

    def submit(
        self,
        background: BackgroundJobs[JobKey],
        key: JobKey,
        job: Callable[..., PredictionJob],
        *arguments: Any,
    ) -> None:
        """Train a BiGRU beside the learner, unless its predictions are kept."""
        name = bigru_name(*key)
        if self.kept.has(name):
            self.part(name, lambda: None)
            self.steps.reach(name)
        else:
            background.submit(key, job(*arguments))

    def last_line(self, seed: int) -> str:
        correct = self.runs.correct("hebbian", self.main_condition, "test")
        assert correct is not None
        share = correct[-1].sum() / self.corpus.splits["test"].n_tokens
        return f"hebbian seed {seed}: test accuracy {share:.3f}"

    @property
    def main_condition(self) -> str:
        members = self.config.ensemble_size
        return self.k if members == 1 else f"{self.k} members={members}"

    def labelled_draws(self) -> dict[int, list[NDArray[np.int64]]]:
        """Training sentences whose labels clusters are named with, and BiGRUs learn from."""
        config, n_train = self.config, self.corpus.splits["train"].n_sentences
        few = config.readout_sentences
        return {
            n: [
                draw_labelled(n_train, n, draw)
                for draw in range(config.readout_draws if n == few else config.label_curve_seeds)
            ]
            for n in sorted({*config.labels, few})
            if n < n_train
        }

    # --- the zero-label learner -----------------------------------------------------------

    def parts(self) -> dict[str, dict[str, Any]]:
        """Changes to the token stage of a learner, by condition: its parts and a control."""
        taus = self.config.timescales
        return {
            "view=own": {"view": "own"},
            "view=traces": {"view": "traces"},
            **({f"tau={tau:g}": {"timescales": (tau,)} for tau in taus} if len(taus) > 1 else {}),
            "shuffled=traces": {"shuffle_traces": True},
            "prototypes=random": {"prototypes": "random"},
        }

    def cluster(self, learner: Any, *, few: bool = True) -> Clustering:
        """The clusters of every split that is scored and, with `few`, of labelled sentences.

        Without, the nearest of each token alone, which is quicker.
        """
        learners = getattr(learner, "members_", [learner])
        prototypes = [one.prototypes_.centres for one in learners]
        draws = [draw for each in self.draws.values() for draw in each] if few else []
        labelled = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *draws]))
        train = self.corpus.splits["train"].subset(labelled)
        members = {
            name: [
                memberships(one.transform(sentences), centres)
                if few
                else _nearest(one.predict(sentences))
                for one, centres in zip(learners, prototypes, strict=True)
            ]
            for name, sentences in (self.sentences | {"train": train.sentences()}).items()
        }
        return Clustering(members, prototypes, labelled, train)

    def derived(
        self, fitted: Callable[[], Any], seed: int, condition: str, changes: dict[str, Any]
    ) -> None:
        """One of the learner's parts, or a control."""
        part = fitted().derive(self.sentences["train"], **changes)
        self.add_hebbian(f"{self.k} {condition}", seed, self.cluster(part, few=False))

    def learner_seed(self, fitted: Callable[[], Any], seed: int) -> None:
        """Everything that one fitted learner gives without learning anew."""
        config, learner = self.config, fitted()
        if config.keeps(seed):
            dev = self.sentences["dev"], self.roles["dev"]
            keep_tagger(self.kept, learner, seed, self.results(), *dev)
        if config.ensemble_size > 1:
            self.readouts(self.main_condition, seed, self.cluster(learner))
            # Beside the votes: one learner, which attends to everything.
            learner = learner.derive(self.sentences["train"])
        one = self.cluster(learner)
        if seed == 0:
            self.winners = {name: one.winners(name)[:, 0] for name in one.scored}
        self.readouts(self.k, seed, one)
        for n_read, found in self.on_the_way.pop(seed, []):
            self.add_hebbian(f"{self.k} tokens={n_read}", seed, found)
        shuffled = np.random.default_rng(seed).permutation(self.roles["dev"])
        self.add_hebbian(f"{self.k} shuffled=labels", seed, one, dev_roles=shuffled)
        for name in one.scored:
            of_split = one.winners(name)[:, 0]
            self.add_score(name, seed, "v_measure", v_measure(self.roles[name], of_split))
            n_used = len(np.unique(of_split))
            self.add_score(name, seed, "n_clusters_used", n_used, unit="clusters")
            if config.clusters == len(self.runs.gold.names):
                self.add_score(name, seed, "one_to_one", one_to_one(self.roles[name], of_split))

    def readouts(self, main: str, seed: int, found: Clustering) -> None:
        """Name clusters by either read-out, from all of dev and from few of its sentences."""
        for readout, soft in (("", False), (" readout=soft", True)):
            self.add_hebbian(main + readout, seed, found, soft=soft)
            for n, draws in self.draws.items():
                for draw in draws:
                    condition = f"{main} labels={n}{readout}"
                    self.add_labelled(condition, seed, found, draw, soft=soft)

    def add_labelled(
        self,
        condition: str,
        seed: int,
        found: Clustering,
        sentences: NDArray[np.int64],
        *,
        soft: bool,
    ) -> None:
        """Map clusters on a draw of labelled training sentences, and keep the roles."""
        on = np.repeat(np.isin(found.labelled, sentences), np.diff(found.train.offsets))
        name = found.mapping("train", found.train.layers[self.corpus.layer or ""], on, soft=soft)
        predicted = {split: name(split) for split in found.scored}
        self.add("hebbian", condition, seed, predicted)

    def add_hebbian(
        self,
        condition: str,
        seed: int,
        found: Clustering,
        *,
        dev_roles: NDArray[np.str_] | None = None,
        soft: bool = False,
    ) -> None:
        """Map clusters on dev, and keep the roles."""
        named_by = self.roles["dev"] if dev_roles is None else dev_roles
        predicted = named_on_dev(
            lambda on: found.mapping("dev", named_by, on, soft=soft),
            self.corpus.splits["dev"],
            found.scored,
        )
        self.add("hebbian", condition, seed, predicted)

    def add_score(
        self, split: str, seed: int, metric: str, value: float, unit: str = "fraction"
    ) -> None:
        self.other_scores.append(
            Score(self.corpus.name, split, "hebbian", self.k, metric, None, seed, value, unit)
        )

    # --- supervised baselines -------------------------------------------------------------

    def simple_baselines(self) -> None:
        scored = {name: s for name, s in self.sentences.items() if name != "train"}
        for name, model in (("majority", MajorityBaseline()), ("lookup", LookupBaseline())):
            model.fit(self.sentences["train"], self.roles["train"])
            self.runs.add(name, "", 0, {split: model.predict(s) for split, s in scored.items()})

    def bigru_jobs(self) -> dict[JobKey, PredictionJob]:
        """Every BiGRU but those that start from a learner's codes, by condition and seed."""
        config, splits = self.config, self.corpus.splits
        # The longest first, so that no worker is left with one at the end.
        jobs = {("labels=all", seed): self.job(seed) for seed in range(config.bigru_seeds)}
        for labels, draws in reversed(self.draws.items()):
            for draw in range(len(draws)):
                jobs[f"labels={labels}", draw] = self.job(draw, labels=labels)
        for seed in range(config.label_curve_seeds):
            jobs["labels=readout", seed] = self.job(seed, train=splits["dev"])
        return jobs

    def codes_job(self, fitted: Callable[[], Any], seed: int) -> PredictionJob:
        """A BiGRU that starts from the type codes of a learner."""
        learner = fitted()
        words = np.unique(np.concatenate([s.forms for s in self.corpus.splits.values()])).tolist()
        codes = learner.word_codes(words)
        return self.job(seed, codes=dict(zip(words, codes, strict=True)))

    def job(self, seed: int, *, train: Split | None = None, **options: Any) -> PredictionJob:
        splits = self.corpus.splits
        on_dev = train is not None  # then dev is no longer there to stop on or to score
        held = {"train", "dev"} if on_dev else {"train"}
        return PredictionJob(
            train=train or splits["train"],
            layer=self.corpus.layer or "",
            evaluation={k: v for k, v in splits.items() if k not in held},
            sha256=self.corpus.sha256,
            dev=None if on_dev else splits["dev"],
            seed=seed,
            **options,
        )

    # --- tables ---------------------------------------------------------------------------

    def tabulated(self) -> Results:
        runs, config = self.runs, self.config
        results = self.results()
        voting = config.ensemble_size
        main = [self.k, f"{self.k} members={voting}"][: 1 + (voting > 1)]
        main += [f"{condition} readout=soft" for condition in main]
        if config.ablation_seeds and config.baselines != "none":
            results.tables["structure"] = structure_table(
                runs, f"{self.k} view=traces", sibling_of(self.corpus)
            )
        scores = runs.scores() + self.other_scores
        results.rows = summarize(scores)
        rivals = {
            "bigru": ("bigru", "labels=all"),
            "bigru/readout": ("bigru", "labels=readout"),
            "bigru/codes": ("bigru", "labels=all codes=hebbian"),
            "lookup": ("lookup", ""),
        }
        found = comparisons(runs, main, rivals, list(self.draws))
        results.tables["comparisons"] = found
        results.rows += comparison_rows(found, rivals)
        for condition in main:
            results.rows += equivalences(runs, condition, self.corpus.splits["train"].n_sentences)
        results.tables |= {"per_seed": scores, "constructions": constructions(runs)}
        results.files["tokens.csv.gz"] = self.tokens()
        return results

    def tokens(self) -> bytes:
        """The table of tokens: gold roles, and those that the first run of each model gives."""
        models = {
            "hebbian": ("hebbian", self.main_condition),
            "hebbian_soft": ("hebbian", f"{self.main_condition} readout=soft"),
            "bigru": ("bigru", "labels=all"),
            "lookup": ("lookup", ""),
        }
        splits = {}
        for name, split in self.corpus.splits.items():
            if name != "train":
                found = {column: self.runs.roles(*key, name) for column, key in models.items()}
                columns = {column: roles for column, roles in found.items() if roles is not None}
                cluster = {"cluster": self.winners[name]} if name in self.winners else {}
                splits[name] = (split, {"gold": self.roles[name], **cluster, **columns})
        return tokens_file(splits)
