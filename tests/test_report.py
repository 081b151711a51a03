"""`hebbsim report`: verdicts follow from intervals, and the page stands alone."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from test_figures_command import call, make_run
from test_plots import ROLES, make_results

from hebbsim.errors import BadInputError
from hebbsim.runs.folders import Numbered, record
from hebbsim.runs.registry import EXPERIMENTS
from hebbsim.runs.report import CLAIMS, build, build_report, write_report
from hebbsim.runs.report.build import findings_of
from hebbsim.runs.report.claims import Finding
from hebbsim.runs.report.page import html_page, markdown_page, ranges

COLUMNS = "corpus split model condition metric role mean low high n unit".split()


def table(*rows):
    """Rows as (split, model, condition, metric, mean, half of the interval, n)."""
    filled = [
        ["made", split, model, condition, metric, "", mean, mean - half, mean + half, n, "fraction"]
        for split, model, condition, metric, mean, half, n in rows
    ]
    return pd.DataFrame(filled, columns=COLUMNS)


def with_ratio(mean, half):
    """A run of roles whose learner reaches that share of the BiGRU's accuracy."""
    row = ("test", "hebbian", "K=300 over=bigru", "accuracy_ratio", mean, half, 900)
    return pd.concat([make_results(roles=ROLES[:4]), table(row)])


def said(report, claim):
    return [finding.judgement for _, finding in report.findings(claim) if finding.judgement]


def make_roles(folder):
    run = make_run(folder / "roles-<made>", with_ratio(0.98, 0.01))
    (run / "structure.csv").write_text(
        "kind,name,decided\nrole,SUBJ,structure\nsplit,gen/obj_pp_to_subj_pp,structure\n"
        "split,gen/cp_recursion,other\n"
    )
    config = json.loads((run / "config.json").read_text()) | {"readout_sentences": 100}
    (run / "config.json").write_text(json.dumps(config))
    few = "K=300 labels=100 readout=soft"
    pd.DataFrame(
        [
            ("splits K=300", "gen/obj_pp_to_subj_pp", "", "labels=all", "ahead"),
            ("splits K=300", "gen/cp_recursion", "", "labels=all", "ahead"),
            ("roles K=300", "test", "SUBJ", "labels=all", "behind"),
            ("roles K=300", "test", "OBJ", "labels=all", "ahead"),
            (f"roles {few}", "test", "SUBJ", "labels=100", "ahead"),
            (f"roles {few}", "gen", "SUBJ", "labels=100", "no difference shown"),
            ("roles K=300 labels=30 readout=soft", "test", "SUBJ", "labels=30", "ahead"),
        ],
        columns=["table", "split", "role", "rival_condition", "verdict"],
    ).assign(condition=lambda t: t["table"].str.partition(" ")[2]).to_csv(
        run / "comparisons.csv", index=False
    )
    return run


def make_identity(folder):
    rows = [("test", "stream", "", "entropy", 10.0, 0.0, 5)]
    for held, best, linear in (("float32", 90.0, 20.0), ("bfloat16", 40.0, 20.0)):
        words = f"precision={held}"
        rows += [
            ("test", "linear", words, "total_bits", linear, 1.0, 5),
            ("test", "cancellation", words, "total_bits", best, 1.0, 5),
            ("test", "bound", words, "total_bits", 100.0, 0.0, 5),
            ("test", "linear", words, "excess", -0.1, 0.05, 5),
            ("test", "cancellation", f"lag=0 {words}", "bits", 9.0, 0.1, 5),
        ]
    return make_run(folder / "identity-made", table(*rows), experiment="identity", lags=10)


@pytest.fixture
def roles(tmp_path):
    return make_roles(tmp_path)


@pytest.fixture
def identity(tmp_path):
    return make_identity(tmp_path)


@pytest.fixture
def no_pictures(monkeypatch):
    """A verdict follows from tables; to draw them takes most of the time of a report."""
    monkeypatch.setattr(build, "_pictures", lambda run: ([], {}))


