import builtins
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE
from types import SimpleNamespace

from helpers import places
from helpers.reading import command
from helpers.reading.command import main
from helpers.reading.digits import Digit
from helpers.reading.drawing import TILE
from helpers.reading.pictures import open_picture
from helpers.reading.reader import DigitReader, Reading

import numpy as np
import pytest
from PIL import Image

PROJECT = places.project_folder()


@pytest.fixture(scope="module")
def reader():
    return DigitReader()


@pytest.fixture
def digit_files(sample, tmp_path):
    """Three digits as dark ink on white paper, large enough to be looked at."""
    paths = [tmp_path / f"digit_{index}.png" for index in range(3)]
    for path, digit in zip(paths, sample.x_test, strict=False):
        Image.fromarray(255 - digit).resize((140, 140)).save(path)
    return paths


def test_each_picture_gets_a_line_with_its_digit_and_probability(reader, digit_files, capsys):
    status = main(["--one", *map(str, digit_files)])
    lines = capsys.readouterr().out.splitlines()
    for path, line in zip(digit_files, lines, strict=True):
        (answer,) = reader.read(open_picture(path), single=True)
        mark, word = ("", "") if answer.is_sure else ("?", ", unsure")
        assert line == f"{path}: {answer.digit}{mark} ({answer.probability:.1%}{word})"
    assert status == 0


def answer(digit, probability=0.9, row=0, box=(1, 2, 30, 40), likeness=1.0):
    probabilities = np.full(10, (1 - probability) / 9)
    probabilities[digit] = probability
    return Digit(row, box, np.zeros((28, 28), np.uint8), probabilities, likeness)


def reading(name, *digits):
    return Reading(name, None, list(digits), None)


def test_what_is_unsure_is_marked_and_said(capsys):
    command.report_text(reading("a.png", answer(4, 0.3)))
    command.report_text(reading("b.png", answer(3), answer(5, 0.3), answer(7, 0.95)))
    assert capsys.readouterr().out.splitlines() == [
        "a.png: 4? (30.0%, unsure)",
        "b.png: 3 5? 7 (at least 30.0%, unsure)",
    ]


def test_what_is_no_digit_keeps_its_place_and_is_said(capsys):
    none = answer(8, likeness=0.0)
    command.report_text(reading("a.png", none))
    command.report_text(reading("b.png", answer(3), none, answer(7, 0.95)))
    command.report_text(reading("c.png", answer(3, 0.3), none))
    assert capsys.readouterr().out.splitlines() == [
        "a.png: – (no digit)",
        "b.png: 3 – 7 (at least 90.0%; – is no digit)",
        "c.png: 3? – (30.0%, unsure; – is no digit)",
    ]


def test_in_a_notebook_too_the_answer_is_printed(digit_files, monkeypatch):
    class Cell(io.TextIOBase):
        text = ""

        def write(self, text):
            self.text += text

    monkeypatch.setattr(sys, "stdout", cell := Cell())
    assert main([str(digit_files[0])]) == 0
    assert cell.text.startswith(f"{digit_files[0]}: ")


def test_rows_get_a_line_each(capsys):
    digits = [answer(1), answer(2), answer(3, row=1, probability=0.85)]
    command.report_text(reading("a.png", *digits))
    assert capsys.readouterr().out.splitlines() == [
        "a.png:",
        "  1 2 (at least 90.0%)",
        "  3 (85.0%)",
    ]


def test_json_is_one_object_a_line(capsys):
    second_row = answer(1, 0.3, row=1), answer(5, row=1, likeness=0.0)
    command.report_json(reading("a.png", answer(7), *second_row))
    command.report_json(Reading("b.png", None, [], "b.png: no digit found"))
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    place = {"row": 1, "box": [1, 2, 30, 40]}
    assert first == {
        "path": "a.png",
        "digits": [
            {"digit": 7, "probability": 0.9, "sure": True, "answer": "digit"} | place | {"row": 0},
            {"digit": 1, "probability": 0.3, "sure": False, "answer": "unsure"} | place,
            {"digit": 5, "probability": 0.9, "sure": False, "answer": "no digit"} | place,
        ],
        "error": None,
    }
    assert second == {"path": "b.png", "digits": [], "error": "b.png: no digit found"}


