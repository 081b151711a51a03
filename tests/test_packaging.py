"""What setup.cfg says beside what there is."""

import re
import subprocess
from configparser import ConfigParser
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_every_package_travels_in_the_wheel():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(config["options"]["packages"].split())
    found = {
        ".".join(folder.parent.relative_to(ROOT).parts)
        for folder in (ROOT / "hebbsim").rglob("__init__.py")
    }
    assert listed == found | {"hebbsim.corpora"}


def test_every_data_file_travels_in_the_wheel():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = {
        package: [pattern.strip() for pattern in text.split(",")]
        for package, text in config["options.package_data"].items()
    }
    for path in (ROOT / "hebbsim").rglob("*"):
        if path.is_dir() or path.suffix == ".py" or "__pycache__" in path.parts:
            continue
        folder = next(parent for parent in path.parents if (parent / "__init__.py").exists())
        package = ".".join(folder.relative_to(ROOT).parts)
        name = path.relative_to(folder).as_posix()
        assert any(fnmatch(name, pattern) for pattern in patterns.get(package, ())), path


def setup_cfg():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def test_the_conda_recipe_asks_for_the_same_packages():
    recipe = (ROOT / "conda.recipe/meta.yaml").read_text(encoding="utf-8")
    run = recipe.partition("  run:\n")[2].partition("\n\n")[0]
    asked = {name: (bound, comment) for name, bound, comment in
             re.findall(r"^    - (\S+) (\S+)(  # \[py<311\])?$", run, re.M)}  # fmt: skip
    config = setup_cfg()
    assert asked.pop("python")[0] == config["options"]["python_requires"]
    asked["matplotlib"] = asked.pop("matplotlib-base")
    wanted = {}
    for line in config["options"]["install_requires"].strip().splitlines():
        name, bound, marker = re.fullmatch(r"([\w-]+)([^;\s]+)(; .*)?", line).groups()
        wanted[name] = (bound, "  # [py<311]" if marker else "")
    assert asked == wanted


def test_the_version_is_the_same_everywhere():
    from hebbsim import __version__

    for file, pattern in {
        "conda.recipe/meta.yaml": r'version: "(.+)"',
        "CITATION.cff": r"^version: (.+)$",
        "CHANGELOG.md": r"^## (\S+)",
    }.items():
        found = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.M)
        assert found[1] == __version__, file


def test_no_build_artefact_is_in_git():
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not run in a git repository")
    made = r"(^|/)(build|dist|_build|api|measured|__pycache__|docs/notebooks)/|\.(whl|pyc|so)$"
    files = done.stdout.splitlines()
    assert "docs/conf.py" in files
    assert [file for file in files if re.search(made, file)] == []
