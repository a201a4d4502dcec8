"""Pictures without a digit: letters, scribbles, textures, noise and empty pages.

All are generated from a seed: letters from fonts that come with Matplotlib, warped and
redrawn along their middle with a pen of random width, the rest from random numbers alone.
Letters that look like a digit (O, I, S, Z, B, g, q and the like) are left out.
`benchmarks.refusing` measures how they are read.
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from scipy.interpolate import make_interp_spline
from skimage.morphology import skeletonize

SIDE = 160  # pixels of a page
LETTERS = "ACEFHKMNPRUVWXaefhkmnrtuvwx"
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralItalic.ttf",
)
FONT_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
LETTER_HEIGHTS = (60, 110)  # pixels
PENS = (4, 16)  # pixels of width
PAPER, INK = (170, 245), (10, 90)  # grey levels


def letter(rng: np.random.Generator) -> Image.Image:
    """Draw a letter as a hand might write it."""
    size = int(rng.integers(*LETTER_HEIGHTS))
    font = ImageFont.truetype(FONT_FOLDER / rng.choice(FONTS), size)
    glyph = Image.new("L", (SIDE, SIDE), 0)
    sign = rng.choice(list(LETTERS))
    ImageDraw.Draw(glyph).text((SIDE / 2, SIDE / 2), sign, fill=255, font=font, anchor="mm")
    skeleton = skeletonize(_warped(np.asarray(glyph, float), rng) > 127)
    return _on_paper(_drawn(skeleton, rng), rng)


def scribble(rng: np.random.Generator) -> Image.Image:
    """Draw one smooth line through five to twelve places."""
    places = rng.uniform(0.15, 0.85, (int(rng.integers(5, 13)), 2)) * SIDE
    line = make_interp_spline(np.arange(len(places)), places, k=3)
    along = np.round(line(np.linspace(0, len(places) - 1, 4000))).astype(int)
    path = np.zeros((SIDE, SIDE), bool)
    path[tuple(np.clip(along, 0, SIDE - 1).T)] = True
    return _on_paper(_drawn(path, rng), rng)


def texture(rng: np.random.Generator) -> Image.Image:
    """Cover the page with stripes, squares or clouds."""
    down, right = np.mgrid[:SIDE, :SIDE]
    period = rng.uniform(6, 30)
    stripes = np.sin(2 * np.pi * right / period)
    squares = stripes * np.sin(2 * np.pi * down / period)
    clouds = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), period / 3)
    pattern = (stripes, squares, clouds)[int(rng.integers(3))]
    return _as_grey((pattern - pattern.min()) / np.ptp(pattern), rng)


def noise(rng: np.random.Generator) -> Image.Image:
    """Fill each pixel at random, like a sensor in the dark."""
    return _as_grey(rng.random((SIDE, SIDE)), rng)


def empty_page(rng: np.random.Generator) -> Image.Image:
    """Leave the paper blank, with light that falls off to one side."""
    return _on_paper(np.zeros((SIDE, SIDE)), rng)


KINDS: dict[str, Callable[[np.random.Generator], Image.Image]] = {
    "letters": letter,
    "scribbles": scribble,
    "textures": texture,
    "noise": noise,
    "empty pages": empty_page,
}


def make_pictures(kind: str, count: int, seed: int) -> list[Image.Image]:
    """Draw pictures of one of `KINDS`, grey, 160 × 160."""
    rng = np.random.default_rng(seed)
    return [KINDS[kind](rng) for _ in range(count)]


def _warped(glyph: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # An affine warp of the whole, and a smooth one that shakes each part.
    matrix = np.eye(2) + rng.uniform(-0.2, 0.2, (2, 2))
    middle = np.full(2, SIDE / 2)
    shake = ndimage.zoom(rng.normal(0, 4, (2, 5, 5)), (1, SIDE / 5, SIDE / 5), order=3)
    grid = np.mgrid[:SIDE, :SIDE] - middle[:, None, None]
    places = np.tensordot(matrix, grid, axes=1) + middle[:, None, None] + shake
    return ndimage.map_coordinates(glyph, places, order=1)


def _drawn(path: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    distance = ndimage.distance_transform_edt(~path)
    return np.clip(rng.uniform(*PENS) / 2 + 0.5 - distance, 0, 1)


def _on_paper(ink: np.ndarray, rng: np.random.Generator) -> Image.Image:
    paper, pen = rng.uniform(*PAPER), rng.uniform(*INK)
    light = 1 - rng.uniform(0, 0.3) * np.linspace(0, 1, SIDE)
    grey = (paper + (pen - paper) * ink) * light + rng.normal(0, 2, ink.shape)
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def _as_grey(shares: np.ndarray, rng: np.random.Generator) -> Image.Image:
    dark, bright = rng.uniform(*INK), rng.uniform(*PAPER)
    return Image.fromarray((dark + (bright - dark) * shares).astype(np.uint8))