def test_errors_in_json_do_not_stop_the_others(digit_files, tmp_path, capsys):
    status = main(["--json", str(tmp_path / "missing.png"), str(digit_files[0])])
    missing, read = map(json.loads, capsys.readouterr().out.splitlines())
    assert status == 1
    assert "No such file" in missing["error"] and missing["digits"] == []
    assert read["error"] is None and len(read["digits"]) == 1


def test_a_folder_stands_for_the_pictures_below_it(digit_files, tmp_path, capsys):
    (tmp_path / "more").mkdir()
    digit_files[0].rename(tmp_path / "more" / "z.PNG")
    (tmp_path / "notes.txt").write_text("no picture")
    assert main(["--one", str(tmp_path)]) == 0
    names = [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [str(digit_files[1]), str(digit_files[2]), str(tmp_path / "more" / "z.PNG")]


@pytest.mark.skipif(os.name == "nt", reason="folders have other permissions there")
def test_a_folder_that_cannot_be_looked_into_is_named(digit_files, monkeypatch, tmp_path, capsys):
    (tmp_path / "locked").mkdir()
    real_scandir = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root may look into any folder
    assert main(["--one", str(tmp_path)]) == 1
    seen = capsys.readouterr()
    assert len(seen.out.splitlines()) == 3
    assert seen.err.startswith(f"error: {tmp_path / 'locked'}") and "folder" in seen.err


def test_a_place_where_looking_is_forbidden_is_named(digit_files, monkeypatch, tmp_path, capsys):
    real_stat = os.stat

    def stat(path, *arguments, **options):
        if str(path).endswith(digit_files[1].name):
            raise PermissionError(13, "Permission denied", str(path))
        return real_stat(path, *arguments, **options)

    def no_access(path, *arguments, **options):
        stat(path)
        return real_open(path, *arguments, **options)

    real_open = builtins.open
    monkeypatch.setattr(os, "stat", stat)  # root may look anywhere
    monkeypatch.setattr(builtins, "open", no_access)
    for arguments in (map(str, digit_files), [str(tmp_path)]):
        assert main(["--one", *arguments]) == 1
        seen = capsys.readouterr()
        assert len(seen.out.splitlines()) == 2
        assert seen.err == f"error: {digit_files[1]} cannot be read: Permission denied.\n"


# Where the output goes


def test_a_reader_that_has_seen_enough_ends_the_run_quietly(digit_files):
    # One process, for several may have read all of them before the pipe is closed.
    files = ["--one", "--jobs", "1", *digit_files * 50]
    command_line = [sys.executable, PROJECT / "predict.py", *files]
    with subprocess.Popen(command_line, stdout=PIPE, stderr=PIPE, text=True) as predict:
        assert predict.stdout.readline().startswith(str(digit_files[0]))
        predict.stdout.close()
        assert predict.stderr.read() == ""
    assert predict.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output_is_named(digit_files):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, PROJECT / "predict.py", digit_files[0]],
            stdout=full, stderr=PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == ("error: standard output cannot be written: No space left on device.\n")


@pytest.mark.parametrize("keeps", [False, True])
def test_an_interruption_is_no_traceback(digit_files, monkeypatch, tmp_path, capsys, keeps):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(DigitReader, "read_file", interrupt)
    output = ["--output", str(tmp_path / "read.jsonl")] if keeps else []
    assert main([*output, str(digit_files[0])]) == 130
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == "interrupted" + ("; the same command resumes from there" if keeps else "")


# Many pictures


def names_in(path):
    return [json.loads(line)["path"] for line in path.read_text().splitlines()]


def test_records_are_added_to_a_file_and_not_printed(digit_files, tmp_path, capsys):
    output = tmp_path / "read.jsonl"
    assert main(["--one", "--output", str(output), *map(str, digit_files[:2])]) == 0
    assert main(["--one", "--output", str(output), *map(str, digit_files)]) == 0
    assert names_in(output) == [str(path) for path in digit_files]
    assert capsys.readouterr().out == ""
    main(["--one", "--json", *map(str, digit_files)])
    assert output.read_text() == capsys.readouterr().out


def test_a_picture_that_could_not_be_read_is_in_the_file_too(tmp_path):
    output = tmp_path / "read.jsonl"
    assert main(["--output", str(output), str(tmp_path / "missing.png")]) == 1
    assert "No such file" in json.loads(output.read_text())["error"]


def a_device(path):
    path.symlink_to("/dev/null")


