from helpers.series.pairs import PairDraughtsman, draw_pairs

import numpy as np
import pytest


@pytest.fixture(scope="module")
def draughtsman(sample):
    return PairDraughtsman(sample.x_train, sample.y_train, seed=0)


def test_half_of_the_windows_are_pairs_and_all_repeat_with_the_seed(sample):
    windows, labels, are_two = draw_pairs(sample.x_train, sample.y_train, count=20, seed=1)
    assert windows.shape == (20, 28, 56) and windows.dtype == np.uint8
    assert labels.shape == (20, 2) and not labels[~are_two].any() and labels[are_two].any()
    assert are_two.sum() == 10
    again, *_ = draw_pairs(sample.x_train, sample.y_train, count=20, seed=1)
    np.testing.assert_array_equal(windows, again)
    for window in windows:
        rows, columns = np.nonzero(window)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert 18 <= height <= 20 or 46 <= width <= 48, "it fills the box"


def test_every_kind_of_no_pair_draws_ink(draughtsman):
    assert sum(draughtsman.no_pairs.values()) == pytest.approx(1)
    for draw in draughtsman.no_pairs:
        assert max(draw().max() for _ in range(5)) > 0.5
