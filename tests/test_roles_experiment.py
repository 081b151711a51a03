"""The roles experiment with a small stand-in for the learner."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import zlib
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from jobs import FinishLate, Priority, Square, Vanish

import hebbsim.readers
import hebbsim.runs.figures
from hebbsim.baselines import TorchMissingError
from hebbsim.baselines.bigru import draw_labelled
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.roles import run as roles
from hebbsim.experiments.roles import structure as roles_structure
from hebbsim.experiments.roles import tabulate
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.roles.data import Gold, hold_out
from hebbsim.experiments.roles.learning import Measuring
from hebbsim.experiments.roles.run import run_roles
from hebbsim.experiments.roles.scores import Runs
from hebbsim.probes import CLUSTERING, RoleReadout, SoftReadout
from hebbsim.probes.bootstrap import adjust
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.grammar import make_builtin
from hebbsim.runs.background import BackgroundJobs

NOUNS = ["cat", "dog", "girl", "boy", "bird", "fish"]
VERBS = ["saw", "fed", "liked"]


def tiny_split(name, n, seed):
    """Sentences `noun verb noun .`: word order alone tells subject from object."""
    rng = np.random.default_rng(seed)
    words, gold = [], []
    for _ in range(n):
        words.append([*rng.choice(NOUNS, 1), *rng.choice(VERBS, 1), *rng.choice(NOUNS, 1), "."])
        gold += ["SUBJ", "PRED", "OBJ", "PUNCT"]
    return make_split(name, words, {"grammatical": gold}, kinds=[f"kind{i % 2}" for i in range(n)])


@pytest.fixture
def tiny():
    sizes = {"train": 60, "dev": 30, "test": 40, "gen/a": 20, "gen/b": 10}
    splits = {name: tiny_split(name, n, i) for i, (name, n) in enumerate(sizes.items())}
    return Corpus("tiny", splits, layer="grammatical", sha256={"tiny.txt": "0" * 64})


class FakeLearner:
    """Clusters a token by its left neighbour, with the learner's interface; keeps what it got."""

    received: ClassVar[list] = []

    def __init__(self, n_clusters, random_state, view="both", shuffle_traces=False, **_):
        self.n_clusters, self.random_state = n_clusters, random_state
        self.view, self.shuffle_traces = view, shuffle_traces

    @property
    def prototypes_(self):
        return SimpleNamespace(centres=np.eye(self.n_clusters, dtype=np.float32))

    def transform(self, sentences):
        return self.prototypes_.centres[self.predict(sentences)]

    def clusters_begin(self, n_tokens, *, after=False):
        return n_tokens // 2

    def fit(self, sentences, *, text=None, progress=None, **_):
        self.received.append(("fit", sentences))
        for share in (0.25, 0.5, 1.0) if progress else ():
            progress(share)
        if text is not None:
            self.received.append(("text", list(text() if callable(text) else text)))
        return self

    def derive(self, sentences, **changes):
        options = {"n_clusters": self.n_clusters, "random_state": self.random_state}
        return type(self)(**options | changes).fit(sentences)

    def predict(self, sentences):
        self.received.append(("predict", sentences))
        rng = np.random.default_rng(self.random_state)
        ids = []
        for words in sentences:
            for left, word in zip(["", *words[:-1]], words, strict=True):
                kind = "noun" if word in NOUNS else word
                before = "start" if left == "" else "verb" if left in VERBS else "noun"
                seen = {"own": word, "traces": before, "both": f"{before} {kind}"}[self.view]
                if self.shuffle_traces:
                    seen = str(rng.integers(10**6))
                # A hash that is the same in every process.
                ids.append(zlib.crc32(f"{self.random_state} {seen}".encode()) % self.n_clusters)
        return np.array(ids, dtype=np.int32)

    def word_codes(self, words):
        self.received.append(("word_codes", words))
        return np.zeros((len(words), 4), dtype=np.float32)


class FakePopulation(FakeLearner):
    """Two learners side by side."""

    @property
    def members_(self):
        return [FakeLearner(self.n_clusters, 10 * self.random_state + i) for i in range(2)]

    def predict(self, sentences):
        return np.column_stack([member.predict(sentences) for member in self.members_])


class FakeJobs:
    """Runs no BiGRU: right on three tokens of four, by a rule of the job's own fields."""

    submitted: ClassVar[dict] = {}

    def __init__(self, workers):
        type(self).submitted = {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, key, job):
        self.submitted[key] = job

    def results(self):
        for key, job in self.submitted.items():
            predicted = {}
            for name, split in job.evaluation.items():
                gold = split.layers[job.layer].copy()
                gold[job.seed :: 4] = "PRED"
                predicted[name] = gold
            yield key, predicted


