"""How the suite itself is run: its examples, and plugins that others bring along."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parent.parent


def test_examples_are_the_same_every_time_unless_new_ones_are_asked_for(pytestconfig):
    asked = pytestconfig.getoption("hypothesis_profile")
    assert hypothesis.settings().derandomize == (asked != "new-examples")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("target", "new"), [("test", False), ("test-all", True)])
def test_make_test_all_draws_new_examples_and_make_test_does_not(target, new):
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ("--hypothesis-profile new-examples" in done.stdout) == new
    assert not hypothesis.settings.get_profile("new-examples").derandomize


def test_pytest_starts_beside_the_plugin_of_nengo(tmp_path):
    # Plugins are found by their distributions, so that an empty one stands in for nengo's.
    about = tmp_path / "nengo-4.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: nengo\nVersion: 4.1.0\n")
    (about / "entry_points.txt").write_text("[pytest11]\nnengo = pytest_nengo\n")
    (tmp_path / "pytest_nengo.py").write_text("raise ImportError('startdir')\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "tests/test_packaging.py"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
