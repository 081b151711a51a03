"""Captions of figures, in a page beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hebbsim.errors import HebbsimError
from hebbsim.runs.figures import RenderedFigure
from hebbsim.storage import write_whole

_HEAD = "# Captions\n\nWritten by `hebbsim figures`.\n"


def write_captions(folder: Path, drawn: Sequence[RenderedFigure]) -> Path:
    """Write or update ``captions.md`` in a folder, one section per figure, by file name.

    Sections of earlier figures stay as long as the figures exist.
    """
    path = folder / "captions.md"
    sections = read_captions(path) if path.exists() else {}
    for one in drawn:
        sections[one.paths[0].stem] = f"**{one.caption.title}.** {one.caption.note}"
    there = {found.stem for found in folder.iterdir()}
    kept = [f"## {name}\n\n{text}\n" for name, text in sorted(sections.items()) if name in there]
    try:
        write_whole(path, "\n".join([_HEAD, *kept]).encode())
    except OSError as error:
        raise HebbsimError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def read_captions(path: Path) -> dict[str, str]:
    """Captions of such a page, by file name of the figure."""
    parts = path.read_text(encoding="utf-8", errors="replace").split("\n## ")[1:]
    return {name.strip(): text.strip() for name, _, text in (p.partition("\n") for p in parts)}
