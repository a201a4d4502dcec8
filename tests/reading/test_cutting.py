from benchmarks.pages import Drawer, read_rows
from helpers.layout import pushed_together
from helpers.reading.cutting import (
    agreement,
    best_sequence,
    could_be_three,
    could_be_two,
    cut_up,
    find_seams,
    ink_crossed,
    is_readable,
    pieces_between,
    score,
)
from helpers.reading.reader import DigitReader

import numpy as np
import pytest
from PIL import Image


def two_bars(height=60, gap=24, bridge=4):
    """Two upright bars, 10 pixels wide, with a bridge between them."""
    strokes = np.zeros((height, 20 + gap), bool)
    strokes[:, :10] = strokes[:, -10:] = True
    strokes[height // 2 : height // 2 + bridge] = True
    return strokes


def test_seams_go_down_in_order_and_around_strokes():
    ink = two_bars(40).astype(float)
    ink[:10, 20:24] = 1  # a stroke that hangs into the gap
    seams = find_seams(ink)
    assert (np.diff(seams, axis=0) >= 0).all()
    assert (np.abs(np.diff(seams, axis=1)) <= 1).all()
    middle = seams[len(seams) // 2]
    assert ink[np.arange(40), middle].sum() <= 4, "nothing but the bridge is crossed"


def test_what_is_too_narrow_for_two_has_no_seams():
    assert find_seams(np.ones((40, 6))).shape == (0, 40)
    assert cut_up(np.ones((100, 12), bool)).max() == 0


def test_pieces_lie_between_two_places_and_leave_scraps_out():
    strokes = two_bars()
    places = cut_up(strokes)
    pieces = list(pieces_between(strokes, places))
    whole = (0, places.max() + 1)
    assert {(piece.start, piece.stop) for piece in pieces}.isdisjoint({whole})
    assert all(0 in (piece.start, whole[1] - piece.stop) for piece in pieces), "ends at an end"
    right = [piece for piece in pieces if piece.start and piece.box[1] >= 24]
    assert right and all(piece.strokes.sum() <= 60 * 20 for piece in right)
    for piece in pieces:
        assert not (piece.strokes & ~strokes).any()


def test_wide_strokes_have_pieces_in_their_middle():
    strokes = np.hstack([two_bars(), two_bars()[:, 10:], two_bars()[:, 10:]])
    places = cut_up(strokes)
    last = places.max() + 1
    assert any(piece.start and piece.stop < last for piece in pieces_between(strokes, places))


def test_a_cut_crosses_the_bridge():
    strokes = two_bars()
    crossed = ink_crossed(strokes, cut_up(strokes))
    assert crossed[0] == crossed[-1] == 0
    assert crossed[len(crossed) // 2] == pytest.approx(4 / 60, abs=1 / 60)


def test_the_best_sequence_has_the_best_sum_less_what_it_crosses():
    scores = {(0, 1): -0.1, (1, 3): -0.1, (0, 2): -0.1, (2, 3): -0.2, (1, 2): -0.1}
    assert best_sequence(scores, np.zeros(4))[1] == [(0, 1), (1, 3)]
    reached, pieces = best_sequence(scores, np.array([0, 0.5, 0, 0]))
    assert pieces == [(0, 2), (2, 3)] and reached == pytest.approx(-0.3)
    assert best_sequence({(0, 1): -0.1}, np.zeros(4)) == (-np.inf, [])


def test_nobody_asks_whether_what_is_surely_one_or_too_narrow_or_too_wide_is_two():
    assert could_be_two(0.5, 60, 60)
    assert not could_be_two(0.99, 60, 60)
    assert not could_be_two(0.5, 60, 25), "too narrow"
    assert not could_be_two(0.5, 60, 300), "a line, not digits"
    assert could_be_three(60, 120) and not could_be_three(60, 90)
    assert could_be_two(0.99, 60, 120), "as wide as three is never one"


def test_a_piece_agrees_if_it_reads_as_it_did_in_the_pair():
    seven, one = np.full((2, 10), 0.01)
    seven[7] = one[1] = 0.91
    assert agreement(seven, seven) > agreement(one, seven)
    assert np.isfinite(agreement(np.zeros(10), seven))


def test_however_wide_a_component_there_are_not_too_many_pieces():
    strokes = np.tile(two_bars(), 4)[:, :200]
    assert len(list(pieces_between(strokes, cut_up(strokes)))) < 250


def test_a_piece_counts_less_if_it_is_low_or_unlike_a_digit_or_read_with_less_certainty():
    strokes = two_bars()
    piece = next(iter(pieces_between(strokes, cut_up(strokes))))
    best = score(piece, 0.9, 0.9)
    assert best > score(piece, 0.5, 0.9)
    assert best > score(piece, 0.9, 0.5)
    low = type(piece)(0, 1, piece.strokes & (np.arange(60) < 20)[:, None])
    assert best > score(low, 0.9, 0.9)
    assert is_readable(0.9, 0.9)
    assert not is_readable(0.9, 0.5) and not is_readable(0.5, 0.9)


@pytest.fixture(scope="module")
def reader():
    return DigitReader()


def test_digits_that_touch_are_mostly_read_apart(reader, sample):
    drawer = Drawer(sample.x_test, sample.y_test, seed=0)
    pages = [drawer.touching() for _ in range(20)]
    assert sum(read_rows(reader, page.picture) == page.rows for page in pages) >= 15


def test_single_digits_are_left_whole(reader, sample):
    pages = [
        Image.fromarray(255 - np.pad(digit, 6)).resize((120, 120)) for digit in sample.x_test[:60]
    ]
    assert all(len(reader.read(page)) == 1 for page in pages)


def test_the_boxes_of_what_was_cut_apart_lie_in_the_picture_beside_each_other(reader, sample):
    three, seven = (sample.x_test[sample.y_test == digit][0] / 255 for digit in (3, 7))
    pair = np.pad(pushed_together(three, seven, 1), 8)
    picture = Image.fromarray((230 - 190 * pair).astype(np.uint8))
    left, right = reader.read(picture.resize((4 * picture.width, 4 * picture.height)))
    assert (left.digit, right.digit) == (3, 7)
    assert left.box[0] < right.box[0] and left.box[2] < right.box[2]
    assert abs(left.box[2] - right.box[0]) < 40
