"""Networks exported by Keras, as LiteRT reads them."""

import json

from helpers.errors import ModelFileError
from helpers.learning.backend import keras, layers
from helpers.learning.evaluation import predict_probabilities
from helpers.learning.saving import export_litert, load_model
from helpers.places import MODEL_FILE, PRETRAINED_FOLDER
from helpers.reading.command import main
from helpers.reading.network import Network
from helpers.reading.reader import DigitReader
from helpers.reading.records import as_record, read_record

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def network(litert_file):
    return Network(litert_file)


@pytest.mark.parametrize("count", [1, 7, 2, 100])
def test_litert_predicts_what_keras_predicts_for_any_number_of_images(
    network, trained, sample, count
):
    images = sample.x_test[:count]
    expected = trained.model(images[..., None].astype(np.float32)).numpy()
    probabilities = network.predict(images)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert probabilities.dtype == np.float32


def test_a_network_for_something_else_is_refused(tmp_path):
    model = keras.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(26)])
    export_litert(model, tmp_path / "letters.tflite")
    with pytest.raises(ModelFileError, match=r"letters\.tflite is not a digit network"):
        Network(tmp_path / "letters.tflite")


def test_a_network_with_more_than_one_output_is_refused(tmp_path):
    image = layers.Input((28, 28, 1))
    flat = layers.Flatten()(image)
    model = keras.Model(image, [layers.Dense(10)(flat), layers.Dense(10)(flat)])
    export_litert(model, tmp_path / "two.tflite")
    with pytest.raises(ModelFileError, match=r"two\.tflite is not a digit network"):
        Network(tmp_path / "two.tflite")


def test_the_network_that_ships_answers_alike_in_both_formats(sample):
    pictures = sample.x_test[:500]
    by_keras = predict_probabilities(load_model(PRETRAINED_FOLDER / MODEL_FILE), pictures)
    by_litert = Network().predict(pictures)
    assert np.abs(by_keras - by_litert).max() < 1e-4
    assert np.array_equal(by_keras.argmax(axis=1), by_litert.argmax(axis=1))


def test_records_and_the_command_read_with_the_network_that_is_named(
    litert_file, sample, tmp_path, capsys
):
    picture = str(tmp_path / "digit.png")
    Image.fromarray(255 - sample.x_test[0]).resize((140, 140)).save(picture)
    expected = as_record(DigitReader(Network(litert_file)).read_file(picture))
    assert expected != as_record(DigitReader().read_file(picture))
    assert read_record(picture, litert_file) == expected
    assert main(["--json", "--model", str(litert_file), picture]) == 0
    assert json.loads(capsys.readouterr().out) == expected
