from helpers.errors import ArgumentError
from helpers.reading.pictures import LONGEST_SIDE, PictureError, open_picture
from helpers.reading.preparation import prepare_digit
from helpers.reading.reader import DigitReader
from helpers.reading.records import as_record

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def reader():
    return DigitReader()


@pytest.mark.parametrize("single", [False, True])
def test_a_picture_is_prepared_before_it_is_read(reader, seven, single):
    (answer,) = reader.read(seven, single)
    np.testing.assert_array_equal(answer.pixels, prepare_digit(seven))
    expected = reader.network.predict(prepare_digit(seven)[None])[0]
    np.testing.assert_array_equal(answer.probabilities, expected)


def test_what_has_the_size_of_mnist_is_read_through_noise_and_stripes(reader, sample):
    digits, labels = sample.x_test[:40], sample.y_test[:40]
    noise = np.random.default_rng(0).normal(0, 70, digits.shape)
    is_stripe = np.arange(28) // 9 % 2 == 1
    for changed, least in (
        (digits + noise, 0.95),
        (np.where(is_stripe, 255 - digits.astype(float), digits), 0.5),
    ):
        pictures = map(Image.fromarray, np.clip(changed, 0, 255).astype(np.uint8))
        answers = [reader.read(picture, single=True)[0].digit for picture in pictures]
        assert np.mean(answers == labels) >= least


def test_what_has_the_size_of_mnist_is_also_seen_as_it_is_in_either_polarity(reader, sample):
    # The preparation alone cuts the first one in two and turns the other into a 5.
    for number, label in ((363, 5), (969, 8)):
        pixels = sample.x_test[number]
        for drawn in (pixels, 255 - pixels):
            (answer,) = reader.read(Image.fromarray(drawn))
            assert answer.digit == label
            np.testing.assert_array_equal(answer.pixels, pixels)


def test_noise_alone_is_no_digit(reader):
    noise = np.random.default_rng(0).normal(100, 70, (28, 28))
    with pytest.raises(PictureError):
        reader.read(Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)))


@pytest.fixture(scope="module")
def sheet(sample):
    """Two rows, 7 and 1 above 4, each digit 100 pixels wide and high, dark on grey."""
    ink = np.zeros((400, 500), np.uint8)
    places = {7: (30, 60), 1: (40, 300), 4: (250, 170)}
    for digit, (top, left) in places.items():
        drawn = Image.fromarray(sample.x_test[sample.y_test == digit][0]).resize((100, 100))
        ink[top : top + 100, left : left + 100] = np.asarray(drawn)
    return Image.fromarray((200 - 0.6 * ink).astype(np.uint8))


def test_several_digits_come_in_reading_order_with_rows_and_boxes(reader, sheet):
    answers = reader.read(sheet)
    assert [(answer.digit, answer.row) for answer in answers] == [(7, 0), (1, 0), (4, 1)]
    for answer, (left, top) in zip(answers, [(60, 30), (300, 40), (170, 250)], strict=True):
        assert left <= answer.box[0] < answer.box[2] <= left + 100
        assert top <= answer.box[1] < answer.box[3] <= top + 100


def test_boxes_are_in_pixels_of_the_picture_however_large(reader, sheet):
    factor = 4
    large = sheet.resize((factor * sheet.width, factor * sheet.height))
    assert max(large.size) > LONGEST_SIDE
    boxes = np.array([answer.box for answer in reader.read(sheet)])
    large_boxes = np.array([answer.box for answer in reader.read(large)])
    np.testing.assert_allclose(large_boxes, factor * boxes, atol=4 * factor)


def test_boxes_of_a_file_are_in_its_pixels_however_coarsely_it_was_decoded(reader, sheet, tmp_path):
    path = tmp_path / "large.jpg"
    sheet.resize((10 * sheet.width, 10 * sheet.height)).save(path)
    reading = reader.read_file(str(path))
    assert (reading.reduced, reading.image.size) == (4, (1250, 1000))
    boxes = np.array([answer.box for answer in reader.read(sheet)])
    of_record = [digit["box"] for digit in as_record(reading)["digits"]]
    np.testing.assert_allclose(of_record, 10 * boxes, atol=40)


def test_boxes_are_in_the_picture_as_it_is_seen(reader, sheet, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    path = tmp_path / "sheet.jpg"
    sheet.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)
    boxes = [answer.box for answer in reader.read(sheet)]
    seen = [answer.box for answer in reader.read(open_picture(path))]
    np.testing.assert_allclose(seen, boxes, atol=3)


def test_all_ink_can_be_taken_for_one_digit(reader, sheet):
    (answer,) = reader.read(sheet, single=True)
    assert answer.box[0] < 160 and answer.box[2] > 300


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("side", [28, 80])
def test_a_blank_picture_is_an_error(reader, side, single):
    with pytest.raises(PictureError, match="no digit found"):
        reader.read(Image.new("L", (side, side), 255), single)


def test_what_came_of_a_file_is_returned_whether_or_not_it_could_be_read(reader, seven, tmp_path):
    seven.save(tmp_path / "seven.png")
    Image.new("L", (80, 80), 255).save(tmp_path / "blank.png")
    read, blank, missing = (
        reader.read_file(str(tmp_path / name)) for name in ("seven.png", "blank.png", "missing.png")
    )
    assert len(read.digits) == 1 and read.error is None and read.image.size == seven.size
    assert (blank.image, blank.digits) == (missing.image, missing.digits) == (None, [])
    assert blank.error.startswith(f"{tmp_path / 'blank.png'}: no digit found")
    assert "No such file" in missing.error


def test_an_array_is_refused_with_what_to_do(reader):
    with pytest.raises(ArgumentError, match=r"but is a ndarray; .* PIL\.Image\.fromarray"):
        reader.read(np.zeros((28, 28)))
