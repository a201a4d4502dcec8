"""Random changes of shape and stroke, and the stream of augmented batches for training.

Only training uses augmentation; validation and prediction see images as they are. Nothing
is normalised here: every network has a layer for that (see `helpers.learning.models`), so
images stay in 0 to 255.
"""

from collections.abc import Sequence

from helpers.checks import as_images, check_number
from helpers.errors import ArgumentError
from helpers.learning.backend import keras, tf
from helpers.learning.handwriting import redraw_some
from helpers.learning.light import random_light

import numpy as np

# The largest changes, each drawn uniformly from -limit to +limit.
ROTATION = 0.16  # radians, about 9 degrees
ZOOM = 0.1  # share of the size, separately in x and y
SHEAR = 0.1  # sideways shift for each unit of height
SHIFT = 2.0  # pixels, separately in x and y
# Share of images whose strokes change their width: half of them thicker, half thinner.
RETHICKENED = 1 / 3

# Batches that are prepared at once, and that wait for the training.
AT_ONCE, AHEAD = 2, 4


def affine_matrices(
    rotation: tf.Tensor,
    zoom_x: tf.Tensor,
    zoom_y: tf.Tensor,
    shear: tf.Tensor,
    shift_x: tf.Tensor,
    shift_y: tf.Tensor,
    size: int = 28,
) -> tf.Tensor:
    """Combine rotation, zoom, shear and shift about the image centre into one matrix each.

    They change the grid of points at which the image is read, so the image itself
    changes the opposite way: read farther to the right, it moves to the left.

    Args:
        rotation: Angles in radians, (n,) float32.
        zoom_x: Relative change of the grid's width, (n,) float32; 0 changes nothing.
        zoom_y: Relative change of its height, (n,) float32.
        shear: Sideways shift for each unit of height, (n,) float32.
        shift_x: Shift of the grid in pixels to the right, (n,) float32.
        shift_y: Shift of the grid in pixels downwards, (n,) float32.
        size: Height and width of the images in pixels.

    Returns:
        (n, 8) float32 rows as `keras.ops.image.affine_transform` takes them: each
        maps a point of the warped image to the point it is read from.
    """
    cosine, sine = tf.cos(rotation), tf.sin(rotation)
    x_from_x = cosine * (1 + zoom_x)
    x_from_y = (cosine * shear - sine) * (1 + zoom_y)
    y_from_x = sine * (1 + zoom_x)
    y_from_y = (sine * shear + cosine) * (1 + zoom_y)
    centre = (size - 1) / 2
    offset_x = centre - centre * (x_from_x + x_from_y) + shift_x
    offset_y = centre - centre * (y_from_x + y_from_y) + shift_y
    zero = tf.zeros_like(rotation)
    return tf.stack(
        [x_from_x, x_from_y, offset_x, y_from_x, y_from_y, offset_y, zero, zero], axis=1
    )


def random_affine(
    images: np.ndarray | tf.Tensor, seed: Sequence[int] | tf.Tensor, strength: float = 1.0
) -> tf.Tensor:
    """Rotate, zoom, shear and shift each image of a batch by its own random amount.

    All changes of one image are combined into one matrix and applied by a single
    bilinear interpolation, which is faster than one warp after another and blurs less.

    Args:
        images: (n, size, size, 1), any numeric dtype, background 0.
        seed: Two integers; the same seed warps the same batch the same way.
        strength: Factor on the module's limits; 0 leaves the images unchanged.

    Returns:
        (n, size, size, 1) float32 in the range of the input.
    """
    limits = tf.constant([[ROTATION], [ZOOM], [ZOOM], [SHEAR], [SHIFT], [SHIFT]]) * strength
    unit = tf.random.stateless_uniform((6, tf.shape(images)[0]), seed, minval=-1, maxval=1)
    rotation, zoom_x, zoom_y, shear, shift_x, shift_y = tf.unstack(limits * unit)
    size = images.shape[1]
    matrices = affine_matrices(rotation, zoom_x, zoom_y, shear, shift_x, shift_y, size)
    return keras.ops.image.affine_transform(
        tf.cast(images, tf.float32), matrices, interpolation="bilinear", fill_mode="constant"
    )