@pytest.fixture
def fakes(monkeypatch, tiny):
    """The experiment on the tiny corpus with fakes for what learns."""
    setup = SimpleNamespace(corpus=tiny, learner=FakeLearner, received=[])
    monkeypatch.setattr(FakeLearner, "received", setup.received)
    monkeypatch.setattr(
        RolesConfig, "learner",
        lambda config, seed, network=None, vectors=None: (
            FakePopulation if config.ensemble_size > 1 else FakeLearner
        )(n_clusters=config.clusters, random_state=seed),
    )  # fmt: skip
    monkeypatch.setattr(roles, "BackgroundJobs", _Subscriptable(FakeJobs))
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *a, **k: setup.corpus)
    return setup


class _Subscriptable:
    def __init__(self, made):
        self.made = made

    def __getitem__(self, _):
        return self.made


def run(**options):
    given = {"clusters": 50, "seeds": 2, "labels": (10, 30), "readout_sentences": 8}
    given["keep"] = "none"  # a fake has nothing to keep
    given["rivals"] = "none"
    given |= options
    return run_roles(**{name: value for name, value in given.items() if value is not None})


def value(results, condition, split="test", model="hebbian", metric="accuracy", role=None):
    (row,) = [
        r for r in results.rows
        if (r.model, r.condition, r.split, r.metric, r.role)
        == (model, condition, split, metric, role)
    ]  # fmt: skip
    return row.mean


# --- no label reaches the learner ---------------------------------------------------------


def test_the_learner_receives_words_and_sentence_ends_alone(fakes):
    run()
    splits = fakes.corpus.splits
    train = splits["train"].sentences()
    words = {str(word) for split in splits.values() for word in split.forms}
    assert {kind for kind, _ in fakes.received} == {"fit", "predict", "word_codes"}
    for kind, given in fakes.received:
        if kind == "fit":
            assert given == train  # and nothing of dev, test or gen
        flat = given if kind == "word_codes" else [w for sentence in given for w in sentence]
        assert type(given) is list and all(type(word) is str for word in flat)
        assert set(flat) <= words


def test_training_roles_change_nothing_for_the_learner(fakes, tiny):
    before = run()
    train = tiny.splits["train"]
    shuffled = np.random.default_rng(0).permutation(train.layers["grammatical"])
    fakes.corpus = replace(
        tiny,
        splits={**tiny.splits, "train": replace(train, layers={"grammatical": shuffled})},
    )
    after = run()

    def of(results, model):
        # Few labels name clusters, which the learner has formed by then.
        named = [f"labels={n}" for n in (8, 10, 30)]
        return [
            s
            for s in results.tables["per_seed"]
            if s.model == model and not set(named) & set(s.condition.split())
        ]

    assert of(before, "hebbian") == of(after, "hebbian")
    assert of(before, "lookup") != of(after, "lookup")  # the shuffle did happen


def test_what_is_noted_of_a_corpus_stands_in_the_results(fakes, tiny):
    fakes.corpus = replace(tiny, notes=("silver",))
    assert run(baselines="none").document()["notes"] == ["silver"]


def test_text_learned_from_is_told_from_what_is_scored(fakes, tmp_path):
    (tmp_path / "more.txt").write_text("cat saw dog\n")
    found = run(baselines="none", unlabeled=(tmp_path / "more.txt",)).provenance
    assert set(found["inputs"]) == {"tiny.txt", "more.txt", "network"} and found["text"] == [
        "more.txt"
    ]


def test_the_mapping_is_fitted_on_dev_alone(fakes, tiny, monkeypatch):
    fit = {readout: readout.fit for readout in (RoleReadout, SoftReadout)}
    seen = {readout: [] for readout in fit}

    def spy(self, ids, gold, *prototypes):
        seen[type(self)].append(np.asarray(gold))
        return fit[type(self)](self, ids, gold, *prototypes)

    for readout in fit:
        monkeypatch.setattr(readout, "fit", spy)
    # Roles that tell the splits apart: a mapping that saw test would know the name "test".
    fakes.corpus = replace(
        tiny,
        splits={
            name: replace(split, layers={"grammatical": np.char.add(
                split.layers["grammatical"], "" if name in ("train", "dev") else "/elsewhere")})
            for name, split in tiny.splits.items()
        },
    )  # fmt: skip
    run(baselines="none")
    for given in seen.values():
        assert not any(name.endswith("elsewhere") for gold in given for name in set(gold))
        assert max(map(len, given)) == tiny.splits["dev"].n_tokens


