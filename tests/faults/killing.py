"""Kills trainings, cross-validations and saves at random moments, with SIGKILL.

Run again, a killed run must end with the same scores, to the bit, as an undisturbed one; a file
that was being written must be the old one or the new one. `python -m tests.faults.killing` does
so many times; `make test` a few times.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.tables import PROJECT, write_table

import numpy as np

SEED = 0
TRAININGS, SAVINGS = 10, 20

COMMON = """
import hashlib, sys
from dataclasses import replace
from pathlib import Path
from helpers.learning.checkpoints import removed_when_done
from helpers.data import load_sample
from helpers.learning.trials import cross_validate
from helpers.learning.models import build_cnn
from helpers.learning.saving import save_model
from helpers.learning.training import QUICK, train
import numpy as np

folder = Path(sys.argv[1])
sample = load_sample()
images, labels = sample.x_train[:1500, ..., None], sample.y_train[:1500]

def digest(*arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays))
"""

TRAINING = """
recipe = replace(QUICK, epochs=6, redrawn=0.1)
print("begin", flush=True)
with removed_when_done(folder) as checkpoints:
    model, history = train(images, labels, 3, recipe, checkpoints=checkpoints)
print(digest(*model.get_weights(), np.array(history["loss"])).hexdigest())
"""

CROSS_VALIDATION = """
recipe = replace(QUICK, epochs=3)
print("begin", flush=True)
with removed_when_done(folder) as checkpoints:
    result = cross_validate(images, labels, 3, recipe, folds=5, checkpoints=checkpoints)
print(digest(result.probabilities, result.scores).hexdigest())
"""

# Two networks take turns under one name.
SAVING = """
networks = [build_cnn("large"), build_cnn("large")]
for value, network in enumerate(networks):
    network.set_weights([np.full_like(weights, value) for weights in network.get_weights()])
save_model(networks[0], folder / "digits.keras")
print("begin", flush=True)
while True:
    for network in networks:
        save_model(network, folder / "digits.keras")
"""


class Process:
    """A script in its own process group that has begun its work."""

    def __init__(self, script: str, folder: Path):
        """Start the script, and wait until it prints "begin"."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", COMMON + script, str(folder)],
            stdout=subprocess.PIPE, text=True, cwd=PROJECT, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "begin\n":
            raise RuntimeError("the script failed before it began")

    def result(self) -> str:
        """Wait for its end, and return the last line that it prints."""
        out, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("the script failed")
        return out.splitlines()[-1]

    def kill(self, seconds: float) -> None:
        """Kill it and all its child processes, so many seconds after it began."""
        time.sleep(seconds)
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


def kill_and_repeat(script: str, times: int, rng: np.random.Generator) -> list[dict]:
    """Kill a script at a random moment, run it again and compare the results, several times.

    Returns:
        A row a time: after how many seconds it was killed, how many checkpoints there
        were, whether the repetition ended like a run that was left alone, and whether
        it cleaned up.
    """
    with tempfile.TemporaryDirectory() as name:
        process = Process(script, Path(name) / "unfinished")
        start = time.perf_counter()
        undisturbed = process.result()
        duration = time.perf_counter() - start
    rows = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "unfinished"
            seconds = rng.uniform(0.2, 0.95) * duration
            Process(script, folder).kill(seconds)
            left = len(list(folder.glob("*.npz")))
            same = Process(script, folder).result() == undisturbed
            rows.append(
                {
                    "killed after": f"{seconds:.1f} of {duration:.1f} s",
                    "checkpoints": left,
                    "ended the same": same,
                    "cleaned up": not folder.exists(),
                }
            )
    return rows


def kill_while_saving(times: int, rng: np.random.Generator) -> list[dict]:
    """Kill a process that keeps saving two networks in turn, and check the file that is left.

    Returns:
        A row a time: after how many seconds it was killed, and whether the file held
        one of the two networks, whole.
    """
    from helpers.learning.saving import load_model

    rows = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            seconds = rng.uniform(0.0, 1.0)
            Process(SAVING, Path(name)).kill(seconds)
            weights = load_model(Path(name) / "digits.keras").get_weights()
            values = {float(value) for array in weights for value in np.unique(array)}
            rows.append({"killed after": f"{seconds:.2f} s", "whole": values in ({0.0}, {1.0})})
    return rows


def main() -> int:
    """Run the campaign and write its table."""
    rng = np.random.default_rng(SEED)
    rows = []
    for name, script in (("training", TRAINING), ("5 folds", CROSS_VALIDATION)):
        for row in kill_and_repeat(script, TRAININGS, rng):
            rows.append({"what": name} | row)
            print(rows[-1], flush=True)
    for row in kill_while_saving(SAVINGS, rng):
        rows.append({"what": "saving"} | row)
        print(rows[-1], flush=True)
    write_table("killing", [{name: row.get(name, "") for name in COLUMNS} for row in rows])
    return int(any(row.get(name) is False for row in rows for name in COLUMNS))


COLUMNS = ("what", "killed after", "checkpoints", "ended the same", "cleaned up", "whole")


if __name__ == "__main__":
    sys.exit(main())
