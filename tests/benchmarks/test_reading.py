import os
import subprocess
import sys
from types import SimpleNamespace

from benchmarks import reading
from benchmarks.reading import (
    PICTURES,
    inverted,
    is_read,
    main,
    measure_path,
    pasted_at_ten_times_its_size,
    run,
)
from helpers.reading.reader import DigitReader

import numpy as np
import pytest
from PIL import Image

needs_unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no `resource`")


@pytest.fixture(scope="module")
def reader():
    return DigitReader()


@pytest.fixture
def easy(sample, reader):
    """A test digit that the network is sure of, with its label."""
    index = int(reader.network.predict(sample.x_test[:50]).max(axis=1).argmax())
    return sample.x_test[index], int(sample.y_test[index])


def test_a_pasted_digit_is_dark_on_grey_and_ten_times_as_large(easy):
    digit, _ = easy
    pasted = np.asarray(pasted_at_ten_times_its_size(digit))
    assert pasted.shape == (400, 400)
    assert pasted[0, 0] == reading.PAPER and pasted.min() <= reading.INK + 2
    heights = [np.ptp(np.flatnonzero(ink.any(axis=1))) for ink in (digit > 127, pasted < 120)]
    assert heights[1] == pytest.approx(10 * heights[0], abs=15)


@pytest.mark.parametrize("picture", PICTURES)
def test_a_digit_is_read_in_each_form_and_only_as_itself(reader, easy, picture):
    digit, label = easy
    assert is_read(reader, picture(digit), label)
    assert not is_read(reader, picture(digit), (label + 1) % 10)


def test_two_digits_and_none_do_not_count_as_one(reader, easy):
    digit, label = easy
    pair = Image.fromarray(np.hstack([np.asarray(inverted(digit))] * 2))
    assert not is_read(reader, pair, label)
    assert not is_read(reader, Image.new("L", (28, 28), 255), label)


def test_the_path_is_compared_with_the_network_alone(reader, sample):
    few = SimpleNamespace(x_test=sample.x_test[:40], y_test=sample.y_test[:40])
    rows = measure_path(few, reader)
    alone, *pictures = rows
    assert alone["points lost"] == 0 and len(pictures) == len(PICTURES)
    for row in pictures:
        assert row["points lost"] == pytest.approx(100 * (row["wrong"] - alone["wrong"]) / 40)
        assert row["wrong"] <= 4


def test_photos_of_thin_strokes_are_drawn_read_and_timed(sample, reader, monkeypatch):
    monkeypatch.setattr(reading, "PHOTOS", ((900, 700, 2, 6),))
    (row,) = reading.measure_photos(sample, reader)
    assert row["pixels"] == "900 × 700" and row["found"] == row["digits"] == 2
    assert 0 < row["seconds"] < 5


@needs_unix
def test_a_folder_is_read_in_one_go_and_after_a_kill(sample, monkeypatch):
    monkeypatch.setattr(reading, "FOLDER", 120)
    whole, rest = reading.measure_folder(SimpleNamespace(x_test=sample.x_test[:50]))
    assert whole["pictures"] == 120 and 0 < rest["pictures"] <= 60
    assert rest["same records"]
    assert whole["hours for a million"] == pytest.approx(whole["seconds"] / 120 * 1e6 / 3600)
    assert 50 < whole["memory (MB)"] < 400


@needs_unix
def test_the_memory_of_a_command_is_its_own():
    _, small = run([sys.executable, "-c", "pass"])
    seconds, large = run([sys.executable, "-c", "import time; b = b'x' * 10**8; time.sleep(0.3)"])
    assert small < 60 and 90 < large - small < 120
    assert seconds >= 0.3


@needs_unix
def test_a_command_that_fails_is_not_measured():
    with pytest.raises(subprocess.CalledProcessError):
        run([sys.executable, "-c", "raise SystemExit(2)"])


@needs_unix
def test_a_picture_that_cannot_be_read_does_not_spoil_a_measurement():
    seconds, _ = run([sys.executable, "-c", "raise SystemExit(1)"])
    assert seconds > 0


def test_a_run_that_ends_before_it_can_be_killed_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="too early"):
        reading.read_and_kill(tmp_path, tmp_path / "read.jsonl", 1)


def test_unknown_tables_are_refused_before_anything_is_measured(capsys):
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "there is no table 'speed'" in capsys.readouterr().err
