"""Picture files and their brightness.

Reads whatever Pillow reads and turns it into brightness as a person sees it. What is
ink in it is the business of `helpers.ink`.
"""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Finer detail than in a picture of this many pixels is never needed, even on a full sheet.
LONGEST_SIDE = 1200


class ImageError(Exception):
    """A picture cannot be read, or no digit be found in it; the message says why."""


def read_image(source: Path | BinaryIO, name: str | None = None) -> Image.Image:
    """Open a picture file completely.

    Args:
        source: A path or an open file.
        name: What messages call it; by default its path.

    Returns:
        The picture as it is seen: turned the way the camera noted (EXIF).

    Raises:
        ImageError: If it is missing, unreadable, or no picture.
    """
    name = name or str(source)
    try:
        with Image.open(source) as image:
            image.load()
            return ImageOps.exif_transpose(image)
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture in a format that Pillow reads.") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} is too large; scale it down first.") from None
    except (OSError, ValueError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{name} cannot be read: {reason}.") from None


def to_grey(image: Image.Image) -> np.ndarray:
    """Brightness of a picture, 0 black to 1 white.

    Transparent parts become white paper (black paper if the visible parts are
    bright), and pictures with a side longer than `LONGEST_SIDE` are scaled down.

    Args:
        image: A picture in any of Pillow's modes.

    Returns:
        (height, width) float32, 0 to 1.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return shrink(_stretched(np.asarray(image, np.float64)), LONGEST_SIDE)
    if image.has_transparency_data:
        return shrink(_on_contrasting_paper(image.convert("RGBA")), LONGEST_SIDE)
    return shrink(np.asarray(image.convert("L"), np.float32) / 255, LONGEST_SIDE)


def shrink(grey: np.ndarray, longest: int) -> np.ndarray:
    """Scale a picture down, by averaging over areas, until its longer side fits.

    Args:
        grey: (height, width) float.
        longest: Greatest height and width of the result in pixels.

    Returns:
        float32; a picture that fits already comes back with its shape.
    """
    grey = grey.astype(np.float32, copy=False)
    scale = longest / max(grey.shape)
    if scale >= 1:
        return grey
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BOX))


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
