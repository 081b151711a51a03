"""A disk that is full or read-only, a clock that goes back, files that vanish: nothing is lost."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_resume import experiment, names, quick, run  # noqa: F401  (a fixture)

import hebbsim.runs.costs
import hebbsim.runs.figures
from hebbsim.engine.trace_engine import TraceEngine
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.roles.run import run_roles
from hebbsim.experiments.stream.run import run_stream, slope
from hebbsim.readers.grammar import make_builtin
from hebbsim.runs import folders
from hebbsim.runs import results as results_module
from hebbsim.runs.folders import AlreadyFinished
from hebbsim.runs.results import Clock
from hebbsim.runs.resume import RunCache


@contextlib.contextmanager
def full_disk(n_bytes):
    """No file can grow beyond so many bytes: the system itself refuses to write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_on_a_full_disk_leaves_the_one_before(tmp_path):
    engine = TraceEngine(500, dim=32).run([1, 2, 3])
    engine.save(tmp_path / "e")
    before = (tmp_path / "e").read_bytes()
    with full_disk(10_000), pytest.raises(BadInputError, match="cannot write checkpoint"):
        engine.run([4]).save(tmp_path / "e")
    assert (tmp_path / "e").read_bytes() == before and names(tmp_path) == ["e"]


def test_a_run_on_a_full_disk_keeps_what_is_finished(tmp_path, monkeypatch):
    whole = run(tmp_path / "whole")
    with RunCache(tmp_path / "a") as cache:
        cache.begin("toy", {}, {})
        cache.put("small", document=1)
        with full_disk(10_000), pytest.raises(BadInputError, match="cannot write checkpoint"):
            cache.put("large", {"x": np.zeros(10_000)})
        assert names(tmp_path / "a" / "unfinished" / "steps") == ["small.safetensors"]
    write = results_module.json_text
    for _ in range(2):

        def fill(document):
            return write(document) + " " * 50_000

        monkeypatch.setattr(results_module, "json_text", fill)
        with full_disk(20_000), pytest.raises(HebbsimError, match="could not be written") as caught:
            run(tmp_path / "b")
        monkeypatch.undo()
        assert "the same command" in caught.value.hint and names(tmp_path / "b" / "unfinished")
    calls = []
    assert run(tmp_path / "b", calls=calls) == whole and calls == []
    assert names(tmp_path / "b") == names(tmp_path / "whole")


def test_a_read_only_folder_is_refused_before_any_work(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(folders.tempfile, "TemporaryFile", refuse)
    with pytest.raises(BadInputError, match="is not writable; name another folder"):
        run(tmp_path / "a", calls=(calls := []))
    assert calls == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(BadInputError, match="is not writable"):
        run(tmp_path / "locked" / "a")


def test_a_clock_that_goes_back_changes_nothing(tmp_path, monkeypatch):
    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", fail_at=2)

    class Back(datetime.datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.datetime(1971, 1, 1, tzinfo=zone)

    monkeypatch.setattr(results_module, "datetime", Back)
    monkeypatch.setattr(time, "time", lambda: 1.0)
    for path in (tmp_path / "a").rglob("*"):
        os.utime(path, (4e9, 4e9))  # files of a time to come
    clock = Clock()
    assert run(tmp_path / "a") == whole
    machine = clock.machine()
    assert machine["seconds"] >= 0 and machine["started"].startswith("1971")


def test_text_that_is_removed_after_it_was_read(quick, tmp_path, monkeypatch):  # noqa: F811
    text = tmp_path / "more.txt"
    text.write_text("The cat saw a dog.\n" * 20)
    fitted = []

    def once(line, done, total):
        if done:  # the first learner has read it by then
            text.unlink(missing_ok=True)
            fitted.append(line)

    options = {"settings": ("words.size=10", "words.n_directions=8"), "clusters": 12,
               "baselines": "none", "ablation_seeds": 0, "unlabeled": (text,)}  # fmt: skip
    run_roles(seeds=1, out=tmp_path / "a", progress=once, **options)
    provenance = json.loads((tmp_path / "a" / "provenance.json").read_text())
    assert fitted and "more.txt" in provenance["inputs"]
    text.write_text("The cat saw a dog.\n" * 20)
    with pytest.raises(BadInputError, match=r"more\.txt: no such text file") as caught:
        run_roles(seeds=4, workers=1, out=tmp_path / "b", progress=once, **options)
    assert "the same command" in caught.value.hint
    text.write_text("The cat saw a dog.\n" * 20)
    run_roles(seeds=4, workers=1, out=tmp_path / "b", **options)


def test_a_locale_of_ascii_alone_writes_the_same_run(tmp_path):
    (tmp_path / "größe.txt").write_text("Schöne Grüße ☃.\n" * 30, encoding="utf-8")
    found = []
    for name, locale in (("C", "C"), ("utf8", "C.UTF-8")):
        environment = {**os.environ, "LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "0",
                       "PYTHONCOERCECLOCALE": "0"}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "hebbsim", "run", "roles", "--corpus", "größe.txt",
             "--clusters", "4", "--seeds", "1", "--out", name],
            cwd=tmp_path, env=environment, capture_output=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.append((tmp_path / name / "clusters.csv").read_bytes())
    assert found[0] == found[1] and "grüße" in found[0].decode()


# --- the stream ---------------------------------------------------------------------------


@pytest.fixture
def stream(tmp_path, monkeypatch):
    monkeypatch.setattr(hebbsim.runs.figures, "draw_run", lambda *_: {})
    path = tmp_path / "s.txt"
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(90)]
    lines = (" ".join(rng.choice(words, 9)) + " ." for _ in range(500))
    path.write_text("\n".join(lines))
    small = {
        "vocab_size": 60,
        "clusters": 8,
        "chunk_tokens": 1000,
        "checkpoint_every": 1000,
        "dim": 8,
    }
    return lambda out, **more: run_stream(corpus=(str(path),), out=out, **small, **more)


