"""Writes generated tables into pages, between ``<!-- NAME -->`` and ``<!-- /NAME -->``."""

from pathlib import Path


def fill(path: Path, **blocks: list[str]) -> None:
    """Replace the lines between the markers of each given name; SystemExit if one is missing."""
    text = path.read_text(encoding="utf-8")
    for name, lines in blocks.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if start not in text or end not in text:
            raise SystemExit(f"{path}: no markers {start.strip()} and {end}")
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = before + start + "\n".join(lines) + "\n" + end + after
    path.write_text(text, encoding="utf-8")
