"""Picture files and their brightness.

Reads whatever Pillow reads and turns it into brightness as a person sees it. What is
ink in it is the business of `helpers.ink`.
"""

import os
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Of the formats that Pillow opens, those in which people keep pictures. Others are not
# tried: for some of them, Pillow would start other programs.
PICTURE_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
# In grey or in three colours, a picture of this size takes less than 500 MB of memory in
# all; with transparency or four colours Pillow needs about twice as much to scale it down.
MOST_PIXELS = 50_000_000
SLENDER_MODES = ("1", "L", "P", "RGB", "I;16", "I;16B", "F")
# Finer detail than in a picture of this many pixels is never needed, even on a full sheet.
LONGEST_SIDE = 1200

# About large pictures, of which `read_image` says more, and damaged EXIF. Once and for all,
# since `warnings.catch_warnings` is not made for several threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


class ImageError(Exception):
    """A picture cannot be read, or no digit be found in it; the message says why."""


def read_image(source: Path | BinaryIO, name: str | None = None) -> Image.Image:
    """Open a picture file completely.

    Args:
        source: A path or an open file.
        name: What messages call it; by default its path.

    Returns:
        The picture as it is seen: turned the way the camera noted (EXIF). Of several
        in one file, the first.

    Raises:
        ImageError: If it is missing, unreadable, no picture, or too large.
    """
    name = name or str(source)
    # Unlike Path's own methods, these do not raise where looking is forbidden.
    if isinstance(source, Path) and os.path.exists(source) and not os.path.isfile(source):
        kind = "a folder that cannot be looked into" if os.path.isdir(source) else "no regular file"
        raise ImageError(f"{name} is {kind}; name a picture, or - for standard input.")
    try:
        with Image.open(source, formats=PICTURE_FORMATS) as image:
            is_slender = image.mode in SLENDER_MODES and not image.has_transparency_data
            most = MOST_PIXELS if is_slender else MOST_PIXELS // 2
            if image.width * image.height > most:
                raise ImageError(
                    f"{name} is too large: {image.width} × {image.height} pixels, of at most "
                    f"{most // 1_000_000} million for a picture of its kind; scale it down first."
                )
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # which spares a copy of most pictures
            return image
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not a picture in a format that can be read; save it as PNG or JPEG."
        ) from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} is too large; scale it down first.") from None
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror or error}.") from None
    except MemoryError:
        raise ImageError(f"{name} needs more memory than there is; scale it down first.") from None
    except ImageError:
        raise
    except Exception as error:  # There is no end to what damage provokes in the decoders.
        reason = " ".join(str(error).split()).rstrip(".")
        raise ImageError(f"{name} is damaged: {reason}.") from None


def to_grey(image: Image.Image) -> np.ndarray:
    """Brightness of a picture, 0 black to 1 white.

    Transparent parts become white paper (black paper if the visible parts are
    bright), and pictures with a side longer than `LONGEST_SIDE` are scaled down.

    Args:
        image: A picture in any of Pillow's modes.

    Returns:
        (height, width) float32, 0 to 1.
    """
    if image.mode == "LAB":  # which Pillow converts to nothing else, but L is the brightness
        image = image.getchannel("L")
    if image.mode.startswith("I") or image.mode == "F":
        return _stretched(np.asarray(_fitted(image, "F"), np.float64)).astype(np.float32)
    if image.has_transparency_data:
        return _on_contrasting_paper(_fitted(image, "RGBA"))
    return np.asarray(_fitted(image, "L"), np.float32) / 255


def _fitted(image: Image.Image, mode: str) -> Image.Image:
    """Convert and scale down a picture, before there are four bytes and more a pixel."""
    image = image if image.mode == mode else image.convert(mode)
    if max(image.size) <= LONGEST_SIDE:
        return image
    return image.resize(_shrunk(image.size, LONGEST_SIDE), Image.Resampling.BOX)


def shrink(grey: np.ndarray, longest: int) -> np.ndarray:
    """Scale a picture down, by averaging over areas, until its longer side fits.

    Args:
        grey: (height, width) float.
        longest: Greatest height and width of the result in pixels.

    Returns:
        float32; a picture that fits already comes back with its shape.
    """
    grey = grey.astype(np.float32, copy=False)
    height, width = grey.shape
    if max(height, width) <= longest:
        return grey
    size = _shrunk((width, height), longest)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def _shrunk(size: tuple[int, int], longest: int) -> tuple[int, int]:
    width, height = (max(1, round(side * longest / max(size))) for side in size)
    return width, height


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