@pytest.mark.parametrize("learner", ["roles", "engine"])
def test_2n_tokens_are_n_a_checkpoint_and_n_more(learner, stream, tmp_path):
    whole = stream(tmp_path / "whole", learner=learner, tokens=9000)

    def stop(line, done, total):
        if done >= 4000 and line is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        stream(tmp_path / "a", learner=learner, tokens=9000, progress=stop)
    assert "the same command" in caught.value.hint
    states = list((tmp_path / "a" / "unfinished" / "checkpoints" / "stream").iterdir())
    assert len(states) == 2
    said = []
    cut = stream(
        tmp_path / "a", learner=learner, tokens=9000,
        progress=lambda line, done, total: said.append(line),
    )  # fmt: skip
    assert said[0].startswith("resumed at 4,0")
    assert cut.notes == whole.notes and "sha256" in cut.notes[0]
    saved = [(tmp_path / name / "learner.safetensors").read_bytes() for name in ("whole", "a")]
    assert saved[0] == saved[1]
    assert [s.tokens for s in cut.tables["stream"]] == [s.tokens for s in whole.tables["stream"]]


def test_a_stream_into_the_folder_of_another_leaves_its_learner_and_notes(stream, tmp_path):
    stream(tmp_path / "a", learner="engine")
    (tmp_path / "a" / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in (tmp_path / "a").iterdir() if path.is_file()}
    other = tmp_path / "other.txt"
    other.write_text("another text .\n" * 300)
    small = {"seeds": 1, "ablation_seeds": 0, "baselines": "none", "clusters": 4}
    for begin in (
        lambda: run_stream(corpus=(str(other),), learner="engine", out=tmp_path / "a"),
        lambda: run_roles(corpus=str(other), out=tmp_path / "a", **small),
    ):
        with pytest.raises(AlreadyFinished, match="--overwrite"):
            begin()
    after = {path: path.read_bytes() for path in (tmp_path / "a").iterdir() if path.is_file()}
    assert after == before
    run_roles(corpus=str(other), out=tmp_path / "a", overwrite=True, **small)
    assert (tmp_path / "a" / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "a" / "learner.safetensors").exists()


