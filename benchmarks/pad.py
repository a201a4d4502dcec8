"""Times the pad of the site in Chromium or Chrome: `make html`, then `python -m benchmarks.pad`.

From a file and from a server of this machine, the first page is opened afresh, and a stroke is
drawn as soon as the pad is there. The first answer counts from the opening of the page, so it
includes page, scripts and weights; each further one from the moment when the pen has moved until
the answer is in the page: preparation, forward pass, bars and pictures.
"""

import argparse
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.results import store
from helpers import places
from helpers.errors import UserError, ending_in_one_sentence

import numpy as np
from playwright.sync_api import Browser, sync_playwright

RUNS = 15
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Root in a container has no sandbox. The rest keeps the browser off the network.
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

# Draws the first half of a curve as soon as there is paper, and notes when the answer is there.
FIRST = """
window.pad = () => document.querySelector("digit-pad");
window.points = Array.from({ length: 60 }, (_, i) => [140 + 70 * Math.sin(i / 9), 40 + 3 * i]);
window.first = new Promise((done) => {
  const whenTrue = (isTrue, action) => {
    const look = () => (isTrue() ? action() : setTimeout(look, 1));
    look();
  };
  whenTrue(() => pad() && pad().paper, () => {
    pad().strokes.push({ width: 20, points: points.slice(0, 30) });
    pad().draw();
    pad().read();
    whenTrue(() => pad().find(".answer b"), () => done(performance.now()));
  });
});
"""
# Draws the other half, point by point.
FURTHER = """
points.slice(30).map((next) => {
  const started = performance.now();
  pad().strokes[0].points.push(next);
  pad().draw();
  pad().read();
  return performance.now() - started;
})
"""


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def send_error(self, *arguments: object, **options: object) -> None:
        """Say nothing either when the page has left before it hears of a missing icon."""
        with suppress(BrokenPipeError, ConnectionResetError):
            super().send_error(*arguments, **options)  # type: ignore[arg-type]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback address; yield its address."""
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def measure(browser: Browser, address: str) -> tuple[list[float], list[float]]:
    """Open the first page of a site with nothing cached.

    Returns:
        Milliseconds from the opening to the first answer, and from each further move of the pen to
        its answer. And what the page's main thread took of the processor until the first answer,
        and for each further one: on a busy machine, this tells what a quiet one would take.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    counter = context.new_cdp_session(page)
    counter.send("Performance.enable", {"timeDomain": "threadTicks"})

    def processor_ms() -> float:
        metrics = counter.send("Performance.getMetrics")["metrics"]
        return 1000 * next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    page.add_init_script(FIRST)
    page.goto(f"{address}/index.html", wait_until="commit")
    first, spent = page.evaluate("first"), processor_ms()
    page.wait_for_timeout(200)
    before = processor_ms()
    further = page.evaluate(FURTHER)
    spent_further = (processor_ms() - before) / len(further)
    context.close()
    return [first, *further], [spent, spent_further]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and store a row for each way to open the site."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pad", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each way, by default {RUNS}")
    runs = parser.parse_args(arguments).runs
    html = places.build_folder() / "html"
    with ending_in_one_sentence():
        chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
        if not (html / "index.html").is_file() or chromium is None:
            raise UserError("This needs the site and Chromium or Chrome: run make html first.")
        with sync_playwright() as playwright, served(html) as server:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(OPTIONS))
            for way, address in (("file", html.as_uri()), ("server", server)):
                measured = [measure(browser, address) for _ in range(runs)]
                waited, spent = (np.array(each) for each in zip(*measured, strict=True))
                row = {
                    "runs": runs,
                    "first_ms": np.median(waited[:, 0]),
                    "first_worst_ms": waited[:, 0].max(),
                    "further_ms": np.median(waited[:, 1:]),
                    "further_worst_ms": waited[:, 1:].max(),
                    "first_processor_ms": np.median(spent[:, 0]),
                    "further_processor_ms": np.median(spent[:, 1]),
                }
                print(way, {name: round(float(value), 1) for name, value in row.items()})
                store(way, {"pad": [row | machine()]})
            browser.close()


if __name__ == "__main__":
    main()
