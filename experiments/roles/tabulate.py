"""Tables of REPRODUCING.md, the site and the README, and tidy tables, from run folders.

    python experiments/roles/tabulate.py FOLDER

FOLDER holds run folders of `hebbsim run roles` by the names in `RUNS`. What the tables need of
each is kept in `results`, from where a run comes that FOLDER lacks. Only what stands between the
markers `<!-- NAME -->` and `<!-- /NAME -->` is written; the text around them is kept.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hebbsim.runs.report.claims import at_least
from hebbsim.runs.report.page import fill

ROOT = Path(__file__).resolve().parents[2]

#: Five of everything that varies.
FIVE = "--learning-curve-seeds 5 --bigru-seeds 5 --label-curve-seeds 5 --readout-draws 5"
CURVE = f"--labels 30,100,300,1000,3000 {FIVE}"
#: For a language whose words choose the settings.
AUTO = "--preset auto --ablation-seeds 0 --learning-curve-seeds 2 --labels 100 --readout-draws 5"
THREE = "--bigru-seeds 3 --label-curve-seeds 3"
#: For eight networks that vote, without a BiGRU.
VOTING = (
    "--preset best --ensemble-size 8 --ablation-seeds 0 --learning-curve-seeds 0"
    " --baselines simple --labels 100 --readout-draws 1 --keep none"
)
#: Runs by name, with their options of `hebbsim run roles`.
RUNS = {
    "builtin": f"--timescales 2,8,32 --ablation-seeds 5 {CURVE}",
    "builtin-pop": f"--timescales 2,8,32 --ensemble-size 8 --ablation-seeds 0 {CURVE}",
    "builtin-best": "--timescales 2,8,32 --preset best --ensemble-size 8"
    f" --ablation-seeds 0 {CURVE}",
    "cogs": f"--corpus cogs --preset best --ablation-seeds 1 {CURVE}",
    "cogs-pop": f"--corpus cogs --seeds 3 {VOTING}",
    "ewt": f"--corpus ud-english-ewt --preset best --ablation-seeds 1 {FIVE}",
    "ewt-text": "--corpus ud-english-ewt --preset best --unlabeled TEXT"
    f" --ablation-seeds 0 {FIVE}",
    "ewt-pop": f"--corpus ud-english-ewt --clusters 1000 --seeds 3 {VOTING}",
    "ewt-text-pop": f"--corpus ud-english-ewt --clusters 1000 --unlabeled TEXT --seeds 1 {VOTING}",
    "korean": f"--corpus ud-korean-gsd {AUTO} --baselines simple",
    "welsh": f"--corpus ud-welsh-ccg {AUTO} --baselines simple",
    "vietnamese": f"--corpus $HEBBSIM_DATA_DIR/ud-vietnamese-vtb {AUTO} {THREE}",
    "coptic": f"--corpus $HEBBSIM_DATA_DIR/ud-coptic-scriptorium {AUTO} {THREE}",
}
#: Runs of languages, by what to call the treebank.
LANGUAGES = {
    "korean": "UD Korean GSD",
    "welsh": "UD Welsh CCG",
    "vietnamese": "UD Vietnamese VTB",
    "coptic": "UD Coptic Scriptorium",
}
#: Corpora of runs beside rivals, by what to call them.
NAMES = {"builtin": "built-in", "cogs": "COGS", "ud-english-ewt": "UD English EWT"}
#: Runs beside rivals that learn without labels, with all of their options.
_RIVALS = (
    "--learning-curve-seeds 5 --rival-seeds 5 --baselines simple --ablation-seeds 0 --keep none"
)
_MASKED = (
    "--rivals masked-bigru --rival-seeds 5 --learning-curve-seeds 0 --baselines simple"
    " --ablation-seeds 0 --keep none"
)
RIVAL_RUNS = {
    "rivals-builtin": f"--timescales 2,8,32 --rivals all {_RIVALS}",
    # Without the masked BiGRU, a seed of which takes ten minutes.
    "rivals-cogs": "--corpus cogs --preset best"
    f" --rivals skipgram,spectral,brown,hmm,hmm-online {_RIVALS}",
    "rivals-ewt": "--corpus ud-english-ewt --preset best"
    f" --rivals skipgram,spectral,brown,hmm,hmm-online {_RIVALS}",
    "masked-cogs": f"--corpus cogs --preset best {_MASKED}",
    "masked-ewt": f"--corpus ud-english-ewt --preset best {_MASKED}",
}
#: Runs that score another layer than roles, with their options of `hebbsim run roles`.
LAYERS = {
    "pos-builtin": "--layer pos",
    "pos-builtin-k11": "--layer pos --clusters 11",
    "pos-ewt": "--corpus ud-english-ewt --preset best --layer pos",
    "pos-ewt-k17": "--corpus ud-english-ewt --preset best --layer pos --clusters 17",
    "xpos-ewt-k45": "--corpus ud-english-ewt --preset best --layer xpos --clusters 45",
}
#: Further options of each of them: what their table does not tell is left out.
BARE = "--ablation-seeds 0 --baselines simple --labels 100 --readout-draws 1"
#: Their measures, and the heads of their columns.
CLUSTERING = {
    "many_to_one": "many-to-one",
    "one_to_one": "one-to-one",
    "v_measure": "V-measure",
    "variation_of_information": "VI, bits",
    "adjusted_rand": "ARI",
}
#: Runs that tell how a network gets on from pass to pass, by what to call the corpus.
PASSES = {"built-in": "builtin", "COGS": "cogs", "UD English EWT": "ewt"}
SOFT = "readout=soft"
KEPT = ROOT / "experiments/roles/results"
BOUNDS = ("mean", "low", "high")
COMPARED = ("value", "other", "difference", "low", "high", "p", "corrected", "ratio",
            "ratio_low", "ratio_high")  # fmt: skip
#: Options of a run that the tables tell.
TOLD = (
    "corpus", "timescales", "clusters", "ensemble_size", "seeds", "rival_seeds", "n_tokens",
    "passes",
)  # fmt: skip


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
        mean = f"{round(self.mean, 3) + 0.0:.3f}"  # no negative zero
        if self.low is None or self.high is None:
            return mean
        return f"{mean} ±{(self.high - self.low) / 2:.3f}"


@dataclass(frozen=True)
class Verdict:
    """The learner against a rival on one split, or on one role of it."""

    split: str
    role: str
    value: float
    other: float
    difference: Value
    word: str
    rival: str = ""

    def __str__(self) -> str:
        low, high = self.difference.low, self.difference.high
        interval = f" ({low:+.3f} to {high:+.3f})" if low is not None else ""
        return f"{self.difference.mean:+.3f}{interval}, {self.word}"


class Run:
    """What `keep` kept of a run, its rows by what their condition says beside ``K``."""

    def __init__(self, name: str) -> None:
        self.name = name
        about = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
        self.config: dict[str, Any] = about["config"]
        self.seconds: float = about["seconds"]
        self.structure: list[dict[str, Any]] = about["structure"]
        self.costs: list[dict[str, Any]] = about.get("costs", [])
        voting = self.config["ensemble_size"]
        self.learner = f"members={voting}" if voting > 1 else ""
        with (KEPT / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            self._rows = {
                (r["split"], r["model"], _words(r["condition"]), r["metric"], r["role"]): Value(
                    *(float(r[bound]) if r[bound] else None for bound in BOUNDS)
                )
                for r in csv.DictReader(file)
            }
        self._verdicts: list[tuple[str, frozenset[str], str, Verdict]] = []
        compared = KEPT / f"{name}.comparisons.csv"
        if compared.is_file():
            with compared.open(encoding="utf-8", newline="") as file:
                for r in csv.DictReader(file):
                    bounds = [float(r[x]) if r[x] else None for x in ("low", "high")]
                    found = Verdict(
                        r["split"], r["role"], float(r["value"]), float(r["other"]),
                        Value(float(r["difference"]), *bounds), r["verdict"], r.get("rival", ""),
                    )  # fmt: skip
                    table = r["table"].partition(" ")[0]
                    self._verdicts.append(
                        (table, _words(r["condition"]), r["rival_condition"], found)
                    )

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

    def verdicts(
        self, kind: str, labels: int | None = None, *, soft: bool = False, rival: str = "labels=all"
    ) -> list[Verdict]:
        """Comparisons of one table, `overall`, `splits` or `roles`: with all labels, or few."""
        given = f"{self.learner}{f' labels={labels}' * bool(labels)}{f' {SOFT}' * soft}"
        return [
            found
            for table, condition, versus, found in self._verdicts
            if table == kind
            and condition == _words(given)
            and versus == (f"labels={labels}" if labels else rival)
        ]

    def against(self, rival: str, split: str, *, soft: bool = False) -> Verdict | None:
        """The learner against a rival without labels, both named in the same way."""
        given = _words(f"{self.learner}{f' {SOFT}' * soft}")
        return next(
            (
                found
                for table, condition, versus, found in self._verdicts
                if (table, condition, found.split) == ("rivals", given, split)
                and found.rival == rival
            ),
            None,
        )

    def cost(self, model: str) -> tuple[str, str]:
        """Processor seconds of one seed, the mean over seeds, and megabytes at most."""
        found = [cost for cost in self.costs if cost["model"] == model]
        sizes = [cost["memory"] for cost in found if cost["memory"] is not None]
        seconds = f"{self.seconds_of(model):.1f}" if found else ""
        return seconds, f"{max(sizes) / 1e6:.0f}" if sizes else ""

    def seconds_of(self, model: str) -> float:
        """Processor seconds of one seed, the mean over seeds."""
        found = [cost["seconds"] for cost in self.costs if cost["model"] == model]
        return sum(found) / len(found)

    @property
    def has_curve(self) -> bool:
        """Whether the learner was looked at on its way."""
        return any(word.startswith("tokens=") for key in self._rows for word in key[2])

    def after(self, seconds: float, split: str) -> tuple[int, Value] | None:
        """The learner after so many processor seconds of one seed, and the tokens read by then.

        Its time is spread evenly over its tokens, though the first ones, which fewer layers learn
        from, take less. None before it has clusters.
        """
        total = self.config["n_tokens"] * self.config["passes"]
        by_then = total * min(1.0, seconds / self.seconds_of("hebbian"))
        found = None
        for (at, model, words, metric, role), value in self._rows.items():
            if (at, model, metric, role) == (split, "hebbian", "accuracy", "") and len(words) == 1:
                name, _, number = next(iter(words)).partition("=")
                if name == "tokens" and (found[0] if found else 0) < int(number) <= by_then:
                    found = int(number), value
        whole = self.find(split, self.learner)
        return (total, whole) if by_then == total and whole else found

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
    target : float, optional
        At least that much.
    aim : bool
        The target is one to come near, not one to reach.
    """

    text: str
    run: str
    split: str = "test"
    condition: str = ""
    metric: str = "accuracy"
    target: float | None = None
    aim: bool = False

    def row(self, runs: dict[str, Run]) -> tuple[str, ...]:
        run = runs[self.run]
        words = f"{run.learner} {self.condition}"
        plain, soft = (run.find(self.split, f"{words} {s}", metric=self.metric) for s in ("", SOFT))
        if plain is None:
            raise SystemExit(f"{run.name}: no row for {self.split} {words} {self.metric}")
        shown = "" if self.target is None else "aim " * self.aim + f"{self.target:g}"
        return (
            self.text,
            self.run,
            str(plain),
            str(soft or ""),
            shown,
            met(plain, soft, self.target),
        )


