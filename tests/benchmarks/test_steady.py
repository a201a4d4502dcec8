from benchmarks.steady import CHANGES, compare, main, saved_again, summarise
from helpers.places import images_folder
from helpers.reading.pictures import open_picture
from helpers.reading.reader import DigitReader

import numpy as np
import pandas as pd
import pytest
from PIL import Image

# A line of the squared paper that leaves the sheet at the top is taken for a 1.
KNOWN = {("sheet.png", "scaled by 0.7")}
PICTURES = ["blackboard.png", "digit_4.png", "sheet.png"]


@pytest.fixture(scope="module")
def reader():
    return DigitReader()


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_picture_in_other_clothes_shows_the_same_digits(reader, name):
    pairs = compare(reader, open_picture(images_folder() / name), CHANGES)
    assert pairs
    lost = {(name, change) for change, original, copy in pairs if original != copy}
    assert lost == {(picture, change) for picture, change in KNOWN if picture == name}


def test_a_sheet_is_read_however_it_is_saved(reader):
    sheet = open_picture(images_folder() / "sheet.png")
    pairs = compare(reader, sheet, dict(list(saved_again().items())[::9]))
    assert {tuple(copy) for _, _, copy in pairs} == {("31415", "92653", "58970")}


def test_each_change_changes_the_picture(seven):
    before = np.asarray(seven)
    for change in CHANGES.values():
        after = np.asarray(change(seven).convert("L"))
        assert not np.array_equal(after, before)


def test_copies_that_are_too_small_or_too_large_are_left_out(reader):
    tiny = Image.new("L", (28, 28), 255)
    assert "scaled by 0.5" not in [name for name, *_ in compare(reader, tiny, CHANGES)]
    long = Image.new("L", (6000, 30), 255)
    assert all(change(long) is None for change in list(saved_again().values())[-12:])


def test_the_summary_counts_by_change_and_in_all():
    pairs = pd.DataFrame({"change": ["a", "a", "b"], "same": [True, False, True]})
    table = summarise(pairs)
    assert table["pairs"].tolist() == [2, 1, 3]
    assert table["share (%)"].tolist() == [50, 100, 66.7]


def test_the_command_reads_pictures_and_folders_and_lists_what_differs(tmp_path, seven, capsys):
    seven.save(tmp_path / "seven.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert main(["--lost", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert f"all                      {len(CHANGES)}" in printed.out
    assert "broken.png" in printed.err
    assert main([str(tmp_path / "broken.png")]) == 2
