"""JupyterLab on the loopback address, and a browser to open it in, driven by Playwright."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Root in a container has no sandbox. The rest keeps the browser off the network.
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START_SECONDS = 60


@pytest.fixture(scope="session")
def browser():
    """Chromium or Chrome; skips the test, with a reason, if there is none."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=BROWSER_OPTIONS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def lab_in(tmp_path_factory):
    """Serves a folder with JupyterLab; returns a function from a notebook to its address."""
    servers = []

    def serve(folder, environment=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        token = secrets.token_hex(16)
        own = tmp_path_factory.mktemp("jupyter")
        # Render all cells, not only those in view.
        settings = {"windowingMode": "none"}
        kept = own / "config" / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension"
        kept.mkdir(parents=True)
        (kept / "tracker.jupyterlab-settings").write_text(json.dumps(settings))
        folders = {"JUPYTER_CONFIG_DIR": str(own / "config"), "JUPYTER_DATA_DIR": str(own / "data")}
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
             "--ip=127.0.0.1", f"--IdentityProvider.token={token}", f"--notebook-dir={folder}"],
            env={**os.environ, **folders, **(environment or {}), "JUPYTER_TOKEN": token},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        servers.append(server)
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api?token={token}", server)
        # Each notebook gets its own workspace; in a shared one, the last would reopen beside it.
        workspaces = f"{address}/lab/workspaces"
        return lambda path: f"{workspaces}/{Path(path).stem}/tree/{path}?token={token}"

    yield serve
    for server in servers:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="session")
def open_notebook(browser):
    """Opens the page of a notebook and waits until its kernel and its menus are ready."""

    def open_page(address):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=START_SECONDS * 1000)
        return page

    return open_page


@pytest.fixture(scope="session")
def run_all_cells():
    """Runs a notebook through the menu: unlike a key stroke, it waits until JupyterLab listens."""

    def run(page):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()

    return run


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
