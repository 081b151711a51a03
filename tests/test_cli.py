"""The command line: exit codes, one-line errors, quick help, tables of 80 columns."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from hebbsim import __version__, cli
from hebbsim.cli import main
from hebbsim.cli.options import spread
from hebbsim.cli.run_command import Pace, progress
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.roles import run as roles
from hebbsim.experiments.roles import table as roles_table
from hebbsim.experiments.roles.comparisons import Compared
from hebbsim.experiments.roles.scores import Cluster
from hebbsim.experiments.roles.structure import Structure
from hebbsim.probes import CLUSTERING
from hebbsim.runs.experiment import slug
from hebbsim.runs.results import Results, Row
from hebbsim.runs.terminal import Console

LONG = "gen/only_seen_as_unacc_subj_as_obj_omitted_transitive_subj"


def row(model, condition, split, mean, metric="accuracy", role=None, unit="fraction"):
    return Row(
        "tiny", split, model, condition, metric, role, mean, mean - 0.01, mean + 0.01, 5, unit
    )


def found(**config):
    """Results with a line for every table."""
    given = {
        "corpus": "tiny", "gold_layer": "grammatical", "clusters": 300, "ensemble_size": 1,
        "seeds": 5,
        "timescales": [2.0, 8.0, 32.0], "readout_sentences": 100, "n_sentences": 4000,
    }  # fmt: skip
    given |= config
    whole = ["K=300", "K=300 members=8"][: 1 + (given["ensemble_size"] > 1)]
    rows = [
        row("hebbian", condition, split, 0.9)
        for one in whole
        for condition in (one, f"{one} readout=soft", f"{one} labels=100",
                          f"{one} labels=100 readout=soft",
                          *(["K=300 view=own", "K=300 prototypes=random", "K=300 tau=2",
                             "K=300 shuffled=labels"]
                            if one == "K=300" else []))
        for split in ("test", "gen", LONG)
    ]  # fmt: skip
    rows += [
        row("bigru", condition, split, 0.8)
        for condition in ("labels=30", "labels=100", "labels=all", "labels=all codes=hebbian",
                          "labels=readout")
        for split in ("test", "gen", LONG)
    ]  # fmt: skip
    rows += [row("lookup", "", "test", 0.7), row("majority", "", "test", 0.2)]
    for split in ("test", "gen"):
        rows.append(row("hebbian", whole[-1], split, 0.75, "recall", "SUBJ"))
        rows.append(row("bigru", "labels=all", split, 0.65, "recall", "SUBJ"))
    rows += [
        row("hebbian", f"{whole[-1]} minus=bigru", LONG, 0.1, "accuracy_difference"),
        row("hebbian", f"{whole[-1]} over=bigru", "test", 0.97, "accuracy_ratio"),
        row("hebbian", f"{whole[-1]} readout=soft over=bigru", "test", 0.98, "accuracy_ratio"),
        *(row("hebbian", "K=300", "test", 0.61 + i / 100, metric)
          for i, metric in enumerate(CLUSTERING)),
        row("hebbian", f"{whole[-1]} readout=soft", "test", 4321.0, "label_equivalence",
            unit="sentences"),
        row("hebbian", whole[-1], "test", 1234.0, "label_equivalence", unit="sentences"),
    ]  # fmt: skip
    structure = [
        Structure("role", "SUBJ", "structure", 0.5, 0.9),
        Structure("split", LONG, "structure", 0.5),
    ]
    comparisons = [
        compared(f"{table} {whole[-1]}{few}", split, role, verdict)
        for few, verdict in (("", "behind"), (" labels=100 readout=soft", "ahead"))
        for table, split, role in (
            ("splits", LONG, None), ("roles", "test", "SUBJ"), ("roles", "gen", "SUBJ"),
            ("roles", "gen", "PARTICIPLE"),
        )
    ]  # fmt: skip
    tables = {"structure": structure, "comparisons": comparisons}
    return Results("roles", given, {}, rows, tables, ["one note"])


def compared(table, split, role, verdict):
    return Compared(
        table=table, corpus="tiny", split=split, role=role,
        condition=table.partition(" ")[2], rival="bigru", rival_condition="", metric="",
        value=0.75, other=0.65, difference=0.1, low=0.05, high=0.15, p=0.01, corrected=0.02,
        verdict=verdict, ratio=1.1, ratio_low=1.0, ratio_high=1.2,
        seeds=5, rival_seeds=5, draws=3, sentences=99,
    )  # fmt: skip


@pytest.fixture
def experiment(monkeypatch, tmp_path):
    """`run_roles` replaced: it records what it got and gives `found()`, or raises."""
    monkeypatch.chdir(tmp_path)
    calls = []

    def fake(config, *, out, progress, overwrite=False):
        calls.append((config, out))
        progress("hebbian seed 0: test accuracy 0.970", 1, 5)
        if fake.error is not None:
            raise fake.error
        return found()

    fake.error, fake.calls = None, calls
    monkeypatch.setattr(roles, "run_roles", fake)
    return fake


def run(*words):
    with pytest.raises(SystemExit) as exit_:
        main(words)
    return exit_.value.code


def python(*words, **options):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=120, **options
    )


# --- exit codes and messages --------------------------------------------------------------


@pytest.mark.parametrize(("error", "code", "said"), [
    (BadInputError("corpus.conllu:7: nine columns"), 2, "hebbsim: corpus.conllu:7: nine columns\n"),
    (HebbsimError("it broke"), 1, "hebbsim: it broke\n"),
    (ZeroDivisionError("division"), 1,
     "hebbsim: ZeroDivisionError: division (--debug shows where)\n"),
    (MemoryError("9 TiB"), 1,
     "hebbsim: not enough memory (9 TiB); give smaller numbers, or use a larger machine\n"),
    (OSError(28, "No space left on device"), 1,
     "hebbsim: a file or standard output: No space left on device (--debug shows where)\n"),
    (OSError(5, "Input/output error", "a.txt"), 1,
     "hebbsim: a.txt: Input/output error (--debug shows where)\n"),
    (KeyboardInterrupt(), 130, "hebbsim: interrupted; nothing was written\n"),
    (BadInputError("two\nlines"), 2, "hebbsim: two lines\n"),
])  # fmt: skip
def test_an_error_is_one_line_and_an_exit_code(experiment, capsys, error, code, said):
    experiment.error = error
    assert run("run", "roles") == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", said)


@pytest.mark.parametrize(("closed", "said"), [
    (">&-", "hebbsim: standard output is closed; send it to a file or to /dev/null\n"),
    ("2>&-", ""),
])  # fmt: skip
def test_a_closed_stream_is_no_traceback(closed, said):
    line = f'exec "$0" -m hebbsim corpus info nothing.txt {closed}'
    found = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, text=True)
    assert (found.returncode, found.stdout, found.stderr) == (2, "", said)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_shows_where_from_any_place_on_the_line(experiment, capsys, place):
    experiment.error = BadInputError("bad")
    words = ["run", "roles"]
    words.insert(place, "--debug")
    assert run(*words) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err and "BadInputError: bad" in err


@pytest.mark.parametrize(("words", "said"), [
    (["rum"], "No such command 'rum'"),
    (["run", "rolls"], "No such command 'rolls'"),
    (["run", "roles", "--seeds", "many"], "--seeds"),
    (["run", "roles", "--seeds", "0"], "--seeds"),
    (["run", "roles", "--clusters", "0"], "--clusters"),
    (["run", "roles", "--ensemble-size", "0"], "--ensemble-size"),
    (["run", "roles", "--colour", "red"], "--colour"),
    (["run", "roles", "extra"], "extra"),
    (["run", "roles", "--timescales", "0"], "--timescales"),
    (["run", "roles", "--timescales", "0.5"], "--timescales"),
    (["run", "roles", "--timescales", "2,nan"], "--timescales"),
    (["run", "roles", "--timescales", "2,2"], "--timescales"),
    (["run", "roles", "--timescales", "2,x"], "--timescales"),
    (["run", "roles", "--timescales", ""], "--timescales"),
    (["run", "roles", "--baselines", "some"], "--baselines"),
    (["run", "roles", "--labels", ","], "--labels: there is nothing between the commas of ','"),
    (["run", "roles", "--labels", "300,30"], "--labels"),
    (["run", "roles", "--unlabeled", "nowhere.txt"], "--unlabeled: nowhere.txt"),
    (["run", "roles", "--role-map", "nowhere.json"], "--role-map: nowhere.json"),
    (["run", "roles", "--corpus", ""], "--corpus: its value is empty"),
    (["run", "roles", "--out="], "--out: its value is empty"),
    (["run", "roles", ""], "roles: an empty argument follows"),
])  # fmt: skip
def test_bad_usage_is_one_line_that_names_the_option(experiment, capsys, words, said):
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and said in err
    assert experiment.calls == []


def test_what_is_piped_is_utf8_in_any_locale(experiment, monkeypatch):
    to = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", to)
    monkeypatch.setattr("hebbsim.runs.results.json_text", lambda document: "größe")
    assert run("run", "roles", "--json") == 0
    assert to.buffer.getvalue().decode() == "größe"


def test_an_output_that_cannot_be_is_refused_before_any_work(experiment, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert run("run", "roles", "--out", "file") == 2
    assert "--out file: is a file" in capsys.readouterr().err
    assert experiment.calls == []


def test_a_finished_run_is_refused_before_any_work_and_overwritten_when_asked(
    experiment, capsys, tmp_path
):
    for name in ("here", "runs/roles-builtin"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "files.json").write_text(
            json.dumps({"schema": "hebbsim.files/1", "of": "run", "files": ["results.json"]})
        )
    assert run("run", "roles", "--out", "here") == 2
    err = capsys.readouterr().err
    assert "here: holds a finished run" in err and "--overwrite" in err and err.count("\n") == 1
    assert experiment.calls == []
    assert run("run", "roles", "--out", "here", "--overwrite") == 0
    assert run("run", "roles") == 0
    assert run("run", "roles", "--overwrite") == 0
    told, numbered, default = (out for _, out in experiment.calls)
    assert (str(told), next(numbered.free()).name) == ("here", "roles-builtin-2")
    assert str(default) == "runs/roles-builtin" and not hasattr(default, "free")


def test_figures_that_are_missing_are_named_and_no_failure(experiment, capsys, monkeypatch):
    results = found()
    results.undrawn = ["labels", "roles"]
    monkeypatch.setattr(roles, "run_roles", lambda *_, **__: results)
    assert run("run", "roles", "--json") == 0
    err = capsys.readouterr().err
    assert err == "hebbsim: the tables in runs/roles-builtin are complete; missing figures: " \
        "labels, roles\n"  # fmt: skip


def test_a_real_unknown_corpus_ends_with_2(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run("run", "roles", "--corpus", "nowhere") == 2
    err = capsys.readouterr().err
    assert "nowhere" in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# --- what is printed ------------------------------------------------------------------------


def test_json_is_one_document_and_nothing_else(experiment, capsys):
    assert run("run", "roles", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["schema"] == "hebbsim.results/1" and err == ""


def test_options_reach_the_configuration(experiment):
    words = ["--corpus", "cogs", "--timescales", "2,8", "--seeds", "3", "--clusters", "600",
             "--ensemble-size", "4", "--ablation-seeds", "0", "--workers", "1", "--labels", "10,20",
             "--layer", "thematic", "--offline", "--out", "here"]  # fmt: skip
    assert run("run", "roles", *words) == 0
    ((config, out),) = experiment.calls
    assert str(out) == "here"
    assert (config.corpus, config.gold_layer, config.timescales) == ("cogs", "thematic", (2.0, 8.0))
    assert (config.seeds, config.clusters, config.ensemble_size) == (3, 600, 4)
    assert (config.ablation_seeds, config.offline, config.workers) == (0, True, 1)
    assert config.labels == (10, 20)


def test_defaults_of_the_command_line_are_those_of_the_configuration(experiment):
    run("run", "roles")
    ((config, out),) = experiment.calls
    assert config == type(config)() and str(out) == "runs/roles-builtin"


def test_text_takes_several_files_as_a_shell_gives_them(experiment, tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("words\n")
    run("run", "roles", "--unlabeled", "a.txt", "b.txt", "--seeds", "1")
    ((config, _),) = experiment.calls
    assert [path.name for path in config.unlabeled] == ["a.txt", "b.txt"]


def test_spread_leaves_other_options_alone():
    words = ["run", "roles", "--out", "x", "--unlabeled", "a", "b", "--json", "--unlabeled", "c"]
    assert spread(words, "--unlabeled") == [
        "run", "roles", "--out", "x", "--unlabeled", "a", "--unlabeled", "b", "--json",
        "--unlabeled", "c",
    ]  # fmt: skip
    assert spread(["--unlabeled"], "--unlabeled") == ["--unlabeled"]


@pytest.mark.parametrize(("corpus", "name"), [
    ("builtin", "builtin"),
    ("ud-english-ewt", "ud-english-ewt"),
    ("./my corpus/", "my-corpus"),
    ("a/en-train.conllu.gz", "en-train"),
])  # fmt: skip
def test_the_run_folder_is_named_after_the_corpus(corpus, name):
    assert slug(corpus) == name


@pytest.mark.parametrize("results", [
    found(),
    found(ensemble_size=8),
    found(corpus="a-corpus-with-a-name-of-some-length"),
    Results("roles", {"corpus": "t"}, {}, tables={"clusters": [Cluster(1, 10**6, "word " * 40)]}),
])  # fmt: skip
def test_tables_fit_80_columns(results, tmp_path):
    lines = printed(results, tmp_path).splitlines()
    assert lines and max(map(len, lines[:-1])) <= 80


def test_a_learning_curve_is_a_table_of_its_own(tmp_path):
    results = found(n_tokens=67_000_000, passes=3)
    points = [1000 * 3**n for n in range(12)]
    for n in points:
        for split in ("test", "gen"):
            results.rows.append(row("hebbian", f"K=300 tokens={n}", split, 0.5 + n / 10**9))
    # Of one seed alone: no point of the curve.
    results.rows.append(replace(row("hebbian", "K=300 tokens=500", "test", 0.4), n=1))
    lines = printed(results, tmp_path).splitlines()
    assert max(map(len, lines[:-1])) <= 80
    (at,) = [i for i, line in enumerate(lines) if "thousands of tokens" in line]
    head, test, gen = (line.split() for line in lines[at + 1 : at + 4])
    assert head == ["split", "1", "3", "27", "243", "729", "6,561", "59,049", "201,000"]
    assert test == ["test", "0.500", "0.500", "0.500", "0.500", "0.501", "0.507", "0.559", "0.900"]
    assert gen == ["gen", *test[1:]]
    assert "tokens 1000" not in "".join(lines)  # nor in the table of models
    assert "thousands of tokens" not in printed(found(), tmp_path)


def printed(results, folder):
    stream = io.StringIO()
    roles_table.show(results, folder, Console(file=stream, width=80))
    return stream.getvalue()


@pytest.mark.parametrize(("columns", "width"), [
    ("40", 40), ("80", 80), ("200", 200), ("0", 80), ("1", 80), ("many", 80), ("-5", 80),
])  # fmt: skip
def test_tables_lose_nothing_at_any_width(columns, width, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.StringIO()
    console = Console(file=stream)
    assert console.width == width
    results = found()
    roles_table.show(results, tmp_path, console)
    lines = stream.getvalue().splitlines()
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= width
    whole = "".join(stream.getvalue().split())
    assert "…" not in whole
    for part in ("only_seen_as_unacc", "transitive_subj", "devrolesshuffled", "0.900±0.010"):
        assert part in whole, part


def test_what_is_scored_is_named_and_clusters_are_measured_beside_it(tmp_path):
    said = printed(found(), tmp_path)
    assert "grammatical roles; K = 300" in said and "Recall by role" in said
    said = printed(found(gold_layer="pos"), tmp_path)
    assert "Corpus tiny, layer pos; K = 300" in said
    assert "Recall by label" in said and "Recall by role" not in said
    lines = said.splitlines()
    at = lines.index("Clusters beside layer pos, before they are named")
    heads = ["split", "many-to-one", "one-to-one", "V-measure", "VI, bits", "ARI"]
    assert lines[at + 1].split() == " ".join(heads).split()
    values = [word for i in range(len(CLUSTERING)) for word in (f"{0.61 + i / 100:.3f}", "±0.010")]
    assert lines[at + 2].split() == ["test", *values]


def test_a_narrow_table_is_printed_row_by_row():
    table = Table("model", box=None)
    table.add_column("accuracy", no_wrap=True)
    table.add_column("n", no_wrap=True)
    table.add_row("hebbian", "0.9000 ±0.0100", "5")
    table.add_row(Text("  own code only"), "", "3")
    stream = io.StringIO()
    Console(file=stream, width=26).print(table)
    assert [line.rstrip() for line in stream.getvalue().splitlines()] == [
        "hebbian", "  accuracy  0.9000 ±0.0100", "  n  5",
        "  own code only", "  n  3",
    ]  # fmt: skip


@pytest.mark.parametrize("module", sorted(Path(cli.__file__).parent.glob("*.py")), ids=str)
def test_every_table_goes_to_the_console_that_loses_nothing(module):
    text = module.read_text(encoding="utf-8")
    assert ("from rich.console" in text) == (module.name == "terminal.py")


@pytest.mark.parametrize("members", [1, 8])
def test_no_name_and_no_number_of_a_table_is_cut(members, tmp_path):
    text = printed(found(ensemble_size=members), tmp_path)
    assert "…" not in text
    assert "\n* only_seen_as_unacc_subj_as_obj_omitted_ " in text
    assert "\n    transitive_subj " in text


def test_what_is_made_of_one_learner_stands_below_it(tmp_path):
    lines = printed(found(ensemble_size=8), tmp_path).splitlines()
    names = [line[:23].rstrip() for line in lines if "none  " in line]
    parts = ["  own code only", "  prototypes random tok", "  timescale 2", "  dev roles shuffled"]
    assert names == ["hebbian", "  soft read-out", *parts, "8 voting", "  soft read-out"]


def test_tables_of_a_population_say_that_it_votes(tmp_path):
    text = printed(found(ensemble_size=8), tmp_path)
    assert "Recall by role, BiGRU with all labels (hebbian: 8 voting)" in text
    assert "Generalization splits, BiGRU with all labels (hebbian: 8 voting)" in text


@pytest.mark.parametrize(
    ("decided", "mark", "said"),
    [
        (
            "structure",
            "* ",
            "* depends on structure, judged on dev and on splits of a sibling corpus",
        ),
        ("not judged", "? ", "? not judged: there is no sibling of this split"),
        ("other", "", None),
    ],
)
def test_splits_say_how_they_were_judged(tmp_path, decided, mark, said):
    results = found()
    results.tables["structure"][-1] = Structure("split", LONG, decided)
    lines = printed(results, tmp_path).splitlines()
    assert any(line.startswith(f"{mark}only_seen_as") for line in lines)
    assert [line for line in lines if line.startswith(("* depends", "? not"))] == (
        [said] if said else []
    )


def test_the_table_holds_the_numbers(tmp_path):
    text = printed(found(), tmp_path)
    for part in (
        "0.900 ±0.010", "0.610", "own code only", "dev roles shuffled",
        "prototypes random tokens",
        "97.0 % of the BiGRU's accuracy", "a BiGRU trained on 1,234 labelled sentences",
        "By the soft read-out: 98.0 % (97.0 to 99.0), and 4,321 labelled sentences",
        "+0.100   behind", "+0.100    ahead", "PARTICIPLE",
        "  all labels for the BiGRU, splits: 0 ahead, 1 behind, of 1",
        "  the same 100 labels for both, roles on gen: 1 ahead, 0 behind, of 1",
        "Holm", "two-level bootstrap", "Note: one note", str(tmp_path.name),
    ):  # fmt: skip
        assert part in text, part


def test_without_a_bigru_recall_and_splits_are_still_shown(tmp_path):
    results = found()
    results.tables["comparisons"] = []
    text = printed(results, tmp_path)
    assert "Recall by role\nrole   test    gen\nSUBJ  0.750  0.750\n" in text
    assert "transitive_subj" in text and "ahead" not in text


def test_an_equivalence_beyond_the_curve_is_said(tmp_path):
    results = found()
    last = results.rows.pop()
    beyond = Row(**{**vars(last), "condition": "K=300 curve=above", "mean": 4000.0})
    results.rows.append(beyond)
    assert "more than 4,000 labelled sentences" in printed(results, tmp_path)


# --- the process ----------------------------------------------------------------------------


def test_help_and_version_load_nothing_heavy():
    code = (
        "import sys; from hebbsim.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print([m for m in ('numba', 'torch', 'spacy', 'sklearn', 'scipy', 'pandas', "
        "'matplotlib', 'numpy') if m in sys.modules], file=sys.stderr)"
    )
    for words in (["--help"], ["--version"], ["run", "roles", "--help"]):
        result = python("-c", code, *words)
        assert result.returncode == 0 and result.stderr.strip() == "[]", words


def test_python_m_is_the_same_command():
    result = python("-m", "hebbsim", "--version")
    assert (result.returncode, result.stdout) == (0, f"hebbsim {__version__}\n")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_of_progress_stand_on_a_terminal_and_nowhere_else(monkeypatch):
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress() as report:
            report("hebbian seed 0", 1, 2)
        assert ("hebbian seed 0" in stream.getvalue()) == stream.isatty()


def test_the_bar_says_what_is_left_and_counts_tables_and_figures(monkeypatch):
    times = iter([0.0, 60.0, 120.0])
    monkeypatch.setattr("hebbsim.cli.run_command.Pace", lambda: Pace(clock=times.__next__))
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "120")
    shown = []
    with progress() as report:
        bar = gc_bar(report)
        for done in (0, 1, 2):
            report(None, done, 2)
            task = bar.tasks[0]
            shown.append((task.description, task.completed, task.total, task.fields["left"]))
    assert shown == [
        ("learning", 0, 3, ""),
        ("learning", 1, 3, "about 2:00 left"),
        ("tables and figures", 2, 3, "about 1:00 left"),
    ]


def gc_bar(report):
    """The bar that a report writes to."""
    names = report.__code__.co_freevars
    return report.__closure__[names.index("bar")].cell_contents
