"""Ink on paper: from the brightness of a picture to the strokes in it.

Nothing is assumed about the light, or about whether paper or ink is brighter.
`helpers.reading.sheet` takes out the table around the paper, and `helpers.reading.lines` the lines
on it. What the strokes say is up to `helpers.reading.segmentation`.
"""

from collections.abc import Sequence

from helpers.reading.lines import without_lines
from helpers.reading.pictures import COARSE_SIDE, LONGEST_SIDE, PictureError, shrink, to_grey
from helpers.reading.sheet import without_table

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu

# Least contrast of writing, relative to the brightness of the paper.
LEAST_CONTRAST = 0.08
# Ink that stands out less than this from the grain of the paper may be grain itself.
LEAST_SIGNAL_TO_NOISE = 5
# The percentile of a picture's ink that is as strong as its strokes.
STRONGEST = 99.8
# Lines of the paper fainter than this share of the strokes are paper anyway.
LINE_LEVEL = 0.25
# Minimum skewness that counts as bright ink, so that blank paper is not inverted by accident.
LEAST_SKEWNESS = 0.5
# Tolerated variation of evenly lit paper, relative to its brightness (or to mid-grey for dark
# paper). Must stay below LEAST_CONTRAST, or uneven light would count as ink.
EVEN_LIGHT = 0.06
# Light changes slowly, so a picture of this many pixels shows enough of it.
LIGHT_SIZE = 500
# Neighbourhoods in which to look for paper, as shares of the picture's longer side.
NEIGHBOURHOODS = (0.06, 0.12, 0.25)
# Components thinner than this share of the median stroke width are dirt or a sheet's edge.
LEAST_RELATIVE_WIDTH = 0.4
# Components below these shares of the largest area and the greatest length are dust.
SPECK_AREA, SPECK_LENGTH = 0.03, 0.12
# Pixels around the table beneath a sheet that its blurred edge may reach.
TABLE_EDGE = 8
# What follows the picture's rim for more stroke widths than this is not a stroke.
LONGEST_CONTACT = 3

# Lower digits are looked at in more detail.
LEAST_DIGIT = 40
# A median of this many pixels, evenly spread, is as good as one of all.
ENOUGH_PIXELS = 30_000

TOUCHING = np.ones((3, 3), bool)


