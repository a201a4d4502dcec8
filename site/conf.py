"""Settings of Sphinx for the site; `helpers.series.pages` writes the sources and calls it."""

from helpers.series.pages import repository

project = "MNIST, from pixels to your own handwriting"
author = "the authors of the MNIST notebooks"
language = "en"
html_title = "MNIST notebooks"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_codeautolink",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_togglebutton",
]
templates_path = ["_templates"]
exclude_patterns = ["_templates"]

# The notebooks as they are stored.
nb_execution_mode = "off"
# A cell may be folded by its tag; the words on its fold.
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
# Outputs that only a running notebook can show have a picture or a text beside them.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # as they are written: a path would be that of this machine
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_default_options = {"members": True, "show-inheritance": True}
# A name in a cell of a notebook leads to its page of the reference.
codeautolink_custom_blocks = {"ipython3": "sphinx_codeautolink.clean_ipython"}
# What a reader may ignore: lines for Jupyter alone (%, !) in a block of Python, and shapes in a
# docstring, such as (height, width), that are also names of attributes.
suppress_warnings = [
    "codeautolink",
    "config.cache",
    "misc.highlighting_failure",
    "ref.python",
]

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("sliders.js", {"defer": "defer"})]
html_show_sphinx = False
html_domain_indices = False  # the list of modules would repeat the reference
html_theme_options = {
    "use_download_button": True,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
}
if repository():
    html_theme_options |= {
        "repository_url": repository(),
        "repository_branch": "main",
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }
