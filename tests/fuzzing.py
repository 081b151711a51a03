"""Malformed inputs by the million: seeds, mutations, and what every reader must do with them.

Each target takes bytes and reads them as one kind of file. It returns whether they were
refused; anything but a result, or one line that names the file, is a finding and raises.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hebbsim.engine.checkpoint import read_checkpoint, write_checkpoint
from hebbsim.engine.network.description import build, read_network
from hebbsim.engine.trace_engine import TraceEngine
from hebbsim.errors import BadInputError, DivergenceError
from hebbsim.models import RoleNetwork, RolePopulation
from hebbsim.readers import load_corpus
from hebbsim.readers.cogs import read_cogs
from hebbsim.readers.tables import read_tables
from hebbsim.readers.text import stream_text
from hebbsim.readers.ud import RoleScheme, read_conllu

ENGINE = "hebbsim.trace-engine/2"
NETWORK, POPULATION = "hebbsim.role-network/4", "hebbsim.role-population/3"
SCHEME = RoleScheme.load()

CONLLU = b"""# sent_id = 1
1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tdo\tdo\tAUX\tVBP\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\tVB\tMood=Ind\t0\troot\t0:root\tSpaceAfter=No
4\tand\tand\tCCONJ\tCC\t_\t5\tcc\t_\t_
4.1\tgo\t_\t_\t_\t_\t_\t_\t_\t_
5\tstay\tstay\tVERB\tVB\t_\t3\tconj\t3:conj:and\t_

