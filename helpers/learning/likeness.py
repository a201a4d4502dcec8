"""A head on a finished network that says how much an image is like a digit at all.

The network itself stays as it is, so digits are read as before. The head sees its last feature
map and the logarithms of its probabilities, and learns to tell digits from drawings of what is
none: the outlier exposure of Hendrycks, Mazeika and Dietterich, "Deep anomaly detection with
outlier exposure", 2019, without training the network anew. `helpers.series.outliers` draws.
"""

from helpers.checks import as_images
from helpers.learning.backend import keras, layers

import numpy as np

HIDDEN = 64
EPOCHS, BATCH_SIZE, PEAK_LEARNING_RATE = 8, 256, 2e-3
# A probability below this is as good as none.
LEAST_PROBABILITY = 1e-4
IMAGES_AT_ONCE = 1_000


def what_a_head_sees(model: keras.Model) -> keras.Model:
    """Make the part of a network, and what is computed from it, that a head gets as its input.

    Args:
        model: A network whose last feature map is flattened, from (n, 28, 28, 1) to (n, 10).

    Returns:
        A model from images to two outputs: the probabilities, and (n, features) float32.
    """
    image = layers.Input(model.input_shape[1:])
    values = image
    for layer in model.layers:
        values = layer(values)
        if isinstance(layer, layers.Flatten):
            features = values
    logarithms = keras.ops.log(values + LEAST_PROBABILITY)
    return keras.Model(image, [values, layers.Concatenate()([features, logarithms])])


def train_head(
    model: keras.Model, digits: np.ndarray, outliers: np.ndarray, seed: int
) -> keras.Sequential:
    """Train a head on a finished network, whose weights stay as they are.

    Args:
        model: The network.
        digits: Digits, (n, 28, 28), 0 to 255.
        outliers: What is none, (m, 28, 28), prepared in the same way.
        seed: Decides initial weights and order.

    Returns:
        A head from the features of `what_a_head_sees` to (n, 1), 0 no digit to 1 a digit.

    Raises:
        ArgumentError: If the images have another shape, dtype or range.
    """
    keras.utils.set_random_seed(seed)
    seen = what_a_head_sees(model)
    images = np.concatenate([as_images(digits, "digits"), as_images(outliers, "outliers")])
    _, features = seen.predict(images, batch_size=IMAGES_AT_ONCE, verbose=0)
    is_digit = np.concatenate([np.ones(len(digits)), np.zeros(len(outliers))])[:, None]
    head = keras.Sequential(
        [
            layers.Input(seen.outputs[1].shape[1:]),
            layers.Dense(HIDDEN, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="likeness",
    )
    steps = EPOCHS * -(-len(images) // BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(PEAK_LEARNING_RATE, steps)
    head.compile(keras.optimizers.AdamW(rate), loss="binary_crossentropy")
    head.fit(features, is_digit, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    return head


def with_head(model: keras.Model, head: keras.Model) -> keras.Model:
    """Join a network and its head.

    Returns:
        A model from images (n, 28, 28, 1) to the probabilities (n, 10) and the likeness (n, 1).
    """
    seen = what_a_head_sees(model)
    probabilities, features = seen.outputs
    return keras.Model(seen.inputs, [probabilities, head(features)])
