from helpers.learning import handwriting
from helpers.learning.handwriting import redraw, redraw_some
from helpers.learning.training import one_hot

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import skeletonize


@pytest.fixture
def stem():
    """A one as a bare, upright stroke of 3 pixels."""
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 13:16] = 255
    return digit


def test_only_the_share_is_drawn_anew_and_the_input_stays(digits):
    before = digits.images.copy()
    drawn = redraw_some(digits.images, digits.labels, share=0.25, seed=0)
    assert drawn.shape == before.shape and drawn.dtype == np.uint8
    np.testing.assert_array_equal(digits.images, before)
    changed = (drawn != before).any(axis=(1, 2, 3)).mean()
    assert 0.2 < changed < 0.3


def test_only_ones_get_a_flag(stem):
    images = np.repeat(stem[None, ..., None], 20, axis=0)
    ones, sevens = (redraw_some(images, np.full(20, label), 1.0, seed=0) for label in (1, 7))
    widths = [np.ptp(np.nonzero(drawn > 127)[2]) for drawn in (ones, sevens)]
    assert widths[1] < 6 < widths[0]


def test_each_drawing_is_of_the_digit_whose_place_it_takes(digits):
    drawn = redraw_some(digits.images, digits.labels, share=1.0, seed=0)
    # Blurred, a drawing covers its own original better than any other.
    both = np.concatenate([digits.images, drawn])[..., 0].astype(np.float32)
    flat = ndimage.gaussian_filter(both, (0, 1.5, 1.5)).reshape(len(both), -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    count = len(drawn)
    nearest = (flat[count:] @ flat[:count].T).argmax(axis=1)
    assert (digits.labels[nearest] == digits.labels).mean() > 0.9


def test_no_share_draws_nothing(digits):
    drawn = redraw_some(digits.images, digits.labels, share=0.0, seed=0)
    np.testing.assert_array_equal(drawn, digits.images)


def test_labels_may_be_one_hot(digits):
    drawn = redraw_some(digits.images, digits.labels, share=0.2, seed=3)
    same = redraw_some(digits.images, one_hot(digits.labels), share=0.2, seed=3)
    np.testing.assert_array_equal(same, drawn)


def test_the_seed_decides(digits):
    first, again, other = (
        redraw_some(digits.images, digits.labels, share=0.1, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("width", [2.0, 3.0, 4.0])
def test_the_pen_has_the_width_that_was_drawn(stem, monkeypatch, width):
    monkeypatch.setattr(handwriting, "PEN_WIDTHS", (width, width))
    drawn = redraw(stem, flagged=False, rng=np.random.default_rng(0)) / 255
    # The box is scaled to 20 pixels, and the pen with it.
    inked_rows = np.flatnonzero(drawn.sum(axis=1) > 0.5)
    assert drawn.sum(axis=1)[inked_rows[3:-3]].mean() == pytest.approx(width, rel=0.25)


def test_drawings_are_placed_as_in_mnist(digits):
    drawings = redraw_some(digits.images[:300], digits.labels[:300], share=1.0, seed=0)
    for drawing in drawings[..., 0]:
        rows, columns = drawing.any(axis=1).nonzero()[0], drawing.any(axis=0).nonzero()[0]
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        assert np.abs(np.array(ndimage.center_of_mass(drawing)) - 14).max() < 1.5


def test_a_flag_leans_left_from_the_top(stem, monkeypatch):
    monkeypatch.setattr(handwriting, "FATTEST_ONE", handwriting.PEN_WIDTHS[1])
    # The pen is drawn first, so the same seed gives the same pen with and without a flag.
    reach = []
    for seed in range(20):
        flagged, plain = (
            redraw(stem, flagged, np.random.default_rng(seed)) > 127 for flagged in (True, False)
        )
        rows, columns = flagged.nonzero()
        upper = columns[rows < rows.min() + 10]
        stem_columns = plain.nonzero()[1]
        assert np.ptp(upper) > np.ptp(stem_columns)
        middle = np.median(columns)
        reach.append((middle - upper.min()) - (upper.max() - middle))
    assert min(reach) >= 0 and np.mean(reach) > 2


def test_a_slanted_one_gets_no_flag():
    slanted = np.zeros((28, 28), np.uint8)
    for row in range(4, 24):
        slanted[row, 22 - row // 2 : 25 - row // 2] = 255
    for seed in range(10):
        flagged, plain = (
            redraw(slanted, flagged, np.random.default_rng(seed)) for flagged in (True, False)
        )
        assert np.ptp((flagged > 127).nonzero()[1]) < np.ptp((plain > 127).nonzero()[1]) + 4


def test_some_flagged_ones_have_a_foot_and_most_have_none(stem):
    feet = 0
    for seed in range(40):
        skeleton = skeletonize(redraw(stem, flagged=True, rng=np.random.default_rng(seed)) > 127)
        rows, columns = skeleton.nonzero()
        feet += np.ptp(columns[rows > rows.max() - 3]) > 4
    assert 3 < feet < 20


def test_a_blank_image_stays_blank():
    blank = np.zeros((28, 28), np.uint8)
    np.testing.assert_array_equal(redraw(blank, flagged=True, rng=np.random.default_rng(0)), blank)
