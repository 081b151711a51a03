"""Tables of REPRODUCING.md and of the README, and tidy tables, from run folders.

    python experiments/roles/tabulate.py FOLDER

FOLDER holds run folders of `hebbsim run roles` by the names in `RUNS`. What the tables need of
each is kept in `results`, from where a run comes that FOLDER lacks. Only what stands between the
markers `<!-- NAME -->` and `<!-- /NAME -->` is written; the text around them is kept.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

#: Runs by name, with the options of `hebbsim run roles` that make them.
RUNS = {
    "builtin": "--timescales 2,8,32 --bigru-seeds 5 --curve-seeds 5 --part-seeds 5",
    "builtin-pop": "--timescales 2,8,32 --members 8 --bigru-seeds 5 --part-seeds 0",
    "builtin-best": "--timescales 2,8,32 --preset best --members 8 --bigru-seeds 5 --part-seeds 0",
    "cogs": "--corpus cogs --preset best --bigru-seeds 5 --labels 100,1000",
    "cogs-pop": "--corpus cogs --preset best --members 8 --bigru-seeds 5 --part-seeds 0"
    " --labels 100,1000",
    "ewt": "--corpus ud-english-ewt --preset best --bigru-seeds 5 --part-seeds 1",
    "ewt-text": "--corpus ud-english-ewt --preset best --text TEXT --bigru-seeds 5 --part-seeds 0",
    "ewt-text-pop": "--corpus ud-english-ewt --preset best --text TEXT --clusters 1000"
    " --members 8 --bigru-seeds 5 --part-seeds 0",
    "korean": "--corpus ud-korean-gsd --preset best --bigru-seeds 5 --part-seeds 0"
    " --labels 100,1000",
    "welsh": "--corpus ud-welsh-ccg --preset best --bigru-seeds 5 --part-seeds 0 --labels 100,1000",
}
SOFT = "readout=soft"
KEPT = ROOT / "experiments/roles/results"
BOUNDS = ("mean", "low", "high")
#: Options of a run that the tables tell.
TOLD = ("corpus", "timescales", "clusters", "members", "seeds")


@dataclass(frozen=True)
class Value:
    """A mean and its 95 % interval, where there is one."""

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{self.mean:.3f}" + (
            f" ({self.low:.3f} to {self.high:.3f})" if self.low is not None else ""
        )

    @property
    def short(self) -> str:
        """A mean and half of its interval: 0.912 ±0.004."""
        if self.low is None or self.high is None:
            return f"{self.mean:.3f}"
        return f"{self.mean:.3f} ±{(self.high - self.low) / 2:.3f}"


class Run:
    """What `keep` kept of a run, its rows by what their condition says beside ``K``."""

    def __init__(self, name: str) -> None:
        self.name = name
        about = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
        self.config: dict[str, Any] = about["config"]
        self.seconds: float = about["seconds"]
        self.structure: list[dict[str, Any]] = about["structure"]
        self.learner = f"members={self.config['members']}" if self.config["members"] > 1 else ""
        with (KEPT / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            self._rows = {
                (r["split"], r["model"], _words(r["condition"]), r["metric"], r["role"]): Value(
                    *(float(r[bound]) if r[bound] else None for bound in BOUNDS)
                )
                for r in csv.DictReader(file)
            }

    def find(
        self,
        split: str,
        condition: str = "",
        *,
        model: str = "hebbian",
        metric: str = "accuracy",
        role: str | None = None,
    ) -> Value | None:
        return self._rows.get((split, model, _words(condition), metric, role or ""))

    def turns_on_structure(self) -> list[str]:
        """Generalization splits that turn on structure, judged on dev and on a sibling corpus."""
        return [
            s["name"]
            for s in self.structure
            if s["kind"] == "split" and s["decided"] == "structure"
        ]


def _words(condition: str) -> frozenset[str]:
    return frozenset(word for word in condition.split() if not word.startswith("K="))


@dataclass(frozen=True)
class Claim:
    """A measure, where it stands, and what it is held against.

    Attributes
    ----------
    text, run : str
    split : str
    condition : str
        Words beside the number of clusters, members and read-out, which the run tells.
    target : float or str, optional
        At least that much; ``"bigru"``: above the BiGRU's; ``"above 0"``.
    aim : bool
        The target is one to come near, not one to reach.
    """

    text: str
    run: str
    split: str = "test"
    condition: str = ""
    metric: str = "accuracy"
    role: str | None = None
    target: float | str | None = None
    aim: bool = False

    def row(self, runs: dict[str, Run]) -> tuple[str, ...]:
        run = runs[self.run]
        kind: dict[str, Any] = {"metric": self.metric, "role": self.role}
        words = f"{run.learner} {self.condition}"
        plain = run.find(self.split, words, **kind)
        soft = run.find(self.split, f"{words} {SOFT}", **kind)
        if plain is None:
            raise SystemExit(f"{run.name}: no row for {self.split} {words} {kind}")
        target, shown, strict = self.target, "", False
        if target == "bigru":
            rival = run.find(self.split, "labels=all", model="bigru", **kind)
            assert rival is not None
            target, shown, strict = rival.mean, f"above the BiGRU's {rival.mean:.3f}", True
        elif target == "above 0":
            target, shown, strict = 0.0, "above 0", True
        elif target is not None:
            shown = "aim " * self.aim + f"{target:g}"
        met = verdict(plain.mean, soft.mean if soft else None, target, strict)
        return self.text, self.run, str(plain), str(soft or ""), shown, met


def verdict(plain: float, soft: float | None, target: float | str | None, strict: bool) -> str:
    """Whether a target is reached, by which read-out, or by how much it is not."""
    if target is None:
        return ""

    def reached(value: float | None) -> bool:
        # As the reader sees it, at three decimals.
        if value is None:
            return False
        gap = round(value, 3) - round(float(target), 3)
        return gap > 0 if strict else gap >= 0

    if reached(plain):
        return "yes"
    if reached(soft):
        return "softly"
    gap = round(float(target), 3) - round(plain, 3)
    return f"short by {gap:.3f}" if gap > 0 else "no, equal"


def claims() -> list[Claim]:
    ratio: dict[str, Any] = {"condition": "over=bigru", "metric": "accuracy_ratio"}
    minus: dict[str, Any] = {"condition": "minus=bigru", "metric": "accuracy_difference"}
    found = [
        Claim("built-in test, accuracy / BiGRU", "builtin", **ratio, target=0.96),
        Claim("built-in test, 8 voting, accuracy / BiGRU", "builtin-pop", **ratio, target=0.96),
        Claim("built-in test, 8 voting, accuracy / BiGRU", "builtin-best", **ratio, target=0.96),
    ]
    for run, name in (("cogs", "COGS"), ("cogs-pop", "COGS, 8 voting")):
        found += [
            Claim(f"{name}, test", run, target=0.994),
            Claim(f"{name}, gen minus BiGRU", run, "gen", **minus, target=0.0),
            Claim(f"{name}, obj_pp_to_subj_pp", run, "gen/obj_pp_to_subj_pp", target=0.92),
        ]
        found += [
            Claim(f"{name}, gen, recall of {role}", run, "gen", "", "recall", role, "bigru")
            for role in ("RECIPIENT", "NMOD", "AGENT", "THEME")
        ]
    found += [
        Claim("EWT test, its own words", "ewt", target=0.74),
        Claim("EWT test, with text", "ewt-text", target=0.76),
        Claim("EWT test, with text, 8 voting", "ewt-text-pop"),
        Claim("the same / BiGRU", "ewt-text-pop", **ratio, target=0.94),
        Claim(
            "the same minus a BiGRU trained on the read-out's labels",
            "ewt-text-pop",
            condition="minus=bigru/readout",
            metric="accuracy_difference",
            target="above 0",
        ),
        Claim("Korean GSD test / BiGRU", "korean", **ratio, target=0.9, aim=True),
        Claim("Welsh CCG test / BiGRU", "welsh", **ratio, target=0.9, aim=True),
    ]
    return found


def few_labels_claims(runs: dict[str, Run]) -> list[Claim]:
    """The read-out of 100 labelled sentences beside a BiGRU trained on the same ones."""
    found = []
    for name in runs:
        target = 0.72 if name == "ewt-text-pop" else None
        found += [
            Claim("mapped with 100 sentences", name, condition="labels=100", target=target),
            Claim(
                "the same, minus a BiGRU trained on those",
                name,
                condition="labels=100 minus=bigru/readout-100",
                metric="accuracy_difference",
            ),
        ]
    return found


def splits_row(run: Run, of: Run) -> tuple[str, ...]:
    """On which of the splits that turn on structure the learner is ahead of the BiGRU."""
    turns = of.turns_on_structure()
    ahead = {}
    for readout in ("", SOFT):
        words = f"{run.learner} minus=bigru {readout}"
        values = {s: run.find(s, words, metric="accuracy_difference") for s in turns}
        ahead[readout] = [s.removeprefix("gen/") for s, v in values.items() if v and v.mean > 0]
    shown = [
        f"{len(names)} of {len(turns)}" + (f" ({', '.join(names)})" if names else "")
        for names in ahead.values()
    ]
    met = "yes" if len(ahead[""]) == len(turns) else "no"
    if met == "no" and len(ahead[SOFT]) == len(turns):
        met = "softly"
    text = "splits that turn on structure, ahead of the BiGRU"
    return text, run.name, *shown, "all", met


# --- tables ---------------------------------------------------------------------------------


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in (header, *rows)]
    return [lines[0], "|" + "---|" * len(header), *lines[1:]]


def runs_table(runs: dict[str, Run]) -> list[str]:
    rows = []
    for name, run in runs.items():
        minutes, seconds = divmod(round(run.seconds), 60)
        time = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        command = f"`hebbsim run roles {RUNS[name]}`"
        rows.append((name, command, f"{run.config['clusters']}", f"{run.config['seeds']}", time))
    return table(("run", "command", "K", "seeds", "time"), rows)


def claims_table(runs: dict[str, Run]) -> list[str]:
    of = {name: name.partition("-")[0] for name in runs}  # the run of the single learner
    rows = [claim.row(runs) for claim in claims() if claim.run in runs]
    rows += [
        splits_row(runs[name], runs[of[name]])
        for name in runs
        if of[name] in runs and runs[of[name]].turns_on_structure()
    ]
    rows += [claim.row(runs) for claim in few_labels_claims(runs)]
    order = list(RUNS)
    rows.sort(key=lambda row: order.index(row[1]))
    header = ("measure", "run", "expected (95 % interval)", "by the soft read-out", "at least",
              "met")  # fmt: skip
    return table(header, rows)


def baselines_table(runs: dict[str, Run]) -> list[str]:
    """Supervised models, and the control of shuffled labels, by corpus."""
    columns = {
        "BiGRU, all labels": ("bigru", "labels=all"),
        "with Hebbian codes": ("bigru", "labels=all codes=hebbian"),
        "on dev": ("bigru", "labels=readout"),
        "on 100 of dev": ("bigru", "labels=readout-100"),
        "lookup": ("lookup", ""),
        "majority": ("majority", ""),
        "zero-label, dev roles shuffled": ("hebbian", "shuffled=labels"),
    }
    rows, shown = [], set()
    for run in runs.values():
        if run.config["corpus"] in shown:
            continue
        shown.add(run.config["corpus"])
        for split in ("test", "gen"):
            cells = [run.find(split, words, model=m) for m, words in columns.values()]
            if any(cells):
                rows.append(
                    (
                        f"{run.config['corpus']}, {split}",
                        *(value.short if value else "" for value in cells),
                    )
                )
    return table(("corpus", *columns), rows)


def equivalence_table(runs: dict[str, Run]) -> list[str]:
    """Labelled sentences with which a BiGRU does as well on test."""
    rows = []
    for name, run in runs.items():
        rows.append((name, *(_equal(run, f"{run.learner} {soft}") for soft in ("", SOFT))))
    return table(("run", "by majority", "by the soft read-out"), rows)


def _equal(run: Run, words: str) -> str:
    for place, said in (("", ""), ("above", "more than "), ("below", "fewer than ")):
        beyond = f" curve={place}" if place else ""
        value = run.find("test", words + beyond, metric="label_equivalence")
        if value is None:
            continue
        if place or value.low is None:
            return f"{said}{value.mean:,.0f}"
        return f"{value.mean:,.0f} ({value.low:,.0f} to {value.high:,.0f})"
    return ""


def parts_table(runs: dict[str, Run]) -> list[str]:
    """The learner without some of what it reads."""
    columns = [
        (name, split)
        for name in ("builtin", "cogs", "ewt")
        for split in ("test", "gen")
        if name in runs and runs[name].find(split, "view=own")
    ]
    conditions = {"everything": "", "own code alone": "view=own", "traces alone": "view=traces"}
    taus = sorted({tau for name, _ in columns for tau in runs[name].config["timescales"]})
    conditions |= {f"timescale {tau:g} alone": f"tau={tau:g}" for tau in taus}
    conditions["traces shuffled"] = "shuffled=traces"
    rows = []
    for name, words in conditions.items():
        values = [runs[run].find(split, words) for run, split in columns]
        rows.append((name, *(value.short if value else "" for value in values)))
    return table(("learner", *(f"{run}, {split}" for run, split in columns)), rows)


def readme_table(runs: dict[str, Run]) -> list[str]:
    lines = [
        ("built-in, test", "builtin", "builtin-pop", "test"),
        ("built-in, generalization", "builtin", "builtin-pop", "gen"),
        ("COGS, test", "cogs", "cogs-pop", "test"),
        ("COGS, generalization", "cogs", "cogs-pop", "gen"),
        ("COGS, phrase in the subject", "cogs", "cogs-pop", "gen/obj_pp_to_subj_pp"),
        ("UD English EWT", "ewt", "", "test"),
        ("UD English EWT, 13M tokens of text", "ewt-text", "ewt-text-pop", "test"),
        ("UD Korean GSD", "korean", "", "test"),
        ("UD Welsh CCG", "welsh", "", "test"),
    ]
    header = ("corpus", "K", "zero-label", "soft read-out", "8 voting", "8 voting, soft",
              "BiGRU, all labels", "BiGRU, 100 of dev", "lookup")  # fmt: skip
    rows = []
    for text, single, voting, split in lines:
        if single not in runs:
            continue
        run, several = runs[single], runs.get(voting)
        k = run.config["clusters"]
        other = several.config["clusters"] if several else k
        values = [run.find(split), run.find(split, SOFT)]
        values += [
            several.find(split, f"{several.learner} {soft}") if several else None
            for soft in ("", SOFT)
        ]
        values += [
            run.find(split, "labels=all", model="bigru"),
            run.find(split, "labels=readout-100", model="bigru"),
            run.find(split, model="lookup"),
        ]
        clusters = f"{k}" if other == k else f"{k}; 8 x {other}"
        rows.append((text, clusters, *(value.short if value else "" for value in values)))
    return table(header, rows)


# --- files ----------------------------------------------------------------------------------


def fill(path: Path, **blocks: list[str]) -> None:
    """Write lines between the markers of a file, whose other text stays."""
    text = path.read_text(encoding="utf-8")
    for name, lines in blocks.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if start not in text or end not in text:
            raise SystemExit(f"{path}: no markers {start.strip()} and {end}")
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = before + start + "\n".join(lines) + "\n" + end + after
    path.write_text(text, encoding="utf-8")


def rounded(source: Path) -> Iterator[list[str]]:
    """The rows of a results table with its numbers at six digits."""
    with source.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        numbers = [header.index(name) for name in BOUNDS]
        yield header
        for row in reader:
            for i in numbers:
                row[i] = f"{float(row[i]):.6g}" if row[i] else ""
            yield row


def keep(folder: Path) -> None:
    """Copy what the tables need of a run folder to where it stays."""
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    machine = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    about = {
        "config": {name: document["config"][name] for name in TOLD},
        "seconds": round(machine["seconds"], 1),
        "structure": document["tables"].get("structure", []),
    }
    (KEPT / f"{folder.name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    with (KEPT / f"{folder.name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rounded(folder / "results.csv"))


def main(folder: Path) -> None:
    fresh = [name for name in RUNS if (folder / name / "results.json").is_file()]
    if not fresh:
        raise SystemExit(f"{folder}: holds no run folder by the names {', '.join(RUNS)}")
    for name in fresh:
        keep(folder / name)
    runs = {name: Run(name) for name in RUNS if (KEPT / f"{name}.json").is_file()}
    fill(
        ROOT / "experiments/REPRODUCING.md",
        runs=runs_table(runs),
        claims=claims_table(runs),
        baselines=baselines_table(runs),
        equivalence=equivalence_table(runs),
        parts=parts_table(runs),
    )
    fill(ROOT / "README.md", results=readme_table(runs))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python experiments/roles/tabulate.py FOLDER")
    main(Path(sys.argv[1]))