def test_other_standard_input_does_not_go_on_with_a_stream(tmp_path, monkeypatch):
    lines = [f"w{number % 40} w{number % 7} .\n" for number in range(1500)]
    small = {
        "learner": "engine",
        "chunk_tokens": 1000,
        "checkpoint_every": 1000,
        "vocab_size": 60,
        "dim": 8,
    }

    def learn(name, text, stop=False):
        def progress(line, done, total):
            if stop and done >= 3000:
                raise KeyboardInterrupt

        raw = io.BytesIO(text.encode())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(raw)))
        return run_stream(corpus=("-",), out=tmp_path / name, progress=progress, **small)

    with pytest.raises(KeyboardInterrupt):
        learn("a", "".join(lines), stop=True)
    for other in (["w8 .\n", *lines], lines[:700]):
        with pytest.raises(BadInputError, match="is not the text that the interrupted run had"):
            learn("a", "".join(other))
    found = learn("a", "".join(lines))
    assert found.notes == learn("whole", "".join(lines)).notes


@pytest.mark.parametrize("kind", ["builtin", "treebank"])
def test_a_stream_learns_no_split_but_train(kind, tmp_path):
    if kind == "builtin":
        wanted = make_builtin(0).splits["train"].n_tokens
        corpus = "builtin"
    else:
        word = "{0}\t{1}\t{1}\tNOUN\t_\t_\t{2}\t{3}\t_\t_\n"
        for split, n in (("train", 5), ("dev", 3), ("test", 2)):
            sentence = word.format(1, "dogs", 2, "nsubj") + word.format(2, "run", 0, "root") + "\n"
            (tmp_path / f"x-ud-{split}.conllu").write_text(sentence * n)
        wanted, corpus = 10, str(tmp_path)
    found = run_stream(corpus=(corpus,), learner="engine", dim=2)
    assert sum(chunk.n_tokens for chunk in found.tables["stream"]) == wanted
    if kind == "treebank":
        assert list(found.provenance["inputs"]) == ["x-ud-train.conllu"]
        # A file that is named is read, whatever split it holds.
        one = run_stream(corpus=(str(tmp_path / "x-ud-dev.conllu"),), learner="engine", dim=2)
        assert sum(chunk.n_tokens for chunk in one.tables["stream"]) == 6
        (tmp_path / "x-ud-train.conllu").unlink()
        with pytest.raises(BadInputError, match="no train split"):
            run_stream(corpus=(corpus,), learner="engine")


def test_a_stream_is_read_as_its_options_say(tmp_path):
    (tmp_path / "a.csv").write_text("id,body\n" + "1,狗跑了\n" * 30)
    found = run_stream(corpus=(str(tmp_path / "a.csv"),), field="body", learner="engine", dim=2)
    assert sum(chunk.n_tokens for chunk in found.tables["stream"]) == 90
    assert "every character counts as a word" in found.notes[0]
    (tmp_path / "a.txt").write_text("Dogs run. Cats\nrun\n")
    states = {
        run_stream(
            corpus=(str(tmp_path / "a.txt"),), sentences=sentences, learner="engine", dim=2
        ).notes[-1]
        for sentences in ("lines", "wrapped", "auto")
    }
    assert len(states) == 3


def test_a_stream_ends_where_its_files_do_unless_tokens_are_asked_for(stream, tmp_path):
    once = stream(None, learner="engine")
    assert sum(s.n_tokens for s in once.tables["stream"]) == 5000
    assert stream(None, learner="engine", tokens=12_000).tables["stream"][-1].tokens >= 12_000


def test_an_empty_or_mixed_stream_is_refused(tmp_path):
    path = tmp_path / "e.txt"
    path.write_text("\n")
    with pytest.raises(BadInputError, match="no text in it"):
        run_stream(corpus=(str(path),))
    with pytest.raises(BadInputError, match="standard input cannot be mixed"):
        run_stream(corpus=("-", str(path)))
    with pytest.raises(BadInputError, match="no such text file"):
        run_stream(corpus=(str(tmp_path / "none"),))


def test_the_slope_is_that_of_a_line():
    tokens = np.arange(10) * 1e6
    noise = np.array([1, -1] * 5) * 0.01
    middle, low, high = slope(tokens, 300 + 2.5 * tokens / 1e6 + noise)
    assert low < 2.5 < high and middle == pytest.approx(2.5, abs=0.01)
    assert Path("/proc/self/status").exists() is (hebbsim.runs.costs.resident() > 0)
