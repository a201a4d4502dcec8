"""Resumable trainings: the state after each epoch, kept in a file.

A checkpoint holds everything on which the rest of a training depends: weights, the
optimizer's averages, the state of dropout's random numbers, and the figures so far. Only
the very same training finds it again: same digits, seed, recipe, code and libraries.
`helpers.learning.saving` writes the networks that are meant to be kept.
"""

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from helpers import layout
from helpers.errors import print_error, reason
from helpers.files import atomic_write
from helpers.learning.backend import keras

import numpy as np

# Besides the arguments, these decide which network a training ends with.
CODE = [*Path(__file__).parent.glob("*.py"), Path(layout.__file__)]
LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "scikit-image")


@contextmanager
def removed_when_done(folder: Path) -> Iterator[Path]:
    """Yield a folder for checkpoints and remove it if the block succeeds.

    If the block is interrupted, the checkpoints stay, and running the block again resumes
    from there.
    """
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def fingerprint(*parts: object) -> str:
    """Name a training; other data, settings, code or libraries give another name.

    Args:
        parts: Whatever decides the training: arrays, and objects that `repr` tells apart.

    Returns:
        64 hexadecimal digits (SHA-256).
    """
    digest = hashlib.sha256()
    for part in (*parts, *map(version, LIBRARIES)):
        if isinstance(part, np.ndarray):
            digest.update(repr((part.dtype.str, part.shape)).encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
    for source in sorted(CODE):
        digest.update(source.read_bytes())
    return digest.hexdigest()


class Checkpoint(keras.callbacks.History):
    """Keeps the state of a training after each epoch, and the history of all epochs.

    The history also holds "seconds", the duration of each epoch with its validation.
    Keras' `BackupAndRestore` would leave out that history and the state of dropout's random
    numbers, so a resumed training would end elsewhere.
    """

    def __init__(self, path: Path | None):
        """Keep the state in a `.npz` file, which need not exist yet; with None, keep nothing."""
        super().__init__()
        self.path = path
        self._epoch_start = 0.0

    def restore(self, model: keras.Model) -> int:
        """Bring a fresh model, whose optimizer is built, to where the training was.

        Returns:
            The number of finished epochs; 0 if there is no readable checkpoint.
        """
        if self.path is None:
            return 0
        variables = _state(model)
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                values = [kept[f"state {number}"] for number in range(len(variables))]
                self.history = {name: kept[f"history {name}"].tolist() for name in kept["measures"]}
        except Exception:  # A damaged file costs the epochs in it, nothing more.
            return 0
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return len(self.history["loss"])

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock of this epoch."""
        self._epoch_start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Extend the history, and replace the file with the state after this epoch.

        A failed write must not stop the training: report it once and keep no further
        checkpoints.
        """
        seconds = time.perf_counter() - self._epoch_start
        super().on_epoch_end(epoch, {**(logs or {}), "seconds": seconds})
        if self.path is None:
            return
        state = {f"state {number}": value for number, value in enumerate(_state(self.model))}
        figures = {f"history {name}": values for name, values in self.history.items()}
        try:
            with atomic_write(self.path) as unfinished:
                np.savez(unfinished, measures=list(self.history), **state, **figures)
        except OSError as error:
            print_error(
                f"{self.path.parent} cannot be written ({reason(error)}), so this training "
                "starts over if it is interrupted."
            )
            self.path = None


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