def test_on_dev_either_half_is_scored_with_the_mapping_of_the_other(fakes, monkeypatch):
    # Every token a cluster of its own: a mapping scored on its own tokens would be perfect.
    monkeypatch.setattr(
        FakeLearner, "predict", lambda self, s: np.arange(sum(map(len, s)), dtype=np.int32)
    )
    results = run(clusters=200)
    assert value(results, "K=200", split="dev") == pytest.approx(0.25)


# --- what is measured -----------------------------------------------------------------------


def test_structure_is_found_and_lookup_fails_on_word_order(fakes):
    results = run()
    assert value(results, "K=50") == 1
    assert value(results, "", model="lookup") < 0.9
    decided = {s.name: s.decided for s in results.tables["structure"]}
    assert decided["SUBJ"] == "structure" and decided["PRED"] == "content"
    assert {"gen/a", "gen/b"} <= decided.keys()


def test_roles_of_generalization_splits_do_not_enter_their_judgement(fakes, monkeypatch):
    """Whatever is annotated there: the verdicts come from a sibling corpus."""
    of_structure = dict.fromkeys(("SUBJ", "OBJ"), "structure")
    monkeypatch.setattr(roles_structure, "decide_roles", lambda lookup, traces: of_structure)
    whole = make_builtin(0, n_train=1000, n_dev=100, n_test=5, n_gen=20)
    names = ("train", "dev", "test", "gen/obj_to_subj_proper", "gen/cp_depth")
    verdicts = []
    for corrupt in (False, True):
        splits = {name: whole.splits[name] for name in names}
        for name in names[3:] if corrupt else ():
            gold = splits[name].layers["grammatical"]
            layers = {"grammatical": np.random.default_rng(0).permutation(gold)}
            splits[name] = replace(splits[name], layers=layers)
        fakes.corpus = replace(whole, splits=splits)
        table = run(seeds=1, baselines="simple").tables["structure"]
        verdicts.append([s for s in table if s.kind == "split"])
    assert verdicts[0] == verdicts[1]
    decided = {s.name: s.decided for s in verdicts[0]}
    assert decided == {"gen/obj_to_subj_proper": "structure", "gen/cp_depth": "other"}
    assert all(0 < s.lookup_dev < 1 and 0 < s.share < 1 for s in verdicts[0])


def test_a_split_without_a_sibling_is_not_judged(fakes):
    table = run(seeds=1, baselines="simple").tables["structure"]
    splits = [s for s in table if s.kind == "split"]
    assert [(s.name, s.decided) for s in splits] == [
        ("gen/a", "not judged"), ("gen/b", "not judged")
    ]  # fmt: skip
    assert all((s.lookup, s.lookup_dev, s.share) == (None, None, None) for s in splits)


def test_controls_lie_near_chance(fakes):
    results = run()
    for condition in ("K=50 shuffled=labels", "K=50 shuffled=traces"):
        assert value(results, condition) < 0.6 < value(results, "K=50")


def test_every_condition_is_there_once(fakes):
    results = run(timescales=(2, 8))
    keys = [(r.split, r.model, r.condition, r.metric, r.role) for r in results.rows]
    assert len(keys) == len(set(keys))
    conditions = {(r.model, r.condition) for r in results.rows if r.metric == "accuracy"}
    assert conditions == {
        ("hebbian", "K=50"), ("hebbian", "K=50 readout=soft"),
        *(("hebbian", f"K=50 labels={n}") for n in (8, 10, 30)),
        *(("hebbian", f"K=50 labels={n} readout=soft") for n in (8, 10, 30)),
        ("hebbian", "K=50 prototypes=random"),
        ("hebbian", "K=50 view=own"), ("hebbian", "K=50 view=traces"),
        ("hebbian", "K=50 tau=2"), ("hebbian", "K=50 tau=8"),
        ("hebbian", "K=50 shuffled=traces"), ("hebbian", "K=50 shuffled=labels"),
        ("bigru", "labels=all"), ("bigru", "labels=all codes=hebbian"),
        ("bigru", "labels=8"), ("bigru", "labels=10"), ("bigru", "labels=30"),
        ("bigru", "labels=readout"),
        ("lookup", ""), ("majority", ""),
    }  # fmt: skip
    metrics = {r.metric for r in results.rows if r.condition == "K=50"}
    assert metrics == {"accuracy", "recall", "precision", "f1", "n_clusters_used", *CLUSTERING}
    compared = {r.condition for r in results.rows if r.metric == "accuracy_difference"}
    rivals = ("bigru", "bigru/readout", "bigru/codes", "lookup")
    assert compared == {
        f"K=50{few}{soft} minus={rival}"
        for soft in ("", " readout=soft")
        for few, names in (
            ("", rivals),
            *((f" labels={n}", ["bigru/same"]) for n in (8, 10, 30)),
        )
        for rival in names
    }


