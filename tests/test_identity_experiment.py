"""`hebbsim run identity`: streams, configuration, results, figures, command line."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

import hebbsim.readers
from hebbsim.baselines import TorchMissingError
from hebbsim.cli import app, main
from hebbsim.errors import BadInputError
from hebbsim.experiments.identity.config import TIMESCALE_SETS, IdentityConfig
from hebbsim.experiments.identity.material import (
    corpus_codes,
    draw_material,
    fixed_states,
    make_source,
)
from hebbsim.experiments.identity.run import run_identity
from hebbsim.experiments.identity.sentence import run_sentence
from hebbsim.experiments.identity.structure import structure_scores
from hebbsim.experiments.identity.table import show
from hebbsim.plots import NothingToDrawError
from hebbsim.plots import identity as figures
from hebbsim.plots.identity import plot_processing
from hebbsim.plots.structure import plot_memories, plot_plane, plot_structure
from hebbsim.plots.tables import read, select
from hebbsim.probes.identity import Memory
from hebbsim.readers import load_corpus
from hebbsim.readers.grammar import make_builtin
from hebbsim.readers.tables import write_tables
from hebbsim.runs.figures import draw_run

SMALL = {
    "vocab_size": 20,
    "dim": 16,
    "lags": 3,
    "seeds": 2,
    "states": 64,
    "training": 200,
    "precision": "float32,int8",
    "noise": "10",
    "map_seeds": 1,
    "structure": "none",
    "limits": False,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("identity") / "run"
    steps = []
    results = run_identity(**SMALL, out=folder, progress=lambda *step: steps.append(step))
    return results, folder, steps


def test_every_decoder_condition_and_lag_has_its_rows(run):
    results, _, steps = run
    for model in ("nearest", "linear", "ridge", "cancellation"):
        for lag in range(3):
            for held in ("precision=float32", "precision=int8", "precision=float64 snr=10"):
                words = dict(w.split("=") for w in f"lag={lag} {held}".split())
                accuracy = results.select(words, model=model, metric="accuracy")
                bits = results.select(words, model=model, metric="bits")
                assert len(accuracy) == len(bits) == 1
                assert accuracy[0].n == 2
                assert 0 <= accuracy[0].mean <= 1
                assert bits[0].mean <= np.log2(20) + 1e-9
    assert len(results.select(split="map")) == 3 * len(TIMESCALE_SETS)
    done, total = steps[-1][1:]
    assert done == total == len(steps) - 1
    assert steps[0] == (None, 0, total)  # before anything is measured


def test_no_number_depends_on_the_threads(run):
    again = run_identity(**SMALL, workers=1).document()
    assert again["results"] == run[0].document()["results"]


def test_bits_stay_below_the_bounds(run):
    results, _, _ = run
    for row in results.select(metric="excess"):
        assert row.mean <= 0.1, row
    for row in results.select(metric="total_bits", split="test"):
        bound = results.select(row.words, model="bound", metric="total_bits")[0]
        assert row.mean <= bound.mean + 0.3


def test_a_number_format_is_bounded_by_its_size_and_estimated_by_its_errors(run):
    results, _, _ = run
    bound = results.select({"precision": "int8"}, model="bound", metric="total_bits")[0]
    assert bound.mean == pytest.approx(min(3 * np.log2(20), 3 * 16 * 8))
    assert results.select({"precision": "int8"}, model="estimate", metric="total_bits")
    noisy = {"precision": "float64", "snr": "10"}
    assert not results.select(noisy, model="estimate", metric="total_bits")


def test_more_noise_leaves_fewer_bits():
    results = run_identity(**SMALL | {"noise": "30,10,-10", "map_seeds": 0, "lags": 6})
    totals = [
        results.select(
            {"precision": "float64", "snr": snr}, model="cancellation", metric="total_bits"
        )
        for snr in ("30", "10", "-10")
    ]
    means = [rows[0].mean for rows in totals]
    assert means == sorted(means, reverse=True)
    assert means[0] > means[2] + 1
    faint = {"precision": "float64", "snr": "-10"}
    found = results.select(faint, model="cancellation", metric="lags_found")[0].mean
    first = results.select({"lag": "0", **faint}, model="cancellation", metric="accuracy")[0].mean
    assert first < 0.4
    assert found == 0


def test_the_same_seed_gives_the_same_numbers(run):
    again = run_identity(**SMALL)
    assert again.document() == run[0].document()


def test_run_folder_and_figures(run):
    _, folder, _ = run
    document = json.loads((folder / "results.json").read_text())
    assert document["schema"] == "hebbsim.results/1"
    assert document["experiment"] == "identity"
    names = {p.name for p in (folder / "figures").iterdir()}
    assert names == {
        f"{n}.{s}" for n in ("decoders", "precision", "capacity") for s in ("svg", "png")
    }
    before = {p: p.read_bytes() for p in (folder / "figures").iterdir()}
    assert draw_run(folder, "identity") == {}
    assert all(p.read_bytes() == content for p, content in before.items())


def test_figures_show_the_rows(run):
    table = read(run[1] / "results.csv")
    ax = figures.plot_decoders(table)
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    rows = table[(table["model"] == "linear") & (table["metric"] == "bits")]
    rows = rows[rows["condition"].str.endswith("precision=float32")]
    np.testing.assert_allclose(drawn["linear"], rows["mean"])
    cells = figures.plot_capacity(table).images[0].get_array()
    assert cells.shape == (len(TIMESCALE_SETS), 3)
    with pytest.raises(NothingToDrawError):
        figures.plot_capacity(table[table["split"] == "test"])


# --- streams -----------------------------------------------------------------------------------


def test_drawn_streams_follow_their_prior():
    rng = np.random.default_rng(0)
    for name in ("uniform", "zipf"):
        source = make_source(name, 5)
        tokens = source.streams(200, 100, rng)
        np.testing.assert_allclose(np.bincount(tokens.ravel()) / 20_000, source.prior, atol=0.02)
    assert make_source("zipf", 5).prior[0] / make_source("zipf", 5).prior[4] == pytest.approx(5)


def test_a_text_is_read_by_its_commonest_types(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat saw the dog .\n" * 200 + "a bird sang .\n")
    source = make_source(str(text), 4)
    assert len(source.prior) == 4
    assert source.prior.sum() == pytest.approx(1)
    np.testing.assert_allclose(source.prior[:3], [2 / 6, 1 / 6, 1 / 6], atol=0.01)
    first, second = source.halves
    streams = source.streams(50, 12, np.random.default_rng(0))
    windows = np.lib.stride_tricks.sliding_window_view(second, 12)
    assert all((windows == stream).all(axis=1).any() for stream in streams)
    assert len(first) + len(second) == len(source.text)
    assert make_source(str(text), 1000).prior.shape == (8,)


def test_training_and_decoding_read_different_halves(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("one two .\n" * 200 + "three four .\n" * 200)
    source = make_source(str(text), 10)
    rng = np.random.default_rng(0)
    learnt = source.streams(20, 30, rng, training=True)
    assert np.unique(source.streams(20, 30, rng)).size == np.unique(learnt).size == 3
    assert np.intersect1d(source.streams(20, 30, rng), learnt).size == 1  # the full stop


def test_too_short_a_text(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat saw the dog .\n")
    with pytest.raises(BadInputError, match="half of its 6 tokens are too few"):
        run_identity(**SMALL | {"stream": str(text)})
    text.write_text("word\n" * 500)
    with pytest.raises(BadInputError, match="only one type"):
        make_source(str(text), 10)


def test_a_text_says_what_neighbours_tell(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("one two three four .\n" * 2000)
    options = SMALL | {"stream": str(text), "timescales": "2,4", "map_seeds": 0, "noise": "none"}
    results = run_identity(**options | {"dim": 32})
    for row in results.select(model="stream", metric="ngram_information"):
        assert row.mean == pytest.approx(np.log2(5), abs=0.1)
    # Of what the model knows already, no decoder tells more.
    beyond = results.select(model="cancellation", metric="bits_beyond_bigram")
    assert len(beyond) == 2 * 2  # conditions, lags from 1
    assert all(abs(row.mean) < 0.05 for row in beyond)
    first = results.select({"lag": "0", "precision": "float32"}, metric="bits")
    total = results.select({"precision": "float32"}, metric="total_beyond_bigram")
    assert total[0].mean == pytest.approx(first[0].mean, abs=0.1)
    assert any("text" in note for note in results.notes)
    assert results.config["vocab_size"] == 5


# --- configuration and command line --------------------------------------------------------------


@pytest.mark.parametrize(
    "options, message",
    [
        ({"precision": "float16"}, "unknown precision 'float16'"),
        ({"precision": "int8,int8"}, "given twice"),
        ({"precision": ""}, "name at least one"),
        ({"noise": "loud"}, "--noise: "),
        ({"noise": "nan"}, "not finite"),
        ({"decoders": "oracle"}, "unknown decoder 'oracle'"),
        ({"timescales": "0.5"}, "below 1 token"),
        ({"vocab_size": 1}, "--vocab-size: "),
        ({"lags": 0}, "--lags: "),
        ({"codes": "learnt"}, "--codes: "),
        ({"memories": "traces,tape"}, "unknown memory 'tape'"),
        ({"probe": "linear"}, "'linear' is not a decoder that learns"),
        ({"map_decoder": "ridge"}, "'ridge' is not a decoder that needs no training"),
        ({"probe_states": 10}, "--probe-states: "),
        ({"rounding": "never"}, "--rounding: "),
    ],
)
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(BadInputError, match=message):
        IdentityConfig.checked(options)


def test_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ["run", "identity", "--out", str(tmp_path / "run"), "--offline"]
    for key, value in SMALL.items():
        name = key.replace("_", "-")
        words += ["--no-limits"] if key == "limits" else [f"--{name}", str(value)]
    with pytest.raises(SystemExit) as leaving:
        main(words)
    assert leaving.value.code == 0
    shown = capsys.readouterr()
    assert not shown.err
    assert max(map(len, shown.out.replace(str(tmp_path), "").splitlines())) <= 80
    for part in (
        "Accuracy by lag", "cancellation", "noise 10 dB", "log16", "lags found",
    ):  # fmt: skip
        assert part in shown.out
    with pytest.raises(SystemExit):
        main([*words, "--json", "--overwrite"])
    assert json.loads(capsys.readouterr().out)["experiment"] == "identity"
    with pytest.raises(SystemExit) as leaving:
        main([*words[:4], "--precision", "float16"])
    assert leaving.value.code == 2
    assert "unknown precision" in capsys.readouterr().err
    assert "identity" in CliRunner().invoke(app, ["run", "--help"]).output


def test_learned_codes_come_from_a_text(tmp_path):
    with pytest.raises(BadInputError, match="nothing to learn from a uniform stream"):
        run_identity(**SMALL | {"codes": "learned"})
    text = tmp_path / "text.txt"
    text.write_text("the cat saw a dog .\na bird sang .\nthe dog slept .\n" * 300)
    options = SMALL | {"stream": str(text), "codes": "learned", "map_seeds": 0, "noise": "none"}
    results = run_identity(**options | {"timescales": "2,4", "decoders": "cancellation"})
    words = {"lag": "0", "precision": "float32"}
    first = results.select(words, model="cancellation", metric="accuracy")
    assert first[0].mean > 0.6


# --- structure -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A small built-in corpus as a folder of tables."""
    folder = tmp_path_factory.mktemp("corpus") / "small"
    write_tables(make_builtin(seed=0, n_train=300, n_dev=120, n_test=120, n_gen=0), folder)
    return str(folder)


