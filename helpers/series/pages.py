"""Builds the site of the series: `make html`.

Sphinx makes the pages from a folder of sources, which is laid out here like the project itself:
the notebooks as they are stored, the documents around them, the README cut into a page for each
section, and a page for each module of `helpers`. `site/` holds what belongs to the site alone.
No notebook is run, but for the few cells from which `sliders` makes its frames, and nothing is
loaded from a network, neither now nor when a page is read.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from helpers import places
from helpers.errors import UserError, ending_in_one_sentence
from helpers.series.browser import write_networks
from helpers.series.sliders import fill, marked

import nbformat

DOCUMENTS = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "helpers/pretrained/README.md",
)
# The sections of the README that stay on the landing page, with all that comes before them.
LANDING = ("two-commands", "the-notebooks")
# What the workflow that publishes the site sets; `pyproject.toml` names the address otherwise.
REPOSITORY_VARIABLE = "REPOSITORY_URL"

LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^)\s]+)\)")
ICON_SCRIPT = re.compile(r"<script[^>]*/fontawesome\.js[^>]*></script>")
TABLE = re.compile(r'<table [^>]*class="(table|dataframe)">.*?</table>', re.DOTALL)
CELL = re.compile(r"<t([dh])(.*?)>(.*?)</t\1>", re.DOTALL)
ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
# From this many columns on, a small screen shows a table of texts or of numbers row by row.
MANY_COLUMNS = {"table": 4, "dataframe": 7}
ARROW = '<summary><span class="toctree-toggle"'
HEADING = re.compile(r"#+ ")
LABEL = re.compile(r'(?:label|title)="([^"{}]+)"')
TABLE_HEAD = re.compile(r"^\|( *\|)+$", re.MULTILINE)


def repository() -> str:
    """The address of the repository; empty while there is none."""
    with (places.project_folder() / "pyproject.toml").open("rb") as file:
        urls = tomllib.load(file)["project"].get("urls", {})
    return os.environ.get(REPOSITORY_VARIABLE, urls.get("Repository", "")).rstrip("/")


class Sources:
    """The folder of sources that Sphinx reads.

    Attributes:
        folder: Where they are written; laid out like the project.
    """

    def __init__(self, project: Path, folder: Path):
        """Cut the README into its sections; nothing is written yet.

        Args:
            project: The project's folder.
            folder: Where the sources go.
        """
        self.folder = folder
        self._project = project
        self._promise, *sections = _sections((project / "README.md").read_text(encoding="utf-8"))
        self._sections = {slug(section): section for section in sections}
        self._page_of_anchor = {
            anchor: "index.md" if name in LANDING else f"{name}.md"
            for name, section in self._sections.items()
            for anchor in map(slug, _headings(section))
        }
        notebooks = sorted((project / "notebooks").glob("[0-9][0-9]_*.ipynb"))
        self._notebooks = [path.relative_to(project).as_posix() for path in notebooks]

    def write(self) -> None:
        """Write all sources anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._project / "site", self.folder)
        self._write_landing_page()
        for name, section in self._sections.items():
            if name not in LANDING:
                self._write(f"{name}.md", self._linked(_promoted(section), "README.md"))
        for document in DOCUMENTS:
            text = (self._project / document).read_text(encoding="utf-8")
            self._write(document, self._linked(text, document))
        for notebook in self._notebooks:
            self._write_notebook(notebook)
        self._write_reference()
        for source in [
            *(self._project / "images").glob("*.png"),
            *(self._project / "tests" / "faults").glob("*.txt"),
        ]:
            target = self.folder / source.relative_to(self._project)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def _write_landing_page(self) -> None:
        """Fill in the template `site/index.md`."""
        text = (self._project / "site" / "index.md").read_text(encoding="utf-8")
        title, _, promise = self._promise.partition("\n")
        parts = {
            "TITLE": title,
            "PROMISE": promise,
            "SECTIONS": "\n".join(self._sections[name] for name in LANDING),
        }
        for name, part in parts.items():
            text = text.replace(f"{{{{ {name} }}}}", self._linked(part, "README.md"))
        text = text.replace("{{ NOTEBOOKS }}", "\n".join(self._notebooks))
        pages = [name for name in self._sections if name not in LANDING]
        self._write("index.md", text.replace("{{ PAGES }}", "\n".join(pages)))

    def _write_notebook(self, path: str) -> None:
        notebook = nbformat.read(self._project / path, as_version=4)
        section = ""
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                section = (_headings(cell.source) or [section])[-1].lstrip("# ").strip()
                cell.source = self._linked(cell.source, path)
            else:
                cell.metadata["mystnb"] = {"image": {"alt": _in_words(cell, section)}}
        marked(notebook, Path(path).stem)
        self._write(path, nbformat.writes(notebook))

    def _write_reference(self) -> None:
        """Write the list of modules from which autosummary makes a page for each."""
        rooms: dict[str, list[str]] = {}
        for path in sorted((self._project / "helpers").rglob("*.py")):
            module = ".".join(path.relative_to(self._project).with_suffix("").parts)
            if path.stem != "__init__":
                rooms.setdefault(module.rpartition(".")[0], []).append(module)
        text = (self._project / "site" / "api.md").read_text(encoding="utf-8")
        for room, modules in rooms.items():
            text += f"\n## {room}\n\n```{{eval-rst}}\n.. autosummary::\n   :toctree: api\n"
            text += "   :template: module.rst\n\n"
            text += "".join(f"   {module}\n" for module in modules) + "```\n"
        self._write("api.md", text)

    def _write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def _linked(self, text: str, source: str) -> str:
        """Point the links of a document to pages of the site, or else to the repository."""
        text = TABLE_HEAD.sub(lambda head: head.group().replace("| |", "|\xa0|"), text)
        return LINK.sub(lambda match: self._link(match, source), text)

    def _link(self, match: re.Match, source: str) -> str:
        mark, label, target = match.groups()
        path, _, anchor = target.partition("#")
        if re.match(r"https?://|mailto:", target) or (mark and path):
            return match.group()
        path = os.path.normpath(Path(source).parent / path) if path else source
        if path == "README.md":
            return f"[{label}]({self._to_readme(anchor, source)})"
        if path == source or path in (*self._notebooks, *DOCUMENTS) or path.endswith(".txt"):
            return match.group()
        if not repository():
            return label
        return f"[{label}]({repository()}/blob/main/{Path(path).as_posix()})"

    def _to_readme(self, anchor: str, source: str) -> str:
        page = self._page_of_anchor.get(anchor, "index.md")
        way = Path(os.path.relpath(page, Path(source).parent)).as_posix()
        return way if anchor in ("", Path(page).stem) else f"{way}#{anchor}"


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading, or to a section's first line."""
    words = heading.splitlines()[0].lstrip("# ").lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def _sections(text: str) -> list[str]:
    """Cut a document before each heading of the second level."""
    sections = [""]
    for line, is_heading in _lines(text):
        if is_heading and line.startswith("## "):
            sections.append("")
        sections[-1] += line
    return sections


