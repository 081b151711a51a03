"""Finished parts of a run: kept whole, read back bit by bit, never mixed with another run's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import hebbsim.readers
import hebbsim.runs.figures
from hebbsim.engine.checkpoint import Checkpoints, read_checkpoint, write_checkpoint
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.identity import run as identity
from hebbsim.experiments.roles import run as roles
from hebbsim.experiments.roles.competitors import RivalJob
from hebbsim.interrupts import Terminated, defer_signals, terminating
from hebbsim.readers.grammar import make_builtin
from hebbsim.runs import resume as module
from hebbsim.runs.folders import AlreadyFinished, Numbered
from hebbsim.runs.results import Results, provenance
from hebbsim.runs.resume import RunCache

CONFIG = {"clusters": 300, "timescales": (2.0, 8.0)}
PROVENANCE = provenance(inputs={"a.txt": "0" * 64}, seeds=range(2))


def run(out, *, fail_at=None, error=KeyboardInterrupt, overwrite=False, config=None, calls=None):
    """Three parts, the sum of which is the result; `fail_at` ends it before that part."""
    calls = [] if calls is None else calls
    config = CONFIG if config is None else config
    results = Results("toy", config, PROVENANCE)
    with RunCache(out, overwrite=overwrite) as cache:
        cache.begin("toy", config, PROVENANCE)
        total = np.zeros(3)
        for seed in range(3):
            if seed == fail_at:
                raise error

            def compute(seed=seed):
                calls.append(seed)
                return {"x": np.random.default_rng(seed).random(3)}, {"seed": seed, "none": None}

            step = cache.take(f"seed={seed}", compute)
            assert step.document == {"seed": seed, "none": None}
            total += step.arrays["x"]
        results.notes.append(total.tobytes().hex())
        cache.write(results, machine={})
    return results.notes[0]


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_resumed_run_does_what_is_left_and_gives_the_same_bits(tmp_path):
    whole = run(tmp_path / "whole")
    for fail_at in (1, 2):
        out = tmp_path / f"cut{fail_at}"
        with pytest.raises(KeyboardInterrupt) as caught:
            run(out, fail_at=fail_at)
        assert "the same command resumes" in caught.value.hint
        calls = []
        assert run(out, calls=calls) == whole
        assert calls == list(range(fail_at, 3))
        assert names(out) == names(tmp_path / "whole")
        assert (out / "results.json").read_text() == (
            tmp_path / "whole" / "results.json"
        ).read_text()
    assert sorted(os.listdir(tmp_path)) == ["cut1", "cut2", "whole"]


def test_an_end_before_the_first_part_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt) as caught:
        run(tmp_path / "a", fail_at=0)
    assert not hasattr(caught.value, "hint")
    assert os.listdir(tmp_path) == []


def test_an_earlier_run_stands_until_the_next_is_done(tmp_path):
    first = run(tmp_path / "a")
    with pytest.raises(OSError):
        run(tmp_path / "a", fail_at=1, error=OSError(28, "full"), overwrite=True)
    assert first in (tmp_path / "a" / "results.json").read_text()
    before = names(tmp_path / "a")
    with pytest.raises(AlreadyFinished):  # nor does what is left of the second go
        run(tmp_path / "a")
    assert names(tmp_path / "a") == before
    assert run(tmp_path / "a", calls=(calls := []), overwrite=True) == first
    assert calls == [1, 2] and "unfinished" not in names(tmp_path / "a")


def test_parts_of_another_run_are_not_taken(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", fail_at=1)
    before = names(tmp_path / "a")
    for config, words in [
        ({**CONFIG, "clusters": 200}, "clusters was 300 and is 200"),
        ({**CONFIG, "new": 1}, "new was null and is 1"),
        ({"clusters": 300}, "timescales was .* and is null"),
    ]:
        with pytest.raises(BadInputError, match=words) as caught:
            run(tmp_path / "a", config=config)
        assert "\n" not in str(caught.value) and not hasattr(caught.value, "hint")
        assert "--overwrite to discard it" in str(caught.value)
    assert names(tmp_path / "a") == before
    (tmp_path / "a" / "unfinished" / "run.json").unlink()
    with pytest.raises(BadInputError, match=r"its run\.json cannot be read"):
        run(tmp_path / "a")
    run(tmp_path / "a", calls=(calls := []), overwrite=True)
    assert calls == [0, 1, 2]


def test_versions_and_inputs_are_part_of_what_must_agree(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", fail_at=1)
    changed = {**PROVENANCE, "inputs": {"a.txt": "1" * 64}}
    monkeypatch.setattr(sys.modules[__name__], "PROVENANCE", changed)
    with pytest.raises(BadInputError, match=r"inputs.a.txt was .* and is"):
        run(tmp_path / "a")


@pytest.mark.parametrize("config", [None, {"clusters": 2}])
def test_a_finished_run_is_overwritten_only_when_asked(tmp_path, config):
    first = run(tmp_path / "a")
    (tmp_path / "a" / "notes.txt").write_text("mine")
    before = names(tmp_path / "a")
    with pytest.raises(AlreadyFinished, match=r"holds a finished run.*--overwrite") as caught:
        run(tmp_path / "a", config=config, calls=(calls := []))
    assert calls == [] and names(tmp_path / "a") == before and "\n" not in str(caught.value)
    assert first in (tmp_path / "a" / "results.json").read_text()
    run(tmp_path / "a", config=config, calls=calls, overwrite=True)
    assert calls == [0, 1, 2] and names(tmp_path / "a") == before
    written = json.loads((tmp_path / "a" / "config.json").read_text())
    assert written["clusters"] == (config or CONFIG)["clusters"]
    assert (tmp_path / "a" / "notes.txt").read_text() == "mine"


def test_by_default_a_run_goes_into_a_new_folder(tmp_path):
    where = Numbered(tmp_path / "a")
    for _ in range(3):
        run(where)
    assert sorted(os.listdir(tmp_path)) == ["a", "a-2", "a-3"]
    with pytest.raises(KeyboardInterrupt):
        run(where, fail_at=2, config={"clusters": 7})
    with pytest.raises(KeyboardInterrupt):
        run(where, fail_at=1, config={"clusters": 8})
    assert sorted(os.listdir(tmp_path)) == ["a", "a-2", "a-3", "a-4", "a-5"]
    for clusters, left, name in ((8, [1, 2], "a-5"), (7, [2], "a-4")):
        run(where, config={"clusters": clusters}, calls=(calls := []))
        assert calls == left and "unfinished" not in os.listdir(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["a", "a-2", "a-3", "a-4", "a-5"]


def test_two_sources_of_one_name_do_not_share_a_folder(tmp_path, monkeypatch):
    """Such as a/tb300 and b/tb300, the first of them unfinished."""
    where = Numbered(tmp_path / "roles-tb300")
    with pytest.raises(KeyboardInterrupt):
        run(where, fail_at=1)
    before = names(tmp_path)
    other = {**PROVENANCE, "inputs": {"a.txt": "1" * 64}}
    monkeypatch.setattr(sys.modules[__name__], "PROVENANCE", other)
    run(where, calls=(calls := []))
    assert calls == [0, 1, 2] and (tmp_path / "roles-tb300-2" / "results.json").is_file()
    assert [name for name in names(tmp_path) if "-2" not in name] == before


def test_two_runs_at_a_time_get_folders_of_their_own(tmp_path):
    with RunCache(Numbered(tmp_path / "a")) as one, RunCache(Numbered(tmp_path / "a")) as two:
        for cache in (one, two):
            cache.begin("toy", CONFIG, PROVENANCE)
            cache.put("p", document=1)
        assert (one.folder, two.folder) == (tmp_path / "a", tmp_path / "a-2")


def test_a_link_to_a_folder_is_written_through(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    run(tmp_path / "link")
    run(tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "results.json").is_file()
    (tmp_path / "nowhere").symlink_to("absent")
    with pytest.raises(BadInputError, match="is a broken link"):
        run(tmp_path / "nowhere")


def test_a_damaged_part_is_refused_by_name_and_not_lost(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", fail_at=2)
    part = tmp_path / "a" / "unfinished" / "steps" / "seed=1.safetensors"
    content = bytearray(part.read_bytes())
    content[-3] ^= 1  # in the numbers: nothing but the digest tells
    part.write_bytes(content)
    with pytest.raises(BadInputError, match=r"seed=1.safetensors is damaged.*remove it"):
        run(tmp_path / "a")
    part.unlink()
    calls = []
    run(tmp_path / "a", calls=calls)
    assert calls == [1, 2]


def test_values_come_back_as_they_were(tmp_path):
    arrays = {
        "f4": np.array([1.5, np.nan, -0.0, np.inf], dtype=np.float32),
        "i2": np.arange(3, dtype=np.int16),
        "u8": np.array([2**64 - 1], dtype=np.uint64),
        "bool": np.array([True, False]),
        "empty": np.zeros((0, 3)),
        "scalar": np.array(7),
        "strided": np.arange(12).reshape(3, 4)[:, ::2],
    }
    document = {"a": [1, 0.1 + 0.2, None, "ü☃\ud800"], "b": {"c": True, "inf": float("inf")}}
    names_ = ["seed=0", "a b/c", "a b_c", "../../up", ".hidden", "x" * 300, "é", ""]
    with RunCache(tmp_path / "a") as cache:
        cache.begin("toy", {}, {})
        for name in names_:
            cache.put(name, arrays, {"name": name, **document})
        assert cache.n_cached == len(names_)
        for name in names_:
            found = cache.get(name)
            assert found.document == {"name": name, **document}
            for key, array in arrays.items():
                back = found.arrays[key]
                assert (back.dtype, back.shape) == (array.dtype, array.shape)
                assert back.tobytes() == array.tobytes()


def test_json_is_the_same_computed_or_read_back(tmp_path):
    with RunCache(tmp_path / "a") as cache:
        cache.begin("toy", {}, {})
        once = cache.json("p", lambda: [(1, 2.5), {"k": np.float64(0.1)}])
        assert once == cache.json("p", lambda: 1 / 0) == [[1, 2.5], {"k": 0.1}]
    assert RunCache(None).json("p", lambda: (1,)) == [1]


# --- two runs, one folder -----------------------------------------------------------------


def test_a_second_run_in_the_same_folder_is_refused(tmp_path):
    with RunCache(tmp_path / "a") as cache:
        cache.begin("toy", {}, {})
        cache.put("p", document=1)
        other = (
            "import sys\nfrom hebbsim.runs.resume import RunCache\n"
            "with RunCache(sys.argv[1]) as cache: pass\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", other, str(tmp_path / "a")], capture_output=True, text=True
        )
        assert f"another run writes to it (process {os.getpid()} on" in done.stderr
        assert cache.get("p").document == 1
    with RunCache(tmp_path / "a"):
        pass


@pytest.mark.parametrize("at", range(9))
def test_a_run_killed_while_its_files_are_put_in_place_is_completed(tmp_path, monkeypatch, at):
    """Killed at the first replacement, the second, ...: another run's files never stay mixed in."""
    calls = 0

    def replace(one, other, real=os.replace):
        nonlocal calls
        if "ready" in str(one):
            calls += 1
            if calls > at:
                raise Killed
        real(one, other)

    run(tmp_path / "a", config={"clusters": 2})
    (tmp_path / "a" / "notes.txt").write_text("mine")
    monkeypatch.setattr(os, "replace", replace)
    try:
        run(tmp_path / "a", overwrite=True)
    except Killed:
        assert not (tmp_path / "a" / "results.json").exists()
    monkeypatch.undo()
    with pytest.raises(AlreadyFinished):
        run(tmp_path / "a")
    run(tmp_path / "whole")
    assert names(tmp_path / "a") == sorted([*names(tmp_path / "whole"), "notes.txt"])
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes(), path.name


