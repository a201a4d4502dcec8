"""Random light, paper, noise and covers: what happens to a digit after it was written.

MNIST shows white ink on pure black, and a network that has seen nothing else takes any
grey for ink. These changes leave the shape of a digit alone and change everything around
it ("photometric augmentation"; in robotics, "domain randomisation": Tobin et al., 2017,
arXiv:1703.06907). Every image draws its own amounts.

Between the steps, pixels are in 0 to 1 and may leave that range; `random_light` brings
them back. All functions take images (n, height, width, 1) float32 and a seed of two
integers, and the same seed changes the same batch the same way.
"""

import math
from collections.abc import Sequence

from helpers.learning.backend import tf

# Share of the images with dark ink on light paper.
INVERTED = 0.5
# Patches of light and shade at three scales: points of a coarse grid along a side, and how
# much lighter or darker the paper may be there. Each scale comes in half of the images.
SHADES = ((3, 0.75), (7, 0.625), (14, 0.625))
# The largest standard deviation of the noise of single pixels, and how many images have any.
NOISE, NOISY = 0.45, 0.6
# Bars of any grey, and how many images have each; their half sides in pixels.
COVERS, COVERED = 2, 0.5
COVER_SIDES = ((0.5, 4.5), (0.5, 6.5))
# How far pixels may leave the range of 0 to 1 before they are clipped.
HEADROOM = 0.3
# The faintest contrast.
CONTRAST = 0.3


def random_light(
    images: tf.Tensor, seed: Sequence[int] | tf.Tensor, share: float | tf.Tensor
) -> tf.Tensor:
    """Show some of the images under other light, on other paper, noisy or partly covered.

    Args:
        images: (n, height, width, 1) float32, 0 to 255, background 0.
        seed: Two integers.
        share: Share of the images to change, 0 to 1.

    Returns:
        The same shape, dtype and range.
    """
    steps = (random_polarity, random_shades, random_noise, random_covers, random_contrast)
    changed = images / 255
    for number, step in enumerate(steps):
        changed = step(changed, tf.random.fold_in(seed, number))
    chosen = _drawn(images, tf.random.fold_in(seed, len(steps))) < share
    return tf.where(chosen, 255 * changed, images)


def random_polarity(images: tf.Tensor, seed: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Turn some images into dark ink on light paper."""
    return tf.where(_drawn(images, seed) < INVERTED, 1 - images, images)


def random_shades(images: tf.Tensor, seed: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Lay smooth patches of light and shade over the images, coarse ones and fine ones."""
    height, width = images.shape[1:3]
    for scale, (points, limit) in enumerate(SHADES):
        patches, strengths, chances = _split(tf.random.fold_in(seed, scale), 3)
        shape = (tf.shape(images)[0], points, points, 1)
        grid = tf.random.stateless_uniform(shape, patches, minval=-1, maxval=1)
        strength = limit * _drawn(images, strengths) * _happens(images, chances, 0.5)
        images += strength * tf.image.resize(grid, (height, width))
    return images


def random_noise(images: tf.Tensor, seed: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Add Gaussian noise to every pixel of some images."""
    noise, strengths, chances = _split(seed, 3)
    strength = NOISE * _drawn(images, strengths) * _happens(images, chances, NOISY)
    return images + strength * tf.random.stateless_normal(tf.shape(images), noise)


def random_covers(images: tf.Tensor, seed: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Lay bars of any angle and grey over some images, which hide what is below.

    A relative of cutout (DeVries and Taylor, 2017, arXiv:1708.04552).
    """
    height, width = images.shape[1:3]
    rows = tf.range(height, dtype=tf.float32)[:, None]
    columns = tf.range(width, dtype=tf.float32)
    for number in range(COVERS):
        row, column, angle, length, breadth, grey, chance = (
            _drawn(images, part)[..., 0] for part in _split(tf.random.fold_in(seed, number), 7)
        )
        down, right = rows - row * height, columns - column * width
        cosine, sine = tf.cos(math.pi * angle), tf.sin(math.pi * angle)
        (narrow, wide), (short, long) = COVER_SIDES
        is_hidden = (
            (tf.abs(cosine * down + sine * right) < narrow + breadth * (wide - narrow))
            & (tf.abs(cosine * right - sine * down) < short + length * (long - short))
            & (chance < COVERED)
        )
        images = tf.where(is_hidden[..., None], grey[..., None], images)
    return images


def random_contrast(images: tf.Tensor, seed: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Clip the images, then lower their contrast and raise their level within 0 to 1.

    It comes last: were noise added to a faint digit, nothing of the digit might be left.
    """
    contrasts, levels = _split(seed, 2)
    low, high = -HEADROOM, 1 + HEADROOM
    clipped = (tf.clip_by_value(images, low, high) - low) / (high - low)
    contrast = CONTRAST + (1 - CONTRAST) * _drawn(images, contrasts)
    return contrast * clipped + (1 - contrast) * _drawn(images, levels)


def _split(seed: Sequence[int] | tf.Tensor, count: int) -> list[tf.Tensor]:
    return tf.unstack(tf.random.split(seed, count), num=count)


def _drawn(images: tf.Tensor, seed: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """A random number in 0 to 1 for each image, (n, 1, 1, 1) float32."""
    return tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed)


def _happens(images: tf.Tensor, seed: Sequence[int] | tf.Tensor, share: float) -> tf.Tensor:
    """1 for a share of the images, drawn at random, and 0 for the others: (n, 1, 1, 1) float32."""
    return tf.cast(_drawn(images, seed) < share, tf.float32)