def ink_and_strokes(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Find the ink of a picture, in no more detail than its digits need.

    A picture is first looked at in `COARSE_SIDE` pixels, and in up to `LONGEST_SIDE` only if
    its digits are low: time grows with the number of pixels, and a digit ends in 20 anyway.

    Args:
        image: In any of Pillow's modes, as it is seen.

    Returns:
        The ink, (height, width) float32 from 0 paper to 1, and its strokes, bool.

    Raises:
        PictureError: If nothing stands out from the paper.
    """
    ink = to_ink(to_grey(image, COARSE_SIDE))
    strokes = find_strokes(ink)
    if max(image.size) > COARSE_SIDE and _digit_height(strokes) < LEAST_DIGIT:
        ink = to_ink(to_grey(image, LONGEST_SIDE))
        strokes = find_strokes(ink)
    return ink, strokes


def _digit_height(strokes: np.ndarray) -> float:
    boxes = ndimage.find_objects(ndimage.label(strokes, structure=TOUCHING)[0])
    return middle_of_the_whole([rows.stop - rows.start for rows, _ in boxes])


def middle_of_the_whole(lengths: Sequence[int]) -> float:
    """The length at which half of the sum of all is reached: their median, weighted by themselves.

    Neither many short ones nor a single long one decide.

    Args:
        lengths: At least one, positive.
    """
    ordered = np.sort(lengths)
    reached = np.cumsum(ordered)
    return float(ordered[np.searchsorted(reached, reached[-1] / 2)])


def to_ink(grey: np.ndarray) -> np.ndarray:
    """Turn brightness into ink, 0 paper to 1 ink, whichever of the two is darker.

    Args:
        grey: (height, width) float, 0 black to 1 white.

    Returns:
        (height, width) float32, 0 to 1.

    Raises:
        PictureError: If nothing stands out from the paper.
    """
    dark_ink = with_dark_ink(without_table(grey))
    paper = paper_brightness(dark_ink)
    ink = 1 - dark_ink / np.maximum(paper, 0.05)
    ink = without_lines(ink, LINE_LEVEL * np.percentile(some_of(ink), STRONGEST))
    if max(grey.shape) > 150:
        # Smooth the grain of the paper, by less than the width of any legible stroke.
        ink = ndimage.gaussian_filter(ink, max(grey.shape) / 600)
    ink -= np.median(some_of(ink))
    strongest = np.percentile(some_of(ink), STRONGEST)
    if not stands_out(ink):
        raise PictureError("no digit found: nothing stands out from the background.")
    return np.clip(ink / strongest, 0, 1).astype(np.float32)


def stands_out(ink: np.ndarray) -> bool:
    """Whether the strongest ink is more than the grain of the paper, and enough to be seen."""
    ink = some_of(ink)
    level = np.median(ink)
    grain = 1.48 * np.median(np.abs(ink - level))  # Its standard deviation, if it is normal.
    contrast = np.percentile(ink, STRONGEST) - level
    return bool(contrast >= max(LEAST_CONTRAST, LEAST_SIGNAL_TO_NOISE * grain))


def with_dark_ink(grey: np.ndarray) -> np.ndarray:
    """Invert a picture whose ink is brighter than its paper.

    Strokes are narrow and rare, so ink forms the longer tail of the brightness relative to
    its surroundings; a shadow forms none.

    Args:
        grey: (height, width) float, 0 black to 1 white.

    Returns:
        (height, width) float32: `grey` or `1 - grey`.
    """
    if is_evenly_lit(grey):
        deviation = grey - np.median(some_of(grey))
    else:
        small = shrink(grey, LIGHT_SIZE)
        deviation = small - ndimage.uniform_filter(small, odd(0.2 * max(small.shape)))
    squares = deviation * deviation  # Several times as fast as NumPy's own powers.
    skewness = (squares * deviation).mean() / max(squares.mean(), 1e-12) ** 1.5
    return grey if skewness < LEAST_SKEWNESS else 1 - grey


def is_evenly_lit(grey: np.ndarray) -> bool:
    """Whether the paper has one brightness, as on a screen or a scan.

    The rim decides: it is nearly all paper, even if a fat stroke fills a small picture.
    """
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = np.median(some_of(grey))
    return bool((np.abs(rim - paper) < EVEN_LIGHT * max(paper, 0.5)).mean() > 0.8)


def paper_brightness(dark_ink: np.ndarray) -> np.ndarray:
    """Estimate for each pixel how bright the paper would be without ink.

    Grey-scale closing leaves the edge of a shadow in place and fills whatever is narrower
    than the neighbourhood, which must be wider than a stroke, but no wider than necessary.

    Args:
        dark_ink: (height, width) float, 0 to 1, ink darker than paper.

    Returns:
        (height, width) float32, 0 to 1; one value everywhere if the light is even.
    """
    if is_evenly_lit(dark_ink):
        return np.full_like(dark_ink, np.median(some_of(dark_ink)))
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
    """Mark the strokes: ink above half of their own level, without dirt.

    Drops specks, lines much thinner than the rest (the edge of a sheet), and components
    along the picture's rim (the table beneath it), unless nothing else is left.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.

    Returns:
        (height, width) bool, True on strokes.
    """
    marked, labels, count = _marked_beside_the_table(ink)
    for judge in (_along_the_rim, _slivers, _specks):
        dropped = judge(marked, labels, count)
        dropped[0] = True
        if not dropped.all():
            marked = marked & ~dropped[labels]
            labels = np.where(marked, labels, 0)
    return marked


def stroke_threshold(ink: np.ndarray) -> float:
    """The level of ink half way from paper to strokes.

    If no level lies between the two, Otsu's threshold touches the paper, and the darkest
    paper would count as a stroke; hence the middle.
    """
    strokes = ink > threshold_otsu(ink)
    area, of_strokes = np.count_nonzero(strokes), ink.sum(where=strokes, dtype=float)
    if area == 0:  # All ink has one level.
        return float(ink.flat[0])
    paper = (ink.sum(dtype=float) - of_strokes) / (ink.size - area)
    return float(of_strokes / area + paper) / 2


def _marked_beside_the_table(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The mask of the strokes, the number of each pixel's component, and their count.

    What lies along the rim does not set the threshold: a table around the sheet is often
    darker than the ink, which would pass for paper then.
    """
    threshold = stroke_threshold(ink)
    marked = ink > threshold
    labels, count = ndimage.label(marked, structure=TOUCHING)
    along_the_rim = _along_the_rim(marked, labels, count)
    along_the_rim[0] = False
    if not along_the_rim.any():
        return marked, labels, count
    sheet = ~ndimage.binary_dilation(along_the_rim[labels], TOUCHING, TABLE_EDGE)
    if not sheet.any() or not stands_out(ink[sheet]):
        return marked, labels, count
    marked = ink > min(threshold, stroke_threshold(ink[sheet]))
    return marked, *ndimage.label(marked, structure=TOUCHING)


def stroke_width(marked: np.ndarray) -> float:
    """The median stroke width in pixels of the components in a picture; 0 if there are none.

    A stroke's area is about half its outline times its width. Components below a tenth of
    the largest do not count.
    """
    labels, count = ndimage.label(marked, structure=TOUCHING)
    return _usual_width(*_areas_and_widths(marked, labels, count))


def _usual_width(areas: np.ndarray, widths: np.ndarray) -> float:
    large = areas >= max(0.1 * areas.max(initial=0), 12)
    return float(np.median(widths[large])) if large.any() else 0.0


def some_of(values: np.ndarray) -> np.ndarray:
    """Pixels of a picture from which to estimate a median or a percentile: all, if they are few.

    Args:
        values: One or two axes.

    Returns:
        A view of every n-th pixel along each axis, at least `ENOUGH_PIXELS` in all unless
        `values` has fewer.
    """
    step = int((values.size / ENOUGH_PIXELS) ** (1 / values.ndim))
    return values[(slice(None, None, max(1, step)),) * values.ndim]


def odd(length: float) -> int:
    """A length, rounded and made odd, at least 3: the side of a neighbourhood with a centre."""
    return max(3, round(length) | 1)


# The judges: each takes the mask of the strokes, the number of each pixel's component, and the
# count of components; it returns, (count + 1,) bool, which of them to drop. 0 is the paper.


def _along_the_rim(marked: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    sides = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    contact = np.max([np.bincount(side, minlength=count + 1) for side in sides], axis=0)
    if not contact[1:].any():
        return np.zeros(count + 1, bool)
    areas, widths = _areas_and_widths(marked, labels, count)
    free = contact[1:] == 0
    width = _usual_width(areas[free], widths[free]) or _usual_width(areas, widths)
    return contact > LONGEST_CONTACT * width


def _slivers(marked: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    areas, widths = _areas_and_widths(marked, labels, count)
    return np.concatenate([[True], widths < LEAST_RELATIVE_WIDTH * _usual_width(areas, widths)])


def _specks(marked: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    areas = np.bincount(labels[marked], minlength=count + 1)
    boxes = ndimage.find_objects(labels, max_label=count)
    lengths = np.array(
        [0, *(max(side.stop - side.start for side in box) if box else 0 for box in boxes)]
    )
    return (areas < SPECK_AREA * areas.max()) | (lengths < SPECK_LENGTH * lengths.max())


def _areas_and_widths(
    marked: np.ndarray, labels: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Area and stroke width of each component in pixels, in the order of their numbers from 1."""
    inner = np.zeros_like(marked)  # An erosion, in a tenth of SciPy's time.
    inner[1:-1, 1:-1] = (
        marked[1:-1, 1:-1]
        & (marked[:-2, 1:-1] & marked[2:, 1:-1])
        & (marked[1:-1, :-2] & marked[1:-1, 2:])
    )
    outline = marked & ~inner
    areas = np.bincount(labels[marked], minlength=count + 1)[1:]
    outlines = np.bincount(labels[outline], minlength=count + 1)[1:]
    return areas, 2 * areas / np.maximum(outlines, 1)
