"""The site in a real browser: the pad that reads without a server, and whether all can use it."""

import base64
import functools
import http.server
import io
import json
import runpy
import threading
from pathlib import Path

from helpers.data import load_sample
from helpers.places import MNIST_ONLY_LITERT, PRETRAINED_LITERT, project_folder
from helpers.reading import DigitReader, Network, open_picture

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DRAWING = runpy.run_path(str(project_folder() / "images" / "draw_digits.py"))
# Pixels for each unit of a digit 14 units high, and its place on the pad.
UNIT, LEFT, TOP = 15, 65, 35
WIDTHS = (390, 800, 1280)
PAD = "document.querySelector('digit-pad')"


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(built_site):
    """The address of the site on a server of this machine."""
    handler = functools.partial(Silent, directory=str(built_site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["file", "server"])
def site_address(request, built_site, address):
    return built_site.as_uri() if request.param == "file" else address


@pytest.fixture(scope="module")
def pad(browser, built_site):
    page = browser.new_page(viewport={"width": 800, "height": 900}, has_touch=True)
    page.goto((built_site / "_static" / "pad" / "pad.html").as_uri())
    page.wait_for_function(f"!!{PAD}.networks")
    yield page
    page.close()


@pytest.fixture
def blank(pad):
    pad.get_by_role("button", name="Clear").click()
    pad.get_by_label("squeeze only").uncheck()
    pad.get_by_label("only MNIST").uncheck()
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


@pytest.mark.parametrize(
    ("name", "path"), [("ships", PRETRAINED_LITERT), ("mnistOnly", MNIST_ONLY_LITERT)]
)
def test_probabilities_and_likeness_are_those_of_litert(pad, name, path):
    images = load_sample().x_test[:500]
    assert len(images) == 500
    answers = pad.evaluate(
        f"""images => images.map({PAD}.networks.{name}).map(
            said => [...said.probabilities, said.likeness])""",
        images.reshape(500, 784).tolist(),
    )
    errors = np.abs(np.array(answers) - np.column_stack(Network(path).judge(images)))
    assert errors[:, :10].max() < 1e-3
    assert errors[:, 10].max() < 3e-3  # a sum of a thousand products in half precision


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
    blank.get_by_label("only MNIST").check()
    expect(blank.locator(".answer b")).not_to_have_text("7")
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


def test_the_pad_of_the_first_page_answers_and_asks_no_other_host(browser, site_address):
    requests = []
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{site_address}/index.html")
    page.wait_for_function(f"!!{PAD}.networks")
    page.locator("canvas.paper").scroll_into_view_if_needed()
    draw(page, 3)
    expect(page.locator(".answer b")).to_have_text("3")
    assert all(url.startswith((site_address, "data:", "blob:")) for url in requests)
    page.close()


def test_the_pad_stands_on_a_page_elsewhere(browser, address, tmp_path):
    pad = f"{address}/_static/pad/pad"
    elements = {
        "script": f'<script src="{pad}.js"></script>',
        "frame": f'<iframe src="{pad}.html" width="640" height="560"></iframe>',
    }
    for name, element in elements.items():
        elsewhere = tmp_path / f"{name}.html"
        elsewhere.write_text(f"<!doctype html><body>{element}</body>")
        page = browser.new_page()
        page.goto(elsewhere.as_uri())
        where = page if name == "script" else page.frame_locator("iframe")
        expect(where.locator(".answer")).to_have_text("Draw a digit.")
        expect(where.locator("canvas.paper")).to_be_visible()
        page.close()


def test_a_slider_of_a_notebook_turns_by_the_keyboard(browser, site_address):
    page = browser.new_page(viewport={"width": 800, "height": 900})
    page.goto(f"{site_address}/notebooks/08_predicting.html")
    walk, gap = page.locator(".slider").all()
    gap.get_by_label("pixels").focus()
    before = gap.locator("img").screenshot()
    for pixels in (4, 3):
        page.keyboard.press("ArrowLeft")
        expect(gap.locator("output")).to_contain_text(f"{pixels} pixels of the gap closed")
    assert gap.locator("img").screenshot() != before
    assert gap.locator(".bars .best").count() == 1
    walk.get_by_label("steps").fill("0")
    expect(walk.locator("output")).to_contain_text("squeezed. Read as 8")
    walk.get_by_label("digit").fill("4")
    paper = Image.open(io.BytesIO(walk.locator("img").screenshot())).convert("L")
    assert paper.getpixel((5, 5)) > 128, "squeezed, paper is light"
    page.close()


def pages_to_look_at(folder):
    return sorted(
        path.relative_to(folder) for path in folder.rglob("*.html") if "_static" not in path.parts
    )


# What scrolls sideways by itself, though it is no code.
SCROLLING = """() => [...document.querySelectorAll(".bd-article *")].filter((element) =>
    element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 2 &&
    getComputedStyle(element).overflowX !== "visible" && !element.closest(".highlight"))
  .map((element) => element.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_everybody_can_use_every_page(browser, built_site, mode):
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=mode)
    found = {}
    for path in pages_to_look_at(built_site):
        page.goto((built_site / path).as_uri())
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                places = [node["target"] for node in violation["nodes"]][:3]
                found.setdefault(violation["id"], []).append((str(path), places))
    page.close()
    assert not found, json.dumps(found, indent=1)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_pages_fit_the_screen(browser, built_site, width, mode):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=mode)
    for path in pages_to_look_at(built_site):
        page.goto((built_site / path).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(SCROLLING) == [], path
        if "api" not in path.parts:
            page.screenshot(path=SCREENSHOTS / f"site-{path.stem}-{width}-{mode}.png")
    page.close()