def test_differences_are_those_of_the_means(fakes):
    results = run()
    for split in ("test", "gen", "gen/a"):
        mine = value(results, "K=50", split)
        theirs = value(results, "labels=all", split, model="bigru")
        found = value(results, "K=50 minus=bigru", split, metric="accuracy_difference")
        assert found == pytest.approx(mine - theirs)
        found = value(results, "K=50 over=bigru", split, metric="accuracy_ratio")
        assert found == pytest.approx(mine / theirs)


def test_gen_pools_the_tokens_of_its_splits(fakes, tiny):
    results = run()
    n = {name: tiny.splits[name].n_tokens for name in ("gen/a", "gen/b")}
    each = [value(results, "", name, model="lookup") * n[name] for name in n]
    assert value(results, "", "gen", model="lookup") == pytest.approx(sum(each) / sum(n.values()))


def test_the_bigru_gets_exactly_the_sentences_that_name_the_clusters(fakes, tiny, monkeypatch):
    named = {}
    name_on_few = Measuring.name_on_few

    def spy(self, condition, found, sentences, *, soft):
        named.setdefault(condition, []).append(sentences)
        return name_on_few(self, condition, found, sentences, soft=soft)

    monkeypatch.setattr(Measuring, "name_on_few", spy)
    run(seeds=1, label_curve_seeds=2, readout_draws=3)
    jobs = FakeJobs.submitted
    assert jobs["labels=readout", 0].train is tiny.splits["dev"]
    for labels, draws in ((8, 3), (10, 2), (30, 2)):
        assert len(named[f"K=50 labels={labels}"]) == draws
        for draw in range(draws):
            job = jobs[f"labels={labels}", draw]
            # train_bigru draws its labelled sentences with its seed, and looks at no dev.
            assert (job.train, job.labels) == (tiny.splits["train"], labels)
            drawn = draw_labelled(60, labels, job.seed)
            for readout in ("", " readout=soft"):
                assert np.array_equal(named[f"K=50 labels={labels}{readout}"][draw], drawn)


def test_few_labels_are_those_of_the_drawn_sentences_alone(fakes, tiny):
    """Roles of every other training sentence are another name: no cluster may take it."""
    train = tiny.splits["train"]
    kept = np.isin(np.repeat(np.arange(60), 4), draw_labelled(60, 8, 0))
    gold = np.where(kept, train.layers["grammatical"], "OTHER")
    fakes.corpus = replace(
        tiny, splits={**tiny.splits, "train": replace(train, layers={"grammatical": gold})}
    )
    results = run(labels=(8,), readout_draws=1)
    for condition in ("K=50 labels=8", "K=50 labels=8 readout=soft"):
        assert value(results, condition) > 0.9


def test_comparisons_pair_draws_and_state_their_counts(fakes):
    found = run(seeds=3, readout_draws=3, bigru_seeds=2, label_curve_seeds=2).tables["comparisons"]
    tables = {c.table for c in found}
    assert {"overall K=50", "splits K=50", "roles K=50", "roles K=50 labels=8"} <= tables
    (all_labels,) = [
        c for c in found
        if (c.table, c.rival_condition, c.split) == ("overall K=50", "labels=all", "test")
    ]  # fmt: skip
    assert (all_labels.seeds, all_labels.rival_seeds, all_labels.draws) == (3, 2, 1)
    assert all_labels.sentences == 40 and all_labels.metric == "accuracy"
    few = [c for c in found if c.table == "roles K=50 labels=8"]
    assert {(c.split, c.role) for c in few} == {
        (split, role) for split in ("test", "gen") for role in ("SUBJ", "PRED", "OBJ", "PUNCT")
    }
    assert {(c.draws, c.rival_seeds, c.metric) for c in few} == {(3, 3, "recall")}
    tested = [c.p for c in few if c.p is not None]
    assert [c.corrected for c in few if c.p is not None] == pytest.approx(adjust(tested, "holm"))
    words = {"ahead", "behind", "no difference shown"}
    assert {c.verdict for c in found} <= words and "ahead" in {c.verdict for c in found}


def test_of_models_that_were_trained_once_no_difference_is_shown(fakes):
    found = run(seeds=2, readout_draws=1, bigru_seeds=1, label_curve_seeds=1).tables["comparisons"]
    trained = [c for c in found if c.rival == "bigru"]
    once = [c for c in trained if (c.rival_seeds, c.draws) == (1, 1)]
    assert once and {(c.verdict, c.p, c.low) for c in once} == {("no difference shown", None, None)}


