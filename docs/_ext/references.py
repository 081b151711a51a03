"""References in docstrings to names by the module that defines them.

Such a name has its page where a package exports it. One that has none is set as code, if there
is such a name; a name that does not exist stays a warning.
"""

from pkgutil import resolve_name

from sphinx.application import Sphinx


def _missing(app: Sphinx, env, node, contnode):
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target.startswith("hebbsim."):
        return None
    parts = target.split(".")
    for end in range(len(parts) - 2, 0, -1):
        shorter = ".".join([*parts[:end], parts[-1]])
        found = env.domains["py"].resolve_xref(
            env, node["refdoc"], app.builder, "obj", shorter, node, contnode
        )
        if found is not None:
            return found
    try:
        resolve_name(target)
    except (AttributeError, ImportError):
        return None
    return contnode


def setup(app: Sphinx):
    """Resolve what Sphinx cannot."""
    app.connect("missing-reference", _missing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
