"""`hebbsim run identity`: streams, configuration, results, figures, command line."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from hebbsim.cli import app, main
from hebbsim.errors import BadInputError
from hebbsim.experiments.identity import run_identity
from hebbsim.experiments.identity_config import TIMESCALE_SETS, IdentityConfig
from hebbsim.experiments.identity_streams import make_source
from hebbsim.plots import NothingToDrawError
from hebbsim.plots import identity as figures
from hebbsim.plots.tables import read

SMALL = {
    "types": 20,
    "dim": 16,
    "lags": 3,
    "seeds": 2,
    "states": 64,
    "training": 200,
    "precision": "float32,int8",
    "noise": "10",
    "map_seeds": 1,
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
    assert done == total == len(steps)


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
    figures.draw_identity(folder)
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
    with pytest.raises(BadInputError, match="one type alone"):
        make_source(str(text), 10)


def test_a_text_says_what_neighbours_tell(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("one two three four .\n" * 2000)
    options = SMALL | {"stream": str(text), "timescales": "2,4", "map_seeds": 0, "noise": "none"}
    results = run_identity(**options | {"dim": 32})
    known = results.select(model="stream", metric="bigram_information")[0].mean
    assert known == pytest.approx(np.log2(5), abs=0.1)
    assert any("text" in note for note in results.notes)
    assert results.config["types"] == 5


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
        ({"types": 1}, "--types: "),
        ({"lags": 0}, "--lags: "),
        ({"codes": "learnt"}, "--codes: "),
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
        words += [f"--{key.replace('_', '-')}", str(value)]
    with pytest.raises(SystemExit) as leaving:
        main(words)
    assert leaving.value.code == 0
    shown = capsys.readouterr()
    assert not shown.err
    assert max(map(len, shown.out.replace(str(tmp_path), "").splitlines())) <= 80
    for part in ("Accuracy by lag", "cancellation", "noise 10 dB", "log16", "lags found"):
        assert part in shown.out
    with pytest.raises(SystemExit):
        main([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["experiment"] == "identity"
    with pytest.raises(SystemExit) as leaving:
        main([*words[:4], "--precision", "float16"])
    assert leaving.value.code == 2
    assert "unknown precision" in capsys.readouterr().err
    assert "identity" in CliRunner().invoke(app, ["run", "--help"]).output
