"""The gallery, drawn from the tables in ``experiments/``: python figures/make.py

Figures are written here as NAME-FIGURE, as ``hebbsim figures`` draws them; ``README.md`` is written
from ``captions.md`` and says which tables each figure was drawn from.
"""

from __future__ import annotations

import hashlib
import json
import shutil
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


def kept_run(experiment: str, where: str, home: Path) -> RunTables:
    """The tables at `where` in ``experiments/`` as a run folder `home`, which figures need."""
    source = EXPERIMENTS / where
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


def digest(name: str) -> str:
    """First digits of the SHA-256 of the tables that `name` is drawn from."""
    source = EXPERIMENTS / KEPT[name][1]
    files = (source, source.with_suffix(".comparisons.csv"), source.with_suffix(".json"))
    content = b"".join(file.read_bytes() for file in files if file.is_file())
    return hashlib.sha256(content).hexdigest()[:12]


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        for name, (_, figures) in GALLERY.items():
            run = kept_run(*KEPT[name], Path(made) / name)
            drawn, failed = draw(run, figures, out=HERE, prefix=f"{name}-")
            if failed:
                raise SystemExit(f"{name}: {failed}")
            write_captions(HERE, drawn)
    (HERE / "README.md").write_text(page(read_captions(HERE / "captions.md")), encoding="utf-8")


def page(captions: dict[str, str]) -> str:
    parts = [HEAD]
    for name, (command, figures) in GALLERY.items():
        out = "" if "--out" in command else f" --out runs/{name}"
        where = KEPT[name][1]
        source = f"From [{where}](../experiments/{where}), SHA-256 `{digest(name)}`, of:"
        parts.append(f"## {name}\n\n{source}\n\n    {command}{out}\n")
        for figure in figures:
            caption = captions[f"{name}-{figure}"]
            title = caption.split("**")[1].rstrip(".")
            parts.append(f'<img src="{name}-{figure}.svg" alt="{title}" width="480">\n')
            own = f"hebbsim figures {figure} --run runs/{name}"
            parts.append(f"{caption}\n\n    {DRAWN_BY.get(f'{name}-{figure}', own)}\n")
    parts.append(OTHERS)
    return "\n".join(parts)


if __name__ == "__main__":
    main()
