"""Picture files and their brightness.

Opens the formats in which people keep pictures and turns them into brightness as a person
sees it. `helpers.reading.ink` decides what in it is ink.
"""

import os
import warnings
from pathlib import Path
from typing import BinaryIO

from helpers.errors import ArgumentError, UserError, reason

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# The formats in which people keep pictures. Pillow opens more, some of them with the help of
# other programs.
PICTURE_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
# In grey or three colours, a picture of this size takes less than 500 MB of memory in all;
# with transparency or four colours, Pillow needs about twice as much to scale it down.
MOST_PIXELS = 50_000_000
# Some decoders load the whole file first. Uncompressed, a picture of that size is smaller.
MOST_BYTES = 200_000_000
SLENDER_MODES = ("1", "L", "P", "RGB", "I;16", "I;16B", "F")
# Pixels: even a full sheet needs no finer detail, and a few large digits need far less.
LONGEST_SIDE = 1200
COARSE_SIDE = 640

# Pillow warns of large pictures, which are refused below, and of damaged EXIF, which does no
# harm. Filtered here, since `warnings.catch_warnings` is not safe in several threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


class PictureError(UserError):
    """A picture cannot be read, or no digit is found in it."""


def open_picture(source: Path | str | BinaryIO, name: str | None = None) -> Image.Image:
    """Open a picture file and load all its pixels.

    Args:
        source: A path or an open file.
        name: What messages call it; by default its path.

    Returns:
        The picture as it is seen, turned the way the camera noted (EXIF). If the file
        holds several, the first.

    Raises:
        PictureError: If it is missing, unreadable, not a picture, or too large.
    """
    return _opened(source, name, None)[0]


def open_reduced_picture(
    source: Path | str | BinaryIO, name: str | None = None
) -> tuple[Image.Image, int]:
    """Open a picture file, but decode a large JPEG only as finely as digits are read.

    JPEG stores waves, and without the fine ones it is decoded to a half, a quarter or an
    eighth of its size, in less than half of the time (`PIL.Image.Image.draft`).

    Args:
        source: A path or an open file.
        name: What messages call it; by default its path.

    Returns:
        The picture as from `open_picture`, and how many pixels of the file make one of it along
        each side: 1, 2, 4 or 8. Its longer side has at least `LONGEST_SIDE` pixels, or all.

    Raises:
        PictureError: As from `open_picture`.
    """
    return _opened(source, name, LONGEST_SIDE)


def _opened(
    source: Path | str | BinaryIO, name: str | None, longest: int | None
) -> tuple[Image.Image, int]:
    name = name or str(source)
    source = Path(source) if isinstance(source, str) else source
    try:
        if isinstance(source, Path):
            _check_file(source, name)
        return _load(source, name, longest)
    except UnidentifiedImageError:
        raise PictureError(
            f"{name} is not a picture in a supported format; save it as PNG or JPEG."
        ) from None
    except Image.DecompressionBombError:
        raise PictureError(f"{name} is too large; scale it down first.") from None
    except OSError as error:
        raise PictureError(f"{name} cannot be read: {reason(error)}.") from None
    except MemoryError:
        raise PictureError(
            f"{name} needs more memory than there is; scale it down first."
        ) from None
    except PictureError:
        raise
    except Exception as error:  # Damage makes the decoders fail in countless ways.
        words = " ".join(str(error).split()).rstrip(".")
        raise PictureError(f"{name} is damaged: {words}.") from None


def _check_file(path: Path, name: str) -> None:
    # Unlike Path's own methods, these do not raise where looking is forbidden.
    if os.path.exists(path) and not os.path.isfile(path):
        kind = "an unreadable folder" if os.path.isdir(path) else "not a regular file"
        raise PictureError(f"{name} is {kind}; name a picture, or - for standard input.")
    if os.path.isfile(path) and path.stat().st_size > MOST_BYTES:
        raise PictureError(
            f"{name} is larger than {MOST_BYTES // 1_000_000} MB; scale it down first."
        )


def _load(source: Path | BinaryIO, name: str, longest: int | None) -> tuple[Image.Image, int]:
    with Image.open(source, formats=PICTURE_FORMATS) as image:
        is_slender = image.mode in SLENDER_MODES and not image.has_transparency_data
        most = MOST_PIXELS if is_slender else MOST_PIXELS // 2
        if image.width * image.height > most:
            raise PictureError(
                f"{name} is too large: {image.width} × {image.height} pixels, where a picture "
                f"of its kind may have {most // 1_000_000} million; scale it down first."
            )
        side = max(image.size)
        if longest is not None:
            image.draft(None, _shrunk(image.size, longest))
        reduced = round(side / max(image.size))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)  # In place, to spare a copy.
        return image, reduced


def to_grey(image: Image.Image, longest: int = LONGEST_SIDE) -> np.ndarray:
    """Brightness of a picture, 0 black to 1 white.

    Transparent parts become white paper (black paper if the visible parts are
    bright), and pictures with a side longer than `longest` are scaled down.

    Args:
        image: A picture in any of Pillow's modes.
        longest: Greatest height and width of the result in pixels.

    Returns:
        (height, width) float32, 0 to 1.

    Raises:
        ArgumentError: If it is not a picture of Pillow's.
    """
    if not isinstance(image, Image.Image):
        raise ArgumentError(
            f"The picture must be a PIL.Image, but is a {type(image).__name__}; open it with "
            "open_picture, or convert an array with PIL.Image.fromarray."
        )
    if image.mode == "LAB":  # Pillow cannot convert it, but its L is the brightness.
        image = image.getchannel("L")
    if image.mode.startswith("I") or image.mode == "F":
        return _stretched(np.asarray(_fitted(image, "F", longest), np.float64)).astype(np.float32)
    if image.has_transparency_data:
        return _on_contrasting_paper(_fitted(image, "RGBA", longest))
    return np.asarray(_fitted(image, "L", longest), np.float32) / 255


def _fitted(image: Image.Image, mode: str, longest: int) -> Image.Image:
    """Convert and scale down a picture before it takes four or more bytes a pixel."""
    image = image if image.mode == mode else image.convert(mode)
    if max(image.size) <= longest:
        return image
    size = _shrunk(image.size, longest)
    if mode == "F":  # The fast way of reducing first rounds to whole numbers.
        return image.resize(size, Image.Resampling.BOX)
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=2)


def shrink(grey: np.ndarray, longest: int) -> np.ndarray:
    """Scale a picture down, by averaging over areas, until its longer side fits.

    Args:
        grey: (height, width) float.
        longest: Greatest height and width of the result in pixels.

    Returns:
        float32; a picture that already fits keeps its shape.
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
    # 16- and 32-bit modes do not say which value is white, so the brightest one is.
    values = np.nan_to_num(values)
    low, high = min(values.min(), 0.0), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _on_contrasting_paper(image: Image.Image) -> np.ndarray:
    grey = np.asarray(image.convert("L"), np.float32) / 255
    opacity = np.asarray(image.getchannel("A"), np.float32) / 255
    visible_brightness = (grey * opacity).sum() / max(opacity.sum(), 1e-6)
    paper = 0.0 if visible_brightness > 0.5 else 1.0
    return grey * opacity + paper * (1 - opacity)
