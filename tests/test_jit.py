"""Kernels are cached where they can be, and a run goes on where they cannot."""

import errno
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest

import hebbsim
from hebbsim.engine import TraceEngine, products
from hebbsim.engine._jit import njit
from hebbsim.engine.chunks import through_chunks
from hebbsim.engine.rules import ccipca
from hebbsim.engine.rules._ops import fill_post

PACKAGE = Path(hebbsim.__file__).parent
needs_jit = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="NUMBA_DISABLE_JIT is set")

LEARN = """
import numpy as np
from hebbsim.engine.rules import get_rule
weights, state, pre, table, parameters, post = (
    np.full(shape, 0.5, np.float32) for shape in [(2, 3), 0, (4, 3), (4, 2), 0, (4, 2)]
)
tokens = np.arange(4, dtype=np.int32)
get_rule("delta").learn(
    weights, state, pre, tokens, table, False, np.float32(0.5), parameters, post
)
print(weights.tolist())
"""
KERNELS = {
    "delta.learn", "_linear.in_order", "_linear._learn_unit", "_ops.dot", "_ops.add_scaled",
}  # fmt: skip


def running(root):
    """A function that runs code on the copy of the package below `root`, in a new process."""

    def run(code=LEARN, **environment):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
        result = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=root,
            env={
                **kept,
                "HOME": str(root / "home"),
                "XDG_CACHE_HOME": str(root / "user-cache"),
                "PYTHONPATH": str(root),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NUMBA_OPT": "1",  # half the time: what is cached matters here, not how fast it is
                **{key: str(value) for key, value in environment.items()},
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        return result.stdout

    run.root = root
    return run


@pytest.fixture
def copy(tmp_path):
    """A copy of the package that nothing of is compiled, and how code runs on it."""
    shutil.copytree(PACKAGE, tmp_path / "hebbsim", ignore=shutil.ignore_patterns("__pycache__"))
    return running(tmp_path)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The same, whose kernels of `LEARN` lie in its cache, and what that prints."""
    root = tmp_path_factory.mktemp("compiled")
    shutil.copytree(PACKAGE, root / "hebbsim", ignore=shutil.ignore_patterns("__pycache__"))
    run = running(root)
    run.said = run()
    return run


def kernels(folder):
    """Names of the kernels whose machine code lies anywhere below a folder."""
    return {path.name.partition("-")[0] for path in folder.rglob("*.nbc")}


def refuse_writing(root):
    """Make cache folders beside the sources impossible, for root too: files stand there."""
    for source in {path.parent for path in (root / "hebbsim" / "engine").rglob("*.py")}:
        (source / "__pycache__").write_text("")


@needs_jit
def test_kernels_are_kept_beside_their_sources(compiled):
    assert KERNELS == kernels(compiled.root / "hebbsim")
    assert not (compiled.root / "user-cache").exists()


@needs_jit
def test_a_package_that_cannot_be_written_is_cached_for_the_user(copy):
    refuse_writing(copy.root)
    expected = copy()
    assert KERNELS == kernels(copy.root / "user-cache")
    assert copy() == expected


@needs_jit
def test_where_nothing_can_be_written_the_run_goes_on_uncached(copy):
    refuse_writing(copy.root)
    (copy.root / "a file").write_text("")
    out = copy(
        XDG_CACHE_HOME=copy.root / "a file", HOME=copy.root / "a file",
        NUMBA_CACHE_DIR=copy.root / "a file",
    )  # fmt: skip
    assert not kernels(copy.root)
    assert out == copy(NUMBA_DISABLE_JIT=1)


@needs_jit
def test_a_damaged_cache_costs_a_compilation_and_no_more(compiled):
    # The folder holds machine code (.nbc) and an index of it (.nbi).
    for suffix in ("*.nbc", "*.nbi"):
        damaged = {
            path: path.read_bytes()[:-100] for path in (compiled.root / "hebbsim").rglob(suffix)
        }
        assert len(damaged) == len(KERNELS)
        for path, content in damaged.items():
            path.write_bytes(content)
        assert compiled() == compiled.said
        # And the cache is whole again.
        assert all(path.read_bytes() != content for path, content in damaged.items())


@needs_jit
def test_a_disk_that_was_full_leaves_no_machine_code_of_an_earlier_source(compiled):
    full = """
from numba.core.caching import IndexDataCacheFile
def fail(self, name, data):
    raise OSError("No space left on device")
IndexDataCacheFile._save_data = fail  # the index has been written by then
"""
    shared = compiled.root / "hebbsim" / "engine" / "rules" / "_ops.py"
    source = shared.read_text()
    shared.write_text(source.replace("w[j] += factor * h[j]", "w[j] -= factor * h[j]"))
    anew = compiled(full + LEARN)
    assert anew != compiled.said
    assert compiled() == anew
    shared.write_text(source)
    assert compiled() == compiled.said


@needs_jit
def test_a_kernel_is_compiled_anew_when_one_it_calls_has_changed(compiled):
    shared = compiled.root / "hebbsim" / "engine" / "rules" / "_ops.py"
    source = shared.read_text()
    assert source.count("w[j] += factor * h[j]") == 1
    shared.write_text(source.replace("w[j] += factor * h[j]", "w[j] -= factor * h[j]"))
    assert compiled() != compiled.said
    shared.write_text(source)
    assert compiled() == compiled.said


@needs_jit
def test_the_kernel_of_a_rule_is_fresh_when_the_traces_and_the_rule_are(copy):
    code = """
from hebbsim.engine import TraceEngine
print(TraceEngine(3, dim=4).run([0, 1, 2, 0, 1, 2, 0, 1]).weights.tolist())
"""
    said = [copy(code)]
    for file, line, changed in (
        ("traces.py", "new[d] = k * old[d] + a * x[d]", "new[d] = k * old[d] - a * x[d]"),
        ("rules/_linear.py", "c0 = gain * (x0 - y0)", "c0 = gain * (x0 + x0 - y0)"),
    ):
        source = copy.root / "hebbsim" / "engine" / file
        text = source.read_text()
        assert text.count(line) == 1
        source.write_text(text.replace(line, changed))
        said.append(copy(code))
    assert len(set(said)) == 3


@needs_jit
def test_a_kernel_stays_fresh_whatever_else_a_process_has_imported(copy):
    """Two processes that disagree compile each other's kernels anew, and may round differently."""
    code = """
from hebbsim import RoleNetwork
from hebbsim.engine._jit import _sources_digest
from hebbsim.engine.network import token_kernels
from hebbsim.engine.rules import get_rule, rule_names
RoleNetwork()._built(10**6)
before = _sources_digest(token_kernels.learn_sentence)
for name in rule_names():
    get_rule(name)
print(before == _sources_digest(token_kernels.learn_sentence))
"""
    assert copy(code) == "True\n"


@needs_jit
def test_a_disk_that_fills_up_costs_the_cache_alone(monkeypatch):
    def add_one(x):
        for i in range(len(x)):
            x[i] += 1

    kernel = njit(add_one)

    def fail():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kernel._cache._impl.locator, "ensure_cache_path", fail)
    x = np.zeros(3, dtype=np.float32)
    kernel(x)
    assert x.tolist() == [1, 1, 1]
    assert len(kernel.signatures) == 1


