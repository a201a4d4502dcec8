"""The sources of the site: the README in pages, and links that lead somewhere."""

from helpers.series import pages
from helpers.series.pages import Sources, repository, slug

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

README = """# Title

A promise. [Results](#results), [a table](#a-table).

## Two commands

```sh
# no heading
make
```

## The notebooks

[One](notebooks/01_one.ipynb), [a file](predict.py)

## Results

[All](benchmarks/README.md#tried), [back](#two-commands)

### A table
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    for path, text in {
        "README.md": README,
        "CONTRIBUTING.md": "# Work\n[a](README.md#a-table)",
        "CHANGELOG.md": "# Changes",
        "benchmarks/README.md": "# Benchmarks\n[a](../README.md#results) ![b](c.png)",
        "helpers/pretrained/README.md": "# Card\n[a](https://b.org/README.md)",
        "helpers/room/one.py": "",
        "site/index.md": "{{ TITLE }}\n{{ PROMISE }}\n{{ SECTIONS }}\n{{ NOTEBOOKS }}\n{{ PAGES }}",
        "site/api.md": "# The helpers\n",
        "notebooks/01_one.ipynb": nbformat.writes(new_notebook()),
        "pyproject.toml": "[project]\nname = 'a'\n",
    }.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    monkeypatch.setattr("helpers.places.project_folder", lambda: folder)
    monkeypatch.delenv(pages.REPOSITORY_VARIABLE, raising=False)
    return folder


def written(project, path):
    folder = project / "build"
    Sources(project, folder).write()
    return (folder / path).read_text(encoding="utf-8")


def test_the_landing_page_holds_the_promise_and_two_sections(project):
    text = written(project, "index.md")
    assert text.startswith("# Title\n")
    assert "# no heading\nmake\n" in text
    assert "[Results](results.md), [a table](results.md#a-table)" in text
    assert "### A table" not in text
    assert text.endswith("notebooks/01_one.ipynb\nresults")


def test_every_other_section_is_a_page_of_its_own(project):
    text = written(project, "results.md")
    assert text.startswith("# Results\n") and "\n## A table" in text
    assert "[All](benchmarks/README.md#tried), [back](index.md#two-commands)" in text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("CONTRIBUTING.md", "[a](results.md#a-table)"),
        ("benchmarks/README.md", "[a](../results.md) ![b](c.png)"),
        ("helpers/pretrained/README.md", "[a](https://b.org/README.md)"),
    ],
)
def test_links_point_to_pages(project, path, expected):
    assert written(project, path).endswith(expected)


def test_links_to_files_go_to_the_repository_once_there_is_one(project, monkeypatch):
    assert "[One](notebooks/01_one.ipynb), a file\n" in written(project, "index.md")
    monkeypatch.setenv(pages.REPOSITORY_VARIABLE, "https://b.org/me/it/")
    assert "[a file](https://b.org/me/it/blob/main/predict.py)" in written(project, "index.md")


def test_the_address_of_the_repository_stands_in_one_place(project):
    assert repository() == ""
    text = "[project]\n[project.urls]\nRepository = 'https://b.org/me/it'\n"
    (project / "pyproject.toml").write_text(text)
    assert repository() == "https://b.org/me/it"


def test_the_reference_lists_each_module(project):
    assert "## helpers.room\n" in written(project, "api.md")
    assert "   helpers.room.one\n" in written(project, "api.md")


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("## Two commands", "two-commands"),
        ("### 5-fold, of `helpers.data`!", "5-fold-of-helpersdata"),
    ],
)
def test_anchors_are_githubs(heading, anchor):
    assert slug(heading) == anchor


def test_the_command_says_where_to_begin(monkeypatch, capsys):
    monkeypatch.setattr(
        "helpers.series.pages.write_site", lambda project, build: project / "build" / "html"
    )
    pages.main()
    assert capsys.readouterr().out == "begin with build/html/index.html\n"


def test_the_script_that_draws_icons_is_left_out(tmp_path):
    scripts = tmp_path / "_static" / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "fontawesome.js").touch()
    page = tmp_path / "a.html"
    page.write_text('<script src="b.js"></script><script defer src="c/fontawesome.js?d"></script>')
    pages.lighten(tmp_path)
    assert page.read_text() == '<script src="b.js"></script>'
    assert not any(scripts.iterdir())


WIDE = """<table class="table"><thead>
<tr class="row-odd"><th><p></p></th><th><p>a</p></th><th><p>b</p></th><th><p>c</p></th></tr>
</thead><tbody><tr><td>first</td><td>1</td><td></td><td><code>3</code></td></tr></tbody></table>"""


def test_cells_of_a_wide_table_know_their_column():
    text = pages.labelled(f"before {WIDE} after")
    assert text.startswith('before <table class="table by-rows" role="table">')
    assert '<td role="cell" data-label="c"><code>3</code></td>' in text
    assert text.count('role="columnheader"') == 4 and text.count('role="row"') == 2


def test_a_narrow_table_stays_as_it_is():
    narrow = WIDE.replace("<th><p>c</p></th>", "")
    assert pages.labelled(narrow) == narrow
    numbers = WIDE.replace('class="table"', 'border="1" class="dataframe"')
    assert pages.labelled(numbers) == numbers


def test_a_figure_is_put_into_words(project):
    figure = new_code_cell('axis.set(xlabel="steps", title="loss")', id="loss-figure")
    notebook = new_notebook(cells=[new_markdown_cell("# One\n\n## How *fast*?"), figure])
    nbformat.write(notebook, project / "notebooks" / "01_one.ipynb")
    text = nbformat.reads(written(project, "notebooks/01_one.ipynb"), as_version=4)
    (told,) = (cell.metadata.mystnb.image.alt for cell in text.cells if cell.cell_type == "code")
    assert told == "Figure: loss, in the section “How fast?”, labelled steps, loss"
