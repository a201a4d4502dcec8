"""Shows how far one training is, or several at once, in a notebook or on a terminal.

It neither keeps nor draws the figures of a training: see `helpers.learning.training`, and
`helpers.learning.live` for a figure that grows.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from helpers.learning.backend import keras

from IPython import get_ipython
from IPython.display import display

REFRESH_SECONDS = 1.0


class Progress(keras.callbacks.Callback):
    """Shows how far a training is: one line that updates itself in a notebook.

    Outside a notebook it prints a line after each epoch.
    """

    def __init__(self, label: str = "training"):
        super().__init__()
        self.label = label
        self._line: _Line | None = None
        self._last_shown = 0.0
        self._epoch = 0
        self._epochs_before: int | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._last_shown = time.perf_counter()
        self._epochs_before = None
        self._line = _Line(self.label)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch
        if self._epochs_before is None:  # More than 0 if the training is resumed.
            self._epochs_before = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        now = time.perf_counter()
        if now - self._last_shown > REFRESH_SECONDS:
            self._last_shown = now
            self._show(self._epoch + (batch + 1) / (self.params["steps"] or batch + 1))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._show(epoch + 1)

    def _show(self, epochs_done: float) -> None:
        if self._line is not None:
            before = self._epochs_before or 0
            self._line.show(epochs_done, self.params["epochs"], "epochs", before)


class ReportedProgress(Progress):
    """Reports how far a training is to the process that waits for it: see `watched`.

    Args:
        path: A file that holds two shares of the training, 0 to 1: what is done, and how
            much of that an earlier run did. On another machine it has no effect.
    """

    def __init__(self, path: Path):
        super().__init__()
        self.path = path

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._last_shown = time.perf_counter()
        self._epochs_before = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        if logs and "val_accuracy" in logs:
            line = f"{epoch + 1} {float(logs['val_accuracy'])}\n"
            with suppress(OSError), _scores_beside(self.path).open("a", encoding="ascii") as scores:
                scores.write(line)

    def finish(self) -> None:
        """Report a training as done that had nothing left to do, so it began no epoch."""
        if self._epochs_before is None:
            self._report(1, 1)

    def _show(self, epochs_done: float) -> None:
        epochs = self.params["epochs"]
        self._report(epochs_done / epochs, (self._epochs_before or 0) / epochs)

    def _report(self, done: float, before: float) -> None:
        with suppress(OSError):
            self.path.write_text(f"{done} {before}", encoding="ascii")


@contextmanager
def watched(
    parts: int,
    label: str,
    unit: str,
    on_scores: Callable[[list[dict[int, float]]], None] | None = None,
) -> Iterator[list[Path]]:
    """Show in one line how far several trainings in other processes are.

    Args:
        parts: How many trainings there are.
        label: What they are together.
        unit: What each of them is, in the plural.
        on_scores: Gets, whenever an epoch has ended, the validation accuracy of each training
            by epoch, from 1.

    Yields:
        A file for each training, for its `ReportedProgress`.
    """
    with TemporaryDirectory(prefix="progress-", ignore_cleanup_errors=True) as folder:
        reports = [Path(folder) / str(part) for part in range(parts)]
        line, finished = _Line(label), threading.Event()

        def watch() -> None:
            shown: list[dict[int, float]] = [{} for _ in reports]
            while not finished.wait(REFRESH_SECONDS):
                done, before = map(sum, zip(*map(_read_shares, reports), strict=True))
                line.show(done, parts, unit, before)
                if on_scores and (scores := list(map(_read_scores, reports))) != shown:
                    on_scores(scores)
                    shown = scores

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield reports
        finally:
            finished.set()
            watcher.join()
        line.show(parts, parts, unit)


def _read_shares(report: Path) -> tuple[float, float]:
    try:
        done, before = map(float, report.read_text(encoding="ascii").split())
    except (OSError, ValueError):  # It has not begun, or is being written.
        return 0.0, 0.0
    return done, before


def _scores_beside(report: Path) -> Path:
    return report.with_suffix(".scores")


def _read_scores(report: Path) -> dict[int, float]:
    try:
        lines = _scores_beside(report).read_text(encoding="ascii").splitlines()
        return {int(epoch): float(score) for epoch, score in map(str.split, lines)}
    except (OSError, ValueError):  # As above.
        return {}


class _Line:
    """A line that says how much is done and how long the rest will take.

    It updates itself in a notebook; elsewhere it is printed once for each finished part.
    """

    def __init__(self, label: str):
        self.label = label
        self._start = time.perf_counter()
        self._printed = 0
        self._display = display(_Text(""), display_id=True) if in_notebook() else None

    def show(self, done: float, total: int, unit: str, before: float = 0.0) -> None:
        """Say that `done` of `total` are finished, `before` of them in an earlier run."""
        if self._display is not None:
            self._display.update(_Text(self._describe(done, total, unit, before)))
        elif int(done) > self._printed:
            self._printed = int(done)
            print(self._describe(done, total, unit, before), flush=True)

    def _describe(self, done: float, total: int, unit: str, before: float) -> str:
        elapsed = time.perf_counter() - self._start
        text = f"{self.label}: {done:.1f} of {total} {unit}, {elapsed:.0f} s"
        left = elapsed / (done - before) * (total - done) if done > before else 0
        return text + (f", about {left:.0f} s left" if left >= 1 else "")


class _Text:
    """Text that a notebook displays without quotes."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


def in_notebook() -> bool:
    """Whether this runs in a notebook's kernel, so that an output can renew itself."""
    return hasattr(get_ipython(), "kernel")
