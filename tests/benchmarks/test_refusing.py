from benchmarks import refusing
from benchmarks.not_digits import KINDS
from benchmarks.refusing import (
    MOST_REFUSED,
    CharactersError,
    choose_likeness,
    count_mistakes,
    passing,
    plot_mistakes,
    read_characters,
    read_pages,
    refused,
    what_passes,
)
from benchmarks.results import RESULTS, load
from helpers.places import images_folder
from helpers.reading.digits import LIKE_A_DIGIT, SURE
from helpers.reading.reader import DigitReader

import numpy as np
import pytest
from PIL import Image

BOTH_HIGH, UNLIKE, UNSURE = (0.9, 0.9), (0.1, 0.9), (0.9, 0.3)


def pages(*found):
    return [np.array(each).reshape(-1, 2) for each in found]


def test_a_page_of_digits_stands_on_its_weakest_and_passes_by_its_strongest():
    read = pages([BOTH_HIGH], [BOTH_HIGH, UNLIKE], [UNLIKE, UNSURE], [])
    assert refused(read, 0.5, 0.5) == 0.75
    assert passing(read, 0.5, 0.5) == 0.5


@pytest.fixture
def digits():
    """A thousand digits with likenesses of 0 to 1, the most like ones the least probable."""
    rising = np.linspace(0, 1, 1000)
    return pages(*([pair] for pair in zip(rising, rising[::-1], strict=True)))


def test_the_threshold_is_the_highest_within_its_limit(digits, monkeypatch):
    monkeypatch.setattr(refusing, "MOST_REFUSED", SURE + 0.1)  # all but a tenth by probability
    assert choose_likeness(digits) == pytest.approx(0.1)


def test_the_curve_counts_what_lies_below_and_above(digits):
    mistakes = count_mistakes(digits, {"letters": digits})
    row = mistakes[mistakes["threshold"] == 0.4].iloc[0]
    assert row["digits called none"] == pytest.approx(0.4, abs=0.01)
    assert row["digits refused"] == pytest.approx(0.4 + SURE, abs=0.01)
    assert row["letters read"] == pytest.approx(1 - 0.4 - SURE, abs=0.01)


def test_the_figure_has_a_line_for_each_kind_and_the_threshold(digits):
    mistakes = count_mistakes(digits, dict.fromkeys(["real letters", *KINDS], digits))
    legend = plot_mistakes(mistakes, 0.4).axes[0].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["real letters", *KINDS, "likeness 0.40"]


def test_on_an_empty_page_nothing_is_found():
    (empty,) = read_pages(DigitReader(), [Image.new("L", (100, 100), 220)])
    assert empty.shape == (0, 2)


def test_what_passes_is_counted_on_the_page_and_as_one_digit():
    three = Image.open(images_folder() / "digit_3.png")
    row = what_passes(DigitReader(), {"threes": [three, three]}).loc["threes"]
    assert row.tolist() == [2, 1, 1]


def test_real_characters_are_taken_unless_they_look_like_digits(tmp_path):
    Image.new("L", (40, 40), 255).save(tmp_path / "a.png")
    table = "file,what,like\na.png,a letter,\na.png,O,yes\na.png,a sign,unknown\n"
    (tmp_path / "labels.csv").write_text(table)
    counted = {kind: len(found) for kind, found in read_characters(tmp_path).items()}
    assert counted == {"real letters": 1, "real signs of other scripts": 1}
    (tmp_path / "labels.csv").write_text("name\na.png\n")
    with pytest.raises(CharactersError, match="must have the columns file and like"):
        read_characters(tmp_path)
    with pytest.raises(CharactersError, match="cannot be read"):
        read_characters(tmp_path / "missing")


def test_the_threshold_in_use_is_the_one_that_was_chosen():
    assert (RESULTS / "refusing.csv").is_file()
    mistakes = load("refusing")
    within = mistakes[mistakes["digits refused"] <= MOST_REFUSED]
    assert within["threshold"].max() == LIKE_A_DIGIT
