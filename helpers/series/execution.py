"""Runs the notebooks in order from the command line: `make tutorial` and `make notebooks`.

Copies are executed under `build/`, so the repository stays unchanged; with `--in-place` the
outputs are stored in the notebooks themselves. nbval decides whether they are the right ones.
"""

import argparse
import asyncio
import base64
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from math import inf
from pathlib import Path
from queue import Empty
from typing import Any

from helpers import places
from helpers.data import load_mnist
from helpers.errors import UserError, ending_in_one_sentence, print_error
from helpers.facts import read_facts
from helpers.files import atomic_write
from helpers.places import EVALUATION_FILE, MODEL_FILE, relative_to_project, trained_folder
from helpers.plots import with_palette

import nbformat
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets import Type
from traitlets.config import Config

CELL_TIMEOUT_SECONDS = 3600
LOOK_AGAIN_SECONDS = 1.0
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class NotebookError(UserError):
    """A notebook did not run to its end; the message names the cell and the error."""


class _CellReport:
    """Prints each code cell's number, id and duration as it runs; the hooks of nbclient."""

    def __init__(self, notebook: NotebookNode):
        self._ids = [cell.id for cell in notebook.cells if cell.cell_type == "code"]
        self._since = 0.0
        self.running = "before the first cell"

    def start(self, cell: NotebookNode, cell_index: int) -> None:
        if cell.cell_type == "code":
            self.running, self._since = f"cell {cell.id}", time.perf_counter()
            number = self._ids.index(cell.id) + 1
            print(f"  {number:2} of {len(self._ids)}  {cell.id:32}", end="", flush=True)

    def end(self, cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        print(f"{time.perf_counter() - self._since:7.1f} s", flush=True)


def execute(notebook: NotebookNode, name: str, is_full: bool, **variables: str) -> None:
    """Execute a notebook's cells in order in a fresh kernel and store their outputs in it.

    Prints each code cell's number, id and duration as it runs.

    Args:
        notebook: The notebook; changed in place.
        name: What error messages call it.
        is_full: Whether it works on the full MNIST; on the sample otherwise.
        variables: More environment variables for its kernel.

    Raises:
        NotebookError: If a cell raises, takes longer than an hour, or its kernel dies.
        KeyboardInterrupt: If the process is interrupted meanwhile; the message names the cell.
    """
    report = _CellReport(notebook)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=True,  # Sliders keep their contents there; without it, nbclient fails.
        resources={"metadata": {"path": str(_notebooks_folder())}},
        # Without it, each kernel warns that others on this machine might listen in.
        config=Config(
            KernelManager={"transport_encryption": "auto", "client_factory": _WatchfulClient}
        ),
        on_cell_start=report.start,
        on_cell_executed=report.end,
    )
    try:
        _run(client, os.environ | {"MNIST_DATA": "full" if is_full else "sample"} | variables)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        print()
        raise NotebookError(f"{name}, {report.running}: {_reason(error)}") from None
    except KeyboardInterrupt:
        print()
        raise KeyboardInterrupt(
            f"interrupted in {name}, {report.running}; the same command starts over, and "
            "trainings resume after their last finished epoch."
        ) from None
    notebook.metadata.pop("language_info", None)
    notebook.metadata.pop("widgets", None)
    drop_widgets(notebook)
    shrink_pictures(notebook)


class WatchfulChannel(AsyncZMQSocketChannel):
    """Looks for a message every second, since the news of its arrival may get lost.

    ZeroMQ tells of an arrival only once. If something is sent at that moment, as nbclient does when
    a widget changes, the sending swallows the news, and a notebook would wait for the end of a
    cell that has long ended.
    """

    async def get_msg(  # type: ignore[override]  # as in the class above
        self, timeout: float | None = None
    ) -> dict[str, Any]:
        """Get a message.

        Args:
            timeout: How long to wait for it, in seconds; by default for ever.

        Raises:
            Empty: If there is none by then.
        """
        end = time.monotonic() + (inf if timeout is None else timeout)
        while True:
            left = max(0.0, end - time.monotonic())
            try:
                return await super().get_msg(min(left, LOOK_AGAIN_SECONDS))
            except Empty:
                if left <= LOOK_AGAIN_SECONDS:
                    raise


class _WatchfulClient(AsyncKernelClient):
    shell_channel_class = Type(WatchfulChannel)


def _run(client: NotebookClient, environment: dict[str, str]) -> None:
    """Run a client; if this is interrupted, shut its kernel down first.

    It runs outside the main thread, since there nbclient installs signal handlers of its own,
    which remove the kernel under its feet and end in its tracebacks.
    """
    # The loop of every system but Windows; the default there cannot watch a kernel's sockets.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        loop = runner.get_loop()
        execution = loop.create_task(client.async_execute(env=environment))
        with ThreadPoolExecutor(max_workers=1) as thread:
            done = thread.submit(loop.run_until_complete, execution)
            try:
                while not done.done():  # On Windows, only a wait that ends can be interrupted.
                    wait([done], timeout=0.5)
            except KeyboardInterrupt:
                # Asked politely, a busy kernel prints tracebacks.
                client.shutdown_kernel = "immediate"
                loop.call_soon_threadsafe(execution.cancel)
                wait([done])
                raise
        done.result()


