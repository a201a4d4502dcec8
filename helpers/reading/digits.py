"""A digit as it was read: where it stood, what the network saw, and what it answered.

`helpers.reading.segmentation` finds digits and `helpers.reading.reader` hands them out.
"""

from dataclasses import dataclass

import numpy as np

# Left, top, right, bottom in pixels; right and bottom lie outside.
Box = tuple[int, int, int, int]

# An answer below this probability is called unsure; chosen by `benchmarks.refusing`.
SURE = 0.82


@dataclass(frozen=True)
class Digit:
    """A digit read from a picture.

    Attributes:
        row: Its row in the picture, from 0 at the top.
        box: Left, top, right, bottom in pixels; right and bottom lie outside.
        pixels: What the network saw, (28, 28) uint8.
        probabilities: Of the digits 0 to 9, (10,) float32, summing to 1.
    """

    row: int
    box: Box
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
        """Whether the answer is reliable."""
        return self.probability >= SURE

    @property
    def mark(self) -> str:
        """A question mark if the answer is unsure, else nothing."""
        return "" if self.is_sure else "?"
