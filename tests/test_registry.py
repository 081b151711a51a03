"""Registered corpora: local copies, downloads that resume, digests."""

import gzip
import hashlib
import json
import os
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hebbsim.errors import BadInputError
from hebbsim.readers import load_corpus, registry
from hebbsim.readers.annotation import structure
from hebbsim.readers.registry import Entry, RemoteFile, entries, fetch, find_local

CONTENT = "".join(f"{i}\tw{i}\n" for i in range(30_000)).encode()


@pytest.fixture
def server(monkeypatch):
    """Serves CONTENT; `drops` connections break off half-way, `ranges` may be off."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state = self.server.state
            asked = self.headers.get("Range")
            state.requests.append(asked)
            start = int(asked[len("bytes=") : -1]) if asked and state.ranges else 0
            if state.status != 200 or start >= len(CONTENT):
                self.send_response(416 if state.status == 200 else state.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = CONTENT[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
                )
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.drops:
                state.drops -= 1
                body = body[: len(body) // 2]
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    class State:
        def __init__(self):
            self.requests, self.drops, self.ranges, self.status = [], 0, True, 200

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.state = State()
    http.state.url = f"http://127.0.0.1:{http.server_address[1]}/data.txt"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield http.state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("HEBBSIM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HEBBSIM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    return tmp_path


def entry(url, content=CONTENT):
    file = RemoteFile("data.txt", url, hashlib.sha256(content).hexdigest(), len(content), 1, 1)
    return Entry("mine", "Mine", "ud", "CC0", "here", "0", "me", {"train": file})


def kept(folders):
    return [path.name for path in (folders / "cache").rglob("*") if path.is_file()]


def test_download_is_kept_and_not_repeated(server, folders):
    seen = []
    path = fetch(entry(server.url), progress=lambda *step: seen.append(step))["train"]
    assert path.read_bytes() == CONTENT
    assert fetch(entry(server.url), offline=True)["train"] == path
    assert server.requests == [None] and kept(folders) == ["data.txt"]
    assert seen[-1] == ("data.txt", len(CONTENT), len(CONTENT))


def test_a_broken_download_goes_on_where_it_stopped(server, folders):
    server.drops = 2
    path = fetch(entry(server.url))["train"]
    first, *later = server.requests
    second, third = (int(asked[len("bytes=") : -1]) for asked in later)
    assert first is None and 0 < second <= len(CONTENT) // 2 < third
    assert path.read_bytes() == CONTENT and kept(folders) == ["data.txt"]


def test_what_came_is_kept_for_the_next_call(server, folders):
    server.drops = 3
    with pytest.raises(BadInputError, match="cannot be reached"):
        fetch(entry(server.url))
    assert kept(folders) == ["data.txt.part"]
    already = (folders / "cache/corpora/mine/data.txt.part").stat().st_size
    fetch(entry(server.url))
    assert server.requests[-1] == f"bytes={already}-" and len(server.requests) == 4


def test_a_server_without_ranges_starts_over(server, folders):
    server.drops, server.ranges = 1, False
    assert fetch(entry(server.url))["train"].read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_an_unfinished_download_that_does_not_fit_is_dropped(server, folders):
    part = folders / "cache/corpora/mine/data.txt.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (len(CONTENT) + 5))
    assert fetch(entry(server.url))["train"].read_bytes() == CONTENT


def test_wrong_digest_of_a_download_leaves_nothing(server, folders):
    with pytest.raises(BadInputError, match="SHA-256") as caught:
        fetch(entry(server.url, b"other"))
    assert "\n" not in str(caught.value)
    assert kept(folders) == []


def test_no_network_and_server_errors_are_one_line(server, folders):
    with pytest.raises(BadInputError, match="cannot be reached") as caught:
        fetch(entry("http://127.0.0.1:9/data.txt"))
    assert "\n" not in str(caught.value) and "HEBBSIM_DATA_DIR/mine" in str(caught.value)
    server.status = 404
    with pytest.raises(BadInputError, match="the server answered 404"):
        fetch(entry(server.url))


def test_offline_never_asks(server):
    with pytest.raises(BadInputError, match=r"data\.txt not on this machine"):
        fetch(entry(server.url), offline=True)
    assert server.requests == []


@pytest.mark.parametrize("place", ["mine", "mine/original"])
def test_local_copies_plain_or_gzip_need_no_network(folders, place):
    folder = folders / "data" / place
    folder.mkdir(parents=True)
    packed = folder / "data.txt.gz"
    packed.write_bytes(gzip.compress(CONTENT))
    assert fetch(entry("unused"), offline=True) == {"train": packed}
    plain = folder / "data.txt"
    plain.write_bytes(CONTENT)
    assert find_local(entry("unused")) == {"train": plain}


def test_a_local_copy_with_another_digest_is_refused_and_left_alone(server, folders):
    path = folders / "data/mine/data.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"changed")
    with pytest.raises(BadInputError, match="SHA-256") as caught:
        fetch(entry(server.url))
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"changed" and server.requests == []


def test_a_damaged_earlier_download_is_fetched_anew(server, folders):
    path = fetch(entry(server.url))["train"]
    path.write_bytes(CONTENT[:-1])
    assert fetch(entry(server.url))["train"].read_bytes() == CONTENT


def test_unwritable_cache_is_one_line(server, folders):
    (folders / "cache").write_text("a file")
    with pytest.raises(BadInputError, match="HEBBSIM_CACHE_DIR"):
        fetch(entry(server.url))


def test_registered_addresses_are_fixed_commits():
    assert {"cogs", "ud-english-ewt", "ud-korean-gsd", "ud-welsh-ccg"} <= set(entries())
    for known in entries().values():
        assert len(known.commit) == 40
        for file in known.files.values():
            assert file.url.startswith("https://raw.githubusercontent.com/")
            assert f"/{known.commit}/" in file.url and len(file.sha256) == 64


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(BadInputError, match="builtin, cogs, ud-english-ewt") as caught:
        load_corpus("no-such-corpus")
    assert "\n" not in str(caught.value)


def test_unknown_layer_lists_the_layers(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text("1\ta\t_\t_\t_\t_\t0\troot\t_\t_\n")
    with pytest.raises(BadInputError, match="its layers: grammatical"):
        load_corpus(path, layer="thematic")


def test_a_column_of_a_treebank_may_be_named_as_it_names_it(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text("1\ta\t_\tX\tFW\t_\t0\troot:Here\t_\t_\n")
    for name, layer, label in (
        ("UPOS", "pos", "X"), ("xpos", "xpos", "FW"), ("DepRel", "deprel", "root:here"),
    ):  # fmt: skip
        corpus = load_corpus(path, layer=name)
        assert corpus.layer == layer
        assert corpus.splits["train"].layers[layer].tolist() == [label]


def test_parts_of_speech_of_the_built_in_corpus_follow_from_its_roles():
    corpus, plain = load_corpus("builtin", layer="pos"), load_corpus("builtin")
    assert corpus.layer == "pos" and corpus.sha256 == plain.sha256
    for name, split in plain.splits.items():
        assert "pos" not in split.layers
        found = corpus.splits[name].layers["pos"]
        assert found.tolist() == structure(plain, split)["pos"].tolist()


def test_registered_corpus_loads_from_local_copies(folders, monkeypatch):
    content = b"1\ta\t_\t_\t_\t_\t0\troot\t_\t_\n"
    known = entry("unused", content)
    monkeypatch.setattr(registry, "entries", lambda: {"mine": known})
    folder = folders / "data/mine"
    folder.mkdir(parents=True)
    (folder / "data.txt.gz").write_bytes(gzip.compress(content))
    corpus = load_corpus("mine")
    assert (corpus.name, corpus.licence, corpus.source) == ("mine", "CC0", "here")
    assert corpus.splits["train"].sentences() == [["a"]]


@pytest.mark.parametrize(
    ("file", "field", "said"),
    [
        (False, "cite", "mine: no field cite"),
        (False, "files", "mine: no field files"),
        (True, "sha256", "mine, train: no field sha256"),
        (True, "tokens", "mine, train: no field tokens, unknown field words"),
    ],
)
def test_an_entry_that_lacks_a_field_is_refused_by_its_name(
    tmp_path, monkeypatch, file, field, said
):
    fields = {k: v for k, v in asdict(entry("http://nowhere")).items() if k != "name"}
    changed = fields["files"]["train"] if file else fields
    value = changed.pop(field)
    if "unknown" in said:
        changed["words"] = value
    (tmp_path / "registry.json").write_text(json.dumps({"corpora": {"mine": fields}}))
    monkeypatch.setattr(registry, "data_file", lambda name: tmp_path / name)
    with pytest.raises(BadInputError) as caught:
        entries.__wrapped__()
    assert str(caught.value) == f"corpora/registry.json: {said}"


REAL = Path(os.environ.get("HEBBSIM_DATA_DIR", "."))


@pytest.mark.data
@pytest.mark.parametrize("name", ["cogs", "ud-english-ewt", "ud-korean-gsd", "ud-welsh-ccg"])
def test_local_corpora_have_the_registered_digests(name, monkeypatch):
    if not (REAL / name).is_dir():
        pytest.skip(f"needs {name}")
    monkeypatch.setenv("HEBBSIM_DATA_DIR", str(REAL))
    assert list(fetch(entries()[name], offline=True)) == list(entries()[name].files)
