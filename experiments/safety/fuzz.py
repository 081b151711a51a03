"""Feed malformed files to every reader, and count.

    python experiments/safety/fuzz.py --inputs 1000000 --out runs/fuzz.json

Findings (a crash, no one-line error, more than 10 s), one of each kind, are written to files
in the folder where it runs; with any, the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from fuzzing import Targets, mutated

#: Share of the inputs, by kind; those resealed are checkpoints with a right digest.
SHARES = {
    "conllu": 25, "table": 15, "about": 3, "cogs": 5, "jsonl": 20, "text": 5, "scheme": 2,
    "engine": 10, "learner": 5, "engine resealed": 6, "learner resealed": 4,
    "described": 4, "role-network": 1, "role-network resealed": 1,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    findings: dict[str, int] = {}
    counts = {kind: [0, 0] for kind in SHARES}
    began, slowest = time.process_time(), 0.0

    def too_long(number: int, frame: object) -> None:
        raise TimeoutError("more than 10 s on one input")

    signal.signal(signal.SIGALRM, too_long)
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        targets = Targets(Path(folder))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kinds, weights = list(SHARES), list(SHARES.values())
        for number in range(options.inputs):
            kind = rng.choices(kinds, weights)[0]
            signal.setitimer(signal.ITIMER_REAL, 10)
            start = time.process_time()
            try:
                if kind.endswith("resealed"):
                    refused = targets.reseal(kind.split()[0], rng)
                else:
                    refused = targets.read(kind, mutated(rng.choice(targets.seeds[kind]), rng))
            except Exception as error:
                signal.setitimer(signal.ITIMER_REAL, 0)
                where = traceback.extract_tb(error.__traceback__)[-1]
                signature = f"{kind}: {type(error).__name__} at {where.name}:{where.lineno}"
                findings[signature] = findings.get(signature, 0) + 1
                if findings[signature] == 1:
                    print(f"input {number}: {signature}: {error}"[:300], file=sys.stderr)
                    found = Path(f"finding-{options.seed}-{number}.txt")
                    found.write_text(f"{signature}\n{traceback.format_exc()}\n")
                    for path in sorted(Path(folder).glob("x*")):
                        if path.stem == f"x-{kind.split()[0]}" or path.stem == "x":
                            found.with_suffix(".bin").write_bytes(path.read_bytes())
                refused = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            slowest = max(slowest, time.process_time() - start)
            counts[kind][0] += 1
            counts[kind][1] += refused
            if number % 25_000 == 24_999 or number == options.inputs - 1:
                text = json.dumps(
                    {
                        "seed": options.seed,
                        "inputs": number + 1,
                        "refused": sum(refused for _, refused in counts.values()),
                        "by kind": {k: {"inputs": n, "refused": r} for k, (n, r) in counts.items()},
                        "findings": findings,
                        "cpu_seconds": round(time.process_time() - began, 1),
                        "slowest_seconds": round(slowest, 3),
                        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                        "memory_mb_before": before // 1024,
                    },
                    indent=1,
                )
                if options.out:  # so far, should it be ended
                    options.out.parent.mkdir(parents=True, exist_ok=True)
                    options.out.write_text(text + "\n")
    print(text)
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
