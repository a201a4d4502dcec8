from helpers.reading.digits import Digit
from helpers.reading.drawing import (
    LONGEST_SIDE,
    NO_DIGIT_COLOUR,
    SURE_COLOUR,
    TILE,
    UNSURE_COLOUR,
    draw_reading,
    save_drawing,
)

import numpy as np
import pytest
from PIL import Image, ImageColor


def digit(box, probability=0.9, pixels=None, likeness=1.0):
    probabilities = np.full(10, (1 - probability) / 9)
    probabilities[3] = probability
    pixels = np.zeros((28, 28), np.uint8) if pixels is None else pixels
    return Digit(0, box, pixels, probabilities, likeness)


def blank(width, height):
    return Image.new("L", (width, height), 255)


@pytest.mark.parametrize(("count", "strips"), [(1, 1), (3, 1), (4, 2)])
def test_the_drawing_is_the_picture_with_as_many_strips_as_the_digits_need(count, strips):
    drawn = draw_reading(blank(3 * TILE, 100), [digit((5, 5, 20, 20))] * count)
    assert drawn.size == (3 * TILE, 100 + strips * TILE)


def test_a_picture_narrower_than_a_strip_is_widened_for_it():
    assert draw_reading(blank(20, 100), [digit((5, 5, 15, 60))] * 2).size == (TILE, 100 + 2 * TILE)


@pytest.mark.parametrize(
    ("probability", "likeness", "colour"),
    [(0.9, 1.0, SURE_COLOUR), (0.3, 1.0, UNSURE_COLOUR), (0.9, 0.0, NO_DIGIT_COLOUR)],
)
def test_a_box_has_the_colour_of_the_verdict_and_stands_around_the_digit(
    probability, likeness, colour
):
    found = digit((60, 50, 120, 140), probability, likeness=likeness)
    drawn = np.asarray(draw_reading(blank(200, 160), [found]))
    coloured = (drawn[30:160] == ImageColor.getrgb(colour)).all(axis=2)
    assert coloured[20, 60:121].all() and coloured[110, 60:121].all()
    assert coloured[20:111, 60].all() and coloured[20:111, 120].all()
    assert not coloured[23:108, 63:118].any()


def test_boxes_shrink_with_a_large_picture():
    large = blank(2 * LONGEST_SIDE, LONGEST_SIDE)
    drawn = np.asarray(draw_reading(large, [digit((400, 300, 800, 700))]))
    assert drawn.shape == (LONGEST_SIDE // 2 + TILE, LONGEST_SIDE, 3)
    coloured = (drawn[:-TILE] == ImageColor.getrgb(SURE_COLOUR)).all(axis=2)
    assert coloured[250, 200] and coloured[250, 400]
    assert coloured[150, 300] and coloured[350, 300]


def test_tiles_show_what_the_network_saw_in_the_order_of_the_digits():
    rng = np.random.default_rng(0)
    seen = [rng.integers(0, 256, (28, 28), np.uint8) for _ in range(3)]
    digits = [digit((5, 5, 20, 20), pixels=pixels) for pixels in seen]
    drawn = draw_reading(blank(2 * TILE, 100), digits)
    for pixels, place in zip(seen, [(0, 100), (TILE, 100), (0, 100 + TILE)], strict=True):
        tile = drawn.crop((*place, place[0] + TILE, place[1] + TILE)).convert("L")
        expected = Image.fromarray(pixels).resize((TILE, TILE))
        np.testing.assert_allclose(np.asarray(tile, int), np.asarray(expected, int), atol=1)


def test_the_drawing_is_saved_as_png_in_a_folder_that_is_made(tmp_path):
    path = tmp_path / "new" / "a.png"
    save_drawing(blank(100, 100), [digit((5, 5, 20, 20))], path)
    with Image.open(path) as shown:
        assert (shown.format, shown.size) == ("PNG", (100, 100 + TILE))


def as_16_bit(picture):
    return Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)


def as_fractions(picture):
    return Image.fromarray(np.asarray(picture).astype(np.float32) / 255)


def on_transparent_ground(picture):
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    ink = Image.eval(picture, lambda level: 255 if level < 128 else 0)
    layer.paste((0, 0, 0, 255), mask=ink)
    return layer


@pytest.mark.parametrize("store", [as_16_bit, as_fractions, on_transparent_ground])
def test_ink_and_paper_look_different_however_the_picture_is_stored(seven, store):
    drawn = np.asarray(draw_reading(store(seven), [digit((250, 350, 290, 390))]).convert("L"), int)
    paper, ink = drawn[300, 30], drawn[72, 100]
    assert paper - ink > 100


def test_an_answer_has_a_white_edge_on_dark_paper():
    dark = Image.new("L", (200, 160), 60)
    drawn = np.asarray(draw_reading(dark, [digit((60, 50, 120, 140))]))[:49]
    answer = (drawn == ImageColor.getrgb(SURE_COLOUR)).all(axis=2)
    rows, columns = np.nonzero(answer)
    assert np.ptp(rows) > 15
    assert (drawn[rows.min() - 2, columns[rows.argmin()]] == 255).all()
