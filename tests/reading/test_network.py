from helpers.errors import ArgumentError, ModelFileError
from helpers.places import MNIST_ONLY_LITERT, PAIRS_LITERT, PRETRAINED_LITERT
from helpers.reading.network import Network, PairNetwork

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter


@pytest.fixture(scope="module")
def network():
    return Network()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64])
def test_images_may_have_any_dtype_and_a_channel(network, sample, dtype):
    images = sample.x_test[:3]
    expected = network.predict(images)
    np.testing.assert_array_equal(network.predict(images[..., None].astype(dtype)), expected)


def test_an_earlier_prediction_is_not_overwritten_by_a_later_one(network, sample):
    first = network.predict(sample.x_test[:2])
    kept = first.copy()
    network.predict(sample.x_test[2:4])
    np.testing.assert_array_equal(first, kept)


def test_a_file_whose_names_are_damaged_is_named(tmp_path):
    path = tmp_path / "digits.tflite"
    content = PRETRAINED_LITERT.read_bytes()
    assert b"serving_default" in content
    path.write_bytes(content.replace(b"serving_default", b"serving\xd8default"))
    with pytest.raises(ModelFileError, match="not a LiteRT model file") as caught:
        Network(path)
    assert str(path) in str(caught.value)


def test_the_network_that_ships_says_how_much_an_image_is_like_a_digit(network, sample):
    images = sample.x_test[:100]
    probabilities, likeness = network.judge(images)
    np.testing.assert_array_equal(probabilities, network.predict(images))
    assert likeness.shape == (100,) and np.median(likeness) > 0.9
    frame = np.zeros((1, 28, 28), np.uint8)
    frame[0, 4:24, 4:24] = 255
    frame[0, 6:22, 6:13] = frame[0, 6:22, 15:22] = 0
    assert network.judge(frame)[1][0] < 0.1


def test_to_a_network_that_cannot_tell_everything_is_like_a_digit():
    probabilities, likeness = Network(MNIST_ONLY_LITERT).judge(np.zeros((3, 28, 28)))
    assert probabilities.shape == (3, 10)
    assert likeness.tolist() == [1, 1, 1]


@pytest.mark.parametrize("content", [None, b"", b"not a model" * 100])
def test_a_file_that_is_no_model_is_named(tmp_path, content):
    path = tmp_path / "digits.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelFileError, match="is missing or not a LiteRT model file") as caught:
        Network(path)
    assert str(path) in str(caught.value)


def test_a_quantised_network_is_refused_with_what_to_do(monkeypatch):
    real = Interpreter.get_input_details

    def details(self):
        return [part | {"dtype": np.uint8} for part in real(self)]

    monkeypatch.setattr(Interpreter, "get_input_details", details)
    with pytest.raises(ModelFileError, match="is quantised; export it with float32"):
        Network()


@pytest.mark.parametrize("path", ["/dev/zero", "."])
def test_what_is_no_file_is_named(path):
    with pytest.raises(ModelFileError, match="is missing or not a LiteRT model file"):
        Network(path)


def test_bad_images_are_refused_in_one_sentence(network):
    with pytest.raises(ArgumentError, match=r"images must have the shape .*\(3, 784\)"):
        network.predict(np.zeros((3, 784)))


def test_the_network_that_ships_reads_real_digits(network, sample):
    predicted = network.predict(sample.x_test).argmax(axis=1)
    assert np.mean(predicted == sample.y_test) > 0.99


def test_neither_network_takes_the_file_of_the_other():
    with pytest.raises(ModelFileError, match="is not a digit network"):
        Network(PAIRS_LITERT)
    with pytest.raises(ModelFileError, match="is not a network for pairs"):
        PairNetwork(PRETRAINED_LITERT)


def test_the_network_for_pairs_gives_two_digits_and_how_sure_it_is():
    probabilities, sure_of_two = PairNetwork().judge(np.zeros((3, 28, 56), np.uint8))
    assert probabilities.shape == (3, 2, 10) and sure_of_two.shape == (3,)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1, atol=1e-4)
    assert (sure_of_two < 0.5).all()