def structural(corpus, **options):
    few = {"vocab_size": 20, "dim": 16, "lags": 2, "states": 64, "precision": "float32"}
    few |= {"noise": "none", "map_seeds": 0, "decoders": "cancellation", "seeds": 2}
    few |= {"probe_training": 2000, "probe_states": 1600, "structure": corpus, "limits": False}
    return run_identity(**few | options)


@pytest.fixture(scope="module")
def structure_run(corpus, tmp_path_factory):
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("structure") / "run"
    return structural(corpus, out=folder, limits=True), folder


def shares(results, name, model, split="structure", **words):
    return {
        row.words["lag"]: row.mean
        for row in results.select(split=split, model=model, metric="share")
        if row.words["property"] == name
        and "lag" in row.words
        and all(row.words.get(key) == value for key, value in words.items())
        and ("timescales" in row.words) == ("timescales" in words)
    }


def test_every_memory_tells_the_last_word_and_a_window_nothing_older(structure_run):
    results, _ = structure_run
    for model in ("traces", "traces-learned", "window", "lmu", "fast-weights", "gru", "bigru"):
        found = shares(results, "word", model)
        assert set(found) == {"0", "1", "2", "3", "4", "6", "8"}
        assert found["0"] > 0.3
        assert all(0 <= share <= 1 for share in found.values())
    window = shares(results, "word", "window")
    assert min(window[lag] for lag in "012") > window["3"] + 0.3
    assert window["4"] < 0.1