def drop_widgets(notebook: NotebookNode) -> None:
    """Remove widgets from the outputs: without their kernel they show only an error."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if WIDGET_VIEW not in output.get("data", {})
            ]


def shrink_pictures(notebook: NotebookNode) -> None:
    """Store each PNG in the outputs with a palette; see `helpers.plots.with_palette`."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                shrunk = with_palette(base64.b64decode(png))
                output["data"]["image/png"] = base64.b64encode(shrunk).decode()


def _reason(error: Exception) -> str:
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    return str(error)


def run_copies(paths: Sequence[Path], is_full: bool) -> dict[str, float]:
    """Execute a copy of each notebook under `build/notebooks`.

    One that fails half way is kept there, too, with the traceback.

    Returns:
        Seconds that each notebook took, by its name.
    """
    seconds = {}
    for path in paths:
        print(path.stem, flush=True)
        start = time.perf_counter()
        _write(_executed(path, is_full), _copy_of(path))
        seconds[path.stem] = time.perf_counter() - start
    return seconds


def run_in_place(paths: Sequence[Path]) -> None:
    """Execute each notebook on full MNIST and store its outputs; one that fails stays unchanged.

    What is stored shows the ten digits that ship, whatever the pad has kept.
    """
    for path in paths:
        print(path.stem, flush=True)
        _write(_executed(path, is_full=True, MNIST_TEN="shipped"), path)


def _executed(path: Path, is_full: bool, **variables: str) -> NotebookNode:
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # Whatever a file holds that is not a notebook.
        raise NotebookError(f"{path} is not a readable notebook; restore it.") from None
    try:
        execute(notebook, path.stem, is_full, **variables)
    except NotebookError as error:
        copy = _copy_of(path)
        _write(notebook, copy)
        shown = relative_to_project(copy)
        raise NotebookError(f"{error} (the traceback is in {shown})") from None
    return notebook


def _write(notebook: NotebookNode, path: Path) -> None:
    with atomic_write(path) as unfinished:
        nbformat.write(notebook, unfinished)


def summarise(is_full: bool, seconds: dict[str, float]) -> str:
    """Say what was run, how long it took, how well it went, and where the results are."""
    folder = trained_folder(is_full)
    figures = read_facts(folder / EVALUATION_FILE)
    scores = figures["folds_of_the_quick_recipe"]
    data = "full MNIST, 70,000 digits" if is_full else "sample of 5,000 digits"
    rows = [
        ("data", data),
        *((f"time {name}", f"{duration:.0f} s") for name, duration in seconds.items()),
        ("time in all", f"{sum(seconds.values()) / 60:.1f} min"),
        ("5 folds, quick recipe", f"{scores['mean']:.2%} ± {scores['std']:.2%} (mean ± std)"),
        ("test accuracy", f"{figures['test_accuracy']:.2%}"),
        ("trained network", str(relative_to_project(folder / MODEL_FILE))),
        ("executed notebooks", str(relative_to_project(_executed_folder()))),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)


def _notebooks_folder() -> Path:
    return places.project_folder() / "notebooks"


def _executed_folder() -> Path:
    return places.build_folder() / "notebooks"


def _copy_of(path: Path) -> Path:
    return _executed_folder() / path.name


def main() -> None:
    """Run the notebooks: `python -m helpers.series.execution [--in-place] [NOTEBOOK …]`."""
    parser = argparse.ArgumentParser(prog="python -m helpers.series.execution", description=__doc__)
    parser.add_argument("notebooks", metavar="NOTEBOOK", nargs="*", type=Path)
    parser.add_argument("--in-place", action="store_true", help="store the outputs; full MNIST")
    options = parser.parse_args()
    if missing := [str(path) for path in options.notebooks if not path.is_file()]:
        parser.error(f"no such notebook: {', '.join(missing)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ending_in_one_sentence():
            _run_all(options.notebooks, options.in_place)
    except KeyboardInterrupt as interruption:
        print_error(str(interruption) or "interrupted; the same command starts over.")
        sys.exit(130)


def _run_all(chosen: Sequence[Path], in_place: bool) -> None:
    paths = chosen or sorted(_notebooks_folder().glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise NotebookError(
            f"There are no notebooks in {_notebooks_folder()}; run this in a clone of the project."
        )
    # Decided once, so that all notebooks work on the same data.
    is_full = load_mnist(full=in_place).is_full
    if in_place:
        run_in_place(paths)
    elif chosen:
        run_copies(paths, is_full)
    else:
        # Removed first, so that the summary can only be of this run.
        (trained_folder(is_full) / EVALUATION_FILE).unlink(missing_ok=True)
        print("\n" + summarise(is_full, run_copies(paths, is_full)))


if __name__ == "__main__":
    main()
