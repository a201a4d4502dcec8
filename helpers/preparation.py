"""One digit, prepared the way MNIST was prepared.

Each step is a small function on float images, so that a notebook can show what
it does. The method is that of LeCun et al., "Gradient-based learning applied to
document recognition", 1998, section III.A, as reconstructed by the QMNIST project:
the ink's bounding box, aspect ratio kept, anti-aliased into 20 × 20 pixels, placed by
its centre of mass in 28 × 28, white on black. Where the ink is, is the business of
`helpers.ink`; that there are several digits, of `helpers.segmentation`.

The steps take and give "ink": (height, width) float, 0 paper to 1 ink.
"""

from helpers.images import to_grey
from helpers.ink import find_strokes, to_ink

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import disk, skeletonize
from skimage.transform import resize

BOX, SIZE = 20, 28
# Stroke width in pixels of the 20-pixel box; thinner ones are rare in MNIST.
LEAST_STROKE_WIDTH = 2.0


def clean_ink(ink: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Keep the ink of the strokes and of their soft edges, and make the rest paper.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.
        strokes: (height, width) bool, True on the strokes, at least once.

    Returns:
        (height, width) float32, 0 to 1, as dark as the strokes are on average.
    """
    edges = ndimage.binary_dilation(strokes, iterations=2)
    paper_level = threshold_otsu(ink) / 2
    full_level = np.percentile(ink[strokes], 50)
    levels = (ink - paper_level) / max(full_level - paper_level, 1e-6)
    return np.where(edges, np.clip(levels, 0, 1), 0).astype(np.float32)


def crop_to_ink(ink: np.ndarray) -> np.ndarray:
    """Cut out the bounding box of all pixels that hold ink.

    Raises:
        IndexError: If there is no ink at all.
    """
    rows, columns = np.any(ink > 0, axis=1).nonzero()[0], np.any(ink > 0, axis=0).nonzero()[0]
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def thicken_strokes(ink: np.ndarray) -> np.ndarray:
    """Thicken strokes that would be thinner in the 20-pixel box than MNIST's are.

    The stroke width is the inked area divided by the length of its skeleton. The picture
    grows with the strokes.
    """
    strokes = ink > 0.5
    length = skeletonize(strokes).sum()
    if not length:
        return ink
    width = strokes.sum() / length
    missing = LEAST_STROKE_WIDTH * max(ink.shape) / BOX - width
    radius = round(missing / 2)
    if radius < 1:
        return ink
    return ndimage.grey_dilation(np.pad(ink, radius), footprint=disk(radius))


def scale_to_box(ink: np.ndarray) -> np.ndarray:
    """Scale, anti-aliased and with its aspect ratio kept, so that the longer side is 20 pixels.

    The darkest pixel becomes 1.
    """
    scale = BOX / max(ink.shape)
    shape = tuple(max(1, round(side * scale)) for side in ink.shape)
    box = resize(ink, shape, anti_aliasing=scale < 1)
    return box / box.max()


def centre_by_mass(box: np.ndarray) -> np.ndarray:
    """Place a picture of at most 20 × 20 in 28 × 28 so that its centre of mass is at (14, 14).

    Shifted by whole pixels, as MNIST was: there the centres of mass lie between
    13.5 and 14.5. Ink that would leave the frame is kept inside it. Gives (28, 28)
    float32.
    """
    canvas = np.zeros((SIZE, SIZE), np.float32)
    mass_centre = ndimage.center_of_mass(box)
    top, left = (
        int(np.clip(np.floor(SIZE / 2 - centre + 0.5), 0, SIZE - side))
        for centre, side in zip(mass_centre, box.shape, strict=True)
    )
    canvas[top : top + box.shape[0], left : left + box.shape[1]] = box
    return canvas


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


def prepare_digit(image: Image.Image) -> np.ndarray:
    """Prepare a picture of one digit the way MNIST was prepared.

    Args:
        image: One digit, dark on light or light on dark, in any of Pillow's modes.

    Returns:
        (28, 28) uint8, 0 background to 255 ink.

    Raises:
        ImageError: If no digit stands out from the background.
    """
    ink = to_ink(to_grey(image))
    return prepare_strokes(ink, find_strokes(ink))
