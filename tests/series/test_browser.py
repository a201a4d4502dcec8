"""The networks as the pad of the site gets them."""

import base64
import json

from helpers.errors import ModelFileError
from helpers.learning.backend import keras, layers
from helpers.learning.likeness import train_head
from helpers.series.browser import describe_layer, write_networks

import numpy as np
import pytest


def read(script):
    return json.loads(script.read_text().removeprefix("var digitNetworks = ").rstrip(";\n"))


def test_the_script_lists_the_layers_and_holds_their_weights(trained, tmp_path):
    trained.model.save(tmp_path / "digits.keras")
    script = write_networks({"ships": tmp_path / "digits.keras"}, tmp_path / "pad")
    network = read(script)["ships"]
    kinds = [layer["kind"] for layer in network["layers"]]
    assert kinds[:3] == ["affine", "affine", "convolution"]
    assert kinds[-2:] == ["flatten", "dense"]
    assert network["layers"][-1]["activation"] == "softmax"
    weights = np.frombuffer(base64.b64decode(network["weights"]), "<f2")
    dense = np.concatenate([np.ravel(part) for part in trained.model.layers[-1].get_weights()])
    np.testing.assert_array_equal(weights[-dense.size :], dense.astype("<f2"))
    assert 0 < network["sure"] < 1


def test_the_head_comes_with_its_network(trained, digits, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28))
    head = train_head(trained.model, digits.images, noise, seed=0)
    trained.model.save(tmp_path / "digits.keras")
    head.save(tmp_path / "likeness.keras")
    both = {"ships": tmp_path / "digits.keras", "plain": tmp_path / "digits.keras"}
    networks = read(write_networks(both, tmp_path, {"ships": tmp_path / "likeness.keras"}))
    layers_of_head = networks["ships"]["head"]["layers"]
    assert [layer["activation"] for layer in layers_of_head] == ["relu", "sigmoid"]
    assert "head" not in networks["plain"]
    assert 0 < networks["plain"]["likeADigit"] < 1


def test_batch_normalisation_is_one_factor_and_one_shift():
    layer = layers.BatchNormalization()
    layer.build((None, 4))
    for variable in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance):
        variable.assign(np.random.default_rng(0).uniform(0.5, 2, 4))
    images = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    _, (scale, shift) = describe_layer(layer)
    expected = np.asarray(layer(images, training=False))
    np.testing.assert_allclose(images * scale + shift, expected, atol=5e-3)


def test_an_unknown_layer_is_refused():
    layer = layers.Conv2D(2, 3, strides=2)
    keras.Sequential([layers.Input((28, 28, 1)), layer])
    with pytest.raises(ModelFileError, match="knows no layer like"):
        describe_layer(layer)