@needs_jit
def test_no_kernel_may_assume_that_numbers_are_finite():
    from hebbsim.engine.rules import get_rule
    from hebbsim.engine.traces import dense_traces_kernel

    for kernel in (dense_traces_kernel, get_rule("delta").learn):
        assert set(kernel.targetoptions["fastmath"]) == {"reassoc", "contract"}
        assert kernel.targetoptions["error_model"] == "numpy"


@pytest.mark.parametrize(
    "code",
    [
        "import hebbsim",
        "import hebbsim.engine",
        "from hebbsim.engine import check_timescales; check_timescales('2,8')",
    ],
)
def test_numba_loads_when_first_needed(compiled, code):
    assert compiled(f"{code}; import sys; print('numba' in sys.modules)") == "False\n"


@pytest.mark.parametrize("name", ["hebbsim", "hebbsim.engine"])
def test_lazy_names_resolve(compiled, name):
    code = f"import {name} as m; print(m.TraceEngine.__name__, 'TraceEngine' in dir(m)); m.nothing"
    code = f"try:\n    exec({code!r})\nexcept AttributeError as error:\n    print(error)"
    assert compiled(code) == f"TraceEngine True\nmodule '{name}' has no attribute 'nothing'\n"


@needs_jit
def test_loading_numba_leaves_scipy_for_later_and_the_user_nothing_to_miss(compiled):
    out = compiled(
        "import gc, sys\n"
        + LEARN.replace("print", "_ =")
        + "print('scipy.linalg' in sys.modules, gc.isenabled())\n"
        "import numba\n"
        "print(numba.njit(lambda a: np.trace(np.linalg.inv(np.dot(a, a))))(2 * np.eye(2)))\n"
        "import scipy.linalg\n"
        "print(scipy.linalg.det(2 * np.eye(2)))\n"
    )
    assert out.splitlines() == ["False True", "0.5", "4.0"]


