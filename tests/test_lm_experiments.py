"""`hebbsim run lm | predictor | selection | depth | blimp | recall`: rows, figures, commands."""

import json
import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from hebbsim.cli import app, main
from hebbsim.errors import BadInputError
from hebbsim.experiments.language_models import recall
from hebbsim.experiments.language_models import store as store_module
from hebbsim.experiments.language_models.config import (
    LmConfig,
    RecallConfig,
    in_data_folder,
    model_values,
)
from hebbsim.experiments.language_models.recall import recall_config, run_recall
from hebbsim.experiments.language_models.run import (
    run_blimp,
    run_depth,
    run_lm,
    run_predictor,
    run_selection,
)
from hebbsim.experiments.language_models.store import Job
from hebbsim.experiments.language_models.table import show
from hebbsim.lm.config import load_preset
from hebbsim.plots.lm import plot_recall
from hebbsim.runs.figures import draw_run
from hebbsim.runs.results import Score, summarize

TEXT = {
    "preset": "pico", "data": "builtin", "seeds": 2, "tokens": 2048, "vocabulary": 300,
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def blimp(tmp_path_factory):
    path = tmp_path_factory.mktemp("blimp") / "blimp.jsonl"
    pairs = [
        {
            "UID": f"{term}_{kind}", "linguistics_term": term,
            "sentence_good": f"the cat {i} sleeps .", "sentence_bad": f"the cat {i} sleep .",
        }
        for term in ("agreement", "binding")
        for kind in (1, 2)
        for i in range(4)
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, pairs)))
    return path


def shown(results, folder):
    from rich.console import Console

    console = Console(width=80, record=True, highlight=False)
    show(results, folder, console)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    return text


