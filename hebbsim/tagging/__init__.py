"""A learner put to use: roles of new text, and what was learned as a person can read it."""

from hebbsim.tagging.tagger import Assignment, RoleTagger, Token, load

__all__ = ["Assignment", "RoleTagger", "Token", "load"]
