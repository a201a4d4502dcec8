"""What notebook 04 writes in NumPy, held against Keras."""

from helpers.learning.backend import keras, tf
from helpers.learning.models import (
    PIXEL_MEAN,
    PIXEL_STD,
    build_multilayer_perceptron,
    build_softmax_regression,
)
from helpers.places import project_folder

import nbformat
import numpy as np
import pytest

STEPS = 30


@pytest.fixture(scope="module")
def taught():
    """The functions of the notebook's cells, by name; their data is up to each test."""
    path = project_folder() / "notebooks" / "04_learning_by_hand.ipynb"
    cells = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    names = {"np": np}
    for cell in ("softmax", "loss", "batch-gradient", "forward", "backward", "momentum", "adamw"):
        exec(cells[cell], names)
    return names


@pytest.fixture(scope="module")
def digits(sample):
    images, labels = sample.x_train[:100], sample.y_train[:100]
    pixels = (images.reshape(100, 784) / 255 - PIXEL_MEAN) / PIXEL_STD
    return images[..., np.newaxis], pixels, labels, np.eye(10)[labels]


def gradients_by_keras(model, images, labels):
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(labels, model(images))
        loss = tf.reduce_mean(losses)
    kernels = [weight for weight in model.trainable_weights if weight.name == "kernel"]
    return float(loss), [np.asarray(gradient) for gradient in tape.gradient(loss, kernels)]


def test_loss_and_gradient_are_those_of_softmax_regression(taught, digits):
    images, pixels, labels, true = digits
    weights = np.random.default_rng(0).normal(size=(784, 10)) / 30
    model = build_softmax_regression()
    model.layers[-1].set_weights([weights, np.zeros(10)])
    loss, (gradient,) = gradients_by_keras(model, images, labels)
    assert taught["loss_of"](weights, pixels, labels) == pytest.approx(loss, rel=1e-4)
    taught.update(x=pixels, true=true)
    by_hand = taught["gradient_of"](weights, np.arange(100))
    np.testing.assert_allclose(by_hand, gradient, atol=1e-4)
    assert np.abs(gradient).max() > 0.01


def test_the_walk_back_gives_the_gradients_of_the_perceptron(taught, digits):
    images, pixels, labels, true = digits
    rng = np.random.default_rng(0)
    w1, w2 = rng.normal(size=(784, 64)) / 30, rng.normal(size=(64, 10)) / 6
    model = build_multilayer_perceptron(hidden=64)
    model.set_weights([w1, np.zeros(64), w2, np.zeros(10)])
    _, gradients = gradients_by_keras(model, images, labels)
    for by_hand, by_keras in zip(taught["backward"](pixels, true, w1, w2), gradients, strict=True):
        np.testing.assert_allclose(by_hand, by_keras, atol=1e-4)
        assert np.abs(by_keras).max() > 0.01


def slopes_at(knobs):
    """Of a long valley, steep across and flat along."""
    return np.array([1.0, 20.0]) * knobs


def walk_by_keras(optimizer):
    knobs, path = keras.Variable([3.0, 1.0]), []
    for _ in range(STEPS):
        optimizer.apply([keras.ops.convert_to_tensor(slopes_at(np.asarray(knobs)))], [knobs])
        path.append(np.asarray(knobs))
    return path


def test_momentum_takes_the_steps_of_keras(taught):
    knobs, past, path = np.array([3.0, 1.0]), np.zeros(2), []
    for _ in range(STEPS):
        knobs, past = taught["momentum"](knobs, slopes_at(knobs), past, rate=0.02)
        path.append(knobs)
    by_keras = walk_by_keras(keras.optimizers.SGD(0.02, momentum=0.9))
    np.testing.assert_allclose(path, by_keras, atol=1e-4)


@pytest.mark.parametrize("decay", [0.004, 0.5])
def test_adamw_takes_the_steps_of_keras(taught, decay):
    knobs, mean, square, path = np.array([3.0, 1.0]), np.zeros(2), np.zeros(2), []
    for t in range(1, STEPS + 1):
        slopes = slopes_at(knobs)
        knobs, mean, square = taught["adamw"](knobs, slopes, mean, square, t, 0.1, decay)
        path.append(knobs)
    by_keras = walk_by_keras(keras.optimizers.AdamW(0.1, weight_decay=decay))
    np.testing.assert_allclose(path, by_keras, atol=1e-4)
