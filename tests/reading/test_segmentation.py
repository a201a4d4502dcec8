from itertools import groupby

from helpers.layout import pushed_together
from helpers.reading.ink import find_strokes, to_ink
from helpers.reading.network import Network, PairNetwork
from helpers.reading.pictures import PictureError, to_grey
from helpers.reading.segmentation import (
    Component,
    bounding_box,
    find_digits,
    into_rows,
    slope_of_rows,
    typical_height,
)

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import label


class Judge:
    """Stands for the network: certain of a number of strokes, and counts what it is asked."""

    def __init__(self, certain_of):
        self.certain_of, self.asked = certain_of, []

    def __call__(self, pictures):
        self.asked += [picture.tobytes() for picture in pictures]
        probabilities = np.full((len(pictures), 10), 0.05)
        for row, picture in zip(probabilities, pictures, strict=True):
            strokes = np.count_nonzero(np.diff((picture > 100).any(axis=0).astype(int)) == 1)
            row[strokes] = 0.9 if strokes in self.certain_of else 0.3
        return probabilities, np.ones(len(pictures))


def never_two(windows):
    """Stands for the network for pairs."""
    return np.full((len(windows), 2, 10), 0.1), np.zeros(len(windows))


def bars(*boxes, shape=(120, 400)):
    ink = np.zeros(shape, np.float32)
    for top, left, bottom, right in boxes:
        ink[top:bottom, left:right] = 1
    return ink


def by_row(digits):
    return [list(row) for _, row in groupby(digits, key=lambda digit: digit.row)]


def boxes_of(digits):
    return [[digit.box for digit in row] for row in by_row(digits)]


NEAR = bars((20, 40, 100, 50), (20, 65, 100, 75))


def test_the_network_decides_whether_neighbours_are_one_digit_or_two():
    as_one = find_digits(NEAR, NEAR > 0, Judge(certain_of={2}), never_two)
    as_two = find_digits(NEAR, NEAR > 0, Judge(certain_of={1}), never_two)
    assert boxes_of(as_one) == [[(40, 20, 75, 100)]]
    assert boxes_of(as_two) == [[(40, 20, 50, 100), (65, 20, 75, 100)]]


