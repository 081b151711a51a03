"""`--parser` as users have it: a spaCy pipeline that was trained, here on a few UD sentences."""

from __future__ import annotations

import itertools
import json

import pytest

from hebbsim.cli import main
from hebbsim.readers import load_corpus, silver
from hebbsim.readers.ud import RoleScheme

spacy = pytest.importorskip("spacy")

# Form, head (from 1, 0 for the root), relation, as in a UD treebank.
SENTENCES = [
    "the/2/det cat/3/nsubj saw/0/root a/5/det dog/3/obj ./3/punct",
    "a/2/det dog/3/nsubj chased/0/root the/5/det cat/3/obj ./3/punct",
    "the/2/det girl/3/nsubj slept/0/root in/6/case the/6/det house/3/obl ./3/punct",
    "a/2/det boy/3/nsubj ran/0/root to/6/case the/6/det park/3/obl ./3/punct",
    "the/2/det boy/3/nsubj saw/0/root the/5/det girl/3/obj ./3/punct",
    "a/2/det girl/3/nsubj slept/0/root ./3/punct",
]


def example(nlp, line):
    from spacy.training import Example

    words, heads, relations = zip(*(part.rsplit("/", 2) for part in line.split()), strict=True)
    heads = [int(head) - 1 if head != "0" else at for at, head in enumerate(heads)]
    deps = ["ROOT" if relation == "root" else relation for relation in relations]
    return Example.from_dict(nlp.make_doc(" ".join(words)), {"heads": heads, "deps": deps})


@pytest.fixture(scope="module")
def parser(tmp_path_factory):
    """A folder with a pipeline that was trained until it knew its six sentences."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    # The model that spaCy's own configuration gives, and narrower.
    tok2vec = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 32, "depth": 2,
               "embed_size": 300, "window_size": 1, "maxout_pieces": 2, "subword_features": True,
               "pretrained_vectors": None}  # fmt: skip
    model = {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "parser",
             "extra_state_tokens": False, "hidden_width": 32, "maxout_pieces": 2,
             "use_upper": True, "nO": None, "tok2vec": tok2vec}  # fmt: skip
    nlp.add_pipe("parser", config={"model": model, "min_action_freq": 1})
    examples = [example(nlp, line) for line in SENTENCES]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    folder = tmp_path_factory.mktemp("nlp") / "tiny_ud"
    nlp.to_disk(folder)
    return str(folder)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "mine.txt"
    lines = [" ".join(part.rsplit("/", 2)[0] for part in line.split()) for line in SENTENCES]
    path.write_text("\n".join(itertools.islice(itertools.cycle(lines), 240)))
    return path


def gold(line):
    _, heads, relations = zip(*(part.rsplit("/", 2) for part in line.split()), strict=True)
    return RoleScheme.load().assign([int(head) for head in heads], relations)


def test_a_trained_parser_gives_the_roles_of_its_treebank(parser, text):
    corpus = load_corpus(text, parser=parser)
    assert corpus.layer == "grammatical" and list(corpus.splits) == ["train", "dev", "test"]
    train = corpus.splits["train"]
    expected = [role for at in range(192) for role in gold(SENTENCES[at % 6])]
    agree = sum(a == b for a, b in zip(train.layers["grammatical"], expected, strict=True))
    assert agree > 0.95 * len(expected)


def test_processes_batches_and_formats_change_nothing(parser, text, tmp_path, monkeypatch):
    monkeypatch.setattr(silver, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(silver, "REPORT", 100)
    said = []
    alone = load_corpus(text, parser=parser, progress=lambda *words: said.append(words))
    assert said == [("mine.txt", 100, 0), ("mine.txt", 200, 0), ("mine.txt", 240, 0)]
    monkeypatch.setattr(silver, "_BATCH", 7)
    many = load_corpus(text, parser=parser, processes=2)
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, text.read_text().split("\n"))))
    lines = load_corpus(tmp_path / "mine.jsonl", parser=parser)
    words = [json.dumps(line.split()) for line in text.read_text().split("\n")]
    (tmp_path / "words.jsonl").write_text("\n".join(words))
    cut = load_corpus(tmp_path / "words.jsonl", parser=parser)
    for other in (many, lines, cut):
        for name, split in alone.splits.items():
            assert other.splits[name].sentences() == split.sentences()
            roles = other.splits[name].layers["grammatical"]
            assert roles.tolist() == split.layers["grammatical"].tolist()


def test_a_document_longer_than_the_pipeline_takes_goes_in_pieces(parser, tmp_path, monkeypatch):
    monkeypatch.setattr(silver, "_PIECE", 50)
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps("the cat saw a dog . " * 30))
    corpus = load_corpus(path, parser=parser)
    assert corpus.splits["train"].n_tokens + sum(
        corpus.splits[name].n_tokens for name in corpus.splits if name != "train"
    ) == 180  # fmt: skip


def test_run_roles_with_a_parser_end_to_end(parser, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        main(["run", "roles", "--corpus", "mine.txt", "--parser", parser, "--clusters", "12",
              "--seeds", "1", "--ablation-seeds", "0", "--baselines", "simple",
              "--json"])  # fmt: skip
    assert exit_.value.code == 0
    document = json.loads(capsys.readouterr().out)
    accuracy = [
        row["mean"]
        for row in document["results"]
        if (row["model"], row["split"], row["metric"]) == ("hebbian", "test", "accuracy")
    ]
    assert document["config"]["parser"] == parser and max(accuracy) > 0.8
    assert (tmp_path / "runs" / "roles-mine" / "results.csv").exists()