@pytest.mark.usefixtures("no_pictures")
class TestVerdicts:
    @pytest.mark.parametrize(
        ("mean", "half", "judgement", "verdict"),
        [(0.98, 0.01, "yes", "holds"), (0.94, 0.01, "no", "fails"), (0.96, 0.01, "open", "open")],
    )
    def test_c1_holds_where_the_whole_interval_is(self, tmp_path, mean, half, judgement, verdict):
        report = build_report([make_run(tmp_path / "run", with_ratio(mean, half))])
        assert said(report, "C1") == [judgement]
        assert report.verdict("C1") == verdict

    def test_two_runs_that_differ_hold_in_part(self, tmp_path):
        runs = [make_run(tmp_path / str(x), with_ratio(x, 0.001)) for x in (0.9, 0.99)]
        assert build_report(runs).verdict("C1") == "part"

    def test_c2_counts_verdicts_where_structure_decides(self, roles):
        found = {f.measure: f for _, f in build_report([roles]).findings("C2")}
        majority, soft = "clusters named by majority", "by the soft read-out"
        everything = "that structure decides, ahead of the BiGRU with all labels"
        few = "that structure decides, ahead of a BiGRU, both with the same 100 labelled sentences"
        assert {name: (f.text, f.judgement) for name, f in found.items()} == {
            f"generalization splits {everything}, {majority}": (
                "1 of 1 (obj_pp_to_subj_pp); behind on 0", "yes",
            ),
            f"roles (test) {everything}, {majority}": ("0 of 1; behind on 1", "no"),
            f"roles (test) {few}, {soft}": ("1 of 1 (SUBJ); behind on 0", "yes"),
            f"roles (gen) {few}, {soft}": ("0 of 1; behind on 0", "no"),
        }  # fmt: skip

    def test_c3_and_c6_by_decoder_and_precision(self, identity):
        report = build_report([identity])
        found = {f.measure: (round(f.mean, 2), f.judgement) for _, f in report.findings("C3")}
        what = "share of the bits of the last 10 tokens, "
        assert found == {
            what + "float32, linear decoder": (0.2, "yes"),
            what + "float32, cancellation decoder": (0.9, "no"),
            what + "bfloat16, best decoder": (0.4, "yes"),
        }
        assert report.verdict("C3") == "part"
        assert report.verdict("C6") == "holds"
        assert any("70.0 of 90.0" in f.value for _, f in report.findings("C6"))

    def test_bits_above_a_bound_are_against_c6(self, identity):
        results = pd.read_csv(identity / "results.csv")
        results.loc[results["metric"] == "excess", ["mean", "low", "high"]] = [0.5, 0.4, 0.6]
        results.to_csv(identity / "results.csv", index=False)
        assert build_report([identity]).verdict("C6") == "fails"

    def test_one_seed_decides_nothing(self, identity):
        results = pd.read_csv(identity / "results.csv")
        results[["low", "high"]] = np.nan
        results.to_csv(identity / "results.csv", index=False)
        assert build_report([identity]).verdict("C3") == "open"

    def test_claims_without_a_run_are_said_to_be_so(self, identity):
        report = build_report([identity])
        for claim in CLAIMS.values():
            absent = "identity" not in claim.experiments
            assert (report.verdict(claim.key) == "absent") == absent
            if absent:
                assert f"hebbsim run {claim.experiments[0]}" in report.summary(claim)


@pytest.mark.usefixtures("no_pictures")
class TestLanguageModels:
    def verdict(self, tmp_path, experiment, claim, *rows):
        report = build_report([make_run(tmp_path / "run", table(*rows), experiment=experiment)])
        return report.verdict(claim), said(report, claim)

    @pytest.mark.parametrize(("ratio", "judged"), [(9.0, "yes"), (0.6, "no")])
    def test_c4_reads_the_end_of_training(self, tmp_path, ratio, judged):
        rows = [
            ("validation", "ema/gpt2", f"preset=tiny tokens={n}", "perplexity_ratio", r, 0.1, 3)
            for n, r in ((1000, 3.0), (200, 20.0), (90_000, ratio))
        ]
        assert self.verdict(tmp_path, "lm", "C4", *rows)[1] == [judged]

    @pytest.mark.parametrize(
        ("mean", "half", "judged"),
        [(0.01, 0.004, "yes"), (-0.03, 0.01, "no"), (0.01, 0.01, "open")],
    )
    def test_c5_within_a_share(self, tmp_path, mean, half, judged):
        row = ("test", "ema-mlp", "minus=ema", "relative_difference", mean, half, 3)
        assert self.verdict(tmp_path, "predictor", "C5", row)[1] == [judged]

    def test_c7_selection_gains_and_learned_decays_do_not(self, tmp_path):
        losses = {"ema": 4.06, "learned": 4.06, "gated": 3.97, "window": 4.5}
        rows = [("test", model, "", "loss", loss, 0.01, 3) for model, loss in losses.items()]
        rows += [("test", "gated", "distance=new", "loss", 9.0, 0.01, 3),
                 ("test", "ema", "distance=new", "loss", 1.0, 0.01, 3)]  # fmt: skip
        assert self.verdict(tmp_path, "selection", "C7", *rows) == ("holds", ["yes", "yes"])

    def test_c7_fails_where_learned_decays_gain_and_selection_does_not(self, tmp_path):
        recall = {"ema": 0.1, "learned": 0.5, "delta": 0.05}
        rows = [("mqar", model, "", "accuracy", value, 0.01, 3) for model, value in recall.items()]
        assert self.verdict(tmp_path, "recall", "C7", *rows) == ("fails", ["no", "no"])

    @pytest.mark.parametrize(("gain", "verdict"), [(0.3, "holds"), (-0.3, "fails")])
    def test_c8_reads_the_earliest_layer(self, tmp_path, gain, verdict):
        rows = [
            ("test", kind, f"layers=12 layer={layer}", "probe", 0.5 + (layer == 1) * shift, 0.01, 3)
            for kind, shift in (("residual", 0.0), ("selection", gain))
            for layer in (1, 5)
        ]
        assert self.verdict(tmp_path, "depth", "C8", *rows) == (
            verdict,
            [{0.3: "yes"}.get(gain, "no")],
        )


