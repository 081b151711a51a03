"""What the page says survives, over five corpora: the table of NOTES.md.

    python experiments/demo/measure.py

Corpus, learner, noise and streams are drawn anew for each seed of the built-in grammar.
"""

from __future__ import annotations

import numpy as np

from hebbsim.demo.live import LiveLearner
from hebbsim.demo.reading import survival
from hebbsim.demo.room import Room
from hebbsim.demo.settings import Settings
from hebbsim.probes.bootstrap import seed_interval
from hebbsim.readers import load_corpus

CONDITIONS = {
    "as it starts": {},
    "noise of 10 %": {"noise": 10},
    "noise of 100 %": {"noise": 100},
    "16 bits": {"precision": "bfloat16"},
    "8 bits": {"precision": "int8"},
    "timescale 2": {"timescales": (2,)},
    "timescale 32": {"timescales": (32,)},
    "1,2,4,8,16,32": {"timescales": (1, 2, 4, 8, 16, 32)},
}
SEEDS = range(5)


def main() -> None:
    found: dict[str, list[list[float]]] = {name: [] for name in CONDITIONS}
    live, begun, references = [], [], []
    for seed in SEEDS:
        room = Room(load_corpus("builtin", seed=seed))
        room.prepare()
        references.append([room.references["lookup"], room.references["majority"]])
        for name, given in CONDITIONS.items():
            settings = Settings.checked(given)
            told = survival(room, room.named(settings.timescales), settings)
            cells = [told["roles"], *(told["linear"][k] for k in (0, 1, 3, 8))]
            found[name].append(cells + [told["cancellation"][k] for k in (3, 8)])
        learner = LiveLearner(room)
        while not learner.done:
            learner.step()
        by_words = dict(learner.curve)
        after = [next(n for n in by_words if n >= least) for least in (0, 8_000)]
        live.append([by_words[n] for n in (*after, max(by_words))])
        begun.append(after[0])
    print("| memory | roles right | linear 0 | 1 | 3 | 8 | cancellation 3 | 8 |")
    print("|---|" + "---:|" * 7)
    for name, rows in found.items():
        print(f"| {name} | " + " | ".join(map(_cell, np.array(rows).T)) + " |")
    print("lookup, majority:", ", ".join(map(_cell, np.array(references).T)))
    cells = ", ".join(map(_cell, np.array(live).T))
    print("live, at first, after 8,000 words and at the end:", cells)
    print(f"prototypes begin after {min(begun)} to {max(begun)} words")


def _cell(values: np.ndarray) -> str:
    estimate = seed_interval(values)
    return f"{estimate.mean:.3f} ±{(estimate.high - estimate.low) / 2:.3f}"


if __name__ == "__main__":
    main()
