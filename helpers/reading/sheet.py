"""Takes the table around a sheet of paper out of a picture: its grain would pass for ink.

A sheet is a rectangle, seen at any angle, with some ink on it, and brighter than all that surrounds
it. Where there is none, a picture stays as it is.
"""

from helpers.reading.pictures import shrink

import numpy as np
from PIL import Image
from scipy import ndimage

# A picture of so many pixels along its longer side shows its sheet; one with less along its
# shorter side holds a digit or two, and no table.
SHEET_SIDE, LEAST_SIDE = 200, 80
# A look at every fourth pixel along each side shows whether there may be one.
EVERY = 4
# The percentile of the picture's rim that is as bright as the table, and by what share paper is
# brighter than the table and than ink.
TABLE, LEAST_CONTRAST = 95, 0.2
# Pixels of the reduced picture: half the width of a bright streak on the table, the width of the
# sheet's rim, which is mixed with it, and the squares in which to look for paper beside ink, and
# for both sides of the sheet's edge.
STREAK, RIM, BESIDE, ACROSS = 2, 2, 25, 7
# Shares of the picture that a sheet may fill, and shares of the sheet that ink may fill: less is no
# writing, as in the middle of a fat bright digit, more is no paper.
LEAST_SHEET, MOST_SHEET, LEAST_INK, MOST_INK = 0.2, 0.95, 0.001, 0.25
# A sheet fills this share of the smallest rectangle around it; an ellipse fills 79 %.
LEAST_RECTANGULARITY = 0.85
# Its edge is sharp along this share: where the sheet itself becomes darker, it does so slowly.
LEAST_SHARP = 0.95
ANGLES = np.radians(np.arange(0, 90, 3))


def without_table(grey: np.ndarray) -> np.ndarray:
    """Let the paper go on where the table was, if a sheet lies on one.

    Args:
        grey: (height, width) float, 0 black to 1 white.

    Returns:
        The same shape and dtype; `grey` itself if there is no table.
    """
    if min(grey.shape) < LEAST_SIDE:
        return grey
    some = _brighter_than_the_rim(grey[::EVERY, ::EVERY])
    if some.mean() < LEAST_SHEET * (1 - MOST_INK):
        return grey  # The rim is paper, as in most pictures: no time is lost on them.
    small = shrink(grey, SHEET_SIDE)
    sheet = find_sheet(small)
    if sheet is None:
        return grey
    inner = ndimage.binary_erosion(sheet, iterations=RIM)
    nearest = ndimage.distance_transform_edt(~inner, return_distances=False, return_indices=True)
    paper = ndimage.grey_closing(small, BESIDE)[tuple(nearest)]
    size = grey.shape[::-1]
    is_paper = np.asarray(Image.fromarray(inner).resize(size))
    beyond = np.asarray(Image.fromarray(paper).resize(size, Image.Resampling.BILINEAR))
    return np.where(is_paper, grey, beyond).astype(grey.dtype)


def find_sheet(grey: np.ndarray) -> np.ndarray | None:
    """Find the sheet in a picture of a table.

    Args:
        grey: (height, width) float, 0 black to 1 white.

    Returns:
        (height, width) bool, True on the sheet, ink included; None if there is no sheet, or if
        it reaches the picture's rim.
    """
    bright = ndimage.binary_opening(_brighter_than_the_rim(grey), iterations=STREAK)
    labels, count = ndimage.label(bright)
    if count == 0:
        return None
    largest = np.bincount(labels.ravel())[1:].argmax() + 1
    sheet = ndimage.binary_fill_holes(labels == largest)
    is_sheet = (
        LEAST_SHEET < sheet.mean() < MOST_SHEET
        and LEAST_INK < _ink_on(sheet, grey) < MOST_INK
        and _is_rectangular(sheet)
        and _is_sharp(sheet, grey)
    )
    return sheet if is_sheet else None


def _brighter_than_the_rim(grey: np.ndarray) -> np.ndarray:
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return grey * (1 - LEAST_CONTRAST) > np.percentile(rim, TABLE)


def _ink_on(sheet: np.ndarray, grey: np.ndarray) -> float:
    ink = grey < (1 - LEAST_CONTRAST) * ndimage.grey_closing(grey, BESIDE)
    inner = ndimage.binary_erosion(sheet, iterations=RIM)
    return float(ink[inner].mean()) if inner.any() else 0.0


def _is_rectangular(sheet: np.ndarray) -> bool:
    points = np.argwhere(sheet)
    turned = np.array([[np.cos(ANGLES), np.sin(ANGLES)], [-np.sin(ANGLES), np.cos(ANGLES)]])
    height, width = np.ptp(np.tensordot(points, turned, axes=1), axis=0) + 1
    return bool(len(points) > LEAST_RECTANGULARITY * (height * width).min())


def _is_sharp(sheet: np.ndarray, grey: np.ndarray) -> bool:
    edge = sheet & ~ndimage.binary_erosion(sheet)
    darkest = ndimage.minimum_filter(grey, ACROSS)
    brightest = ndimage.maximum_filter(grey, ACROSS)
    is_sharp = (darkest < (1 - LEAST_CONTRAST) * brightest)[edge]
    return bool(is_sharp.mean() > LEAST_SHARP)