def test_the_network_is_asked_about_nothing_twice():
    ink = bars(*((20, left, 100, left + 8 + left // 40) for left in range(20, 380, 30)))
    judge = Judge(certain_of={1})
    assert [digit.row for digit in find_digits(ink, ink > 0, judge, never_two)] == [0] * 12
    assert len(judge.asked) <= 12 + 11 + 10  # alone, in pairs, in threes


def test_neighbours_far_apart_are_never_put_together():
    ink = bars((20, 40, 100, 50), (20, 120, 100, 130))
    found = find_digits(ink, ink > 0, Judge(certain_of={2}), never_two)
    assert [digit.row for digit in found] == [0, 0]


def test_a_low_part_above_a_digit_belongs_to_it():
    ink = bars((10, 40, 18, 90), (26, 40, 110, 60))
    for certain_of in ({1}, {2}):
        found = find_digits(ink, ink > 0, Judge(certain_of), never_two)
        assert boxes_of(found) == [[(40, 10, 90, 110)]]


def test_what_lies_far_from_any_digit_and_is_low_is_left_out():
    ink = bars((20, 40, 100, 50), (50, 300, 62, 312))
    assert boxes_of(find_digits(ink, ink > 0, Judge({1}), never_two)) == [[(40, 20, 50, 100)]]


def test_hundreds_of_specks_are_no_writing():
    ink = np.zeros((200, 200), np.float32)
    ink[::8, ::8] = 1
    with pytest.raises(PictureError, match=r"no digit found: 625 specks"):
        find_digits(ink, ink > 0, Judge({1}), never_two)


def component(top, left, height=40, width=20):
    return Component((top * 1000 + left,), top, left, top + height, left + width)


def test_rows_are_read_from_the_top_and_each_from_the_left():
    first = [component(12, 10), component(8, 60), component(14, 110)]
    second = [component(80, 30), component(74, 70)]
    shuffled = [second[1], first[2], first[0], second[0], first[1]]
    assert into_rows(shuffled) == [first, second]


def test_a_row_may_slope_by_more_than_its_height():
    row = [component(10 + 12 * column, 60 * column) for column in range(6)]
    below = [component(90 + 12 * column, 60 * column) for column in range(6)]
    assert into_rows(below + row) == [row, below]


def test_a_short_row_below_a_sloping_one_is_a_row_of_its_own():
    row = [component(10 + 15 * column, 60 * column) for column in range(8) if column != 4]
    short = [component(70 + 15 * column, 60 * column) for column in range(2)]
    assert into_rows(short + row) == [row, short]


def test_neither_one_tall_component_nor_small_parts_make_the_height_of_a_digit():
    digits = [component(10, 60 * column) for column in range(5)]
    tall, parts = component(10, 400, height=130), [component(0, 0, height=4)] * 6
    assert typical_height([tall, *digits, *parts]) == 40


@pytest.mark.parametrize("slope", [-0.2, 0, 0.1])
def test_the_slope_is_that_of_most_rows(slope):
    rows = [
        component(round(200 + 60 * row + slope * 60 * column), 60 * column)
        for row in range(3)
        for column in range(5)
    ]
    assert slope_of_rows(rows, 40) == pytest.approx(slope, abs=0.03)
    assert slope_of_rows(rows[:1], 40) == 0


def test_digits_of_different_rows_are_not_taken_together():
    ink = bars((10, 40, 50, 50), (90, 40, 130, 50), (10, 90, 50, 100), shape=(140, 140))
    rows = by_row(find_digits(ink, ink > 0, Judge(certain_of={1}), never_two))
    assert [len(row) for row in rows] == [2, 1]


def test_the_box_holds_all_strokes():
    assert bounding_box(bars((20, 40, 100, 50), (30, 120, 80, 130)) > 0) == (40, 20, 130, 100)


# With the network that ships


def write(sample, places, shape):
    """Digits of the sample, 80 pixels wide and high, dark on grey paper."""
    ink = np.zeros(shape, np.uint8)
    for index, (top, left) in enumerate(places):
        drawn = Image.fromarray(sample.x_test[index]).resize((80, 80))
        window = ink[top : top + 80, left : left + 80]
        np.maximum(window, drawn, out=window)
    return Image.fromarray((210 - 0.7 * ink).astype(np.uint8))


def read(picture):
    ink = to_ink(to_grey(picture))
    digits = find_digits(ink, find_strokes(ink), Network().judge, PairNetwork().judge)
    return [[digit.digit for digit in row] for row in by_row(digits)]


def test_three_rows_of_digits_are_read_in_order(sample):
    places = [(20 + 110 * row, 20 + 110 * column) for row in range(3) for column in range(5)]
    expected = sample.y_test[:15].reshape(3, 5)
    rows = read(write(sample, places, (360, 580)))
    assert [len(row) for row in rows] == [5, 5, 5]
    assert (np.array(rows) == expected).sum() >= 14


def test_digits_written_close_together_stay_apart(sample):
    picture = write(sample, [(20, 10 + 58 * column) for column in range(6)], (120, 400))
    (row,) = read(picture)
    assert len(row) == 6


def two_that_touch(sample):
    """A 7 and a 3, pushed together until they touch, as ink and strokes."""
    seven, three = (sample.x_test[sample.y_test == digit][0] for digit in (7, 3))
    for apart in range(28, 8, -1):
        ink = np.zeros((28, 56), np.float32)
        ink[:, :28] = seven / 255
        ink[:, apart : apart + 28] = np.maximum(ink[:, apart : apart + 28], three / 255)
        ink = np.asarray(Image.fromarray(ink).resize((280, 140)))
        if label(ink > 0.5)[1] == 1:
            break
    return ink, ink > 0.5


def test_two_are_cut_where_they_read_as_the_network_for_pairs_has_read_them(sample):
    ink, strokes = two_that_touch(sample)
    pair_network, asked = PairNetwork(), []

    def surely_two(windows):
        asked.append(windows.shape)
        return pair_network.judge(windows)[0], np.full(len(windows), 0.99, np.float32)

    seven, three = find_digits(ink, strokes, Network().judge, surely_two)
    assert asked == [(1, 28, 56)]
    assert (seven.digit, three.digit) == (7, 3)
    assert seven.likeness == three.likeness == pytest.approx(0.99)
    assert seven.box[2] < three.box[2] and abs(seven.box[2] - three.box[0]) < 30
    assert len(find_digits(ink, strokes, Network().judge, never_two)) == 1


def three_that_touch(sample, seed):
    """Three digits in one component, as ink and strokes, and which they are."""
    chosen = np.random.default_rng(seed).integers(0, len(sample.x_test), 3)
    first, second, third = sample.x_test[chosen] / 255
    ink = pushed_together(pushed_together(first, second, 1), third, 1)
    ink = np.asarray(Image.fromarray(ink).resize((4 * ink.shape[1], 112)))
    return ink, ink > 0.5, sample.y_test[chosen].tolist()


def test_three_are_cut_into_pieces_only_if_each_is_like_a_digit(sample):
    network = Network()

    def none_alike(images):
        return network.predict(images), np.zeros(len(images))

    right = 0
    for seed in range(12):
        ink, strokes, expected = three_that_touch(sample, seed)
        found = find_digits(ink, strokes, network.judge, never_two)
        right += [digit.digit for digit in found] == expected
        if label(strokes, np.ones((3, 3)))[1] == 1:
            assert len(find_digits(ink, strokes, none_alike, never_two)) == 1
    assert right >= 4


def test_digits_of_mnist_are_found_whole(sample):
    found = [read(Image.fromarray(digit)) for digit in sample.x_test[:200]]
    counts = [sum(map(len, rows)) for rows in found]
    assert np.mean(np.array(counts) == 1) >= 0.99


def test_a_row_that_slopes_by_more_than_a_digit_stays_one_row(sample):
    places = [(20 + 30 * column, 20 + 110 * column) for column in range(5)]
    (row,) = read(write(sample, places, (260, 580)))
    assert (np.array(row) == sample.y_test[:5]).sum() >= 4


@pytest.mark.parametrize("gap", [4, 12])
def test_a_five_whose_bar_does_not_touch_is_one_digit(gap):
    picture = Image.new("L", (160, 200), 220)
    pen = ImageDraw.Draw(picture)
    pen.line([(55, 46), (50, 95)], fill=30, width=10)
    curve = [(50, 95), (80, 88), (105, 110), (100, 145), (75, 160), (45, 152)]
    pen.line(curve, fill=30, width=10, joint="curve")
    pen.line([(62 + gap, 44), (112 + gap, 40)], fill=30, width=10)
    assert find_strokes(to_ink(to_grey(picture)))[:, 55 + gap].any()
    assert read(picture) == [[5]]


def test_a_blot_far_from_a_digit_is_not_read(sample):
    page = write(sample, [(20, 20)], (400, 700))
    ImageDraw.Draw(page).rectangle((600, 300, 624, 324), fill=30)
    ((digit,),) = read(page)
    assert digit == sample.y_test[0]
