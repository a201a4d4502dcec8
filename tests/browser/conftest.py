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

SCREENSHOTS = Path(__file__).parent.parent.parent / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox: in a container as root there is none. The rest keeps the browser off the network.
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START_SECONDS = 60


@pytest.fixture(scope="session")
def browser():
    """Chromium or Chrome; without one, the test is skipped and says so."""
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
    """Serve a folder with JupyterLab; gives what tells the address of a notebook in it."""
    servers = []

    def serve(folder, environment=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        token = secrets.token_hex(16)
        own = tmp_path_factory.mktemp("jupyter")
        # All cells are to be there, not only those in view.
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
        # A workspace for each: the last one of a shared workspace would open again beside it.
        workspaces = f"{address}/lab/workspaces"
        return lambda path: f"{workspaces}/{Path(path).stem}/tree/{path}?token={token}"

    yield serve
    for server in servers:
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
