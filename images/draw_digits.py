"""Draws the pictures in `images/` with strokes of our own: `python images/draw_digits.py`.

Each digit is a list of strokes, each stroke a list of points on a 10 × 14 grid, joined by a smooth
curve. Paper, pen and light are simulated, too, so that the pictures look like a phone's photos.
"""

from pathlib import Path

from helpers.reading.preparation import prepare_digit

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.interpolate import make_interp_spline

FOLDER = Path(__file__).parent
GRID_WIDTH, GRID_HEIGHT = 10, 14
# Each stroke is a list of points on the grid, (x, y) from its top left corner.
Strokes = list[list[tuple[float, float]]]

STROKES: dict[int, Strokes] = {
    0: [[(5.4, 0.4), (2, 2.5), (1, 7), (2.4, 12.3), (5.6, 13.5), (8.6, 10), (8.8, 4.4),
         (5.4, 0.4)]],
    1: [[(3.4, 3.2), (5.6, 0.6)], [(5.6, 0.6), (5.3, 7), (4.9, 13.5)]],
    2: [[(1.4, 3.4), (3.4, 0.7), (7.4, 1.4), (7.4, 5.4), (3.6, 10), (1, 13)], [(1, 13), (9, 12.6)]],
    3: [[(1.6, 1.4), (5.6, 0.5), (7.8, 3.2), (4.2, 6.3)],
        [(4.2, 6.3), (8.4, 8.4), (7.4, 12.6), (3.6, 13.5), (1, 11.8)]],
    4: [[(5.6, 0.6), (3.2, 4.6), (0.8, 8.6)], [(0.8, 8.6), (9.2, 8.1)], [(6.8, 4.6), (6.3, 13.5)]],
    5: [[(2.6, 1), (2, 6.2)], [(2, 6.2), (6, 5.4), (8.4, 9), (6, 13), (1.4, 12.4)],
        [(2.6, 1), (8.4, 0.7)]],
    6: [[(7, 0.6), (3.2, 4.4), (1.4, 9.4), (3.6, 13.3), (7.6, 12), (7.6, 8.4), (4.4, 7.4),
         (1.6, 10)]],
    7: [[(1.2, 1.4), (8.6, 0.9)], [(8.6, 0.9), (6, 6.4), (4, 13.5)]],
    8: [[(7.6, 2.6), (4.6, 0.5), (2.2, 3.2), (5, 6.4), (8.2, 10), (5, 13.5), (1.6, 10.6),
         (4.6, 6.8), (7.8, 3.4), (7, 1.6)]],
    9: [[(7.8, 3), (4.6, 0.6), (1.6, 3.6), (3.6, 7), (7.4, 5), (7.9, 2.8)],
        [(7.9, 2.8), (7.4, 8), (6, 13.5)]],
}  # fmt: skip

# A 4 whose arms bend towards each other, or a 9 whose loop is not closed.
FOUR_OR_NINE: Strokes = [
    [(4.4, 2), (2.2, 3.6), (1.6, 7.4), (7.2, 7)],
    [(8, 1.6), (7.3, 7), (6.2, 13.5)],
]


def smooth_stroke(points: list[tuple[float, float]]) -> np.ndarray:
    """Join points by an interpolating spline of degree 3, or less if there are few points.

    Returns:
        (200, 2) float, x and y on the grid.
    """
    control = np.array(points, float)
    # With the root of the distance as the parameter, uneven points cause no overshoot.
    steps = np.sqrt(np.linalg.norm(np.diff(control, axis=0), axis=1))
    parameter = np.concatenate([[0], np.cumsum(steps)])
    spline = make_interp_spline(parameter, control, k=min(3, len(points) - 1))
    return spline(np.linspace(0, parameter[-1], 200))


def ink_mask(
    strokes: Strokes, height: int, pen: float, slant: float = 0.0, waver: float = 0.0, seed: int = 0
) -> Image.Image:
    """Draw one digit as an ink mask.

    Args:
        strokes: What to draw, such as `STROKES[7]`.
        height: Height of the digit in pixels.
        pen: Stroke width as a share of the height.
        slant: Sideways shift of the top against the bottom, as a share of the height.
        waver: Random displacement of each point, in grid units.
        seed: Decides the displacements.

    Returns:
        A picture in mode "L", 0 paper to 255 ink, with half a height of margin.
    """
    generator = np.random.default_rng(seed)
    unit, oversampling = height / GRID_HEIGHT, 3
    canvas = (round(height * 1.8), round(height * 1.8))
    mask = Image.new("L", (canvas[0] * oversampling, canvas[1] * oversampling), 0)
    pencil = ImageDraw.Draw(mask)
    origin = np.array(canvas) / 2 - np.array([GRID_WIDTH, GRID_HEIGHT]) * unit / 2
    radius = pen * height / 2 * oversampling
    wavers = generator.normal(0, waver, (GRID_HEIGHT + 1, 2))
    for stroke in strokes:
        # The waver depends on the place, so strokes that meet stay together.
        moved = [
            (x + wavers[round(y), 0] + slant * (GRID_HEIGHT / 2 - y), y + wavers[round(x), 1])
            for x, y in stroke
        ]
        for x, y in (origin + smooth_stroke(moved) * unit) * oversampling:
            pencil.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return mask.resize(canvas, Image.Resampling.LANCZOS)


