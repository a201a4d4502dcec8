"""A digit network on LiteRT.

It maps prepared images to probabilities, and some networks also say how much an image is like a
digit at all. `helpers.reading.reader` takes a picture through
all the steps before that.
"""

import os
from pathlib import Path

from helpers.checks import as_images
from helpers.errors import ModelFileError
from helpers.places import PRETRAINED_LITERT
from helpers.quiet import silenced_native_stderr

import numpy as np

# Digit networks have a few megabytes; refuse anything that could fill the memory.
MOST_BYTES = 100_000_000
# The shapes of the outputs of one image: ten probabilities, with or without the likeness.
KNOWN_OUTPUTS = ([(10,)], [(1,), (10,)])


class Network:
    """A network in LiteRT's format; use it in one thread at a time."""

    def __init__(self, path: Path = PRETRAINED_LITERT):
        """Load a network.

        Args:
            path: A `.tflite` file that maps (n, 28, 28, 1) pixels in 0 to 255 to
                (n, 10) probabilities, and perhaps to (n, 1), how much each is like a digit,
                all float32.

        Raises:
            ModelFileError: If the file is missing or not such a network.
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
        by_shape = dict(zip(_shapes(outputs), outputs, strict=True))
        if _shapes(inputs) != [(28, 28, 1)] or sorted(_shapes(outputs)) not in KNOWN_OUTPUTS:
            raise ModelFileError(
                f"{path} is not a digit network: it does not map 28 × 28 pixels to ten "
                "probabilities."
            )
        if {part["dtype"] for part in (*inputs, *outputs)} != {np.float32}:
            raise ModelFileError(f"{path} is quantised; export it with float32 input and output.")
        self._input = inputs[0]["index"]
        self._probabilities = by_shape[(10,)]["index"]
        self._likeness = by_shape[(1,)]["index"] if (1,) in by_shape else None
        try:  # Damage in the middle of a network shows only when it runs.
            self.predict(np.zeros((1, 28, 28)))
        except (ValueError, RuntimeError):
            raise ModelFileError(
                f"{path} is damaged: the network in it cannot run; replace it with an intact copy."
            ) from None

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
        batch = as_images(images).astype(np.float32)
        with silenced_native_stderr():
            self._interpreter.resize_tensor_input(self._input, batch.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        probabilities = self._interpreter.get_tensor(self._probabilities)
        if self._likeness is None:
            return probabilities, np.ones(len(batch), np.float32)
        return probabilities, self._interpreter.get_tensor(self._likeness)[:, 0]


def _shapes(tensors: list[dict]) -> list[tuple[int, ...]]:
    """The shape of each tensor without the batch axis."""
    return [tuple(tensor["shape_signature"][1:].tolist()) for tensor in tensors]
