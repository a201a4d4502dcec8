from helpers.reading.ink import (
    ENOUGH_PIXELS,
    find_strokes,
    ink_and_strokes,
    is_evenly_lit,
    middle_of_the_whole,
    paper_brightness,
    some_of,
    stroke_threshold,
    stroke_width,
    to_ink,
    with_dark_ink,
)
from helpers.reading.pictures import COARSE_SIDE, LONGEST_SIDE, PictureError, to_grey

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage


def page(shape=(240, 320), light=0.8, shadow=1.0):
    """Paper with a soft light, its right half darkened to a share by a hard shadow."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] / max(shape)
    paper = light * (1 - 0.2 * rows)
    return np.where(columns > 0.5 * shape[1] / max(shape), shadow * paper, paper).astype(np.float32)


def with_strokes(paper):
    """A bar in the light and one in the shadow, each a quarter as bright as its paper."""
    written = paper.copy()
    written[60:180, 70:82] *= 0.25
    written[60:180, 230:242] *= 0.25
    return written


STROKES = np.zeros((240, 320), bool)
STROKES[60:180, 70:82] = STROKES[60:180, 230:242] = True


# Light and polarity


@pytest.mark.parametrize("shadow", [1.0, 0.5])
def test_ink_is_found_dark_whichever_it_was(shadow):
    written = with_strokes(page(shadow=shadow))
    np.testing.assert_array_equal(with_dark_ink(written), written)
    np.testing.assert_allclose(with_dark_ink(1 - written), written, atol=1e-6)


def test_ink_is_found_dark_where_fat_strokes_fill_a_small_picture():
    grey = np.ones((28, 28), np.float32)
    grey[2:26, 8:19] = 0
    np.testing.assert_array_equal(with_dark_ink(grey), grey)
    np.testing.assert_array_equal(with_dark_ink(1 - grey), grey)


def test_light_is_even_on_a_screen_and_uneven_in_a_shadow():
    assert is_evenly_lit(np.full((50, 60), 0.9))
    assert not is_evenly_lit(page(shadow=0.5))


def test_paper_that_is_evenly_lit_has_one_brightness():
    grey = np.full((60, 60), 0.9, np.float32)
    grey[20:40, 28:32] = 0.1
    assert np.unique(paper_brightness(grey)) == pytest.approx(0.9)


def test_the_paper_is_seen_through_the_ink_and_the_shadow_keeps_its_edge():
    paper = page(shadow=0.5)
    estimate = paper_brightness(with_strokes(paper))
    away_from_the_edge = np.abs(np.arange(320) - 160) > 4
    difference = np.abs(estimate - paper)[3:-3, away_from_the_edge]
    assert difference.max() < 0.03


# Ink


@pytest.mark.parametrize("shadow", [1.0, 0.5])
@pytest.mark.parametrize("invert", [False, True])
def test_a_shadow_is_no_ink(shadow, invert):
    written = with_strokes(page(shadow=shadow))
    ink = to_ink(1 - written if invert else written)
    inside, outside = ndimage.binary_erosion(STROKES), ~ndimage.binary_dilation(STROKES)
    assert ink[inside].min() > 0.6
    assert np.percentile(ink[outside], 99) < 0.1
    assert ink.dtype == np.float32
    assert 0 <= ink.min() <= ink.max() <= 1


@pytest.mark.parametrize("spread", [0.01, 0.1])
def test_grain_is_no_ink(spread):
    grain = np.random.default_rng(0).normal(0.7, spread, (200, 200)).clip(0, 1)
    with pytest.raises(PictureError, match="no digit found"):
        to_ink(grain.astype(np.float32))


@pytest.mark.parametrize("cell", [3, 6])
def test_a_regular_texture_is_no_ink(cell):
    squares = np.indices((40, 40)).sum(axis=0) % 2
    with pytest.raises(PictureError, match="no digit found"):
        to_ink(np.kron(squares, np.full((cell, cell), 0.6)).astype(np.float32) + 0.2)


def test_ink_is_near_1_on_strokes_and_0_on_paper_for_both_polarities(seven):
    for picture in (seven, Image.eval(seven, lambda level: 255 - level)):
        ink = to_ink(to_grey(picture))
        assert ink[72, 100] > 0.95  # the bar
        assert ink[300, 30] < 0.05  # paper


def test_a_fat_stroke_in_a_small_picture_is_not_taken_for_a_shadow():
    grey = np.ones((28, 28), np.float32)
    grey[4:24, 11:18] = 0
    np.testing.assert_allclose(to_ink(grey), 1 - grey)
    np.testing.assert_allclose(to_ink(1 - grey), 1 - grey)


def test_specks_are_dropped_and_a_detached_bar_is_kept():
    ink = np.zeros((100, 100))
    ink[20:80, 45:55] = 1  # a stroke of 600 pixels
    ink[10:14, 60:80] = 1  # its bar, not touching: 80 pixels
    ink[90:92, 5:9] = 1  # dust: 8 pixels
    strokes = find_strokes(ink)
    assert strokes[12, 70]
    assert strokes[50, 50]
    assert strokes.sum() == 680


def test_a_dim_border_is_not_taken_for_a_stroke():
    ink = np.tile(np.linspace(0.15, 0, 100), (100, 1))
    ink[20:80, 45:55] = 1
    assert find_strokes(ink).sum() == 600


# Strokes


def test_the_threshold_lies_half_way_from_paper_to_strokes():
    ink = np.zeros((50, 50))
    ink[10:40, 20:25] = 0.8
    assert stroke_threshold(ink) == pytest.approx(0.4)


@pytest.mark.parametrize("width", [3, 6, 12])
def test_the_width_of_strokes_is_that_of_most_of_them(width):
    marked = np.zeros((200, 300), bool)
    for left in (20, 80, 140):
        marked[20:180, left : left + width] = True
    marked[20:60, 220:260] = True  # one blot among three strokes
    assert stroke_width(marked) == pytest.approx(width, rel=0.35)


def test_without_strokes_there_is_no_width():
    assert stroke_width(np.zeros((20, 20), bool)) == 0


def written_page():
    ink = np.zeros((200, 300))
    ink[60:140, 80:88] = ink[60:140, 180:188] = 1
    return ink


@pytest.mark.parametrize(
    "dirt",
    [np.s_[:, :20], np.s_[185:, :], np.s_[:, 30:32], np.s_[10:14, 250:254]],
    ids=["a table on the left", "a table below", "the edge of a sheet", "a speck"],
)
def test_what_is_no_writing_is_left_out(dirt):
    ink = written_page()
    ink[dirt] = 1
    np.testing.assert_array_equal(find_strokes(ink), written_page() == 1)


def test_faint_strokes_are_found_beside_a_table_darker_than_they_are():
    ink = 0.3 * written_page()
    ink[:, :20] = ink[185:, :] = 1
    np.testing.assert_array_equal(find_strokes(ink), written_page() == 1)


def test_a_digit_that_touches_the_rim_is_kept():
    ink = written_page()
    ink[0:80, 240:248] = 1
    np.testing.assert_array_equal(find_strokes(ink), ink == 1)


def test_what_fills_the_rim_is_kept_if_there_is_nothing_else():
    ink = np.zeros((28, 28))
    ink[:, :9] = 1
    np.testing.assert_array_equal(find_strokes(ink), ink == 1)


# Speed


@pytest.mark.parametrize(
    ("height", "longest"), [(200, COARSE_SIDE), (60, LONGEST_SIDE)], ids=["large", "small"]
)
def test_only_low_digits_are_looked_at_in_detail(height, longest):
    grey = np.full((1400, 1400), 200, np.uint8)
    for left in range(100, 1300, 300):
        grey[500 : 500 + height, left : left + height // 2] = 40
    ink, strokes = ink_and_strokes(Image.fromarray(grey))
    assert ink.shape == strokes.shape == (longest, longest)
    assert ndimage.label(strokes)[1] == 4


def test_the_middle_of_the_whole_follows_neither_small_parts_nor_a_long_one():
    assert middle_of_the_whole([40] * 5 + [130] + [4] * 6) == 40


@pytest.mark.parametrize("shape", [(200, 300), (1200, 900), (1_000_000,), (3, 500_000)])
def test_statistics_of_some_pixels_are_like_those_of_all(shape):
    values = np.random.default_rng(0).normal(0, 1, shape)
    some = some_of(values)
    assert min(values.size, ENOUGH_PIXELS) <= some.size
    assert np.median(some) == pytest.approx(np.median(values), abs=0.02)
