"""The series as static pages."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from helpers.places import project_folder
from helpers.series.pages import DOCUMENTS, main, with_links_to_pages, write_pages

import nbformat
import pytest


class References(HTMLParser):
    """Collects what a page links to, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        elif tag == "link":
            self.loads.append(attributes["href"])
        elif "src" in attributes:
            self.loads.append(attributes["src"])


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return write_pages(project_folder(), tmp_path_factory.mktemp("html"))


@pytest.fixture(scope="module")
def references(pages):
    return {page: References(page.read_text(encoding="utf-8")) for page in pages}


def test_there_is_a_page_for_each_notebook_and_document(pages):
    notebooks = sorted(path.stem for path in (project_folder() / "notebooks").glob("*.ipynb"))
    assert sorted(page.stem for page in pages if page.parent.name == "notebooks") == notebooks
    assert len(pages) == len(notebooks) + len(DOCUMENTS)
    assert pages[0].name == "index.html"


def test_pages_link_to_pages_that_exist(references):
    for page, found in references.items():
        for target in found.links:
            if not re.match(r"https?://|#", target):
                path = page.parent / unquote(target).partition("#")[0]
                assert path.is_file(), f"{page.name}: {target}"
                assert path.suffix not in (".ipynb", ".md"), f"{page.name}: {target}"


def test_nothing_is_loaded_from_a_network(references):
    for page, found in references.items():
        for target in found.loads:
            assert target.startswith("data:") or (page.parent / target).is_file(), target
    assert any(target.startswith("data:") for target in references[list(references)[-2]].loads)


def test_code_that_is_folded_in_a_notebook_is_folded_on_its_page(pages):
    page = next(page for page in pages if page.stem == "04_learning_by_hand").read_text("utf-8")
    cells = nbformat.read(project_folder() / "notebooks/04_learning_by_hand.ipynb", 4).cells
    folded = [cell for cell in cells if "jupyter" in cell.metadata]
    assert page.count('<details class="folded-code">') == len(folded) > 0


def test_pages_hold_no_formula_that_nobody_would_draw(pages):
    for page in pages:
        assert not re.search(r"\$[^$\n<]*\\\\[a-z]+", page.read_text(encoding="utf-8")), page.name


def test_notebooks_keep_their_outputs_and_solutions(pages):
    training = next(page for page in pages if page.stem == "05_training").read_text("utf-8")
    assert "<title>05 · Training</title>" in training
    assert "same seed, same weights:  True" in training
    assert training.count("<details>") >= 3
    assert training.count("data:image/png") >= 5


@pytest.mark.parametrize(
    ("source", "markdown", "expected"),
    [
        ("README.md", "[a](notebooks/01_loading.ipynb)", "[a](notebooks/01_loading.html)"),
        ("README.md", "[a](benchmarks/README.md#b)", "[a](benchmarks/README.html#b)"),
        ("notebooks/01.ipynb", "[a](../README.md)", "[a](../index.html)"),
        ("notebooks/01.ipynb", "[a](02.ipynb), [b](c.png)", "[a](02.html), [b](c.png)"),
        ("helpers/pretrained/README.md", "[a](../../README.md)", "[a](../../index.html)"),
        ("CONTRIBUTING.md", "[a](https://b.org/README.md)", "[a](https://b.org/README.md)"),
    ],
)
def test_links_point_to_pages(source, markdown, expected):
    assert with_links_to_pages(markdown, Path(source)) == expected


def test_the_command_says_where_to_begin(monkeypatch, capsys):
    monkeypatch.setattr(
        "helpers.series.pages.write_pages",
        lambda *folders: [project_folder() / "build/html/a.html"],
    )
    main()
    assert capsys.readouterr().out == "1 pages; begin with build/html/a.html\n"
