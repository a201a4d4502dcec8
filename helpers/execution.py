"""Runs the notebooks in order from the command line: `make tutorial` and `make notebooks`.

Copies are executed under `build/`, so that the repository stays as it was; with
`--in-place` the outputs are stored in the notebooks themselves. Whether they are the
right ones is for nbval to say.
"""

import argparse
import base64
import io
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from helpers.data import DataError, load_mnist
from helpers.files import written_whole
from helpers.saving import EVALUATION_FILE, MODEL_FILE, ModelFileError, read_facts, trained_folder

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image
from traitlets.config import Config

PROJECT_FOLDER = Path(__file__).parent.parent
NOTEBOOKS = PROJECT_FOLDER / "notebooks"
EXECUTED = PROJECT_FOLDER / "build" / "notebooks"
CELL_TIMEOUT_SECONDS = 3600
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class NotebookError(Exception):
    """A notebook did not run to its end; the message names the cell and the error."""


def execute(notebook: NotebookNode, name: str) -> None:
    """Execute a notebook's cells in order in a fresh kernel and store their outputs in it.

    Prints each code cell's number, id and duration as it runs.

    Args:
        notebook: The notebook; changed in place.
        name: What error messages call it.

    Raises:
        NotebookError: If a cell raises, takes longer than an hour, or its kernel dies.
    """
    code_cells = [cell.id for cell in notebook.cells if cell.cell_type == "code"]
    running = {"id": "before the first cell", "since": time.perf_counter()}

    def show_start(cell, cell_index):
        if cell.cell_type == "code":
            running.update(id=cell.id, since=time.perf_counter())
            number = code_cells.index(cell.id) + 1
            print(f"  {number:2} of {len(code_cells)}  {cell.id:32}", end="", flush=True)

    def show_end(cell, cell_index, execute_reply):
        print(f"{time.perf_counter() - running['since']:7.1f} s", flush=True)

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=True,  # What sliders show is kept there; without it, nbclient fails.
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        # Without it, each kernel warns that others on this machine might listen in.
        config=Config(KernelManager={"transport_encryption": "auto"}),
        on_cell_start=show_start,
        on_cell_executed=show_end,
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        print()
        raise NotebookError(f"{name}, cell {running['id']}: {_reason(error)}") from None
    notebook.metadata.pop("language_info", None)
    notebook.metadata.pop("widgets", None)
    drop_widgets(notebook)
    shrink_pictures(notebook)


def drop_widgets(notebook: NotebookNode) -> None:
    """Take widgets from the outputs: without their kernel, they show nothing but an error."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if WIDGET_VIEW not in output.get("data", {})
            ]


def shrink_pictures(notebook: NotebookNode) -> None:
    """Store each PNG among the outputs with a palette of 256 colours, a third of the size.

    Figures have fewer colours than that, so nothing visible is lost.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
                shrunk = io.BytesIO()
                picture.quantize(256).save(shrunk, "PNG", optimize=True)
                output["data"]["image/png"] = base64.b64encode(shrunk.getvalue()).decode()


def _reason(error: Exception) -> str:
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    return str(error)


def run_copies(paths: Sequence[Path]) -> dict[str, float]:
    """Execute a copy of each notebook under `build/notebooks`.

    One that fails half way is kept there, too, with the traceback.

    Returns:
        Seconds that each notebook took, by its name.
    """
    seconds = {}
    for path in paths:
        print(path.stem, flush=True)
        start = time.perf_counter()
        _write(_executed(path), EXECUTED / path.name)
        seconds[path.stem] = time.perf_counter() - start
    return seconds


def run_in_place(paths: Sequence[Path]) -> None:
    """Execute each notebook and store its outputs in it; one that fails stays as it was."""
    for path in paths:
        print(path.stem, flush=True)
        _write(_executed(path), path)


def _executed(path: Path) -> NotebookNode:
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # Whatever a file holds that is no notebook.
        raise NotebookError(f"{path} is no notebook that can be read; restore it.") from None
    try:
        execute(notebook, path.stem)
    except NotebookError as error:
        copy = EXECUTED / path.name
        _write(notebook, copy)
        raise NotebookError(f"{error} (the traceback is in {_shown(copy)})") from None
    return notebook


def _write(notebook: NotebookNode, path: Path) -> None:
    with written_whole(path) as unfinished:
        nbformat.write(notebook, unfinished)


def summarise(is_full: bool, seconds: dict[str, float]) -> str:
    """Say what was run, how long it took, how well it went, and where the results are."""
    folder = trained_folder(is_full)
    figures = read_facts(folder / EVALUATION_FILE)
    scores = figures["cross_validation"]
    data = "full MNIST, 70,000 digits" if is_full else "sample of 5,000 digits (no network)"
    rows = [
        ("data", data),
        *((f"time {name}", f"{duration:.0f} s") for name, duration in seconds.items()),
        ("time in all", f"{sum(seconds.values()) / 60:.1f} min"),
        ("cross-validation", f"{scores['mean']:.2%} ± {scores['std']:.2%} (mean ± std)"),
        ("test accuracy", f"{figures['test_accuracy']:.2%}"),
        ("trained network", _shown(folder / MODEL_FILE)),
        ("executed notebooks", _shown(EXECUTED)),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)


def _shown(path: Path) -> str:
    inside = path.is_relative_to(PROJECT_FOLDER)
    return str(path.relative_to(PROJECT_FOLDER) if inside else path)


def main() -> None:
    """Run the notebooks: `python -m helpers.execution [--in-place] [NOTEBOOK …]`."""
    parser = argparse.ArgumentParser(prog="python -m helpers.execution", description=__doc__)
    parser.add_argument("notebooks", metavar="NOTEBOOK", nargs="*", type=Path)
    parser.add_argument("--in-place", action="store_true", help="store the outputs; full MNIST")
    options = parser.parse_args()
    if missing := [str(path) for path in options.notebooks if not path.is_file()]:
        parser.error(f"no such notebook: {', '.join(missing)}")
    paths = options.notebooks or sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if options.in_place:
        os.environ["MNIST_DATA"] = "full"
    try:
        is_full = load_mnist().is_full
        # Decided once, so that all notebooks work on the same data.
        os.environ["MNIST_DATA"] = "full" if is_full else "sample"
        if options.in_place:
            run_in_place(paths)
            return
        if options.notebooks:
            run_copies(paths)
            return
        # So that the summary can only be of this run.
        (trained_folder(is_full) / EVALUATION_FILE).unlink(missing_ok=True)
        print("\n" + summarise(is_full, run_copies(paths)))
    except (DataError, NotebookError, ModelFileError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
