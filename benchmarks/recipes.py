"""Published recipes for MNIST and ours, each written from its facts as one training.

Every function builds a fresh network, trains it for a number of epochs, reports to a
scoreboard after each, and returns the cost of the network. Images are (n, 28, 28, 1) uint8,
0 to 255, labels (n,) integers; the scaling that a recipe prescribes is a layer of its
network. Nothing is timed or scored here.
"""

from dataclasses import dataclass, replace

from benchmarks.measuring import Scoreboard, ScoreEachEpoch
from helpers.learning.augmentation import training_batches
from helpers.learning.backend import keras, layers
from helpers.learning.models import (
    IMAGE_SHAPE,
    build_published_cnn,
    multiply_adds,
    normalisation_layers,
)
from helpers.learning.training import Recipe, one_cycle, one_hot, train

import numpy as np


@dataclass(frozen=True)
class Cost:
    """The cost of a network.

    Attributes:
        parameters: Number of parameters, trained or not.
        multiply_adds: Multiply-adds of its convolutions and dense layers for one image.
        images: Training images in an epoch.
    """

    parameters: int
    multiply_adds: int
    images: int


def train_published(
    images: np.ndarray, labels: np.ndarray, seed: int, epochs: int, board: Scoreboard,
    batch_size: int = 200,
) -> Cost:  # fmt: skip
    """Train like the project that this series grew out of: Adam, 10 epochs, batches of 200."""
    keras.utils.set_random_seed(seed)
    model = build_published_cnn()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return _fit(model, images, labels, epochs, batch_size, board)


def train_keras_example(
    images: np.ndarray, labels: np.ndarray, seed: int, epochs: int, board: Scoreboard
) -> Cost:
    """Train like Keras' example "Simple MNIST convnet": Adam, 15 epochs, batches of 128.

    After https://keras.io/examples/vision/mnist_convnet/. As published it keeps a tenth
    of the training set for validation.
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            layers.Input(IMAGE_SHAPE),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    kept = round(0.9 * len(images))
    return _fit(model, images[:kept], labels[:kept], epochs, 128, board)


def train_one_epoch(
    images: np.ndarray, labels: np.ndarray, seed: int, epochs: int, board: Scoreboard
) -> Cost:
    """Train like tuomaso/train_mnist_fast, last step: Adam, one-cycle to 0.01, batches of 256.

    After https://github.com/tuomaso/train_mnist_fast, written for PyTorch; here with
    Keras' initial weights, and with a warm-up that is linear where PyTorch's follows a
    cosine.
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            layers.Input(IMAGE_SHAPE),
            *normalisation_layers(),
            layers.Conv2D(24, 5),
            layers.MaxPooling2D(),
            layers.ReLU(),
            layers.Conv2D(32, 3),
            layers.MaxPooling2D(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    steps = epochs * -(-len(images) // 256)
    rising = max(1, round(0.3 * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.01 / 25, max(1, steps - rising), warmup_target=0.01, warmup_steps=rising
    )
    model.compile(
        keras.optimizers.Adam(schedule, beta_1=0.7, beta_2=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return _fit(model, images, labels, epochs, 256, board)


def train_our_epoch(
    images: np.ndarray, labels: np.ndarray, seed: int, epochs: int, board: Scoreboard,
    middle: tuple[int, ...], last: int, normalised: bool,
) -> Cost:  # fmt: skip
    """Train a network made for a single epoch: no augmentation, and as little work as possible.

    The outer two pixels on each side, nearly always paper, are cut off. Adam forgets fast, with
    the momenta of `train_one_epoch`, on the one-cycle schedule of this series.

    Args:
        images: Training images, (n, 28, 28, 1) uint8.
        labels: Their labels, (n,) integers.
        seed: Decides initial weights and order.
        epochs: Number of epochs.
        board: Scored after each epoch.
        middle: Filters of the convolutions between the two poolings.
        last: Filters of the convolution after the second pooling.
        normalised: Whether batch normalisation follows the second pooling.
    """
    keras.utils.set_random_seed(seed)
    he = {"kernel_initializer": "he_uniform"}
    padded_relu = he | {"padding": "same", "activation": "relu"}
    *plain, before_pooling = middle
    model = keras.Sequential(
        [
            layers.Input(IMAGE_SHAPE),
            *normalisation_layers(),
            layers.Cropping2D(2),
            layers.Conv2D(16, 3, padding="same", **he),
            layers.MaxPooling2D(),
            layers.ReLU(),
            *(layers.Conv2D(filters, 3, **padded_relu) for filters in plain),
            layers.Conv2D(before_pooling, 3, use_bias=not normalised, **he),
            layers.MaxPooling2D(),
            *([layers.BatchNormalization(momentum=0.9)] if normalised else []),
            layers.ReLU(),
            layers.Conv2D(last, 3, use_bias=False, **he),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    batches = training_batches(
        images, one_hot(labels), 128, seed, warp_strength=0.0, rethickened=0.0
    )
    schedule = one_cycle(0.015, len(batches) * epochs, warmup=0.25)
    model.compile(
        keras.optimizers.Adam(schedule, beta_1=0.7, beta_2=0.9),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
    )
    # As in `train`: or the first step would be translated twice.
    model.optimizer.build(model.trainable_variables)
    model.fit(batches, epochs=epochs, callbacks=[ScoreEachEpoch(board)], shuffle=False, verbose=0)
    return _cost(model, images)


def train_ours(
    images: np.ndarray, labels: np.ndarray, seed: int, epochs: int, board: Scoreboard,
    recipe: Recipe,
) -> Cost:  # fmt: skip
    """Train by a recipe of this series, its schedule fitted to the number of epochs."""
    model, _ = train(
        images, labels, seed, replace(recipe, epochs=epochs), callbacks=[ScoreEachEpoch(board)]
    )
    return _cost(model, images)


def _fit(
    model: keras.Model, images: np.ndarray, labels: np.ndarray, epochs: int, batch_size: int,
    board: Scoreboard,
) -> Cost:  # fmt: skip
    model.fit(
        images, labels, epochs=epochs, batch_size=batch_size, callbacks=[ScoreEachEpoch(board)],
        verbose=0,
    )  # fmt: skip
    return _cost(model, images)


def _cost(model: keras.Model, images: np.ndarray) -> Cost:
    return Cost(model.count_params(), sum(map(multiply_adds, model.layers)), len(images))
