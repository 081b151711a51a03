"""Role assignment without labels, compared with baselines and rivals: `hebbsim run roles`."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hebbsim.baselines import TorchMissingError
from hebbsim.experiments.roles import data
from hebbsim.experiments.roles.competitors import Key, Rivals, Supervised
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.roles.learning import Learning, Measuring
from hebbsim.experiments.roles.scores import Measured, Runs, clusters, nearest_only
from hebbsim.experiments.roles.shards import sharded_learners
from hebbsim.experiments.roles.tabulate import empty_results, tabulate, tokens_file
from hebbsim.experiments.roles.tagger import keep_tagger, write_taggers
from hebbsim.readers.base import Corpus
from hebbsim.readers.lines import digest, is_stdin, on_disk
from hebbsim.readers.vectors import read_vectors
from hebbsim.rivals import RIVALS
from hebbsim.runs.background import BackgroundJobs, Job
from hebbsim.runs.costs import Cost, Meter
from hebbsim.runs.results import Progress, Results
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function
from hebbsim.runs.steps import Steps

#: Weights of steps on the progress bar: roughly their seconds on the built-in grammar.
WEIGHTS = {"main": 14, "part": 5, "bigru": 5, "rival": 4}
#: Share of the main step of a seed that is spent on fitting.
FITTING = 0.7


@run_function(RolesConfig)
def run_roles(config: RolesConfig, cache: RunCache, progress: Progress) -> Results:
    """Learn roles without labels, name the clusters on dev, score on test, and compare.

    Scores and comparisons; for a corpus without roles the table ``clusters`` instead.

    Examples
    --------
    >>> from hebbsim import run_roles
    >>> results = run_roles(corpus="builtin", seeds=1, baselines="simple")  # doctest: +SKIP
    >>> results.select({}, model="hebbian", split="test", metric="accuracy")  # doctest: +SKIP
    """
    from hebbsim.readers import load_corpus

    def parsing(name: str, done: int, total: int) -> None:
        line = None if done % 10_000 else f"{name}: {done:,} sentences parsed"
        progress(line, done, total)

    with contextlib.ExitStack() as stack:
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
        run = _Run(config, corpus, files, notes, cache, progress)
        with threadpool_limits(1):  # BLAS sums in another order with more threads
            results = run.without_roles() if corpus.layer is None else run.with_roles(corpus.layer)
    results.save = partial(write_taggers, cache, config.seeds)
    return results


def _files_to_read(
    config: RolesConfig, stack: contextlib.ExitStack
) -> tuple[dict[str, Path], list[str]]:
    """Files of the unlabelled text by name, with folders expanded, and notes on them."""
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


def part_name(seed: int, condition: str = "main") -> str:
    """Name of the step that measures the learner of a seed."""
    return f"seed={seed} {condition}"


class _Run:
    """Schedules the steps of a run: computes them in order, or reads them from the cache."""

    def __init__(
        self,
        config: RolesConfig,
        corpus: Corpus,
        text: dict[str, Path],
        notes: list[str],
        cache: RunCache,
        progress: Progress,
    ) -> None:
        self.config = config
        # Before any training: a file may be gone at the end.
        self.inputs = {name: digest(path, unpacked=False) for name, path in text.items()}
        self.cache = cache
        self.steps = Steps(progress)
        self.notes: list[str] = [*corpus.notes, *notes]
        self.meter: Meter | None = None  # of the first seed's learner
        self.has_torch = True  # until an import fails
        if config.preset == "auto":
            self.notes.append(
                "no settings were tuned for this kind of corpus; its words chose "
                f"{config.chosen_by_words()} (--preset default changes this)"
            )
        if corpus.layer is not None:
            corpus, note = data.hold_out(corpus)
            if note:
                self.notes.append(note)
        data.check_clusters(corpus.splits["train"], config.clusters, corpus.name)
        if text:
            self.notes += data.text_notes(corpus, text, config.reading)
        vectors = None
        if config.vectors is not None:
            vectors = read_vectors(config.vectors)
            self.notes.append(data.vector_note(corpus, vectors))
        # The network file is also read only once, for all seeds.
        self.learning = Learning(config, corpus, text, config.described(), vectors)

    def fitted(self, seed: int) -> Any:
        main = part_name(seed)
        keep = self.learning.text and self.cache.folder is not None
        after_text = self.cache.states_folder(f"seed={seed}") / "after-text" if keep else None
        # Only seed 0 is fitted alone in this process, so that its cost can be measured.
        with Meter() if seed == 0 else contextlib.nullcontext() as meter:
            learner = self.learning.fitted(
                seed,
                progress=lambda share: self.steps.reach(main, FITTING * share),
                after_text=after_text,
                meter=meter,
            )
        if meter is not None:
            self.meter = meter
        return learner

    def learners(self, parts: Sequence[str]) -> Iterator[tuple[int, Callable[[], Any]]]:
        """Seeds in order, each with a function that returns its fitted learner.

        Learners are fitted in threads: the first one alone, so that its result comes early, then
        as many at a time as there are workers, to bound memory. Seeds whose steps are all cached
        are fitted only when their function is called.
        """
        config = self.config
        if config.shards is not None:
            for seed, fitted in sharded_learners(self.learning, config.shards, self.steps.say):
                yield seed, cache(fitted)
            return
        workers = config.workers
        threads = ThreadPoolExecutor(workers)
        conditions = ["main", *parts]
        try:
            for first in [0, *range(1, config.seeds, workers)]:
                last = min(first + workers, config.seeds) if first else 1
                begun: dict[int, Callable[[], Any]] = {}
                for seed in range(first, last):
                    wanted = conditions if seed < config.ablation_seeds else conditions[:1]
                    if all(self.cache.has(part_name(seed, condition)) for condition in wanted):
                        begun[seed] = cache(partial(self.fitted, seed))
                    else:
                        begun[seed] = threads.submit(self.fitted, seed).result
                yield from begun.items()
        finally:
            # After an interruption, do not wait for learners that will not be used.
            threads.shutdown(wait=False, cancel_futures=True)

    def results(self) -> Results:
        return empty_results(self.learning, self.inputs, self.notes)

    def begin(self) -> None:
        results = self.results()
        self.cache.begin(results.experiment, results.config, results.provenance)

    def without_roles(self) -> Results:
        """Clusters of seed 0, largest first, with their most frequent words."""
        self.steps.plan(WEIGHTS["main"], [part_name(0)])
        corpus = self.learning.corpus
        self.notes.append(f"corpus {corpus.name} has no roles: clusters are shown by their words")
        self.begin()
        learners = self.learners([])  # a Dask cluster is closed with the generator
        _, learner = next(learners)
        sentences = self.learning.sentences["train"]
        of_each = np.atleast_2d(learner().predict(sentences).T)
        ids = of_each[0]
        if self.config.keeps(0):
            found = list(map(nearest_only, of_each))
            keep_tagger(self.cache, learner(), 0, self.results(), sentences, members=found)
        self.steps.reach(part_name(0))
        results, train = self.results(), corpus.splits["train"]
        results.tables["clusters"] = clusters(ids, train.forms)
        results.files["tokens.csv.gz"] = tokens_file({"train": (train, {"cluster": ids})})
        return results

    def with_roles(self, layer: str) -> Results:
        """Measure all models on all splits, and fill the tables."""
        config, corpus = self.config, self.learning.corpus
        data.check_splits(corpus, layer)
        self.notes += data.cluster_notes(corpus.splits["dev"], config.clusters)
        measuring = self.measuring = Measuring(self.learning, layer)
        supervised = Supervised(self.learning, layer)
        self.runs, self.measured = Runs(corpus.name, measuring.gold), Measured()
        bigru = supervised.jobs() if config.baselines == "all" else {}
        rivals = Rivals(self.learning)
        parts = measuring.parts()
        counts = (config.seeds, config.label_curve_seeds, config.ablation_seeds)
        of_codes = min(counts) if bigru else 0
        with_codes = [Key("labels=all codes=hebbian", seed) for seed in range(of_codes)]
        trained = [*bigru, *with_codes]
        for seed in range(config.seeds):
            self.steps.plan(WEIGHTS["main"], [part_name(seed)])
            if seed < config.ablation_seeds:
                self.steps.plan(WEIGHTS["part"], [part_name(seed, part) for part in parts])
        self.steps.plan(WEIGHTS["bigru"], [key.step for key in trained])
        self.steps.plan(WEIGHTS["rival"], [key.step for key in rivals.keys])
        if config.baselines != "none":
            for name, predicted in supervised.simple():
                self.runs.add(name, "", 0, predicted)
        self.begin()
        self.steps.say()
        with BackgroundJobs[Key](config.workers) as background:
            # Submitted before the learner, but at a low priority: see `BackgroundJobs`.
            with self.without_torch(trained):
                for key, job in bigru.items():
                    self.submit(background, key, lambda job: job, job)
            for rival in rivals.keys:
                self.submit(background, rival, rivals.job, rival)
            for seed, learner in self.learners(list(parts)):
                line = partial(self.last_line, seed)
                self.step(part_name(seed), self.whole, learner, seed, line=line)
                if seed < of_codes and self.has_torch:
                    with self.without_torch(trained):
                        job_of = supervised.codes_job
                        self.submit(background, with_codes[seed], job_of, learner, seed)
                if seed < config.ablation_seeds:
                    self.ablations(learner, seed, parts)
                self.cache.drop(f"seed={seed}")
            for done, found in background.results():
                if done.name in RIVALS:
                    self.step(done.step, rivals.measure, measuring, done, found)
                else:
                    self.step(done.step, Measured, [("bigru", *done, found)])
        # In the order of the tables, not in the order in which jobs ended.
        order = ("hebbian", *config.rivals)
        for found_of in (self.measured.scores, self.measured.costs):
            found_of.sort(key=lambda each: (order.index(each.model), each.seed))
        return tabulate(self.results(), measuring, self.runs, self.measured)

    def whole(self, fitted: Callable[[], Any], seed: int) -> Measured:
        """Measure a learner, and store it for `hebbsim tag` if the configuration says so."""
        if self.config.keeps(seed):
            dev = self.learning.sentences["dev"], self.measuring.roles["dev"]
            keep_tagger(self.cache, fitted(), seed, self.results(), *dev)
        measured = self.measuring.whole(fitted(), seed)
        if seed == 0 and self.meter is not None and self.config.shards is None:
            took = self.meter.seconds, self.meter.memory
            measured.costs.append(Cost("hebbian", self.measuring.main_condition, seed, *took))
        return measured

    def ablations(
        self, fitted: Callable[[], Any], seed: int, parts: Mapping[str, dict[str, Any]]
    ) -> None:
        """Measure ablations and controls of a learner in threads, and report them in order."""
        threads = ThreadPoolExecutor(self.config.workers)
        begun = {}
        try:
            for condition, changes in parts.items():
                if not self.cache.has(name := part_name(seed, condition)):
                    submitted = (fitted(), seed, condition, changes)
                    begun[name] = threads.submit(self.measuring.part, *submitted).result
            for name in (part_name(seed, condition) for condition in parts):
                self.step(name, begun.get(name, Measured))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    def step(
        self,
        name: str,
        measure: Callable[..., Measured],
        *arguments: Any,
        line: Callable[[], str] | None = None,
    ) -> None:
        """Measure a step, or read it from the cache; then report it."""
        gold = self.runs.gold
        step = self.cache.get(name)
        if step is None:
            measured = measure(*arguments)
            self.cache.put(name, *measured.as_step(gold))
        else:
            measured = Measured.of_step(step, gold)
        for key in measured.predicted:
            self.runs.add(*key)
        self.measured.scores += measured.scores
        self.measured.winners |= measured.winners
        self.measured.costs += measured.costs
        self.steps.reach(name, line=line() if line else None)

    @contextlib.contextmanager
    def without_torch(self, trained: Sequence[Key]) -> Iterator[None]:
        """If torch is missing, continue without the BiGRUs `trained`, and add a note."""
        try:
            yield
        except TorchMissingError as error:
            self.has_torch = False
            self.notes.append(f"no BiGRU beside the learner: {error}")
            self.steps.drop(key.step for key in trained)

    def submit(
        self, background: BackgroundJobs[Key], key: Key, job: Callable[..., Job], *arguments: Any
    ) -> None:
        """Train a BiGRU or a rival in the background, unless its step is cached."""
        if self.cache.has(key.step):
            self.step(key.step, Measured)
        else:
            background.submit(key, job(*arguments))

    def last_line(self, seed: int) -> str:
        correct = self.runs.correct("hebbian", self.measuring.main_condition, "test")
        assert correct is not None
        share = correct[-1].sum() / self.learning.corpus.splits["test"].n_tokens
        return f"hebbian seed {seed}: test accuracy {share:.3f}"
