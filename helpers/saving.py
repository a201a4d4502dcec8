"""Model files: written whole, described by a card, loaded without running foreign code.

Networks are saved for prediction, without the optimizer's state. Which network
is trained, and how, is the business of `helpers.training`.
"""

import hashlib
import json
import os
import zipfile
from pathlib import Path

from helpers.backend import keras, tf
from helpers.files import written_whole
from helpers.models import CLASSES, IMAGE_SHAPE
from helpers.quiet import silenced_native_stderr

PROJECT_FOLDER = Path(__file__).parent.parent
PRETRAINED_FOLDER = Path(__file__).parent / "pretrained"
MODEL_FILE, LITERT_FILE = "digits.keras", "digits.tflite"
CARD_FILE, EVALUATION_FILE = "card.json", "evaluation.json"

# What an archive in Keras' format holds, if no layer has files of its own.
_KERAS_MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]
# A digit network has a few; what unpacks to more shall not fill memory and disk.
_MOST_UNPACKED_BYTES = 500_000_000


class ModelFileError(Exception):
    """A model file cannot be used; the message says why and what to do."""


def trained_folder(is_full: bool) -> Path:
    """Where the notebooks keep what they train: one folder for each kind of data.

    Args:
        is_full: Whether the data is the full MNIST; the sample has its own folder,
            so that a quick run on it never replaces a network trained on all digits.

    Returns:
        A folder below the one named by the environment variable `MNIST_MODELS`, seen
        from the project's folder, by default `build/models`; it need not exist yet.
    """
    models = PROJECT_FOLDER / (os.environ.get("MNIST_MODELS") or "build/models")
    return models / ("full" if is_full else "sample")


def best_folder(is_full: bool) -> Path:
    """The folder of your own trained network if there is one, else of the one that ships."""
    folder = trained_folder(is_full)
    return folder if os.path.isfile(folder / MODEL_FILE) else PRETRAINED_FOLDER


def save_model(model: keras.Model, path: Path) -> None:
    """Save a network for prediction in Keras' format, whole or not at all.

    Args:
        model: Trained or not; its optimizer is left out, which makes the file
            half the size and free of anything but layers and weights.
        path: A path that ends in `.keras`.

    Raises:
        OSError: If the file cannot be written; an older file is left as it was.
    """
    # Not `clone_model`: it compiles the copy, with optimizer, if the model is compiled.
    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights())
    with written_whole(path) as unfinished:
        bare.save(unfinished)


def load_model(path: Path) -> keras.Model:
    """Load a digit network without executing any code that the file may bring.

    Args:
        path: A file written by `save_model` or by Keras 3.

    Returns:
        The network, not compiled, from (n, 28, 28, 1) to (n, 10).

    Raises:
        ModelFileError: If the file is missing, no Keras archive, damaged, unsafe,
            or a network of another shape.
    """
    if not os.path.isfile(path):
        raise ModelFileError(f"{path} does not exist; train and save a network first.")
    if not _is_intact_archive(path):
        raise ModelFileError(
            f"{path} is not a Keras 3 model file (.keras), or it is damaged; name another file."
        )
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Whatever a foreign file provokes, the reader gets one sentence.
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(
            f"{path} cannot be loaded safely, so leave it alone: {reason}"
        ) from None
    if model.input_shape != (None, *IMAGE_SHAPE) or model.output_shape != (None, CLASSES):
        raise ModelFileError(
            f"{path} is no digit network: it maps {model.input_shape} to {model.output_shape} "
            f"instead of {(None, *IMAGE_SHAPE)} to {(None, CLASSES)}; name another file."
        )
    return model


def _is_intact_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            # Nothing besides, so no name either that leads out of the folder it is unpacked in.
            return (
                sorted(archive.namelist()) == _KERAS_MEMBERS
                and sum(member.file_size for member in archive.infolist()) <= _MOST_UNPACKED_BYTES
                # Damaged weights are to be called damaged; Keras 3.15 refuses them as well.
                and archive.testzip() is None
            )
    except Exception:  # There is no end to the ways in which an archive can be broken.
        return False


def export_litert(model: keras.Model, path: Path) -> None:
    """Export a network to LiteRT, which predicts without TensorFlow.

    Args:
        model: The network.
        path: A path that ends in `.tflite`.

    Raises:
        OSError: If the file cannot be written; an older file is left as it was.
    """
    with written_whole(path) as unfinished, silenced_native_stderr():
        try:
            model.export(unfinished, format="litert", verbose=False)
        except tf.errors.OpError as error:  # of TensorFlow's own files on the way
            raise OSError(error.message) from None


def sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_facts(facts: dict, path: Path) -> None:
    """Write figures or a model card as JSON, whole or not at all."""
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def read_facts(path: Path) -> dict:
    """Read figures or a model card written by `write_facts`.

    Raises:
        ModelFileError: If the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{path} is not a readable JSON file ({error}); run the notebook that writes it again."
        ) from None
