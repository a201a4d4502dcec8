"""Ink on paper: from the brightness of a picture to the strokes in it.

Nothing is assumed about the light or about which of the two, paper or ink, is the
brighter one. What is written there is the business of `helpers.segmentation`.
"""

from helpers.images import ImageError, shrink

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu

# Darkest against brightest: below this share of the paper's brightness nothing is written there.
LEAST_CONTRAST = 0.08
# Ink that stands out less from the paper's grain than this factor may be grain itself.
LEAST_SIGNAL_TO_NOISE = 5
# The tail that bright ink has at least: paper without any is not inverted by chance.
LEAST_SKEWNESS = 0.5
# How far the brightness of evenly lit paper strays, as a share of it, or of a medium grey where
# the paper is darker. Below the least contrast, or what is left of the light would pass for ink.
EVEN_LIGHT = 0.06
# Light changes slowly: where it is looked at, a picture of this many pixels shows enough.
LIGHT_SIZE = 500
# Neighbourhoods in which paper is looked for, as shares of the picture's longer side.
NEIGHBOURHOODS = (0.06, 0.12, 0.25)
# Of the median width of all strokes: what is thinner is dirt or the edge of a sheet.
LEAST_RELATIVE_WIDTH = 0.4
# Patches of ink smaller than this share of the largest, in area and in length, are dust.
SPECK_AREA, SPECK_LENGTH = 0.03, 0.12
# What lies along the picture's rim for more stroke widths than this is no stroke.
LONGEST_CONTACT = 3

TOUCHING = np.ones((3, 3), bool)


def to_ink(grey: np.ndarray) -> np.ndarray:
    """Turn brightness into ink: 0 paper to 1 ink, whichever of the two is the darker.

    Args:
        grey: (height, width) float, 0 black to 1 white.

    Returns:
        (height, width) float32, 0 to 1.

    Raises:
        ImageError: If nothing stands out from the paper.
    """
    dark_ink = with_dark_ink(grey)
    paper = paper_brightness(dark_ink)
    ink = 1 - dark_ink / np.maximum(paper, 0.05)
    if max(grey.shape) > 150:
        # Smooths the grain of the paper, by less than the width of any legible stroke.
        ink = ndimage.gaussian_filter(ink, max(grey.shape) / 600)
    ink -= np.median(ink)
    grain = 1.48 * np.median(np.abs(ink))  # the standard deviation, if it is normal
    strongest = np.percentile(ink, 99.8)
    if strongest < max(LEAST_CONTRAST, LEAST_SIGNAL_TO_NOISE * grain):
        raise ImageError("no digit found: nothing stands out from the background.")
    return np.clip(ink / strongest, 0, 1).astype(np.float32)


def with_dark_ink(grey: np.ndarray) -> np.ndarray:
    """Invert a picture whose ink is brighter than its paper.

    Strokes are narrow and rare, so ink is on the longer tail of the brightness,
    measured from that of the surroundings: a shadow has no such tail.

    Args:
        grey: (height, width) float, 0 black to 1 white.

    Returns:
        (height, width) float32: `grey` or `1 - grey`.
    """
    if is_evenly_lit(grey):
        deviation = grey - np.median(grey)
    else:
        small = shrink(grey, LIGHT_SIZE)
        deviation = small - ndimage.uniform_filter(small, odd(0.2 * max(small.shape)))
    squares = deviation * deviation  # numpy's own powers take several times as long
    skewness = (squares * deviation).mean() / max(squares.mean(), 1e-12) ** 1.5
    return grey if skewness < LEAST_SKEWNESS else 1 - grey


def is_evenly_lit(grey: np.ndarray) -> bool:
    """Tell whether the paper has one brightness, as on a screen or a scan.

    The rim decides: it is nearly all paper, even where a fat stroke fills a small picture.
    """
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = np.median(grey)
    return bool((np.abs(rim - paper) < EVEN_LIGHT * max(paper, 0.5)).mean() > 0.8)