def test_a_file_in_the_way_that_is_not_ours_stops_the_run_and_loses_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", fail_at=2)
    (tmp_path / "a" / "results.csv").write_text("mine")
    with pytest.raises(HebbsimError, match=r"results\.csv: already exists.*move it away"):
        run(tmp_path / "a")
    assert (tmp_path / "a" / "results.csv").read_text() == "mine"
    (tmp_path / "a" / "results.csv").rename(tmp_path / "mine.csv")
    with pytest.raises(AlreadyFinished):
        run(tmp_path / "a")
    run(tmp_path / "whole")
    assert names(tmp_path / "a") == names(tmp_path / "whole")


def test_a_list_of_files_reaches_nothing_outside_of_its_folder(tmp_path):
    run(tmp_path / "a")
    (tmp_path / "mine.txt").write_text("mine")
    listed = json.loads((tmp_path / "a" / "files.json").read_text())
    listed["files"] += ["../mine.txt", str(tmp_path / "mine.txt"), "", 3]
    (tmp_path / "a" / "files.json").write_text(json.dumps(listed))
    run(tmp_path / "a", overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_run_that_does_not_list_its_files_is_not_overwritten(tmp_path):
    run(tmp_path / "a")
    (tmp_path / "a" / "files.json").unlink()
    for overwrite in (False, True):
        with pytest.raises(BadInputError, match=r"without files\.json"):
            run(tmp_path / "a", overwrite=overwrite)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.txt").write_text("mine")
    with pytest.raises(BadInputError, match="holds no hebbsim run"):
        run(tmp_path / "a")
    assert names(tmp_path / "a") == ["mine.txt"]


# --- states -------------------------------------------------------------------------------


def test_the_last_two_states_are_kept_and_a_damaged_one_is_refused(tmp_path):
    kept = Checkpoints(tmp_path / "c", "toy/1")
    assert kept.load() is None
    for position in (9, 10, 100):
        kept.save(position, {"x": np.full(2, position)}, {"position": position})
    assert [int(path.stem) for path in kept.paths()] == [10, 100]
    last = kept.paths()[-1]
    content = bytearray(last.read_bytes())
    content[-1] ^= 4
    last.write_bytes(content)
    with pytest.raises(BadInputError) as caught:
        kept.load()
    assert str(last) in str(caught.value)
    assert f"remove it to go on from {kept.paths()[0].name}, which is whole" in str(caught.value)
    last.unlink()
    assert kept.load()[1] == {"position": 10}
    kept.paths()[0].write_bytes(b"")
    with pytest.raises(BadInputError, match="begin anew"):
        kept.load()


def test_other_formats_are_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    write_checkpoint(path, "toy/1", {"x": np.arange(2)}, {"eta": 1})
    with pytest.raises(BadInputError, match=r"format 1 of toy, which this hebbsim no longer reads"):
        read_checkpoint(path, "toy/3")
    write_checkpoint(path, "toy/4", {}, {})
    with pytest.raises(BadInputError, match="up to format 3: upgrade hebbsim"):
        read_checkpoint(path, "toy/3")
    for kind in ("other/3", "toy", "toy/", "toy/x", "toy/²", ""):
        write_checkpoint(path, kind, {}, {})
        with pytest.raises(BadInputError, match=r"holds .*, not toy/3"):
            read_checkpoint(path, "toy/3")


# --- signals ------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "error"), [
    (signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated), (signal.SIGHUP, Terminated),
])  # fmt: skip
def test_a_signal_waits_until_what_is_held_is_done(number, error):
    done = []
    with terminating() as arrived:
        with pytest.raises(error), defer_signals():
            signal.raise_signal(number)
            done.append(1)
        with pytest.raises(error):
            signal.raise_signal(number)
    assert done == [1]
    assert len(arrived) == 2 * (error is Terminated)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_command_under_nohup_outlives_its_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminating() as arrived, defer_signals():
            signal.raise_signal(signal.SIGHUP)
        assert arrived == [] and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_part_is_written_whole_when_a_signal_arrives_meanwhile(tmp_path, monkeypatch):
    write = module.write_checkpoint

    def late(*arguments):
        signal.raise_signal(signal.SIGINT)
        write(*arguments)

    monkeypatch.setattr(module, "write_checkpoint", late)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a")
    monkeypatch.undo()
    assert names(tmp_path / "a" / "unfinished" / "steps") == ["seed=0.safetensors"]
    about = json.loads((tmp_path / "a" / "unfinished" / "run.json").read_text())
    assert about["config"]["timescales"] == [2.0, 8.0]
    run(tmp_path / "a", calls=(calls := []))
    assert calls == [1, 2]


