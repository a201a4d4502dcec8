"""The networks and functions that notebook 03 builds, held against the helpers and Keras."""

from helpers.learning.backend import keras, layers
from helpers.learning.models import (
    NETWORKS,
    build_cnn,
    build_multilayer_perceptron,
    build_published_cnn,
    build_softmax_regression,
    normalisation_layers,
    receptive_fields,
)
from helpers.places import project_folder

import nbformat
import numpy as np
import pytest

CELLS = (
    "regression", "softmax", "perceptron", "convolve", "pooling", "field", "lenet", "published",
    "block", "our-cnn", "ours",
)  # fmt: skip


@pytest.fixture(scope="module")
def taught():
    """What the notebook's cells define, by name."""
    path = project_folder() / "notebooks" / "03_building.ipynb"
    cells = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    names = {
        "np": np,
        "keras": keras,
        "layers": layers,
        "normalisation_layers": normalisation_layers,
    }
    for cell in CELLS:
        exec(cells[cell].partition("\n\n\nlogits =")[0], names)
    return names


def architecture(model, without=("name",)):
    """Kind and settings of each layer."""
    kept = [layer.get_config() for layer in model.layers]
    kinds = [type(layer).__name__ for layer in model.layers]
    return [
        (kind, {key: value for key, value in config.items() if key not in without})
        for kind, config in zip(kinds, kept, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("perceptron", build_multilayer_perceptron),
        ("published_cnn", build_published_cnn),
        ("small_cnn", build_cnn),
        ("large_cnn", lambda: build_cnn("large")),
    ],
)
def test_the_networks_are_those_of_the_helpers(taught, name, build):
    assert architecture(taught[name]) == architecture(build())


def test_softmax_regression_differs_only_in_where_its_weights_start(taught):
    apart_from = ("name", "kernel_initializer")
    mine, helper = taught["softmax_regression"], build_softmax_regression()
    assert architecture(mine, apart_from) == architecture(helper, apart_from)


def test_lenet_has_the_published_number_of_parameters(taught):
    assert taught["lenet"].count_params() == 61_706


def test_a_convolution_and_a_pooling_are_those_of_keras(taught):
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(12, 15)), rng.normal(size=(3, 3))
    by_keras = keras.ops.conv(image[None, ..., None], kernel[..., None, None])[0, ..., 0]
    np.testing.assert_allclose(taught["convolve"](image, kernel), by_keras, atol=1e-5)
    by_keras = layers.MaxPooling2D()(image[None, ..., None])[0, ..., 0]
    np.testing.assert_allclose(taught["max_pool"](image), by_keras, atol=1e-6)


def test_softmax_is_that_of_keras(taught):
    logits = np.array([[2.0, 1.0, -1.0], [1000.0, 0.0, 999.0]])
    np.testing.assert_allclose(taught["softmax"](logits), keras.ops.softmax(logits), atol=1e-6)


def test_the_field_found_by_trying_is_that_of_the_rule(taught):
    def conv(image):
        return taught["convolve"](image, np.ones((3, 3)))

    model = keras.Sequential(
        [layers.Input((12, 12, 1)), layers.Conv2D(1, 3), layers.MaxPooling2D(), layers.Conv2D(1, 3)]
    )
    chain = [conv, taught["max_pool"], conv]
    sides = [int((taught["sees"](*chain[:length]) > 0).any(axis=0).sum()) for length in (1, 2, 3)]
    assert sides == receptive_fields(model) == [3, 4, 8]


def test_the_small_network_is_spelled_out_as_it_is_stored(taught):
    small = [layer.filters for layer in taught["small_cnn"].layers if hasattr(layer, "filters")]
    assert small == [filters for block in NETWORKS["small"] for filters, _ in block]
