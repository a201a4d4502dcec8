from types import SimpleNamespace

from helpers import places
from helpers.data import Mnist
from helpers.facts import read_facts
from helpers.scoreboard import COLUMNS, Scoreboard

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def build(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "build_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def mnist(sample):
    return sample


def ones(images):
    return np.ones(len(images))


def ten(fill):
    pictures = np.full((10, 28, 28, 1), fill, np.uint8)
    return SimpleNamespace(squeezed=pictures, prepared=pictures)


def test_no_digit_teaches_and_judges(mnist):
    assert mnist.judge.sum() == 800
    assert np.array_equal(mnist.judge, ~mnist.learn)
    full = Mnist(np.zeros((60_000, 1, 1)), mnist.y_train, mnist.x_test, mnist.y_test, "cache")
    assert full.judge.sum() == 5000


def test_a_row_says_what_was_read_and_on_what(mnist):
    board = Scoreboard(mnist, notebook=1)
    board.add("only 1s", ones)
    table = board.table()
    share, scored_on, squeezed, prepared = table.loc["only 1s", list(COLUMNS)]
    expected = 100 * np.mean(mnist.y_train[mnist.judge] == 1)
    assert share == pytest.approx(expected, abs=0.05)
    assert (scored_on, squeezed, prepared) == ("800 validation digits", "1 of 10", "1 of 10")


def test_one_row_is_scored_on_the_test_set(mnist):
    test = mnist.x_test[..., None], mnist.y_test
    board = Scoreboard(mnist, notebook=6)
    board.add("only 1s", ones, test=test)
    table = board.table()
    assert table.loc["only 1s", "right (%)"] == pytest.approx(10.0)
    assert table.loc["only 1s", "scored on"] == "1,000 test digits"


def test_a_row_says_if_its_digits_were_learned_from(mnist):
    board = Scoreboard(mnist, notebook=8)
    board.add("only 1s", ones, has_learned=True)
    assert board.table().loc["only 1s", "scored on"] == "800 digits it learned from"


def test_what_is_shown_are_the_first_row_the_last_and_the_new_ones(mnist):
    board = Scoreboard(mnist, notebook=5)
    before = list(board.table().index)
    board.add("only 1s", ones)
    shown = board.add("only 1s again", ones)
    assert list(shown.index) == [
        before[0],
        f"… {len(before) - 2} more",
        before[-1],
        "only 1s  ← new",
        "only 1s again  ← new",
    ]
    assert shown.iloc[-1].tolist() == board.table().iloc[-1].tolist()
    assert (shown.iloc[1] == "").all()


def test_a_short_table_is_shown_whole(mnist):
    shown = Scoreboard(mnist, notebook=2).add("only 1s", ones)
    assert list(shown.index) == ["always 1", "nearest mean", "only 1s  ← new"]


def test_probabilities_count_as_their_most_probable_digit(mnist):
    board = Scoreboard(mnist, notebook=1)
    board.add("probabilities", lambda images: np.eye(10)[ones(images).astype(int)])
    board.add("digits", ones)
    table = board.table()
    assert table.loc["probabilities"].tolist() == table.loc["digits"].tolist()


def test_earlier_rows_are_there_without_a_run_and_later_ones_are_not(mnist):
    assert len(Scoreboard(mnist, notebook=1).table()) == 0
    later = Scoreboard(mnist, notebook=99).table()
    assert later.loc["always 1", "scored on"] == "5,000 validation digits"


def test_a_readers_own_row_replaces_the_stored_one(mnist):
    Scoreboard(mnist, 1, ten(0)).add("always 1", ones)
    scored_on = Scoreboard(mnist, 2, ten(0)).table().loc["always 1", "scored on"]
    assert scored_on == "800 validation digits"
    other = Scoreboard(mnist, 2, ten(1)).table().loc["always 1", "scored on"]
    assert other == "5,000 validation digits", "other digits, other rows"


def test_only_the_rows_of_ones_own_runs_are_kept(mnist, build):
    Scoreboard(mnist, 99, ten(0)).add("my own", ones)
    assert list(read_facts(build / "scoreboard.json")["rows"]) == ["my own"]


def test_rows_of_tests_are_neither_kept_nor_used(mnist, monkeypatch, build):
    monkeypatch.setenv("MNIST_TEN", "shipped")
    Scoreboard(mnist, 1, ten(0)).add("always 1", ones)
    assert not list(build.iterdir())


@pytest.mark.parametrize("damage", ["", "[]", '{"key": 1}', '{"key": 1, "rows": 3}'])
def test_a_damaged_file_is_no_obstacle(mnist, build, damage):
    (build / "scoreboard.json").write_text(damage)
    assert "always 1" in Scoreboard(mnist, notebook=2).table().index