def met(plain: Value, soft: Value | None, target: float | None) -> str:
    """Whether a target is reached, by the rule of the report: by the whole interval."""
    if target is None:
        return ""
    judged = [at_least(v.low, v.high, target) if v else "no" for v in (plain, soft)]
    if judged[0] == "yes":
        return "yes"
    if judged[1] == "yes":
        return "softly"
    if "open" in judged:
        return "not decided"
    return f"no, short by {target - plain.mean:.3f}"


def claims() -> list[Claim]:
    ratio: dict[str, Any] = {"condition": "over=bigru", "metric": "accuracy_ratio"}
    found = [
        Claim("built-in test", "builtin", target=0.957),
        Claim("built-in generalization", "builtin", "gen", target=0.909),
        Claim("built-in test, accuracy / BiGRU", "builtin", **ratio, target=0.96),
        Claim("built-in test, 8 voting, accuracy / BiGRU", "builtin-pop", **ratio, target=0.96),
        Claim("built-in test, 8 voting, accuracy / BiGRU", "builtin-best", **ratio, target=0.96),
    ]
    for run, name in (("cogs", "COGS"), ("cogs-pop", "COGS, 8 voting")):
        found += [
            Claim(f"{name}, test", run, target=0.994),
            Claim(f"{name}, generalization", run, "gen", target=0.99),
            Claim(f"{name}, obj_pp_to_subj_pp", run, "gen/obj_pp_to_subj_pp", target=0.92),
        ]
    found += [
        Claim("EWT test, its own words", "ewt", target=0.74),
        Claim("EWT test, with text", "ewt-text", target=0.75),
        Claim("EWT test, 8 voting", "ewt-pop"),
        Claim("EWT test, with text, 8 voting", "ewt-text-pop", target=0.811),
    ]
    for run, name in LANGUAGES.items():
        found.append(Claim(f"{name}, test", run))
        if "--bigru-seeds" in RUNS[run]:
            text = f"{name}, test, accuracy / BiGRU"
            found.append(Claim(text, run, **ratio, target=0.85, aim=True))
    return found


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
    rows = [claim.row(runs) for claim in claims() if claim.run in runs]
    order = list(RUNS)
    rows.sort(key=lambda row: order.index(row[1]))
    header = ("measure", "run", "expected (95 % interval)", "by the soft read-out", "at least",
              "met")  # fmt: skip
    return table(header, rows)


