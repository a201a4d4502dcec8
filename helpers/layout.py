"""How MNIST places a digit: 20 × 20 pixels inside 28 × 28, by its centre of mass.

After LeCun et al., "Gradient-based learning applied to document recognition", 1998, section
III.A, as reconstructed by the QMNIST project (Yadav and Bottou 2019). The steps map "ink",
(height, width) float from 0 paper to 1 ink, to ink. Finding the ink in a picture is up to
`helpers.reading`.
"""

from helpers.errors import ArgumentError

import numpy as np
from scipy import ndimage
from skimage.transform import resize

BOX, SIZE = 20, 28  # pixels


def crop_to_ink(ink: np.ndarray) -> np.ndarray:
    """Cut out the bounding box of all pixels that hold ink.

    Raises:
        ArgumentError: If there is no ink at all.
    """
    if not np.any(ink > 0):
        raise ArgumentError("There is no ink in the picture, so there is no box around it.")
    rows, columns = (np.flatnonzero(np.any(ink > 0, axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def scale_to_box(ink: np.ndarray, box_shape: tuple[int, int] = (BOX, BOX)) -> np.ndarray:
    """Scale to fill a box of 20 × 20 pixels or another one, anti-aliased, keeping the aspect ratio.

    The darkest pixel becomes 1.
    """
    scale = min(side / ink_side for side, ink_side in zip(box_shape, ink.shape, strict=True))
    shape = tuple(max(1, round(side * scale)) for side in ink.shape)
    box = resize(ink, shape, anti_aliasing=scale < 1)
    return box / box.max()


def centre_by_mass(box: np.ndarray) -> np.ndarray:
    """Place a picture of at most 20 × 20 in 28 × 28 with its centre of mass at (14, 14).

    It is shifted by whole pixels, as in MNIST, where the centres of mass lie between 13.5
    and 14.5. Ink that would leave the frame is kept inside it.

    Returns:
        (28, 28) float32.
    """
    canvas = np.zeros((SIZE, SIZE), np.float32)
    mass_centre = ndimage.center_of_mass(box)
    top, left = (
        int(np.clip(np.floor(SIZE / 2 - centre + 0.5), 0, SIZE - side))
        for centre, side in zip(mass_centre, box.shape, strict=True)
    )
    canvas[top : top + box.shape[0], left : left + box.shape[1]] = box
    return canvas


def pushed_together(left: np.ndarray, right: np.ndarray, overlap: int) -> np.ndarray:
    """Move two inks of one height towards each other until they touch, then on by some pixels.

    Args:
        left: (height, width) float, 0 to 1.
        right: (height, another width) float.
        overlap: Pixels by which they overlap in the row where they met.

    Returns:
        (height, width of both) float.
    """
    ends = [row.nonzero()[0].max(initial=-left.shape[1]) + 1 for row in left > 0.5]
    starts = [row.nonzero()[0].min(initial=2 * right.shape[1]) for row in right > 0.5]
    # Ink that lies in neighbouring rows touches, too.
    starts = ndimage.minimum_filter1d(starts, 3)
    shift = max(0, int((np.array(ends) - starts).max()) - overlap)
    both = np.zeros((len(left), max(left.shape[1], right.shape[1] + shift)), np.float32)
    both[:, : left.shape[1]] = left
    window = both[:, shift : shift + right.shape[1]]
    np.maximum(window, right, out=window)
    return both
