from benchmarks.pages import KINDS, Drawer, digits_right, main, measure, pushed_together, read_rows
from helpers.reading.reader import DigitReader

import numpy as np
import pytest
from scipy import ndimage


def drawer(sample, seed=0):
    return Drawer(sample.x_test, sample.y_test, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_follow_their_seed_and_say_what_is_on_them(sample, kind):
    page, again, other = (KINDS[kind](drawer(sample, seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(page.picture, again.picture)
    assert page.rows == again.rows
    assert page.picture.size != other.picture.size
    assert all(row.isdigit() for row in page.rows)


def test_a_plain_page_is_read(sample):
    pages = drawer(sample)
    assert measure(DigitReader(), pages, "plain", 5)["digits right (%)"] > 90


@pytest.mark.parametrize("overlap", [0, 2])
def test_digits_pushed_together_are_one_component(sample, overlap):
    for left, right in zip(sample.x_test[:20], sample.x_test[20:40], strict=True):
        pair = pushed_together(left / 255, right / 255, overlap)
        alone = [ndimage.label(digit > 127, np.ones((3, 3)))[1] for digit in (left, right)]
        assert ndimage.label(pair > 0.5, np.ones((3, 3)))[1] < sum(alone)
        assert pair.max() <= 1


@pytest.mark.parametrize(
    ("read", "right"),
    [(["12", "345"], 5), (["12345"], 5), (["12", "395"], 4), (["345"], 3), ([], 0)],
)
def test_digits_count_in_their_order(read, right):
    assert digits_right(["12", "345"], read) == right


def test_a_page_on_which_nothing_is_found_has_no_rows(blank_page):
    assert read_rows(DigitReader(), blank_page) == []


@pytest.fixture
def blank_page():
    from PIL import Image

    return Image.new("L", (100, 100), 200)


def test_unknown_kinds_are_refused_before_anything_is_read(capsys):
    with pytest.raises(SystemExit):
        main(["stained"])
    assert "there is no kind 'stained'" in capsys.readouterr().err
