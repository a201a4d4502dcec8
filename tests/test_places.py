import os
import subprocess
import sys

from helpers import places
from helpers.errors import UserError
from helpers.places import MODEL_FILE, PRETRAINED_FOLDER, best_folder, trained_folder

import pytest

needs_posix = pytest.mark.skipif(os.name == "nt", reason="another shell quotes there")


@pytest.fixture
def no_checkout(monkeypatch, tmp_path):
    """The package as if it were installed by itself, and another folder to work in."""
    (tmp_path / "site-packages" / "helpers").mkdir(parents=True)
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "site-packages" / "helpers")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def make_checkout(folder):
    for name in places.LANDMARKS:
        (folder / name).mkdir(parents=True)
    return folder


def test_the_project_is_the_one_around_the_package_wherever_one_works(monkeypatch, tmp_path):
    make_checkout(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert places.project_folder() == places.PACKAGE.parent


@needs_posix
def test_an_installed_package_finds_the_project_around_the_working_folder(
    no_checkout, monkeypatch, tmp_path
):
    project = make_checkout(tmp_path / "clone")
    monkeypatch.chdir(project / "notebooks")
    assert places.project_folder() == project
    assert places.reading_command(places.build_folder() / "a b.png") == (
        "python3 predict.py 'build/a b.png'"
    )


@needs_posix
def test_without_a_project_results_go_to_the_working_folder(no_checkout):
    assert places.build_folder() == no_checkout / "build"
    assert places.reading_command(no_checkout / "build" / "a.png") == (
        "python3 -m helpers.reading.command build/a.png"
    )
    with pytest.raises(UserError, match="the pictures come with the project, so clone it"):
        places.images_folder()
    with pytest.raises(UserError, match="is not in a clone of the project"):
        places.require_project()


def test_the_sample_and_the_full_set_train_into_folders_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_MODELS", str(tmp_path))
    assert trained_folder(is_full=True) == tmp_path / "full"
    assert trained_folder(is_full=False) == tmp_path / "sample"


def test_a_relative_folder_is_seen_from_the_project_wherever_one_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNIST_MODELS", "elsewhere")
    assert trained_folder(True) == places.project_folder() / "elsewhere" / "full"
    monkeypatch.setenv("MNIST_MODELS", "")
    assert trained_folder(True) == places.project_folder() / "build" / "models" / "full"


def test_networks_are_kept_below_build_by_default():
    assert trained_folder(is_full=True) == places.PACKAGE.parent / "build" / "models" / "full"


def test_your_own_network_is_preferred_to_the_one_that_ships(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_MODELS", str(tmp_path))
    assert best_folder(is_full=False) == PRETRAINED_FOLDER
    (tmp_path / "sample").mkdir()
    assert best_folder(is_full=False) == PRETRAINED_FOLDER  # an empty folder is no network
    (tmp_path / "sample" / MODEL_FILE).touch()
    assert best_folder(is_full=False) == tmp_path / "sample"
    assert best_folder(is_full=True) == PRETRAINED_FOLDER


@pytest.mark.parametrize("module", ["places", "facts", "errors", "checks", "data", "reading"])
def test_what_both_rooms_share_and_reading_import_no_tensorflow(module):
    code = f"import sys, helpers.{module}; print({{'tensorflow', 'keras'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