def photograph(
    mask: Image.Image, paper: float, ink: float, shadow: float, noise: float, seed: int
) -> Image.Image:
    """Make an ink mask look like a photo of ink on paper.

    Args:
        mask: 0 paper to 255 ink.
        paper: Brightness of the paper in the light, 0 to 255.
        ink: Brightness of the ink, 0 to 255.
        shadow: How much darker the lower right corner is, as a share.
        noise: Standard deviation of the camera noise, in grey levels.
        seed: Decides the noise.

    Returns:
        A picture in mode "L".
    """
    generator = np.random.default_rng(seed)
    share = np.asarray(mask.filter(ImageFilter.GaussianBlur(1)), float) / 255
    down, right = np.meshgrid(*(np.linspace(0, 1, side) for side in share.shape), indexing="ij")
    light = 1 - shadow * (down + right) / 2
    grey = (paper * (1 - share) + ink * share) * light + generator.normal(0, noise, share.shape)
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def write_rows(rows: list[str], cell: int, pens: tuple[float, float], seed: int) -> Image.Image:
    """Write rows of digits, each digit with its own pen, slant and size.

    Args:
        rows: The digits of each row.
        cell: Height and width of the place of a digit in pixels.
        pens: Thinnest and thickest stroke, as shares of a digit's height.
        seed: Decides pens, slants, sizes and places.

    Returns:
        An ink mask in mode "L", 0 paper to 255 ink.
    """
    generator = np.random.default_rng(seed)
    page = Image.new("L", (max(map(len, rows)) * cell, len(rows) * cell), 0)
    for row, digits in enumerate(rows):
        for column, digit in enumerate(digits):
            height = round(cell * generator.uniform(0.45, 0.55))
            mask = ink_mask(
                STROKES[int(digit)], height, generator.uniform(*pens),
                slant=generator.uniform(0, 0.12), waver=0.25, seed=int(generator.integers(1000)),
            )  # fmt: skip
            place = (np.array([column, row]) + 0.5) * cell + generator.normal(0, 0.04 * cell, 2)
            left, top = (place - np.array(mask.size) / 2).astype(int)
            page.paste(255, (left, top), mask)
    return page


def photograph_sheet(mask: Image.Image, seed: int) -> Image.Image:
    """Make an ink mask look like a sheet of squared paper on a dark table, half in shadow.

    Args:
        mask: 0 paper to 255 ink.
        seed: Decides the camera's noise.

    Returns:
        A picture in mode "L", larger than the mask by the table's edge.
    """
    width, height = mask.size
    down, right = np.mgrid[:height, :width]
    ink = np.asarray(mask.filter(ImageFilter.GaussianBlur(1)), float) / 255
    squares = ((down + 0.01 * right) % 48 < 1.5) | ((right - 0.01 * down) % 48 < 1.5)
    paper = (1 - 0.18 * squares) * (1 - 0.75 * ink)
    shadow = right + 40 * np.sin(down / 90) > 0.58 * width
    shadow = np.asarray(Image.fromarray(shadow).convert("L").filter(ImageFilter.GaussianBlur(5)))
    light = 215 * (1 - 0.4 * shadow / 255) * (1 - 0.15 * down / height)
    photo = np.full((height + 30, width + 70), 45.0)
    photo[:height, 70:] = paper * light
    photo += np.random.default_rng(seed).normal(0, 0.4, photo.shape)
    return Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8))


def main() -> None:
    """Redraw every picture of this folder, with the same bytes each time."""
    light = {"paper": 205, "ink": 60, "shadow": 0.35, "noise": 2.5}
    seven = ink_mask(STROKES[7], height=130, pen=0.05, slant=0.1, waver=0.2, seed=7)
    photograph(seven, **light, seed=7).save(FOLDER / "seven.png", optimize=True)
    for name, strokes in (("easy", STROKES[3]), ("ambiguous", FOUR_OR_NINE)):
        photo = photograph(ink_mask(strokes, height=130, pen=0.1, slant=0.08), **light, seed=2)
        Image.fromarray(prepare_digit(photo)).save(FOLDER / f"{name}.png", optimize=True)
    for digit in range(10):
        mask = ink_mask(
            STROKES[digit], height=90, pen=0.055, slant=0.06, waver=0.25, seed=10 + digit
        )
        photo = photograph(mask, **light, seed=digit)
        photo.save(FOLDER / f"digit_{digit}.png", optimize=True)
    sheet = write_rows(["31415", "92653", "58970"], cell=140, pens=(0.04, 0.1), seed=3)
    photograph_sheet(sheet, seed=3).save(FOLDER / "sheet.png", optimize=True)
    chalk = write_rows(["2026"], cell=120, pens=(0.06, 0.08), seed=4)
    board = photograph(chalk, paper=50, ink=215, shadow=0.3, noise=1.5, seed=4)
    board.save(FOLDER / "blackboard.png", optimize=True)


if __name__ == "__main__":
    main()