def layers_table(runs: dict[str, Run]) -> list[str]:
    """Clusters beside parts of speech, on the tokens that name them."""
    rows = []
    for name, run in runs.items():
        values = [run.find("test", metric=metric) for metric in CLUSTERING]
        command = f"`hebbsim run roles {LAYERS[name]} {BARE}`"
        clusters = f"{run.config['clusters']}"
        rows.append((name, command, clusters, *(value.short if value else "" for value in values)))
    return table(("run", "command", "K", *CLUSTERING.values()), rows)


def _listed(found: Sequence[Verdict], word: str) -> str:
    names = [v.role or v.split.removeprefix("gen/") for v in found if v.word == word]
    return f"{len(names)} ({', '.join(names)})" if names else "0"


def all_labels_table(runs: dict[str, Run]) -> list[str]:
    """The learner, named by dev, against the BiGRU with all labels and on dev's alone."""
    rows = []
    for name, run in runs.items():
        for split in ("test", "gen"):
            of = {
                rival: [v for v in run.verdicts("overall", rival=rival) if v.split == split]
                for rival in ("labels=all", "labels=readout")
            }
            if of["labels=all"]:
                cells = [str(found[0]) if found else "" for found in of.values()]
                roles = [v for v in run.verdicts("roles") if v.split == split]
                cells += [_listed(roles, word) for word in ("ahead", "behind")]
                rows.append((f"{name}, {split}", *cells))
    header = ("run", "minus BiGRU, all labels", "minus BiGRU, labels of dev",
              "roles ahead of the BiGRU with all labels", "roles behind")  # fmt: skip
    return table(header, rows)


