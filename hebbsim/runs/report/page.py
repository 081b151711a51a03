"""Writes a report as a self-contained HTML page and as Markdown, and tables into other pages."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from hebbsim._version import __version__
from hebbsim.runs.folders import Numbered, Out, check_output, complete, filling
from hebbsim.runs.registry import command_of
from hebbsim.runs.report.build import Report
from hebbsim.runs.report.claims import CLAIMS, VERDICTS, Finding
from hebbsim.runs.results import json_text

_HERE = Path(__file__).parent
#: Sign and name of each judgement, so that colour is not the only cue.
JUDGEMENTS = {
    "yes": ("✓", "for the claim"),
    "no": ("✗", "against it"),
    "part": ("◐", "in part"),
    "open": ("?", "undecided"),
    None: ("", ""),
}
SIGNS = {"holds": "✓", "part": "◐", "fails": "✗", "open": "?", "absent": "–"}


def write_report(folder: Out, report: Report, *, overwrite: bool = False) -> list[Path]:
    """Write ``report.html``, ``report.md`` with ``figures/``, and ``report.json``.

    The HTML page is self-contained. All files are written, or none.

    Parameters
    ----------
    folder : path or Numbered
    report : Report
    overwrite : bool
        Replace an earlier report in the folder.

    Raises
    ------
    BadInputError
        The folder is a file, holds an earlier report or something else, or cannot be written.
    """
    folder = next(folder.free()) if isinstance(folder, Numbered) else Path(folder)
    complete(folder, kind="report")
    check_output(folder, overwrite=overwrite, kind="report")
    with filling(folder, kind="report") as draft:
        (draft / "report.html").write_text(html_page(report), encoding="utf-8")
        (draft / "report.md").write_text(markdown_page(report), encoding="utf-8")
        (draft / "report.json").write_text(json_text(report.document()), encoding="utf-8")
        for section in report.sections:
            for picture in section.pictures:
                (draft / "figures").mkdir(exist_ok=True)
                (draft / "figures" / f"{picture.file}.png").write_bytes(picture.png)
    return [folder / name for name in ("report.html", "report.md", "report.json")]


def html_page(report: Report) -> str:
    """The report as one HTML page with embedded styles and figures."""
    environment = _environment(html=True)
    return environment.get_template("report.html.jinja").render(
        report=report, style=Markup((_HERE / "report.css").read_text(encoding="utf-8"))
    )


def markdown_page(report: Report) -> str:
    """The report in Markdown, with figures from ``figures/``."""
    environment = _environment(html=False)
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return environment.get_template("report.md.jinja").render(report=report)


def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    encoded = "data:image/svg+xml;base64,{}".format
    environment.filters["image"] = lambda svg: encoded(base64.b64encode(svg).decode("ascii"))
    environment.filters["flat"] = _flat
    environment.globals |= {
        "ranges": ranges,
        "command_of": command_of,
        "claims": CLAIMS,
        "verdicts": VERDICTS,
        "judgements": JUDGEMENTS,
        "signs": SIGNS,
        "version": __version__,
    }
    return environment


def _flat(value: Any) -> str:
    """A configuration value as text.

    >>> _flat([2.0, 8.0]), _flat({"a": 1}), _flat(None), _flat({})
    ('2, 8', 'a: 1', '–', '–')
    """
    if value is None or value in ({}, [], ()):
        return "–"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_flat(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_flat, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


#: Width and height of the drawing of an interval, in pixels.
_WIDTH, _HEIGHT = 132.0, 18.0


def ranges(findings: list[Finding]) -> list[Markup]:
    """SVG drawings of intervals and bounds, one axis per unit and bound; empty without numbers."""
    ends: dict[tuple[str, float | None], list[float]] = {}
    for f in findings:
        if f.mean is not None and f.bound is not None:
            values = (f.mean, f.low, f.high, f.bound)
            ends.setdefault((f.unit, f.bound), []).extend(v for v in values if v is not None)
    return [
        Markup()
        if f.mean is None or f.bound is None
        else _range(f, min(ends[f.unit, f.bound]), max(ends[f.unit, f.bound]))
        for f in findings
    ]


def _range(finding: Finding, least: float, most: float) -> Markup:
    assert finding.mean is not None and finding.bound is not None
    span = most - least or 1.0

    def place(value: float) -> str:
        return f"{6 + (_WIDTH - 12) * (value - least) / span:.1f}"

    middle = _HEIGHT / 2
    mean, bound = place(finding.mean), place(finding.bound)
    whisker = Markup()
    if finding.low is not None and finding.high is not None:
        whisker = Markup('<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            place(finding.low), place(finding.high), middle, middle
        )
    label = escape(f"{finding.value}, held against {finding.bound:g}")
    return Markup(
        '<svg class="range" role="img" aria-label="{}" viewBox="0 0 {:g} {:g}" '
        'width="{:g}" height="{:g}"><line class="axis" x1="0" x2="{:g}" y1="{}" y2="{}"/>'
        '<line class="bound" x1="{}" x2="{}" y1="1" y2="{:g}"/>{}'
        '<circle class="{}" cx="{}" cy="{}" r="3.4"/></svg>'
    ).format(
        label, _WIDTH, _HEIGHT, _WIDTH, _HEIGHT, _WIDTH, middle, middle,
        bound, bound, _HEIGHT - 1, whisker, finding.judgement or "none", mean, middle,
    )  # fmt: skip


def fill(path: Path, **blocks: list[str]) -> None:
    """Replace lines between ``<!-- NAME -->`` and ``<!-- /NAME -->``; SystemExit without these."""
    text = path.read_text(encoding="utf-8")
    for name, lines in blocks.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if start not in text or end not in text:
            raise SystemExit(f"{path}: no markers {start.strip()} and {end}")
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = before + start + "\n".join(lines) + "\n" + end + after
    path.write_text(text, encoding="utf-8")
