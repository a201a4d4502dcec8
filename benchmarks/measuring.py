"""Measures one training: seconds, processor time, and test accuracy by epoch.

The clock stops while the test set is scored, and the scores decide nothing: a training runs
all its epochs.
"""

import time
from collections.abc import Callable

from helpers.learning.backend import keras, tf
from helpers.learning.evaluation import accuracy, average_over_shifts, predict_probabilities

import numpy as np

# Accuracies whose times are reported: a round one, that of the published project, a hard one.
MILESTONES = (0.99, 0.9913, 0.995)
# A large matrix product shows what the processor can do.
PEAK_SIZE = 2048
PEAK_PRODUCTS = 20


class Scoreboard:
    """A stopwatch that pauses after each epoch while the test set is scored.

    It starts when it is created, so create it right before the network.

    Attributes:
        epochs: A row for each finished epoch: "epoch" (from 1), "seconds" and
            "cpu_seconds" since the start (the latter summed over all cores),
            "accuracy" on the test set, 0 to 1.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray):
        """Keep the test set, images (n, 28, 28, 1) uint8 and labels (n,), and start."""
        self.images, self.labels = images, labels
        self._last_predict: Callable[[np.ndarray], np.ndarray] | None = None
        self.epochs: list[dict[str, float]] = []
        self._seconds = self._cpu_seconds = 0.0
        self._resume()

    def score(self, predict: Callable[[np.ndarray], np.ndarray]) -> None:
        """Pause, score the test set, record the epoch, resume.

        Args:
            predict: Turns (n, 28, 28, 1) uint8 into (n, 10) probabilities.
        """
        self._pause()
        self._last_predict = predict
        self.epochs.append(
            {
                "epoch": len(self.epochs) + 1,
                "seconds": self._seconds,
                "cpu_seconds": self._cpu_seconds,
                "accuracy": accuracy(predict(self.images), self.labels),
            }
        )
        self._resume()

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predict with the network last scored: (n, 28, 28, 1) uint8 to (n, 10)."""
        assert self._last_predict is not None, "an epoch was scored"
        return self._last_predict(images)

    def accuracy_over_shifts(self) -> float:
        """Accuracy, 0 to 1, of the network last scored, averaged over nine positions."""
        return accuracy(average_over_shifts(self.predict, self.images), self.labels)

    def _resume(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def _pause(self) -> None:
        self._seconds += time.perf_counter() - self._since[0]
        self._cpu_seconds += time.process_time() - self._since[1]


class ScoreEachEpoch(keras.callbacks.Callback):
    """Scores a Keras training after each epoch."""

    def __init__(self, board: Scoreboard):
        super().__init__()
        self.board = board

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Score the network as it is now."""
        self.board.score(lambda images: predict_probabilities(self.model, images))


def time_to(epochs: list[dict[str, float]], goal: float) -> float | None:
    """Seconds until the first epoch whose test accuracy reaches a goal has ended, or None."""
    return next((row["seconds"] for row in epochs if row["accuracy"] >= goal), None)


def peak_gflops() -> float:
    """Peak performance of the processor: 10^9 float32 operations a second in a matrix product.

    The best of several products, since other processes can only slow one down.
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
    """Performance of a training: 10^9 float32 operations a second.

    A multiply-add is two operations, and each is done three times: forwards, for
    the gradient of the layer's input, and for that of its weights. Other
    layers count as nothing.

    Args:
        multiply_adds: Multiply-adds of one image in the forward pass.
        images: Images trained on, in all epochs together.
        seconds: Duration of the training.
    """
    return 2 * 3 * multiply_adds * images / seconds / 1e9
