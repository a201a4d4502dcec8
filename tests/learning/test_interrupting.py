"""A reader interrupts the kernel in the middle of a training, and runs the cell again."""

import time
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

SETUP = """
from dataclasses import replace
from pathlib import Path
from helpers.learning.checkpoints import removed_when_done
from helpers.data import load_sample
from helpers.learning.trials import cross_validate
from helpers.learning.training import QUICK, train
sample = load_sample()
images, labels = sample.x_train[:800, ..., None], sample.y_train[:800]
folder = Path({folder!r})
"""

TRAINING = """
with removed_when_done(folder) as checkpoints:
    model, history = train(images, labels, 3, replace(QUICK, epochs=8), checkpoints=checkpoints)
"""

CROSS_VALIDATION = """
with removed_when_done(folder) as checkpoints:
    result = cross_validate(
        images, labels, 3, replace(QUICK, epochs=4), folds=2, processes=2, checkpoints=checkpoints
    )
history = result.history
"""


@pytest.fixture(scope="module")
def kernel():
    """A client of a running kernel, as JupyterLab has it."""
    manager = KernelManager(kernel_name="python3", transport_encryption="auto")
    manager.start_kernel(cwd=str(NOTEBOOKS))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    client.manager = manager
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(kernel, code):
    """Run a cell to its end; "ok", or the name of the error."""
    # After an error, the kernel would drop a cell that comes at once.
    reply = kernel.execute(code, reply=True, timeout=300, stop_on_error=False)["content"]
    return reply["status"] if reply["status"] == "ok" else reply["ename"]


@pytest.mark.parametrize("cell", [TRAINING, CROSS_VALIDATION], ids=["training", "folds"])
def test_an_interrupted_cell_goes_on_where_it_was_when_run_again(kernel, tmp_path, cell):
    folder = tmp_path / "unfinished"
    assert run(kernel, SETUP.format(folder=str(folder))) == "ok"
    interrupted = kernel.execute(cell, stop_on_error=False)
    deadline = time.monotonic() + 200
    while not list(folder.glob("*.npz")) and time.monotonic() < deadline:
        time.sleep(0.02)
    kernel.manager.interrupt_kernel()
    while (reply := kernel.get_shell_msg(timeout=100))["parent_header"]["msg_id"] != interrupted:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert list(folder.glob("*.npz"))
    assert run(kernel, cell) == "ok"
    assert not folder.exists()
    # Not all epochs were left to do: those of the first run took their time then.
    assert run(kernel, "assert len(history['loss']) == 8") == "ok"
    assert run(kernel, "1 / 0") == "ZeroDivisionError"  # and the kernel still answers
