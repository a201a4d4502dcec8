from benchmarks.custom_digits import main, read_all, read_labels, summarise
from helpers.reading.reader import DigitReader

import pytest
from PIL import Image


@pytest.fixture
def collection(sample, tmp_path):
    """Two collections: a 7 labelled right, a 7 labelled 1, two digits in one picture, a blank."""
    seven = sample.x_test[sample.y_test == 7][0]
    picture = Image.fromarray(255 - seven).resize((140, 140))
    pair = Image.new("L", (300, 140), 255)
    pair.paste(picture, (0, 0))
    pair.paste(picture, (150, 0))
    pictures = {"ann/a.png": picture, "ann/b.png": picture, "bob/pair.png": pair}
    pictures["bob/blank.png"] = Image.new("L", (50, 50), 255)
    for name, content in pictures.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        content.save(tmp_path / name)
    labels = zip(pictures, (7, 1, 7, 7), strict=True)
    lines = ["file,label,writer", *(f"{name},{label},x" for name, label in labels)]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_only_exactly_one_digit_and_the_right_one_counts(collection):
    results = read_all(DigitReader(), collection, read_labels(collection))
    assert list(results["read"]) == ["7", "7", "77", ""]
    assert list(results["right"]) == [True, False, False, False]


def test_the_summary_counts_by_collection_and_in_all(collection):
    table = summarise(read_all(DigitReader(), collection, read_labels(collection)))
    assert table.loc["ann", ["pictures", "right"]].tolist() == [2, 1]
    assert table.loc["bob", ["pictures", "right"]].tolist() == [2, 0]
    assert table.loc["all", ["pictures", "right", "share (%)"]].tolist() == [4, 1, 25]


def test_a_picture_in_which_nothing_is_found_is_no_sure_answer(collection):
    results = read_all(DigitReader(), collection, {"bob/blank.png": 7})
    assert summarise(results).loc["all", "sure but wrong"] == 0


def test_right_answers_that_are_not_stood_by_are_counted_apart(collection, monkeypatch):
    labels = {"ann/a.png": 7}
    for name, column in (("SURE", "right but unsure"), ("LIKE_A_DIGIT", "right but called none")):
        with monkeypatch.context() as patch:
            patch.setattr(f"helpers.reading.digits.{name}", 1.1)
            counted = summarise(read_all(DigitReader(), collection, labels)).loc["all"]
        assert counted[[column, "right"]].tolist() == [1, 1]
        assert counted["right but unsure"] + counted["right but called none"] == 1


def test_pictures_without_a_folder_of_their_own_are_one_collection(collection):
    for name in ("a.png", "b.png"):
        (collection / "ann" / name).rename(collection / name)
    results = read_all(DigitReader(), collection, {"a.png": 7, "b.png": 7})
    assert summarise(results).index.tolist() == [".", "all"]


def test_a_picture_that_is_not_there_is_an_error_of_the_table(collection, capsys):
    (collection / "ann" / "a.png").unlink()
    assert main([str(collection)]) == 2
    assert f"{collection / 'ann' / 'a.png'} does not exist" in capsys.readouterr().err


def test_the_command_lists_what_was_not_read_right_if_asked(collection, capsys):
    assert main([str(collection)]) == 0
    assert "ann/b.png" not in capsys.readouterr().out
    assert main([str(collection), "--wrong"]) == 0
    printed = capsys.readouterr().out
    assert "ann/b.png" in printed
    assert "ann/a.png" not in printed


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "cannot be read: No such file"),
        ("name,digit\na.png,3\n", "must have the columns file and label"),
        ("file,label\na.png,12\n", "must have the columns file and label"),
        ("file,label\na.png,three\n", "must have the columns file and label"),
        ("file,label\n", "lists no picture"),
        ("", "lists no picture"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path, capsys, table, message):
    if table is not None:
        (tmp_path / "labels.csv").write_text(table, encoding="utf-8")
    assert main([str(tmp_path)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {tmp_path / 'labels.csv'}")
    assert message in printed
