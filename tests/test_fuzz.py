"""Malformed files of every kind: refused in one line that names the file, or read."""

from __future__ import annotations

import random

import pytest
from fuzzing import CONLLU, JSONL, TABLE, Targets, check, mutated
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbsim.errors import BadInputError

KINDS = [
    "conllu", "table", "about", "cogs", "jsonl", "json", "csv", "any", "text", "scheme", "engine",
    "population", "role-network", "described",
]  # fmt: skip


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    return Targets(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_mutations_start_from_is_read(targets, kind):
    assert not any(targets.read(kind, seed) for seed in targets.seeds[kind])


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_mutated_files(targets, kind, seed):
    rng = random.Random(seed)
    targets.read(kind, mutated(rng.choice(targets.seeds[kind]), rng))


@pytest.mark.parametrize("kind", ["engine", "population", "role-network"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=60)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numbers that a changed type cannot hold
def test_checkpoints_that_were_changed_and_sealed_again(targets, kind, seed):
    targets.reseal(kind, random.Random(seed))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.binary(max_size=200))
@settings(max_examples=50)
def test_any_bytes(targets, kind, data):
    targets.read(kind, data)


# Found by the fuzzers, and kept.
CASES = {
    "a number of 5000 digits as an id": ("conllu", b"1-" + b"1" * 5000 + b"\ta" + b"\t_" * 8),
    "a number of 5000 digits in JSON": ("jsonl", b'{"text": ' + b"1" * 5000 + b"}"),
    "a number of 5000 digits in corpus.json": ("about", b'{"name": ' + b"1" * 5000 + b"}"),
    "nesting in a scheme": ("scheme", b'{"a":' * 5000),
    "nesting in corpus.json": ("about", b"[" * 5000),
    "a split of a very long name": ("about", b'{"name": "t", "splits": ["' + b"1" * 5000 + b'"]}'),
    "a split with a zero byte": ("about", b'{"name": "t", "splits": ["a\\u0000b"]}'),
    "a split outside the folder": ("about", b'{"name": "t", "splits": ["gen/.."]}'),
    "a table without a word": ("table", TABLE.splitlines()[0]),
    "thousands of letters to quote": ("cogs", b"A cat ran .\t" + b"s" * 3000 + b"\tx\n"),
    "half of a pair in JSON": ("jsonl", b'"\\ud800"'),
    "lines cut by a form feed": ("conllu", CONLLU.replace(b"go\tgo", b"g\x0co\tgo")),
    "a mark at the start, then JSON": ("jsonl", b"\xef\xbb\xbf" + JSONL),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_found_once(targets, name):
    targets.read(*CASES[name])


def test_a_message_is_one_line_whatever_it_quotes():
    error = BadInputError("a.txt:1: cannot read '\x1b[2J" + "x" * 5000 + "'\nat all\x00")
    check(error, "a.txt")
    assert str(error).isprintable() and str(error).endswith("at all\\x00")


def test_the_fuzzer_notices(targets, monkeypatch):
    """A reader that crashes, one that names no file, and one that says two lines."""

    def broken(error):
        def read(path):
            raise error

        return read

    for error in (ZeroDivisionError(), BadInputError("something is wrong")):
        monkeypatch.setattr("fuzzing.read_cogs", broken(error))
        with pytest.raises((ZeroDivisionError, AssertionError)):
            targets.read("cogs", b"x")
