"""What nbval leaves out: solutions that are run, cells that are not reached, processes.

nbval runs the cells of a notebook. Here the Python blocks in its folded solutions are
run after the last cell, in the same kernel, as a reader would do.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbval.plugin import IPyNbCell, IPyNbFile
from xdist.scheduler import LoadFileScheduling

EXERCISE = re.compile(r"^\*\*(\d)\.(.*?)</details>", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)

collect_cells = IPyNbFile.collect


def pytest_configure():
    """Have nbval collect the solutions, too; it offers no hook for that."""
    IPyNbFile.collect = collect_with_solutions


def collect_with_solutions(file: IPyNbFile) -> Iterator[IPyNbCell]:
    """Give a test for each code cell of a notebook, then one for each block of a solution."""
    cells = list(collect_cells(file))
    yield from cells
    for place, (exercise, code) in enumerate(solutions(file.nb), start=len(cells)):
        yield IPyNbCell.from_parent(
            file,
            name=f"Solution of exercise {exercise}",
            cell_num=place,
            cell=new_code_cell(code),
            options=defaultdict(bool),
        )


def solutions(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Find the Python blocks in the solutions, each with the number of its exercise."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "## Exercises" in cell.source:
            for number, text in EXERCISE.findall(cell.source):
                for code in CODE.findall(text):
                    yield number, code


class NotebooksTogether(LoadFileScheduling):
    """All notebooks go to one process, for some use what others trained; other files to any."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "notebooks" if file.endswith(".ipynb") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share out the tests of `-n 2`; xdist's own groups are lost on pytest 9.2 (xdist #1386)."""
    return NotebooksTogether(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Report an nbval cell that was not reached as failed.

    nbval marks the cells after one that timed out as expected failures, which would
    let a notebook pass that never ran to its end.
    """
    report = yield
    if isinstance(item, IPyNbCell) and hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.name} was not run: {report.wasxfail}"
        del report.wasxfail
    return report
