"""Redraws digits of the training set the way people elsewhere write them.

MNIST was written by Americans with the pens of their time: its ones are mostly bare
strokes, and its lines are rarely very thin or fat. Many people give a one a flag, and a
drawing program has pens of any width. This module draws such digits along the strokes of
MNIST's own. It changes single images; `helpers.learning.augmentation` decides when.
"""

from helpers.layout import SIZE, centre_by_mass, crop_to_ink, scale_to_box

import numpy as np
from scipy import ndimage
from skimage.draw import line
from skimage.morphology import skeletonize

ONE = 1
# Skeletons are traced on an enlarged image; otherwise strokes would lie on whole pixels only.
ENLARGED = 2
PEN_WIDTHS = (1.3, 4.2)  # pixels of the 28
FATTEST_ONE = 6.0  # pixels of the 28: a one has no loop that a fat pen would fill
# A flag on a slanted stem would make a 7, so only ones that lean less than this get one.
UPRIGHT = 0.27  # pixels sideways for each pixel of height, 15 degrees
FLAG_ANGLES = (30, 60)  # degrees from the vertical
FLAG_LENGTHS = (0.3, 0.55)  # shares of the height of the one
FOOT_LENGTHS = (0.15, 0.35)  # shares of its height, to each side of the stem
FOOT_SHARE = 0.25  # of the flagged ones


def redraw_some(images: np.ndarray, labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Redraw some digits of a batch, each with another pen, and ones with a flag.

    Args:
        images: Digits, (n, 28, 28, 1) uint8, 0 background to 255 ink.
        labels: Their labels, (n,) integers or (n, 10) one-hot.
        share: Probability of redrawing a digit, 0 to 1.
        seed: Decides which ones, and how.

    Returns:
        (n, 28, 28, 1) uint8; the input is left unchanged.
    """
    rng = np.random.default_rng(seed)
    digits = labels if labels.ndim == 1 else labels.argmax(axis=1)
    batch = images.copy()
    for index in np.flatnonzero(rng.random(len(images)) < share):
        batch[index, ..., 0] = redraw(images[index, ..., 0], digits[index] == ONE, rng)
    return batch


def redraw(digit: np.ndarray, flagged: bool, rng: np.random.Generator) -> np.ndarray:
    """Redraw a digit along the middle of its strokes with a pen of random width.

    Args:
        digit: (28, 28) uint8, 0 background to 255 ink.
        flagged: Whether to add a flag, and sometimes a foot, if it is upright: for ones.
        rng: Source of randomness.

    Returns:
        (28, 28) uint8, placed as in MNIST; a digit without a stroke (no pixel above
        100) is returned unchanged.
    """
    strokes = ndimage.zoom(np.pad(digit.astype(np.uint8), SIZE // 4), ENLARGED, order=1) > 100
    if not strokes.any():
        return digit
    thinnest, fattest = PEN_WIDTHS
    radius = rng.uniform(thinnest, FATTEST_ONE if flagged else fattest) * ENLARGED / 2
    skeleton = skeletonize(strokes)
    if flagged:
        skeleton |= _flag_and_foot(skeleton, rng)
    distance = ndimage.distance_transform_edt(~skeleton)
    ink = np.clip(radius + 0.5 - distance, 0, 1)
    return np.round(centre_by_mass(scale_to_box(crop_to_ink(ink))) * 255).astype(np.uint8)


def _flag_and_foot(skeleton: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows, columns = skeleton.nonzero()
    top, bottom = rows.argmin(), rows.argmax()
    height = rows[bottom] - rows[top]
    drawn = np.zeros_like(skeleton)
    if abs(columns[bottom] - columns[top]) > UPRIGHT * height:
        return drawn
    angle = np.deg2rad(rng.uniform(*FLAG_ANGLES))
    length = height * rng.uniform(*FLAG_LENGTHS)
    down, left = round(length * np.cos(angle)), round(length * np.sin(angle))
    _draw_line(drawn, rows[top], columns[top], rows[top] + down, columns[top] - left)
    if rng.random() < FOOT_SHARE:
        half = round(height * rng.uniform(*FOOT_LENGTHS))
        _draw_line(
            drawn, rows[bottom], columns[bottom] - half, rows[bottom], columns[bottom] + half
        )
    return drawn


def _draw_line(
    canvas: np.ndarray, from_row: int, from_column: int, to_row: int, to_column: int
) -> None:
    rows, columns = line(from_row, from_column, to_row, to_column)
    inside = (rows < canvas.shape[0]) & (columns >= 0) & (columns < canvas.shape[1])
    canvas[rows[inside], columns[inside]] = True