1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_
"""
TABLE = b"""sent_id\ttype\tidx\tform\tgrammatical
train-00001\tx\t0\tthe\tDET
train-00001\tx\t1\tcat\tSUBJ
train-00002\ty\t0\tsaw\tPRED
"""
COGS = (
    b"A cat saw the dog .\tsee . agent ( x _ 2 , x _ 1 ) AND see . theme ( x _ 2 , x _ 4 )\t"
    b"in_distribution\nEmma ran .\trun . agent ( x _ 1 , Emma )\tprimitive\n"
)
FREE = (  # variable-free, with a relative clause and a question, and with numbers as variables
    b"Emma saw the cat that ran .\tsee ( agent = Emma , theme = * cat ( nmod = "
    b"run ( agent = * cat ) ) )\tx\nWho ran ?\trun ( agent = ? )\tQ\nEmma ran .\t"
    b"Emma ( 7 ) ; run ( 2 ) AND agent ( 2 , 7 )\tx\n"
)
JSON = b'[\n {"text": "It rains."},\n {"text": null}, {"text": "w\\u00f6rds"}\n]\n'
CSV = b'id,text\n1,"It rains, and ""stays""."\n2,Why?\n'
DESCRIPTION = b"""timescales = [2, 8]
max_words = 20
[[words]]
name = "first"
below = "text"
size = 3
n_directions = 2
settle = 5
memory = { rule = "instar", eta = 0.9 }
[tokens]
name = "tokens"
below = "first"
size = 2
n_directions = 2
start = 6
settle = 4
subsample = 0.9
lengths = [1.0, 0.9, 0.9, 0.7, 0.3]
"""
JSONL = b'{"text": "It rains. I stay."}\n["My", "own", "w\\u00f6rds"]\n"one"\n{"tokens": ["a"]}\n'
TEXT = "It rains; I can’t stay!\n\n“Why?” asked Dr. Hill.\r\n".encode()

#: What mutations put in: what parsers trip over.
SPICE = [
    b"", b"\0", b"\n", b"\r", b"\r\n", b"\t", b" ", b"-", b".", b"-1", b"0", b"1.5", b"99999999999",
    b"1" * 5000, b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\x1f\x8b", b"BZh9",
    b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"[", b"{", b'"', b"\\", b"\\ud800", b"NaN", b"-Infinity",
    b"1e999", b"null", b"true", b"[" * 3000, b'{"a":' * 2000, b"#", b"_", b"conj", b"0:root",
    b"\xf0\x9f\x92\xa9", "é".encode(), "İ".encode(), b"a" * 3000, b"'" * 999, b"( x _ ", b" AND ",
]  # fmt: skip


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A few cuts, flips, insertions, repeats and swaps of lines or columns."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(out) + 1)
        end = min(len(out), at + rng.choice((1, 1, 2, 5, 20, 200)))
        way = rng.randrange(8)
        if way == 0:
            del out[at:end]
        elif way == 1 and out:
            out[at % len(out)] ^= 1 << rng.randrange(8)
        elif way == 2:
            out[at:at] = rng.choice(SPICE)
        elif way == 3:
            out[at:end] = rng.choice(SPICE)
        elif way == 4:
            out[at:at] = out[at:end] * rng.randrange(1, 4)
        elif way == 5:
            out[at:end] = rng.randbytes(end - at)
        elif way == 6:
            lines = bytes(out).split(b"\n")
            rng.shuffle(lines)
            out = bytearray(b"\n".join(lines))
        else:
            cells = bytes(out).split(b"\t")
            i, j = rng.randrange(len(cells)), rng.randrange(len(cells))
            cells[i] = cells[j]
            out = bytearray(b"\t".join(cells))
    if rng.random() < 0.02:
        return gzip.compress(bytes(out), 1)[: rng.choice((None, -1, 9))]
    return bytes(out)


# --- checkpoints whose digest is right and whose content is not ----------------------------

_VALUES: list[Any] = [
    None, True, 0, -1, 1, 3, 10**9, 10**30, 1.5, float("nan"), float("inf"), "", "x", "2,8", [], {},
    [0], {"a": 1}, {"list": []}, {"array": "0"}, {"same": 0}, {"scalar": "0"}, {"dict": [[1, 2]]},
    {"object": "Vocabulary", "number": 0, "state": {}}, "oja", "stdp", [1e300],
]  # fmt: skip


def resealed(content: tuple[dict[str, Any], dict[str, Any]], rng: random.Random) -> Any:
    """Arrays and document of a checkpoint, changed in a place or two."""
    arrays, document = dict(content[0]), copy.deepcopy(content[1])
    for _ in range(rng.choice((1, 1, 2))):
        if rng.random() < 0.5:
            name = rng.choice(list(arrays))
            array = arrays[name]
            way = rng.randrange(7)
            if way == 0 and len(arrays) > 1:
                del arrays[name]
            elif way == 1:
                arrays[name] = array.astype(rng.choice(("f4", "f8", "i4", "i8", "u1", "?", "f2")))
            elif way == 2:
                arrays[name] = array.reshape(-1)[: rng.randrange(3)]
            elif way == 3:
                arrays[name] = np.zeros(rng.choice([(), (0,), (2, 3), (1, 1, 1)]), array.dtype)
            elif way == 4:
                arrays[name] = np.full_like(array, rng.choice((0, 1, 100)))
            elif way == 5 and array.dtype.kind == "f":
                arrays[name] = np.full_like(array, rng.choice((np.nan, np.inf, -1e38)))
            else:
                arrays[name] = arrays[rng.choice(list(arrays))]
        else:
            _change(document, rng)
    return arrays, document


def _change(document: Any, rng: random.Random) -> None:
    """Replace, drop or add one value somewhere below."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in list(items):
            places.append((node, key))
            if isinstance(value, (dict, list)):
                walk(value)

    walk(document)
    if not places:
        return
    node, key = rng.choice(places)
    if rng.random() < 0.2:
        del node[key]
    elif rng.random() < 0.3:
        other, place = rng.choice(places)  # still there: nothing has been taken yet
        node[key] = copy.deepcopy(other[place])
    else:
        node[key] = copy.deepcopy(rng.choice(_VALUES))


# --- targets ------------------------------------------------------------------------------


