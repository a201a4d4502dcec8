"""The site in a real browser: the pad that reads without a server."""

import base64
import io
import runpy

from helpers.data import load_sample
from helpers.places import project_folder
from helpers.reading import DigitReader, Network, open_picture

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

DRAWING = runpy.run_path(str(project_folder() / "images" / "draw_digits.py"))
# Pixels for each unit of a digit 14 units high, and its place on the pad.
UNIT, LEFT, TOP = 15, 65, 35
PAD = "document.querySelector('digit-pad')"


@pytest.fixture(scope="module")
def pad(browser, built_site):
    page = browser.new_page(viewport={"width": 800, "height": 900}, has_touch=True)
    page.goto((built_site / "_static" / "pad" / "pad.html").as_uri())
    page.wait_for_function(f"!!{PAD}.classify")
    yield page
    page.close()


@pytest.fixture
def blank(pad):
    pad.get_by_role("button", name="Clear").click()
    pad.get_by_label("squeeze only").uncheck()
    return pad


def paths(page, digit):
    corner = page.locator("canvas.paper").bounding_box()
    for stroke in DRAWING["STROKES"][digit]:
        path = DRAWING["smooth_stroke"](stroke)[::8] * UNIT
        yield path + np.array([LEFT + corner["x"], TOP + corner["y"]])


def draw(page, digit):
    for path in paths(page, digit):
        page.mouse.move(*path[0])
        page.mouse.down()
        for place in path[1:]:
            page.mouse.move(*place)
        page.mouse.up()


def draw_with_a_finger(page, digit):
    touch = page.context.new_cdp_session(page)
    for path in paths(page, digit):
        for kind, places in (("Start", path[:1]), ("Move", path[1:]), ("End", [None])):
            for place in places:
                points = [] if place is None else [{"x": float(place[0]), "y": float(place[1])}]
                event = {"type": f"touch{kind}", "touchPoints": points}
                touch.send("Input.dispatchTouchEvent", event)
    touch.detach()


def test_probabilities_are_those_of_litert(pad):
    images = load_sample().x_test[:500]
    assert len(images) == 500
    answers = pad.evaluate(
        f"images => images.map(image => Array.from({PAD}.classify(image)))",
        images.reshape(500, 784).tolist(),
    )
    assert np.abs(np.array(answers) - Network().predict(images)).max() < 1e-3


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_drawn_with_the_mouse_is_read(blank, digit):
    draw(blank, digit)
    expect(blank.locator(".answer b")).to_have_text(str(digit))


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_drawn_with_a_finger_is_read_and_the_page_stays(blank, digit):
    draw_with_a_finger(blank, digit)
    expect(blank.locator(".answer b")).to_have_text(str(digit))
    assert blank.evaluate("scrollY") == 0


@pytest.mark.parametrize("digit", range(10))
def test_the_preparation_is_that_of_the_helpers(blank, digit):
    draw(blank, digit)
    url = blank.locator("canvas.paper").evaluate("canvas => canvas.toDataURL()")
    drawing = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")
    (expected,) = DigitReader().read(drawing, single=True)
    pixels = blank.evaluate(f"Array.from({PAD}.look({PAD}.paper).pixels)")
    difference = np.abs(np.reshape(pixels, (28, 28)) - expected.pixels.astype(float))
    assert difference.mean() < 2  # of 255


def test_photos_are_read_as_the_helpers_read_them(blank):
    reader = DigitReader()
    for digit in range(10):
        path = project_folder() / "images" / f"digit_{digit}.png"
        blank.locator("input[type=file]").set_input_files(path)
        (expected,) = reader.read(open_picture(path), single=True)
        expect(blank.locator(".answer b")).to_have_text(str(expected.digit))
    assert blank.locator(".steps figure").count() == 4


def test_what_is_squeezed_is_read_otherwise(blank):
    draw(blank, 7)
    expect(blank.locator(".answer b")).to_have_text("7")
    blank.get_by_label("squeeze only").check()
    seen = np.array(blank.evaluate(f"Array.from({PAD}.look({PAD}.paper).pixels)"))
    assert seen[0] == 255, "the paper stays white"
    blank.get_by_label("squeeze only").uncheck()
    expect(blank.locator(".answer b")).to_have_text("7")


def test_keys_undo_and_clear_and_the_answer_is_announced(blank):
    draw(blank, 1)
    draw(blank, 4)
    blank.get_by_role("button", name="Undo").focus()
    blank.keyboard.press("Enter")
    blank.keyboard.press("Control+z")
    blank.keyboard.press("Control+z")
    expect(blank.get_by_role("status")).to_contain_text("1")
    blank.keyboard.press("Escape")
    expect(blank.get_by_role("status")).to_have_text("Draw a digit.")


def test_a_dot_is_no_reason_to_fail(blank):
    blank.locator("canvas.paper").click()
    assert blank.locator(".answer").inner_text()