def structure_splits_table(runs: dict[str, Run]) -> list[str]:
    """Generalization splits that turn on structure: ahead and behind, all labels and few."""
    rows = []
    for name, run in runs.items():
        of = runs.get(name.partition("-")[0])  # the run of the single learner
        turns = of.turns_on_structure() if of else []
        for labels in (None, 30, 100, 300, 1000):
            found = [
                v
                for v in run.verdicts("splits", labels, soft=labels is not None)
                if v.split in turns
            ]
            if found:
                rows.append(
                    (
                        name,
                        f"{labels:,}" if labels else "all; the learner named by dev",
                        f"{len(found)}",
                        _listed(found, "ahead"),
                        _listed(found, "behind"),
                    )
                )
    return table(("run", "labelled sentences", "splits", "ahead", "behind"), rows)


def few_labels_table(runs: dict[str, Run]) -> list[str]:
    """Learner and BiGRU on the same few labelled sentences."""
    rows = []
    for name, run in runs.items():
        for split in ("test", "gen"):
            for labels in (30, 100, 300, 1000):
                soft, plain = (
                    [v for v in run.verdicts("overall", labels, soft=s) if v.split == split]
                    for s in (True, False)
                )
                if not soft:
                    continue
                roles = [v for v in run.verdicts("roles", labels, soft=True) if v.split == split]
                rows.append(
                    (
                        f"{name}, {split}",
                        f"{labels:,}",
                        f"{plain[0].value:.3f}" if plain else "",
                        f"{soft[0].value:.3f}",
                        f"{soft[0].other:.3f}",
                        str(soft[0]),
                        _listed(roles, "ahead"),
                        _listed(roles, "behind"),
                    )
                )
    header = ("run", "labelled sentences", "by majority", "soft", "BiGRU", "soft minus BiGRU",
              "roles ahead", "roles behind")  # fmt: skip
    return table(header, rows)


