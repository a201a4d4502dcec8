from helpers.reading.ink import find_strokes, to_ink
from helpers.reading.sheet import find_sheet, without_table

import numpy as np
import pytest
from PIL import Image, ImageDraw

HEIGHT, WIDTH = 150, 200
CORNERS = {
    "level": [(20, 25), (180, 25), (180, 125), (20, 125)],
    "turned": [(40, 10), (190, 40), (165, 140), (15, 110)],
    "at an angle": [(35, 20), (160, 20), (185, 135), (15, 135)],
}
STROKES = [(80, 60, 88, 95), (105, 60, 113, 95)]


def mask(shape, where, side=(WIDTH, HEIGHT)):
    picture = Image.new("1", side)
    getattr(ImageDraw.Draw(picture), shape)(where, fill=1)
    return np.asarray(picture)


def table(level=0.25):
    grain = 0.05 * np.sin(np.arange(HEIGHT) / 2)[:, None]
    return np.repeat(level + grain, WIDTH, axis=1).astype(np.float32)


def on_a_table(sheet, paper=0.8, ink=0.2):
    grey = np.where(sheet, paper, table())
    for stroke in STROKES:
        grey[mask("rectangle", stroke)] = ink
    return grey.astype(np.float32)


@pytest.mark.parametrize("corners", CORNERS.values(), ids=CORNERS)
@pytest.mark.parametrize("ink", [0.05, 0.5])
def test_only_the_strokes_on_a_sheet_are_left_of_a_table(corners, ink):
    sheet = mask("polygon", corners)
    grey = on_a_table(sheet, ink=ink)
    assert (find_sheet(grey) ^ sheet).mean() < 0.01
    marked = find_strokes(to_ink(grey))
    expected = np.logical_or.reduce([mask("rectangle", stroke) for stroke in STROKES])
    assert (marked ^ expected).mean() < 0.01


def test_a_shadow_on_the_sheet_is_part_of_it():
    sheet = mask("polygon", CORNERS["turned"])
    light = np.where(np.arange(WIDTH) < 120, 1, 0.55)
    assert (find_sheet(on_a_table(sheet, paper=0.8 * light)) ^ sheet).mean() < 0.01


@pytest.mark.parametrize(
    "grey",
    [
        on_a_table(np.ones((HEIGHT, WIDTH), bool)),
        on_a_table(np.arange(WIDTH) < np.full((HEIGHT, 1), 120)),
        on_a_table(mask("polygon", CORNERS["level"]), paper=np.linspace(0.9, 0.2, WIDTH)),
        np.where(mask("rectangle", (20, 25, 180, 125)), 0.8, table()),
        np.where(mask("ellipse", (40, 10, 160, 140)) & ~mask("ellipse", (70, 40, 130, 110)), 1, 0),
        on_a_table(mask("polygon", CORNERS["level"]))[::2, ::2],
    ],
    ids=[
        "no table", "half in a shadow", "as dark as the table at one end", "nothing on the sheet",
        "a bright zero", "as small as a digit",
    ],
)  # fmt: skip
def test_where_there_is_no_sheet_for_certain_the_picture_stays_as_it_is(grey):
    assert without_table(grey) is grey
