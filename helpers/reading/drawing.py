"""Draws a picture with the digits found in it, and what the network saw of each.

`helpers.reading.reader` finds them; here they are only drawn.
"""

from pathlib import Path

from helpers.files import atomic_write
from helpers.reading.digits import Digit
from helpers.reading.pictures import to_grey

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LONGEST_SIDE = 1000  # pixels of the drawn picture
FONT = 28  # height of an answer in pixels, large enough where the drawing is shown smaller
TILE = 56  # side of a prepared digit as drawn, twice its own
SURE_COLOUR, UNSURE_COLOUR, NO_DIGIT_COLOUR = "#0173b2", "#de8f05", "#767676"
# By the verdict; the text beside the box tells them apart, too.
COLOURS = {"digit": SURE_COLOUR, "unsure": UNSURE_COLOUR, "no digit": NO_DIGIT_COLOUR}


def draw_reading(image: Image.Image, digits: list[Digit]) -> Image.Image:
    """Draw a box around each digit with its reading, and below what the network saw.

    Args:
        image: The picture as it is seen.
        digits: What was read in it.

    Returns:
        An RGB picture, at most `LONGEST_SIDE` wide and high without the strip below.
    """
    scale = min(1, LONGEST_SIDE / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    columns = max(1, width // TILE)
    strip = -(-len(digits) // columns) * TILE
    drawn = Image.new("RGB", (max(width, TILE), height + strip), "white")
    drawn.paste(_in_colour(image).resize((width, height)))
    pen = ImageDraw.Draw(drawn)
    font = ImageFont.load_default(FONT)
    for number, digit in enumerate(digits):
        colour = COLOURS[digit.verdict]
        left, top, right, bottom = (round(edge * scale) for edge in digit.box)
        pen.rectangle((left, top, right, bottom), outline=colour, width=2)
        # With a white edge it can be read on shadow and wood, too.
        pen.text(
            (left + 3, max(top - FONT - 6, 0)), digit.text,
            fill=colour, font=font, stroke_width=3, stroke_fill="white",
        )  # fmt: skip
        tile_place = (number % columns * TILE, height + number // columns * TILE)
        drawn.paste(Image.fromarray(digit.pixels).resize((TILE, TILE)), tile_place)
    return drawn


def _in_colour(image: Image.Image) -> Image.Image:
    # Pillow's own conversion clips deep greys and paints transparency black.
    if image.mode in ("1", "L", "P", "RGB", "CMYK", "YCbCr") and not image.has_transparency_data:
        return image.convert("RGB")
    return Image.fromarray(np.round(to_grey(image) * 255).astype(np.uint8)).convert("RGB")


def save_drawing(image: Image.Image, digits: list[Digit], path: Path) -> None:
    """Write the drawing of `draw_reading` as PNG, atomically.

    Raises:
        OSError: If the file cannot be written.
    """
    with atomic_write(path) as unfinished:
        draw_reading(image, digits).save(unfinished, "PNG")
