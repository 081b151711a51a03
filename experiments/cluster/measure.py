"""Measure learning in shards: merge error, accuracy, scaling, and the model on paper.

    python experiments/cluster/measure.py merge TEXT       # a folder of text
    python experiments/cluster/measure.py accuracy        # all corpora, or those named
    python experiments/cluster/measure.py scaling TEXT
    python experiments/cluster/measure.py stages TEXT
    python experiments/cluster/measure.py paper
    python experiments/cluster/measure.py tabulate         # tables of NOTES.md

Each writes a table to `experiments/cluster/results/`; `paper` works from those of `stages`.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
RESULTS = HERE / "results"

#: Corpora of the comparison of one pass with shards, and options of both.
CORPORA: dict[str, dict[str, Any]] = {
    "builtin": {"seeds": 5},
    "ud-english-ewt": {"seeds": 5, "preset": "best"},
    "cogs": {"seeds": 3, "preset": "best"},
}


def sentences_of(folder: Path, n_tokens: int) -> list[list[str]]:
    """The first sentences of a folder of text, about so many tokens."""
    from hebbsim.readers.text import stream_text

    found, n = [], 0
    for sentence in stream_text(folder):
        found.append(sentence)
        n += len(sentence)
        if n >= n_tokens:
            break
    return found


def save(name: str, rows: list[dict[str, Any]]) -> None:
    RESULTS.mkdir(exist_ok=True)
    table = pd.DataFrame(rows)
    table.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.6g")
    print(table.to_string(index=False))


# Merge error -----------------------------------------------------------------------------------


def merge(folder: Path) -> None:
    """Sums of one pass in float32, and of merged shards, against float64."""
    rows = []
    for n_tokens in (30_000,):
        rows += merge_errors(sentences_of(folder, n_tokens))
    save("merge", rows)


def merge_errors(text: list[list[str]], n_columns: int = 500) -> list[dict[str, Any]]:
    from hebbsim.engine.contexts import sum_code_contexts, sum_word_contexts
    from hebbsim.engine.traces import decays
    from hebbsim.models.sharded import InProcess, Shards, encode, read_part
    from hebbsim.models.types import Text

    vocabulary = Shards(InProcess(), text, 1).use(20_000)
    (whole,) = encode(read_part(text, 0), vocabulary)
    n_types = len(vocabulary)
    tau = np.array([2.0, 8.0])
    keep, alpha = decays(tau)
    lags = np.arange(35)
    weights = (alpha[:, None] * keep[:, None] ** lags).astype(np.float32)
    codes = np.random.default_rng(0).dirichlet(np.full(50, 0.1), n_types + 1).astype(np.float32)
    exact = {
        "words": np.zeros((n_types, 2, 2, n_columns + 2)),
        "codes": np.zeros((n_types, 2, 2, 51)),
    }
    wide = weights.astype(np.float64), codes.astype(np.float64)
    sum_word_contexts(whole.ids, whole.offsets, n_columns, wide[0], exact["words"])
    sum_code_contexts(
        np.where(whole.ids < 0, n_types, whole.ids).astype(np.int32), whole.offsets, wide[1],
        keep.astype(np.float64), alpha.astype(np.float64), np.empty((2, 51)), exact["codes"],
    )  # fmt: skip

    def sums(passes: Any) -> dict[str, np.ndarray]:
        return {
            "words": passes.sum_words(n_types, n_columns, weights),
            "codes": passes.sum_codes(n_types, codes, keep, alpha),
        }

    one_pass, merged = sums(Text([whole])), []
    for n_shards in (1, 5, 64):
        shards = Shards(InProcess(), text, n_shards)
        shards.use(20_000)
        merged.append(sums(shards))
    rows = []
    for kind, size in exact.items():
        same = all(m[kind].tobytes() == merged[0][kind].tobytes() for m in merged)
        there = size > 0
        for name, found in (("one pass", one_pass), ("1, 5 or 64 shards", merged[0])):
            error = np.abs(found[kind][there] - size[there])
            rows.append(
                {
                    "tokens": int(whole.offsets[-1]), "sums over": kind, "learned in": name,
                    "largest error": error.max(),
                    "largest relative": (error / size[there]).max(),
                    "median relative": np.median(error / size[there]),
                    "identical bits": "yes" if name != "one pass" and same else "",
                }
            )  # fmt: skip
    return rows


# Accuracy --------------------------------------------------------------------------------------


def accuracy(*names: Path) -> None:
    """One pass and shards on the same seeds, compared pair by pair; all corpora without names.

    In this process: on Dask workers not a bit differs, which is tested.
    """
    rows: list[dict[str, Any]] = []
    for corpus in map(str, names or CORPORA):
        rows += compare_ways(corpus)
        save("accuracy", rows)


def compare_ways(name: str) -> list[dict[str, Any]]:
    from threadpoolctl import threadpool_limits

    from hebbsim.experiments.roles import make_learner
    from hebbsim.experiments.roles_config import RolesConfig
    from hebbsim.models.sharded import InProcess, Shards, fit_shards
    from hebbsim.probes import RoleReadout
    from hebbsim.probes.paired import paired_test
    from hebbsim.readers import load_corpus

    config = RolesConfig.checked({"corpus": name, **CORPORA[name]})
    corpus = load_corpus(name)
    sentences = {split: s.sentences() for split, s in corpus.splits.items()}
    roles = {split: s.layers[corpus.layer] for split, s in corpus.splits.items()}
    parts = {"dev": ["dev"], "test": ["test"], "gen": [s for s in roles if s.startswith("gen/")]}
    found: dict[tuple[str, str], list[float]] = {}
    with threadpool_limits(1):
        for seed in range(config.seeds):
            for way in ("one pass", "shards"):
                learner = make_learner(config, seed)
                if way == "shards":
                    fit_shards(learner, Shards(InProcess(), sentences["train"], 4))
                else:
                    learner.fit(sentences["train"])
                named = RoleReadout().fit(learner.predict(sentences["dev"]), roles["dev"])
                for part, splits in parts.items():
                    if not splits:
                        continue
                    right = total = 0
                    for split in splits:
                        predicted = named.predict(learner.predict(sentences[split]))
                        right += int((predicted == roles[split]).sum())
                        total += len(predicted)
                    found.setdefault((part, way), []).append(right / total)
                print(
                    name,
                    seed,
                    way,
                    {k[0]: round(v[-1], 4) for k, v in found.items() if k[1] == way},
                )
    rows = []
    for part in ("test", "gen"):
        if (part, "shards") in found:
            shards, one = found[part, "shards"], found[part, "one pass"]
            test = paired_test(shards, one)
            rows.append(
                {
                    "corpus": name, "split": part, "seeds": test.n,
                    "one pass": np.mean(one), "shards": np.mean(shards),
                    "difference": test.difference.mean, "low": test.difference.low,
                    "high": test.difference.high, "p": test.p,
                }
            )  # fmt: skip
    return rows


# Scaling ---------------------------------------------------------------------------------------


def scaling(folder: Path) -> None:
    """Times of a fit by workers: tokens that are sorted, and more text for codes of words."""
    from hebbsim import HebbianRoleInducer
    from hebbsim.experiments.workers import DaskWorkers, open_dask
    from hebbsim.models.sharded import Shards, fit_shards

    options = {"timescales": (2, 8), "n_clusters": 300, "epochs": 1}
    rows = []
    for n_sorted, n_text in ((300_000, 0), (50_000, 10_000_000)):
        sentences = sentences_of(folder, n_sorted + n_text)
        ends = np.cumsum([len(sentence) for sentence in sentences])
        cut = int(np.searchsorted(ends, n_sorted)) + 1
        for workers, share in ((1, 1.0), (2, 1.0), (1, 0.5)):
            part = sentences[: int(share * cut)]
            more = sentences[cut : cut + int(share * (len(sentences) - cut))]
            with (
                tempfile.TemporaryDirectory() as place,
                open_dask(n_workers=workers) as client,
            ):
                files = write_files(more, Path(place), 8) if more else []
                warm = Shards(DaskWorkers(client), part[:500], workers, text=files[:workers])
                fit_shards(HebbianRoleInducer(**options), warm)
                before = client.run(time.process_time)
                began, own = time.perf_counter(), time.process_time()
                shards = Shards(DaskWorkers(client), part, workers, text=files)
                fit_shards(HebbianRoleInducer(**options), shards, round_size=4096)
                wall, own = time.perf_counter() - began, time.process_time() - own
                after = client.run(time.process_time)
                used = [after[a] - before[a] for a in after]
            rows.append(
                {
                    "workers": workers, "sorted": sum(map(len, part)),
                    "more_text": sum(map(len, more)), "wall_s": wall, "driver_cpu_s": own,
                    "worker_cpu_s": sum(used), "most_of_one_s": max(used),
                }
            )  # fmt: skip
            save("scaling", rows)


def write_files(sentences: list[list[str]], folder: Path, n: int) -> list[Path]:
    """The sentences as `n` files of plain text, one sentence a line."""
    paths = []
    for number in range(n):
        share = sentences[number * len(sentences) // n : (number + 1) * len(sentences) // n]
        paths.append(folder / f"{number}.txt")
        paths[-1].write_text("\n".join(map(" ".join, share)) + "\n", encoding="utf-8")
    return paths


def stages(folder: Path) -> None:
    """Processor time of every stage in one process, by token, and what it sends."""
    from hebbsim import HebbianRoleInducer
    from hebbsim.models import sharded

    text = sentences_of(folder, 30_000)
    spent: dict[str, float] = {}
    calls: dict[str, int] = {}
    sent: dict[str, int] = {}

    class Timed(sharded.InProcess):
        def hold(self, function: Callable[..., Any], *args: Any) -> Any:
            began = time.process_time()
            found = function(*args)
            name = function.__name__
            spent[name] = spent.get(name, 0.0) + time.process_time() - began
            calls[name] = calls.get(name, 0) + 1
            sent[name] = max(sent.get(name, 0), size_of(found))
            return found

        def merged(self, held: Any) -> Any:
            began = time.process_time()
            found = super().merged(held)
            spent["merge"] = spent.get("merge", 0.0) + time.process_time() - began
            calls["merge"] = calls.get("merge", 0) + len(held) - 1
            return found

    options = {"timescales": (2, 8), "n_clusters": 100, "epochs": 1}
    sharded.fit_shards(
        HebbianRoleInducer(**options), sharded.Shards(sharded.InProcess(), text[:500], 2)
    )
    began = time.process_time()
    shards = sharded.Shards(Timed(), text, 4)
    sharded.fit_shards(HebbianRoleInducer(**options), shards, round_size=8192)
    whole = time.process_time() - began
    rows = [
        {
            "stage": name, "calls": calls[name], "cpu_s": spent[name],
            "us_by_token": 1e6 * spent[name] / shards.n_tokens, "bytes_sent": sent.get(name, 0),
        }
        for name in spent
        if name != "_same"
    ]  # fmt: skip
    driver = whole - sum(spent.values())
    rows.append({"stage": "driver", "calls": 1, "cpu_s": driver,
                 "us_by_token": 1e6 * driver / shards.n_tokens, "bytes_sent": 0})  # fmt: skip
    types = [
        {"tokens": n, "types": len({w for s in text[: n * len(text) // 30_000] for w in s})}
        for n in (5_000, 10_000, 20_000, 30_000)
    ]
    save("types", types)
    save("stages", rows)


def size_of(value: Any) -> int:
    """Bytes of the arrays of a summary, and of the words of counts."""
    from hebbsim.models.summaries import WordCounts

    if isinstance(value, WordCounts):
        return sum(len(word.encode()) + 24 for word in value.counts)
    if hasattr(value, "__dataclass_fields__"):
        return sum(size_of(getattr(value, name)) for name in value.__dataclass_fields__)
    return int(getattr(value, "nbytes", 8))


# On paper --------------------------------------------------------------------------------------


def paper() -> None:
    """Time and bytes for many workers, from the measured costs; what is assumed is said here."""
    cost = pd.read_csv(RESULTS / "stages.csv").set_index("stage")
    us = cost["us_by_token"]
    by_text = (us["read_part"] + us["count_words"] + us["encode"] + us["sum_words"]
               + us["sum_codes"])  # fmt: skip
    types = pd.read_csv(RESULTS / "types.csv")
    growth, start = np.polyfit(np.log(types["tokens"]), np.log(types["types"]), 1)

    n_kept, scales, columns, categories = 30_000, 2, 502, 101  # V, S, context words, categories
    network = 1.25e9  # bytes a second of a worker: 10 Gbit
    memory = 3e9  # bytes a second of an addition in int64, measured by numpy on one core
    task = 1e-3  # seconds of the scheduler by task, as Dask's own documentation gives it
    fan_in = 8
    train, round_size, clusters, width = 1_000_000, 1024, 300, 160
    rows = []
    for workers, tokens in itertools.product((1, 10, 100, 1000), (1e9, 1e12)):
        depth = math.ceil(math.log(max(workers, 2), fan_in))
        text = tokens / workers * by_text * 1e-6
        words = n_kept * 2 * scales * columns * 8
        codes = n_kept * 2 * scales * categories * 8
        merged = words + 2 * codes
        tree = depth * fan_in * merged * (1 / network + 1 / memory) if workers > 1 else 0.0
        # Heaps' law, as the text measured follows it: words of all, and of one worker's share.
        vocabulary = math.exp(start) * tokens**growth
        own = math.exp(start) * (tokens / workers) ** growth
        counts = 150 * (own * fan_in * depth if workers > 1 else own)
        counting = vocabulary * 1e-6 * min(workers, fan_in)
        shards = min(workers, 64)
        rounds = 3 * train / round_size
        competing = rounds * (
            shards * task + 1e-6 * us["compete_in_round"] * round_size / shards
            + 2 * clusters * width * 8 * (depth if workers > 1 else 0) / network
        )  # fmt: skip
        total = text + tree + counting + competing
        parts = {"text": text, "merging": tree, "vocabulary": counting, "competition": competing}
        rows.append(
            {
                "workers": workers, "tokens": f"{tokens:.0e}", "hours": total / 3600,
                "text_h": text / 3600, "merge_s": tree, "vocabulary_s": counting,
                "competition_s": competing, "GB_merged_by_one": depth * fan_in * merged / 1e9
                if workers > 1 else 0.0,
                "types": vocabulary, "vocabulary_GB": counts / 1e9,
                "bottleneck": max(parts, key=lambda name: parts[name]),
            }
        )  # fmt: skip
    save("paper", rows)


# Tables of the notes ---------------------------------------------------------------------------


def tabulate() -> None:
    """Put every table of `results/` between its marks in NOTES.md."""
    path = HERE / "NOTES.md"
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"<!-- (\w+) -->", text):
        file = RESULTS / f"{name}.csv"
        if file.is_file():
            table = pd.read_csv(file, keep_default_na=False)
            lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
            lines += ["| " + " | ".join(shown(v) for v in row) + " |" for row in table.values]
            block = "\n".join([f"<!-- {name} -->", *lines, f"<!-- /{name} -->"])
            pattern = rf"<!-- {name} -->.*?<!-- /{name} -->"
            text = re.sub(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
    path.write_text(text, encoding="utf-8")


def shown(value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}"
    return f"{number:.3g}" if abs(number) < 1e-3 or abs(number) >= 1000 else f"{number:.4g}"


if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    verb, *rest = sys.argv[1:]
    verbs = {each.__name__: each for each in (merge, accuracy, scaling, stages, paper, tabulate)}
    if verb not in verbs:
        sys.exit(__doc__)
    verbs[verb](*map(Path, rest))
