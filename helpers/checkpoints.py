"""Trainings that can be taken up again: where they are after each epoch, in a file.

A checkpoint holds all that the rest of a training depends on: weights, the optimizer's
averages, the state of dropout's random numbers, and the figures so far. Only the very
same training finds it again: same digits, seed, recipe, code and libraries. Networks
that are to be kept are the business of `helpers.saving`.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from helpers.backend import keras
from helpers.files import written_whole

import numpy as np

# What decides, besides the arguments, which network a training ends with.
CODE = Path(__file__).parent
LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "scikit-image")


@contextmanager
def removed_when_done(folder: Path) -> Iterator[Path]:
    """Hand out a folder for checkpoints; remove it if the block succeeds.

    If the block is interrupted, the checkpoints stay, and the same block run again
    goes on from there.
    """
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def fingerprint(*parts: object) -> str:
    """A name for a training: another one for other data, settings, code or libraries.

    Args:
        parts: What decides about the training: arrays, and whatever `repr` tells apart.

    Returns:
        64 hexadecimal digits (SHA-256).
    """
    digest = hashlib.sha256()
    for part in (*parts, *map(version, LIBRARIES)):
        if isinstance(part, np.ndarray):
            digest.update(repr((part.dtype.str, part.shape)).encode())
            digest.update(np.ascontiguousarray(part))
        else:
            digest.update(repr(part).encode())
    for source in sorted(CODE.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


class Checkpoint(keras.callbacks.History):
    """Keeps where a training is after each of its epochs, and the history of all of them.

    Not Keras' `BackupAndRestore`: that one leaves out the state of dropout's random
    numbers and the history, so a continued training would end elsewhere.
    """

    def __init__(self, path: Path | None):
        """Keep it in a `.npz` file, which need not exist yet; with None, keep nothing."""
        super().__init__()
        self.path = path

    def restore(self, model: keras.Model) -> int:
        """Bring a fresh, compiled model to where the training was.

        Returns:
            The number of epochs that are done; 0 if there is no checkpoint, or none
            that can be read.
        """
        if self.path is None:
            return 0
        model.optimizer.build(model.trainable_variables)
        variables = _state(model)
        try:
            with np.load(self.path, allow_pickle=False) as kept:
                values = [kept[f"state {number}"] for number in range(len(variables))]
                self.history = {name: kept[f"history {name}"].tolist() for name in kept["measures"]}
        except Exception:  # A damaged file costs the epochs that it held, nothing more.
            return 0
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return len(self.history["loss"])

    def on_epoch_end(self, epoch, logs=None):
        """Add to the history, and replace the file by the state after this epoch.

        A training shall not end because this cannot be written: it is told, and not
        tried again.
        """
        super().on_epoch_end(epoch, logs)
        if self.path is None:
            return
        state = {f"state {number}": value for number, value in enumerate(_state(self.model))}
        figures = {f"history {name}": values for name, values in self.history.items()}
        try:
            with written_whole(self.path) as unfinished:
                np.savez(unfinished, measures=list(self.history), **state, **figures)
        except OSError as error:
            reason = error.strerror or error
            print(
                f"{self.path.parent} cannot be written ({reason}): if this training is "
                "interrupted, it begins anew.",
                file=sys.stderr,
            )
            self.path = None


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
