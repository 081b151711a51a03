"""Figures: written, the same every time, and true to the tables."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from legible import faults

from hebbsim import plots, storage
from hebbsim.errors import BadInputError
from hebbsim.plots import (
    NothingToDrawError,
    marks,
    plot_few_labels,
    plot_generalization,
    plot_labels,
    plot_learning_curve,
    plot_rivals,
    plot_roles,
    plot_structure_content,
    plot_timescales,
    style,
    tables,
    wording,
)
from hebbsim.plots.lm import plot_recall
from hebbsim.probes.structure import decide_role
from hebbsim.rivals import RIVALS
from hebbsim.runs.figures import draw_run
from hebbsim.runs.finished import RunTables
from hebbsim.runs.folders import record
from hebbsim.runs.results import Score, summarize

ROLES = "SUBJ OBJ IOBJ OBL NMOD PRED AMOD ADV DET CASE AUX CONJ MARK PUNCT OTHER".split()
SPLITS = (
    "active_to_passive cp_recursion do_dative_to_pp_dative obj_omitted_transitive_to_transitive "
    "obj_pp_to_subj_pp obj_to_subj_common obj_to_subj_proper "
    "only_seen_as_transitive_subj_as_unacc_subj only_seen_as_unacc_subj_as_obj_omitted_transitive_"
    "subj only_seen_as_unacc_subj_as_unerg_subj passive_to_active pp_dative_to_do_dative "
    "pp_recursion prim_to_inf_arg prim_to_obj_common prim_to_obj_proper prim_to_subj_common "
    "prim_to_subj_proper subj_to_obj_common subj_to_obj_proper unacc_to_transitive"
).split()


def make_results(*, roles=ROLES, gen=SPLITS, bigru=True, rivals=False, seed=0, top=0.85):
    """A results table as a run writes it, with values drawn at random."""
    rng = np.random.default_rng(seed)
    rows = []

    def add(split, model, condition, metric, mean, half=0.006, role="", n=5, unit="fraction"):
        rows.append(
            ["made", split, model, condition, metric, role, mean, mean - half, mean + half, n, unit]
        )

    lookup = rng.uniform(0.02, 0.98, len(roles))
    traces = rng.uniform(0.05, 0.98, len(roles))
    for split in ("dev", "test", *(["gen"] if gen else [])):
        for role, a, b in zip(roles, lookup, traces, strict=True):
            best = max(a, b)
            add(split, "lookup", "", "f1", a, np.nan, role, n=1)
            add(split, "hebbian", "K=300 view=traces", "f1", b, 0.02, role)
            add(split, "lookup", "", "recall", a, np.nan, role, n=1)
            add(split, "hebbian", "K=300 view=traces", "recall", b, 0.02, role)
            add(split, "hebbian", "K=300", "recall", best, 0.03, role)
            for number, name in enumerate(RIVALS if rivals else ()):
                for words, share in (("K=300", 0.95), ("K=300 readout=soft", 1.0)):
                    add(split, name, words, "recall", best * share - number / 50, 0.02, role)
            if bigru:
                add(split, "bigru", "labels=all", "recall", best * rng.uniform(0.8, 1), 0.02, role)
                for labels, share in ((30, 0.5), (100, 0.8), (1000, 0.95)):
                    for model, words, of in (
                        ("hebbian", f"K=300 labels={labels} readout=soft", 0.8 + share / 5),
                        ("bigru", f"labels={labels}", share),
                    ):
                        add(split, model, words, "recall", best * of, 0.04, role)
    for condition, mean in {
        "K=300": top - 0.05,
        "K=300 readout=soft": top - 0.04,
        "K=300 labels=100": top - 0.09,
        "K=300 labels=100 readout=soft": top - 0.055,
        "K=300 view=own": top - 0.2,
        "K=300 view=traces": top - 0.12,
        "K=300 tau=2": top - 0.06,
        "K=300 tau=8": top - 0.08,
        "K=300 tau=32": top - 0.14,
        "K=300 shuffled=traces": top - 0.21,
        "K=300 shuffled=labels": 0.21,
    }.items():
        add("test", "hebbian", condition, "accuracy", mean)
    for number, tokens in enumerate((20_000, 50_000, 100_000, 150_000)):
        add("test", "hebbian", f"K=300 tokens={tokens}", "accuracy", top - 0.3 / 1.6**number)
        if gen:
            missed = 0.5 / 1.6**number
            add("gen", "hebbian", f"K=300 tokens={tokens}", "accuracy", top - missed, 0.02)
    if gen:
        add("gen", "hebbian", "K=300", "accuracy", top - 0.07)
        add("gen", "lookup", "", "accuracy", top - 0.3, np.nan, n=1)
    add("test", "lookup", "", "accuracy", top - 0.16, np.nan, n=1)
    add("test", "majority", "", "accuracy", 0.2, np.nan, n=1)
    if bigru:
        for labels, mean in zip(
            ("30", "100", "300", "1000", "3000", "all", "readout"),
            np.array([0.35, 0.23, 0.15, 0.09, 0.045, 0.0, 0.06]),
            strict=True,
        ):
            add("test", "bigru", f"labels={labels}", "accuracy", top - mean, 0.01)
        add("test", "bigru", "labels=all codes=hebbian", "accuracy", top + 0.005)
        add("test", "hebbian", "K=300", "label_equivalence", 2640.0, 300, unit="sentences")
        for split in ("test", "gen", *(f"gen/{name}" for name in gen)):
            difference = -0.05 if split == "test" else rng.normal(0.01, 0.03)
            if split.endswith("obj_pp_to_subj_pp"):
                difference = 0.18
            half = 0.01
            add(
                split,
                "hebbian",
                "K=300 minus=bigru",
                "accuracy_difference",
                difference,
                half,
            )
    columns = "corpus split model condition metric role mean low high n unit".split()
    return pd.DataFrame(rows, columns=columns)


FIGURES = {
    "roles", "roles_gen", "generalization", "timescales", "labels", "few_labels",
    "few_labels_gen", "structure_content", "learning_curve",
}  # fmt: skip
FEW = {"few_labels", "few_labels_gen"}


def draw_roles(folder):
    """The files of the figures of a run of roles, of which none must fail."""
    assert draw_run(folder, "roles") == {}
    found = folder / "figures"
    return sorted(found.iterdir()) if found.exists() else []


def write_run(folder, results, **config):
    folder.mkdir(exist_ok=True)
    results.to_csv(folder / "results.csv", index=False)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def drawn(ax, label):
    """Data of the one artist with a label: a line, or the dots and whiskers of an error bar."""
    (found,) = [a for a in [*ax.lines, *ax.containers] if a.get_label() == label]
    line = found if hasattr(found, "get_xydata") else found.lines[0]
    whiskers = (
        [] if line is found else [seg for col in found.lines[2] for seg in col.get_segments()]
    )
    return np.asarray(line.get_xydata()), whiskers


def rows(results, **columns):
    for name, value in columns.items():
        results = results[results[name] == value]
    return results


@pytest.fixture(scope="module")
def big():
    return make_results()


@pytest.fixture(scope="module")
def small():
    """Of few roles: figures with a panel a role are drawn in a third of the time."""
    return make_results(roles=ROLES[:4])


@pytest.fixture(scope="module")
def run(tmp_path_factory, small):
    """A run folder with its figures drawn."""
    folder = write_run(tmp_path_factory.mktemp("roles"), small, timescales=[2.0, 8.0, 32.0])
    return folder, draw_roles(folder)


class TestDrawRoles:
    def test_writes_every_figure_and_nothing_else(self, run):
        folder, paths = run
        expected = {f"{name}.{suffix}" for name in FIGURES for suffix in ("svg", "png")}
        assert {path.name for path in paths} == expected
        assert {path.name for path in (folder / "figures").iterdir()} == expected
        for path in paths:
            start = b"\x89PNG\r\n\x1a\n" if path.suffix == ".png" else b"<?xml"
            assert path.read_bytes().startswith(start)

    def test_another_process_draws_the_same_bytes_without_pyplot(self, tmp_path, small, run):
        """Of a table that differs in a row, the figure of that row alone differs."""
        changed = small.copy()
        changed.loc[changed["condition"] == "K=300 tau=8", "mean"] = 0.5
        folder = write_run(tmp_path / "changed", changed, timescales=[2.0, 8.0, 32.0])
        code = (
            "import sys, hebbsim.runs.figures as figures; assert 'matplotlib' not in sys.modules; "
            f"figures.draw_run({str(folder)!r}, 'roles'); "
            "assert 'matplotlib.pyplot' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
        there = {path.name: (folder / "figures" / path.name).read_bytes() for path in run[1]}
        differ = {path.name for path in run[1] if path.read_bytes() != there[path.name]}
        assert differ == {"timescales.svg", "timescales.png"}
        ax = plot_timescales(RunTables(folder).results, timescales=[2.0, 8.0, 32.0])
        for path in style.save(ax.figure, tmp_path / "here", "timescales"):
            assert path.read_bytes() == there[path.name], path.name
        assert not any(b"<dc:date>" in content for content in there.values())

    @pytest.mark.parametrize(
        ("kwargs", "absent"),
        [
            ({"bigru": False}, {"generalization", "labels", *FEW}),
            ({"gen": ()}, {"generalization", "roles_gen", "few_labels_gen"}),
            ({"roles": ("A", "NA"), "gen": (), "bigru": False},
             {"generalization", "roles_gen", "labels", *FEW}),
        ],
    )  # fmt: skip
    def test_absent_rows_drop_their_figures_alone(self, tmp_path, kwargs, absent, monkeypatch):
        monkeypatch.setattr(style, "rendered", lambda *figure: b"")  # which ones, not how they look
        folder = write_run(tmp_path / "run", make_results(**kwargs))
        (folder / "figures").mkdir()
        for name in FIGURES:
            (folder / "figures" / f"{name}.svg").write_text("of an earlier drawing")
        record(folder, [f"figures/{name}.svg" for name in FIGURES])
        paths = draw_roles(folder)
        assert {path.stem for path in paths} == FIGURES - absent
        # What the earlier tables showed does not stay beside the new ones.
        assert {path.stem for path in (folder / "figures").iterdir()} == FIGURES - absent

    def test_a_table_without_rows_draws_nothing(self, tmp_path, big):
        assert draw_roles(write_run(tmp_path / "run", big.iloc[:0])) == []

    def test_marks_what_the_structure_table_says(self, tmp_path, big, monkeypatch):
        folder = write_run(tmp_path / "run", big)
        (folder / "structure.csv").write_text(
            "kind,name,decided\nrole,SUBJ,structure\nrole,OBJ,either\n"
            "split,gen/cp_recursion,structure\nsplit,gen/pp_recursion,other\n"
        )
        axes = {}
        monkeypatch.setattr(
            style, "save", lambda figure, folder, name: axes.update({name: figure.axes[0]}) or []
        )
        draw_roles(folder)
        green = style.DEPENDENCE_COLORS["structure"]
        labels = axes["roles"].get_yticklabels()
        marked = {t.get_text() for t in labels if t.get_color() == green}
        assert marked == {"subject (SUBJ)"}
        shown = {"structure-dependent": 0, "other": 0}
        for container in axes["generalization"].containers:
            shown[container.get_label()] = len(container.lines[0].get_xydata())
        assert shown["structure-dependent"] + shown["other"] == 10

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "no such table"),
            (b"", "not a table"),
            (b"corpus,split\na,b\n", "no column model"),
            (b"\xff\xfe\x00", "not a table"),
        ],
    )
    def test_bad_tables_are_refused_by_name(self, tmp_path, content, said):
        if content is not None:
            (tmp_path / "results.csv").write_bytes(content)
        for error in draw_run(tmp_path, "roles").values():
            assert isinstance(error, BadInputError)
            assert re.search(rf"results\.csv: .*{said}", str(error))


class TestValues:
    """What stands in the Axes is what stands in the table."""

    def test_roles(self, big):
        ax = plot_roles(big)
        codes = {wording.role(role): role for role in ROLES}
        names = [codes[label.get_text()] for label in ax.get_yticklabels()]
        for label, model, condition in (
            ("Hebbian, zero labels", "hebbian", "K=300"),
            ("BiGRU, all labels", "bigru", "labels=all"),
            ("word lookup", "lookup", ""),
        ):
            table = rows(big, split="test", model=model, condition=condition, metric="recall")
            table = table.set_index("role")
            points, whiskers = drawn(ax, label)
            by_role = {names[round(y)]: x for x, y in points}
            assert by_role == table["mean"].to_dict()
            ends = {names[round(a[1])]: (a[0], b[0]) for a, b in whiskers}
            for role, (low, high) in ends.items():
                assert low == pytest.approx(max(0, table.low[role]))
                assert high == pytest.approx(min(1, table.high[role]))
            assert len(ends) == (0 if model == "lookup" else len(ROLES))
        gain = rows(big, split="test", model="hebbian", condition="K=300", metric="recall")
        gain = (
            gain.set_index("role")["mean"]
            - rows(
                big, split="test", model="bigru", condition="labels=all", metric="recall"
            ).set_index("role")["mean"]
        )
        assert names == gain.sort_values().index.tolist()

    def test_generalization(self, big):
        ax = plot_generalization(big)
        table = rows(big, metric="accuracy_difference").set_index("split")
        points, whiskers = drawn(ax, "other")
        single = table[table.index.str.startswith("gen/")].sort_values("mean")
        single = pd.concat([single[:5], single[-5:]])  # five worst and five best
        assert points[:, 0].tolist() == single["mean"].tolist()
        assert [b[0] for _, b in whiskers] == pytest.approx(single["high"].tolist())
        names = [t.get_text().replace("\n", " ") for t in ax.get_yticklabels()]
        words = [wording.construction(split) for split in single.index]
        assert names == ["test split", "all new constructions", *words]
        assert not any("_" in name for name in names)
        assert f"5 best and 5 worst of {len(SPLITS)}" in style.caption_of(ax).note
        assert any("11 between" in text.get_text() for text in ax.texts)

    def test_few_generalization_splits_are_all_shown(self):
        ax = plot_generalization(make_results(gen=SPLITS[:11]))
        assert len(ax.get_yticks()) == 13 and "best" not in style.caption_of(ax).note

    def test_timescales(self, big):
        ax = plot_timescales(big, timescales=[2.0, 8.0, 32.0])
        names = dict(
            zip(ax.get_yticks(), (t.get_text() for t in ax.get_yticklabels()), strict=True)
        )
        found = {
            names[y]: x
            for label in ("whole set", "parts", "controls")
            for x, y in drawn(ax, label)[0]
        }
        table = rows(big, split="test", model="hebbian", metric="accuracy")
        table = table.set_index("condition")["mean"]
        # Far below the rest, it would press all others into a heap: a triangle and its value.
        beyond = {names[y] for _, y in drawn(ax, "left of the axis")[0]}
        assert beyond == {"shuffled labels"}
        assert "0.210" in {text.get_text() for text in ax.texts}
        assert "Not shown: majority 0.200" in style.caption_of(ax).note
        assert found == {
            "τ = 2": table["K=300 tau=2"],
            "τ = 8": table["K=300 tau=8"],
            "τ = 32": table["K=300 tau=32"],
            "τ = 2, 8, 32": table["K=300"],
            "soft read-out": table["K=300 readout=soft"],
            "own code only": table["K=300 view=own"],
            "traces only": table["K=300 view=traces"],
            "shuffled traces": table["K=300 shuffled=traces"],
        }

    def test_timescales_without_a_far_value_shows_all(self, big):
        near = big[~big["condition"].str.contains("labels") & (big["model"] != "majority")]
        ax = plot_timescales(near)
        assert "left of the axis" not in {line.get_label() for line in ax.lines}

    def test_labels(self, big):
        ax = plot_labels(big, n_sentences=12544)
        points, _ = drawn(ax, "_bigru")
        table = rows(big, model="bigru", metric="accuracy").set_index("condition")["mean"]
        counts = {30: "30", 100: "100", 300: "300", 1000: "1000", 3000: "3000", 12544: "all"}
        assert {x: y for x, y in points} == {x: table[f"labels={c}"] for x, c in counts.items()}
        found = rows(big, model="hebbian", split="test", metric="accuracy")
        hebbian = found.set_index("condition")["mean"]
        accuracy = hebbian["K=300"]
        assert drawn(ax, "_hebbian")[0][:, 1].tolist() == [accuracy] * 2
        met = "as good as the BiGRU with 2,640 labelled sentences"
        assert drawn(ax, met)[0].tolist() == [[2640.0, accuracy]]
        for name, readout in (("majority", ""), ("soft read-out", " readout=soft")):
            assert drawn(ax, f"Hebbian, clusters named by few labels: {name}")[0].tolist() == [
                [100.0, hebbian[f"K=300 labels=100{readout}"]]
            ]
        note = plot_labels(big).figure.get_supxlabel().replace("-\n", "-").replace("\n", " ")
        assert "Two-level bootstrap of the 2,640: 2,340 to 2,940" in note

    @pytest.mark.parametrize(("place", "said"), [("above", "better"), ("below", "worse")])
    def test_labels_beyond_the_curve_say_so(self, big, place, said):
        beyond = big.copy()
        beyond.loc[beyond["metric"] == "label_equivalence", "condition"] = f"K=300 curve={place}"
        texts = [text.get_text() for text in plot_labels(beyond).get_legend().get_texts()]
        assert any(text.startswith(f"{said} than the BiGRU with 2,640") for text in texts)

    def test_learning_curve(self, big):
        ax = plot_learning_curve(big, n_tokens=60_000, passes=3)
        for split, name in (("test", "test"), ("gen", "generalization")):
            table = rows(big, model="hebbian", split=split, metric="accuracy")
            mean = table.set_index("condition")["mean"]
            read = {n: f"K=300 tokens={n}" for n in (20_000, 50_000, 100_000, 150_000)}
            wanted = {**{n: mean[said] for n, said in read.items()}, 180_000: mean["K=300"]}
            assert dict(drawn(ax, name)[0].tolist()) == wanted
            lookup = rows(big, model="lookup", split=split, metric="accuracy")["mean"]
            assert drawn(ax, f"word lookup, {name}")[0][:, 1].tolist() == [*lookup] * 2
        bands = [area.get_paths()[0].vertices for area in ax.collections]
        assert [round(float(np.ptp(band[band[:, 0] == 20_000, 1])), 6) for band in bands] == [
            0.012, 0.04
        ]  # fmt: skip
        upright = [line.get_xdata()[0] for line in ax.lines if line.get_label()[0] == "_"]
        assert upright == [60_000, 120_000, 180_000]
        assert ax.get_xscale() == "log"
        note = style.caption_of(ax).note
        assert "5 seeds" in note and "end of each pass" in note and "Dashed: word lookup" in note

    def test_a_learning_curve_has_points_of_all_seeds_alone(self, big):
        early = big["condition"] == "K=300 tokens=20000"
        points, _ = drawn(plot_learning_curve(big.assign(n=big["n"] - 2 * early)), "test")
        assert points[:, 0].tolist() == [50_000, 100_000, 150_000]

    def test_a_learning_curve_tells_of_what_it_shows_alone(self, big):
        alone = big[(big["model"] != "lookup") & (big["split"] != "gen")]
        note = style.caption_of(plot_learning_curve(alone)).note
        assert not any(said in note for said in ("pass", "Dashed", "Last"))
        single = alone.assign(n=1, low=np.nan, high=np.nan)
        assert style.caption_of(plot_learning_curve(single)).note.startswith("One seed.")
        with pytest.raises(NothingToDrawError, match="by tokens read on test"):
            plot_learning_curve(alone[~alone["condition"].str.contains("tokens=[125]")])

    def test_few_labels(self, big):
        comparisons = pd.DataFrame(
            [("test", "SUBJ", "K=300 labels=100 readout=soft", "ahead"),
             ("test", "SUBJ", "K=300 labels=1000 readout=soft", "no difference shown"),
             ("gen", "SUBJ", "K=300 labels=30 readout=soft", "behind")],
            columns=["split", "role", "condition", "verdict"],
        )  # fmt: skip
        ax = plot_few_labels(big, comparisons=comparisons, dependence={"SUBJ": "structure"})
        codes = {wording.role(role): role for role in ROLES} | {"": ""}
        titles = [panel.get_title(loc="left").replace("\n", " ") for panel in ax.figure.axes]
        panels = dict(zip(map(codes.get, titles), ax.figure.axes, strict=True))
        assert set(panels) == {"", *ROLES} and next(iter(panels)) == "SUBJ"
        lines = [line for line in panels["SUBJ"].lines if line.get_marker() == "None"]
        for line, (model, readout) in zip(
            lines, (("hebbian", " readout=soft"), ("bigru", "")), strict=True
        ):
            start = "K=300 " if model == "hebbian" else ""
            found = rows(big, split="test", metric="recall", role="SUBJ", model=model)
            wanted = [
                [n, *found.loc[found["condition"] == f"{start}labels={n}{readout}", "mean"]]
                for n in (30, 100, 1000)
            ]
            assert line.get_xydata().tolist() == wanted
        filled = [
            x
            for line in panels["SUBJ"].lines
            if line.get_marker() != "None" and line.get_markerfacecolor() != "white"
            for x in line.get_xdata()
        ]
        assert filled == [100.0, 100.0]  # one a model

    @pytest.mark.parametrize("guesses", [True, False])
    def test_guesses_are_named_where_there_are_any(self, guesses):
        scores = [
            Score("recall", "mqar", model, f"pairs={n}", "accuracy", None, seed, 0.5)
            for model in ("ema", *(["chance"] if guesses else []))
            for n in (2, 4)
            for seed in (0, 1)
        ]
        table = tables.tidy(pd.DataFrame([vars(row) for row in summarize(scores)]))
        note = plot_recall(table).figure.get_supxlabel()
        assert ("guesses" in note) is guesses

    def test_structure_content(self, big):
        ax = plot_structure_content(big)
        labels = {t.get_text(): t for t in ax.get_yticklabels()}
        names = list(labels)
        found = {
            source: {names[round(y)]: x for x, y in drawn(ax, label)[0]}
            for source, label in (
                ("hebbian", "structure: traces of the words around it"),
                ("lookup", "content: lookup of the word"),
            )
        }
        gaps = [found["hebbian"][name] - found["lookup"][name] for name in names]
        assert gaps == sorted(gaps)
        for role in ROLES:
            dev = rows(big, split="dev", metric="f1", role=role).set_index("model")["mean"]
            name = wording.role(role)
            assert {source: found[source][name] for source in found} == dev.to_dict()
            decided = decide_role(dev["lookup"], dev["hebbian"])
            wanted = style.DEPENDENCE_COLORS.get(decided, style.INK)
            assert labels[name].get_color() == wanted

    def test_a_population_stands_for_the_learner_where_it_is_compared(self, big):
        alone = ~big["condition"].str.contains("view|tau|shuffled")
        voting = big[(big["model"] == "hebbian") & alone].copy()
        voting["condition"] = voting["condition"].str.replace("K=300", "K=300 members=8")
        voting["mean"] *= 0.9
        both = pd.concat([big, voting])
        for draw, label in ((plot_roles, "Hebbian, zero labels"), (plot_generalization, "other")):
            single, several = (set(drawn(draw(r), label)[0][:, 0]) for r in (big, both))
            assert several == {0.9 * x for x in single}
        assert drawn(plot_labels(both), "as good as the BiGRU with 2,376 labelled sentences")[
            0
        ].size
        names = [label.get_text() for label in plot_timescales(both).get_yticklabels()]
        assert "8 learners voting" in names

    def test_clusters_named_by_majority_are_drawn_where_both_read_outs_are_compared(self, big):
        soft = big[big["condition"].isin(["K=300", "K=300 minus=bigru"])].copy()
        soft["condition"] = soft["condition"].str.replace("K=300", "K=300 readout=soft")
        soft["mean"] *= 0.9
        both = pd.concat([big, soft])
        for draw, label in ((plot_roles, "Hebbian, zero labels"), (plot_generalization, "other")):
            assert np.array_equal(drawn(draw(both), label)[0], drawn(draw(big), label)[0])
        assert drawn(plot_labels(both), "as good as the BiGRU with 2,640 labelled sentences")[
            0
        ].size


class TestSingleFigures:
    @pytest.mark.parametrize(
        "draw",
        [
            plot_roles,
            plot_generalization,
            plot_timescales,
            plot_labels,
            plot_learning_curve,
            plot_few_labels,
            plot_structure_content,
        ],
    )
    def test_draw_on_given_axes_and_refuse_empty_tables(self, big, draw):
        from matplotlib.figure import Figure

        ax = Figure().add_subplot()
        assert draw(big, ax=ax) is ax
        assert ax.get_title(loc="left")
        with pytest.raises(NothingToDrawError):
            draw(big.iloc[:0])
        with pytest.raises(BadInputError, match="several corpora"):
            draw(pd.concat([big, big.assign(corpus="other")]))

    @pytest.mark.parametrize(
        "draw",
        [
            plot_roles,
            plot_generalization,
            plot_timescales,
            plot_labels,
            plot_learning_curve,
            plot_few_labels,
            plot_structure_content,
        ],
    )
    def test_title_and_legend_keep_apart_on_given_axes(self, big, draw):
        from matplotlib.figure import Figure

        with style.context():
            ax = Figure(figsize=(4.5, 6.0), layout="constrained").add_subplot()
            draw(big, ax=ax)
            assert faults(ax.figure) == []

    def test_rivals_are_drawn_as_the_table_has_them(self, big):
        from matplotlib.figure import Figure

        table = make_results(rivals=True)
        with style.context():
            ax = Figure(figsize=(4.5, 7.0), layout="constrained").add_subplot()
            plot_rivals(table, split="gen", ax=ax)
            assert faults(ax.figure) == []
        names = [label.get_text() for label in ax.get_yticklabels()]
        for model, label in (("hebbian", "Hebbian"), ("hmm-online", "HMM, online")):
            found = rows(table, model=model, condition="K=300", metric="recall", split="gen")
            values = dict(zip(map(wording.role, found["role"]), found["mean"], strict=True))
            points, _ = drawn(ax, label)
            assert {names[round(y)]: x for x, y in points} == pytest.approx(values)
        with pytest.raises(NothingToDrawError, match="rivals without labels"):
            plot_rivals(big)

    def test_the_callers_settings_stay_as_they_were(self, big):
        import matplotlib

        with matplotlib.rc_context({"font.size": 23.0}):
            plot_roles(big)
            assert matplotlib.rcParams["font.size"] == 23.0

    @pytest.mark.parametrize("seed", range(3))
    def test_names_keep_apart_whatever_the_values(self, seed):
        for draw in (plot_labels, plot_learning_curve, plot_timescales):
            assert faults(draw(make_results(seed=seed)).figure) == []

    def test_names_of_close_lines_keep_apart(self, big):
        close = big.copy()
        close.loc[(big["model"] == "lookup") & (big["metric"] == "accuracy"), "mean"] = 0.845
        assert faults(plot_timescales(close).figure) == []


@pytest.mark.parametrize("name", [n for n in plots.__all__ if n.startswith("plot_")])
def test_every_parameter_that_figures_share_is_described_once(name):
    plot = getattr(plots, name)
    for parameter in {"results", "split", "dependence", "ax"} & {
        *inspect.signature(plot).parameters
    }:
        assert inspect.getdoc(plot).count(f"\n{parameter} : ") == 1


def test_a_role_may_have_any_name(tmp_path):
    names = ("NA", "None", "nan", "$x_1$")
    write_run(tmp_path, make_results(roles=names))
    table = tables.read(tmp_path / "results.csv")
    assert set(table["role"]) == {"", *names}
    ax = plot_roles(table)
    ax.figure.draw_without_rendering()
    assert {label.get_text() for label in ax.get_yticklabels()} == set(names)


class TestSpread:
    def test_moves_no_more_than_it_must(self):
        assert marks.spread([0.0, 10.0], [2.0, 2.0]).tolist() == [0.0, 10.0]
        assert marks.spread([5.0, 5.0, 5.0], [2.0, 2.0, 2.0]).tolist() == [3.0, 5.0, 7.0]

    def test_random_labels_keep_apart_and_in_order(self):
        rng = np.random.default_rng(0)
        for _ in range(50):
            wanted, sizes = rng.normal(size=8) * 4, rng.uniform(0.5, 3, 8)
            moved = marks.spread(wanted, sizes)
            order = np.argsort(wanted)
            gaps = np.diff(moved[order]) - (sizes[order][1:] + sizes[order][:-1]) / 2
            assert gaps.min() >= -1e-9
            assert moved.mean() == pytest.approx(wanted.mean(), abs=sizes.sum())


def test_a_failed_write_leaves_the_old_figure_whole(tmp_path, big, monkeypatch):
    ax = plot_timescales(big)
    (path, _) = style.save(ax.figure, tmp_path, "figure")
    before = path.read_bytes()

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "replace", fail)
    with pytest.raises(style.HebbsimError, match="No space left"):
        style.save(plot_roles(big).figure, tmp_path, "figure")
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["figure.png", "figure.svg"]
