import hypothesis

# Compilation falls into whichever example comes first; a deadline would measure that.
hypothesis.settings.register_profile("same-examples", deadline=None, derandomize=True)
hypothesis.settings.register_profile(
    "new-examples", deadline=None, derandomize=False, print_blob=True
)
# A profile takes what it does not name from the current one, which where the variable CI is
# set is Hypothesis' own "ci", with the same examples every time.
# `--hypothesis-profile new-examples`, of `make test-all`, comes after this.
hypothesis.settings.load_profile("same-examples")
