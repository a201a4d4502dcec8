"""Puts one training on the clock: seconds, processor time, test accuracy by epoch, memory.

The test set is scored off the clock and decides nothing: a training runs all its
epochs, whatever the scores. Linux and macOS only, for the memory of a process.
"""

import multiprocessing
import os
import platform
import re
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from helpers.backend import keras, tf
from helpers.evaluation import accuracy, average_over_shifts, predict_probabilities

import numpy as np

# The accuracies whose times are reported: a round one, the published project's, a hard one.
MILESTONES = (0.99, 0.9913, 0.995)
# The large matrix product that stands for what the processor can do.
PEAK_SIZE = 2048
PEAK_PRODUCTS = 20


class Scoreboard:
    """A stopwatch that is halted after each epoch while the test set is scored.

    It starts when it is made, so make it right before the network.

    Attributes:
        epochs: A row for each finished epoch: "epoch" (from 1), "seconds" and
            "cpu_seconds" since the start (the latter summed over all cores),
            "accuracy" on the test set, 0 to 1.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray):
        """Keep the test set, images (n, 28, 28, 1) uint8 and labels (n,), and start."""
        self.images, self.labels = images, labels
        self.epochs: list[dict[str, float]] = []
        self._seconds = self._cpu_seconds = 0.0
        self._resume()

    def score(self, predict: Callable[[np.ndarray], np.ndarray]) -> None:
        """Halt, score the test set, note an epoch, go on.

        Args:
            predict: Turns (n, 28, 28, 1) uint8 into (n, 10) probabilities or logits.
        """
        self._pause()
        self._predict = predict
        self.epochs.append(
            {
                "epoch": len(self.epochs) + 1,
                "seconds": self._seconds,
                "cpu_seconds": self._cpu_seconds,
                "accuracy": accuracy(predict(self.images), self.labels),
            }
        )
        self._resume()

    def accuracy_over_shifts(self) -> float:
        """Accuracy, 0 to 1, of the last epoch's network, its answers averaged over nine positions.

        To be asked for after `score`.
        """
        return accuracy(average_over_shifts(self._predict, self.images), self.labels)

    def _resume(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def _pause(self) -> None:
        self._seconds += time.perf_counter() - self._since[0]
        self._cpu_seconds += time.process_time() - self._since[1]


class ScoreEachEpoch(keras.callbacks.Callback):
    """Tells a scoreboard after each epoch of a Keras training."""

    def __init__(self, board: Scoreboard):
        super().__init__()
        self.board = board

    def on_epoch_end(self, epoch, logs=None):
        """Score the network as it is now."""
        self.board.score(lambda images: predict_probabilities(self.model, images))


def in_fresh_process(function: Callable, *arguments: object) -> object:
    """Call a function of a module in a process of its own, and return what it returns."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as executor:
        return executor.submit(function, *arguments).result()


def time_to(epochs: list[dict[str, float]], goal: float) -> float | None:
    """Seconds until the first epoch whose test accuracy reached a goal; None if none did."""
    return next((row["seconds"] for row in epochs if row["accuracy"] >= goal), None)


def peak_memory_mb() -> float:
    """The most memory that this process ever held, in MB (10^6 bytes)."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # Not `ru_maxrss`: on Linux it begins with the size of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1)) * 1024 / 1e6


def peak_gflops() -> float:
    """What the processor can do: 10^9 float32 operations a second in a large matrix product.

    The best of several products, since whatever else runs on the machine can
    only make one slower.
    """
    rng = np.random.default_rng(0)
    left, right = (
        tf.constant(rng.normal(size=(PEAK_SIZE, PEAK_SIZE)), tf.float32) for _ in range(2)
    )
    seconds = []
    for _ in range(PEAK_PRODUCTS):
        start = time.perf_counter()
        tf.linalg.matmul(left, right).numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * PEAK_SIZE**3 / min(seconds) / 1e9


def training_gflops(multiply_adds: int, images: int, seconds: float) -> float:
    """What a training did: 10^9 float32 operations a second.

    A multiply-add is two operations, and each is done three times: forwards, for
    the gradient of the layer's input, and for that of its weights. Whatever is
    neither convolution nor dense layer counts as nothing.

    Args:
        multiply_adds: What one image costs forwards.
        images: Images trained on, all epochs together.
        seconds: How long that took.
    """
    return 2 * 3 * multiply_adds * images / seconds / 1e9


def machine() -> dict[str, str | int]:
    """Describe this machine and the versions in use, for the rows of a result."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("tensorflow", "keras", "numpy", "torch")},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # Not Linux.
        lines = []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
