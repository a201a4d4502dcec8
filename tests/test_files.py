import os
import time

from helpers.files import atomic_write

import pytest


def test_a_finished_file_takes_the_place_of_the_older_one(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")
    with atomic_write(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path):
    with atomic_write(tmp_path / "a" / "b" / "file.txt") as unfinished:
        unfinished.write_text("text")
    assert (tmp_path / "a" / "b" / "file.txt").read_text() == "text"


def test_the_unfinished_file_has_the_same_suffix_and_lies_on_the_same_disk(tmp_path):
    with atomic_write(tmp_path / "digits.keras") as unfinished:
        unfinished.touch()
        assert unfinished.suffix == ".keras"
        assert unfinished.is_relative_to(tmp_path)


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_an_interruption_half_way_leaves_the_older_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "figures.json"
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as unfinished:
        unfinished.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_first_file_is_not_there_at_all(tmp_path):
    with pytest.raises(ValueError), atomic_write(tmp_path / "figures.json") as unfinished:
        unfinished.write_text("half")
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_older_file(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")
    with pytest.raises(OSError), atomic_write(path):
        pass
    assert path.read_text() == "old"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError), atomic_write(tmp_path / "file" / "figures.json"):
        pytest.fail("the block must not run")


@pytest.mark.parametrize(("hours", "is_left"), [(1, True), (30, False)])
def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path, hours, is_left):
    left = tmp_path / ".unfinished-abc"
    left.mkdir()
    (left / "digits.keras").write_text("half")
    then = time.time() - hours * 3600
    os.utime(left, (then, then))
    with atomic_write(tmp_path / "digits.keras") as unfinished:
        unfinished.write_text("whole")
    assert left.exists() is is_left
