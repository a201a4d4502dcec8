from benchmarks.not_digits import KINDS, SIDE, make_pictures
from helpers.reading.pictures import PictureError
from helpers.reading.reader import DigitReader

import numpy as np
import pytest


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_follow_their_seed_and_differ(kind):
    pictures = np.stack([np.asarray(picture) for picture in make_pictures(kind, 5, seed=3)])
    again = np.stack([np.asarray(picture) for picture in make_pictures(kind, 5, seed=3)])
    assert pictures.shape == (5, SIDE, SIDE) and pictures.dtype == np.uint8
    np.testing.assert_array_equal(again, pictures)
    assert len(np.unique(pictures.reshape(5, -1), axis=0)) == 5


@pytest.mark.parametrize("kind", ["letters", "scribbles"])
def test_what_is_drawn_is_dark_on_paper(kind):
    for picture in make_pictures(kind, 20, seed=0):
        pixels = np.asarray(picture, int)
        dark = (pixels < pixels.max() / 2).mean()
        assert 0.003 < dark < 0.5


@pytest.mark.parametrize(("kind", "least"), [("empty pages", 30), ("noise", 30), ("textures", 27)])
def test_no_digit_is_found_where_nothing_is_written(kind, least):
    reader, refused = DigitReader(), 0
    for picture in make_pictures(kind, 30, seed=1):
        try:
            reader.read(picture)
        except PictureError:
            refused += 1
    assert refused >= least
