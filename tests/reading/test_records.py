import json
import os
import subprocess
import sys
from types import SimpleNamespace

from helpers.reading.command import main
from helpers.reading.reader import DigitReader, Reading
from helpers.reading.records import RecordFile, RecordFileError, as_record, read_record

import pytest
from PIL import Image


@pytest.fixture
def digit_file(sample, tmp_path):
    path = tmp_path / "digit.png"
    Image.fromarray(255 - sample.x_test[0]).resize((140, 140)).save(path)
    return path


def record(name):
    return as_record(Reading(name, None, [], "no digit"))


# Records


def test_a_record_holds_what_the_reader_read(digit_file):
    read = read_record(str(digit_file))
    assert read == as_record(DigitReader().read_file(str(digit_file)))
    assert len(read["digits"]) == 1


def test_what_cannot_be_read_is_said_in_the_record(tmp_path):
    name = str(tmp_path / "missing.png")
    read = read_record(name)
    assert read["path"] == name and read["digits"] == []
    assert "No such file" in read["error"]


def test_all_ink_can_be_taken_for_one_digit(tmp_path, sample):
    page = Image.new("L", (400, 200), 255)
    for place, digit in enumerate(sample.x_test[:2]):
        page.paste(Image.fromarray(255 - digit).resize((140, 140)), (30 + 200 * place, 20))
    page.save(tmp_path / "two.png")
    assert len(read_record(str(tmp_path / "two.png"))["digits"]) == 2
    assert len(read_record(str(tmp_path / "two.png"), single=True)["digits"]) == 1


# Their file


def test_records_are_kept_a_line_each_and_known_the_next_time(tmp_path):
    path = tmp_path / "new folder" / "read.jsonl"
    with RecordFile(path) as first:
        assert "a.png" not in first
        first.add(record("a.png"))
        first.add(record("ä b\n.png"))
    with RecordFile(path) as second:
        assert "a.png" in second and "ä b\n.png" in second
        assert "b.png" not in second and "" not in second
        second.add(record("b.png"))
    names = [json.loads(line)["path"] for line in path.read_text().splitlines()]
    assert names == ["a.png", "ä b\n.png", "b.png"]


def test_a_record_is_in_the_file_before_the_next_is_read(tmp_path):
    with RecordFile(tmp_path / "read.jsonl") as records:
        records.add(record("a.png"))
        assert json.loads((tmp_path / "read.jsonl").read_text())["path"] == "a.png"


@pytest.mark.parametrize("left", [1, 5, 20])
def test_a_half_written_line_is_cut_off(tmp_path, left):
    path = tmp_path / "read.jsonl"
    with RecordFile(path) as records:
        records.add(record("a.png"))
        whole = path.stat().st_size
        records.add(record("b.png"))
    os.truncate(path, whole + left)
    with RecordFile(path) as records:
        assert "a.png" in records and "b.png" not in records
        records.add(record("b.png"))
    assert [json.loads(line)["path"] for line in path.read_text().splitlines()] == [
        "a.png",
        "b.png",
    ]


def test_a_last_line_that_lacks_its_end_alone_is_kept(tmp_path):
    path = tmp_path / "read.jsonl"
    path.write_text(json.dumps(record("a.png")))
    with RecordFile(path) as records:
        assert "a.png" in records
        records.add(record("b.png"))
    assert [json.loads(line)["path"] for line in path.read_text().splitlines()] == [
        "a.png",
        "b.png",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "my diary",
        "my diary\n",
        '{"other": 1}\n',
        "[1]\n",
        "7\n",
        '{"path": []}\n',
        "{\n}",
        "{",
        '{"path": "a"}\n',
        '{"path": "c" my own tail',
        '{"path": "a", "digits": [], "error": null} and more',
    ],
)
def test_a_file_of_another_kind_is_left_alone(tmp_path, content):
    path = tmp_path / "diary.txt"
    path.write_text(content)
    with pytest.raises(RecordFileError, match="holds something other than records"):
        RecordFile(path)
    assert path.read_text() == content


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(RecordFileError, match="is not a regular file"):
        RecordFile(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RecordFileError, match="cannot be written"):
        RecordFile(tmp_path / "file" / "read.jsonl")


def test_a_full_disk_is_named(tmp_path):
    def write(text):
        raise OSError(28, "No space left on device")

    with RecordFile(tmp_path / "read.jsonl") as records:
        real, records._file = records._file, SimpleNamespace(write=write, flush=lambda: None)
        with pytest.raises(RecordFileError, match="cannot be written: No space left"):
            records.add(record("a.png"))
        records._file = real


def test_a_disk_that_is_really_full_ends_in_the_same_sentence(tmp_path):
    code = (
        "import resource, signal\n"
        "from pathlib import Path\n"
        "from helpers.reading.reader import Reading\n"
        "from helpers.reading.records import RecordFile, RecordFileError, as_record\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        f"    with RecordFile(Path({str(tmp_path / 'read.jsonl')!r})) as records:\n"
        "        while True:\n"
        "            records.add(as_record(Reading('a' * 100, None, [], None)))\n"
        "except RecordFileError as error:\n"
        "    print(error)\n"
    )
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "cannot be written: File too large; free some space" in done.stdout
    assert done.stderr == ""


def test_a_blank_picture_is_said_alike_in_a_record_and_by_the_command(tmp_path, capsys):
    name = str(tmp_path / "blank.png")
    Image.new("L", (50, 50), 255).save(name)
    assert main(["--json", name]) == 1
    assert json.loads(capsys.readouterr().out) == read_record(name)
