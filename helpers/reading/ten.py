"""The ten digits that accompany the reader: drawn in notebook 01, used in all of them.

Whoever has drawn none gets the ten pictures that ship, one by one. They were drawn for this
project by `images/draw_digits.py`, to look like a phone's photos of a pen on paper; nothing
was chosen by how a network reads them.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from helpers import places
from helpers.reading.pictures import PictureError, open_picture
from helpers.reading.preparation import prepare_digit

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class TenDigits:
    """One picture of each digit, 0 to 9, and the two ways in which a network gets to see it.

    Attributes:
        pictures: The ten pictures, as drawn or photographed.
        squeezed: Scaled to 28 × 28 and nothing else, (10, 28, 28, 1) uint8, 0 black, 255 white.
        prepared: Prepared the way MNIST was, (10, 28, 28, 1) uint8, 0 background, 255 ink.
        yours: Which of them the reader has drawn; the others ship with the project.
    """

    pictures: tuple[Image.Image, ...]
    squeezed: np.ndarray
    prepared: np.ndarray
    yours: tuple[bool, ...]


def load_ten(folder: Path | None = None) -> TenDigits:
    """Load the reader's ten digits, and for each that is missing the one that ships.

    Args:
        folder: Holds the reader's digits, pictures named `0.png` to `9.png` (or with another
            ending); by default `build/ten`, where the pad of notebook 01 keeps them, or no
            folder at all with `MNIST_TEN=shipped`, as in tests.

    Raises:
        PictureError: If one of the pictures cannot be read or shows no digit.
        UserError: If the project's pictures are not there.
    """
    if folder is None and os.environ.get("MNIST_TEN") != "shipped":
        folder = places.ten_folder()
    own = [_own_picture(folder, digit) if folder else None for digit in range(10)]
    shipped = [places.images_folder() / f"digit_{digit}.png" for digit in range(10)]
    paths = [path or other for path, other in zip(own, shipped, strict=True)]
    pictures = tuple(open_picture(path) for path in paths)
    squeezed = np.stack([squeeze(picture) for picture in pictures])
    prepared = np.stack(
        [_prepared(picture, path) for picture, path in zip(pictures, paths, strict=True)]
    )
    yours = tuple(path is not None for path in own)
    return TenDigits(pictures, squeezed[..., np.newaxis], prepared[..., np.newaxis], yours)


def squeeze(picture: Image.Image) -> np.ndarray:
    """Scale a picture to 28 × 28 pixels, as most people would do it.

    Returns:
        (28, 28) uint8, 0 black to 255 white.
    """
    return np.asarray(picture.convert("L").resize((28, 28)))


def _own_picture(folder: Path, digit: int) -> Path | None:
    """The newest picture that the reader has kept of a digit."""
    kept = [path for path in folder.glob(f"{digit}.*") if os.path.isfile(path)]
    return max(kept, key=os.path.getmtime, default=None)


def _prepared(picture: Image.Image, path: Path) -> np.ndarray:
    try:
        return prepare_digit(picture)
    except PictureError as error:
        shown = places.relative_to_project(path).as_posix()
        raise PictureError(f"{shown}: {error} Draw that digit again, or delete the file.") from None
