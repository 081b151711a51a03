"""The site and the README: code runs, commands exist, links lead somewhere, pages build."""

from __future__ import annotations

import html.parser
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import taggers
import typer

from hebbsim.cli import app
from hebbsim.engine import rules
from hebbsim.extensions import import_file
from hebbsim.models import RoleNetwork
from hebbsim.probes.identity import Decoder

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
#: Pages that are written; what is made when the site is built stands in folders of its own.
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("experiments/*.md"))]

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="not run from the source tree")


def name(path):
    return path.relative_to(ROOT).as_posix()


# --- code -----------------------------------------------------------------------------------


def files_of(text):
    """Files that a page shows: code blocks with a caption."""
    blocks = re.findall(r"```\{code-block\} \w+\n:caption: (\S+)\n\n(.*?)```", text, re.DOTALL)
    return dict(blocks)


def code_of(text):
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


WITH_CODE = [page for page in PAGES if code_of(page.read_text(encoding="utf-8"))]


def test_code_is_found():
    found = {name(page) for page in WITH_CODE}
    assert {"README.md", "docs/get-started.md", "docs/your-rule.md", "docs/your-network.md",
            "docs/your-probe.md", "docs/tag.md"} <= found  # fmt: skip
    assert {*files_of((DOCS / "your-rule.md").read_text(encoding="utf-8"))} == {"forget.py"}


def run_page(page, folder, monkeypatch):
    """Run all code of a page, from top to bottom, beside the files that it shows."""
    text = page.read_text(encoding="utf-8")
    for file, content in files_of(text).items():
        (folder / file).write_text(content, encoding="utf-8")
    (folder / "runs/roles-builtin").mkdir(parents=True)
    taggers.single().save(folder / "runs/roles-builtin/tagger.safetensors")
    monkeypatch.chdir(folder)
    space = {"__name__": "__main__"}
    for number, code in enumerate(code_of(text), 1):
        exec(compile(code, f"{name(page)}, block {number}", "exec"), space)
    return space


@pytest.fixture
def registries(monkeypatch):
    """Rules and decoders of a page are gone after it."""
    monkeypatch.setattr(rules, "_registered", dict(rules._registered))
    monkeypatch.setattr(Decoder, "_registry", dict(Decoder._registry))


@pytest.mark.usefixtures("registries")
@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_code_runs(page, tmp_path, monkeypatch, capsys):
    fit = RoleNetwork.fit
    monkeypatch.setattr(
        RoleNetwork, "fit", lambda self, sentences, *rest: fit(self, sentences[:400], *rest)
    )
    run_page(page, tmp_path, monkeypatch)
    assert capsys.readouterr().out  # every page shows what comes of its code


@pytest.mark.slow
def test_the_readme_prints_what_it_says(tmp_path, monkeypatch, capsys):
    page = ROOT / "README.md"
    run_page(page, tmp_path, monkeypatch)
    said = re.search(r"print\(word, role\)  # (.*)", page.read_text(encoding="utf-8"))[1]
    assert capsys.readouterr().out.splitlines() == said.split(", ")


def test_how_it_learns_shows_pictures_that_can_be_drawn(tmp_path, monkeypatch):
    how = import_file(ROOT / "figures/how.py")
    fit = RoleNetwork.fit
    monkeypatch.setattr(RoleNetwork, "fit", lambda self, sentences: fit(self, sentences[:1000]))
    monkeypatch.setattr(how, "HERE", tmp_path)
    how.main()
    page = (DOCS / "how-it-learns.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\{image\} \.\./figures/(\S+)", page))
    assert len(shown) == 8 and shown <= {path.name for path in tmp_path.iterdir()}


# --- commands -------------------------------------------------------------------------------


@cache
def command_line():
    return typer.main.get_command(app)


