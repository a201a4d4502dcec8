"""Model files in Keras' format and in LiteRT's: written atomically, loaded without running code.

Networks are saved for prediction, without the optimizer's state. For training see
`helpers.learning.training`; for the facts beside a network, `helpers.facts`.
"""

import os
import zipfile
from pathlib import Path

from helpers.checks import CLASSES
from helpers.errors import ArgumentError, ModelFileError
from helpers.files import atomic_write
from helpers.learning.backend import keras, tf
from helpers.learning.models import IMAGE_SHAPE
from helpers.quiet import silenced_native_stderr

# The members of an archive in Keras' format, if no layer has files of its own.
_KERAS_MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]
# Digit networks unpack to a few megabytes; refuse anything that could fill memory or disk.
_MOST_UNPACKED_BYTES = 500_000_000


def save_model(model: keras.Model, path: Path) -> None:
    """Save a network for prediction in Keras' format, atomically.

    Args:
        model: Trained or not. Without its optimizer the file is half the size and holds
            only layers and weights.
        path: A path that ends in `.keras`.

    Raises:
        ArgumentError: If it ends otherwise.
        OSError: If the file cannot be written; an older file is left as it was.
    """
    path = _with_suffix(path, ".keras")
    # Not `clone_model`: it compiles the copy, with optimizer, if the model is compiled.
    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights())
    with atomic_write(path) as unfinished:
        bare.save(unfinished)


def load_model(path: Path) -> keras.Model:
    """Load a digit network without running any code in the file.

    Args:
        path: A file written by `save_model` or by Keras 3.

    Returns:
        The network, not compiled, from (n, 28, 28, 1) to (n, 10).

    Raises:
        ModelFileError: If the file is missing, damaged, unsafe, not a Keras archive, or a
            network of another shape.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise ModelFileError(f"{path} does not exist; train and save a network first.")
    if not _is_intact_archive(path):
        raise ModelFileError(
            f"{path} is not a Keras 3 model file (.keras), or it is damaged; name another file."
        )
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Whatever a foreign file causes, the reader gets one sentence.
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(
            f"{path} cannot be loaded safely, so leave it alone: {reason}"
        ) from None
    # A model that was saved before it was built has no shapes.
    image, answer = (getattr(model, f"{end}_shape", None) for end in ("input", "output"))
    if image != (None, *IMAGE_SHAPE) or answer != (None, CLASSES):
        raise ModelFileError(
            f"{path} is not a digit network: it maps {image} to {answer} "
            f"instead of {(None, *IMAGE_SHAPE)} to {(None, CLASSES)}; name another file."
        )
    return model


def _is_intact_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            # No other member, so no name can lead out of the folder where it is unpacked.
            return (
                sorted(archive.namelist()) == _KERAS_MEMBERS
                and sum(member.file_size for member in archive.infolist()) <= _MOST_UNPACKED_BYTES
                # Keras 3.15 refuses damaged weights, too, but does not call them damaged.
                and archive.testzip() is None
            )
    except Exception:  # An archive can be broken in countless ways.
        return False


def export_litert(model: keras.Model, path: Path) -> None:
    """Export a network to LiteRT, which predicts without TensorFlow.

    Args:
        model: The network.
        path: A path that ends in `.tflite`.

    Raises:
        ArgumentError: If it ends otherwise.
        OSError: If the file cannot be written; an older file is left as it was.
    """
    path = _with_suffix(path, ".tflite")
    with atomic_write(path) as unfinished, silenced_native_stderr():
        try:
            model.export(unfinished, format="litert", verbose=False)
        except tf.errors.OpError as error:  # about temporary files of TensorFlow
            raise OSError(error.message) from None


def _with_suffix(path: Path, suffix: str) -> Path:
    path = Path(path)
    if path.suffix != suffix:
        raise ArgumentError(f"{path} must end in {suffix}, the format that is written there.")
    return path
