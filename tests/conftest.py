import hypothesis

# Compilation falls into whichever example comes first; a deadline would measure that.
hypothesis.settings.register_profile("same-examples", deadline=None, derandomize=True)
hypothesis.settings.register_profile("new-examples", deadline=None, print_blob=True)
# `--hypothesis-profile new-examples`, of `make test-all`, comes after this.
hypothesis.settings.load_profile("same-examples")
