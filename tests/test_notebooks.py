"""The notebooks run from beginning to end, on small settings, and are kept small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hebbsim.readers.grammar import make_builtin
from hebbsim.readers.tables import write_tables

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
#: In place of what the cell tagged "parameters" says.
SMALL = {
    "from-one-neuron-to-roles": {"n_sentences": 300, "n_clusters": 30, "lags": 3},
    "online-learning-as-it-happens": {"n_sentences": 600, "n_clusters": 20, "every": 60},
    "your-own-corpus-your-own-rule": {
        "n_sentences": 200,
        "n_clusters": 15,
        "n_seeds": 1,
        "corpus": "the fixture",
    },
}

nbformat = pytest.importorskip("nbformat")
pytestmark = pytest.mark.skipif(not NOTEBOOKS, reason="not run from the source tree")


def execute(notebook, folder):
    """Run a notebook with this very interpreter, whatever kernels are installed."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    kernels = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    nbclient.NotebookClient(
        notebook, km=kernels, timeout=300, resources={"metadata": {"path": str(folder)}}
    ).execute()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_tables(make_builtin(n_train=300, n_dev=80, n_test=80, n_gen=20), folder)
    return str(folder)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebooks:
    def test_runs_on_small_settings(self, path, corpus, tmp_path):
        notebook = nbformat.read(path, as_version=4)
        tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
        at = tags.index(["parameters"])
        small = SMALL[path.stem]
        if "corpus" in small:
            small = small | {"corpus": corpus}
        for name in small:  # a name that the notebook does not have would change nothing
            assert re.search(rf"^{name} = ", notebook.cells[at].source, re.M), name
        text = "\n".join(f"{name} = {value!r}" for name, value in small.items())
        notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(text))
        execute(notebook, tmp_path)
        # Whatever a notebook writes goes to a temporary folder.
        assert list(tmp_path.iterdir()) == []

    def test_is_kept_as_it_ran_and_small(self, path):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
        outputs = [output for cell in code for output in cell.outputs]
        assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
        assert [o for o in outputs if "image/png" in o.get("data", {})]
        assert path.stat().st_size < 250_000
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/tmp/|/home/|/root/|/work/|[A-Z]:\\\\", text)


def test_every_notebook_has_small_settings():
    assert {path.stem for path in NOTEBOOKS} == set(SMALL)