def test_cancellation_finds_the_words_that_the_probe_of_the_same_traces_loses(structure_run):
    results, _ = structure_run
    exact = shares(results, "word", "cancellation", precision="float32")
    linear = shares(results, "word", "traces")
    assert min(exact.values()) > 0.9
    assert linear["4"] < 0.6


def test_single_traces_by_timescale(structure_run):
    """A trace of timescale 1 holds the last token alone: at lag 1 a word is gone."""
    results, _ = structure_run
    for model in ("traces", "traces-learned"):
        assert shares(results, "word", model, timescales="1")["1"] < 0.15
        assert shares(results, "word", model, timescales="4")["1"] > 0.2


def test_selectivity_is_accuracy_less_that_of_the_control(structure_run):
    results, _ = structure_run
    rows = results.select(split="structure", model="traces", metric="selectivity")
    assert {row.words["property"] for row in rows} >= {"position", "pos", "role", "depth"}
    for row in rows:
        own, random = (
            results.select(row.words, split="structure", model="traces", metric=metric)[0].mean
            for metric in ("accuracy", "control_accuracy")
        )
        assert row.mean == pytest.approx(own - random)


def test_the_plane_tells_content_from_structure(structure_run):
    results, _ = structure_run

    def on_plane(model):
        rows = results.select(split="plane", model=model, metric="share")
        return {row.words["property"]: row.mean for row in rows}

    word, past = on_plane("word"), on_plane("traces")
    assert word["word"] > 0.9 and word["pos"] > 0.7
    assert word["position"] < 0.2 and word["depth"] < 0.2
    assert past["position"] > word["position"]
    assert past["word"] < 0.3