class Targets:
    """Readers over files in one folder.

    Parameters
    ----------
    folder : Path
        Best one in memory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tables").mkdir(exist_ok=True)
        about = {"name": "t", "layer": "grammatical", "splits": ["train"]}
        self._about = json.dumps(about).encode()
        engine = TraceEngine(5, dim=3, timescales=[2], rule="competitive").run([0, 1, 2])
        engine.save(folder / "engine")
        words = [["a", "b", "c"], ["b", "c", "a", "d"]] * 3
        (folder / "described.toml").write_bytes(DESCRIPTION)
        RoleNetwork(folder / "described.toml").partial_fit(words).save(folder / "role-network")
        population = RolePopulation(2, folder / "described.toml", n_clusters=2)
        population.fit(words).save(folder / "population")
        self._sealed = {
            kind: (read_checkpoint(folder / kind, name), name)
            for kind, name in (
                ("engine", ENGINE),
                ("population", POPULATION),
                ("role-network", NETWORK),
            )
        }
        self.seeds: dict[str, list[bytes]] = {
            "conllu": [CONLLU], "table": [TABLE], "about": [self._about], "cogs": [COGS, FREE],
            "jsonl": [JSONL], "json": [JSON], "csv": [CSV], "any": [CONLLU, JSON, CSV, FREE, TEXT],
            "text": [TEXT], "scheme": [b'{"roles": {"nsubj": "SUBJ"}}'],
            "engine": [(folder / "engine").read_bytes()],
            "population": [(folder / "population").read_bytes()],
            "role-network": [(folder / "role-network").read_bytes()],
            "described": [DESCRIPTION],
        }  # fmt: skip

    def read(self, kind: str, data: bytes) -> bool:
        """Read bytes as a kind of file; whether they were refused."""
        names = {"jsonl": "x.jsonl", "json": "x.json", "csv": "x.csv", "text": "x.txt"}
        path = self.folder / names.get(kind, f"x-{kind}")
        if kind in ("table", "about"):
            path = self.folder / "tables"
            table, about = (data, self._about) if kind == "table" else (TABLE, data)
            (path / "train.tokens.tsv").write_bytes(table)
            (path / "corpus.json").write_bytes(about)
        else:
            path.write_bytes(data)
        do: dict[str, Callable[[], object]] = {
            "conllu": lambda: self._conllu(path),
            "table": lambda: read_tables(path),
            "about": lambda: read_tables(path),
            "cogs": lambda: read_cogs({"train": path}),
            "any": lambda: load_corpus(path),
            "csv": lambda: [None for _ in stream_text(path)],
            "json": lambda: [None for _ in stream_text(path)],
            "jsonl": lambda: [None for _ in stream_text(path)],
            "text": lambda: [None for _ in stream_text(path)],
            "scheme": lambda: RoleScheme.load(path),
            "engine": lambda: self._run(TraceEngine.load(path)),
            "population": lambda: RolePopulation.load(path).predict([["a", "x"], ["b"]]),
            "role-network": lambda: self._go_on(RoleNetwork.load(path)),
            "described": lambda: self._build(path),
        }
        return refused(do[kind], str(path))

    def _conllu(self, path: Path) -> None:
        stream = path.with_suffix(".conllu")
        stream.write_bytes(path.read_bytes())
        try:
            for _ in stream_text(stream):
                pass
        except BadInputError as error:
            check(error, str(stream))
        read_conllu(path, "train", SCHEME)

    def _run(self, engine: TraceEngine) -> None:
        with contextlib.suppress(DivergenceError):  # said in a line: a learning rate of 10^300
            engine.run([0, 1, 4], [0, 2])

    def _go_on(self, learner: RoleNetwork) -> None:
        if learner.network_.settled:
            learner.predict([["a", "x"], ["b"]])
        learner.partial_fit([["a", "b", "x"], ["c"]])

    def _build(self, path: Path) -> None:
        description = read_network(path)
        try:
            build(description)
        except BadInputError as error:  # of a network, wherever it was described
            check(error, "")

    def reseal(self, kind: str, rng: random.Random) -> bool:
        """Read a checkpoint whose content was changed and sealed again."""
        whole, name = self._sealed[kind]
        try:
            write_checkpoint(self.folder / f"x-{kind}", name, *resealed(whole, rng))
        except TypeError:  # safetensors has no such type
            return True
        return self.read(kind, (self.folder / f"x-{kind}").read_bytes())


def refused(read: Callable[[], object], path: str) -> bool:
    """Whether a reader refuses, as it should: in one line that names the file."""
    try:
        read()
    except BadInputError as error:
        check(error, path)
        return True
    return False


def check(error: BadInputError, path: str) -> None:
    said = str(error)
    assert path in said, f"names no file: {said}"
    assert "\n" not in said and len(said) < 1000, f"not one line: {said[:200]!r}"
