"""Shows how far a training is, in a notebook or on a terminal."""

import time

from helpers.backend import keras

from IPython import get_ipython
from IPython.display import display


class Progress(keras.callbacks.Callback):
    """Shows how far a training is: one line that renews itself in a notebook.

    Outside a notebook it prints a line after each epoch.

    Attributes:
        seconds: Duration of each finished epoch, validation included.
    """

    REFRESH_SECONDS = 1.0

    def __init__(self, label: str = "training"):
        super().__init__()
        self.label = label
        self.seconds: list[float] = []

    def on_train_begin(self, logs=None):
        self._start = self._last_shown = time.perf_counter()
        self._display = display(_Line(""), display_id=True) if _in_notebook() else None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._epoch_start = epoch, time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if self._display is not None and now - self._last_shown > self.REFRESH_SECONDS:
            self._last_shown = now
            done = self._epoch + (batch + 1) / (self.params["steps"] or batch + 1)
            self._display.update(_Line(self._describe(done)))

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self._epoch_start)
        if self._display is None:
            print(self._describe(epoch + 1), flush=True)

    def on_train_end(self, logs=None):
        if self._display is not None:
            self._display.update(_Line(self._describe(self.params["epochs"])))

    def _describe(self, epochs_done: float) -> str:
        epochs = self.params["epochs"]
        elapsed = time.perf_counter() - self._start
        text = f"{self.label}: {epochs_done:.1f} of {epochs} epochs, {elapsed:.0f} s"
        left = elapsed / epochs_done * (epochs - epochs_done)
        return text + (f", about {left:.0f} s left" if left >= 1 else "")


class _Line:
    """Text that a notebook displays without quotes."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self):
        return self.text


def _in_notebook() -> bool:
    return hasattr(get_ipython(), "kernel")