def test_draws_of_one_seed_are_averaged_before_seeds_are(fakes):
    (row,) = run().select({"labels": "8"}, split="test", metric="accuracy", model="hebbian")
    assert row.n == 2  # seeds, not seeds times draws


def test_a_population_stands_beside_one_learner(fakes):
    results = run(ensemble_size=2)
    assert value(results, "K=50 members=2") == 1 and value(results, "K=50") == 1
    assert {"K=50 members=2 minus=bigru", "K=50 minus=bigru"} <= {r.condition for r in results.rows}
    assert value(results, "K=50 members=2 labels=8") > 0.5


def test_two_runs_give_the_same_results(fakes):
    assert run().document() == run().document()


def test_seeds_that_learn_at_a_time_learn_the_same(fakes, monkeypatch):
    options = {"clusters": 12, "seeds": 4, "baselines": "none", "ablation_seeds": 0}
    options["settings"] = ("words.size=8", "tokens.n_directions=5", "context_words=40")
    one, other = [run(workers=workers, **options).document() for workers in (1, 3)]
    assert len({row["mean"] for row in one["results"]}) > 3
    assert other == one


def test_without_torch_the_run_goes_on_and_says_so(fakes, monkeypatch):
    def missing(self, key, job):
        raise TorchMissingError

    monkeypatch.setattr(FakeJobs, "submit", missing)
    results = run()
    assert not results.select(model="bigru") and value(results, "K=50") == 1
    (note,) = results.notes
    assert "torch" in note and "\n" not in note


def test_without_torch_the_steps_still_add_up(fakes, monkeypatch):
    def missing(self, key, job):
        raise TorchMissingError

    monkeypatch.setattr(FakeJobs, "submit", missing)
    steps = []
    run(progress=lambda line, done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1]


def test_steps_add_up_and_the_first_line_is_of_the_learner(fakes):
    steps = []

    def progress(line, done, total):
        steps.append((line, done, total, len(FakeJobs.submitted)))

    FakeJobs.submitted = {}
    run(progress=progress)
    assert steps[-1][1] == steps[-1][2]
    assert steps[0][:3] == (None, 0, steps[-1][2])  # all is known before the first result
    line, *_, begun = next(step for step in steps if step[0])
    # No core is idle until then: what needs no learner has begun, at a low priority.
    assert line == "hebbian seed 0: test accuracy 1.000" and begun > 4


@pytest.mark.parametrize("layer", ["grammatical", None])
def test_the_bar_moves_while_the_first_learner_is_fitted(fakes, layer):
    fakes.corpus = replace(fakes.corpus, layer=layer)
    steps = []
    run(
        seeds=1, ablation_seeds=1, baselines="none",
        progress=lambda line, done, total: steps.append((done, total)),
    )  # fmt: skip
    done, main = [done for done, _ in steps], roles.WEIGHTS["main"]
    fitting = [int(share * roles.FITTING * main) for share in (0.25, 0.5, 1.0)]
    assert [d for d in done if 0 < d <= main] == [*fitting, main]
    assert {b - a for a, b in itertools.pairwise(done) if a >= main} <= {roles.WEIGHTS["part"]}
    assert done[-1] == steps[-1][1]


def test_bigrus_that_cannot_be_trained_leave_the_bar(fakes, monkeypatch):
    submitted = []

    def missing_after_one(self, key, job):
        submitted.append(key)
        if len(submitted) > 1:
            raise TorchMissingError
        self.submitted[key] = job

    monkeypatch.setattr(FakeJobs, "submit", missing_after_one)
    steps = []
    run(progress=lambda line, done, total: steps.append((done, total)))
    assert all(done <= total for done, total in steps) and steps[-1][0] == steps[-1][1]


def test_torch_that_is_gone_for_the_last_bigrus_is_told_once(fakes, monkeypatch):
    """As where a run resumes, whose other BiGRUs are kept, in another environment."""

    def missing_for_codes(self, key, job):
        if "codes" in key[0]:
            raise TorchMissingError
        self.submitted[key] = job

    monkeypatch.setattr(FakeJobs, "submit", missing_for_codes)
    results = run(label_curve_seeds=2)
    assert results.select(model="bigru") and len(results.notes) == 1 and "torch" in results.notes[0]


def test_labelled_sentences_are_cut_once_for_all_draws(fakes, monkeypatch):
    cut, subset = [], Split.subset
    monkeypatch.setattr(Split, "subset", lambda self, chosen: cut.append(1) or subset(self, chosen))
    results = run(seeds=2, ablation_seeds=0, baselines="none", readout_draws=5)
    assert len(cut) == 2  # one a learner
    assert value(results, "K=50 labels=8") > 0.9