def _headings(text: str) -> list[str]:
    return [line for line, is_heading in _lines(text) if is_heading]


def _in_words(cell: nbformat.NotebookNode, section: str) -> str:
    """What a figure is, for those who do not see it: its place, and what is written on it."""
    subject = cell.id.replace("-", " ").removesuffix(" figure")
    labels = ", ".join(dict.fromkeys(LABEL.findall(cell.source)))
    words = f"Figure: {subject}, in the section “{re.sub('[*`]', '', section)}”"
    return f"{words}, labelled {labels}" if labels else words


def _promoted(section: str) -> str:
    """Raise each heading by one level."""
    return "".join(line[is_heading:] for line, is_heading in _lines(section))


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it is a heading; a comment in a block of code is none."""
    is_code = False
    for line in text.splitlines(keepends=True):
        is_code ^= line.startswith("```")
        yield line, not is_code and bool(HEADING.match(line))


def build(sources: Path, html: Path) -> None:
    """Let Sphinx make the pages; every warning counts as an error.

    Raises:
        UserError: If Sphinx refuses the sources.
    """
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-j", "2", "-b", "html"]
    doctrees = sources.with_name("doctrees")
    folders = ["-d", str(doctrees), str(sources), str(html)]
    finished = subprocess.run([*command, *folders], cwd=places.project_folder())
    if finished.returncode:
        raise UserError("The site was not built, for the reasons above.")


def lighten(html: Path) -> None:
    """Leave out the theme's script of 1.6 MB that draws all icons; its style sheet does so, too.

    Source maps go as well. And name tables and the arrows that unfold the contents, for those who
    hear the page.
    """
    for page in html.rglob("*.html"):
        text = ICON_SCRIPT.sub("", page.read_text(encoding="utf-8"))
        text = text.replace(ARROW, ARROW.replace("<summary>", '<summary aria-label="its pages">'))
        page.write_text(labelled(text), encoding="utf-8")
    for needless in (html / "_static" / "scripts").glob("fontawesome.js*"):
        needless.unlink()
    for needless in (html / "_static").rglob("*.map"):
        needless.unlink()


def labelled(text: str) -> str:
    """Let each cell of a wide table know its column, so that a small screen can show it row by row.

    And say what is row and cell, for a style sheet that shows them otherwise hides that.
    """
    return TABLE.sub(_labelled_table, text)


def _labelled_table(match: re.Match) -> str:
    table, kind = match[0], match[1]
    head, body = table.split("</thead>")
    columns = [TAG.sub("", name).strip() for _, _, name in CELL.findall(head)]
    if len(columns) < MANY_COLUMNS[kind] or head.count("<tr") > 1 or "span=" in table:
        return table

    def labelled_row(row: re.Match) -> str:
        names = iter(columns)
        return CELL.sub(
            lambda cell: (
                f'<t{cell[1]}{cell[2]} role="{"rowheader" if cell[1] == "h" else "cell"}" '
                f'data-label="{next(names)}">{cell[3]}</t{cell[1]}>'
            ),
            row[0],
        )

    head = CELL.sub(r'<t\1\2 role="columnheader">\3</t\1>', head)
    text = f"{head}</thead>{ROW.sub(labelled_row, body)}"
    for part, role in (("thead", "rowgroup"), ("tbody", "rowgroup"), ("tr", "row")):
        text = text.replace(f"<{part}", f'<{part} role="{role}"')
    return text.replace(f'class="{kind}"', f'class="{kind} by-rows" role="table"', 1)


def write_site(project: Path, folder: Path) -> Path:
    """Write the sources and the networks for the pad, and build the pages.

    Args:
        project: The project's folder.
        folder: Where the sources go, beside the pages in its folder `html`.

    Returns:
        The folder of the pages.
    """
    sources, html = folder / "site", folder / "html"
    Sources(project, sources).write()
    networks = {
        "ships": places.PRETRAINED_FOLDER / places.MODEL_FILE,
        "mnistOnly": places.MNIST_ONLY_MODEL,
    }
    heads = {"ships": places.PRETRAINED_FOLDER / places.HEAD_FILE}
    write_networks(networks, sources / "_static" / "pad", heads)
    shutil.rmtree(html, ignore_errors=True)
    build(sources, html)
    lighten(html)
    for page in sorted((html / "notebooks").glob("*.html")):
        fill(page)
    return html


def main() -> None:
    """Build the site and say where to begin: `python -m helpers.series.pages`."""
    with ending_in_one_sentence():
        places.require_project()
        html = write_site(places.project_folder(), places.build_folder())
    print(f"begin with {places.relative_to_project(html / 'index.html').as_posix()}")


if __name__ == "__main__":
    main()