def random_thickness(
    images: tf.Tensor, seed: Sequence[int] | tf.Tensor, share: float = RETHICKENED
) -> tf.Tensor:
    """Make the strokes of some images thicker and those of as many others thinner.

    A pixel becomes the lightest or the darkest of a square of 2 × 2: grey-scale
    dilation and erosion, about a pixel more or less in width.

    Args:
        images: (n, size, size, 1) float32, background 0.
        seed: Two integers; the same seed changes the same batch the same way.
        share: Share of the images to change, 0 to 1.

    Returns:
        (n, size, size, 1) float32 in the range of the input.
    """
    chance = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed)
    thicker = tf.nn.max_pool2d(images, ksize=2, strides=1, padding="SAME")
    thinner = -tf.nn.max_pool2d(-images, ksize=2, strides=1, padding="SAME")
    changed = tf.where(chance < share / 2, thicker, thinner)
    return tf.where(chance < share, changed, images)


def training_batches(
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int,
    seed: int,
    *,
    warp_strength: float = 1.0,
    rethickened: float = RETHICKENED,
    redrawn: float = 0.0,
    relit: float | tf.Variable = 0.0,
) -> tf.data.Dataset:
    """Shuffle, batch and augment a training set, differently in each epoch.

    Args:
        images: (n, 28, 28) or (n, 28, 28, 1), 0 to 255.
        labels: (n,) integers, 0 to 9, or (n, 10) one-hot.
        batch_size: Images in a batch; the last batch of an epoch may be smaller.
        seed: Decides order and changes of all epochs.
        warp_strength: Factor on the warps; see `random_affine`.
        rethickened: Share of images with changed strokes; see `random_thickness`.
        redrawn: Share of redrawn images; see `helpers.learning.handwriting.redraw_some`.
        relit: Share of images under other light; see `helpers.learning.light.random_light`. A
            variable may change between epochs.

    Returns:
        A dataset of `ceil(n / batch_size)` batches: images (b, 28, 28, 1)
        float32, 0 to 255, and their labels.

    Raises:
        ArgumentError: If images, the number of labels, or a setting are unusable.
    """
    images = as_images(images)
    if len(labels) != len(images):
        raise ArgumentError(
            f"labels must match the {len(images)} images, but there are {len(labels)}."
        )
    check_number(batch_size, "batch_size", 1, whole=True)
    check_number(warp_strength, "warp_strength", 0)
    check_number(rethickened, "rethickened", 0, 1)
    check_number(redrawn, "redrawn", 0, 1)
    is_variable = isinstance(relit, tf.Variable)
    if not is_variable:
        check_number(relit, "relit", 0, 1)
    # The stream shuffles indices; the images stay in NumPy. As constants, TensorFlow would
    # hold them twice more.
    batches = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed).batch(batch_size)
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(7)

    def look_up(indices: tf.Tensor) -> list[tf.Tensor]:
        chosen = tf.numpy_function(
            lambda indices: (images[indices], labels[indices]),
            [indices], [images.dtype, labels.dtype], stateful=False,
        )  # fmt: skip
        shapes = [None, *images.shape[1:]], [None, *labels.shape[1:]]
        return [tf.ensure_shape(*pair) for pair in zip(chosen, shapes, strict=True)]

    def redraw(digits: tf.Tensor, digit_labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        # TensorFlow cannot trace skeletons, so scikit-image does this one step.
        changed = tf.numpy_function(
            redraw_some, [digits, digit_labels, redrawn, seed], digits.dtype, stateful=False
        )
        return tf.ensure_shape(changed, digits.shape)

    def augment(batch: tf.Tensor, seeds: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        digits, digit_labels = look_up(batch)
        if redrawn:
            digits = redraw(digits, digit_labels, seeds[4])
        pixels = tf.cast(digits, tf.float32)
        if rethickened:
            pixels = random_thickness(pixels, seeds[:2], rethickened)
        if warp_strength:
            pixels = random_affine(pixels, seeds[2:4], warp_strength)
        if is_variable or relit:
            pixels = random_light(pixels, seeds[5:7], relit)
        return pixels, digit_labels

    # TensorFlow's own tuning would make the end of every other epoch wait for ten idle seconds:
    # its thread sleeps on while the iterator waits for it.
    options = tf.data.Options()
    options.autotune.enabled = False
    return (
        tf.data.Dataset.zip(batches, seeds)
        .map(augment, num_parallel_calls=AT_ONCE)
        .prefetch(AHEAD)
        .with_options(options)
    )