@pytest.mark.parametrize(("baselines", "models"), [
    ("none", {"hebbian"}),
    ("simple", {"hebbian", "lookup", "majority"}),
])  # fmt: skip
def test_baselines_can_be_left_out(fakes, baselines, models):
    assert {r.model for r in run(baselines=baselines).rows} == models


def test_the_run_folder_is_drawn_and_complete(fakes, tmp_path):
    run(out=tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        "config.json", "provenance.json", "results.json", "results.csv", "per_seed.csv",
        "comparisons.csv", "constructions.csv", "structure.csv", "machine.json", "figures",
        "tokens.csv.gz", "files.json", "network.json",
    }  # fmt: skip
    assert {p.suffix for p in (tmp_path / "run" / "figures").iterdir()} == {".svg", ".png"}
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["corpus"] == "tiny" and config["n_sentences"] == 60
    assert "workers" not in config


def test_the_table_of_tokens_agrees_with_the_scores(fakes, tmp_path, monkeypatch):
    monkeypatch.setattr(hebbsim.runs.figures, "draw_run", lambda *_: {})
    results = run(out=tmp_path / "run", seeds=2)
    table = pd.read_csv(tmp_path / "run" / "tokens.csv.gz", keep_default_na=False)
    for split in ("dev", "test"):
        gold = fakes.corpus.splits[split]
        rows = table[table["split"] == split]
        assert rows["word"].tolist() == gold.forms.tolist()
        assert rows["gold"].tolist() == gold.layers["grammatical"].tolist()
        assert rows["sentence"].iloc[-1] == gold.n_sentences
        assert rows["position"].max() == np.diff(gold.offsets).max()
    test = table[table["split"] == "test"]
    for column, model, condition in (
        ("hebbian", "hebbian", "K=50"), ("hebbian_soft", "hebbian", "K=50 readout=soft"),
        ("bigru", "bigru", "labels=all"), ("lookup", "lookup", ""),
    ):  # fmt: skip
        [first] = [
            score.value
            for score in results.tables["per_seed"]
            if (score.split, score.model, score.condition) == ("test", model, condition)
            and (score.metric, score.role, score.seed) == ("accuracy", None, 0)
        ]
        assert (test[column] == test["gold"]).mean() == pytest.approx(first)
    # A cluster has one name.
    assert (test.groupby("cluster")["hebbian"].nunique() == 1).all()


def test_the_table_of_tokens_is_bounded(monkeypatch, tiny):
    monkeypatch.setattr(tabulate, "MOST_TOKENS", 7)
    splits = {name: (tiny.splits[name], {}) for name in ("dev", "test")}
    lines = gzip.decompress(tabulate.tokens_file(splits)).decode().splitlines()
    assert len(lines) == 8 and lines[-1].startswith("dev,")


# --- text without roles -----------------------------------------------------------------


def test_text_without_roles_gives_clusters_by_their_words(fakes, tiny):
    bare = {"train": replace(tiny.splits["train"], layers={}, kinds=None)}
    fakes.corpus = replace(tiny, splits=bare, layer=None)
    results = run()
    assert results.rows == [] and "no roles" in results.notes[0]
    table = results.tables["clusters"]
    assert sum(c.tokens for c in table) == bare["train"].n_tokens
    assert [c.tokens for c in table] == sorted((c.tokens for c in table), reverse=True)
    assert "." in [c.words for c in table]
    lines = gzip.decompress(results.files["tokens.csv.gz"]).decode().splitlines()
    assert lines[0] == "split,sentence,position,word,cluster"
    assert len(lines) == 1 + bare["train"].n_tokens


def texts(fakes):
    return [given for kind, given in fakes.received if kind == "text"]


def test_extra_text_reaches_the_learner_as_sentences(fakes, tmp_path):
    (tmp_path / "more.txt").write_text("The fish saw it. A dog sat.\n")
    run(unlabeled=(tmp_path / "more.txt",), baselines="none", ablation_seeds=0)
    assert len(texts(fakes)) == 2 and texts(fakes)[0][0] == ["the", "fish", "saw", "it", "."]


