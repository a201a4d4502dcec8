"""The notebooks as documents: complete, clean, linked, and readable before they are run."""

import ast
import itertools
import re
from pathlib import Path

from tests.project.pace import exercises

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
NAMES = [
    "01_loading",
    "02_normalizing",
    "03_building",
    "04_learning_by_hand",
    "05_training",
    "06_evaluating",
    "07_saving",
    "08_predicting",
    "09_scaling_out",
    "10_clinic",
]
FOLDED = {"hide-input", "hide-cell"}  # drawing and set-up; checks
TAGS = FOLDED | {"nbval-check-output", "nbval-ignore-output"}


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def printed_text(cell):
    for output in cell.outputs:
        yield output.get("text", "")
        for mime_type, content in output.get("data", {}).items():
            if mime_type.startswith("text/"):
                yield content


def test_the_notebooks_are_there_in_order():
    assert [path.stem for path in PATHS] == NAMES


def test_format_is_valid_and_metadata_minimal(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert set(notebook.metadata) == {"kernelspec"}
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter"}, cell.id
        tags = set(cell.metadata.get("tags", []))
        assert tags <= TAGS, cell.id
        assert len(tags & FOLDED) == ("jupyter" in cell.metadata), cell.id
        assert cell.metadata.get("jupyter") in (None, {"source_hidden": True}), cell.id
        assert re.fullmatch(r"[a-z0-9-]+", cell.id), "ids are readable slugs"


def test_outputs_come_from_one_clean_run(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_cells_that_print_or_draw_hold_their_outputs(notebook):
    for cell in code_cells(notebook):
        if re.search(r"^\s*print\(|plt\.show\(\)", cell.source, re.MULTILINE) and not re.match(
            r"\s*def ", cell.source
        ):
            assert cell.outputs, cell.id


def test_outputs_are_free_of_debris(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", cell.id
            assert not any("widget" in mime_type for mime_type in output.get("data", {})), cell.id
        for text in printed_text(cell):
            assert not re.search(r"\b0x[0-9a-fA-F]{6,}", text), f"{cell.id}: an address"
            assert not re.search(r"/home/|/root/|/tmp/|/Users/|[A-Z]:\\", text), cell.id
            assert str(NOTEBOOKS.parent) not in text, cell.id
            assert "Warning" not in text and "\r" not in text, cell.id


def test_outputs_show_full_mnist(notebook):
    text = "\n".join(part for cell in code_cells(notebook) for part in printed_text(cell))
    assert "this is a sample of 5,000" not in text


def test_size_is_quick_to_open(path):
    assert path.stat().st_size <= 220_000


def test_code_cells_are_short(notebook):
    for cell in code_cells(notebook):
        is_folded = FOLDED & set(cell.metadata.get("tags", []))
        assert len(cell.source.splitlines()) <= (60 if is_folded else 25) or cell.id == "setup", (
            cell.id
        )


def test_the_set_up_cell_comes_first(notebook):
    assert [cell.id for cell in code_cells(notebook)].index("setup") == 0


def test_headings_are_in_order(path, notebook):
    prose = re.sub(r"```.*?```", "", markdown(notebook), flags=re.DOTALL)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert f"# {path.stem[:2]} · " in notebook.cells[0].source
    titles = re.findall(r"^## (.*)$", prose, re.MULTILINE)
    assert titles[-3:] == ["Recap", "Exercises", "Next"]


def test_exercises_have_folded_solutions(notebook):
    text = exercises(notebook)
    numbers = re.findall(r"^\*\*(\d)\.", text, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert len(numbers) >= 3
    assert text.count("<details><summary>") == text.count("</details>") == len(numbers)
    assert re.search("predict", text, re.IGNORECASE)
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        ast.parse(code)


def test_links_and_images_resolve(path, notebook):
    prose = re.sub(r"```.*?```", "", markdown(notebook), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", prose)
    assert targets
    for target in targets:
        if not re.match(r"https?://", target):
            assert (path.parent / target).exists(), target


def test_neighbours_are_linked(path, notebook):
    position = NAMES.index(path.stem)
    neighbours = NAMES[max(0, position - 1) : position] + NAMES[position + 1 : position + 2]
    for name in neighbours:
        assert f"({name}.ipynb)" in notebook.cells[0].source


def test_the_test_set_is_opened_in_one_notebook_only(path, notebook):
    if path.stem in ("01_loading", "06_evaluating"):
        return
    for cell in code_cells(notebook):
        assert not re.search(r"\b[xy]_test\b", cell.source), cell.id


def test_measured_figures_are_guarded_by_an_assertion(notebook):
    cells = code_cells(notebook)
    ignored = [cell for cell in cells if "nbval-ignore-output" in cell.metadata.get("tags", [])]
    assert len(ignored) <= -(-len(cells) // 3)
    for cell in ignored:
        rest = cells[cells.index(cell) :]
        assert any("assert" in later.source for later in rest), cell.id


def test_files_are_found_from_any_working_folder(notebook):
    solutions = re.findall(r"```python\n(.*?)```", exercises(notebook), re.DOTALL)
    for code in [*(cell.source for cell in code_cells(notebook)), *solutions]:
        assert not re.search(r"""["']\.\.?(/|["'])""", code), "paths come from helpers.places"


def test_text_in_figures_is_large_enough(notebook):
    for cell in code_cells(notebook):
        for size in re.findall(r"""(?:fontsize=|"size": )(\d+)""", cell.source):
            assert int(size) >= 9, cell.id


def test_pictures_in_the_text_are_described(notebook):
    for described in re.findall(r"!\[([^\]]*)\]", markdown(notebook)):
        assert len(described) > 30


def test_solutions_can_fail(path, notebook):
    code = "".join(re.findall(r"```python\n(.*?)```", exercises(notebook), re.DOTALL))
    assert "assert" in code, "at least one solution checks what its text says"
