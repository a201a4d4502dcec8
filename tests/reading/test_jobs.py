import multiprocessing
import os
import re
import signal
import subprocess
import sys
from functools import partial

from helpers import places
from helpers.places import PRETRAINED_LITERT
from helpers.reading import jobs
from helpers.reading.command import main
from helpers.reading.jobs import BATCH, FEWEST, JobsError, cores, read_in_order
from helpers.reading.reader import DigitReader

import pytest
from PIL import Image

PROJECT = places.project_folder()
MANY = FEWEST + BATCH + 3
needs_unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


@pytest.fixture(scope="module")
def reader():
    return DigitReader()


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory):
    """Small pictures of digits, one of them broken."""
    folder = tmp_path_factory.mktemp("many")
    for number, digit in enumerate(sample.x_test[:MANY]):
        Image.fromarray(255 - digit).save(folder / f"{number:03}.png")
    (folder / "007.png").write_bytes(b"no picture")
    return folder


def sources(folder, count=MANY):
    return [(path.name, path) for path in sorted(folder.iterdir())[:count]]


def test_several_processes_write_what_one_writes_and_resume(folder, tmp_path):
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    assert main(["--jobs", "1", "--output", str(one), str(folder)]) == 1
    assert main(["--jobs", "2", "--output", str(two), str(folder)]) == 1
    lines = one.read_bytes().splitlines(keepends=True)
    assert len(lines) == MANY
    assert two.read_bytes() == one.read_bytes()
    two.write_bytes(b"".join(lines[:3]) + lines[3][:20])
    assert main(["--jobs", "2", "--output", str(two), str(folder)]) == 1
    assert two.read_bytes() == one.read_bytes()


def test_few_pictures_start_no_process(reader, folder, monkeypatch):
    monkeypatch.setattr(jobs, "_processes", None)
    few = sources(folder, FEWEST - 1)
    readings = list(read_in_order(reader, PRETRAINED_LITERT, few, False, 8))
    assert [reading.name for reading in readings] == [name for name, _ in few]


def test_pictures_are_opened_only_a_little_ahead(reader, folder):
    taken = []

    def endless():
        for _ in range(50):
            for source in sources(folder):
                taken.append(source)
                yield source

    readings = read_in_order(reader, PRETRAINED_LITERT, endless(), False, 2)
    for _ in range(10):
        next(readings)
    assert len(taken) <= (jobs.AHEAD * 2 + 1) * BATCH
    readings.close()
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_named(reader, folder):
    readings = read_in_order(reader, PRETRAINED_LITERT, sources(folder) * 20, False, 2)
    next(readings)
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(JobsError, match="has ended"):
        list(readings)


@needs_unix
def test_the_processes_end_with_the_one_that_started_them(folder):
    script = (
        "import os, sys; from pathlib import Path; from helpers.places import PRETRAINED_LITERT\n"
        "from helpers.reading.jobs import read_in_order; from helpers.reading.reader import *\n"
        "paths = sorted(Path(sys.argv[1]).iterdir()) * 20\n"
        "sources = [(path.name, path) for path in paths]\n"
        "next(read_in_order(DigitReader(), PRETRAINED_LITERT, sources, False, 2))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    # This waits until the last process that could write to the pipes is gone.
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (-9, b"")
    assert b"Traceback" not in ended.stderr


@needs_unix
def test_an_interruption_is_one_sentence_whoever_else_gets_it(folder):
    command = [sys.executable, "predict.py", "--jobs", "2", *[str(folder)] * 400]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell starts what it runs in the background deaf to Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # As the terminal does: to all of them.
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    of_the_broken_one = re.compile(rb"error: .*007\.png .*PNG or JPEG\.")
    sentences = [line for line in errors.splitlines() if not of_the_broken_one.fullmatch(line)]
    assert sentences == [b"interrupted"]


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_of_processes_that_makes_no_sense_is_refused(number, capsys):
    with pytest.raises(SystemExit):
        main(["--jobs", number])
    told = capsys.readouterr().err
    assert f"argument --jobs: '{number}' is not a whole number of at least 1" in told


def test_there_is_a_core_at_least():
    assert cores() >= 1