def test_text_is_read_as_its_options_say(fakes, tmp_path):
    (tmp_path / "more.csv").write_text("id,body\n1,Dog sat. Cat saw\n")
    options = {"baselines": "none", "ablation_seeds": 0, "seeds": 1, "field": "body"}
    run(unlabeled=(tmp_path / "more.csv",), **options)
    assert texts(fakes)[-1] == [["dog", "sat", "."], ["cat", "saw"]]
    (tmp_path / "more.txt").write_text("Dog sat. Cat saw\n")
    run(unlabeled=(tmp_path / "more.txt",), sentences="lines", **options | {"field": None})
    assert texts(fakes)[-1] == [["dog", "sat", ".", "cat", "saw"]]
    with pytest.raises(BadInputError, match="--tokenizer: unknown tokenizer 'x'"):
        run(tokenizer="x")
    with pytest.raises(BadInputError, match=r"--role-map: none\.json: no such file, nor one of"):
        run(role_map="none.json")
    assert run(role_map="sud-roles", **options).config["role_map"] == "sud-roles"


def test_of_a_treebanks_folder_the_training_words_are_learned(fakes, tmp_path):
    line = "1\t{}\t_\tX\t_\t_\t0\troot\t_\t_\n\n"
    for split in ("train", "dev", "test"):
        (tmp_path / f"a-{split}.conllu").write_text(line.format(split))
    options = {"baselines": "none", "ablation_seeds": 0, "seeds": 1}
    notes = run(unlabeled=(tmp_path,), **options).notes
    assert texts(fakes)[-1] == [["train"]]
    assert any("the words of train are read, not of dev, test" in note for note in notes)
    notes = run(unlabeled=(tmp_path / "a-test.conllu",), **options).notes
    assert texts(fakes)[-1] == [["test"]]
    assert any("its name says test" in note for note in notes)


def test_a_text_of_unknown_words_is_told_of(fakes, tmp_path):
    options = {"baselines": "none", "ablation_seeds": 0, "seeds": 1}
    for text, told in (("Dog sat saw\n", False), ("Hund saß saw\n", True)):
        (tmp_path / "more.txt").write_text(text)
        notes = run(unlabeled=(tmp_path / "more.txt",), **options).notes
        assert any("67 % of the text's words" in note for note in notes) is told


def test_more_clusters_than_dev_can_name_are_told_of(fakes, tiny):
    words = tiny.splits["dev"].n_tokens
    options = {"baselines": "none", "ablation_seeds": 0, "seeds": 1}
    for clusters, told in ((words // 2, False), (words // 2 + 1, True)):
        notes = run(clusters=clusters, **options).notes
        assert any(f"from the {words:,} words of" in note for note in notes) is told


# --- corpora that lack something ----------------------------------------------------------


@pytest.mark.parametrize(("missing", "sizes"), [
    (["dev"], {"train": 54, "dev": 6, "test": 40}),
    (["test"], {"train": 54, "dev": 30, "test": 6}),
    (["dev", "test"], {"train": 48, "dev": 6, "test": 6}),
])  # fmt: skip
def test_a_missing_split_is_held_out_of_train(tiny, missing, sizes):
    splits = {k: v for k, v in tiny.splits.items() if k not in missing}
    found, note = hold_out(replace(tiny, splits=splits))
    assert {k: found.splits[k].n_sentences for k in sizes} == sizes
    assert all(name in note for name in missing)
    rejoined = [w for k in ("train", *missing) for w in found.splits[k].sentences()]
    assert rejoined == tiny.splits["train"].sentences()


def test_a_run_on_a_held_out_split_says_so(fakes, tiny):
    fakes.corpus = replace(tiny, splits={"train": tiny.splits["train"]})
    results = run()
    assert "no dev and no test split" in results.notes[0]
    assert value(results, "K=50") > 0.9
    learnt = [given for kind, given in fakes.received if kind == "fit"]
    assert {len(sentences) for sentences in learnt} == {48}


def test_one_sentence_is_too_few(fakes, tiny):
    fakes.corpus = replace(tiny, splits={"train": tiny.splits["train"].subset([0])})
    with pytest.raises(BadInputError, match=r"too few training sentences \(1\)"):
        run(clusters=2)


def test_one_role_is_nothing_to_tell_apart(fakes, tiny):
    same = {
        name: replace(s, layers={"grammatical": np.full(s.n_tokens, "X")})
        for name, s in tiny.splits.items()
    }
    fakes.corpus = replace(tiny, splits=same)
    with pytest.raises(BadInputError, match="every token of dev has the role X"):
        run()


def test_more_clusters_than_tokens_are_refused(fakes):
    with pytest.raises(BadInputError, match=r"--clusters 241: more than the 240 training tokens"):
        run(clusters=241)
    run(clusters=240, baselines="none", ablation_seeds=0)


def test_a_split_without_the_layer_is_refused(fakes, tiny):
    fakes.corpus = replace(
        tiny, splits={**tiny.splits, "gen/b": replace(tiny.splits["gen/b"], layers={})}
    )
    with pytest.raises(BadInputError, match="gen/b split has no layer grammatical"):
        run()


def test_a_bad_output_folder_is_refused_before_any_work(fakes, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="is a file"):
        run(out=tmp_path / "file")
    assert fakes.received == []


# --- configuration --------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "message"), [
    ({"timescales": "0"}, "--timescales: .*below 1"),
    ({"timescales": "0.5"}, "--timescales: .*below 1"),
    ({"timescales": "nan"}, "--timescales: .*not finite"),
    ({"timescales": "2,2"}, "--timescales: .*twice"),
    ({"timescales": "two"}, "--timescales: .*not a number"),
    ({"timescales": ""}, "--timescales: "),
    ({"seeds": 0}, "--seeds: give a number of at least 1, got 0"),
    ({"clusters": 0}, "--clusters: give a number of at least 1, got 0"),
    ({"ensemble_size": -1}, "--ensemble-size: .*got -1"),
    ({"baselines": "some"}, "--baselines: .*'some'"),
    ({"preset": "fast"}, "--preset fast: no such file; give default, auto, best, or "),
    ({"labels": "30,10"}, "--labels: .*increasing"),
    ({"labels": "a"}, "--labels: .*'a'"),
    ({"unlabeled": ("nowhere.txt",)}, "--unlabeled: nowhere.txt: no such"),
    ({"role_map": "nowhere.json"}, "--role-map: nowhere.json: no such"),
    ({"colour": "red"}, "--colour: "),
])  # fmt: skip
def test_a_bad_option_is_named_on_one_line(options, message):
    with pytest.raises(BadInputError, match=message) as error:
        RolesConfig.checked(options)
    assert "\n" not in str(error.value)


