"""Digits read from pictures with LiteRT; TensorFlow is neither needed nor imported.

Preparing a picture is the business of `helpers.images`; this module puts the
prepared 28 × 28 pixels before the network and reports what it says.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.images import ImageError, prepare_digit, read_image
from helpers.quiet import silenced_native_stderr

import numpy as np

PROJECT_FOLDER = Path(__file__).parent.parent
PRETRAINED_LITERT = Path(__file__).parent / "pretrained" / "digits.tflite"
EXAMPLE_IMAGE = Path("images") / "seven.png"


@dataclass(frozen=True)
class Reading:
    """What the network made of one picture.

    Attributes:
        pixels: The prepared picture that the network saw, (28, 28) uint8.
        probabilities: Of the digits 0 to 9, (10,) float32, summing to 1.
    """

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


class DigitReader:
    """A network in LiteRT's format, ready to predict."""

    def __init__(self, path: Path = PRETRAINED_LITERT):
        """Load a network.

        Args:
            path: A `.tflite` file that maps (n, 28, 28, 1) pixels in 0 to 255 to
                (n, 10) probabilities.

        Raises:
            ValueError: If the file is missing or no such network.
        """
        from ai_edge_litert.interpreter import Interpreter

        with silenced_native_stderr():
            try:
                self._interpreter = Interpreter(model_path=str(path))
                self._interpreter.allocate_tensors()
            except (ValueError, RuntimeError, OSError):
                raise ValueError(f"{path} is not a readable LiteRT model file.") from None
        (inputs,) = self._interpreter.get_input_details()
        (outputs,) = self._interpreter.get_output_details()
        if list(inputs["shape_signature"][1:]) != [28, 28, 1] or list(outputs["shape"][1:]) != [10]:
            raise ValueError(f"{path} is no digit network: it does not map 28 × 28 pixels to ten.")
        self._input, self._output = inputs["index"], outputs["index"]

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

    def read(self, path: Path) -> Reading:
        """Read the one digit in a picture file.

        Raises:
            ImageError: If the file is no readable picture or shows no digit.
        """
        image = read_image(path)
        try:
            pixels = prepare_digit(image)
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from None
        return Reading(pixels, self.predict(pixels[None])[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell which digit each picture shows; the command line of `predict.py`.

    Args:
        arguments: Paths of pictures; none reads the example in `images/`. The
            process's own arguments if None.

    Returns:
        The exit status: 0 if every picture was read, 1 if one could not be, 2 if
        the model could not be loaded.
    """
    parser = argparse.ArgumentParser(
        prog="predict.py", description="Tell which handwritten digit each picture shows."
    )
    parser.add_argument(
        "images", metavar="IMAGE", nargs="*", type=Path, help=f"default: {EXAMPLE_IMAGE}"
    )
    parser.add_argument(
        "--model", metavar="FILE", type=Path, default=PRETRAINED_LITERT, help="a .tflite file"
    )
    options = parser.parse_args(arguments)
    try:
        reader = DigitReader(options.model)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    status = 0
    for path in options.images or [PROJECT_FOLDER / EXAMPLE_IMAGE]:
        name = path if options.images else EXAMPLE_IMAGE
        try:
            reading = reader.read(path)
        except ImageError as error:
            print(f"error: {error}", file=sys.stderr)
            status = 1
        else:
            print(f"{name}: {reading.digit} ({reading.probability:.1%})")
    return status