def test_labels_that_say_nothing_are_not_found(corpus):
    """The probe of labels drawn by chance: bits near 0, whatever the state."""
    loaded = load_corpus(corpus)
    rng = np.random.default_rng(0)
    for split in loaded.splits.values():
        for name, layer in split.layers.items():
            split.layers[name] = rng.permutation(layer)
    config = IdentityConfig(probe_training=2000, probe_states=1600)
    material = draw_material(loaded, config, 0)
    codes = corpus_codes(material, 16, 0)
    states = fixed_states("traces", material, codes, config.taus(), 0)
    scores = list(structure_scores(loaded, material, states, "traces", 0, lags=(0, 2)))
    for name in ("pos", "role", "depth"):
        found = [s.value for s in scores if s.metric == "share" and f"={name} " in s.condition]
        # Parts of speech are told from words as well, which were not shuffled.
        assert found and (name == "pos" or max(found) < 0.03)


def test_deeper_processing_stays_below_the_exact_posterior(structure_run):
    results, _ = structure_run
    exact = results.select(split="processing", model="exact", metric="total_bits")[0].mean
    rows = results.select(split="processing", model="linear", metric="total_bits")
    found = {(row.words["layers"], int(row.words["depth"])): row.mean for row in rows}
    assert max(found.values()) < exact
    assert found["cancellation", 6] > found["cancellation", 0] + 1
    tanh = [found["tanh", depth] for depth in range(7)]
    assert tanh[0] > tanh[3] > tanh[6]
    for row in results.select(split="processing", metric="excess"):
        assert row.mean < 0.05


def test_the_past_that_is_always_found_is_that_of_the_closed_form(structure_run):
    results, _ = structure_run
    measured = results.select(split="expansion", model="cancellation", metric="exact_past")
    bounds = results.select(split="expansion", model="bound", metric="exact_past")
    assert [row.mean for row in measured] == [row.mean for row in bounds]
    assert {row.mean for row in measured} == {2, 3, 5, 8}


def test_figures_of_structure(structure_run):
    _, folder = structure_run
    names = {path.stem for path in (folder / "figures").iterdir()}
    assert names == {
        "decoders", "precision", "structure", "structure-learned", "plane", "memories",
        "processing",
    }  # fmt: skip
    table = read(folder / "results.csv")
    ax = plot_structure(table)
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    linear = select(
        table, {"property": "word", "lag": None}, split="structure", model="traces", metric="share"
    )
    np.testing.assert_allclose(drawn["word (content)"], linear["mean"])
    ax = plot_memories(table)
    assert len(ax.lines) == 7
    assert len(plot_plane(table).get_yticks()) >= 5
    nothing = table[table["split"] == "test"]
    for draw in (plot_structure, plot_memories, plot_plane, plot_processing):
        with pytest.raises(NothingToDrawError):
            draw(nothing)


def test_tables_of_structure_fit_the_terminal(structure_run):
    results, folder = structure_run
    stream = io.StringIO()
    show(results, folder, Console(file=stream, width=80))
    text = stream.getvalue().replace(str(folder), "")
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for part in ("Structure and content", "Memories of equal size", "fast-weights", "bigru",
                 "Deeper", "closed form"):  # fmt: skip
        assert part in text