class Page(HTMLParser):
    """What a page holds, by tag."""

    VOID = ("meta", "img", "link", "br", "line", "circle")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.ids = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return build_report([make_roles(folder), make_identity(folder)])


@pytest.fixture(scope="module")
def text(report):
    return html_page(report)


class TestPage:
    def test_is_well_formed_and_complete(self, text):
        page = Page(text)
        assert page.open == []
        assert len(page.ids) == len(set(page.ids))
        for claim in CLAIMS.values():
            assert claim.key in page.ids
            assert claim.text in text.replace("&#39;", "'")
        assert "0.980 (0.970 to 0.990)" in text
        assert "no run given" in text
        assert "00ff" in text  # digests of inputs
        # Whatever a folder is called, it is text.
        assert "roles-<made>" not in text
        assert "roles-&lt;made&gt;" in text

    def test_asks_nothing_of_any_other_place(self, text):
        for tag, attributes in Page(text).tags:
            assert tag not in ("script", "link", "iframe", "object", "base")
            for name in ("src", "srcset", "poster", "data"):
                assert attributes.get(name, "data:").startswith("data:")
            if tag != "a":
                assert "href" not in attributes
        assert "url(" not in text
        assert "@import" not in text
        assert "Content-Security-Policy" in text

    def test_can_be_read_without_eyes(self, text):
        page = Page(text)
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels))
        images = [attributes for tag, attributes in page.tags if tag == "img"]
        assert images
        assert all(len(image["alt"]) > 30 for image in images)
        assert ("html", {"lang": "en"}) in page.tags
        links = [a["href"][1:] for t, a in page.tags if t == "a" and a["href"].startswith("#")]
        assert set(links) <= set(page.ids)
        # A judgement is a word, not a colour alone.
        for _, attributes in page.tags:
            if attributes.get("class", "").startswith("range"):
                assert "held against" in attributes["aria-label"]

    def test_colours_have_contrast(self):
        from pathlib import Path

        import hebbsim.runs.report

        css = (Path(hebbsim.runs.report.__file__).parent / "report.css").read_text()
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))

        def luminance(colour):
            parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
            linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
            return linear @ [0.2126, 0.7152, 0.0722]

        for name in ("ink", "muted", "link", "yes", "no", "part", "open"):
            ratio = (luminance(colours["paper"]) + 0.05) / (luminance(colours[name]) + 0.05)
            assert ratio >= 4.5, name  # WCAG 2.2, success criterion 1.4.3

    def test_markdown_says_the_same(self, report, text):
        page = markdown_page(report)
        for value in ("0.980 (0.970 to 0.990)", "0.900 (0.890 to 0.910)", "70.0 of 90.0"):
            assert value in page
            assert value in text
        cells = [
            re.sub(r"\\\|", "", line).count("|") for line in page.splitlines() if line[:1] == "|"
        ]
        assert set(cells) <= {3, 4, 7, 9}

    def test_intervals_are_drawn_to_one_scale(self):
        found = [
            Finding("C1", "", 0.5, 0.4, 0.6, bound=1.0, judgement="no"),
            Finding("C1", "", 1.4, 1.3, 1.4, bound=1.0, judgement="yes"),
            Finding("C1", "", text="1 of 2"),
        ]
        low, high, none = ranges(found)
        assert none == ""
        (bound,) = {re.search(r'class="bound" x1="([\d.]+)"', str(x)).group(1) for x in (low, high)}
        ends = [
            float(x) for x in re.findall(r'class="whisker" x1="([\d.]+)" x2="([\d.]+)"', low)[0]
        ]
        assert ends[0] == 6.0
        assert ends[1] < float(bound)


