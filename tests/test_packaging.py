"""What setup.cfg says beside what there is."""

from configparser import ConfigParser
from fnmatch import fnmatch
from pathlib import Path

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
