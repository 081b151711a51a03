"""Equations as MathML: browsers draw it without a script, so pages need no network."""

from docutils import nodes
from latex2mathml.converter import convert


def _inline(self, node):
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(self, node):
    self.body.append(
        f'<div class="math" tabindex="0">{convert(node.astext(), display="block")}</div>'
    )
    raise nodes.SkipNode


def setup(app):
    """Make it the renderer of HTML pages."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None),
                               block_renderers=(_block, None))  # fmt: skip
    return {"parallel_read_safe": True, "parallel_write_safe": True}
