"""One digit, prepared the way MNIST was prepared.

Each step is a small function, so that a notebook can show what it does: clean the ink, crop
to it, thicken thin strokes, then place it as `helpers.layout` does. `helpers.reading.ink`
finds the ink, and `helpers.reading.segmentation` tells several digits apart.

The steps map "ink", (height, width) float from 0 paper to 1 ink, to ink.
"""

from helpers.layout import BOX, SIZE, centre_by_mass, crop_to_ink, scale_to_box
from helpers.reading.ink import ink_and_strokes
from helpers.reading.pictures import shrink

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import disk, skeletonize

# Stroke width in pixels of the 20-pixel box; thinner ones are rare in MNIST.
LEAST_STROKE_WIDTH = 2.0
# Pixels of a digit's longer side; strokes of the 20-pixel box are not drawn finer than that.
ENOUGH_DETAIL = 200
# Height and width of the box for two digits that touch.
PAIR_BOX = (BOX, 48)


def clean_ink(ink: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Keep the ink of the strokes and their soft edges, and turn the rest into paper.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.
        strokes: (height, width) bool, True on the strokes, at least one pixel.

    Returns:
        (height, width) float32, 0 to 1, as dark as the strokes are on average.
    """
    edges = ndimage.binary_dilation(strokes, iterations=2)
    full_level = np.median(ink[strokes])
    # Strokes much fainter than others around them would otherwise count as paper.
    paper_level = min(threshold_otsu(ink), full_level) / 2
    levels = (ink - paper_level) / max(full_level - paper_level, 1e-6)
    return np.where(edges, np.clip(levels, 0, 1), 0).astype(np.float32)


def thicken_strokes(ink: np.ndarray, box_shape: tuple[int, int] = (BOX, BOX)) -> np.ndarray:
    """Thicken strokes that would be thinner in the box of 20 × 20 pixels than those of MNIST.

    The stroke width is the inked area divided by the length of its skeleton. The picture
    grows with the strokes. One whose longer side exceeds twice `ENOUGH_DETAIL` pixels may come
    back smaller, since it will be scaled down to 20 anyway.
    """
    coarse, factor = _coarse(ink)
    length = factor * skeletonize(coarse > 0.5).sum()
    if not length:
        return ink
    width = np.count_nonzero(ink > 0.5) / length + factor - 1  # A cell with any ink has its ink.
    reduction = max(side / box_side for side, box_side in zip(ink.shape, box_shape, strict=True))
    missing = LEAST_STROKE_WIDTH * reduction - width
    radius = round(missing / 2 / factor)
    if radius < 1:
        return shrink(ink, 2 * ENOUGH_DETAIL)
    return dilate(np.pad(coarse, radius), radius)


def _coarse(ink: np.ndarray) -> tuple[np.ndarray, int]:
    """The strongest ink of each cell, so that no thin stroke gets lost, and the side of a cell."""
    factor = max(1, max(ink.shape) // ENOUGH_DETAIL)
    down, across = (np.arange(0, side, factor) for side in ink.shape)
    return np.maximum.reduceat(np.maximum.reduceat(ink, down, axis=0), across, axis=1), factor


def dilate(ink: np.ndarray, radius: int) -> np.ndarray:
    """Grey-scale dilation with a disk: each pixel gets the strongest ink within the radius.

    The disk is cut into rows, and the maximum over a row is found for all pixels at once, in
    a time that does not depend on its length (van Herk 1992, as in SciPy): the same result as
    `scipy.ndimage.grey_dilation`, whose time grows with the area of the disk.

    Args:
        ink: (height, width) float, 0 paper to 1 ink; beyond its rim there is none.
        radius: In pixels, at least 1.

    Returns:
        The same shape and dtype.
    """
    rows = np.pad(ink, ((radius, radius), (0, 0)))
    height = len(ink)
    widths = disk(radius).sum(axis=1)
    dilated = np.zeros_like(ink)
    for width in np.unique(widths):
        spread = ndimage.maximum_filter1d(rows, int(width), axis=1, mode="constant")
        for top in np.flatnonzero(widths == width):
            np.maximum(dilated, spread[top : top + height], out=dilated)
    return dilated


def prepare_strokes(ink: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Prepare the ink of one digit the way MNIST was prepared.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.
        strokes: (height, width) bool, True on the strokes of the digit.

    Returns:
        (28, 28) uint8, 0 background to 255 ink.
    """
    box = scale_to_box(thicken_strokes(crop_to_ink(clean_ink(ink, strokes))))
    return np.round(centre_by_mass(box) * 255).astype(np.uint8)


def prepare_pair(ink: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Prepare what may be two digits: scaled to fit 20 × 48 pixels, in the middle of 28 × 56.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.
        strokes: (height, width) bool, True on the strokes of both.

    Returns:
        (28, 56) uint8, 0 background to 255 ink, the box in its middle.
    """
    cropped = crop_to_ink(clean_ink(ink, strokes))
    box = scale_to_box(thicken_strokes(cropped, PAIR_BOX), PAIR_BOX)
    window = np.zeros((SIZE, 2 * SIZE), np.float32)
    top, left = ((whole - part) // 2 for whole, part in zip(window.shape, box.shape, strict=True))
    window[top : top + box.shape[0], left : left + box.shape[1]] = box
    return np.round(window * 255).astype(np.uint8)


def prepare_digit(image: Image.Image) -> np.ndarray:
    """Prepare a picture of one digit the way MNIST was prepared.

    Args:
        image: One digit, dark on light or light on dark, in any of Pillow's modes.

    Returns:
        (28, 28) uint8, 0 background to 255 ink.

    Raises:
        PictureError: If no digit stands out from the background.
    """
    return prepare_strokes(*ink_and_strokes(image))
