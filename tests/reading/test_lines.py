from helpers.reading.ink import find_strokes, to_ink
from helpers.reading.lines import fill, find_lines, without_lines

import numpy as np
import pytest
from skimage.draw import line as drawn_line

HEIGHT, WIDTH = 240, 320
COLUMNS = np.arange(WIDTH)
LEVEL = 0.25
LEVELS = (40, 70, 100, 130, 160, 190)


def ruled(middles, width=2.0):
    """Paper with lines as dark as ink, 1, about the row that each has in each column."""
    rows = np.arange(HEIGHT)[:, None]
    ink = np.zeros((HEIGHT, WIDTH))
    for middle in middles:
        np.maximum(ink, np.clip(width / 2 + 0.5 - np.abs(rows - middle), 0, 1), out=ink)
    return ink


def level(*rows):
    return [np.full(WIDTH, float(row)) for row in rows]


def written(ink):
    """A slanting stroke and a bar, each 8 pixels thick, with ink."""
    ink = ink.copy()
    for across in range(8):
        ink[drawn_line(60, 100 + across, 180, 140 + across)] = 1
    ink[96:104, 180:220] = 1
    return ink


@pytest.mark.parametrize("width", [1, 2.6])
@pytest.mark.parametrize(
    "middles",
    [
        level(40, 120, 200),
        [row + 0.08 * COLUMNS for row in (30, 100, 170)],
        [row + (0.02 * row / 40) * COLUMNS for row in (40, 120, 200)],
        [row + 6 * np.sin(np.pi * COLUMNS / WIDTH) for row in (40, 120, 200)],
    ],
    ids=["level", "turned", "at an angle", "bent"],
)
def test_lines_are_followed(middles, width):
    found = find_lines(ruled(middles, width), LEVEL)
    assert len(found) == 3
    for middle, line in zip(middles, sorted(found, key=lambda line: line.middles[0]), strict=True):
        inside = (middle > 2) & (middle < HEIGHT - 3)
        np.testing.assert_allclose(line.middles[inside], middle[inside], atol=0.6)
        assert line.thickness == pytest.approx(width, abs=0.9)


@pytest.mark.parametrize("squared", [False, True])
def test_the_writing_on_the_lines_is_left(squared):
    paper = ruled(level(*LEVELS))
    if squared:
        paper = np.maximum(paper[:, :HEIGHT], paper[:, :HEIGHT].T)
    ink = without_lines(written(paper), LEVEL)
    expected = written(np.zeros(paper.shape))
    assert np.abs(ink - expected).mean() < 0.003
    assert ((ink > 0.5) != (expected > 0.5)).mean() < 0.003


NO_LINES = {
    "writing": written(np.zeros((HEIGHT, WIDTH))),
    "an underlined word": written(ruled([np.where((COLUMNS > 40) & (COLUMNS < 240), 200.0, -9)])),
    "one line": written(ruled(level(200))),
    "two thick bars": ruled(level(80, 160), width=14),
    "grain": np.random.default_rng(0).normal(0, 1, (HEIGHT, WIDTH)),
}


@pytest.mark.parametrize("ink", NO_LINES.values(), ids=NO_LINES)
def test_what_is_no_lined_paper_is_left_as_it_is(ink):
    assert without_lines(ink, LEVEL) is ink


def test_lines_in_a_picture_of_one_digit_are_not_looked_for():
    ink = ruled(level(20, 50))[:70]
    assert without_lines(ink, LEVEL) is ink


def test_a_stroke_crosses_the_gap_along_its_own_direction():
    slanting = np.zeros((60, 60))
    for across in range(6):
        slanting[drawn_line(5, 10 + across, 55, 40 + across)] = 1
    hidden = np.zeros(slanting.shape, bool)
    hidden[28:32] = True
    filled = fill(np.where(hidden, 1, slanting), hidden)
    assert ((filled > 0.5) != (slanting > 0.5))[28:32].mean() < 0.03


def test_where_nothing_can_be_seen_there_is_paper():
    hidden = np.ones((40, 40), bool)
    np.testing.assert_array_equal(fill(np.ones((40, 40)), hidden), 0)


def test_lines_as_dark_as_the_ink_are_no_strokes():
    paper = 0.9 - 0.7 * written(ruled(level(*LEVELS)))
    strokes = find_strokes(to_ink(paper))
    expected = written(np.zeros((HEIGHT, WIDTH))) > 0.5
    assert (strokes != expected).mean() < 0.01