def baselines_table(runs: dict[str, Run]) -> list[str]:
    """Supervised models, and the control of shuffled labels, by corpus."""
    columns = {
        "BiGRU, all labels": ("bigru", "labels=all"),
        "with Hebbian codes": ("bigru", "labels=all codes=hebbian"),
        "on dev": ("bigru", "labels=readout"),
        "on 100": ("bigru", "labels=100"),
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
        if run.find("test", "labels=all", model="bigru"):
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
    conditions["prototypes random tokens"] = "prototypes=random"
    rows = []
    for name, words in conditions.items():
        values = [runs[run].find(split, words) for run, split in columns]
        rows.append((name, *(value.short if value else "" for value in values)))
    return table(("learner", *(f"{run}, {split}" for run, split in columns)), rows)


def few_table(runs: dict[str, Run]) -> list[str]:
    """The same 100 labelled sentences: accuracy, and roles and splits ahead and behind."""
    rows = []
    for name, text in (("builtin", "built-in"), ("cogs", "COGS"), ("ewt", "UD English EWT"),
                       *LANGUAGES.items()):  # fmt: skip
        if name not in runs:
            continue
        run = runs[name]
        roles = run.verdicts("roles", 100, soft=True)
        turns = run.turns_on_structure()
        splits = [v for v in run.verdicts("splits", 100, soft=True) if v.split in turns]
        for v in run.verdicts("overall", 100, soft=True):
            of = [role for role in roles if role.split == v.split]
            shown = [of, splits if v.split == "gen" else []]
            rows.append(
                (
                    f"{text}, {'test' if v.split == 'test' else 'generalization'}",
                    f"{v.value:.3f}",
                    f"{v.other:.3f}",
                    v.word,
                    *(
                        f"{_count(found, 'ahead')}, {_count(found, 'behind')} of {len(found)}"
                        if found
                        else ""
                        for found in shown
                    ),
                )
            )
    header = ("on the same 100 labelled sentences", "learner, soft", "BiGRU", "the learner is",
              "roles ahead, behind", "structure-dependent splits ahead, behind")  # fmt: skip
    return table(header, rows)


def _count(found: Sequence[Verdict], word: str) -> int:
    return sum(v.word == word for v in found)


def readme_table(runs: dict[str, Run]) -> list[str]:
    """What a first look needs: three corpora, the learner, and a rival on either side."""
    lines = [
        ("built-in grammar, test", "builtin", "test"),
        ("COGS, generalization", "cogs", "gen"),
        ("English (UD EWT), test", "ewt", "test"),
    ]
    rows = []
    for text, name, split in lines:
        if name in runs:
            values = [
                runs[name].find(split),
                runs[name].find(split, "labels=all", model="bigru"),
                runs[name].find(split, model="lookup"),
            ]
            rows.append((text, *(value.short if value else "" for value in values)))
    return table(("corpus", "hebbsim, no labels", "BiGRU, all labels", "lookup, all labels"), rows)


def results_table(runs: dict[str, Run]) -> list[str]:
    """Every corpus, by both read-outs, alone and voting."""
    lines = [
        ("built-in, test", "builtin", "builtin-pop", "test"),
        ("built-in, generalization", "builtin", "builtin-pop", "gen"),
        ("COGS, test", "cogs", "cogs-pop", "test"),
        ("COGS, generalization", "cogs", "cogs-pop", "gen"),
        ("COGS, phrase in the subject", "cogs", "cogs-pop", "gen/obj_pp_to_subj_pp"),
        ("UD English EWT", "ewt", "ewt-pop", "test"),
        ("UD English EWT, 13M tokens of text", "ewt-text", "ewt-text-pop", "test"),
        *((text, run, "", "test") for run, text in LANGUAGES.items()),
    ]
    header = ("corpus", "K", "zero-label", "soft read-out", "8 voting", "8 voting, soft",
              "BiGRU, all labels", "lookup")  # fmt: skip
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
            run.find(split, model="lookup"),
        ]
        clusters = f"{k}" if other == k else f"{k}; 8 x {other}"
        rows.append((text, clusters, *(value.short if value else "" for value in values)))
    return table(header, rows)