# --- experiments --------------------------------------------------------------------------


class Killed(BaseException):
    """What no handler expects."""


EXPERIMENTS = {
    "roles": {
        "clusters": 12, "seeds": 2, "ablation_seeds": 1, "bigru_seeds": 1, "labels": "30",
        "timescales": "2,8", "readout_draws": 1,
    },
    "members": {
        "clusters": 12, "ensemble_size": 2, "seeds": 1, "ablation_seeds": 0, "baselines": "simple",
    },
    "identity": {
        "vocab_size": 20, "dim": 16, "lags": 3, "seeds": 2, "states": 32, "precision": "float32",
        "noise": "20", "decoders": "nearest,cancellation", "map_seeds": 1, "structure": "none",
        "limits": False, "workers": 1,
    },
}  # fmt: skip


def experiment(name, out, **more):
    if name == "identity":
        return identity.run_identity(out=out, **EXPERIMENTS[name], **more)
    options = {"settings": ("words.size=10", "words.n_directions=8", "tokens.n_directions=8")}
    return roles.run_roles(out=out, **EXPERIMENTS[name], **options, **more)


@pytest.fixture
def quick(monkeypatch):
    """A small corpus, a BiGRU that guesses, and no figures."""
    corpus = make_builtin(n_train=60, n_dev=20, n_test=20, n_gen=0)
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: corpus)
    monkeypatch.setattr(hebbsim.runs.figures, "draw_run", lambda *_: {})

    class Guesses(dict):
        def __init__(self, workers):
            super().__init__()

        def submit(self, key, job):
            if isinstance(job, RivalJob):
                self[key] = job.run()
                return
            rng = np.random.default_rng(job.seed)
            self[key] = {
                name: rng.permutation(split.layers[job.layer])
                for name, split in job.evaluation.items()
            }

        def results(self):
            yield from self.items()

        def __class_getitem__(cls, _):
            return cls

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(roles, "BackgroundJobs", Guesses)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_killed_after_every_part_gives_the_same_folder(
    name, quick, tmp_path, monkeypatch
):
    experiment(name, tmp_path / "whole")
    put = RunCache.put
    ends = 0
    while True:

        def killed(self, *arguments):
            put(self, *arguments)
            raise Killed

        monkeypatch.setattr(RunCache, "put", killed)
        try:
            experiment(name, tmp_path / "cut")
            break
        except Killed:
            ends += 1
    # The thread that measures identity may finish one more part before it is told to stop.
    assert ends in {"roles": [17], "members": [2], "identity": range(4, 15)}[name]
    assert names(tmp_path / "cut") == names(tmp_path / "whole")
    for path in (tmp_path / "whole").iterdir():
        if path.name != "machine.json":
            assert path.read_bytes() == (tmp_path / "cut" / path.name).read_bytes(), path.name