def a_pipe(path):
    os.mkfifo(path)


def a_diary(path):
    path.write_text("dear diary")


def one_endless_line(path):
    path.write_bytes(b'{"path": ' + b" " * 3_000_000)


def forbidden(path):
    path.touch(mode=0o400)


@pytest.mark.skipif(os.name == "nt", reason="needs pipes, links and devices")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (Path.mkdir, "is not a regular file"),
        (a_device, "is not a regular file"),
        (a_pipe, "is not a regular file"),
        (a_diary, "holds something other than records of pictures; name another file."),
        (one_endless_line, "holds something other than records of pictures; name another file."),
        (forbidden, "cannot be written: Permission denied; name another file."),
    ],
)
def test_an_output_that_cannot_be_used_is_named_at_once_and_left_alone(
    digit_files, tmp_path, make, sentence, monkeypatch, capsys
):
    output = tmp_path / "output"
    make(output)
    before = output.lstat()
    if make is forbidden and os.geteuid() == 0:  # whom no permission stops
        monkeypatch.setattr(Path, "open", refuse_to_write)
    assert main(["--output", str(output), str(digit_files[0])]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {output} ") and sentence in line
    assert (output.lstat().st_size, output.lstat().st_mtime) == (before.st_size, before.st_mtime)


real_open = Path.open


def refuse_to_write(path, mode="r", *arguments, **options):
    if "a" in mode:
        raise PermissionError(13, "Permission denied", str(path))
    return real_open(path, mode, *arguments, **options)


# Memory

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (1_000_000_000,) * 2)
from helpers.reading.command import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def huge_files(tmp_path_factory):
    """Files that would fill more memory than there may be, and take no room on the disk."""
    folder = tmp_path_factory.mktemp("huge")
    Image.new("L", (7000, 7000), 255).save(folder / "wide.png")
    Image.new("RGBA", (5000, 4900), (0, 0, 0, 0)).save(folder / "clear.png")
    for name in ("zeros.webp", "zeros.png", "model.tflite", "records.jsonl"):
        with (folder / name).open("wb") as file:
            file.truncate(3_000_000_000)
    return folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems limit otherwise")