class TestCommand:
    def test_writes_a_folder_that_is_the_same_every_time(self, roles, identity, tmp_path, capsys):
        for name in ("one", "two"):
            assert call("report", roles, identity, "--out", tmp_path / name) == 0
        shown = capsys.readouterr().out
        assert all(len(line) <= 80 or line.startswith("Report:") for line in shown.splitlines())
        assert re.search(r"C1 +Roles without labels +holds", shown)
        for path in (tmp_path / "one").rglob("*"):
            if path.is_file():
                assert (
                    path.read_bytes()
                    == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
                )
        text = (tmp_path / "one" / "report.md").read_text()
        for file in re.findall(r"\]\(<(.+?)>\)", text):
            assert (tmp_path / "one" / file).is_file()

    def test_prints_one_document(self, identity, tmp_path, capsys):
        assert call("report", identity, "--out", tmp_path / "out", "--json") == 0
        document = json.loads(capsys.readouterr().out)
        assert document == json.loads((tmp_path / "out" / "report.json").read_text())
        verdicts = {claim["claim"]: claim["verdict"] for claim in document["claims"]}
        assert verdicts["C3"] == "holds in part"
        assert verdicts["C1"] == "no run given"

    def test_replaces_a_report_and_nothing_else(self, identity, tmp_path, capsys):
        out = tmp_path / "out"
        assert call("report", identity, "--out", out) == 0
        (out / "figures" / "old.png").write_text("")
        record(out, ["figures/old.png"])
        assert call("report", identity, "--out", out) == 2
        assert "holds a finished report" in capsys.readouterr().err
        assert call("report", identity, "--out", out, "--overwrite") == 0
        assert not (out / "figures" / "old.png").exists()
        assert call("report", identity, "--out", identity, "--overwrite") == 2
        assert "holds no hebbsim report" in capsys.readouterr().err
        assert (identity / "results.json").exists()

    def test_refuses_in_one_line(self, identity, tmp_path, capsys):
        assert call("report") == 2
        for folder, text in ((tmp_path / "absent", "no such folder"),
                             (identity / "results.csv", "is a file"),
                             (tmp_path, "no such file")):  # fmt: skip
            capsys.readouterr()
            assert call("report", folder, "--out", tmp_path / "out") == 2
            error = capsys.readouterr().err
            assert text in error
            assert error.count("\n") == 1
        with pytest.raises(BadInputError, match="two runs are called identity-made"):
            build_report([identity, identity])
        assert not (tmp_path / "out").exists()

    def test_a_run_of_any_other_experiment_is_shown(self, tmp_path):
        run = make_run(
            tmp_path / "new", table(("test", "model", "", "score", 0.25, 0.05, 3)), experiment="new"
        )
        report = build_report([run])
        assert report.sections[0].findings == []
        assert "0.250 (0.200 to 0.300)" in html_page(report)
        write_report(tmp_path / "out", report)

    def test_an_earlier_report_is_overwritten_only_when_asked(self, tmp_path):
        run = make_run(
            tmp_path / "new", table(("test", "model", "", "score", 0.25, 0.05, 3)), experiment="new"
        )
        report = build_report([run])
        write_report(tmp_path / "out", report)
        (tmp_path / "out" / "notes.txt").write_text("mine")
        (tmp_path / "out" / "report.html").write_text("old")
        with pytest.raises(BadInputError, match=r"holds a finished report.*--overwrite"):
            write_report(tmp_path / "out", report)
        assert (tmp_path / "out" / "report.html").read_text() == "old"
        paths = write_report(Numbered(tmp_path / "out"), report)
        assert {path.parent.name for path in paths} == {"out-2"}
        write_report(tmp_path / "out", report, overwrite=True)
        assert (tmp_path / "out" / "report.html").read_text() != "old"
        assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
        with pytest.raises(BadInputError, match="holds no hebbsim report"):
            write_report(run, report, overwrite=True)

    @pytest.mark.parametrize("name", ["report.json", "files.json"])
    def test_a_record_of_brackets_without_end_is_no_report_of_ours(self, tmp_path, name):
        report = build_report([])
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / name).write_text("[" * 100_000)
        with pytest.raises(BadInputError, match="holds no hebbsim report"):
            write_report(tmp_path / "out", report, overwrite=True)
        assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_findings_speak_of_known_claims_by_their_experiments(roles, identity):
    from hebbsim.runs.finished import RunTables

    having = {name for name, one in EXPERIMENTS.items() if one.evidence_at}
    assert having >= {"roles", "identity", "lm", "depth"}
    for run in map(RunTables, (roles, identity)):
        for finding in findings_of(run):
            assert run.experiment in CLAIMS[finding.claim].experiments
