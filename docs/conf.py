"""How `make docs` builds the site: no network, and a warning is an error."""

import sys
from pathlib import Path

from hebbsim import __version__

sys.path.insert(0, str(Path(__file__).resolve().parent / "_ext"))

project = "hebbsim"
copyright = "2026, the hebbsim developers"
version = release = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "accessible",
    "generate",
    "mathml",
    "references",
]
exclude_patterns = ["_build", "experiments/measured", "**.ipynb_checkpoints"]
nitpicky = True

html_theme = "furo"
html_title = f"hebbsim {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
# Summaries are fetched page by page, which browsers refuse for files on disk.
html_show_search_summary = False
html_show_sourcelink = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

# Notebooks are shown as they were stored; a test runs them.
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

autosummary_generate = True
# Docstrings state shapes and units of arrays; annotations would only repeat half of that.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# scikit-learn makes these for its metadata routing, which no learner here uses.
autodoc_default_options = {
    "exclude-members": "set_fit_request, set_partial_fit_request, set_predict_request, "
    "set_score_request, set_transform_request"
}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
# A name in single backquotes links to its page where it has one.
default_role = "py:obj"
nitpick_ignore_regex = [("py:obj", ".*")]
