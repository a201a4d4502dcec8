"""Digits read from pictures with LiteRT; TensorFlow is neither needed nor imported.

Finding and preparing digits is the business of `helpers.segmentation` and the modules
below it; this module puts a picture through all of them. The command line is
`helpers.command`.
"""

from dataclasses import dataclass
from pathlib import Path

from helpers.images import to_grey
from helpers.ink import find_strokes, to_ink
from helpers.preparation import prepare_strokes
from helpers.quiet import silenced_native_stderr
from helpers.segmentation import Found, bounding_box, find_digits

import numpy as np
from PIL import Image

PRETRAINED_LITERT = Path(__file__).parent / "pretrained" / "digits.tflite"
# Below this probability an answer is called unsure: chosen by `benchmarks.refusing`.
SURE = 0.82


@dataclass(frozen=True)
class Digit:
    """A digit read from a picture.

    Attributes:
        row: Of digits in the picture, from 0 at the top.
        box: Left, top, right, bottom in pixels of the picture as it is seen; right
            and bottom lie outside.
        pixels: What the network saw, (28, 28) uint8.
        probabilities: Of the digits 0 to 9, (10,) float32, summing to 1.
    """

    row: int
    box: tuple[int, int, int, int]
    pixels: np.ndarray
    probabilities: np.ndarray

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """Its probability, 0 to 1."""
        return float(self.probabilities.max())

    @property
    def is_sure(self) -> bool:
        """Whether the answer is to be relied on."""
        return self.probability >= SURE


class DigitReader:
    """A network in LiteRT's format, ready to read; to be used by one thread at a time."""

    def __init__(self, path: Path = PRETRAINED_LITERT):
        """Load a network.

        Args:
            path: A `.tflite` file that maps (n, 28, 28, 1) pixels in 0 to 255 to
                (n, 10) probabilities, both float32.

        Raises:
            ValueError: If the file is missing or no such network.
        """
        from ai_edge_litert.interpreter import Interpreter

        with silenced_native_stderr():
            try:
                self._interpreter = Interpreter(model_path=str(path))
                self._interpreter.allocate_tensors()
                inputs = self._interpreter.get_input_details()
                outputs = self._interpreter.get_output_details()
            except (ValueError, RuntimeError, OSError):
                raise ValueError(
                    f"{path} is missing or not a LiteRT model file; name a .tflite file."
                ) from None
        if _signatures(inputs) != [(28, 28, 1)] or _signatures(outputs) != [(10,)]:
            raise ValueError(
                f"{path} is no digit network: it does not map 28 × 28 pixels to ten probabilities."
            )
        if {part["dtype"] for part in (*inputs, *outputs)} != {np.float32}:
            raise ValueError(f"{path} is quantised; export it with float32 input and output.")
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        try:  # Damage in the middle of a network shows only when it is used.
            self.predict(np.zeros((1, 28, 28)))
        except (ValueError, RuntimeError):
            raise ValueError(
                f"{path} is damaged: the network in it cannot be run; replace it by an intact copy."
            ) from None

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predict a batch.

        Args:
            images: (n, 28, 28) or (n, 28, 28, 1), any numeric dtype, 0 to 255.

        Returns:
            (n, 10) float32, rows sum to 1.
        """
        batch = np.asarray(images, np.float32).reshape(-1, 28, 28, 1)
        with silenced_native_stderr():
            self._interpreter.resize_tensor_input(self._input, batch.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)

    def read(self, image: Image.Image, single: bool = False) -> list[Digit]:
        """Read the digits in a picture.

        Args:
            image: In any of Pillow's modes, as it is seen.
            single: Whether all ink is taken for one digit.

        Returns:
            The digits in reading order, at least one.

        Raises:
            ImageError: If no digit stands out from the background.
        """
        grey = to_grey(image)
        ink = to_ink(grey)
        strokes = find_strokes(ink)
        rows = [[self._single(ink, strokes)]] if single else find_digits(ink, strokes, self.predict)
        scale = image.width / grey.shape[1], image.height / grey.shape[0]
        return [
            Digit(row, _scaled(found.box, *scale), found.pixels, found.probabilities)
            for row, digits in enumerate(rows)
            for found in digits
        ]

    def _single(self, ink: np.ndarray, strokes: np.ndarray) -> Found:
        pixels = prepare_strokes(ink, strokes)
        return Found(bounding_box(strokes), pixels, self.predict(pixels[None])[0])


def _signatures(tensors: list[dict]) -> list[tuple[int, ...]]:
    """The shape of each tensor without that of the batch."""
    return [tuple(tensor["shape_signature"][1:].tolist()) for tensor in tensors]


def _scaled(
    box: tuple[int, int, int, int], across: float, upright: float
) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return (
        round(left * across),
        round(top * upright),
        round(right * across),
        round(bottom * upright),
    )
