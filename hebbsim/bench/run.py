"""A run of the benchmark: choose works, prepare contenders, time rounds, make rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from typing import Annotated, Any

from pydantic import field_validator

from hebbsim.bench import machine
from hebbsim.bench.harness import (
    Contender,
    Ready,
    Timing,
    Work,
    get_ready,
    is_installed,
    one_core,
    ratios,
    run_rounds,
    slug,
)
from hebbsim.config import Count, ExperimentConfig, Listed, Offline, option
from hebbsim.errors import BadInputError
from hebbsim.runs.results import Progress, Results, Row, provenance
from hebbsim.runs.resume import RunCache
from hebbsim.runs.run_function import run_function

#: In the order in which they run.
DEFAULT_WORKS = ("traces", "delta", "startup", "roles")
WORKS = (*DEFAULT_WORKS, "growth", "lm")


class BenchConfig(ExperimentConfig):
    """Options of `hebbsim bench`.

    Examples
    --------
    >>> BenchConfig(works=("traces",), peers=(), rounds=1).seconds
    0.2
    """

    works: tuple[str, ...] = option(
        f"Benchmarks to run: {', '.join(WORKS)}.", value=DEFAULT_WORKS, metavar="WORK",
        default="all but growth and lm", positional=True,
    )  # fmt: skip
    peers: Annotated[tuple[str, ...], Listed] = option(
        "Comma-separated packages to compare with: all (that are installed), none, or names.",
        value=("all",),
    )
    rounds: Count = option("Number of rounds; every contender runs once in each.", value=7)
    seconds: float = option(
        "Approximate duration of one run, in seconds.", value=0.2, metavar="SECONDS", gt=0,
        allow_inf_nan=False,
    )  # fmt: skip
    corpus: str = option(
        "Corpus for the benchmark roles, as in `hebbsim run roles`.", value="builtin",
        metavar="NAME|PATH",
    )  # fmt: skip
    offline: Offline = False

    @field_validator("works")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for work in value:
            if work not in WORKS:
                raise ValueError(f"{work!r} is unknown: choose {', '.join(WORKS)}")
        return tuple(dict.fromkeys(value))

    @field_validator("peers", mode="before")
    @classmethod
    def _read_none(cls, value: Any) -> Any:
        return () if value == "none" else value

    def wants(self, contender: Contender) -> bool:
        return contender.ours or "all" in self.peers or contender.package in self.peers


@dataclass(frozen=True)
class Entry:
    """One line of ``contenders.csv``: a contender, and whether it was measured."""

    work: str
    contender: str
    way: str
    package: str
    ours: bool
    status: str
    n_tokens: int
    flops: float
    bytes: float
    limit: str
    note: str


@run_function(BenchConfig)
def run_bench(config: BenchConfig, cache: RunCache, progress: Progress) -> Results:
    """Measure the works of a configuration on one core.

    Rows have medians (``mean``) and quartiles (``low``, ``high``) over the rounds, which the word
    ``spread=quartiles`` of their condition says.
    """
    run = _Run(config, progress)
    cache.begin("bench", config.resolved(), {})
    with one_core() as core:
        works = run.works()
        for work in works:
            run.measure(work)
    facts = provenance(inputs={}, seeds=[0]) | {"machine": machine.describe()}
    facts["packages"] |= run.versions()
    return Results(
        "bench",
        config.resolved()
        | {
            "pinned": core is not None,
            "titles": {work.name: work.title for work in works},
            "sizes": {work.name: work.size for work in works},
        },
        facts,
        rows=run.rows,
        tables={"contenders": run.entries, "timings": run.timings},
        notes=[*(note for work in works for note in work.notes), *run.notes()],
        machine=machine.describe(),
    )


class _Run:
    """Measures every work, and collects the results."""

    def __init__(self, config: BenchConfig, progress: Progress) -> None:
        self.config, self.progress = config, progress
        self.done = 0
        self.total = 0
        self.rows: list[Row] = []
        self.entries: list[Entry] = []
        self.timings: list[Timing] = []
        self.absent: dict[str, str] = {}
        self.failed: list[str] = []

    def works(self) -> list[Work]:
        from hebbsim.bench.delta import delta
        from hebbsim.bench.growth import growth
        from hebbsim.bench.lm import lm
        from hebbsim.bench.roles import roles
        from hebbsim.bench.startup import startup
        from hebbsim.bench.traces import traces

        config = self.config
        makers: dict[str, Callable[[], Sequence[Work]]] = {
            "traces": lambda: [traces()],
            "delta": lambda: [delta()],
            "startup": lambda: [startup()],
            "roles": lambda: [roles(config.corpus, config.offline)],
            "growth": growth,
            "lm": lambda: [lm()],
        }
        works = [work for name in config.works for work in makers[name]()]
        packages = {contender.package for work in works for contender in work.contenders}
        for peer in set(config.peers) - packages - {"all"}:
            known = ", ".join(sorted(packages))
            raise BadInputError(f"--peers: no work has a contender of {peer!r}: choose {known}")
        self.total = sum(min(config.rounds, w.rounds or config.rounds) for w in works)
        return works

    def measure(self, work: Work) -> None:
        """Prepare the contenders of a work, time their rounds, and add rows."""
        self.progress(f"{work.name}: {work.title}", self.done, self.total)
        ready = self.ready(work)
        if work.bounded:
            ready = [*ready, *(get_ready(c, None, 0.02, work.clock)[0] for c in machine.limits())]
        rounds = min(self.config.rounds, work.rounds or self.config.rounds)
        timings = run_rounds(
            work.name, ready, rounds, clock=work.clock,
            after=lambda done: self.progress(None, self.done + done, self.total),
        )  # fmt: skip
        self.done += rounds
        self.timings += timings
        if work.tabulate is not None:
            self.rows += work.tabulate(work, timings)
        else:
            self.rows += work_rows(work, [c for c, _, _ in ready], timings)

    def ready(self, work: Work) -> list[Ready]:
        """Contenders that are requested, installed and correct."""
        found = []
        reference = None
        for contender in work.contenders:
            if not self.config.wants(contender):
                continue
            if not is_installed(contender.package):
                self.absent[contender.name] = contender.package
                self.enter(work, contender, "not installed")
                continue
            try:
                if work.rehearsed:
                    ready, result = get_ready(contender, reference, self.config.seconds, work.clock)
                    reference = result if reference is None else reference
                else:
                    ready = Ready(contender, contender.most, contender.prepare(contender.most))
            except Exception as error:
                if contender.ours:
                    raise
                # The failure of a peer does not stop the others.
                self.failed.append(f"{contender.name} ({type(error).__name__}: {error})")
                self.enter(work, contender, "failed")
                continue
            self.enter(work, contender, "measured", ready.n_tokens)
            found.append(ready)
        return found

    def enter(self, work: Work, c: Contender, status: str, n_tokens: int = 0) -> None:
        about = (c.name, slug(c.name), c.package, c.ours, status, n_tokens)
        self.entries.append(Entry(work.name, *about, c.flops, c.bytes, c.limit, c.note))

    def versions(self) -> dict[str, str]:
        """Versions of the packages whose contenders were measured."""
        packages = {entry.package for entry in self.entries if entry.status == "measured"}
        distributions = packages_distributions()
        named = sorted(d for package in packages for d in distributions.get(package, [])[:1])
        return {name: version(name) for name in named}

    def notes(self) -> list[str]:
        notes = []
        if self.absent:
            names = ", ".join(f"{name} ({package})" for name, package in self.absent.items())
            notes.append(f"not installed, so not measured: {names}")
        notes += [f"could not be measured: {line}" for line in self.failed]
        return notes


def work_rows(work: Work, contenders: Sequence[Contender], timings: Sequence[Timing]) -> list[Row]:
    """Rates, ratios of our contenders to each peer and limit, and the limits, also timed."""
    rows = []
    of = {c.name: [t for t in timings if t.contender == c.name] for c in contenders}
    limits = {limit.name: limit for limit in machine.LIMITS}

    def row(
        contender: Contender, metric: str, values: Sequence[float], unit: str, *over: str
    ) -> None:
        words = [f"way={slug(contender.name)}", *(f"over={slug(name)}" for name in over)]
        condition = " ".join([*words, "spread=quartiles"])
        model = "hebbian" if contender.ours else contender.name
        rows.append(work.row(model, condition, metric, values, unit))

    for contender in contenders:
        mine = of[contender.name]
        if contender.name in limits:
            row(contender, "limit", [t.rate for t in mine], f"{contender.unit}/s")
        elif contender.unit == "starts":
            row(contender, "cpu_seconds", [t.seconds for t in mine], "s")
        else:
            rates = [t.rate for t in mine]
            row(contender, "rate", rates, f"{contender.unit}/s")
            if contender.flops:
                row(contender, "flops", [r * contender.flops / 1e9 for r in rates], "GFLOP/s")
            if contender.bytes:
                row(contender, "bytes", [r * contender.bytes / 1e9 for r in rates], "GB/s")
    for contender in contenders:
        if not contender.ours or contender.unit == "starts":
            continue
        for other in contenders:
            if other.ours or (other.name in limits and other.name != contender.limit):
                continue
            values = ratios(timings, contender.name, other.name)
            if other.name == contender.limit:
                in_unit = contender.flops if other.unit == "GFLOP" else contender.bytes
                row(contender, "share_of_limit", [v * in_unit / 1e9 for v in values], "fraction",
                    other.name)  # fmt: skip
            else:
                row(contender, "ratio", values, "ratio", other.name)
    return rows
