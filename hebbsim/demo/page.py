"""The page as text: markup, style and scripts in one document that asks for nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["body", "head", "lesson_timescales", "lessons", "stages", "standalone"]

SCRIPTS = (
    "util", "bars", "score", "panels", "strips", "links", "controls", "lessons", "record", "reader",
    "rules", "main",
)  # fmt: skip

#: What a browser may load. The live page talks to its own server; BokehJS evaluates code.
LIVE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws: wss:"
)
STATIC_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
)
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%23123a5a'/%3E"
    "%3Cpath d='M3 13h2V3H3zm4 0h2V7H7zm4 0h2v-3h-2z' fill='white'/%3E%3C/svg%3E"
)


@cache
def _text(name: str) -> str:
    return (resources.files("hebbsim.demo.page_files") / name).read_text(encoding="utf-8")


def lessons() -> list[dict[str, Any]]:
    """The guided lessons, as the page and the recording follow them."""
    found: list[dict[str, Any]] = json.loads(_text("lessons.json"))
    return found


def stages() -> Iterator[dict[str, Any]]:
    """How the lessons set the page, step by step: before a question, and at the reveal."""
    for lesson in lessons():
        for step in lesson["steps"]:
            yield step["stage"]
            if "then" in step["question"]:
                yield step["question"]["then"]


def lesson_timescales() -> list[tuple[float, ...]]:
    """All sets of timescales that the lessons use."""
    found = [
        stage["settings"]["timescales"]
        for stage in stages()
        if "timescales" in stage.get("settings", {})
    ]
    return list(dict.fromkeys(tuple(map(float, taus)) for taus in found))


def head(policy: str) -> str:
    """What goes into the head of the document."""
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<link rel="icon" href="{_ICON}">\n'
        f"<style>\n{_text('style.css')}\n</style>"
    )


def body(data: dict[str, Any]) -> str:
    """What goes into the body: markup, data and scripts.

    Parameters
    ----------
    data : dict
        ``mode``, ``live`` or ``recorded``, and what the page needs in that mode.
    """
    scripts = "\n".join(f"<script>\n{_text(f'{name}.js')}\n</script>" for name in SCRIPTS)
    whole = {**data, "lessons": lessons()}
    # A tag inside a string of the data must not end the script that holds it.
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f"{_text('body.html')}\n"
        f'<script type="application/json" id="data">{text}</script>\n{scripts}'
    )


def standalone(data: dict[str, Any]) -> str:
    """One document that works from a file."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>hebbsim: a memory that fades</title>\n{head(STATIC_POLICY)}\n</head>\n"
        f"<body>\n{body(data)}\n</body>\n</html>\n"
    )
