"""The drawing pad in a real browser."""

import re
import runpy
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import expect

PROJECT = Path(__file__).parents[2]
SCREENSHOTS = PROJECT / "build" / "screenshots"
START_SECONDS = 60
# Pixels for each unit of a digit 14 units high, and its place on the pad.
UNIT, LEFT, TOP = 15, 65, 35
MORE_THAN_HALF = re.compile(r"^(?!50\.0)([5-9]\d|100)\.\d%$")


@pytest.fixture(scope="module")
def page(open_notebook, run_all_cells, lab_in, tmp_path_factory):
    """A notebook with a drawing pad, whose only cell has run."""
    folder = tmp_path_factory.mktemp("lab")
    pad = new_code_cell("from helpers.reading.pad import DrawingPad\n\nDrawingPad()", id="pad")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=[pad], metadata=kernel), folder / "pad.ipynb")
    page = open_notebook(lab_in(folder)("pad.ipynb"))
    run_all_cells(page)
    try:
        page.locator("canvas").first.wait_for(timeout=START_SECONDS * 1000)
    except NotInTime:
        page.screenshot(path=SCREENSHOTS / "no-pad.png")
        raise
    return page


@pytest.fixture
def clear(page):
    """The page with a blank pad."""
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".pad-answer")).to_have_text("Draw a digit.")
    return page


def draw(page, digit):
    drawing = runpy.run_path(str(PROJECT / "images" / "draw_digits.py"))
    corner = page.locator("canvas").first.bounding_box()
    for stroke in drawing["STROKES"][digit]:
        path = drawing["smooth_stroke"](stroke)[::8] * UNIT + (LEFT, TOP)
        path += (corner["x"], corner["y"])
        page.mouse.move(*path[0])
        page.mouse.down()
        for place in path[1:]:
            page.mouse.move(*place)
        page.mouse.up()


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_drawn_with_the_mouse_is_read(clear, digit):
    draw(clear, digit)
    expect(clear.locator(".pad-answer b")).to_have_text(str(digit))
    clear.screenshot(path=SCREENSHOTS / f"pad-{digit}.png")


def test_the_page_shows_ten_probabilities_and_what_the_network_sees(clear):
    draw(clear, 3)
    expect(clear.locator(".pad-answer b")).to_have_text("3")
    rows = clear.locator(".jp-OutputArea table tr")
    assert rows.count() == 10
    # The answer, its bars and the picture come in messages of their own.
    expect(rows.nth(3).locator("td").last).to_have_text(MORE_THAN_HALF)
    seen = clear.locator(".jp-OutputArea img").first
    expect(seen).to_have_js_property("naturalWidth", 112)
    expect(seen).to_have_js_property("naturalHeight", 112)


def test_undo_takes_back_the_last_stroke(clear):
    draw(clear, 1)
    draw(clear, 4)
    for _ in range(3):
        clear.get_by_role("button", name="Undo").click()
    expect(clear.locator(".pad-answer b")).to_have_text("1")


def test_the_drawing_is_seen_on_the_canvas(clear, tmp_path):
    draw(clear, 8)
    expect(clear.locator(".pad-answer b")).to_have_text("8")
    clear.locator("canvas").first.screenshot(path=tmp_path / "canvas.png")
    dark = Image.open(tmp_path / "canvas.png").convert("L").point(lambda level: level < 100)
    assert 2_000 < dark.histogram()[1] < 40_000
