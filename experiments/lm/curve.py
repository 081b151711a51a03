"""Run the curve of traces against GPT-2's architecture: three sizes, two texts; resumes.

    python experiments/lm/curve.py --list
    python experiments/lm/curve.py --out runs/curve --only pico-text,nano-text

Every row is one `hebbsim run lm`, whose command is printed, and which goes on where it was
interrupted. A finished row is left alone. OUT/rows.csv gets the seconds of each row, summed over
its interruptions. `crossing.py` reads what is there, of as many rows as have finished.
"""

from __future__ import annotations

import argparse
import csv
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

SIZES = ("pico", "nano", "micro")
RATES = "0.002,0.005,0.012"


def rows(tokens: int, rates: str, seeds: int, workers: int, out: Path) -> dict[str, list[str]]:
    """The command of each row, by name."""
    corpora = Path(os.environ.get("HEBBSIM_DATA_DIR", "HEBBSIM_DATA_DIR"))
    texts = {"text": corpora / "text", "wikitext": corpora / "text" / "wikitext-2-train.txt.gz"}
    return {
        f"{size}-{text}": [
            sys.executable, "-m", "hebbsim", "run", "lm", "--preset", size, "--context", "128",
            "--batch", "8", "--learning-rates", rates, "--seeds", str(seeds), "--tokens",
            str(tokens), "--data", str(path), "--workers", str(workers),
            "--store", str(out / "store"), "--out", str(out / f"{size}-{text}"),
        ]
        for text, path in texts.items()
        for size in SIZES
    }  # fmt: skip


def note(path: Path, name: str, seconds: float) -> float:
    """Add the seconds to those that the row has taken before; returns the sum."""
    taken: dict[str, float] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            taken = {row["row"]: float(row["seconds"]) for row in csv.DictReader(file)}
    taken[name] = taken.get(name, 0.0) + seconds
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{row},{total:.0f}\n" for row, total in taken.items())
    path.write_text(f"row,seconds\n{text}", encoding="utf-8")
    return taken[name]


def main() -> int:
    """Run the rows that are asked for, one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/curve"))
    parser.add_argument("--only", default="", help="comma-separated rows (default: all)")
    parser.add_argument("--tokens", type=int, default=20_000_000)
    parser.add_argument("--rates", default=RATES, help="rates that validation chooses from")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="print the commands alone")
    given = parser.parse_args()
    found = rows(given.tokens, given.rates, given.seeds, given.workers, given.out)
    chosen = given.only.split(",") if given.only else list(found)
    if unknown := set(chosen) - set(found):
        parser.error(f"--only {','.join(sorted(unknown))}: choose of {', '.join(found)}")
    for name in chosen:
        print(f"{name}: {shlex.join(found[name])}", flush=True)
        done = (given.out / name / "results.csv").exists()
        if given.list or done:
            continue
        began = time.monotonic()
        code = subprocess.run(found[name], check=False).returncode
        total = note(given.out / "rows.csv", name, time.monotonic() - began)
        if code:
            return code
        print(f"{name}: {total:,.0f} s in all", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