def paper_brightness(dark_ink: np.ndarray) -> np.ndarray:
    """Estimate for each pixel how bright the paper would be without ink.

    Grey-scale closing: the darkest of the brightest values near a pixel. It leaves
    the edge of a shadow where it is and fills whatever is narrower than the
    neighbourhood, so this has to be wider than a stroke, and no wider than needed.

    Args:
        dark_ink: (height, width) float, 0 to 1, ink darker than paper.

    Returns:
        (height, width) float32, 0 to 1; one value everywhere if the light is even.
    """
    if is_evenly_lit(dark_ink):
        return np.full_like(dark_ink, np.median(dark_ink))
    small = ndimage.uniform_filter(shrink(dark_ink, LIGHT_SIZE), 3)
    for share in NEIGHBOURHOODS:
        near = odd(share * max(small.shape))
        paper = ndimage.grey_closing(small, size=near, mode="nearest")
        ink = np.clip(1 - small / np.maximum(paper, 0.05), 0, 1)
        if 0 < stroke_width(ink > max(threshold_otsu(ink), LEAST_CONTRAST)) < near / 3:
            break
    height, width = dark_ink.shape
    return np.asarray(Image.fromarray(paper).resize((width, height), Image.Resampling.BILINEAR))


def find_strokes(ink: np.ndarray) -> np.ndarray:
    """Mark the strokes: ink darker than half way from paper to strokes, without dirt.

    Dropped are specks, lines much thinner than the rest (the edge of a sheet), and
    patches that lie along the picture's rim (the table beneath it), unless there is
    nothing else.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.

    Returns:
        (height, width) bool, True on strokes.
    """
    marked = ink > stroke_threshold(ink)
    patches, count = ndimage.label(marked, structure=TOUCHING)
    for judge in (_along_the_rim, _slivers, _specks):
        dropped = judge(marked, patches, count)
        dropped[0] = True
        if not dropped.all():
            marked = marked & ~dropped[patches]
            patches = np.where(marked, patches, 0)
    return marked


def stroke_threshold(ink: np.ndarray) -> float:
    """The level of ink half way from paper to strokes.

    Where no level lies between paper and strokes, Otsu's threshold touches the
    paper, and its darkest part would pass for a stroke: hence the middle.
    """
    strokes = ink > threshold_otsu(ink)
    return float(ink[strokes].mean() + ink[~strokes].mean()) / 2


def stroke_width(marked: np.ndarray) -> float:
    """The median width in pixels of the patches in a picture, 0 without any.

    A stroke's area is about half its outline times its width. Patches smaller than a
    tenth of the largest do not count.
    """
    patches, count = ndimage.label(marked, structure=TOUCHING)
    areas, widths = _areas_and_widths(marked, patches, count)
    large = areas >= max(0.1 * areas.max(initial=0), 12)
    return float(np.median(widths[large])) if large.any() else 0.0


def odd(length: float) -> int:
    """The nearest odd number of pixels, at least 3: the side of a neighbourhood with a middle."""
    return max(3, round(length) | 1)


def _areas_and_widths(
    marked: np.ndarray, patches: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    # Of each patch, in the order of their numbers from 1.
    outline = marked & ~ndimage.binary_erosion(marked)
    areas = np.bincount(patches[marked], minlength=count + 1)[1:]
    outlines = np.bincount(patches[outline], minlength=count + 1)[1:]
    return areas, 2 * areas / np.maximum(outlines, 1)


def _along_the_rim(marked: np.ndarray, patches: np.ndarray, count: int) -> np.ndarray:
    sides = (patches[0], patches[-1], patches[:, 0], patches[:, -1])
    contact = np.max([np.bincount(side, minlength=count + 1) for side in sides], axis=0)
    width = stroke_width(marked & (contact == 0)[patches]) or stroke_width(marked)
    return contact > LONGEST_CONTACT * width


def _slivers(marked: np.ndarray, patches: np.ndarray, count: int) -> np.ndarray:
    _, widths = _areas_and_widths(marked, patches, count)
    return np.concatenate([[True], widths < LEAST_RELATIVE_WIDTH * stroke_width(marked)])


def _specks(marked: np.ndarray, patches: np.ndarray, count: int) -> np.ndarray:
    areas = np.bincount(patches[marked], minlength=count + 1)
    lengths = np.array(
        [0]
        + [
            max(side.stop - side.start for side in box) if box else 0
            for box in ndimage.find_objects(patches, max_label=count)
        ]
    )
    return (areas < SPECK_AREA * areas.max()) | (lengths < SPECK_LENGTH * lengths.max())
