from helpers.learning.likeness import train_head, with_head
from helpers.learning.saving import export_litert
from helpers.reading.network import Network

import numpy as np
import pytest


@pytest.fixture(scope="module")
def noise():
    """What is no digit, as easy to tell as can be."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (200, 28, 28)).astype(np.uint8)


@pytest.fixture(scope="module")
def head(trained, digits, noise):
    return train_head(trained.model, digits.images, noise, seed=0)


def test_the_head_tells_digits_from_what_is_none_and_leaves_the_network_as_it_is(
    trained, digits, noise, head, tmp_path
):
    images = digits.validation[0]
    before = trained.model.predict(images, verbose=0)
    export_litert(with_head(trained.model, head), tmp_path / "digits.tflite")
    network = Network(tmp_path / "digits.tflite")
    probabilities, likeness = network.judge(images)
    np.testing.assert_allclose(probabilities, before, atol=1e-4)
    assert likeness.shape == (len(images),) and likeness.dtype == np.float32
    assert np.mean(likeness > 0.5) > 0.9
    assert np.mean(network.judge(noise)[1] < 0.5) > 0.9


def test_a_head_repeats_with_its_seed(trained, digits, noise, head):
    again = train_head(trained.model, digits.images, noise, seed=0)
    for first, second in zip(head.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
