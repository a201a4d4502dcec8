import unicodedata

from helpers.series.outliers import (
    LOOK_ALIKES,
    SIDE,
    Draughtsman,
    draw_outliers,
    redraw_digits,
    signs,
)

import numpy as np
import pytest


@pytest.fixture(scope="module")
def draughtsman(sample):
    return Draughtsman(sample.x_train, sample.y_train, seed=0)


def test_outliers_fill_the_place_of_a_digit_and_repeat_with_the_seed(sample):
    first = draw_outliers(sample.x_train, sample.y_train, count=20, seed=1)
    assert first.shape == (20, 28, 28) and first.dtype == np.uint8
    again = draw_outliers(sample.x_train, sample.y_train, count=20, seed=1)
    np.testing.assert_array_equal(first, again)
    for image in first:
        rows, columns = np.nonzero(image)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (18, 19, 20)


def test_every_kind_draws_ink(draughtsman):
    assert sum(draughtsman.kinds.values()) == pytest.approx(1)
    for draw in draughtsman.kinds:
        inks = [draw() for _ in range(5)]
        assert all(ink.shape == (SIDE, SIDE) for ink in inks), draw.__name__
        assert max(ink.max() for ink in inks) > 0.5, draw.__name__


def test_signs_that_look_like_a_digit_are_left_out_with_their_accents():
    left_out = set("".join(LOOK_ALIKES.values()))
    drawn = {sign for found in signs().values() for _, sign in found}
    assert not drawn & left_out
    assert not drawn & set("ÓŠżğɓȥ0123456789")
    assert {"A", "k", "Ж", "Ω", "ش", "≠"} <= drawn
    assert not any(unicodedata.category(sign).startswith("N") for sign in drawn)


def test_digits_stay_the_digits_they_are(sample):
    from helpers.reading.network import Network

    images, labels = sample.x_train[:100], sample.y_train[:100]
    drawn = redraw_digits(images, labels, seed=0)
    assert (drawn != images).any(axis=(1, 2)).all()
    assert np.mean(Network().predict(drawn).argmax(axis=1) == labels) > 0.9
