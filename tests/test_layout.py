from helpers.layout import pushed_together
from helpers.reading.ink import TOUCHING

import numpy as np
import pytest
from scipy import ndimage


def test_inks_are_pushed_together_until_they_touch_and_overlap():
    bar = np.zeros((40, 40))
    bar[5:35, 15:25] = 1
    for overlap in (0, 3):
        both = pushed_together(bar, bar, overlap)
        assert np.flatnonzero((both > 0.5).any(axis=0)).tolist() == [*range(15, 35 - overlap)]


@pytest.mark.parametrize("overlap", [0, 2])
def test_digits_pushed_together_are_one_component(sample, overlap):
    for left, right in zip(sample.x_test[:20], sample.x_test[20:40], strict=True):
        pair = pushed_together(left / 255, right / 255, overlap)
        alone = [ndimage.label(digit > 127, TOUCHING)[1] for digit in (left, right)]
        assert ndimage.label(pair > 0.5, TOUCHING)[1] < sum(alone)
        assert pair.max() <= 1
