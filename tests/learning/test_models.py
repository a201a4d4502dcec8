from helpers.learning.backend import keras, layers
from helpers.learning.models import (
    build_cnn,
    build_multilayer_perceptron,
    build_published_cnn,
    build_softmax_regression,
    layer_table,
    multiply_adds,
    normalisation_layers,
    receptive_fields,
)

import numpy as np
import pytest

# Counted by hand, layer by layer: a convolution before batch normalisation has no bias,
# the others have; batch normalisation has four numbers a channel.
TINY_PARAMETERS = (
    (9 * 8 + 4 * 8)
    + (9 * 8 * 12 + 12)
    + (9 * 12 * 16 + 4 * 16)
    + (9 * 16 * 14 + 14)
    + (9 * 14 * 14 + 4 * 14)
    + (3 * 3 * 14 * 10 + 10)
)
SMALL_PARAMETERS = (
    (9 * 24 + 4 * 24)
    + (9 * 24 * 32 + 32)
    + (9 * 32 * 48 + 4 * 48)
    + (9 * 48 * 64 + 4 * 64)
    + (2 * 2 * 64 * 10 + 10)
)
LARGE_PARAMETERS = (
    (9 * 32 + 4 * 32)
    + (9 * 32 * 48 + 48)
    + (9 * 48 * 56 + 56)
    + (9 * 56 * 80 + 4 * 80)
    + (9 * 80 * 96 + 96)
    + (9 * 96 * 112 + 4 * 112)
    + (3 * 3 * 112 * 10 + 10)
)


def build_tiny_cnn():
    return build_cnn("tiny")


def build_large_cnn():
    return build_cnn("large")


BUILDERS = {
    build_softmax_regression: 784 * 10 + 10,
    build_multilayer_perceptron: 784 * 128 + 128 + 128 * 10 + 10,
    build_published_cnn: 159_254,
    build_tiny_cnn: TINY_PARAMETERS,
    build_cnn: SMALL_PARAMETERS,
    build_large_cnn: LARGE_PARAMETERS,
}


@pytest.mark.parametrize(("build", "parameters"), BUILDERS.items())
def test_the_number_of_parameters_is_the_one_counted_by_hand(build, parameters):
    assert build().count_params() == parameters


@pytest.mark.parametrize("build", BUILDERS)
def test_raw_pixels_give_ten_probabilities_an_image(build, digits):
    probabilities = build()(digits.images[:3]).numpy()
    assert probabilities.shape == (3, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(probabilities, axis=0).max() > 1e-4  # the image matters


@pytest.mark.parametrize("build", BUILDERS)
def test_softmax_is_applied_once(build, digits):
    model = build()
    kernel, bias = model.layers[-1].get_weights()
    bias[:] = np.arange(10)
    model.layers[-1].set_weights([0 * kernel, bias])
    expected = np.exp(np.arange(10)) / np.exp(np.arange(10)).sum()
    np.testing.assert_allclose(model(digits.images[:1]).numpy()[0], expected, rtol=1e-4)


@pytest.mark.parametrize("hidden", [16, 32])
def test_the_perceptron_has_as_many_hidden_units_as_asked(hidden):
    assert build_multilayer_perceptron(hidden).layers[-2].units == hidden


@pytest.mark.parametrize(("pixel", "expected"), [(0, -0.4242), (255, 2.8215), (255 * 0.1307, 0.0)])
def test_pixels_are_scaled_and_standardised_by_the_figures_of_mnist(pixel, expected):
    normalise = keras.Sequential([layers.Input((28, 28, 1)), *normalisation_layers()])
    output = normalise(np.full((1, 28, 28, 1), pixel, np.float32)).numpy()
    np.testing.assert_allclose(output, expected, atol=1e-3)


@pytest.mark.parametrize(
    "build", [build_softmax_regression, build_multilayer_perceptron, build_cnn, build_large_cnn]
)
def test_normalisation_is_part_of_the_network(build):
    first, second = build().layers[:2]
    output = second(first(np.full((1, 28, 28, 1), 255, np.float32))).numpy()
    np.testing.assert_allclose(output, (1 - 0.1307) / 0.3081, rtol=1e-3)


def test_the_published_network_divides_by_255_and_does_not_standardise():
    first, second = build_published_cnn().layers[:2]
    np.testing.assert_allclose(first(np.full((1, 28, 28, 1), 255, np.float32)).numpy(), 1)
    assert isinstance(second, layers.Conv2D)


def test_dropout_acts_in_training_only(digits):
    model = build_cnn(dropout=0.8)
    images = digits.images[:2].astype(np.float32)
    predicted = model(images).numpy()
    np.testing.assert_array_equal(model(images).numpy(), predicted)
    trained_on = model(images, training=True).numpy()
    assert not np.array_equal(model(images, training=True).numpy(), trained_on)
    assert [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)] == [0.4, 0.8]


