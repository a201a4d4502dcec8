"""Makes a notebook fail as a whole when a cell takes too long.

nbval marks the cells after one that timed out as expected failures, which would
let a notebook pass that never ran to its end.
"""

import pytest
from nbval.plugin import IPyNbCell


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Report an nbval cell that was not reached as failed."""
    report = yield
    if isinstance(item, IPyNbCell) and hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.name} was not run: {report.wasxfail}"
        del report.wasxfail
    return report
