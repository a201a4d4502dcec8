"""The drawing pad in a real browser: JupyterLab on the loopback address, driven by Playwright."""

import os
import runpy
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import expect, sync_playwright

PROJECT = Path(__file__).parent.parent
SCREENSHOTS = PROJECT / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox: in a container as root there is none. The rest keeps the browser off the network.
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START_SECONDS = 60
# How a digit 14 units high is laid on the pad, in pixels.
UNIT, LEFT, TOP = 15, 65, 35

browser = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = pytest.mark.skipif(
    browser is None, reason=f"no browser: none of {', '.join(BROWSERS)} is installed"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a notebook with a drawing pad, served by JupyterLab with a token."""
    folder = tmp_path_factory.mktemp("lab")
    pad = new_code_cell("from helpers.pad import DrawingPad\n\nDrawingPad()", id="pad")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=[pad], metadata=kernel), folder / "pad.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    settings = {"JUPYTER_CONFIG_DIR": folder / "config", "JUPYTER_DATA_DIR": folder / "data"}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         "--ip=127.0.0.1", f"--IdentityProvider.token={token}", f"--notebook-dir={folder}"],
        env={**os.environ, "JUPYTER_TOKEN": token, **{k: str(v) for k, v in settings.items()}},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api?token={token}", server)
        yield f"{address}/lab/tree/pad.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for(address, server):
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert server.poll() is None, "JupyterLab ended at its start"
            assert time.monotonic() < deadline, "JupyterLab does not answer"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def page(lab):
    """The notebook in a browser, its one cell run."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=BROWSER_OPTIONS)
        page = running.new_page(viewport={"width": 1280, "height": 800})
        page.goto(lab)
        page.locator(".jp-CodeCell .cm-content").first.click(timeout=START_SECONDS * 1000)
        page.keyboard.press("Control+Enter")
        try:
            page.locator("canvas").first.wait_for(timeout=START_SECONDS * 1000)
        except NotInTime:
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SCREENSHOTS / "no-pad.png")
            raise
        yield page
        running.close()


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
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    clear.screenshot(path=SCREENSHOTS / f"pad-{digit}.png")


def test_the_page_shows_ten_probabilities_and_what_the_network_sees(clear):
    draw(clear, 3)
    expect(clear.locator(".pad-answer b")).to_have_text("3")
    rows = clear.locator(".jp-OutputArea table tr")
    assert rows.count() == 10
    assert float(rows.nth(3).locator("td").last.inner_text().rstrip("%")) > 50
    seen = clear.locator(".jp-OutputArea img").first
    assert seen.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [112, 112]


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
