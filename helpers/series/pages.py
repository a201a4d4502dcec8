"""Writes the series as static pages that link to each other: `make html`.

nbconvert renders the notebooks as they are stored, and the documents around them. Nothing is
executed, and nothing is loaded from a network, neither now nor when a page is read.
"""

import os
import re
import shutil
from pathlib import Path

from helpers import places
from helpers.errors import ending_in_one_sentence
from helpers.files import atomic_write

import nbformat
from jinja2 import DictLoader
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "helpers/pretrained/README.md",
)
# JupyterLab's look, without the scripts that nbconvert's page would load from elsewhere. Code that
# is folded there is folded here.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock html_head_js -%}
{%- block html_head_js_mathjax -%}{%- endblock html_head_js_mathjax -%}
{%- block html_head_js_mermaidjs -%}{%- endblock html_head_js_mermaidjs -%}
{%- block html_head_css -%}
<style>
main { max-width: 60rem; margin: auto; }
.jp-InputPrompt, .jp-OutputPrompt { display: none; }
.jp-RenderedMarkdown .highlight, details { margin-bottom: 1em; }
.folded-code summary { color: #616161; cursor: pointer; margin-left: 5px; }
</style>
{%- endblock html_head_css -%}
{%- block input_group -%}
{%- if cell.metadata.get("jupyter", {}).get("source_hidden") -%}
<details class="folded-code"><summary>Code</summary>{{ super() }}</details>
{%- else -%}
{{ super() }}
{%- endif -%}
{%- endblock input_group -%}
"""
LINK = re.compile(r"(\]\()(?!https?://)([^)#\s]+\.(?:md|ipynb))")


def page_path(source: Path) -> Path:
    """Path of the page of a notebook or document, relative to the pages' folder."""
    return Path("index.html") if source == Path("README.md") else source.with_suffix(".html")


def with_links_to_pages(markdown: str, source: Path) -> str:
    """Point the links of a text to pages instead of notebooks and documents.

    Args:
        markdown: The text.
        source: Its file, relative to the project's folder.
    """

    def link_to_page(match: re.Match) -> str:
        target = Path(os.path.normpath(source.parent / match.group(2)))
        page = os.path.relpath(page_path(target), page_path(source).parent)
        return match.group(1) + Path(page).as_posix()

    return LINK.sub(link_to_page, markdown)


def read_source(source: Path, project: Path) -> NotebookNode:
    """Read a notebook, or a document as a notebook of one cell."""
    if source.suffix == ".ipynb":
        return nbformat.read(project / source, as_version=4)
    text = (project / source).read_text(encoding="utf-8")
    return new_notebook(cells=[new_markdown_cell(text)])


def write_pages(project: Path, folder: Path) -> list[Path]:
    """Write a page for each notebook and document; copy pictures and tables that they show.

    Args:
        project: The project's folder.
        folder: Where the pages go; laid out like the project.

    Returns:
        The paths of the pages.
    """
    exporter = HTMLExporter(
        template_file="page.html.j2", extra_loaders=[DictLoader({"page.html.j2": TEMPLATE})]
    )
    notebooks = sorted((project / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    sources = [*map(Path, DOCUMENTS), *(path.relative_to(project) for path in notebooks)]
    pages = []
    for source in sources:
        notebook = read_source(source, project)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = with_links_to_pages(cell.source, source)
        notebook.metadata["title"] = _title(notebook)
        html, _ = exporter.from_notebook_node(notebook)
        with atomic_write(folder / page_path(source)) as unfinished:
            unfinished.write_text(html, encoding="utf-8")
        pages.append(folder / page_path(source))
    shutil.copytree(project / "images", folder / "images", dirs_exist_ok=True)
    for table in sorted((project / "tests" / "faults").glob("*.txt")):
        target = folder / table.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(table, target)
    return pages


def _title(notebook: NotebookNode) -> str:
    """The heading of its first cell."""
    first_line, *_ = notebook.cells[0].source.removeprefix("# ").splitlines()
    return first_line


def main() -> None:
    """Write the pages and say where to begin: `python -m helpers.series.pages`."""
    with ending_in_one_sentence():
        places.require_project()
        pages = write_pages(places.project_folder(), places.build_folder() / "html")
    print(f"{len(pages)} pages; begin with {places.relative_to_project(pages[0]).as_posix()}")


if __name__ == "__main__":
    main()
