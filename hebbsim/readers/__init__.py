"""Readers: every corpus becomes the same `Corpus` of `Split`."""

from __future__ import annotations

from hebbsim.readers.base import Corpus, Split
from hebbsim.readers.loading import load_corpus

__all__ = ["Corpus", "Split", "load_corpus"]