# --- gold and background --------------------------------------------------------------------


def test_gold_codes_are_names_again(tiny):
    gold = Gold.of(tiny, "grammatical")
    for name in gold.codes:
        if name != "gen":
            assert np.array_equal(
                gold.names[gold.codes[name]], tiny.splits[name].layers["grammatical"]
            )
    assert list(gold.codes) == ["dev", "test", "gen", "gen/a", "gen/b"]
    assert gold.offsets["gen"][-1] == len(gold.codes["gen"]) == 30 * 4


@pytest.mark.parametrize("workers", [1, 2])
def test_results_do_not_depend_on_the_number_of_workers(workers):
    with BackgroundJobs(workers) as jobs:
        for number in range(3):
            jobs.submit(number, Square(number))
        assert dict(jobs.results()) == {0: 0, 1: 1, 2: 4}


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no priorities here")
def test_workers_leave_the_processor_to_the_learner():
    with BackgroundJobs(1) as jobs:
        jobs.submit("a", Priority(0))
        assert dict(jobs.results()) == {"a": os.nice(0) + 10}


def test_kept_predictions_start_no_worker():
    with BackgroundJobs(1) as jobs:
        jobs.submit("a", Vanish(0, kept="kept"))
        assert dict(jobs.results()) == {"a": "kept"}


def test_a_worker_that_dies_is_one_line():
    with pytest.raises(HebbsimError, match="ended early"), BackgroundJobs(1) as jobs:
        jobs.submit("a", Vanish(0))
        list(jobs.results())


def test_leaving_early_ends_the_workers(tmp_path):
    with pytest.raises(KeyboardInterrupt), BackgroundJobs(1) as jobs:
        jobs.submit("a", FinishLate(tmp_path / "mark"))
        raise KeyboardInterrupt
    # Leaving waits for the workers, so one that was not ended would have finished.
    assert not (tmp_path / "mark").exists()


def test_rows_come_in_reading_order_whatever_the_order_of_arrival(tiny):
    of_one = ["K=9", "K=9 readout=soft", "K=9 labels=5", "K=9 labels=5 readout=soft"]
    voting = [condition.replace("K=9", "K=9 members=8") for condition in of_one]
    parts = [
        "K=9 view=own",
        "K=9 view=traces",
        "K=9 tau=2",
        "K=9 tau=32",
        "K=9 shuffled=labels",
        "K=9 prototypes=random",
    ]
    curve = ["labels=30", "labels=100", "labels=all", "labels=all codes=hebbian", "labels=readout"]
    wanted = [("hebbian", condition) for condition in of_one + parts + voting]
    wanted += [("bigru", condition) for condition in curve]
    wanted += [("lookup", ""), ("majority", "")]
    runs = Runs("tiny", Gold.of(tiny, "grammatical"))
    for model, condition in reversed(wanted):
        runs.add(model, condition, 0, {})
    assert [key for key, _ in runs.items()] == wanted
