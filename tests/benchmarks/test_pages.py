from benchmarks.pages import KINDS, Drawer, digits_right, main, measure, read_rows
from helpers.reading.reader import DigitReader

import numpy as np
import pytest


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