# Inlining -----------------------------------------------------------------------------------


@needs_jit
def test_kernels_call_no_machine_code_of_other_kernels():
    """Which of several copies would be called depends on what the process loaded before."""

    @njit(keep=False)
    def called_often(x, y):
        total = x.dtype.type(0)
        for i in range(len(x)):
            for j in range(len(y)):
                for k in range(i, j):
                    total += x[k] * y[j] - y[k] * x[i]
                for k in range(j):
                    total -= x[k] * y[j] + y[k] * x[i]
                for k in range(i):
                    total += x[k] / (y[j] + total)
            for j in range(i):
                total = np.sqrt(x[i] * y[j] + total)
        for i in range(0, len(y), 3):
            total += y[i] * y[i - 1]
        return total

    @njit(keep=False)
    def caller(x, y):
        for i in range(len(x)):
            x[i] = called_often(x, y) * called_often(y, x) - called_often(x, x)

    caller(np.ones(3, np.float32), np.ones(4, np.float32))
    (code,) = caller.inspect_llvm().values()
    assert "called_often" in str(called_often.inspect_llvm())
    assert not [line for line in code.splitlines() if " call " in line and "called_often" in line]


@needs_jit
def test_no_kernel_compiles_a_message_about_shapes():
    """numba makes one where a row is assigned to a row, and takes seconds to compile it."""

    @njit(keep=False)
    def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
        fill_post(weights, pre[0], table[0], clamped, post[0])

    engine = TraceEngine(3, dim=4)
    engine.rule = replace(engine.rule, learn=learn, learn_blocks=None)
    engine.run([0, 1])
    (code,) = through_chunks(learn).inspect_llvm().values()
    assert "learn" in code and "shape_context" not in code


# Without the compiler -----------------------------------------------------------------------


def test_what_replaces_small_loops_without_the_compiler_equals_them():
    rng = np.random.default_rng(0)

    def numbers(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    rows, columns = numbers(6, 9), numbers(7, 9)
    vectors, residual = numbers(3, 64), numbers(64)
    calls = {
        (products.multiply_rows, products._multiply_rows): (rows, 4, columns, 4, np.zeros((16, 7))),
        (ccipca.take_in, ccipca._take_in): (
            vectors, 1, residual, np.float32(0.1), np.float32(2), np.float32([4, 9, 4]),
        ),
        (ccipca.leave_over, ccipca._leave_over): (vectors, 1, residual, np.float32(0.3)),
    }  # fmt: skip
    for kernels, args in calls.items():
        args = [a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in args]
        copies = [deepcopy(args) for _ in kernels]
        found = [kernel(*given) for kernel, given in zip(kernels, copies, strict=True)]
        for one, other in zip(*copies, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
        if found[0] is not None:
            np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


def test_a_learner_learns_without_the_compiler():
    """Slowly, to debug kernels step by step; small loops are taken by numpy."""
    program = """
import numpy as np
from hebbsim.engine import _jit, products
from hebbsim.engine.rules import ccipca
from hebbsim.models import RoleNetwork
from hebbsim.readers.grammar import make_builtin

corpus = make_builtin(n_train=20, n_dev=1, n_test=1, n_gen=0)
sentences = corpus.splits["train"].sentences()
small = ["words.size=5", "words.n_directions=4", "context_words=20", "tokens.n_directions=4"]
learner = RoleNetwork(n_clusters=6, passes=1, settings=small).fit(sentences)
print(len(learner.partial_fit(sentences[:3]).predict(sentences)) == sum(map(len, sentences)))
print(len(_jit.KERNELS), products.multiply_rows is products._multiply_rows)
print(ccipca.take_in is ccipca._take_in)
print(ccipca.leave_over is ccipca._leave_over)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "0", *["True"] * 3]
