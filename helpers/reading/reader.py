"""Takes a picture through all steps, from its brightness to its digits.

Each step is a module of its own: `pictures`, `ink`, `segmentation`, `preparation`,
`network`. The command line is `helpers.reading.command`.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from helpers.errors import ArgumentError
from helpers.layout import SIZE
from helpers.reading.digits import Box, Digit
from helpers.reading.ink import ink_and_strokes, is_evenly_lit, with_dark_ink
from helpers.reading.network import Network, PairNetwork
from helpers.reading.pictures import PictureError, open_reduced_picture, to_grey
from helpers.reading.segmentation import find_digits, read_single_digit

import numpy as np
from PIL import Image

# The least probability of an answer to a picture in which no ink stands out; even blank paper
# resembles one digit more than the others.
SURE_OF_FAINT_INK = 0.82


@dataclass(frozen=True)
class Reading:
    """What came of reading a picture file.

    Attributes:
        name: What messages call the picture.
        image: The picture as it is seen, a large JPEG at a fraction of its size; None if it
            could not be read.
        digits: Its digits in reading order, boxes in pixels of `image`; empty if it could not
            be read.
        error: What was wrong, in one sentence; None if all went well.
        reduced: How many pixels of the file make one of `image`, along each side.
    """

    name: str
    image: Image.Image | None
    digits: list[Digit]
    error: str | None
    reduced: int = 1


class DigitReader:
    """Reads pictures with a network; use it in one thread at a time."""

    def __init__(self, network: Network | None = None):
        """Use a network, by default the one that ships.

        Two digits that touch are read by another one that ships, whichever is used here.

        Raises:
            ArgumentError: If it is not a `Network`.
        """
        if network is not None and not isinstance(network, Network):
            raise ArgumentError("A DigitReader reads with a network: DigitReader(Network(path)).")
        self.network = network or Network()
        self.pair_network = PairNetwork()

    def read(self, image: Image.Image, single: bool = False) -> list[Digit]:
        """Read the digits in a picture.

        A picture of 28 × 28 pixels may be one of MNIST's own, which needs no preparation, and
        noise or stripes may hide its ink. So the network also sees it as it is, turned to
        bright ink, and the surer answer counts.

        Args:
            image: In any of Pillow's modes, as it is seen.
            single: Whether to take all ink for one digit.

        Returns:
            The digits in reading order, at least one; boxes in pixels of the picture.

        Raises:
            PictureError: If no digit stands out from the background.
        """
        if image.size != (SIZE, SIZE):
            return self._prepared(image, single)
        as_it_is = self._as_it_is(image)
        try:
            digits = self._prepared(image, single)
        except PictureError:
            is_blank = is_evenly_lit(to_grey(image))
            if (single and not is_blank) or as_it_is.probability >= SURE_OF_FAINT_INK:
                return [as_it_is]
            raise
        least_sure = min(digit.confidence for digit in digits)
        return [as_it_is] if as_it_is.confidence > least_sure else digits

    def _as_it_is(self, image: Image.Image) -> Digit:
        bright_ink = 1 - with_dark_ink(to_grey(image))
        pixels = np.round(255 * bright_ink).astype(np.uint8)
        if pixels.max() <= 1:  # A single level is no ink, and networks refuse pixels in 0 to 1.
            pixels[:] = 0
        probabilities, likeness = self.network.judge(pixels[np.newaxis])
        return Digit(0, (0, 0, SIZE, SIZE), pixels, probabilities[0], float(likeness[0]))

    def _prepared(self, image: Image.Image, single: bool) -> list[Digit]:
        ink, strokes = ink_and_strokes(image)
        if single:
            digits = [read_single_digit(ink, strokes, self.network.judge)]
        else:
            digits = find_digits(ink, strokes, self.network.judge, self.pair_network.judge)
        scale = image.width / ink.shape[1], image.height / ink.shape[0]
        return [replace(digit, box=_scaled(digit.box, *scale)) for digit in digits]

    def read_file(
        self, name: str, source: Path | BinaryIO | None = None, single: bool = False
    ) -> Reading:
        """Read the digits in a picture file; what is wrong with it is returned, not raised.

        Args:
            name: What the error calls the picture.
            source: A path or an open file; by default the name is the path.
            single: Whether to take all ink for one digit.
        """
        name = str(name)
        try:
            image, reduced = open_reduced_picture(source or Path(name), name)
        except PictureError as error:
            return Reading(name, None, [], str(error))
        try:
            return Reading(name, image, self.read(image, single), None, reduced)
        except PictureError as error:
            return Reading(name, None, [], f"{name}: {error}")


def _scaled(box: Box, across: float, down: float) -> Box:
    left, top, right, bottom = box
    return round(left * across), round(top * down), round(right * across), round(bottom * down)
