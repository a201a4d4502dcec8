"""A digit as it was read: where it stood, what the network saw, and what it answered.

`helpers.reading.segmentation` finds digits and `helpers.reading.reader` hands them out.
"""

from dataclasses import dataclass

import numpy as np

# Left, top, right, bottom in pixels; right and bottom lie outside.
Box = tuple[int, int, int, int]

# Below this, an answer is unsure: most such answers to held-out digits were wrong. That point lies
# below one half, because the network learned from smoothed labels and so claims too little.
SURE = 0.4
# What is less like a digit than this is called none; chosen by `benchmarks.refusing`.
LIKE_A_DIGIT = 0.2


@dataclass(frozen=True)
class Digit:
    """A digit read from a picture.

    Attributes:
        row: Its row in the picture, from 0 at the top.
        box: Left, top, right, bottom in pixels; right and bottom lie outside.
        pixels: What the network saw, (28, 28) uint8.
        probabilities: Of the digits 0 to 9, (10,) float32, summing to 1. Of a digit that touched
            another, those of the network that read both at once, before they were cut apart.
        likeness: How much it is like a digit at all, 0 to 1; 1 if the network cannot tell. Of a
            digit that touched another, how sure it is that there were two.
    """

    row: int
    box: Box
    pixels: np.ndarray
    probabilities: np.ndarray
    likeness: float = 1.0

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """Its probability, 0 to 1."""
        return float(self.probabilities.max())

    @property
    def confidence(self) -> float:
        """How sure it is both that this is a digit and which one, 0 to 1."""
        return self.probability * self.likeness

    @property
    def verdict(self) -> str:
        """What to make of it: "digit", "unsure" or "no digit"."""
        if self.likeness < LIKE_A_DIGIT:
            return "no digit"
        return "digit" if self.probability >= SURE else "unsure"

    @property
    def is_sure(self) -> bool:
        """Whether the answer is reliable: it is a digit, and which one is sure."""
        return self.verdict == "digit"

    @property
    def mark(self) -> str:
        """A question mark if the answer is not reliable, else nothing."""
        return "" if self.is_sure else "?"

    @property
    def text(self) -> str:
        """The digit and its mark, or a dash if it is none."""
        return "–" if self.verdict == "no digit" else f"{self.digit}{self.mark}"
