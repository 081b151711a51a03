"""Data that travels with hebbsim: grammars, role schemes, the registry of corpora."""
