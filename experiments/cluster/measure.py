"""Measure what learning the network in shards costs: accuracy, choices on dev, scaling.

    python experiments/cluster/measure.py accuracy        # shards beside online, same seeds
    python experiments/cluster/measure.py rounds          # blocks and tokens in a round, on dev
    python experiments/cluster/measure.py scaling TEXT    # a folder of text
    python experiments/cluster/measure.py curve TEXT      # wall time by step, 1 to 8 workers
    python experiments/cluster/measure.py tabulate        # tables of NOTES.md

Each writes a table to `experiments/cluster/results/`.
"""

from __future__ import annotations

import functools
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
SEEDS = 5


def save(name: str, rows: list[dict[str, Any]]) -> None:
    RESULTS.mkdir(exist_ok=True)
    table = pd.DataFrame(rows)
    table.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.6g")
    print(table.to_string(index=False))


# Accuracy --------------------------------------------------------------------------------------


def in_shards(learner: Any, sentences: list[list[str]], **options: Any) -> Any:
    """In this process: on Dask workers not a bit differs, which is tested."""
    from hebbsim.models.sharded import InProcess, Shards, fit_shards

    return fit_shards(learner, Shards(InProcess(), sentences, 1), **options)


def scores(corpus_name: str, split: str, learn: Callable[[Any, Any], Any]) -> list[float]:
    """Accuracy of every seed on a split, its clusters named by majority on dev."""
    from threadpoolctl import threadpool_limits

    from hebbsim.experiments.roles.config import RolesConfig
    from hebbsim.probes import RoleReadout, accuracy
    from hebbsim.readers import load_corpus

    config = RolesConfig.checked({"corpus": corpus_name, "network": "roles", "preset": "best"})
    corpus = load_corpus(corpus_name)
    dev, scored = (corpus.splits[name] for name in ("dev", split))
    found = []
    with threadpool_limits(1):
        for seed in range(SEEDS):
            learner = learn(config.network_learner(seed), corpus.splits["train"].sentences())
            ids = learner.predict(dev.sentences())
            named = RoleReadout().fit(ids, dev.layers[corpus.layer])
            roles = named.predict(learner.predict(scored.sentences()))
            found.append(accuracy(scored.layers[corpus.layer], roles))
    return found


def accuracy() -> None:
    """The network online, in three passes, and in shards, on the same seeds, paired."""
    from hebbsim.probes.bootstrap import paired_test

    rows = []
    for corpus, split in (("builtin", "test"), ("ud-english-ewt", "dev")):
        online = scores(corpus, split, lambda learner, sentences: learner.fit(sentences))
        shards = scores(corpus, split, in_shards)
        test = paired_test(shards, online)
        rows.append(
            {
                "corpus": corpus, "split": split, "seeds": test.n,
                "online": np.mean(online), "shards": np.mean(shards),
                "difference": test.difference.mean, "low": test.difference.low,
                "high": test.difference.high, "p": test.p,
            }
        )  # fmt: skip
        save("accuracy", rows)


def rounds() -> None:
    """On dev: how many blocks, and how many tokens each learns in a round."""
    from hebbsim.models import sharded

    rows = []
    for blocks, size in ((1, 1000), (4, 1000), (8, 300), (8, 1000), (8, 3000), (16, 1000)):
        sharded.N_BLOCKS = blocks
        found = scores("builtin", "dev", functools.partial(in_shards, round_size=size))
        rows.append({"blocks": blocks, "tokens in a round": size, "builtin dev": np.mean(found)})
        save("rounds", rows)


# Scaling ---------------------------------------------------------------------------------------


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


def scaling(folder: Path) -> None:
    """Processor time by workers: tokens that are sorted, and more text for codes of words."""
    from hebbsim import RoleNetwork
    from hebbsim.models.sharded import Shards, fit_shards
    from hebbsim.runs.workers import DaskWorkers, open_dask

    rows = []
    for n_sorted, n_text in ((50_000, 0), (20_000, 200_000)):
        sentences = sentences_of(folder, n_sorted + n_text)
        cut = int(np.searchsorted(np.cumsum([len(s) for s in sentences]), n_sorted)) + 1
        for workers in (1, 2):
            with (
                tempfile.TemporaryDirectory() as place,
                open_dask(n_workers=workers) as client,
            ):
                files = write_files(sentences[cut:], Path(place), 4) if n_text else []
                warm = Shards(DaskWorkers(client), sentences[:500], workers)
                fit_shards(RoleNetwork(passes=1), warm)
                before, own = client.run(time.process_time), time.process_time()
                shards = Shards(DaskWorkers(client), sentences[:cut], workers, text=files)
                fit_shards(RoleNetwork(), shards)
                own = time.process_time() - own
                after = client.run(time.process_time)
                used = [after[address] - before[address] for address in after]
            rows.append(
                {
                    "workers": workers, "sorted": n_sorted, "more text": n_text,
                    "driver cpu s": own, "workers cpu s": sum(used), "busiest cpu s": max(used),
                }
            )  # fmt: skip
            save("scaling", rows)


def curve(folder: Path) -> None:
    """Wall time of each step by local workers, as many as there are cores, up to eight.

    The driver's own processor time says which step does not share out.
    """
    from hebbsim import RoleNetwork
    from hebbsim.models.sharded import Shards, fit_shards
    from hebbsim.runs.workers import DaskWorkers, open_dask

    sentences = sentences_of(folder, 220_000)
    cut = int(np.searchsorted(np.cumsum([len(s) for s in sentences]), 20_000)) + 1
    rows = []
    for workers in range(1, min(8, os.cpu_count() or 1) + 1):
        with tempfile.TemporaryDirectory() as place, open_dask(n_workers=workers) as client:
            files = write_files(sentences[cut:], Path(place), 8)
            fit_shards(RoleNetwork(passes=1), Shards(DaskWorkers(client), sentences[:500], workers))
            laps = Laps()
            shards = Shards(
                DaskWorkers(client), sentences[:cut], workers, text=files, progress=laps.begin
            )
            fit_shards(RoleNetwork(), shards)
            laps.begin("")
        total = sum(wall for _, wall, _ in laps.found)
        rows += [
            {
                "workers": workers, "step": step, "wall s": wall, "share": wall / total,
                "driver cpu s": cpu,
            }
            for step, wall, cpu in laps.found
        ]  # fmt: skip
        save("curve", rows)


class Laps:
    """Wall and processor time of steps one after another, each told as it begins."""

    def __init__(self) -> None:
        self.found: list[tuple[str, float, float]] = []
        self._begun = ("reading", time.perf_counter(), time.process_time())

    def begin(self, step: str) -> None:
        name, wall, cpu = self._begun
        now = (step, time.perf_counter(), time.process_time())
        self.found.append((name, now[1] - wall, now[2] - cpu))
        self._begun = now


def write_files(sentences: list[list[str]], folder: Path, n: int) -> list[Path]:
    """The sentences as `n` files of plain text, one sentence a line."""
    paths = []
    for number in range(n):
        share = sentences[number * len(sentences) // n : (number + 1) * len(sentences) // n]
        paths.append(folder / f"{number}.txt")
        paths[-1].write_text("\n".join(map(" ".join, share)) + "\n", encoding="utf-8")
    return paths


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
    verbs = {each.__name__: each for each in (accuracy, rounds, scaling, curve, tabulate)}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    verbs[sys.argv[1]](*map(Path, sys.argv[2:]))
