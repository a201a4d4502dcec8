from benchmarks import refusing
from benchmarks.not_digits import KINDS
from benchmarks.refusing import (
    THRESHOLDS,
    choose_threshold,
    count_mistakes,
    least_sure,
    most_sure,
    plot_mistakes,
    read_everything,
    read_or_none,
)
from benchmarks.results import RESULTS, load
from helpers.reading.digits import SURE, Digit
from helpers.reading.reader import DigitReader

import numpy as np
import pytest
from PIL import Image


def digit(probability):
    probabilities = np.full(10, (1 - probability) / 9)
    probabilities[3] = probability
    return Digit(0, (0, 0, 1, 1), np.zeros((28, 28), np.uint8), probabilities)


@pytest.fixture
def mistakes():
    """Digits read with probabilities of 0 to 99 %, and one kind with those below 50 %."""
    others = {kind: np.linspace(0, 0.495, 100) for kind in KINDS}
    return count_mistakes(np.linspace(0, 0.99, 100), others)


def test_a_page_stands_on_its_least_digit_and_passes_by_its_best():
    digits = [digit(0.9), digit(0.4)]
    assert (least_sure(digits), most_sure(digits)) == (pytest.approx(0.4), pytest.approx(0.9))
    assert (least_sure([]), most_sure([])) == (0.0, 0.0)


def test_the_curve_counts_what_lies_below_and_above(mistakes):
    row = mistakes[mistakes["threshold"] == 0.4].iloc[0]
    assert row["digits refused"] == pytest.approx(0.40, abs=0.011)
    assert row["letters read"] == pytest.approx(0.19, abs=0.011)
    assert mistakes["digits refused"].is_monotonic_increasing
    assert mistakes["letters read"].is_monotonic_decreasing
    assert mistakes["letters read"].iloc[-1] == 0


def test_the_highest_threshold_within_the_limit_is_chosen(mistakes, monkeypatch):
    monkeypatch.setattr(refusing, "MOST_REFUSED", 0.455)
    assert choose_threshold(mistakes) == pytest.approx(0.45)
    monkeypatch.setattr(refusing, "MOST_REFUSED", 1.0)
    assert choose_threshold(mistakes) == THRESHOLDS[-1]


def test_the_figure_has_a_line_for_each_kind_and_the_threshold(mistakes):
    axis = plot_mistakes(mistakes, 0.4).axes[0]
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == [*KINDS, "threshold 0.40"]


def test_an_empty_page_has_no_digits():
    assert read_or_none(DigitReader(), Image.new("L", (100, 100), 220)) == []


def test_digits_are_surer_than_scribbles(sample, monkeypatch):
    monkeypatch.setattr(refusing, "PICTURES_OF_A_KIND", 20)
    digits, others = read_everything(DigitReader(), sample.x_test[:20])
    assert list(others) == list(KINDS)
    assert np.median(digits) > np.median(others["scribbles"])


def test_the_threshold_in_use_is_the_one_that_was_chosen():
    assert (RESULTS / "refusing.csv").is_file()
    assert choose_threshold(load("refusing")) == SURE
