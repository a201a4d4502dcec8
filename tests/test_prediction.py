from helpers.backend import keras, layers
from helpers.images import LONGEST_SIDE, ImageError, read_image
from helpers.prediction import PRETRAINED_LITERT, SURE, Digit, DigitReader
from helpers.preparation import prepare_digit
from helpers.saving import export_litert

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from PIL import Image


@pytest.fixture(scope="module")
def reader(litert_file):
    return DigitReader(litert_file)


# The network in LiteRT's format


@pytest.mark.parametrize("count", [1, 7, 2, 100])
def test_litert_predicts_what_keras_predicts_for_any_number_of_images(
    reader, trained, sample, count
):
    images = sample.x_test[:count]
    expected = trained.model(images[..., None].astype(np.float32)).numpy()
    probabilities = reader.predict(images)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert probabilities.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64])
def test_images_may_have_any_dtype_and_a_channel(reader, sample, dtype):
    images = sample.x_test[:3]
    expected = reader.predict(images)
    np.testing.assert_array_equal(reader.predict(images[..., None].astype(dtype)), expected)


def test_an_earlier_prediction_is_not_overwritten_by_a_later_one(reader, sample):
    first = reader.predict(sample.x_test[:2])
    kept = first.copy()
    reader.predict(sample.x_test[2:4])
    np.testing.assert_array_equal(first, kept)


def test_a_file_whose_names_are_damaged_is_named(tmp_path):
    path = tmp_path / "digits.tflite"
    content = PRETRAINED_LITERT.read_bytes()
    assert b"serving_default" in content
    path.write_bytes(content.replace(b"serving_default", b"serving\xd8default"))
    with pytest.raises(ValueError, match="not a LiteRT model file") as caught:
        DigitReader(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"not a model" * 100])
def test_a_file_that_is_no_model_is_named(tmp_path, content):
    path = tmp_path / "digits.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="is missing or not a LiteRT model file") as caught:
        DigitReader(path)
    assert str(path) in str(caught.value)


def test_a_network_for_something_else_is_refused(tmp_path):
    model = keras.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(26)])
    export_litert(model, tmp_path / "letters.tflite")
    with pytest.raises(ValueError, match=r"letters\.tflite is no digit network"):
        DigitReader(tmp_path / "letters.tflite")


def test_a_network_with_more_than_one_output_is_refused(tmp_path):
    image = layers.Input((28, 28, 1))
    flat = layers.Flatten()(image)
    model = keras.Model(image, [layers.Dense(10)(flat), layers.Dense(10)(flat)])
    export_litert(model, tmp_path / "two.tflite")
    with pytest.raises(ValueError, match=r"two\.tflite is no digit network"):
        DigitReader(tmp_path / "two.tflite")


def test_a_quantised_network_is_refused_with_what_to_do(litert_file, monkeypatch):
    real = Interpreter.get_input_details

    def details(self):
        return [part | {"dtype": np.uint8} for part in real(self)]

    monkeypatch.setattr(Interpreter, "get_input_details", details)
    with pytest.raises(ValueError, match="is quantised; export it with float32"):
        DigitReader(litert_file)


# Reading pictures


@pytest.mark.parametrize(("probability", "is_sure"), [(SURE - 0.01, False), (SURE, True)])
def test_an_answer_is_the_most_probable_digit_and_sure_above_a_threshold(probability, is_sure):
    probabilities = np.full(10, (1 - probability) / 9)
    probabilities[4] = probability
    answer = Digit(0, (0, 0, 9, 9), np.zeros((28, 28), np.uint8), probabilities)
    assert (answer.digit, answer.probability, answer.is_sure) == (4, probability, is_sure)


@pytest.mark.parametrize("single", [False, True])
def test_a_picture_is_prepared_before_it_is_read(reader, seven, single):
    (answer,) = reader.read(seven, single)
    np.testing.assert_array_equal(answer.pixels, prepare_digit(seven))
    expected = reader.predict(prepare_digit(seven)[None])[0]
    np.testing.assert_array_equal(answer.probabilities, expected)


@pytest.fixture(scope="module")
def sheet(sample):
    """Two rows, 7 and 1 above 4, each digit 100 pixels wide and high, dark on grey."""
    ink = np.zeros((400, 500), np.uint8)
    places = {7: (30, 60), 1: (40, 300), 4: (250, 170)}
    for digit, (top, left) in places.items():
        drawn = Image.fromarray(sample.x_test[sample.y_test == digit][0]).resize((100, 100))
        ink[top : top + 100, left : left + 100] = np.asarray(drawn)
    return Image.fromarray((200 - 0.6 * ink).astype(np.uint8))


def test_several_digits_come_in_reading_order_with_rows_and_boxes(sheet):
    answers = DigitReader().read(sheet)
    assert [(answer.digit, answer.row) for answer in answers] == [(7, 0), (1, 0), (4, 1)]
    for answer, (left, top) in zip(answers, [(60, 30), (300, 40), (170, 250)], strict=True):
        assert left <= answer.box[0] < answer.box[2] <= left + 100
        assert top <= answer.box[1] < answer.box[3] <= top + 100


def test_boxes_are_in_pixels_of_the_picture_however_large(sheet):
    factor = 4
    large = sheet.resize((factor * sheet.width, factor * sheet.height))
    assert max(large.size) > LONGEST_SIDE
    boxes = np.array([answer.box for answer in DigitReader().read(sheet)])
    large_boxes = np.array([answer.box for answer in DigitReader().read(large)])
    np.testing.assert_allclose(large_boxes, factor * boxes, atol=4 * factor)


def test_boxes_are_in_the_picture_as_it_is_seen(sheet, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    path = tmp_path / "sheet.jpg"
    sheet.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)
    boxes = [answer.box for answer in DigitReader().read(sheet)]
    seen = [answer.box for answer in DigitReader().read(read_image(path))]
    np.testing.assert_allclose(seen, boxes, atol=3)


def test_all_ink_can_be_taken_for_one_digit(sheet):
    (answer,) = DigitReader().read(sheet, single=True)
    assert answer.box[0] < 160 and answer.box[2] > 300


def test_a_blank_picture_is_an_error(reader):
    with pytest.raises(ImageError, match="no digit found"):
        reader.read(Image.new("L", (80, 80), 255))


def test_the_network_that_ships_reads_real_digits(sample):
    predicted = DigitReader().predict(sample.x_test).argmax(axis=1)
    assert np.mean(predicted == sample.y_test) > 0.99
