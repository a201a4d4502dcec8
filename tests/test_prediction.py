import subprocess
import sys
from pathlib import Path

from helpers import prediction
from helpers.backend import keras, layers
from helpers.images import ImageError, prepare_digit
from helpers.prediction import DigitReader, Reading, main
from helpers.saving import export_litert

import numpy as np
import pytest
from PIL import Image

PROJECT = Path(prediction.__file__).parent.parent


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


@pytest.mark.parametrize("content", [None, b"", b"not a model" * 100])
def test_a_file_that_is_no_model_is_named(tmp_path, content):
    path = tmp_path / "digits.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a readable LiteRT model file") as caught:
        DigitReader(path)
    assert str(path) in str(caught.value)


def test_a_network_for_something_else_is_refused(tmp_path):
    model = keras.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(26)])
    export_litert(model, tmp_path / "letters.tflite")
    with pytest.raises(ValueError, match=r"letters\.tflite is no digit network"):
        DigitReader(tmp_path / "letters.tflite")


# Reading pictures


def test_a_reading_gives_the_most_probable_digit():
    probabilities = np.full(10, 0.02, np.float32)
    probabilities[4] = 0.82
    reading = Reading(np.zeros((28, 28), np.uint8), probabilities)
    assert (reading.digit, reading.probability) == (4, pytest.approx(0.82))


def test_a_picture_is_prepared_before_it_is_read(reader, seven, tmp_path):
    seven.save(tmp_path / "seven.png")
    reading = reader.read(tmp_path / "seven.png")
    np.testing.assert_array_equal(reading.pixels, prepare_digit(seven))
    expected = reader.predict(prepare_digit(seven)[None])[0]
    np.testing.assert_array_equal(reading.probabilities, expected)


def test_a_blank_picture_file_is_an_error(reader, tmp_path):
    Image.new("L", (80, 80), 255).save(tmp_path / "blank.png")
    with pytest.raises(ImageError, match="no digit found"):
        reader.read(tmp_path / "blank.png")


def test_the_network_that_ships_reads_real_digits(sample):
    predicted = DigitReader().predict(sample.x_test).argmax(axis=1)
    assert np.mean(predicted == sample.y_test) > 0.99


# The command line


@pytest.fixture
def digit_files(sample, tmp_path):
    """Three digits as dark ink on white paper, large enough to be looked at."""
    paths = [tmp_path / f"digit_{index}.png" for index in range(3)]
    for path, digit in zip(paths, sample.x_test, strict=False):
        Image.fromarray(255 - digit).resize((140, 140)).save(path)
    return paths


def test_each_picture_gets_a_line_with_its_digit_and_probability(
    reader, litert_file, digit_files, capsys
):
    status = main(["--model", str(litert_file), *map(str, digit_files)])
    expected = [reader.read(path) for path in digit_files]
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: {reading.digit} ({reading.probability:.1%})"
        for path, reading in zip(digit_files, expected, strict=True)
    ]
    assert status == 0


def test_one_bad_picture_is_named_and_does_not_stop_the_others(
    litert_file, digit_files, tmp_path, capsys
):
    missing = tmp_path / "missing.png"
    pictures = [digit_files[0], missing, digit_files[1]]
    status = main(["--model", str(litert_file), *map(str, pictures)])
    printed = capsys.readouterr()
    assert [line.split(":")[0] for line in printed.out.splitlines()] == [
        str(path) for path in digit_files[:2]
    ]
    assert printed.err == f"error: {missing} cannot be read: No such file or directory.\n"
    assert status == 1


def test_a_picture_without_a_digit_is_named(litert_file, tmp_path, capsys):
    Image.new("L", (80, 80), 255).save(tmp_path / "blank.png")
    assert main(["--model", str(litert_file), str(tmp_path / "blank.png")]) == 1
    assert "blank.png" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_is_named(tmp_path, capsys):
    assert main(["--model", str(tmp_path / "nowhere.tflite")]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {tmp_path / 'nowhere.tflite'} is not a readable")
    assert printed.out == ""


def test_without_arguments_the_example_of_the_project_is_read_from_anywhere(
    litert_file, digit_files, tmp_path, monkeypatch, capsys
):
    (tmp_path / "images").mkdir()
    digit_files[0].rename(tmp_path / prediction.EXAMPLE_IMAGE)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(prediction, "PROJECT_FOLDER", tmp_path)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["--model", str(litert_file)]) == 0
    assert capsys.readouterr().out.startswith(f"{prediction.EXAMPLE_IMAGE}: ")


def run(*arguments):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=PROJECT
    )


def test_predicting_does_not_import_tensorflow(litert_file, digit_files):
    code = (
        "import sys; from helpers.prediction import main; "
        "status = main(sys.argv[1:]); "
        "sys.exit(3 if {'tensorflow', 'keras'} & set(sys.modules) else status)"
    )
    done = run("-c", code, "--model", litert_file, digit_files[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{digit_files[0]}: ")


def test_the_script_runs_from_another_folder_and_explains_itself():
    done = run(PROJECT / "predict.py", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "IMAGE" in done.stdout
    assert "digit" in done.stdout