@pytest.mark.parametrize(
    "arguments",
    [
        ["wide.png"],
        ["clear.png"],
        ["zeros.webp"],
        ["zeros.png"],
        ["--model", "model.tflite"],
        ["--output", "records.jsonl", "wide.png"],
        ["-"],
    ],
    ids=" ".join,
)
def test_no_input_takes_more_than_a_gigabyte(huge_files, arguments):
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, *arguments],
            cwd=huge_files, stdin=endless, capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
    assert done.returncode in (1, 2)
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and "memory" not in line


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_reading_goes_on_after_a_kill(digit_files, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(600):
        (folder / f"{number:03}.png").symlink_to(digit_files[number % 3])
    output = tmp_path / "read.jsonl"
    command_line = [sys.executable, PROJECT / "predict.py", "--one", "--output", output, folder]
    with subprocess.Popen(command_line) as killed:
        while not output.exists() or output.stat().st_size < 2000:
            time.sleep(0.01)
            assert killed.poll() is None
        killed.kill()
    before = len(output.read_bytes().splitlines())
    assert subprocess.run(command_line, check=False).returncode == 0
    assert 0 < before < 600
    assert names_in(output) == sorted(map(str, folder.iterdir()))


def test_a_dash_stands_for_standard_input(digit_files, monkeypatch, capsys):
    main([str(digit_files[0])])
    from_file = capsys.readouterr().out.split(": ")[1]
    content = io.BytesIO(digit_files[0].read_bytes())
    monkeypatch.setattr(command.sys, "stdin", SimpleNamespace(buffer=content))
    assert main(["-"]) == 0
    assert capsys.readouterr().out == f"-: {from_file}"


def test_what_was_found_can_be_drawn(digit_files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(places, "build_folder", lambda: tmp_path)
    assert main(["--show", str(digit_files[0])]) == 0
    path = tmp_path / "shown" / digit_files[0].name
    assert capsys.readouterr().err == f"drawn: {path}\n"
    assert open_picture(path).size == (140, 140 + TILE)


def test_pictures_of_one_name_in_two_folders_are_drawn_apart(digit_files, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "build_folder", lambda: tmp_path)
    for number, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        digit_files[number].rename(tmp_path / folder / "scan.png")
    digit_files[2].rename(tmp_path / "scan-2.png")
    main(["--show", *(str(tmp_path / name) for name in ("a/scan.png", "b/scan.png", "scan-2.png"))])
    assert len(list((tmp_path / "shown").iterdir())) == 3


def test_a_drawing_that_cannot_be_written_is_named(digit_files, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setattr(places, "build_folder", lambda: tmp_path / "file")
    assert main(["--show", str(digit_files[0])]) == 1
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["notes.pdf", "clip.mpg", "folder.png/"])
def test_in_a_folder_only_pictures_are_read(digit_files, tmp_path, name, capsys):
    path = tmp_path / name
    path.mkdir() if name.endswith("/") else path.write_bytes(b"no picture")
    assert main(["--one", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""


@pytest.fixture
def two_digits(digit_files, tmp_path):
    """The first two digits below each other: a page of two rows."""
    page = Image.new("L", (200, 400), 255)
    for number, path in enumerate(digit_files[:2]):
        page.paste(open_picture(path), (30, 20 + 220 * number))
    page.save(tmp_path / "page.png")
    return tmp_path / "page.png"


def test_a_page_is_read_row_by_row_with_the_box_of_each_digit(two_digits, sample, capsys):
    assert main(["--json", str(two_digits)]) == 0
    read = json.loads(capsys.readouterr().out)["digits"]
    assert [(digit["row"], digit["digit"]) for digit in read] == [
        (row, sample.y_test[row]) for row in (0, 1)
    ]
    for digit, top in zip(read, (20, 240), strict=True):
        assert 30 <= digit["box"][0] < digit["box"][2] <= 170
        assert top <= digit["box"][1] < digit["box"][3] <= top + 140


def test_one_takes_a_page_for_a_single_digit(two_digits, capsys):
    main(["--json", "--one", str(two_digits)])
    (digit,) = json.loads(capsys.readouterr().out)["digits"]
    assert digit["box"][1] < 160 and digit["box"][3] > 240


def test_one_bad_picture_is_named_and_does_not_stop_the_others(digit_files, tmp_path, capsys):
    missing = tmp_path / "missing.png"
    pictures = [digit_files[0], missing, digit_files[1]]
    status = main([*map(str, pictures)])
    printed = capsys.readouterr()
    assert [line.split(": ")[0] for line in printed.out.splitlines()] == [
        str(path) for path in digit_files[:2]
    ]
    assert printed.err == f"error: {missing} cannot be read: No such file or directory.\n"
    assert status == 1


def test_a_picture_without_a_digit_is_named(tmp_path, capsys):
    Image.new("L", (80, 80), 255).save(tmp_path / "blank.png")
    assert main([str(tmp_path / "blank.png")]) == 1
    assert "blank.png" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_is_named(tmp_path, capsys):
    assert main(["--model", str(tmp_path / "nowhere.tflite")]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {tmp_path / 'nowhere.tflite'} is missing")
    assert printed.out == ""


def test_without_arguments_the_example_of_the_project_is_read_from_anywhere(
    digit_files, tmp_path, monkeypatch, capsys
):
    (tmp_path / "images").mkdir()
    digit_files[0].rename(tmp_path / command.EXAMPLE_IMAGE)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(places, "images_folder", lambda: tmp_path / "images")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main([]) == 0
    assert capsys.readouterr().out.startswith(f"{command.EXAMPLE_IMAGE.as_posix()}: ")


def run(*arguments):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=PROJECT
    )


def test_predicting_does_not_import_tensorflow(digit_files):
    code = (
        "import sys; from helpers.reading.command import main; "
        "status = main(sys.argv[1:]); "
        "sys.exit(3 if {'tensorflow', 'keras'} & set(sys.modules) else status)"
    )
    done = run("-c", code, digit_files[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{digit_files[0]}: ")


def test_the_script_runs_from_another_folder_and_explains_itself():
    done = run(PROJECT / "predict.py", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "IMAGE" in done.stdout
    assert "digit" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="file names are any bytes there alone")
def test_a_file_name_that_is_no_text_is_read_like_any_other(digit_files):
    odd = os.fsdecode(os.fsencode(digit_files[0].with_suffix("")) + b"\xff.png")
    digit_files[0].rename(odd)
    command_line = [sys.executable, PROJECT / "predict.py", odd]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command_line, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode()[-300:]
