"""What setup.cfg says beside what there is."""

from configparser import ConfigParser
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
