from helpers.errors import ArgumentError
from helpers.learning.evaluation import (
    accuracy,
    accuracy_interval,
    average_over_shifts,
    expected_calibration_error,
    predict_over_shifts,
    predict_probabilities,
)

import numpy as np
import pytest

# Probabilities of four images, whose most probable digits are 3, 1, 1 and 0.
FOUR = np.full((4, 10), 0.01)
FOUR[[0, 1, 2, 3], [3, 1, 1, 0]] = [0.9, 0.8, 0.6, 0.5]


def one_hot(labels):
    return np.eye(10, dtype=np.float32)[labels]


def test_predictions_come_in_the_order_of_the_images_also_beyond_one_batch(trained, sample):
    images = sample.x_train[:1003, ..., None]
    probabilities = predict_probabilities(trained.model, images)
    assert probabilities.shape == (1003, 10)
    for index in (0, 999, 1002):
        alone = trained.model(images[[index]].astype(np.float32)).numpy()[0]
        np.testing.assert_allclose(probabilities[index], alone, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "expected"), [([3, 1, 1, 0], 1.0), ([3, 1, 2, 5], 0.5), ([4, 2, 2, 1], 0.0)]
)
def test_accuracy_is_the_share_of_right_digits(labels, expected):
    assert accuracy(FOUR, np.array(labels)) == expected


def wilson(correct, total, z):
    middle = (correct + z**2 / 2) / (total + z**2)
    half = z / (total + z**2) * np.sqrt(correct * (total - correct) / total + z**2 / 4)
    return middle - half, middle + half


@pytest.mark.parametrize(("confidence", "z"), [(0.95, 1.959964), (0.99, 2.575829)])
@pytest.mark.parametrize("correct", [0, 50, 198, 200])
def test_the_interval_is_wilsons(correct, confidence, z):
    labels = np.zeros(200, int)
    predicted = np.where(np.arange(200) < correct, 0, 1)
    interval = accuracy_interval(one_hot(predicted), labels, confidence)
    assert interval == pytest.approx(wilson(correct, 200, z), abs=1e-6)


def test_calibration_of_four_images_in_two_bins_agrees_with_a_count_by_hand():
    labels = np.array([3, 1, 7, 0])  # right, right, wrong, right
    # Least sure: 0.5 and 0.6, half of them right; surest: 0.8 and 0.9, both right.
    expected = abs(0.55 - 0.5) * 0.5 + abs(0.85 - 1.0) * 0.5
    assert expected_calibration_error(FOUR, labels, bins=2) == pytest.approx(expected)


@pytest.mark.parametrize(("label", "expected"), [(0, 0.0), (1, 1.0)])
def test_calibration_error_of_full_confidence_is_0_if_right_and_1_if_wrong(label, expected):
    labels = np.full(40, label)
    probabilities = one_hot(np.zeros(40, int))
    assert expected_calibration_error(probabilities, labels) == pytest.approx(expected)


def test_a_calibration_with_more_bins_than_images_still_counts_each_image_once():
    expected = np.mean([0.1, 0.2, 0.6, 0.5])
    labels = np.array([3, 1, 7, 0])
    assert expected_calibration_error(FOUR, labels, bins=50) == pytest.approx(expected)


# Averages over shifts


def pixels_as_they_come(images):
    return images.reshape(len(images), -1).astype(float)


# Where the light of one pixel goes: along each axis it stays, or half of it moves by a pixel.
NEAR = np.outer([1 / 6, 2 / 3, 1 / 6], [1 / 6, 2 / 3, 1 / 6])


def test_an_average_over_shifts_moves_by_half_a_pixel_in_each_direction():
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[0, 5, 7] = 180
    average = average_over_shifts(pixels_as_they_come, image).reshape(28, 28)
    expected = np.zeros((28, 28))
    expected[4:7, 6:9] = 180 * NEAR
    assert np.allclose(average, expected)


def test_what_is_shifted_over_an_edge_does_not_come_back_at_the_other():
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[0, 0, 27] = 180
    average = average_over_shifts(pixels_as_they_come, image).reshape(28, 28)
    expected = np.zeros((28, 28))
    expected[:2, -2:] = 180 * NEAR[1:, :2]
    assert np.allclose(average, expected)


def test_a_network_is_asked_for_each_position(trained, digits):
    images = digits.validation[0]
    averaged = predict_over_shifts(trained.model, images)
    assert averaged.shape == (len(images), 10)
    assert np.allclose(averaged.sum(axis=1), 1, atol=1e-5)
    assert not np.allclose(averaged, predict_probabilities(trained.model, images))


@pytest.mark.parametrize(
    ("probabilities", "labels", "sentence"),
    [
        (np.zeros(10), np.zeros(10, int), r"probabilities must have the shape \(n, 10\), but have"),
        (np.zeros((3, 10)), np.zeros(2, int), "labels must match the 3 images, but there are 2"),
        (np.zeros((3, 10)), np.zeros((3, 10)), r"labels must have the shape \(n,\).*argmax"),
    ],
)
def test_what_cannot_be_scored_is_said_in_one_sentence(probabilities, labels, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        accuracy(probabilities, labels)
