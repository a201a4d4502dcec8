"""Random changes of shape and stroke, and the stream of augmented batches that training reads.

Augmentation belongs to training alone: validation and prediction see images as
they are. Normalisation is no business of this module either; it is a layer of
every model (see `helpers.models`), so images stay in 0 to 255 here.
"""

from collections.abc import Sequence

from helpers.backend import keras, tf
from helpers.handwriting import redraw_some

import numpy as np

# The largest changes, each drawn uniformly from -limit to +limit.
ROTATION = 0.16  # radians, about 9 degrees
ZOOM = 0.1  # share of the size, in x and y apart
SHEAR = 0.1  # sideways shift for each unit of height
SHIFT = 2.0  # pixels, in x and y apart
# The share of images whose strokes are changed in width: half of them thicker, half thinner.
THICKNESS = 1 / 3


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

    They change the grid of points that the image is read from, so the image itself
    changes the opposite way: read farther to the right, it moves to the left.

    Args:
        rotation: Angles in radians, (n,) float32.
        zoom_x: Relative change of the grid's width, (n,) float32; 0 leaves it alone.
        zoom_y: Relative change of its height, likewise.
        shear: Sideways shift for each unit of height, (n,) float32.
        shift_x: Shift of the grid in pixels to the right, (n,) float32.
        shift_y: Likewise, downwards.
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
    bilinear interpolation: faster than one warp after the other, and less blur.

    Args:
        images: (n, size, size, 1), any numeric dtype, background 0.
        seed: Two integers; the same seed warps the same batch alike.
        strength: Factor on the module's limits; 0 leaves the images alone.

    Returns:
        (n, size, size, 1) float32 in the range of the input.
    """
    limits = tf.constant([[ROTATION], [ZOOM], [ZOOM], [SHEAR], [SHIFT], [SHIFT]]) * strength
    unit = tf.random.stateless_uniform((6, tf.shape(images)[0]), seed, minval=-1, maxval=1)
    matrices = affine_matrices(*tf.unstack(limits * unit), size=images.shape[1])
    return keras.ops.image.affine_transform(
        tf.cast(images, tf.float32), matrices, interpolation="bilinear", fill_mode="constant"
    )


def random_thickness(
    images: tf.Tensor, seed: Sequence[int] | tf.Tensor, share: float = THICKNESS
) -> tf.Tensor:
    """Make the strokes of some images thicker and those of as many others thinner.

    A pixel becomes the lightest or the darkest of a square of 2 × 2: grey-scale
    dilation and erosion, about a pixel more or less in width.

    Args:
        images: (n, size, size, 1) float32, background 0.
        seed: Two integers; the same seed changes the same batch alike.
        share: Share of the images that is changed, 0 to 1.

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
    strength: float = 1.0,
    thickness: float = THICKNESS,
    other_hands: float = 0.0,
) -> tf.data.Dataset:
    """Shuffle, batch and augment a training set, anew in each epoch.

    Args:
        images: (n, 28, 28, 1) uint8, 0 to 255.
        labels: (n,) integers, 0 to 9, or (n, 10) one-hot.
        batch_size: Images in a batch; the last batch of an epoch may be smaller.
        seed: Decides order and changes of all epochs.
        strength: Factor on the warps; see `random_affine`.
        thickness: Share of images with changed strokes; see `random_thickness`.
        other_hands: Share of images drawn anew; see `helpers.handwriting.redraw_some`.

    Returns:
        A dataset of `ceil(n / batch_size)` batches: images (b, 28, 28, 1)
        float32, 0 to 255, and their labels.
    """
    # What is shuffled are the numbers of the images. The images stay where they are, in
    # NumPy: made a constant, TensorFlow would hold them twice more.
    batches = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed).batch(batch_size)
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(5)

    def look_up(numbers):
        chosen = tf.numpy_function(
            lambda numbers: (images[numbers], labels[numbers]),
            [numbers], [images.dtype, labels.dtype], stateful=False,
        )  # fmt: skip
        shapes = [None, *images.shape[1:]], [None, *labels.shape[1:]]
        return [tf.ensure_shape(*pair) for pair in zip(chosen, shapes, strict=True)]

    def redraw(digits, digit_labels, seed):
        # Skeletons are no work for TensorFlow: this one step is done by scikit-image.
        redrawn = tf.numpy_function(
            redraw_some, [digits, digit_labels, other_hands, seed], digits.dtype, stateful=False
        )
        return tf.ensure_shape(redrawn, digits.shape)

    def augment(batch, seeds):
        digits, digit_labels = look_up(batch)
        if other_hands:
            digits = redraw(digits, digit_labels, seeds[4])
        pixels = random_thickness(tf.cast(digits, tf.float32), seeds[:2], thickness)
        return random_affine(pixels, seeds[2:4], strength), digit_labels

    return (
        tf.data.Dataset.zip(batches, seeds)
        .map(augment, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )
