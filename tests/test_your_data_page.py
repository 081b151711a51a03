"""The page on data of one's own: every file that it shows, read by the command below it."""

import re
from pathlib import Path

import pytest

from hebbsim.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "your-data.md").read_text(encoding="utf-8")
_FILE = re.compile(r"```\{code-block\} \w+\n:caption: (\S+)\n\n(.*?\n)```", re.DOTALL)
_COMMAND = re.compile(r"```console\n\$ hebbsim (corpus info .*)\n((?:.*\n)+?)```")


def shown():
    """Commands with the files that stand above them and with what they print."""
    files = {match[1]: match[2] for match in _FILE.finditer(PAGE)}
    for command, output in _COMMAND.findall(PAGE):
        if command.split()[2] in files:
            yield command, files, output


def test_the_page_shows_a_file_of_every_format():
    formats = re.findall(r"^format +(.*)$", PAGE, re.MULTILINE)
    assert {
        "plain text", "treebank (CoNLL-U)", "JSON, one value per line", "table (CSV or TSV)", "COGS"
    } == set(formats)  # fmt: skip
    assert len(list(shown())) == PAGE.count(":caption:")


@pytest.mark.parametrize(("command", "files", "output"), list(shown()))
def test_what_the_page_shows_is_what_is_printed(
    command, files, output, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name, content in files.items():
        Path(name).write_text(content + "\n" * name.endswith((".conllu", ".cupt")), "utf-8")
    with pytest.raises(SystemExit):
        main(command.split())
    printed = [line.rstrip() for line in capsys.readouterr().out.rstrip().splitlines()]
    assert printed == output.splitlines()
