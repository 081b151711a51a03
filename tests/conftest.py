import hypothesis

# Compilation falls into whichever example comes first; a deadline would measure that.
hypothesis.settings.register_profile("hebbsim", deadline=None)
hypothesis.settings.load_profile("hebbsim")
