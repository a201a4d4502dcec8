"""The site as `make html` builds it: links, sizes, and what the pages load."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from helpers.places import project_folder
from helpers.series.sliders import SLIDERS

import pytest

FIRST_PAGE, NOTEBOOK = 1_000_000, 1_500_000  # bytes, with all that the page loads
# The network of the pad is loaded after the page.
LATER = "weights.js"


class Page(HTMLParser):
    """Collects what a page links to, what it loads, and where one can jump to."""

    def __init__(self, path):
        super().__init__()
        self.path, self.links, self.loads, self.anchors, self.pictures = path, [], [], {""}, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes.get("id", ""), attributes.get("name", "")}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif tag == "link" and attributes.get("rel") in ("stylesheet", "preload", "icon"):
            self.loads.append(attributes["href"])
        elif "src" in attributes:
            self.loads.append(attributes["src"])
        if tag == "img":
            self.pictures.append(attributes)

    def target(self, address):
        path = unquote(urlsplit(address).path)
        return (self.path.parent / path).resolve() if path else self.path.resolve()

    def size(self):
        files = {self.target(address) for address in self.loads if "data:" not in address}
        return sum(file.stat().st_size for file in {self.path, *files} if file.name != LATER)


@pytest.fixture(scope="module")
def pages(built_site):
    return {
        path.resolve(): Page(path)
        for path in built_site.rglob("*.html")
        if "_static" not in path.parts
    }


def test_there_is_a_page_for_each_notebook_and_document(built_site):
    expected = [path.stem for path in (project_folder() / "notebooks").glob("*.ipynb")]
    assert sorted(path.stem for path in (built_site / "notebooks").glob("*.html")) == sorted(
        expected
    )
    for name in ("index", "pad", "results", "CONTRIBUTING", "CHANGELOG", "api", "search"):
        assert (built_site / f"{name}.html").is_file()
    assert (built_site / "helpers" / "pretrained" / "README.html").is_file()
    assert (built_site / "benchmarks" / "README.html").is_file()


def test_links_and_anchors_lead_somewhere(pages):
    lost = []
    for page in pages.values():
        for address in page.links:
            if re.match(r"https?:|mailto:|javascript:", address):
                continue
            target = page.target(address)
            anchor = unquote(urlsplit(address).fragment)
            if not target.is_file() or (target in pages and anchor not in pages[target].anchors):
                lost.append(f"{page.path.name}: {address}")
    assert not lost


def test_everything_that_a_page_loads_lies_beside_it(pages):
    for page in pages.values():
        for address in page.loads:
            assert address.startswith("data:") or page.target(address).is_file(), address


def test_pages_are_small(pages, built_site):
    assert pages[(built_site / "index.html").resolve()].size() <= FIRST_PAGE
    for path in (built_site / "notebooks").glob("*.html"):
        assert pages[path.resolve()].size() <= NOTEBOOK, path.name


def test_the_reference_holds_every_module(pages, built_site):
    modules = [path for path in (project_folder() / "helpers").rglob("*.py") if path.stem[0] != "_"]
    assert len(list((built_site / "api").glob("*.html"))) == len(modules)


def test_names_in_the_code_of_a_notebook_lead_to_the_reference(pages, built_site):
    for path in (built_site / "notebooks").glob("[01][0-8]_*.html"):
        assert any("../api/helpers." in link for link in pages[path.resolve()].links), path.name


def test_sliders_that_have_frames_are_on_the_page_of_their_notebook(built_site):
    for notebook, cell in SLIDERS:
        text = (built_site / "notebooks" / f"{notebook}.html").read_text(encoding="utf-8")
        _, after = text.split(f'id="slider-{cell}"')
        assert "data:image/png;base64," in after.partition("</div>\n</div>")[0]
        assert '<input type="range"' in after


def test_every_picture_has_a_text_in_words(pages):
    for page in pages.values():
        for picture in page.pictures:
            assert picture.get("alt", "").count(" ") >= 1, (page.path.name, picture["src"][:80])


def test_no_page_tells_where_it_was_built(pages):
    for page in pages.values():
        text = page.path.read_text(encoding="utf-8")
        assert str(project_folder()) not in text, page.path.name


def test_solutions_are_folded(built_site):
    for path in (built_site / "notebooks").glob("*.html"):
        assert path.read_text(encoding="utf-8").count("<details>") >= 3, path.name


def test_pages_hold_no_formula_that_nobody_would_draw(pages):
    for page in pages.values():
        text = page.path.read_text(encoding="utf-8")
        assert not re.search(r"\$[^$\n<]*\\\\[a-z]+|class=\"math", text), page.path.name
