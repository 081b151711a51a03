import importlib.util
import sys
from pathlib import Path

import hypothesis
import pytest

# Compilation falls into whichever example comes first; a deadline would measure that.
hypothesis.settings.register_profile("same-examples", deadline=None, derandomize=True)
hypothesis.settings.register_profile(
    "new-examples", deadline=None, derandomize=False, print_blob=True
)
# A profile takes what it does not name from the current one, which where the variable CI is
# set is Hypothesis' own "ci", with the same examples every time.
# `--hypothesis-profile new-examples`, of `make test-all`, comes after this.
hypothesis.settings.load_profile("same-examples")


@pytest.fixture
def no_figures(monkeypatch):
    """Runs write their tables alone: to draw them takes half of the time of a small run."""
    import hebbsim.runs.figures

    monkeypatch.setattr(hebbsim.runs.figures, "draw_run", lambda *_: {})


@pytest.fixture(scope="module")
def script():
    """Import a script of `experiments/` by its path; a test is skipped outside the source tree."""
    with pytest.MonkeyPatch.context() as patch:

        def load(path):
            file = Path(__file__).parents[1] / "experiments" / path
            if not file.exists():
                pytest.skip("not run from the source tree")
            spec = importlib.util.spec_from_file_location(file.stem, file)
            module = importlib.util.module_from_spec(spec)
            # A dataclass looks its module up by name.
            patch.setitem(sys.modules, file.stem, module)
            spec.loader.exec_module(module)
            return module

        yield load
