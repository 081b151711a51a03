"""`hebbsim doctor`: what it finds, and what it says is to be mended."""

from __future__ import annotations

import io
import json
from importlib.metadata import PackageNotFoundError

import pytest
from rich.console import Console

from hebbsim import __version__, doctor
from hebbsim.cli import doctor as cli
from hebbsim.cli import main


def test_it_finds_versions_threads_folders_and_extras():
    found = doctor.examine()
    assert found.sections["versions"]["hebbsim"] == __version__
    assert {"numpy", "numba", "safetensors"} <= set(found.sections["versions"])
    assert found.sections["threads"]["cores"]
    assert "__pycache__" in found.sections["folders"]["kernels"] or found.problems
    extras = {extra.name: extra for extra in found.extras}
    assert {"torch", "cluster", "test"} <= set(extras) and "all" not in extras
    assert {"dask", "distributed", "pyarrow"} <= {
        *extras["cluster"].installed,
        *(text.split(">")[0] for text in extras["cluster"].missing),
    }
    assert "numpy" not in extras["cluster"].installed  # needed anyway: no extra adds it
    assert [extra.name for extra in found.extras if not extra.purpose] == []


def test_what_is_missing_or_too_old_is_named(monkeypatch):
    def version(name):
        if name == "distributed":
            raise PackageNotFoundError
        return {"numpy": "1.0", "dask": "2020.1"}.get(name, "99.0")

    monkeypatch.setattr(doctor, "version", version)
    found = doctor.examine()
    cluster = next(extra for extra in found.extras if extra.name == "cluster")
    assert not cluster.complete
    assert [text.split(">")[0] for text in cluster.missing] == ["dask", "distributed"]
    (problem,) = [p for p in found.problems if p.startswith("numpy")]
    assert problem.startswith("numpy 1.0 is not >=") and "pip install 'numpy>=" in problem


def test_folders_that_cannot_be_used_are_to_be_mended(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("HEBBSIM_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(doctor.tempfile, "mkdtemp", _refuse)
    problems = doctor.examine().problems
    assert any("HEBBSIM_DATA_DIR" in problem for problem in problems)
    assert any("cannot be written (Read-only file system)" in problem for problem in problems)


def _refuse(**_):
    raise OSError(30, "Read-only file system")


def test_the_command_prints_either_form_and_fits_80_columns(capsys, monkeypatch):
    stream = io.StringIO()
    found = doctor.examine()
    cli._show(found, Console(file=stream, width=80, highlight=False))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in stream.getvalue()
    assert any(line.startswith("cluster") for line in lines)
    for problems, status in (([], 0), (["something is wrong"], 1)):
        monkeypatch.setattr(doctor, "examine", lambda p=problems: doctor.Diagnosis(
            found.sections, found.extras, p
        ))  # fmt: skip
        with pytest.raises(SystemExit) as end:
            main(["doctor", "--json"])
        assert end.value.code == status
        document = json.loads(capsys.readouterr().out)
        assert document["schema"] == "hebbsim.doctor/1" and document["problems"] == problems
