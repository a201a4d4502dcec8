"""Checks at the door of the public functions: shapes, types, ranges, in one sentence each.

Every message says what came and what was expected. Whether the arguments make sense
together, such as a split that matches the images, is left to the functions themselves.
"""

import math

from helpers.errors import ArgumentError
from helpers.layout import SIZE

import numpy as np
import numpy.typing as npt

CLASSES = 10
BRIGHTEST = 255
# Probabilities in float32 may exceed 1 by this.
ROUNDING = 1e-3


def as_images(images: np.ndarray, name: str = "images") -> np.ndarray:
    """Check raw images and give them a channel axis.

    Args:
        images: (n, 28, 28) or (n, 28, 28, 1), any numeric dtype, 0 to 255.
        name: What messages call them.

    Returns:
        (n, 28, 28, 1), the same dtype; a view where possible.

    Raises:
        ArgumentError: If there are none, or shape, dtype or range are wrong.
    """
    images = _as_array(images, name)
    if images.dtype.kind not in "uif":
        raise ArgumentError(f"{name} must be numbers, but have the dtype {images.dtype}.")
    if images.shape[1:] not in ((SIZE, SIZE), (SIZE, SIZE, 1)):
        hint = f": use reshape(-1, {SIZE}, {SIZE})" if images.shape[1:] == (SIZE * SIZE,) else ""
        raise ArgumentError(
            f"{name} must have the shape (n, {SIZE}, {SIZE}) or (n, {SIZE}, {SIZE}, 1), "
            f"but have {images.shape}{hint}."
        )
    if not len(images):
        raise ArgumentError(f"{name} must hold at least one image, but there is none.")
    _check_pixel_range(images, name)
    return images.reshape(-1, SIZE, SIZE, 1)


def _check_pixel_range(images: np.ndarray, name: str) -> None:
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ArgumentError(f"{name} must be finite, but some pixels are NaN or infinite.")
    if low < 0 or high > BRIGHTEST:
        raise ArgumentError(
            f"{name} must lie between 0 and {BRIGHTEST}, but lie between {low:g} and {high:g}."
        )
    if 0 < high <= 1:
        raise ArgumentError(
            f"{name} must be raw pixels from 0 to {BRIGHTEST}, but the brightest is {high:g}: "
            "leave the scaling to the network, whose first layer does it."
        )


def as_labels(labels: np.ndarray, count: int, name: str = "labels") -> np.ndarray:
    """Check the labels of `count` images.

    Args:
        labels: (count,) integers, 0 to 9.
        count: How many images there are.
        name: What messages call them.

    Returns:
        The same, as an array.

    Raises:
        ArgumentError: If shape, dtype, range or number are wrong.
    """
    labels = _as_array(labels, name)
    if labels.ndim != 1:
        hint = ": use argmax(axis=1)" if labels.shape[1:] == (CLASSES,) else ""
        raise ArgumentError(f"{name} must have the shape (n,), but have {labels.shape}{hint}.")
    if labels.dtype.kind not in "ui":
        raise ArgumentError(
            f"{name} must be integers from 0 to {CLASSES - 1}, but have the dtype {labels.dtype}."
        )
    if len(labels) != count:
        raise ArgumentError(f"{name} must match the {count} images, but there are {len(labels)}.")
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise ArgumentError(
            f"{name} must be integers from 0 to {CLASSES - 1}, but go from {labels.min()} to "
            f"{labels.max()}."
        )
    return labels


def as_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Check the predictions of a network: (n, 10), any float dtype, 0 to 1.

    Raises:
        ArgumentError: If there are none, or shape or range are wrong.
    """
    probabilities = _as_array(probabilities, "probabilities")
    if probabilities.ndim != 2 or probabilities.shape[1] != CLASSES or not len(probabilities):
        raise ArgumentError(
            f"probabilities must have the shape (n, {CLASSES}), but have {probabilities.shape}."
        )
    low, high = float(probabilities.min()), float(probabilities.max())
    if not (low >= 0 and high <= 1 + ROUNDING):  # False for NaN, too
        raise ArgumentError(
            f"probabilities must lie between 0 and 1, but lie between {low:g} and {high:g}."
        )
    return probabilities


def _as_array(values: npt.ArrayLike, name: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError:
        raise ArgumentError(f"{name} must be an array, but differ in their lengths.") from None


def check_number(
    value: object,
    name: str,
    low: float,
    high: float = math.inf,
    *,
    whole: bool = False,
    below: bool = False,
) -> None:
    """Check a setting.

    Args:
        value: The setting.
        name: What messages call it.
        low: The least that it may be.
        high: The most that it may be.
        whole: Whether it must be an integer.
        below: Whether it must stay below `high`.

    Raises:
        ArgumentError: If it is not a number, not finite, or out of range.
    """
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if isinstance(value, kinds) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and low <= number <= high and not (below and number == high):
            return
    wanted = "an integer" if whole else "a number"
    if math.isinf(high):
        limits = f"of at least {low:g}"
    else:
        limits = f"from {low:g} to {'below ' if below else ''}{int(high) if whole else high}"
    raise ArgumentError(f"{name} must be {wanted} {limits}, but is {value!r}.")
