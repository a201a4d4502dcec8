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


def scale_to_box(ink: np.ndarray) -> np.ndarray:
    """Scale the longer side to 20 pixels, anti-aliased, keeping the aspect ratio.

    The darkest pixel becomes 1.
    """
    scale = BOX / max(ink.shape)
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
