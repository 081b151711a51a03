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
