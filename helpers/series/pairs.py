"""Draws two digits that touch, and what might be taken for them, so that a network can learn it.

The digits are MNIST's, half of them redrawn by `helpers.series.outliers`, of unequal size and
height, pushed together until they touch or overlap. What is no pair are single digits, also wide
ones, three digits, a digit and another sign, and everything that is no digit at all. All of it is
prepared like the ink of a picture. `helpers.learning.pairs` learns from it; `python -m
benchmarks.pages touching` judges by other pairs.

The steps map "ink", (height, width) float from 0 paper to 1 ink, to ink.
"""

from collections.abc import Callable

from helpers.layout import crop_to_ink, pushed_together
from helpers.learning.handwriting import ONE, redraw
from helpers.reading.ink import TOUCHING
from helpers.reading.preparation import prepare_pair
from helpers.series.outliers import LEAST_INK, SIDE, Draughtsman, enlarged

import numpy as np
from scipy import ndimage

REDRAWN = 0.5  # share of the digits
FLAGGED = 0.3  # share of the ones among them
RESIZED = 0.5  # share of the digits
SIZES, STRETCHES = (0.75, 1.15), (0.85, 1.15)  # of these
HIGHEST = 8  # pixels by which they are moved up or down
GAP, OVERLAP = -1, 12  # pixels by which two inks overlap
WIDE, WIDENED = 0.7, (0.8, 1.6)  # share of what is no pair that is made wider or narrower
NARROWEST = 0.5  # width by height; less is never asked about
BLURRED, BLUR = 0.3, (0.5, 2.5)  # share of all, and by how many pixels
LEAST_SHARE = 0.93  # of the ink, in the largest component


class PairDraughtsman(Draughtsman):
    """Draws one window after the other, at random."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, seed: int):
        """Take digits to work with; see `Draughtsman`."""
        super().__init__(images, labels, seed)
        self.labels = labels
        self.no_pairs: dict[Callable[[], np.ndarray], float] = {
            lambda: self.widened(self.any_digit()[0]): 0.42,
            lambda: self.widened(self.by_a_hand(self._no_digit())): 0.38,
            self.digit_and_sign: 0.10,
            lambda: self.pushed(self.some_sign(), self.some_sign()): 0.05,
            self.three_digits: 0.05,
        }

    def pair(self) -> tuple[np.ndarray, tuple[int, int]]:
        """Draw two digits that touch: the window, (28, 56) uint8, and what they are."""
        while True:
            (first, left), (second, right) = self.any_digit(), self.any_digit()
            ink = self.pushed(first, second)
            strokes = _largest_component(ink)
            if strokes.sum() > LEAST_SHARE * (ink > 0.5).sum():
                return prepare_pair(self.blurred(ink), strokes), (left, right)

    def no_pair(self) -> np.ndarray:
        """Draw one digit, or three, or what is none: (28, 56) uint8."""
        kinds = list(self.no_pairs)
        while True:
            kind = kinds[self.rng.choice(len(kinds), p=list(self.no_pairs.values()))]
            ink = kind()
            strokes = _largest_component(ink)
            if strokes.sum() < LEAST_INK:
                continue
            height, width = crop_to_ink(strokes).shape
            if width > NARROWEST * height:
                return prepare_pair(self.blurred(ink), strokes)

    def any_digit(self) -> tuple[np.ndarray, int]:
        """Draw a digit of any size; the second result says which."""
        index = int(self.rng.integers(len(self.images)))
        image, label = self.images[index], int(self.labels[index])
        if self.rng.random() >= REDRAWN:
            return self.resized(enlarged(image)), label
        if label == ONE and self.rng.random() < FLAGGED:
            image = redraw(image, flagged=True, rng=self.rng)
        return self.resized(self.by_a_hand(enlarged(image), strength=0.6)), label

    def some_sign(self) -> np.ndarray:
        """Draw a sign of any size."""
        return self.resized(self.by_a_hand(self.sign()))

    def digit_and_sign(self) -> np.ndarray:
        """Draw a digit and a sign that touch, in either order."""
        both = [self.any_digit()[0], self.some_sign()]
        self.rng.shuffle(both)
        return self.pushed(*both)

    def three_digits(self) -> np.ndarray:
        """Draw three digits that touch, or one if they do not."""
        first, second, third = (self.any_digit()[0] for _ in range(3))
        ink = self.pushed(self.pushed(first, second), third)
        return ink if ndimage.label(ink > 0.5, TOUCHING)[1] == 1 else first

    def resized(self, ink: np.ndarray) -> np.ndarray:
        """Make half of the inks larger or smaller, and move them up or down."""
        if self.rng.random() >= RESIZED:
            return ink
        size = self.rng.uniform(*SIZES)
        scales = np.array([size, size * self.rng.uniform(*STRETCHES)])
        middle = (SIDE - 1) / 2
        offset = middle - middle / scales + [self.rng.uniform(-HIGHEST, HIGHEST), 0]
        return ndimage.affine_transform(ink, 1 / scales, offset, order=1)

    def widened(self, ink: np.ndarray) -> np.ndarray:
        """Make most inks wider or narrower."""
        if self.rng.random() >= WIDE:
            return ink
        stretch = self.rng.uniform(*WIDENED)
        ink = np.pad(ink, ((0, 0), (SIDE // 2, SIDE // 2)))
        middle = (ink.shape[1] - 1) / 2
        return ndimage.affine_transform(
            ink, [1, 1 / stretch], [0, middle - middle / stretch], order=1
        )

    def pushed(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Push two inks together until they touch or overlap."""
        return pushed_together(left, right, int(self.rng.integers(GAP, OVERLAP)))

    def blurred(self, ink: np.ndarray) -> np.ndarray:
        """Blur some inks."""
        if self.rng.random() >= BLURRED:
            return ink
        return ndimage.gaussian_filter(ink, self.rng.uniform(*BLUR))

    def _no_digit(self) -> np.ndarray:
        kinds = [kind for kind in self.kinds if kind != self.two_digits]
        shares = np.array([self.kinds[kind] for kind in kinds])
        return kinds[self.rng.choice(len(kinds), p=shares / shares.sum())]()


def _largest_component(ink: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(ink > 0.5, TOUCHING)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return labels == areas.argmax() + 1 if count else np.zeros(ink.shape, bool)


def draw_pairs(
    images: np.ndarray, labels: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw pairs of digits that touch and, as many again, what is no pair.

    Args:
        images: Digits to work with, (n, 28, 28) uint8, 0 background to 255 ink.
        labels: Their labels, (n,) integers.
        count: How many windows; an even number.
        seed: Decides what is drawn.

    Returns:
        Windows (count, 28, 56) uint8, the left and the right digit (count, 2), 0 where there
        is no pair, and whether there is one, (count,) bool. Pairs come first.
    """
    draughtsman = PairDraughtsman(images, labels, seed)
    pairs, digits = zip(*(draughtsman.pair() for _ in range(count // 2)), strict=True)
    others = [draughtsman.no_pair() for _ in range(count // 2)]
    windows = np.stack([*pairs, *others])
    return (
        windows,
        np.array([*digits, *[(0, 0)] * len(others)]),
        np.arange(len(windows)) < len(pairs),
    )
