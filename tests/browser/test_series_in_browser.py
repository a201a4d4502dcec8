"""Every notebook of the series as a reader runs it: in JupyterLab, "Run All Cells"."""

import shutil
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import TimeoutError as NotInTime

PROJECT = Path(__file__).parents[2]
SCREENSHOTS = PROJECT / "build" / "screenshots"
NOTEBOOKS = sorted(path.stem for path in (PROJECT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"
MOST_SECONDS = 600
WIDTHS = (1280, 800)
# Chromium cannot take a higher screenshot.
MOST_PIXELS = 16_000

# A folded cell shows no prompt; whether it ran stands in the saved notebook.
ALL_RUN = """() => {
    const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")]
    return prompts.every(prompt => /^\\[\\d+\\]:/.test(prompt.innerText))
}"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project whose notebooks hold no outputs."""
    folder = tmp_path_factory.mktemp("series")
    unneeded = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__")
    shutil.copytree(PROJECT, folder, ignore=unneeded, dirs_exist_ok=True)
    for path in (folder / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.update(outputs=[], execution_count=None)
        nbformat.write(notebook, path)
    return folder


@pytest.fixture(scope="module")
def address(lab_in, project):
    return lab_in(project, {"MNIST_DATA": "sample", "MNIST_MODELS": str(project / "models")})


@pytest.fixture(params=NOTEBOOKS)
def name(request):
    return request.param


@pytest.fixture
def opened(open_notebook, address, name):
    """The page of a notebook whose kernel is ready."""
    page = open_notebook(address(f"notebooks/{name}.ipynb"))
    yield page
    page.close()


def test_all_cells_run_without_error_or_warning(opened, run_all_cells, project, name):
    path = project / "notebooks" / f"{name}.ipynb"
    before = nbformat.read(path, as_version=4)
    run_all_cells(opened)
    code_cells = opened.locator(".jp-Notebook .jp-CodeCell")
    try:
        opened.wait_for_function(ALL_RUN, timeout=MOST_SECONDS * 1000)
        opened.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    except NotInTime:
        opened.screenshot(path=SCREENSHOTS / f"{name}-not-in-time.png")
        raise
    assert code_cells.count() == sum(cell.cell_type == "code" for cell in before.cells)
    take_pictures(opened, name)
    opened.keyboard.press("Control+s")
    opened.locator(".jp-mod-dirty").wait_for(state="detached", timeout=10_000)

    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", f"{cell.id}: {output.text}"
    asked_for = sum(WIDGET in str(cell.outputs) for cell in cells)
    shown = opened.locator(".jp-OutputArea-output .jupyter-widgets").count()
    assert shown >= asked_for


def take_pictures(page, name):
    """Take a screenshot of the whole notebook at each width, without the list of files."""
    page.keyboard.press("Control+b")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)
        height = page.evaluate("document.querySelector('.jp-WindowedPanel-viewport').scrollHeight")
        page.set_viewport_size({"width": width, "height": min(height + 200, MOST_PIXELS)})
        page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png")