def passes_table(runs: dict[str, Run]) -> list[str]:
    """One learner by passes, and its controls."""
    rows = []
    for text, name in PASSES.items():
        if name not in runs:
            continue
        run = runs[name]
        for split, said in (("test", "test"), ("gen", "generalization")):
            values = [
                run.find(split, f"tokens={run.config['n_tokens']}"),
                run.find(split),
                run.find(split, SOFT),
                run.find(split, "prototypes=random"),
                run.find(split, "shuffled=traces"),
                run.find(split, model="lookup"),
            ]
            if values[1]:
                rows.append((f"{text}, {said}", *(v.short if v else "" for v in values)))
    header = ("corpus", "one pass", "three passes", "soft read-out",
              "random prototypes", "traces shuffled", "lookup")  # fmt: skip
    return table(header, rows)


def _contenders(runs: dict[str, Run]) -> Iterator[tuple[Run, str]]:
    """Runs with each of their models by corpus; a corpus begins with the learner, named once."""
    shown: set[str] = set()
    corpora = list(dict.fromkeys(run.config["corpus"] for run in runs.values()))
    for run in sorted(runs.values(), key=lambda run: corpora.index(run.config["corpus"])):
        models = {cost["model"] for cost in run.costs} - {"hebbian"}
        if run.config["corpus"] not in shown:  # with the same seeds, the learner is the same
            yield run, "hebbian"
        shown.add(run.config["corpus"])
        for model in sorted(models):
            yield run, model


def rivals_table(runs: dict[str, Run]) -> list[str]:
    """The learner beside the rivals that have no labels either, with what each takes."""
    rows = []
    for run, model in _contenders(runs):
        condition = run.learner if model == "hebbian" else ""
        values = [
            run.find(split, f"{condition} {soft}", model=model)
            for split in ("test", "gen")
            for soft in ("", SOFT)
        ]
        leads = [run.against(model, split) for split in ("test", "gen")]
        rows.append(
            (
                f"{run.config['corpus']}, K = {run.config['clusters']}",
                model,
                *(value.short if value else "" for value in values),
                *(str(lead) if lead else "" for lead in leads),
                *run.cost(model),
            )
        )
    header = ("corpus", "model", "test", "test, soft", "gen", "gen, soft", "hebbian minus it, test",
              "gen", "CPU s", "MB")  # fmt: skip
    return table(header, rows)


def rivals_brief_table(runs: dict[str, Run]) -> list[str]:
    """The same in short, for a page: each corpus named once, leads with half of their interval."""
    rows = []
    for run, model in _contenders(runs):
        corpus = f"{NAMES[run.config['corpus']]}, K = {run.config['clusters']}"
        values = [
            run.find(split, soft, model=model)
            for split, soft in (("test", ""), ("test", SOFT), ("gen", ""))
        ]
        leads = [run.against(model, split) for split in ("test", "gen")]
        rows.append(
            (
                corpus if model == "hebbian" else "",
                model,
                *(value.short if value else "" for value in values),
                *(f"{lead.difference.short}, {lead.word}" if lead else "" for lead in leads),
                run.cost(model)[0],
            )
        )
    header = ("corpus", "model", "test", "test, soft", "gen", "hebbian's lead on test", "on gen",
              "CPU s")  # fmt: skip
    return table(header, rows)


def equal_time_table(runs: dict[str, Run]) -> list[str]:
    """The learner when it has learned for as long as a rival takes in all."""
    rows = []
    # Without a learning curve nothing is known of the learner on its way.
    for run in (run for run in runs.values() if run.has_curve):
        models = dict.fromkeys(cost["model"] for cost in run.costs if cost["model"] != "hebbian")
        for model in sorted(models):
            seconds = run.seconds_of(model)
            k = run.config["clusters"]
            cells = [f"{run.config['corpus']}, K = {k}", model, f"{seconds:.1f}"]
            read = ""
            for split in ("test", "gen"):
                other, learner = run.find(split, model=model), run.after(seconds, split)
                if other:
                    read = f"{learner[0]:,}" if learner else "none yet"
                cells += [other.short if other else "", learner[1].short if learner else ""]
            rows.append((*cells, read))
    header = ("corpus", "rival", "CPU s", "rival, test", "hebbian by then, test", "rival, gen",
              "hebbian by then, gen", "tokens it has read")  # fmt: skip
    return table(header, rows)


