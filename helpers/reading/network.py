"""Networks on LiteRT: one that reads digits, and one that reads two that touch.

The first maps prepared images to probabilities, and some networks also say how much an image is
like a digit at all. `helpers.reading.reader` takes a picture through all the steps before that.
"""

import os
from pathlib import Path

from helpers.checks import as_images
from helpers.errors import ModelFileError
from helpers.places import PAIRS_LITERT, PRETRAINED_LITERT
from helpers.quiet import silenced_native_stderr

import numpy as np

# Digit networks have a few megabytes; refuse anything that could fill the memory.
MOST_BYTES = 100_000_000
Shape = tuple[int, ...]


class _Model:
    """A model in LiteRT's format; use it in one thread at a time."""

    def __init__(self, path: Path, image: Shape, known_outputs: list[list[Shape]], what: str):
        """Load it.

        Args:
            path: A `.tflite` file.
            image: The shape of an image that it must take.
            known_outputs: The shapes of its outputs for one image, in all permitted ways.
            what: What it must be, for the error.

        Raises:
            ModelFileError: If the file is missing or not such a model.
        """
        from ai_edge_litert.interpreter import Interpreter

        path = Path(path)
        unusable = f"{path} is missing or not a LiteRT model file; name a .tflite file."
        if not os.path.isfile(path) or path.stat().st_size > MOST_BYTES:
            raise ModelFileError(unusable)
        with silenced_native_stderr():
            try:
                # By content: on Windows, LiteRT opens no path with letters beyond its code page.
                self._interpreter = Interpreter(model_content=path.read_bytes())
                self._interpreter.allocate_tensors()
                inputs = self._interpreter.get_input_details()
                outputs = self._interpreter.get_output_details()
            except (ValueError, RuntimeError, OSError):
                raise ModelFileError(unusable) from None
        if _shapes(inputs) != [image] or sorted(_shapes(outputs)) not in known_outputs:
            raise ModelFileError(f"{path} is not {what}.")
        if {part["dtype"] for part in (*inputs, *outputs)} != {np.float32}:
            raise ModelFileError(f"{path} is quantised; export it with float32 input and output.")
        self._input = inputs[0]["index"]
        self._outputs = {
            shape: output["index"] for shape, output in zip(_shapes(outputs), outputs, strict=True)
        }
        try:  # Damage in the middle of a network shows only when it runs.
            self.run(np.zeros((1, *image), np.float32))
        except (ValueError, RuntimeError):
            raise ModelFileError(
                f"{path} is damaged: the network in it cannot run; replace it with an intact copy."
            ) from None

    def run(self, batch: np.ndarray) -> dict[Shape, np.ndarray]:
        """Map a batch of images, float32, to the outputs, by their shape for one image."""
        with silenced_native_stderr():
            self._interpreter.resize_tensor_input(self._input, batch.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return {
            shape: self._interpreter.get_tensor(index) for shape, index in self._outputs.items()
        }


class Network:
    """A network that reads digits; use it in one thread at a time."""

    def __init__(self, path: Path = PRETRAINED_LITERT):
        """Load a network.

        Args:
            path: A `.tflite` file that maps (n, 28, 28, 1) pixels in 0 to 255 to
                (n, 10) probabilities, and perhaps to (n, 1), how much each is like a digit,
                all float32.

        Raises:
            ModelFileError: If the file is missing or not such a network.
        """
        self._model = _Model(
            path,
            (28, 28, 1),
            [[(10,)], [(1,), (10,)]],
            "a digit network: it does not map 28 × 28 pixels to ten probabilities",
        )

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predict a batch.

        Args:
            images: (n, 28, 28) or (n, 28, 28, 1), any numeric dtype, 0 to 255.

        Returns:
            (n, 10) float32; rows sum to 1.

        Raises:
            ArgumentError: If the images have another shape, dtype or range.
        """
        return self.judge(images)[0]

    def judge(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict a batch, and say how much each image is like a digit at all.

        Args:
            images: As `predict` takes them.

        Returns:
            Probabilities (n, 10) and likeness (n,), 0 to 1, both float32; a network that cannot
            tell finds everything like a digit, 1.

        Raises:
            ArgumentError: If the images have another shape, dtype or range.
        """
        outputs = self._model.run(as_images(images).astype(np.float32))
        probabilities = outputs[(10,)]
        if (1,) not in outputs:
            return probabilities, np.ones(len(probabilities), np.float32)
        return probabilities, outputs[(1,)][:, 0]


class PairNetwork:
    """A network that says whether two digits touch, and which; use it in one thread at a time."""

    def __init__(self, path: Path = PAIRS_LITERT):
        """Load it.

        Args:
            path: A `.tflite` file that maps (n, 28, 56, 1) pixels in 0 to 255 to (n, 2, 10)
                probabilities and to (n, 1), how sure it is that there are two, all float32.

        Raises:
            ModelFileError: If the file is missing or not such a network.
        """
        self._model = _Model(
            path,
            (28, 56, 1),
            [[(1,), (2, 10)]],
            "a network for pairs: it does not map 28 × 56 pixels to twice ten probabilities",
        )

    def judge(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read windows.

        Args:
            windows: (n, 28, 56) uint8, from `helpers.reading.preparation.prepare_pair`.

        Returns:
            Probabilities (n, 2, 10) of the left and of the right digit if there are two, and how
            sure it is that there are, (n,), 0 to 1, both float32.
        """
        outputs = self._model.run(windows[..., np.newaxis].astype(np.float32))
        return outputs[(2, 10)], outputs[(1,)][:, 0]


def _shapes(tensors: list[dict]) -> list[Shape]:
    """The shape of each tensor without the batch axis."""
    return [tuple(tensor["shape_signature"][1:].tolist()) for tensor in tensors]
