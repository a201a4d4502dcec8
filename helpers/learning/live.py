"""Trainings to watch: the curve of one and its answers to ten digits from before its first step.

Or the curves of several, side by side.
The figure renews itself in a notebook; `helpers.plots` draws it. How long the rest takes is
said by `helpers.learning.progress`.
"""

from collections.abc import Mapping, Sequence

from helpers.learning.backend import keras
from helpers.learning.progress import in_notebook
from helpers.plots import plot_epochs, plot_folds

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import DisplayHandle, display

# When the digits are also read in the first epoch, in which most of it happens: after so many
# batches.
EARLY = (0, 25, 50, 100, 200)


class LiveFigure(keras.callbacks.Callback):
    """Draws after each epoch how many digits are misread, and what ten of them are taken for.

    The ten are also read before the training and a few times in its first epoch. It reads the
    digits and changes nothing, so the training ends with the same network as without it. If an
    interrupted training is continued with the same object, the figure shows the epochs before,
    too. Outside a notebook nothing is drawn.

    Attributes:
        history: For each finished epoch, from 1, the measures that Keras reports.
        answers: For each row of digits its answers, (10,), by the moment: epochs finished, and
            batches since then.
    """

    def __init__(self, rows: Mapping[str, np.ndarray]):
        """Watch some digits.

        Args:
            rows: The name of each row and its images of 0 to 9, (10, 28, 28, 1), 0 to 255.
        """
        super().__init__()
        self.rows = dict(rows)
        self.history: dict[int, dict[str, float]] = {}
        self.answers: dict[str, dict[tuple[int, int], np.ndarray]] = {name: {} for name in rows}
        self._epoch = 0
        self._handle: DisplayHandle | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begin a new figure."""
        self._handle = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Forget what an earlier training reported of this epoch and later ones."""
        self._epoch = epoch
        self.history = {number: kept for number, kept in self.history.items() if number <= epoch}
        for name, by_moment in self.answers.items():
            kept = {moment: given for moment, given in by_moment.items() if moment <= (epoch, 0)}
            self.answers[name] = kept
        if epoch == 0:
            self._read((0, 0))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Read the digits, and draw, if this is one of the moments of the first epoch."""
        if self._epoch == 0 and batch + 1 in EARLY:
            self._read((0, batch + 1))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Read the digits, and draw."""
        self.history[epoch + 1] = {name: float(value) for name, value in (logs or {}).items()}
        self._read((epoch + 1, 0))

    def _read(self, moment: tuple[int, int]) -> None:
        for name, images in self.rows.items():
            probabilities = self.model(images, training=False)
            self.answers[name][moment] = np.argmax(probabilities, axis=1)
        if in_notebook():
            self._show()

    def _show(self) -> None:
        history = pd.DataFrame.from_dict(self.history, orient="index")
        figure = plot_epochs(history, self.rows, self.answers, self.params["epochs"])
        plt.close(figure)  # Or the notebook would show it once more at the end of the cell.
        if self._handle is None:
            self._handle = display(figure, display_id=True)
        else:
            self._handle.update(figure)


class LiveFolds:
    """Draws how many digits each fold of a cross-validation misreads, while it still runs.

    Outside a notebook nothing is drawn.
    """

    def __init__(self, epochs: int):
        """Get ready to draw.

        Args:
            epochs: How many epochs each fold will be trained.
        """
        self.epochs = epochs
        self._handle: DisplayHandle | None = None

    def show(self, scores: Sequence[Mapping[int, float]]) -> None:
        """Draw, or renew the figure.

        Args:
            scores: For each fold its validation accuracy, 0 to 1, by epoch, from 1.
        """
        if not in_notebook():
            return
        figure = plot_folds(scores, self.epochs)
        if self._handle is None:
            self._handle = display(figure, display_id=True)
        else:
            self._handle.update(figure)
