"""A picture of a handwritten digit, prepared the way MNIST was prepared.

Each step is a small function on float images, so that a notebook can show what
it does. `prepare_digit` chains them. The method is that of LeCun et al.,
"Gradient-based learning applied to document recognition", 1998, section III.A,
as reconstructed by the QMNIST project: the ink's bounding box, aspect ratio kept,
anti-aliased into 20 × 20 pixels, placed by its centre of mass in 28 × 28, white
on black. What to make of the result is the business of `helpers.prediction`.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import disk, skeletonize
from skimage.transform import resize

BOX, SIZE = 20, 28
# Working resolution: finer detail than this never survives the way to 20 pixels.
WORKING_SIZE = 400
# Darkest against brightest: below this share of the full range there is no ink to speak of.
LEAST_CONTRAST = 0.08
# How far the brightness of evenly lit paper strays, as a share of the full range.
EVEN_LIGHT = 0.06
# Patches of ink smaller than this share of the largest are dust, not strokes.
SPECK_SHARE = 0.03
# Stroke width in pixels of the 20-pixel box; thinner ones are rare in MNIST.
LEAST_STROKE_WIDTH = 2.0


class ImageError(Exception):
    """A picture cannot be read as a digit; the message says why."""


def read_image(path: Path) -> Image.Image:
    """Open a picture file completely.

    Raises:
        ImageError: If it is missing, unreadable, or no picture.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except UnidentifiedImageError:
        raise ImageError(f"{path} is not a picture in a format that Pillow reads.") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{path} is too large; scale it down first.") from None
    except (OSError, ValueError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{path} cannot be read: {reason}.") from None


def to_grey(image: Image.Image) -> np.ndarray:
    """Brightness of a picture as it is seen, 0 black to 1 white.

    Camera orientation (EXIF) is applied, transparent parts become white paper
    (black paper if the visible parts are bright), and pictures larger than the
    working resolution are scaled down.

    Args:
        image: A picture in any of Pillow's modes.

    Returns:
        (height, width) float32, 0 to 1.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        grey = _stretched(np.asarray(image, np.float64))
    elif image.has_transparency_data:
        grey = _on_contrasting_paper(image.convert("RGBA"))
    else:
        grey = np.asarray(image.convert("L"), np.float32) / 255
    return _at_most(grey.astype(np.float32), WORKING_SIZE)


def _stretched(values: np.ndarray) -> np.ndarray:
    # 16 and 32 bit modes do not say which value is white: the brightest there is.
    values = np.nan_to_num(values)
    low, high = min(values.min(), 0.0), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _on_contrasting_paper(image: Image.Image) -> np.ndarray:
    grey = np.asarray(image.convert("L"), np.float32) / 255
    opacity = np.asarray(image.getchannel("A"), np.float32) / 255
    visible_brightness = (grey * opacity).sum() / max(opacity.sum(), 1e-6)
    paper = 0.0 if visible_brightness > 0.5 else 1.0
    return grey * opacity + paper * (1 - opacity)


def _at_most(grey: np.ndarray, longest: int) -> np.ndarray:
    scale = longest / max(grey.shape)
    if scale >= 1:
        return grey
    shape = tuple(max(1, round(side * scale)) for side in grey.shape)
    return resize(grey, shape, anti_aliasing=True)


def to_ink(grey: np.ndarray) -> np.ndarray:
    """Turn brightness into ink: 0 paper to 1 ink, whichever of the two is the darker.

    Paper is what most of the picture consists of; ink lies farther from it than
    anything else. Unless the paper is equally bright everywhere, as on a screen, its
    brightness is estimated around each pixel, so that a shadow or an uneven light is
    not taken for ink.

    Args:
        grey: (height, width) float, 0 black to 1 white.

    Returns:
        (height, width) float32, 0 to 1.

    Raises:
        ImageError: If nothing stands out from the paper.
    """
    paper = np.median(grey)
    darkest, brightest = np.percentile(grey, [0.5, 99.5])
    dark_ink = grey if paper - darkest > brightest - paper else 1 - grey
    lit_paper = np.median(dark_ink) if _is_evenly_lit(grey) else _paper_around(dark_ink)
    ink = np.clip(lit_paper - dark_ink, 0, None)
    strongest = np.percentile(ink, 99.8)
    if strongest < LEAST_CONTRAST:
        raise ImageError("no digit found: nothing stands out from the background.")
    return np.clip(ink / strongest, 0, 1).astype(np.float32)


def _is_evenly_lit(grey: np.ndarray) -> bool:
    # The rim is nearly all paper, even where a thick stroke fills a small picture.
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    is_paper = np.abs(rim - np.median(grey)) < EVEN_LIGHT
    return bool(is_paper.mean() > 0.8)


def _paper_around(dark_ink: np.ndarray) -> np.ndarray:
    # The brightest value near a pixel is paper, as long as "near" is wider than a stroke.
    near = max(3, round(max(dark_ink.shape) * 0.25))
    brightest = ndimage.grey_closing(ndimage.median_filter(dark_ink, 3), size=near)
    return ndimage.uniform_filter(brightest, size=near)


def find_strokes(ink: np.ndarray) -> np.ndarray:
    """Mark the strokes: ink darker than half way from paper to strokes, without specks.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.

    Returns:
        (height, width) bool, True on strokes.
    """
    marked = ink > _stroke_threshold(ink)
    patches, count = ndimage.label(marked, structure=np.ones((3, 3)))
    sizes = ndimage.sum_labels(marked, patches, np.arange(count + 1))
    return (sizes >= SPECK_SHARE * sizes.max())[patches]


def _stroke_threshold(ink: np.ndarray) -> float:
    # Where no level lies between paper and strokes, Otsu's threshold touches the
    # paper, and its darkest part would pass for a stroke: hence the middle.
    strokes = ink > threshold_otsu(ink)
    return (ink[strokes].mean() + ink[~strokes].mean()) / 2


def clean_ink(ink: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Keep the ink of the strokes and of their soft edges, and make the rest paper."""
    edges = ndimage.binary_dilation(strokes, iterations=2)
    paper_level = threshold_otsu(ink) / 2
    full_level = np.percentile(ink[strokes], 50)
    levels = (ink - paper_level) / max(full_level - paper_level, 1e-6)
    return np.where(edges, np.clip(levels, 0, 1), 0).astype(np.float32)


def crop_to_ink(ink: np.ndarray) -> np.ndarray:
    """Cut out the bounding box of all pixels that hold ink."""
    rows, columns = np.any(ink > 0, axis=1).nonzero()[0], np.any(ink > 0, axis=0).nonzero()[0]
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def thicken_strokes(ink: np.ndarray) -> np.ndarray:
    """Thicken strokes that would be thinner in the 20-pixel box than MNIST's are.

    The stroke width is the inked area divided by the length of its skeleton.
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
    """Scale, anti-aliased and with its aspect ratio kept, so that the longer side is 20 pixels."""
    scale = BOX / max(ink.shape)
    shape = tuple(max(1, round(side * scale)) for side in ink.shape)
    box = resize(ink, shape, anti_aliasing=scale < 1)
    return box / box.max()


def centre_by_mass(box: np.ndarray) -> np.ndarray:
    """Place a picture of at most 20 × 20 in 28 × 28 so that its centre of mass is at (14, 14).

    Shifted by whole pixels, as MNIST was: there the centres of mass lie between
    13.5 and 14.5. Ink that would leave the frame is kept inside it.
    """
    canvas = np.zeros((SIZE, SIZE), np.float32)
    mass_centre = ndimage.center_of_mass(box)
    top, left = (
        int(np.clip(np.floor(SIZE / 2 - centre + 0.5), 0, SIZE - side))
        for centre, side in zip(mass_centre, box.shape, strict=True)
    )
    canvas[top : top + box.shape[0], left : left + box.shape[1]] = box
    return canvas


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
    ink = clean_ink(ink, find_strokes(ink))
    box = scale_to_box(thicken_strokes(crop_to_ink(ink)))
    return np.round(centre_by_mass(box) * 255).astype(np.uint8)
