"""Equations as MathML: browsers draw it without a script, so pages need no network."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)


def _mathml(node, display):
    found = convert(node.astext(), display=display)
    # A command that the converter does not know would stand on the page as it was typed.
    if ">\\" in found:
        logger.warning("not all of an equation becomes MathML: %s", node.astext(), location=node)
    return found


def _inline(self, node):
    self.body.append(_mathml(node, "inline"))
    raise nodes.SkipNode


def _block(self, node):
    self.body.append(f'<div class="math" tabindex="0">{_mathml(node, "block")}</div>')
    raise nodes.SkipNode


def setup(app):
    """Make it the renderer of HTML pages."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None),
                               block_renderers=(_block, None))  # fmt: skip
    return {"parallel_read_safe": True, "parallel_write_safe": True}