def test_two_networks_share_no_weights():
    first, second = build_cnn(), build_cnn()
    before = second.get_weights()
    first.set_weights([0 * weight for weight in first.get_weights()])
    assert all(map(np.array_equal, second.get_weights(), before))


def test_multiply_adds_of_the_published_network_agree_with_a_count_by_hand():
    table = layer_table(build_published_cnn())
    assert [cost for cost in table["multiply-adds"] if cost] == [
        26 * 26 * 9 * 1 * 32,
        11 * 11 * 9 * 32 * 64,
        9 * 9 * 9 * 64 * 64,
        4 * 4 * 64 * 100,
        100 * 10,
    ]


def test_multiply_adds_of_our_networks_agree_with_a_count_by_hand():
    assert [cost for cost in map(multiply_adds, build_cnn().layers) if cost] == [
        28 * 28 * 9 * 1 * 24,
        12 * 12 * 9 * 24 * 32,
        10 * 10 * 9 * 32 * 48,
        5 * 5 * 9 * 48 * 64,
        2 * 2 * 64 * 10,
    ]
    assert [cost for cost in map(multiply_adds, build_large_cnn().layers) if cost] == [
        28 * 28 * 9 * 1 * 32,
        14 * 14 * 9 * 32 * 48,
        12 * 12 * 9 * 48 * 56,
        12 * 12 * 9 * 56 * 80,
        6 * 6 * 9 * 80 * 96,
        6 * 6 * 9 * 96 * 112,
        3 * 3 * 112 * 10,
    ]


def test_the_layer_table_lists_kinds_shapes_and_parameters():
    model = build_published_cnn()
    table = layer_table(model)
    assert table.index.name == "layer"
    assert table.index.tolist() == [
        *("Rescaling", "Conv2D", "MaxPooling2D", "Conv2D", "Conv2D", "MaxPooling2D"),
        *("Flatten", "Dense", "Dense"),
    ]
    assert table["output"].tolist() == [
        *("28 × 28 × 1", "26 × 26 × 32", "13 × 13 × 32", "11 × 11 × 64", "9 × 9 × 64"),
        *("4 × 4 × 64", "1024", "100", "10"),
    ]
    assert table["parameters"].tolist() == [0, 320, 0, 18_496, 36_928, 0, 0, 102_500, 1_010]
    assert table["receptive field"].tolist() == [1, 3, 4, 8, 12, 14, 28, 28, 28]


def seen_pixels(feature_layers, size=64):
    """How many pixels of a row change the middle value of the last layer's output.

    With all weights 1 and bright pixels, no change is lost on the way.
    """
    model = keras.Sequential([layers.Input((size, size, 1)), *feature_layers])
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            layer.kernel.assign(np.ones(layer.kernel.shape))
    images = np.full((size + 1, size, size, 1), 255, np.float32)
    pixels = np.arange(size)
    images[pixels, size // 2, pixels] *= 1000
    *changed, unchanged = model(images).numpy()
    middle = changed[0].shape[0] // 2
    return sum(image[middle, middle, 0] > unchanged[middle, middle, 0] * 1.001 for image in changed)


@pytest.mark.parametrize("build", [build_published_cnn, build_cnn, build_large_cnn])
def test_receptive_fields_agree_with_an_experiment(build):
    model = build()
    fields = receptive_fields(model)
    flatten = fields.index(None)
    kinds = (layers.Conv2D, layers.MaxPooling2D)
    checked = [i for i in range(flatten) if isinstance(model.layers[i], kinds)]
    assert [fields[i] for i in checked] == [seen_pixels(model.layers[: i + 1]) for i in checked]
    assert fields[flatten:] == [None] * (len(fields) - flatten)


def test_receptive_fields_count_strides():
    model = keras.Sequential(
        [
            layers.Input((64, 64, 1)),
            layers.Conv2D(1, 5, strides=2),
            layers.Conv2D(1, 3),
            layers.MaxPooling2D(3, strides=1),
        ]
    )
    assert receptive_fields(model) == [5, 9, 13]


def test_a_seed_gives_the_weights_that_keras_own_seed_gives():
    keras.utils.set_random_seed(3)
    by_keras, by_argument = build_cnn("small"), build_cnn("small", seed=3)
    for expected, found in zip(by_keras.variables, by_argument.variables, strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())
    other = build_cnn("small", seed=4).get_weights()
    assert not np.array_equal(other[0], by_argument.get_weights()[0])


def test_batch_normalisation_follows_the_statistics_of_what_it_sees():
    model = build_cnn()
    normalising = [each for each in model.layers if isinstance(each, layers.BatchNormalization)]
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 1)).astype(np.float32)
    model(images, training=True)
    assert len(normalising) == 3
    for layer in normalising:
        assert np.abs(layer.moving_mean).max() > 0
        assert not np.allclose(layer.moving_variance, 1)
