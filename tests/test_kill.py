"""Killed at random moments, a run resumes to the same result, and never leaves half a file."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from safetensors import safe_open
from test_resume import experiment, quick  # noqa: F401  (a fixture)

from hebbsim.engine.checkpoint import read_checkpoint
from hebbsim.experiments.stream.run import run_stream
from hebbsim.interrupts import Interruption, terminating
from hebbsim.readers.grammar import make_builtin
from hebbsim.runs.folders import AlreadyFinished

NAMES = ("roles", "members", "identity", "stream/roles", "stream/engine")
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@pytest.fixture
def text(tmp_path):
    sentences = make_builtin(n_train=300, n_dev=20, n_test=20, n_gen=0).splits["train"].sentences()
    path = tmp_path / "text.jsonl"
    path.write_text("\n".join(map(json.dumps, sentences)))
    return path


def run(name, out, text):
    """Until it is finished: a run may have been killed when nothing but its exit was left."""
    small = {
        "vocab_size": 150,
        "clusters": 10,
        "chunk_tokens": 1000,
        "checkpoint_every": 1500,
        "dim": 8,
    }
    options = {"learner": name.partition("/")[2], "corpus": (str(text),), "tokens": 9000}
    with contextlib.suppress(AlreadyFinished):
        if name.startswith("stream"):
            run_stream(out=out, **small, **options)
        else:
            experiment(name, out)


def attempt(name, out, text, seconds, number):
    """Run in a process of its own, which is sent a signal after so long; its exit status."""
    # Held until the child is where it is caught: it must not run on as the test's own process.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    child = os.fork()
    if child == 0:
        status = 3
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            with terminating():
                run(name, out, text)
            status = 0
        except KeyboardInterrupt as error:
            status = Interruption(error).status
        finally:
            os._exit(status)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    time.sleep(seconds)
    os.kill(child, number)
    _, code = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(code)


def whole_files(out):
    """Every file that bears its final name is whole."""
    for path in out.rglob("*.safetensors"):
        if not path.name.startswith("."):
            with safe_open(path, framework="numpy") as file:
                kind = json.loads(file.metadata()["hebbsim"])["kind"]
            read_checkpoint(path, kind)
    if (out / "results.json").exists():
        assert {"config.json", "provenance.json", "results.csv"} <= set(os.listdir(out))
        json.loads((out / "results.json").read_text())


def content(out, name):
    """What two runs that agree have in common."""
    if name.startswith("stream"):
        notes = json.loads((out / "results.json").read_text())["notes"]
        return {"learner": (out / "learner.safetensors").read_bytes(), "notes": notes}
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "machine.json")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_resumes_to_the_same_result(
    kills,
    quick,  # noqa: F811
    text,
    tmp_path,
):
    rng = random.Random(kills)
    expected, lasts = {}, {}
    for name in NAMES:
        run(name, tmp_path / "warm" / name, text)  # what is compiled now need not be later
        began = time.perf_counter()
        run(name, tmp_path / "whole" / name, text)
        lasts[name] = time.perf_counter() - began
        expected[name] = content(tmp_path / "whole" / name, name)
    survived = dict.fromkeys(NAMES, 0)
    round_ = 0
    while sum(survived.values()) < kills:
        name = NAMES[round_ % len(NAMES)]
        round_ += 1
        out = tmp_path / "cut" / f"{name}-{round_}"
        for _ in range(max(1, kills // 10)):
            number = rng.choice(SIGNALS)
            status = attempt(name, out, text, rng.uniform(0, 0.7 * lasts[name]), number)
            whole_files(out)
            if status == 0:
                break
            # A signal before Python has put its handler in place ends the process as a kill.
            assert status in (-number, 128 + number), f"{name} ended with {status}"
            survived[name] += 1
        else:
            run(name, out, text)
        assert content(out, name) == expected[name], name
        assert "unfinished" not in os.listdir(out)
        assert [path for path in os.listdir(out.parent) if path.startswith(".")] == []
    assert sum(survived.values()) >= kills
    print("ends survived:", survived)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_the_command_saves_and_exits_by_the_signal(number, status, tmp_path, text):
    # A signal that arrives with a state that is saved in any case shows nothing.
    for attempt in range(3):
        out = tmp_path / str(attempt)
        words = ["run", "stream", "--corpus", str(text), "--learner", "engine", "--chunk-tokens",
                 "1000", "--checkpoint-every", "200000", "--tokens", "100000000", "--out",
                 str(out)]  # fmt: skip
        command = subprocess.Popen(
            [sys.executable, "-m", "hebbsim", *words], stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        states = out / "unfinished" / "checkpoints" / "stream"
        until = time.monotonic() + 90
        while not list(states.glob("0*.safetensors")) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)
        command.send_signal(number)
        said = command.communicate(timeout=90)[1]
        assert command.returncode == status, said
        assert said == "hebbsim: interrupted; finished steps are kept: the same command resumes\n"
        whole_files(out)
        at = sorted(int(path.stem) for path in states.glob("*.safetensors"))
        if at[-1] - (at[-2] if len(at) > 1 else 0) < 200_000:  # saved because of the signal
            return
    raise AssertionError(f"nothing was saved because of the signal: {at}")
