"""The package as `pip install .` leaves it: without the project around it, as in Colab."""

import html
import os
import re
import shlex
import shutil
import subprocess
import sys

from helpers.places import LANDMARKS, PACKAGE

import pytest

PROJECT = PACKAGE.parent

DRAW = """
import helpers
from helpers.places import trained_folder
from helpers.reading.pad import DrawingPad
pad = DrawingPad()
pad.pen_down(140, 40)
for y in range(40, 241, 10):
    pad.pen_move(140, y)
pad.pen_up()
pad.save()
print(helpers.__file__, trained_folder(is_full=True), pad._message.value, sep="\\n")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of an installation."""
    folder = tmp_path_factory.mktemp("installed")
    source, target = folder / "source", folder / "site-packages"
    shutil.copytree(
        PROJECT / "helpers", source / "helpers", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--target", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return target


def environment(installed):
    return os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def draw(installed, folder):
    """Draw a one on the pad in a folder; return where what lies, and the pad's advice."""
    before = files_in(installed)
    done = subprocess.run(
        [sys.executable, "-c", DRAW],
        cwd=folder, env=environment(installed), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert files_in(installed) == before
    package, networks, advice = done.stdout.splitlines()
    assert package == str(installed / "helpers" / "__init__.py")
    (command,) = re.findall("<code>(.*)</code>", advice)
    return networks, html.unescape(command)


def follow(command, installed, folder):
    program, *arguments = shlex.split(command)
    assert program.startswith("python")
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env=environment(installed), capture_output=True, text=True,
    )  # fmt: skip


def test_all_modules_and_the_network_that_ships_are_installed(installed):
    installed_files = {path.relative_to(installed) for path in files_in(installed)}
    for path in [*PACKAGE.rglob("*.py"), PACKAGE / "py.typed", *(PACKAGE / "pretrained").iterdir()]:
        assert path.relative_to(PROJECT) in installed_files


def test_what_is_written_goes_to_the_working_folder_and_the_pads_advice_is_true(
    installed, tmp_path
):
    networks, command = draw(installed, tmp_path)
    assert networks == str(tmp_path / "build" / "models" / "full")
    read = follow(command, installed, tmp_path)
    assert read.stdout.startswith("build/drawings/drawing-1.png: 1")


def test_in_a_clone_it_goes_to_the_clone_and_the_pads_advice_is_true(installed, tmp_path):
    for name in LANDMARKS:
        if (PROJECT / name).is_dir():
            (tmp_path / name).mkdir()
        else:
            shutil.copy(PROJECT / name, tmp_path)
    networks, command = draw(installed, tmp_path / "notebooks")
    assert networks == str(tmp_path / "build" / "models" / "full")
    assert command.endswith(" predict.py build/drawings/drawing-1.png")
    (tmp_path / "helpers").rmdir()  # an empty one would hide the installed one
    assert follow(command, installed, tmp_path).stdout.startswith("build/drawings/drawing-1.png: 1")
