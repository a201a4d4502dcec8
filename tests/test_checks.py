from helpers.checks import as_images, as_labels, as_probabilities, check_number
from helpers.errors import ArgumentError

import numpy as np
import pytest

IMAGES = np.full((3, 28, 28), 200, np.uint8)


@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 28, 28, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float64])
def test_images_keep_their_dtype_and_get_a_channel(shape, dtype):
    images = as_images(IMAGES.reshape(shape).astype(dtype))
    assert images.shape == (3, 28, 28, 1) and images.dtype == dtype


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (IMAGES / 255, r"^digits must be raw pixels from 0 to 255, but the brightest is 0\.78"),
        (IMAGES.astype(bool), "^digits must be numbers, but have the dtype bool"),
        ([[1], [2, 3]], "^digits must be an array, but differ in their lengths"),
        (np.zeros((3, 784)), r"^digits must have the shape .* but have \(3, 784\): use reshape"),
        (np.zeros((0, 28, 28)), "^digits must hold at least one image"),
        (np.full((1, 28, 28), np.inf), "^digits must be finite"),
        (np.full((1, 28, 28), -1), "^digits must lie between 0 and 255, but lie between -1 and -1"),
    ],
)
def test_images_that_cannot_be_used_are_named_in_one_sentence(images, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        as_images(images, "digits")


def test_a_black_image_may_be_read():
    assert as_images(np.zeros((1, 28, 28))).max() == 0


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 1, 10], "must be integers from 0 to 9, but go from 0 to 10"),
        ([0.0, 1.0, 2.0], "must be integers from 0 to 9, but have the dtype float64"),
        ([0, 1], "must match the 3 images, but there are 2"),
        (np.eye(10)[:3], r"must have the shape \(n,\), but have \(3, 10\): use argmax"),
    ],
)
def test_labels_that_cannot_be_used_are_named_in_one_sentence(labels, sentence):
    with pytest.raises(ArgumentError, match=f"^truth {sentence}"):
        as_labels(labels, 3, "truth")


@pytest.mark.parametrize("value", [np.nan, -0.5, 3.0])
def test_probabilities_must_lie_between_0_and_1(value):
    with pytest.raises(ArgumentError, match="probabilities must lie between 0 and 1"):
        as_probabilities(np.full((2, 10), value))


@pytest.mark.parametrize(("value", "options"), [(1, {}), (np.int64(2), {"whole": True}), (0.5, {})])
def test_numbers_within_their_limits_pass(value, options):
    check_number(value, "epochs", 0, 2, **options)


@pytest.mark.parametrize(
    ("value", "options", "sentence"),
    [
        (2.5, {"whole": True}, "share must be an integer from 0 to 2, but is 2.5"),
        (2, {"below": True}, "share must be a number from 0 to below 2, but is 2"),
        ("1", {}, "share must be a number from 0 to 2, but is '1'"),
        (np.inf, {}, "share must be a number from 0 to 2, but is inf"),
        (True, {}, "share must be a number from 0 to 2, but is True"),
    ],
)
def test_numbers_beyond_them_are_named_in_one_sentence(value, options, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        check_number(value, "share", 0, 2, **options)