def rival_runs_table(runs: dict[str, Run]) -> list[str]:
    """Commands of the runs beside rivals."""
    rows = [
        (name, f"`hebbsim run roles {RIVAL_RUNS[name]}`", f"{run.config['seeds']}",
         f"{run.config.get('rival_seeds', '')}")
        for name, run in runs.items()
    ]  # fmt: skip
    return table(("run", "command", "seeds", "of rivals"), rows)


# --- files ----------------------------------------------------------------------------------


def rounded(source: Path, numeric: Sequence[str]) -> Iterator[list[str]]:
    """The rows of a table with its numbers at six digits."""
    with source.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        condition, role = (header.index(n) if n in header else None for n in ("condition", "role"))
        numbers = [header.index(name) for name in numeric]
        yield header
        for row in reader:
            # Of what was measured on the way, the accuracies alone.
            if condition is not None and "tokens=" in row[condition] and role and row[role]:
                continue
            for i in numbers:
                row[i] = f"{float(row[i]):.6g}" if row[i] else ""
            yield row


def keep(folder: Path) -> None:
    """Copy what the tables need of a run folder to where it stays."""
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    machine = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    about = {
        "config": {n: document["config"][n] for n in TOLD if n in document["config"]},
        "seconds": round(machine["seconds"], 1),
        "structure": document["tables"].get("structure", []),
    }
    if "costs" in machine and folder.name in RIVAL_RUNS:
        about["costs"] = machine["costs"]
    (KEPT / f"{folder.name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    for source, kept, numeric in (
        ("results", folder.name, BOUNDS),
        ("comparisons", f"{folder.name}.comparisons", COMPARED),
    ):
        if folder.name in LAYERS and source == "comparisons":
            continue
        if (folder / f"{source}.csv").is_file():
            with (KEPT / f"{kept}.csv").open("w", encoding="utf-8", newline="") as file:
                rows = rounded(folder / f"{source}.csv", numeric)
                if folder.name in LAYERS:  # their table tells no more
                    header = next(rows)
                    at = header.index("metric")
                    rows = iter([header, *(row for row in rows if row[at] in CLUSTERING)])
                csv.writer(file, lineterminator="\n").writerows(rows)


def main(folder: Path) -> None:
    names = [*RUNS, *RIVAL_RUNS, *LAYERS]
    fresh = [name for name in names if (folder / name / "results.json").is_file()]
    if not fresh:
        raise SystemExit(f"{folder}: holds no run folder by the names {', '.join(names)}")
    for name in fresh:
        keep(folder / name)
    write_pages()


def kept(names: Iterable[str] = RUNS) -> dict[str, Run]:
    """Every run of which `results` holds the rows."""
    return {name: Run(name) for name in names if (KEPT / f"{name}.json").is_file()}


def write_pages() -> None:
    """Write every table, from what is kept."""
    runs, beside_rivals = kept(), kept(RIVAL_RUNS)
    fill(
        ROOT / "experiments/REPRODUCING.md",
        runs=runs_table(runs),
        claims=claims_table(runs),
        all_labels=all_labels_table(runs),
        few_labels=few_labels_table(runs),
        structure_splits=structure_splits_table(runs),
        baselines=baselines_table(runs),
        equivalence=equivalence_table(runs),
        parts=parts_table(runs),
        passes=passes_table(runs),
        rival_runs=rival_runs_table(beside_rivals),
        rivals=rivals_table(beside_rivals),
        equal_time=equal_time_table(beside_rivals),
        layers=layers_table(kept(LAYERS)),
    )
    fill(
        ROOT / "docs/experiments/results.md",
        results=results_table(runs),
        few=few_table(runs),
        passes=passes_table(runs),
        rivals=rivals_brief_table(beside_rivals),
    )
    fill(ROOT / "README.md", results=readme_table(runs))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python experiments/roles/tabulate.py FOLDER")
    main(Path(sys.argv[1]))