def test_a_memory_of_ones_own_is_compared_by_its_name(corpus, monkeypatch):
    monkeypatch.setattr(Memory, "_registry", dict(Memory._registry))

    class Blank(Memory):
        name = "blank"

        def run(self, tokens):
            return np.zeros((*tokens.shape, self.size), dtype=np.float32)

    results = structural(corpus, memories="traces,blank", seeds=1)
    found = {name: shares(results, "word", name)["0"] for name in ("traces", "blank")}
    assert found["blank"] < 0.1 < found["traces"]


def test_without_torch_the_networks_are_left_out(corpus, monkeypatch):
    def missing(*args):
        raise TorchMissingError

    monkeypatch.setattr("hebbsim.experiments.identity.run.network_states", missing)
    results = structural(corpus, memories="traces,gru", seeds=1)
    assert not results.select(model="gru")
    assert any("gru is left out: torch" in note for note in results.notes)


def test_a_corpus_too_small_to_score(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat saw the dog .\n" * 5)
    with pytest.raises(BadInputError, match="too few sentences"):
        structural(str(text))


def test_what_is_noted_of_a_corpus_stands_in_the_results(corpus, monkeypatch):
    noted = replace(load_corpus(corpus), notes=("cut in three",))
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: noted)
    small = {**SMALL, "seeds": 1, "map_seeds": 0, "noise": "none", "decoders": "nearest"}
    # Of a corpus that is streamed and has its structure read, once.
    assert run_identity(**small, stream="x").notes.count("cut in three") == 1
    found = run_sentence(sentence="the dog sleeps", structure="x", seeds=1, decoders="nearest")
    assert "cut in three" in found.notes


# --- a sentence ----------------------------------------------------------------------------------


def test_a_sentence_is_read_back(corpus, tmp_path):
    sentence = "The dog saw a zyzzyva near the house."
    folder = tmp_path / "run"
    results = run_sentence(
        sentence=sentence, structure=corpus, seeds=2, precision="float32,int8", noise="0",
        out=folder,
    )  # fmt: skip
    words = [w for w in results.tables["sentence"] if w.decoder == "cancellation" and not w.seed]
    exact = [w for w in words if w.condition == "precision=float32"]
    assert [w.read for w in reversed(exact)] == sentence.lower().replace(".", " .").split()
    faint = [w for w in words if "snr" in w.condition]
    assert [w.word for w in faint] != [w.read for w in faint]
    assert any("zyzzyva" in note for note in results.notes)
    rows = results.select({"precision": "float32"}, model="cancellation", metric="right")
    assert rows[0].mean == 1
    properties = {s.property for s in results.tables["structure"]}
    assert properties == {"pos", "role", "depth"}
    assert all(0 <= s.probability <= 1 for s in results.tables["structure"])
    assert {p.name for p in (folder / "figures").iterdir()} == {"sentence.svg", "sentence.png"}
    again = {p: p.read_bytes() for p in (folder / "figures").iterdir()}
    assert draw_run(folder, "sentence") == {}
    assert all(p.read_bytes() == content for p, content in again.items())


@pytest.mark.parametrize(
    "sentence, message", [("", "no word"), ("  ", "no word"), ("word " * 61, "at most 60")]
)
def test_sentences_that_cannot_be_read(sentence, message, corpus):
    with pytest.raises(BadInputError, match=message):
        run_sentence(sentence=sentence, structure=corpus)


def test_a_sentence_on_the_command_line(corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ["run", "identity", "--sentence", "The dog that saw extraordinarily long words slept."]
    words += ["--structure", corpus, "--seeds", "1", "--out", str(tmp_path / "run")]
    with pytest.raises(SystemExit) as leaving:
        main(words)
    assert leaving.value.code == 0
    shown = capsys.readouterr().out.replace(str(tmp_path), "")
    assert max(map(len, shown.splitlines())) <= 80
    assert "cancel" in shown and "40 dB" in shown and "extraordi…" in shown
    with pytest.raises(SystemExit):
        main([*words, "--json", "--overwrite"])
    assert json.loads(capsys.readouterr().out)["experiment"] == "sentence"
    with pytest.raises(SystemExit) as leaving:
        main(["run", "identity", "--sentence", " ", "--out", str(tmp_path / "other")])
    assert leaving.value.code == 2
    assert "no word" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
