"""What the theme's HTML lacks for the keyboard and for screen readers."""

import re
from typing import Any


def _mend(app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    # A region that scrolls must take the focus, or the keyboard cannot scroll it.
    if body := context.get("body"):
        body = re.sub(r"<pre>", '<pre tabindex="0">', body)
        context["body"] = re.sub(
            r'<div class="table-wrapper([^"]*)">',
            r'<div class="table-wrapper\1" tabindex="0">',
            body,
        )
    if tree := context.get("furo_navigation_tree"):
        context["furo_navigation_tree"] = tree.replace(
            'role="heading"', 'role="heading" aria-level="2"'
        )


def setup(app: Any) -> dict[str, bool]:
    """Mend every page once the theme has filled in its own."""
    app.connect("html-page-context", _mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