def commands_of(text):
    """Every call of hebbsim: lines of a block, and code within a line."""
    calls = []
    for block in re.findall(r"^```(?:console)?\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        calls += re.findall(r"^(?:\$ )?(?:\w+ \S+ \| )?(hebbsim .*)$", block, re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return calls + re.findall(r"`(hebbsim [^`]+)`", prose)


def fault_of(call):
    """What is wrong with a command: a verb or an option that does not exist."""
    words = shlex.split(call, comments=True)[1:]
    command, names = command_line(), []
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        names.append(words.pop(0))
        command = command.commands.get(names[-1])
        if command is None:
            return f"no command {' '.join(names)}"
    parameters = command.get_params(typer.Context(command))
    known = {option for one in parameters for option in one.opts + one.secondary_opts}
    given = {word.partition("=")[0] for word in words if re.match(r"--\w", word)}
    unknown = given - known - {"--debug"}
    return f"no option {', '.join(sorted(unknown))}" if unknown else ""


def test_faults_of_commands_are_seen():
    assert fault_of("hebbsim run role") == "no command run role"
    assert fault_of("hebbsim run roles --cluster 5 --seeds 2") == "no option --cluster"
    assert not fault_of("hebbsim run roles --clusters 5 # all is well")
    text = "```console\n$ zcat a.gz | hebbsim tag x\n```\n\n`hebbsim doctor`, `pip install x`\n"
    assert commands_of(text) == ["hebbsim tag x", "hebbsim doctor"]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page):
    calls = commands_of(page.read_text(encoding="utf-8"))
    assert [f"{call}: {fault}" for call in calls if (fault := fault_of(call))] == []


def test_the_readme_has_commands():
    calls = commands_of((ROOT / "README.md").read_text(encoding="utf-8"))
    assert any(call.startswith("hebbsim run roles") for call in calls) and len(calls) > 6


def test_the_commands_of_the_readme_are_targets_of_make():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert {"roles", "test", "docs"} <= {*re.findall(r"\bmake ([a-z-]+)", text)} <= {*targets}


# --- links ----------------------------------------------------------------------------------


def test_files_that_the_readme_names_are_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [t for t in re.findall(r"\]\(([^)]+)\)", text) if "://" not in t]
    assert len(targets) > 20
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_readme_is_short():
    words = (ROOT / "README.md").read_text(encoding="utf-8").split()
    assert len(words) < 900


class Page(html.parser.HTMLParser):
    """What a page links to, what it loads, and the names of its places."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.add(attributes.get("id"))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif tag == "link":
            self.loaded += [attributes["href"]] * (attributes.get("rel") != "search")
        elif attributes.get("src"):
            self.loaded.append(attributes["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, and its pages by path."""
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    pytest.importorskip("myst_nb")
    out = tmp_path_factory.mktemp("site")
    command = ["-m", "sphinx", "--nitpicky", "--fail-on-warning", "--keep-going", "--quiet"]
    # A proxy that is not there: a build that asks the network for anything fails.
    no_network = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy")}
    done = subprocess.run(
        [sys.executable, *command, str(DOCS), str(out)],
        capture_output=True, text=True, check=False, env=os.environ | no_network,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shutil.rmtree(out / ".doctrees")
    return out, {path: Page(path) for path in out.rglob("*.html")}


def test_the_site_needs_no_network(site):
    _, pages = site
    loaded = {target for page in pages.values() for target in page.loaded}
    assert len(loaded) > 10
    assert [target for target in loaded if urlsplit(target).netloc] == []


def test_links_of_the_site_lead_somewhere(site):
    _, pages = site
    broken = []
    for path, page in pages.items():
        for target in page.links + page.loaded:
            url = urlsplit(target)
            if url.scheme or url.netloc:
                continue
            file = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not file.exists() or (
                url.fragment and file in pages and unquote(url.fragment) not in pages[file].ids
            ):
                broken.append(f"{path.name}: {target}")
    assert broken == []


def test_every_public_name_has_its_place(site):
    from test_documentation import CLASSES

    out, pages = site
    ids = {one for path, page in pages.items() if path.parent.name == "api" for one in page.ids}
    shown = {str(one).rpartition(".")[2] for one in ids}
    assert {cls.__name__ for cls in CLASSES.values()} <= shown
    assert {"hebbsim.run_roles", "hebbsim.engine.dense_traces", "hebbsim.probes.accuracy"} <= ids
    assert "searchindex.js" in {path.name for path in out.iterdir()}


@pytest.mark.usefixtures("site")
def test_verdicts_are_those_of_the_runs_that_are_kept(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "_ext")
    import generate

    found = {run.name: run for run in generate.kept_runs(ROOT / "experiments")}
    assert {"builtin", "default", "lm-tiny", "recall-default"} <= {*found}
    text = (DOCS / "experiments/measured/c3.md").read_text(encoding="utf-8")
    row = next(
        f for f in generate.findings_of(found["default"])
        if f.claim == "C3" and "cancellation" in f.measure
    )  # fmt: skip
    assert f"| default | {row.measure} | {row.value} | 5 seeds |" in text


CHROMIUM = os.environ.get("HEBBSIM_CHROMIUM") or shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(
    ("scheme", "width", "height"), [("light", 1280, 720), ("dark", 390, 844)], ids=str
)
def test_pages_fit_the_screen_and_axe_finds_nothing_serious(site, scheme, width, height):
    """On a laptop in the light, and on a phone in the dark."""
    playwright = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    out, _ = site
    found = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        ).new_page()
        for shown in ("index", "how-it-learns", "experiments/c1", "api/hebbsim.RoleNetwork",
                      "notebooks/from-one-neuron-to-roles", "teaching"):  # fmt: skip
            page.goto((out / f"{shown}.html").as_uri())
            beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found += [f"{shown} is {beyond} too wide"] * (beyond > 0)
            found += [
                f"{shown}: {each['id']} at {each['nodes'][0]['html'][:80]}"
                for each in axe.run(page).response["violations"]
                if each["impact"] in ("serious", "critical")
            ]
        page.goto((out / "search.html").as_uri() + "?q=prototype")
        page.wait_for_selector("#search-results li")  # the search needs no server
        browser.close()
    assert found == []
