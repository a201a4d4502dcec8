"""Scores of a network: predictions, accuracy and its interval, calibration.

Nothing here touches the test set; it scores only what the caller passes in.
`helpers.learning.trials` scores recipes, by training them repeatedly.
"""

from collections.abc import Callable
from functools import partial
from itertools import product

from helpers.checks import as_images, as_labels, as_probabilities, check_number
from helpers.learning.backend import keras

import numpy as np
from scipy.ndimage import shift
from scipy.stats import binomtest

# Shifts in pixels, along rows and columns, at which an image is read again.
SHIFTS = tuple(product((-0.5, 0.0, 0.5), repeat=2))


def predict_probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Predict in large batches.

    Args:
        model: The network.
        images: (n, 28, 28) or (n, 28, 28, 1), 0 to 255.

    Returns:
        (n, 10) float32; rows sum to 1.

    Raises:
        ArgumentError: If the images have another shape, dtype or range.
    """
    return _predict(model, as_images(images))


def _predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return model.predict(images, batch_size=1000, verbose=0)


def predict_over_shifts(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Predict images in nine positions and average; see `average_over_shifts`."""
    return average_over_shifts(partial(_predict, model), images)


def average_over_shifts(
    predict: Callable[[np.ndarray], np.ndarray], images: np.ndarray
) -> np.ndarray:
    """Average the predictions of images as they are and shifted by half a pixel, eight ways.

    This is test-time augmentation, as in Krizhevsky, Sutskever and Hinton, "ImageNet
    classification with deep convolutional neural networks", 2012, section 4.1. Between
    pixels an image is interpolated, like the warped images in training. It takes nine times
    as long.

    Args:
        predict: Turns images into (n, 10) probabilities.
        images: (n, 28, 28) or (n, 28, 28, 1), 0 to 255; what enters at an edge is 0.

    Returns:
        (n, 10), the mean of the nine.

    Raises:
        ArgumentError: If the images have another shape, dtype or range.
    """
    images = as_images(images)
    shifted = (
        shift(images, (0, row, column, 0), output=np.float32, order=1, mode="grid-constant")
        for row, column in SHIFTS
    )
    return np.mean([predict(view) for view in shifted], axis=0)


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Share of images, 0 to 1, whose most probable digit is their label.

    Args:
        probabilities: (n, 10).
        labels: (n,) integers, 0 to 9.

    Raises:
        ArgumentError: If shapes, dtypes or ranges are wrong.
    """
    return float(_is_correct(probabilities, labels).mean())


def accuracy_interval(
    probabilities: np.ndarray, labels: np.ndarray, confidence: float = 0.95
) -> tuple[float, float]:
    """Wilson's confidence interval of an accuracy (Wilson 1927, computed by SciPy).

    It tells how far the accuracy on other digits of the same kind may differ, given the
    random choice of digits in this set; not what another training would give.

    Args:
        probabilities: (n, 10).
        labels: (n,) integers, 0 to 9.
        confidence: The share of such intervals that hold the true accuracy, above 0 and below 1.

    Returns:
        Lower and upper end, 0 to 1.

    Raises:
        ArgumentError: If shapes, dtypes or ranges are wrong.
    """
    check_number(confidence, "confidence", 0, 1, below=True)
    correct = _is_correct(probabilities, labels)
    test = binomtest(int(correct.sum()), len(correct))
    low, high = test.proportion_ci(confidence_level=confidence, method="wilson")
    return float(low), float(high)


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 10
) -> float:
    """Mean gap between confidence and accuracy, weighted by the images in each bin.

    After Guo et al., "On calibration of modern neural networks", 2017 (arXiv:1706.04599).
    The bins hold equally many images, since most probabilities of a good network crowd
    near 1.

    Args:
        probabilities: (n, 10).
        labels: (n,) integers, 0 to 9.
        bins: Number of bins, at least 1.

    Returns:
        0 (of the digits read with 90 %, 9 in 10 are right) to 1.

    Raises:
        ArgumentError: If shapes, dtypes or ranges are wrong.
    """
    check_number(bins, "bins", 1, whole=True)
    correct = _is_correct(probabilities, labels)
    confidence = np.max(probabilities, axis=1)
    order = np.argsort(confidence)
    gaps = [
        abs(confidence[part].mean() - correct[part].mean()) * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return float(sum(gaps) / len(labels))


def _is_correct(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    probabilities = as_probabilities(probabilities)
    return probabilities.argmax(axis=1) == as_labels(labels, len(probabilities))
