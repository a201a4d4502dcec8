import os
import shutil

from helpers import places
from helpers.places import MNIST_ONLY_LITERT, images_folder
from helpers.reading.network import Network
from helpers.reading.pictures import PictureError
from helpers.reading.ten import load_ten, squeeze

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def build(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "build_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def drawn(build, seven):
    (build / "ten").mkdir()
    seven.save(build / "ten" / "7.png")
    return build / "ten"


def test_whoever_has_drawn_none_gets_ours(build):
    ten = load_ten()
    assert ten.yours == (False,) * 10
    for images in (ten.squeezed, ten.prepared):
        assert images.shape == (10, 28, 28, 1) and images.dtype == np.uint8


def test_ours_are_dark_pen_on_light_paper_as_people_photograph_it(build):
    for picture in load_ten().pictures:
        grey = np.asarray(picture, float)
        assert np.median(grey) - grey.min() > 60, "dark on light"
        assert 0.01 < (grey < np.median(grey) - 50).mean() < 0.2, "a pen, and much paper"


def test_prepared_they_are_read_and_squeezed_they_are_not(build):
    ten, network = load_ten(), Network(MNIST_ONLY_LITERT)
    right = {
        name: np.sum(network.predict(images).argmax(axis=1) == np.arange(10))
        for name, images in (("squeezed", ten.squeezed), ("prepared", ten.prepared))
    }
    assert right["prepared"] == 10
    assert right["squeezed"] <= 5


def test_a_drawn_digit_takes_the_place_of_ours(drawn, seven):
    ours = load_ten(drawn.parent / "nothing").squeezed
    ten = load_ten()
    assert ten.yours == tuple(digit == 7 for digit in range(10))
    np.testing.assert_array_equal(ten.squeezed[7, ..., 0], squeeze(seven))
    np.testing.assert_array_equal(np.delete(ten.squeezed, 7, 0), np.delete(ours, 7, 0))


def test_the_newest_picture_of_a_digit_counts(drawn, seven):
    photo = drawn / "7.jpg"
    shutil.copy(images_folder() / "seven.png", photo)
    os.utime(photo, (1, 1))
    assert load_ten().pictures[7].size == seven.size
    os.utime(photo, (2e9, 2e9))
    assert load_ten().pictures[7].size != seven.size


def test_tests_use_ours_whatever_was_drawn(drawn, monkeypatch):
    monkeypatch.setenv("MNIST_TEN", "shipped")
    assert not any(load_ten().yours)


def test_a_blank_picture_is_named(drawn):
    Image.new("L", (50, 50), 255).save(drawn / "4.png")
    with pytest.raises(PictureError, match=r"4\.png: .* Draw that digit again"):
        load_ten()
