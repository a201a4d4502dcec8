"""What nbval leaves out: solutions that are run, cells that are not reached, processes.

nbval runs the cells of a notebook. Here the Python blocks in its folded solutions run after
the last cell, in the same kernel, as they would for a reader.
"""

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbval.plugin import IPyNbCell, IPyNbFile
from xdist.scheduler import LoadFileScheduling

# Kernels of tested notebooks use the ten digits that ship, whatever a developer has drawn.
os.environ["MNIST_TEN"] = "shipped"

EXERCISE = re.compile(r"^\*\*(\d)\.(.*?)</details>", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


class NotebookWithSolutions(IPyNbFile):
    """A notebook with a test for each code cell, then one for each block of a solution."""

    def collect(self) -> Iterator[IPyNbCell]:
        """Yield the tests in the order in which they run."""
        cells = list(super().collect())
        yield from cells
        for place, (exercise, code) in enumerate(solutions(self.nb), start=len(cells)):
            yield IPyNbCell.from_parent(
                self,
                name=f"Solution of exercise {exercise}",
                cell_num=place,
                cell=new_code_cell(code),
                options=defaultdict(bool),
            )


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list, list]:
    """Let nbval decide what is a notebook, and add the solutions to it."""
    collected = yield
    return [
        NotebookWithSolutions.from_parent(file.parent, path=file.path)
        if isinstance(file, IPyNbFile)
        else file
        for file in collected
    ]


def solutions(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Find the Python blocks in the solutions, each with the number of its exercise."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    exercises = itertools.dropwhile(lambda text: "## Exercises" not in text, texts)
    for number, text in EXERCISE.findall("\n\n".join(exercises)):
        for code in CODE.findall(text):
            yield number, code


class TrainedNotebooksTogether(LoadFileScheduling):
    """Sends the notebooks that use the network of 05 to one process, in order; others to any."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "trained" if re.search(r"0[5-8]_\w+\.ipynb$", file) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TrainedNotebooksTogether:
    """Share out the tests of `-n 2`; xdist's own groups are lost on pytest 9.2 (xdist #1386)."""
    return TrainedNotebooksTogether(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Report an nbval cell that was not reached as failed.

    nbval marks the cells after a time-out as expected failures, so a notebook that never ran
    to its end would pass.
    """
    report = yield
    if isinstance(item, IPyNbCell) and hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.name} was not run: {report.wasxfail}"
        del report.wasxfail
    return report
