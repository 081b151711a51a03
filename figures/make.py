"""The gallery, from tables alone: python figures/make.py [FOLDER]

FOLDER holds run folders by the names in `GALLERY`, each made by its command with
``--out FOLDER/NAME``. A run that is not there is drawn from the tables that `KEPT` names in
``experiments/``; without those its figures stay as they are. Figures are written here as
NAME-FIGURE, as ``hebbsim figures`` draws them; ``README.md`` is written from ``captions.md``.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from hebbsim.runs.figures import draw, read_captions, write_captions
from hebbsim.runs.finished import RunTables

HERE = Path(__file__).resolve().parent
EXPERIMENTS = HERE.parent / "experiments"
#: Options of the reported runs, as in `experiments/roles/tabulate.py`.
FIVE = "--learning-curve-seeds 5 --bigru-seeds 5 --label-curve-seeds 5 --readout-draws 5"
CURVE = "--labels 30,100,300,1000,3000"
#: Runs by name: the command that makes one, and the figures that are shown of it.
GALLERY = {
    "builtin": (
        f"hebbsim run roles --timescales 2,8,32 {CURVE} --ablation-seeds 5 {FIVE}",
        (
            "roles", "labels", "few_labels", "few_labels_gen", "timescales", "structure_content",
            "generalization", "learning_curve",
        ),
    ),
    "cogs": (
        f"hebbsim run roles --corpus cogs --preset best {CURVE} --ablation-seeds 1 {FIVE}",
        ("generalization", "few_labels_gen"),
    ),
    "identity": (
        "hebbsim run identity",
        (
            "decoders", "precision", "capacity", "structure", "structure-learned", "plane",
            "memories", "processing",
        ),
    ),
    "identity-ewt": (
        "hebbsim run identity --structure ud-english-ewt "
        "--memories traces,traces-learned,fast-weights",
        ("plane", "structure-learned"),
    ),
    "identity-cogs": (
        "hebbsim run identity --structure cogs --memories traces,traces-learned,fast-weights",
        ("plane",),
    ),
    "lm": (
        "python experiments/lm/curve.py --only nano-text --rates 0.002 --out runs/lm\n"
        "    python experiments/lm/curve.py --only micro-text --tokens 3000000 --out runs/lm\n"
        "    python experiments/lm/curve.py --only pico-text --out runs/lm",
        ("ratio",),
    ),
    "lm-nano": (
        "python experiments/lm/curve.py --only nano-text --rates 0.002 --out runs/lm",
        ("distances",),
    ),
    "blimp": (
        "hebbsim run blimp --preset nano --context 128 --batch 8 --tokens 20000000 "
        "--learning-rate 0.002 --pairs 1000",
        ("blimp",),
    ),
    "recall": ("hebbsim run recall --task mqar", ("recall",)),
}  # fmt: skip
#: Tables of runs in ``experiments/``: the experiment, and where its results stand.
KEPT = {
    **{name: ("roles", f"roles/results/{name}.csv") for name in ("builtin", "cogs")},
    "identity": ("identity", "identity/results/default.csv"),
    "identity-ewt": ("identity", "identity/results/ewt.csv"),
    "identity-cogs": ("identity", "identity/results/cogs.csv"),
    "lm": ("lm", "lm/results/crossing/curves.csv"),
    "lm-nano": ("lm", "lm/results/curve-nano-text/results.csv"),
    "blimp": ("blimp", "lm/results/blimp-nano/results.csv"),
    "recall": ("recall", "lm/results/recall-default/results.csv"),
}
#: Figures that are not drawn by ``hebbsim figures NAME --run runs/RUN``, and how they are.
DRAWN_BY = {
    "lm-ratio": "python experiments/lm/crossing.py runs/lm/*-text --out runs/lm",
    "lm-nano-distances": "hebbsim figures distances --run runs/lm/nano-text",
}
#: Pictures that are not of a run's tables: their name and how each is made.
OTHERS = """## More

<img src="identity-sentence.svg" alt="A sentence read back from three traces" width="480">

    hebbsim run identity --sentence "The dogs that chased the cat near the old house saw a bird."

`demo/` holds pictures of the page of `hebbsim demo`, taken by `demo/take.py` in chromium at 1280 by
720 and at 390 by 844 points: `explore`, `follow`, `swap`, `selection` and `phone` under Explore,
`weights` in the second lesson, `content` in the fourth.
"""
HEAD = """# Gallery

Written by `make.py`. Each figure is drawn from the tables of a run alone, as SVG and PNG
(`--format pdf` as well); its caption also stands in the file. In your own matplotlib:
`plt.style.use("hebbsim.plots.hebbsim")`; every function of `hebbsim.plots` takes `ax=`.
Figures of the benchmark: [experiments/bench](../experiments/bench/RESULTS.md).
"""


def kept_run(name: str, folder: Path) -> RunTables:
    """The run of a name in `KEPT` as a folder below `folder`, so that its figures can be drawn."""
    experiment, where = KEPT[name]
    home, source = folder / name, EXPERIMENTS / where
    home.mkdir(parents=True)
    shutil.copy(source, home / "results.csv")
    # What tabulate.py of the roles keeps beside: the configuration, and two more tables.
    beside = source.with_suffix(".json")
    said = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    config = said.get("config", {})
    document = {"schema": "hebbsim.results/1", "experiment": experiment, "config": config,
                "provenance": {}}  # fmt: skip
    for file, content in (("results", document), ("config", config)):
        (home / f"{file}.json").write_text(json.dumps(content), encoding="utf-8")
    comparisons = source.with_suffix(".comparisons.csv")
    if comparisons.is_file():
        shutil.copy(comparisons, home / "comparisons.csv")
    if said.get("structure"):
        lines = [f"{row['kind']},{row['name']},{row['decided']}\n" for row in said["structure"]]
        (home / "structure.csv").write_text("kind,name,decided\n" + "".join(lines))
    return RunTables(home)


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        for name, (_, figures) in GALLERY.items():
            if (folder / name / "results.json").is_file():
                run = RunTables(folder / name)
            elif name in KEPT and (EXPERIMENTS / KEPT[name][1]).is_file():
                run = kept_run(name, Path(made))
            else:
                print(f"{folder / name}: no such run; its figures stay", file=sys.stderr)
                continue
            drawn, failed = draw(run, figures, out=HERE, prefix=f"{name}-")
            write_captions(HERE, drawn)
            for figure, reason in failed.items():
                print(f"{name}-{figure} was not drawn and stays: {reason}", file=sys.stderr)
    (HERE / "README.md").write_text(page(read_captions(HERE / "captions.md")), encoding="utf-8")


def page(captions: dict[str, str]) -> str:
    parts = [HEAD]
    for name, (command, figures) in GALLERY.items():
        out = "" if "--out" in command else f" --out runs/{name}"
        parts.append(f"## {name}\n\n    {command}{out}\n")
        for figure in figures:
            caption = captions[f"{name}-{figure}"]
            title = caption.split("**")[1].rstrip(".")
            parts.append(f'<img src="{name}-{figure}.svg" alt="{title}" width="480">\n')
            own = f"hebbsim figures {figure} --run runs/{name}"
            parts.append(f"{caption}\n\n    {DRAWN_BY.get(f'{name}-{figure}', own)}\n")
    parts.append(OTHERS)
    return "\n".join(parts)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        raise SystemExit("usage: python figures/make.py [FOLDER]")
    main(Path(sys.argv[1] if len(sys.argv) == 2 else "runs"))
