"""Equations of the site: what MathML cannot say is a warning, and so an error of the build."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx")
pytest.importorskip("latex2mathml")

EXTENSIONS = Path(__file__).parents[1] / "docs/_ext"


@pytest.mark.parametrize(
    ("equation", "fault"), [(r"\operatorname{argmin}_j x_j", ""), (r"\arg\min_j x_j", r"\arg")]
)
def test_a_command_that_would_stand_on_the_page_as_typed_stops_the_build(tmp_path, equation, fault):
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(EXTENSIONS)!r})\nextensions = ['mathml']\n"
    )
    (tmp_path / "index.rst").write_text(f"Title\n=====\n\nInline :math:`{equation}`.\n")
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", str(tmp_path), str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode != 0) == bool(fault), done.stderr
    assert fault in done.stderr
    assert (r"<mi>\arg" in (out / "index.html").read_text(encoding="utf-8")) == bool(fault)
