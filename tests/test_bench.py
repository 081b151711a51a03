"""The benchmark: rounds on fake clocks, peers equal to us, limits, rows, the command."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from hebbsim.bench import growth, machine, warmup
from hebbsim.bench import run as bench
from hebbsim.bench import table as bench_table
from hebbsim.bench.delta import delta
from hebbsim.bench.harness import (
    FIRST,
    Contender,
    Ready,
    Timing,
    Work,
    get_ready,
    is_installed,
    one_core,
    quartiles,
    ratios,
    run_rounds,
)
from hebbsim.bench.roles import roles
from hebbsim.bench.run import BenchConfig, run_bench, work_rows
from hebbsim.bench.startup import startup
from hebbsim.bench.traces import traces
from hebbsim.cli import main
from hebbsim.engine import limits as kernels
from hebbsim.errors import BadInputError
from hebbsim.plots import bench as plots
from hebbsim.runs.results import Row


class FakeClock:
    """Time that passes only where a contender says so."""

    def __init__(self):
        self.now = 0.0
        self.ran = []

    def __call__(self):
        return self.now

    def contender(self, name, seconds_per_token, **options):
        """One that takes so long for a token, and gives 1, 2, ... n."""

        def prepare(n):
            def run():
                self.now += n * seconds_per_token
                self.ran.append(name)
                return np.arange(1.0, n + 1)

            return run

        return Contender(name, prepare, **{"result": np.asarray, **options})


@pytest.fixture
def clock():
    return FakeClock()


def run(*words):
    with pytest.raises(SystemExit) as exit_:
        main(words)
    return exit_.value.code


# Harness ---------------------------------------------------------------------------------


def test_contenders_take_turns_and_every_run_is_timed(clock):
    contenders = [clock.contender("a", 1.0), clock.contender("b", 3.0, unit="GB", scale=0.5)]
    rounds = []
    timings = run_rounds(
        "work",
        [Ready(c, 2, c.prepare(2)) for c in contenders],
        3,
        clock=clock,
        after=rounds.append,
    )
    assert clock.ran == ["a", "b"] * 3
    assert [(t.contender, t.round) for t in timings] == [(n, r) for r in range(3) for n in "ab"]
    assert {t.rate for t in timings if t.contender == "a"} == {1.0}
    assert {(t.amount, t.unit, t.seconds) for t in timings if t.contender == "b"} == {
        (1.0, "GB", 6.0)
    }
    assert rounds == [1, 2, 3]


def test_no_garbage_is_collected_while_a_contender_runs():
    seen = []
    one = Contender("one", lambda n: lambda: seen.append(gc.isenabled()))
    run_rounds("work", [Ready(one, 1, one.prepare(1))], 1)
    assert seen == [False] and gc.isenabled()


@pytest.mark.parametrize(("per_token", "n"), [(1.0, FIRST), (1e-4, 1024), (1e-9, 2**16)])
def test_a_run_takes_as_many_tokens_as_fill_its_time(clock, per_token, n):
    ready, result = get_ready(clock.contender("a", per_token), None, 0.2, clock)
    assert ready.n_tokens == n
    assert len(ready.run()) == n and len(result) == FIRST


def test_a_contender_that_is_wrong_is_refused(clock):
    right = np.arange(1.0, FIRST + 1)
    contender = clock.contender("a", 1.0, tolerance=1e-3)
    get_ready(contender, right * 1.0005, 0.2, clock)
    with pytest.raises(ArithmeticError, match=r"differs from the reference by 0.01"):
        get_ready(contender, right / 1.01, 0.2, clock)
    with pytest.raises(ArithmeticError, match="inf"):
        get_ready(contender, right[:, None], 0.2, clock)
    with pytest.raises(ArithmeticError, match="nan"):
        get_ready(contender, right * np.nan, 0.2, clock)


def test_a_result_may_be_the_last_rows_alone(clock):
    last = clock.contender("a", 1.0, result=lambda result: result[-2:])
    get_ready(last, np.arange(1.0, FIRST + 1), 0.2, clock)
    with pytest.raises(ArithmeticError):
        get_ready(last, np.arange(2.0, FIRST + 2), 0.2, clock)


def test_ratios_are_taken_within_rounds():
    timings = [
        Timing("w", name, number, 1.0, "tokens", seconds)
        for number, pair in enumerate([(1.0, 2.0), (10.0, 20.0), (1.0, 4.0)])
        for name, seconds in zip("ab", pair, strict=True)
    ]
    assert ratios(timings, "a", "b") == [2.0, 2.0, 4.0]
    assert quartiles(ratios(timings, "a", "b")).median == 2.0


def test_one_core_and_what_was_before_comes_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if hasattr(os, "sched_getaffinity"):
        before = os.sched_getaffinity(0)
    with one_core() as core:
        assert os.environ["OMP_NUM_THREADS"] == "1" and "XLA_FLAGS" in os.environ
        if core is not None:
            assert os.sched_getaffinity(0) == {core}
    assert os.environ["OMP_NUM_THREADS"] == "7" and "XLA_FLAGS" not in os.environ
    if core is not None:
        assert os.sched_getaffinity(0) == before


# Yardsticks --------------------------------------------------------------------------------


def test_every_limit_is_a_rate_above_zero():
    contenders = machine.limits()
    assert [c.name for c in contenders] == [limit.name for limit in machine.LIMITS]
    timings = run_rounds("limits", [Ready(c, 1000, c.prepare(10)) for c in contenders[:1]], 1)
    timings += run_rounds("limits", [Ready(c, 2, c.prepare(2)) for c in contenders[1:]], 1)
    assert all(t.rate > 0 and np.isfinite(t.rate) for t in timings)
    assert {t.unit for t in timings} == {"GFLOP", "GB"}


@pytest.mark.parametrize("width", kernels.MULTIPLY_ADD_WIDTHS)
def test_multiply_add(width):
    x = np.arange(width, dtype=np.float32)
    kernels.multiply_add(width)(x, np.float32(0.5), np.float32(1), 3)
    assert np.array_equal(x, np.arange(width) / 8 + 1.75)


def test_bandwidth_kernels_touch_every_value():
    x = np.arange(100, dtype=np.float32)
    kernels.update(x, 3)
    assert np.array_equal(x, -np.arange(100))
    kernels.store(x, 4)
    assert np.array_equal(x, np.full(100, 3))


# Works ---------------------------------------------------------------------------------------

SMALL = {
    "traces": lambda: traces(width=16, n_tokens=200),
    "delta": lambda: delta(width=8, n_types=20, n_tokens=200),
}
COMPARED = [
    (name, contender.name)
    for name, make in SMALL.items()
    for contender in make().contenders
    if contender.result is not None
]


@pytest.mark.parametrize(("work", "name"), COMPARED)
def test_every_peer_gives_our_result(work, name):
    contenders = SMALL[work]().contenders
    ours = next(c for c in contenders if c.ours and c.result is not None)
    other = next(c for c in contenders if c.name == name)
    if not is_installed(other.package):
        pytest.skip(f"{other.package} is not installed")
    reference = ours.result(ours.prepare(128)())
    for _ in range(2):  # each run begins anew
        run = other.prepare(128)
        run()
        result = other.result(run())
        np.testing.assert_allclose(
            result, reference[len(reference) - len(result) :], rtol=1e-3, atol=1e-4
        )


def test_start_up_counts_the_seconds_that_processes_report():
    work = startup()
    bare = next(c for c in work.contenders if c.name == "Python alone")
    before = work.clock()
    bare.prepare(1)()
    assert 0 < work.clock() - before < 10


# A run ---------------------------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch, clock):
    """A run whose one work is on a fake clock: ours, a peer, one absent, one that fails."""

    def broken(n):
        raise RuntimeError("no such operator")

    work = Work(
        "delta",
        "a work",
        [
            clock.contender("fast, ours", 1e-3, ours=True, flops=2e9, bytes=4e9,
                            limit="FMA peak", note="why"),
            clock.contender("peer", 4e-3),
            clock.contender("far", 1.0, package="no_such_package"),
            Contender("broken", broken),
        ],
        clock=clock,
    )  # fmt: skip
    limits = [clock.contender("FMA peak", 1e-4, unit="GFLOP", result=None),
              clock.contender("DRAM read+write", 1e-3, unit="GB", result=None)]  # fmt: skip
    monkeypatch.setattr(bench._Run, "works", lambda self: [work])
    monkeypatch.setattr(machine, "limits", lambda: limits)
    return work


def test_a_run_ends_in_rates_ratios_and_shares(tiny, tmp_path):
    results = run_bench(BenchConfig(rounds=3), out=tmp_path / "run")
    found = {(r.model, r.metric, r.words.get("over")): r for r in results.rows}
    assert found["hebbian", "rate", None].mean == pytest.approx(1000)
    assert found["hebbian", "rate", None].unit == "tokens/s"
    assert found["hebbian", "flops", None].mean == pytest.approx(2000)
    assert found["hebbian", "bytes", None].mean == pytest.approx(4000)
    assert found["peer", "rate", None].mean == pytest.approx(250)
    assert found["hebbian", "ratio", "peer"].mean == pytest.approx(4)
    # 2000 GFLOP/s of 10000.
    assert found["hebbian", "share_of_limit", "FMA-peak"].mean == pytest.approx(0.2)
    assert found["FMA peak", "limit", None].unit == "GFLOP/s"
    assert {key[1:] for key in found if key[2]} == {
        ("ratio", "peer"), ("share_of_limit", "FMA-peak")
    }  # fmt: skip
    ratio = found["hebbian", "ratio", "peer"]
    assert (ratio.words["way"], ratio.n) == ("fast-ours", 3)
    assert results.notes == [
        "not installed, so not measured: far (no_such_package)",
        "could not be measured: broken (RuntimeError: no such operator)",
    ]
    entries = pd.read_csv(tmp_path / "run" / "contenders.csv").set_index("contender")
    assert entries["status"].to_dict() == {
        "fast, ours": "measured", "peer": "measured", "far": "not installed", "broken": "failed",
    }  # fmt: skip
    assert len(pd.read_csv(tmp_path / "run" / "timings.csv")) == 3 * 4
    about = json.loads((tmp_path / "run" / "machine.json").read_text())
    assert about["cpu"] and about["caches"]["L1"] > 0
    names = {path.name for path in (tmp_path / "run" / "figures").iterdir()}
    assert names == {"roofline.png", "roofline.svg"}


def test_versions_are_of_the_packages_measured(tiny, monkeypatch):
    monkeypatch.setattr(bench, "packages_distributions", lambda: {"numpy": ["a-peer"]})
    monkeypatch.setattr(bench, "version", lambda name: f"{name} 1.2")
    packages = run_bench(BenchConfig(rounds=1)).provenance["packages"]
    assert packages["a-peer"] == "a-peer 1.2"
    assert "no_such_package" not in packages


def test_peers_are_those_asked_for(tiny):
    names = [e.contender for e in bench_entries(BenchConfig(peers=()))]
    assert names == ["fast, ours"]
    names = [e.contender for e in bench_entries(BenchConfig(peers=("no_such_package",)))]
    assert names == ["fast, ours", "far"]


def bench_entries(config):
    return run_bench(config).tables["contenders"]


def test_our_own_failure_is_no_note(tiny, monkeypatch):
    ours = Contender("ours", lambda n: 1 / 0, ours=True)
    monkeypatch.setattr(bench._Run, "works", lambda self: [Work("delta", "", [ours])])
    with pytest.raises(ZeroDivisionError):
        run_bench(BenchConfig())


def test_one_round_has_no_quartiles(clock):
    ours = clock.contender("a", 1.0, ours=True)
    timings = run_rounds("w", [Ready(ours, 2, ours.prepare(2))], 1, clock=clock)
    (row,) = work_rows(Work("w", "", [ours]), [ours], timings)
    assert (row.mean, row.low, row.high, row.n) == (1.0, None, None, 1)


def test_configurations_that_cannot_run_are_refused():
    for options in ({"works": ("trace",)}, {"rounds": 0}, {"seconds": 0}, {"seconds": np.nan}):
        with pytest.raises(BadInputError):
            BenchConfig.checked(options)


# Growth ----------------------------------------------------------------------------------------


def test_growth_gives_a_cost_for_every_value(monkeypatch, tmp_path):
    monkeypatch.setattr(growth, "peak_memory", lambda n: 100.0 + n)
    monkeypatch.setattr(growth, "CHUNK", 50)
    axes = [
        growth.Axis(
            "dimension", (4, 8), {"traces": lambda n: growth._named(traces(width=n), "state only")}
        ),
        growth.Axis(
            "tokens", (100, 200), {"traces": growth._stream(traces, "state only")}, streamed=True
        ),
    ]
    monkeypatch.setattr(bench._Run, "works", lambda self: growth.growth(axes))
    results = run_bench(BenchConfig(rounds=2, seconds=1e-4), out=tmp_path / "run")
    cost = results.select(split="growth/dimension", metric="microseconds_per_token")
    assert [r.words for r in cost] == [
        {"line": "traces", "value": "4"}, {"line": "traces", "value": "8"}
    ]  # fmt: skip
    assert all(r.mean > 0 for r in cost)
    streamed = [t for t in results.tables["timings"] if t.work == "growth/tokens"]
    assert [t.amount for t in streamed] == [100, 200] * 2
    if sys.platform == "linux":
        assert [r.mean for r in results.select(metric="peak_memory")] == [200.0, 300.0]
    names = {path.stem for path in (tmp_path / "run" / "figures").iterdir()}
    assert {"growth_dimension", "growth_tokens"} <= names


def test_a_stream_takes_all_its_chunks(clock, monkeypatch):
    monkeypatch.setattr(growth, "CHUNK", 50)
    one = clock.contender("one", 1.0)
    stream = growth._stream(lambda n_tokens: Work("w", "", [one]), "one")(200)
    run_it = stream.prepare(stream.most)
    before = clock()
    run_it()
    assert (stream.most, clock() - before) == (200, 200.0)


def test_the_axes_hold_the_ends_that_growth_is_claimed_for():
    ends = {axis.name: (axis.values[0], axis.values[-1]) for axis in growth.AXES}
    assert ends["tokens"] == (200_000, 20_000_000)
    assert ends["vocabulary"] == (5_000, 200_000)
    assert ends["timescales"] == (1, 16)
    assert ends["K"] == (10, 3000)
    assert set(ends) == set(plots.AXIS_LABELS)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_is_that_of_the_child():
    held = np.ones(10**8 // 8)  # 100 MB that are ours, not the child's
    assert 30 < growth.peak_memory(1000) < 450
    assert held[0]


# The command -----------------------------------------------------------------------------------


def test_json_is_one_document(tiny, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run("bench", "delta", "--rounds", "2", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "hebbsim.results/1" and document["experiment"] == "bench"
    assert document["config"]["works"] == ["delta"] and document["config"]["rounds"] == 2
    assert (tmp_path / "runs" / "bench" / "results.csv").exists()


def test_the_table_fits_80_columns(tiny, tmp_path):
    results = run_bench(BenchConfig(rounds=2))
    results.config["titles"] |= {"startup": "start-up", "growth/K": "growth", "traces": "traces"}
    ways = ("to-DRAM", "into-the-learner", "state-only")
    shown = [("startup", "way=first-result-kernels-compiled", "cpu_seconds", "s")]
    shown += [
        (
            "growth/K",
            f"line=competition-of-many-words value={10**k}",
            "microseconds_per_token",
            "us",
        )
        for k in range(6)
    ]
    shown += [("traces", f"way={way}", "rate", "tokens/s") for way in ways]
    shown += [("traces", f"way={way} over=L1-read+write", "share_of_limit", "") for way in ways]
    shown += [("traces", f"way={way} over=torch", "ratio", "ratio") for way in ways]
    shown += [("traces", "way=torch", "rate", "tokens/s")]
    for work, condition, metric, unit in shown:
        model = "torch chunked matmul, long" if condition == "way=torch" else "hebbian"
        words = f"{condition} spread=quartiles"
        results.rows.append(
            Row("synthetic", work, model, words, metric, None, 123456.7, 1.1e5, 2e6, 5, unit)
        )
    console = Console(width=80, record=True, file=io.StringIO())
    bench_table.show(results, tmp_path, console)
    lines = console.export_text().splitlines()
    assert all(len(line) <= 80 for line in lines[:-1])  # the last is a path
    text = "\n".join(lines)
    assert "fast ours" in text and "0.20 FMA peak" in text and "not installed" in text
    assert "first result kernels compiled" in text and "torch chunked matmul" in text


@pytest.mark.parametrize(
    "words",
    [
        ("bench", "trace"),
        ("bench", "--rounds", "0"),
        ("bench", "--seconds", "-1"),
        ("bench", "startup", "--peers", "jaxx"),
    ],
)
def test_bad_usage_is_one_line(words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def train_alone(folder, n):
    """A treebank of n sentences with a train split and no other."""
    folder.mkdir()
    words = [("Dogs", "NOUN", 2, "nsubj"), ("sleep", "VERB", 0, "root")]
    lines = [f"{i}\t{w}\t{w}\t{pos}\t_\t_\t{head}\t{relation}\t_\t_"
             for i, (w, pos, head, relation) in enumerate(words, 1)]  # fmt: skip
    sentence = "\n".join(lines) + "\n\n"
    (folder / "x-ud-train.conllu").write_text(sentence * n)
    return folder


def test_roles_hold_sentences_out_of_a_corpus_without_dev(tmp_path):
    work = roles(str(train_alone(tmp_path / "x", 40)))
    assert work.size["tokens"] == 64  # of 80, with two tenths held out
    (note,) = work.notes
    assert "no dev" in note and "8" in note


@pytest.mark.parametrize("kind", ["few sentences", "text"])
def test_roles_without_dev_or_roles_are_refused_in_one_line(kind, tmp_path, capsys):
    corpus = train_alone(tmp_path / "x", 5) if kind != "text" else tmp_path / "a.txt"
    if kind == "text":
        corpus.write_text("Dogs sleep.\n" * 40)
    assert run("bench", "roles", "--corpus", str(corpus), "--out", str(tmp_path / "run")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert ("too few training sentences (5)" if kind != "text" else "without roles") in line
    assert not (tmp_path / "run").exists()


def test_notes_of_a_work_stand_in_the_results(tiny, monkeypatch):
    noted = replace(tiny, notes=["read this"])
    monkeypatch.setattr(bench._Run, "works", lambda self: [noted])
    assert run_bench(BenchConfig(works=("delta",))).notes[0] == "read this"


def test_a_real_work_from_the_command_line(tmp_path, capsys):
    words = ["bench", "traces", "--peers", "none", "--rounds", "1", "--seconds", "0.001", "--json"]
    with pytest.raises(SystemExit) as stop:
        main([*words, "--out", str(tmp_path / "run")])
    said = capsys.readouterr()
    rows = json.loads(said.out)["results"]
    assert stop.value.code == 0 and said.err == ""
    assert {r["condition"].split()[0] for r in rows if r["model"] == "hebbian"} == {
        "way=to-DRAM", "way=into-the-learner", "way=state-only"
    }  # fmt: skip
    assert all(r["mean"] > 0 for r in rows)


# Warm-up ---------------------------------------------------------------------------------------


class FakeKernel:
    def __init__(self, hits, folder, enabled=True):
        self.signatures = [()]
        self.stats = type("Stats", (), {"cache_hits": {"s": hits}, "cache_path": folder})
        self._cache = type("Cache", (), {"_enabled": enabled})


def warmed(monkeypatch, *kernels):
    monkeypatch.setattr("hebbsim.engine._jit.KERNELS", list(kernels))
    monkeypatch.setattr(warmup, "_run_engine", lambda: None)
    monkeypatch.setattr(warmup, "_run_learners", lambda: None)
    return warmup.warm_up()


def test_warm_up_says_what_was_compiled_and_where_it_lies(monkeypatch):
    done = warmed(monkeypatch, FakeKernel(0, "/c/rules"), FakeKernel(1, "/c/x"))
    assert (done.compiled, done.loaded, done.folder) == (1, 1, os.path.normpath("/c"))
    assert "1 kernels compiled, 1 found" in str(done)


@pytest.mark.parametrize("lost", [FakeKernel(0, None), FakeKernel(0, "/c", enabled=False)])
def test_warm_up_says_where_nothing_could_be_kept(monkeypatch, lost):
    done = warmed(monkeypatch, FakeKernel(0, "/c"), lost)
    assert done.folder is None and "could not be cached" in str(done)


def test_warm_up_without_a_compiler(monkeypatch):
    assert "Nothing to compile" in str(warmed(monkeypatch))


def test_warm_up_from_the_command_line(monkeypatch, capsys):
    warmed(monkeypatch, FakeKernel(1, "/c"))
    assert run("warmup", "--json") == 0
    assert json.loads(capsys.readouterr().out)["loaded"] == 1


# Language models --------------------------------------------------------------------------------


def test_the_peer_of_language_models_is_the_same_model():
    torch = pytest.importorskip("torch")
    from hebbsim.bench.lm import nano_gpt_model
    from hebbsim.lm.config import load_preset
    from hebbsim.lm.hardware import one_thread
    from hebbsim.lm.model import LanguageModel

    config = load_preset("pico", {"architecture": "gpt2"}).model
    ours, peer = LanguageModel(config), nano_gpt_model(config)
    assert sum(p.numel() for p in peer.parameters()) == sum(p.numel() for p in ours.parameters())
    with torch.no_grad():
        peer.wte.weight.copy_(ours.embedding.weight[0])
        peer.wpe.weight.copy_(ours.positions.weight[0])
        for theirs, block in zip(peer.blocks, ours.blocks, strict=True):
            for layer, own in (
                (theirs.ln_1, block.attention_norm), (theirs.ln_2, block.norm),
                (theirs.attn, block.project), (theirs.proj, block.merge),
                (theirs.mlp[0], block.expand), (theirs.mlp[2], block.contract),
            ):  # fmt: skip
                layer.weight.copy_(own.weight[0])
                layer.bias.copy_(own.bias[0])
    tokens, targets = torch.randint(0, 512, (2, 3, 20))
    with one_thread():
        torch.testing.assert_close(peer(tokens, targets), ours.loss(tokens, targets)[0])


def test_the_peer_of_language_models_learns():
    pytest.importorskip("torch")
    from hebbsim.bench.lm import nano_gpt
    from hebbsim.lm.config import load_preset
    from hebbsim.lm.hardware import one_thread

    preset = load_preset(
        "pico", {"architecture": "gpt2", "context": 16, "vocabulary": 8},
        {"batch": 4, "tokens": 64 * 60, "learning_rate": 0.02},
    )  # fmt: skip
    text = (np.arange(400) % 7 + 1).astype("<u2")
    with one_thread():
        losses = list(nano_gpt(preset.model, preset.training, text, 60, 0))
    assert len(losses) == 6 and losses[0] > 1.9 and losses[-1] < 0.5


def test_language_models_are_timed_in_turns(monkeypatch, tmp_path):
    pytest.importorskip("torch")
    from hebbsim.bench.lm import lm

    monkeypatch.setattr(bench._Run, "works", lambda self: [lm("pico", updates=1)])
    results = run_bench(BenchConfig(works=("lm",), rounds=1), out=tmp_path / "run")
    ratios = results.select(metric="ratio")
    assert [r.words["way"] for r in ratios] == [
        "GPT-2", "GPT-2-bfloat16", "traces"
    ]  # fmt: skip
    assert all(r.mean > 0 for r in ratios)
    assert {t.amount for t in results.tables["timings"]} == {3.0 * 8 * 128}
