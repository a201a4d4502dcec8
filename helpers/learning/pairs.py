"""A network that says whether two digits touch, and which.

Single digits need a place where to cut before they can be read; two at once do not. So this
network reads a window of twice the width, and `helpers.reading.cutting` then looks for the cut
that goes with what it has read. Recognition first, segmentation second: as Goodfellow et al.
read whole house numbers, "Multi-digit number recognition from street view imagery", 2014.
`helpers.series.pairs` draws what it learns from.
"""

from helpers.checks import CLASSES
from helpers.learning.backend import keras, layers, tf
from helpers.learning.muon import ConvolutionMuon
from helpers.learning.progress import Progress
from helpers.learning.training import one_cycle

import numpy as np

WINDOW = (28, 56, 1)
# Filters, padding, and the pooling that follows.
CONVOLUTIONS = (
    (16, "same", None), (24, "same", 2), (32, "same", None), (48, "same", 2), (48, "valid", (1, 2)),
)  # fmt: skip
EPOCHS, BATCH_SIZE, PEAK_LEARNING_RATE, WEIGHT_DECAY = 5, 128, 0.008, 0.5
# The windows are moved by up to so many pixels while it learns.
SHIFT = 2


def build_pair_network() -> keras.Model:
    """Build the network, from windows (n, 28, 56, 1), 0 to 255, to two outputs.

    Returns:
        A model with the outputs "digits", (n, 2, 10) probabilities of the left and of the right
        digit if there are two, and "two", (n, 1), how sure it is that there are, 0 to 1.
    """
    window = layers.Input(WINDOW)
    values = layers.Rescaling(1 / 128, offset=-0.25)(window)
    for filters, padding, pool in CONVOLUTIONS:
        values = layers.Conv2D(filters, 3, padding=padding, use_bias=False)(values)
        if pool:
            values = layers.MaxPooling2D(pool)(values)
        values = layers.BatchNormalization(momentum=0.9)(values)
        values = layers.ReLU()(values)
    features = layers.Dropout(0.3)(layers.Flatten()(values))
    digits = layers.Reshape((2, CLASSES))(layers.Dense(2 * CLASSES)(features))
    return keras.Model(
        window,
        {
            "digits": layers.Softmax(name="digits")(digits),
            "two": layers.Dense(1, activation="sigmoid", name="two")(features),
        },
    )


def train_pair_network(
    windows: np.ndarray,
    labels: np.ndarray,
    are_two: np.ndarray,
    seed: int,
    progress: Progress | None = None,
) -> keras.Model:
    """Train the network.

    Args:
        windows: (n, 28, 56) uint8, 0 background to 255 ink.
        labels: (n, 2) integers, the left and the right digit where there are two.
        are_two: (n,) bool; False where there is one digit, or three, or none.
        seed: Decides initial weights, order and shifts.
        progress: Shows how far the training is; by default a line of its own.
    """
    keras.utils.set_random_seed(seed)
    model = build_pair_network()
    steps = EPOCHS * -(-len(windows) // BATCH_SIZE)
    schedule = one_cycle(PEAK_LEARNING_RATE, steps, 0.1)
    model.compile(
        ConvolutionMuon(schedule, weight_decay=WEIGHT_DECAY, adam_weight_decay=WEIGHT_DECAY),
        loss={"digits": "sparse_categorical_crossentropy", "two": "binary_crossentropy"},
    )
    model.fit(
        _batches(windows, labels, are_two, seed),
        epochs=EPOCHS,
        callbacks=[progress or Progress()],
        shuffle=False,  # The batches are shuffled already.
        verbose=0,
    )
    return model


def _batches(
    windows: np.ndarray, labels: np.ndarray, are_two: np.ndarray, seed: int
) -> tf.data.Dataset:
    weights = are_two.astype(np.float32)
    targets = {"digits": labels, "two": weights[:, None]}
    counts = {"digits": np.stack([weights, weights], axis=1), "two": np.ones_like(weights)}
    examples = tf.data.Dataset.from_tensor_slices((windows[..., None], targets, counts))

    def shifted(batch: tuple, seed: tf.Tensor) -> tuple:
        images, *others = batch
        wide = tf.pad(images, [[0, 0], [SHIFT, SHIFT], [SHIFT, SHIFT], [0, 0]])
        return tf.image.stateless_random_crop(wide, tf.shape(images), seed), *others

    options = tf.data.Options()
    options.autotune.enabled = False
    batches = examples.shuffle(len(windows), seed=seed).batch(BATCH_SIZE)
    seeds = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
    return (
        tf.data.Dataset.zip(batches, seeds)
        .map(shifted, num_parallel_calls=2)
        .prefetch(2)
        .with_options(options)
    )