@pytest.fixture(scope="module")
def lm(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lm") / "run"
    more = tmp_path_factory.mktemp("c4") / "c4-validation.jsonl"
    more.write_text(json.dumps({"text": "a page of the web , " * 40}) + "\n")
    options = TEXT | {"preset": "pico,nano", "context": 64, "validation": str(more)}
    steps = []
    results = run_lm(
        **options, store=store, evaluate=512, out=folder,
        progress=lambda *step: steps.append(step),
    )  # fmt: skip
    return results, folder, steps


def test_loss_over_tokens_and_parameters(lm):
    results, _, steps = lm
    for model in ("ema", "gpt2"):
        for size in ("pico", "nano"):
            curve = [
                r for r in results.select(model=model, metric="validation_loss")
                if r.words["preset"] == size
            ]  # fmt: skip
            assert [r.n for r in curve] == [2] * len(curve)
            assert int(curve[-1].words["tokens"]) >= 2048
            assert curve[-1].mean < curve[0].mean
            for split in ("test", "c4"):
                rows = results.select(model=model, condition=None, metric="perplexity", split=split)
                assert len(rows) == 2
    done, total = steps[-1][1:]
    assert done == total > 0


def test_ratios_are_those_of_the_curves(lm):
    results, _, _ = lm
    seeds = {
        (s.model, s.condition, s.seed): s.value
        for s in results.tables["per_seed"]
        if s.metric == "validation_loss"
    }
    ratios = [s for s in results.tables["per_seed"] if s.metric == "perplexity_ratio"]
    assert ratios
    for score in ratios:
        gap = seeds["ema", score.condition, score.seed] - seeds["gpt2", score.condition, score.seed]
        assert score.value == pytest.approx(math.exp(gap))


def test_shares_of_distances_add_up(lm):
    results, _, _ = lm
    shares = [
        r.mean for r in results.select(model="ema", metric="share", split="test")
        if r.words["preset"] == "pico"
    ]  # fmt: skip
    assert sum(shares) == pytest.approx(1)


def test_models_are_equally_large(lm):
    results, _, _ = lm
    sizes = {(r.model, r.words["preset"]): r.mean for r in results.select(metric="parameters")}
    for size in ("pico", "nano"):
        assert sizes["ema", size] == pytest.approx(sizes["gpt2", size], rel=0.02)


def test_a_second_run_trains_nothing_and_finds_the_same(lm, store, monkeypatch, tmp_path):
    results, _, _ = lm
    from hebbsim.lm import training

    monkeypatch.setattr(training._Run, "update", None)
    again = run_lm(
        **TEXT | {"preset": "pico,nano", "context": 64}, store=store, evaluate=512,
        validation=results.config["validation"],
    )  # fmt: skip
    assert again.rows == results.rows


def test_figures_and_tables_of_lm(lm):
    results, folder, _ = lm
    for name in ("curves", "ratio", "parameters", "distances"):
        assert (folder / "figures" / f"{name}.png").stat().st_size > 1000
    text = shown(results, folder)
    for word in ("Perplexity", "gpt2", "pico", "Ratio", "c4"):
        assert word in text


def test_predictor(store, tmp_path):
    results = run_predictor(**TEXT, store=store, evaluate=512, out=tmp_path / "run")
    rows = results.select(metric="relative_difference")
    assert [r.model for r in rows] == ["ema-mlp", "ema-attention"]
    assert all(r.n == 2 and r.low is not None for r in rows)
    assert (tmp_path / "run" / "figures" / "predictor.svg").exists()
    assert "ema-attention" in shown(results, tmp_path)


def test_selection(store, blimp, tmp_path, monkeypatch):
    def few_answers(config):
        return recall_config(config).model_copy(update={"evaluate": 20})

    monkeypatch.setattr(recall, "recall_config", few_answers)
    results = run_selection(
        **TEXT | {"seeds": 1}, models="window,delta", store=store, evaluate=512,
        blimp=blimp, recall_tokens=1536, recall_seeds=1, out=tmp_path / "run",
    )  # fmt: skip
    for model in ("window", "delta"):
        rows = [r for r in results.select(model=model) if not r.condition]
        assert {(r.split, r.metric) for r in rows} >= {
            ("test", "loss"), ("blimp", "accuracy"), ("recall", "accuracy"),
        }  # fmt: skip
    assert (tmp_path / "run" / "figures" / "ladder.png").exists()
    assert "chance" in shown(results, tmp_path)


def test_depth(store, tmp_path):
    results = run_depth(
        **TEXT | {"seeds": 1}, layers="1,3", store=store, evaluate=512, out=tmp_path / "run"
    )
    for kind in ("residual", "selection"):
        probes = [r for r in results.select(model=kind, metric="probe") if r.words["layers"] == "3"]
        assert [r.words["layer"] for r in probes] == ["0", "1", "2", "3"]
    for name in ("depth_loss", "readability", "gradient"):
        assert (tmp_path / "run" / "figures" / f"{name}.png").exists()
    shown(results, tmp_path)


def test_blimp(store, blimp, tmp_path):
    results = run_blimp(**TEXT, store=store, blimp=blimp, pairs=3, out=tmp_path / "run")
    accuracies = {r.condition: r.mean for r in results.select(model="gpt2", metric="accuracy")}
    parts = [v for c, v in accuracies.items() if c.startswith("paradigm=")]
    assert len(parts) == 4 and accuracies[""] == pytest.approx(sum(parts) / 4)
    assert results.select(model="ema", metric="accuracy_difference")
    assert "agreement" in shown(results, tmp_path)
    (blimp.parent / "bad.jsonl").write_text("{}")
    with pytest.raises(BadInputError, match="line 1"):
        run_blimp(**TEXT, store=store, blimp=blimp.parent / "bad.jsonl")


@pytest.fixture
def long_blimp(tmp_path):
    """A pair of sentences of about 100 tokens."""
    good = "the cat sleeps and " * 12
    pair = {"UID": "a", "linguistics_term": "b", "sentence_good": good, "sentence_bad": good[1:]}
    (tmp_path / "long.jsonl").write_text(json.dumps(pair))
    return tmp_path / "long.jsonl"


@pytest.mark.parametrize("run", [run_blimp, run_selection])
def test_sentences_longer_than_the_presets_context_fit(run, store, long_blimp):
    given = {**TEXT, "seeds": 1, "tokens": 1024, "models": "ema", "store": store}
    if run is run_selection:
        given |= {"recall_seeds": 0, "evaluate": 512}
    results = run(**given, blimp=long_blimp)
    assert results.select(model="ema", metric="accuracy", split="blimp")
    assert any("instead of the preset's 64" in note for note in results.notes)


@pytest.mark.parametrize("run", [run_blimp, run_selection])
def test_a_context_too_short_for_blimp_is_refused_before_training(
    run, store, long_blimp, monkeypatch
):
    monkeypatch.setattr("hebbsim.experiments.language_models.store._train", None)
    with pytest.raises(BadInputError, match=r"--context 32: the longest sentence .*give --context"):
        run(**TEXT, context=32, store=store, blimp=long_blimp)


def test_small_text_is_held_out_in_a_stated_share(tmp_path):
    text = tmp_path / "small.txt"  # three documents
    text.write_text("\n\n".join("\n".join(f"{i} apples fell ." for i in range(600)) for _ in "abc"))
    results = run_predictor(
        **{**TEXT, "data": str(text), "seeds": 1, "tokens": 1024}, models="ema",
        store=tmp_path / "store", evaluate=512,
    )  # fmt: skip
    assert results.select(model="ema", metric="loss", split="test")
    assert any("one piece in 20 is held out" in note for note in results.notes)


@pytest.mark.parametrize("lines", [1, 20])
def test_too_little_text_is_refused_before_training_with_the_least_size(
    lines, tmp_path, monkeypatch
):
    monkeypatch.setattr("hebbsim.experiments.language_models.store._train", None)
    text = tmp_path / "small.txt"
    text.write_text("".join(f"{i} {'pears' * (i % 7)} ! ?{chr(65 + i % 50)} " for i in range(900)))
    if lines > 1:
        text.write_text("\n".join(text.read_text()[:9000].split(" ")))
    with pytest.raises(BadInputError, match=r"too few lines.* give about [\d,]+ tokens \(\d+ KB\)"):
        run_lm(**{**TEXT, "data": str(text), "context": 512, "vocabulary": 280},
               store=tmp_path / "store")  # fmt: skip


def test_recall(store, tmp_path):
    results = run_recall(
        preset="pico", models="ema,attention", pairs="2,3", keys=6, length=10, tokens=1280,
        seeds=1, evaluate=50, store=store, out=tmp_path / "run",
    )  # fmt: skip
    for split, word in (("mqar", "pairs"), ("copy", "length")):
        for n in (2, 3):
            for model in ("ema", "attention", "chance"):
                rows = results.select({word: str(n)}, split=split, model=model)
                assert len(rows) == 1 and 0 <= rows[0].mean <= 1
    assert results.select({"pairs": "2"}, split="mqar", model="chance")[0].mean == 0.5
    assert "Copying" in shown(results, tmp_path)
    assert draw_run(tmp_path / "run", "recall") == {}
    assert list((tmp_path / "run" / "figures").iterdir())


def test_workers_find_the_same_and_say_how_far_they_are(store, tmp_path):
    options = {
        "preset": "pico", "models": "ema,delta", "task": "mqar", "pairs": "2", "keys": 5,
        "length": 8, "tokens": 1024, "seeds": 1, "evaluate": 20,
    }  # fmt: skip
    alone = run_recall(**options, store=tmp_path / "a", workers=1)
    steps = []

    def progress(line, done, total):
        steps.append((done, total))

    together = run_recall(**options, store=tmp_path / "b", workers=2, progress=progress)
    assert alone.rows == together.rows
    assert steps[0] == (0, 4) and steps[1][0] == 1 and (4, 4) in steps  # two models of two updates


def test_what_stops_the_run_stops_its_workers(tmp_path):
    def progress(line, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # and not after hours
        run_recall(
            preset="pico", models="ema,delta", task="mqar", pairs="2", keys=5, length=8,
            tokens=10**9, seeds=1, store=tmp_path, workers=2, progress=progress,
        )  # fmt: skip


@pytest.mark.slow
def test_a_memory_of_ones_own_is_drawn():
    rows = [
        Score("recall", "mqar", model, f"pairs={n}", "accuracy", None, 0, 0.5)
        for model in ("ema", "mine")
        for n in (4, 8)
    ]
    ax = plot_recall(pd.DataFrame([asdict(row) for row in summarize(rows)]))
    assert "mine" in {line.get_label() for line in ax.lines}


def test_delta_recalls_where_fixed_traces_guess(tmp_path):
    # Over three seeds the two have 1.000 and .073 here.
    results = run_recall(
        preset="nano", models="ema,delta", task="mqar", pairs="8", keys=16, length=24,
        tokens=75_000, batch=16, learning_rate=0.004, seeds=1, store=tmp_path, workers=1,
    )  # fmt: skip
    assert results.select({"pairs": "8"}, model="delta", split="mqar")[0].mean > 0.95
    assert results.select({"pairs": "8"}, model="ema", split="mqar")[0].mean < 0.2


def test_the_command_prints_a_table_or_one_document(store, tmp_path):
    command = [
        "run", "recall", "--preset", "pico", "--models", "ema", "--task", "copy", "--pairs", "2",
        "--keys", "5", "--tokens", "512", "--seeds", "1", "--evaluate", "20",
        "--store", str(store), "--out", str(tmp_path / "run"),
    ]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0 and "Copying" in done.stdout
    done = CliRunner().invoke(app, [*command, "--json", "--overwrite"])
    document = json.loads(done.stdout)
    assert document["schema"] == "hebbsim.results/1" and document["experiment"] == "recall"


@pytest.mark.parametrize("verb", ["lm", "predictor", "selection", "depth", "blimp", "recall"])
def test_every_command_explains_itself(verb):
    done = CliRunner().invoke(app, ["run", verb, "--help"], env={"COLUMNS": "80"})
    assert done.exit_code == 0 and "--preset" in done.stdout and "--seeds" in done.stdout


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["lm", "--preset", "huge"], "--preset: huge is not one of"),
        (["lm", "--models", "ema,lstm"], "--models: lstm is not one of"),
        (["lm", "--data", "absent.txt"], "absent.txt: no such file"),
        (["predictor", "--preset", "pico,nano", "--data", "builtin"], "runs one size"),
        (["recall", "--pairs", "30", "--preset", "pico"], "--length 48"),
        (["lm", "--data", "builtin", "--tokenizer", "absent"], "no vocabulary there"),
        (["lm", "--data", "builtin", "--vocabulary", "100"], "at least 257"),
        (["blimp", "--data", "builtin", "--blimp", "absent.jsonl"], "no such file"),
        (["lm", "--timescales", "0.1", "--data", "builtin"], "--timescales"),
    ],
)
def test_bad_input_is_one_line(words, match, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEBBSIM_DATA_DIR", raising=False)
    with pytest.raises(SystemExit) as stop:
        main(["run", *words])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert match in error and error.count("\n") == 1
    assert not (tmp_path / "runs" / "lm-tiny").exists()


def test_an_interrupted_command_says_where_to_go_on(monkeypatch, tmp_path, capsys):
    from hebbsim.lm import training

    def interrupt(run, objective):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training._Run, "update", interrupt)
    alone = ["--workers", "1"]  # in this process, which is the one that the patch reaches
    with pytest.raises(SystemExit) as stop:
        main(["run", "recall", "--preset", "pico", "--models", "ema", "--store", ".", *alone])
    assert stop.value.code == 130
    assert "holds 0 of" in (error := capsys.readouterr().err)
    assert "resumes from there" in error and "nothing was written" not in error


def test_without_data_the_message_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEBBSIM_DATA_DIR", raising=False)
    with pytest.raises(SystemExit):
        main(["run", "lm"])
    assert "--data builtin" in capsys.readouterr().err


def test_the_data_folder_holds_what_is_not_given(monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBSIM_DATA_DIR", str(tmp_path))
    (tmp_path / "text").mkdir()
    assert in_data_folder("blimp") is None
    assert LmConfig().source() == str(in_data_folder("text")) == str(tmp_path / "text")
    assert LmConfig(data="mine.txt").source() == "mine.txt"
    monkeypatch.delenv("HEBBSIM_DATA_DIR")
    assert in_data_folder("text") is None


def test_where_runs_are_kept_changes_no_configuration(tmp_path):
    assert LmConfig(store=tmp_path).resolved() == LmConfig().resolved()
    assert RecallConfig(workers=2).resolved() == RecallConfig().resolved()


def test_each_model_learns_at_its_best_rate_of_those_tried(store):
    results = run_lm(**TEXT, learning_rates=(1e-6, 0.008, 1e-5), store=store, evaluate=512)
    for model in ("ema", "gpt2"):
        (row,) = results.select(model=model, metric="learning_rate")
        assert row.mean == 0.008 and row.n == 2
        tried = {
            r.words["rate"]: r.mean for r in results.select(model=model, metric="loss")
            if "rate" in r.words
        }  # fmt: skip
        assert min(tried, key=tried.get) == "0.008" and len(tried) == 3
        (last,) = results.select(
            {"preset": "pico", "tokens": "2048"}, model=model, metric="validation_loss"
        )
        assert last.mean == pytest.approx(tried["0.008"], abs=0.3) and last.n == 2
    assert any("is the last one tried" in note for note in results.notes)


def _made_curves(sizes, floor=0.01):
    """Scores of a known law: the turn, then ratios that grow as (tokens / crossing) ** 0.2."""
    scores = []
    for size, parameters in sizes.items():
        for seed in range(3):
            shift = 1 + 0.1 * (seed - 1)
            values = {"parameters": ("ema", "model", parameters, "parameters")}
            meet = 100 * parameters**1.1 * shift
            for tokens in (100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000):
                at = 10 * parameters * tokens / 1000
                ratio = 1.2 if tokens < 300 else (at / meet) ** 0.2
                values[f"tokens={at:.0f}"] = ("ema/gpt2", "validation", ratio, "ratio")
            values["crossing"] = ("ema/gpt2", "validation", meet, "tokens")
            for name, (model, split, value, unit) in values.items():
                tokens = f" {name}" if "=" in name else ""
                metric = "perplexity_ratio" if tokens else name
                scores.append(
                    Score("text", split, model, f"preset={size}{tokens}", metric, None, seed,
                          value, unit)
                )  # fmt: skip
    return scores


def test_where_attention_overtakes_is_marked_and_legible():
    from legible import faults

    from hebbsim.plots.lm import plot_ratio

    sizes = {"pico": 5e4, "nano": 1.5e5, "micro": 4.5e5}
    rows = pd.DataFrame([asdict(row) for row in summarize(_made_curves(sizes))])
    ax = plot_ratio(rows)
    stars = [line for line in ax.lines if line.get_gid() == "crossing"]
    assert [star.get_xdata()[0] for star in stars] == pytest.approx(
        [100 * n**1.1 for n in sizes.values()]
    )
    assert faults(ax.figure.canvas.figure) == []
    some = rows.assign(n=rows["n"].where(rows["metric"] != "crossing", 2))  # of three seeds
    ax = plot_ratio(some)
    assert not [line for line in ax.lines if line.get_gid() == "crossing"]
    assert "Stars" not in " ".join(text.get_text() for text in ax.figure.texts)


def test_the_fit_over_sizes_finds_the_law_and_its_interval(script):
    crossing = script("lm/crossing.py")
    sizes = {"pico": 5e4, "nano": 1.5e5, "micro": 4.5e5}
    table = pd.DataFrame([asdict(score) for score in _made_curves(sizes)])
    found = crossing.curves(table)
    assert [curve.size for curve in found[::3]] == list(sizes)
    terms = crossing.fit(found)
    assert crossing.crossing_of(terms, 130e6) == pytest.approx(100 * 130e6**1.1, rel=0.05)
    assert crossing.ratio_of(terms, 130e6, 8e9) == pytest.approx(
        (8e9 / (100 * 130e6**1.1)) ** 0.2, rel=0.02
    )
    drawn = [crossing.crossing_of(each, 130e6) for each in crossing.bootstrap(found, 200)]
    assert np.percentile(drawn, 2.5) < 100 * 130e6**1.1 < np.percentile(drawn, 97.5)
    one = crossing.fit(found[:3])
    assert one[1] == pytest.approx(0.2, abs=0.01) and one[2] == -one[1]


def test_seeds_and_rates_of_one_shape_are_one_batch():
    def jobs(size, seeds):
        return [
            Job((name, rate, seed), load_preset(size, model_values(name), {"learning_rate": rate}),
                seed, None)
            for seed in range(seeds) for name in ("ema", "gpt2") for rate in (0.01, 0.02)
        ]  # fmt: skip

    found = store_module._batches(jobs("pico", 3), 1)
    assert [{job.label[0] for job in batch} for batch in found] == [{"ema"}, {"gpt2"}]
    assert [len(batch) for batch in found] == [6, 6]
    # Enough for all processes, and large models alone.
    assert [len(batch) for batch in store_module._batches(jobs("pico", 3), 4)] == [3, 3, 3, 3]
    assert [len(batch) for batch in store_module._batches(jobs("130m", 1), 1)] == [1, 1, 1, 1]
