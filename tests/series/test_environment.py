import re
import runpy
import subprocess
import sys
from types import SimpleNamespace

from helpers.places import PACKAGE

import pytest

SCRIPT = PACKAGE / "series" / "environment.py"


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_set_up_refuses_a_python_without_tensorflow(monkeypatch, version):
    environment = runpy.run_path(str(SCRIPT))
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    with pytest.raises(SystemExit, match=r"no build for Python 3\.1[04]; install Python 3\.11"):
        environment["require_suitable_python"]()


@pytest.mark.parametrize(("system", "processor"), [("darwin", "x86_64"), ("win32", "ARM64")])
def test_set_up_refuses_a_processor_without_tensorflow(monkeypatch, system, processor):
    environment = runpy.run_path(str(SCRIPT))
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: processor)
    with pytest.raises(SystemExit, match="has no build for this processor"):
        environment["require_suitable_processor"]()


def test_set_up_names_the_package_that_brings_venv(monkeypatch):
    environment = runpy.run_path(str(SCRIPT))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"comes without venv; install it .*-venv"):
        environment["require_suitable_python"]()


@pytest.fixture
def set_up(tmp_path, monkeypatch):
    """The set-up script on a folder of its own; its commands are recorded, not run."""
    script = runpy.run_path(str(SCRIPT))
    main, venv = script["main"], tmp_path / ".venv"
    paths = {"VENV": venv, "BIN": venv / "bin", "UNFINISHED": venv / "unfinished"}
    for name, path in paths.items():
        monkeypatch.setitem(main.__globals__, name, path)
    outcome = SimpleNamespace(main=main, venv=venv, commands=[], failing=None)

    def record(command, **options):
        outcome.commands.append(" ".join(map(str, command)))
        if "-m venv" in outcome.commands[-1]:
            venv.mkdir(parents=True)
        failed = outcome.failing is not None and outcome.failing in outcome.commands[-1]
        return SimpleNamespace(returncode=int(failed))

    monkeypatch.setattr(subprocess, "run", record)
    return outcome


def test_set_up_that_was_cut_off_begins_anew(set_up):
    set_up.venv.mkdir()
    (set_up.venv / "unfinished").touch()
    (set_up.venv / "half-a-package").touch()
    set_up.main()
    assert not (set_up.venv / "half-a-package").exists()
    assert not (set_up.venv / "unfinished").exists()
    assert [
        re.search(r"-m venv|--require-hashes|--editable", c).group() for c in set_up.commands
    ] == [
        "-m venv",
        "--require-hashes",
        "--editable",
    ]


def test_set_up_that_works_is_kept(set_up):
    set_up.venv.mkdir()
    (set_up.venv / "kept").touch()
    set_up.main()
    assert (set_up.venv / "kept").exists()
    assert not any("-m venv" in command for command in set_up.commands)


def test_set_up_that_fails_says_what_to_do_and_stays_marked(set_up):
    set_up.venv.mkdir()
    set_up.failing = "--require-hashes"
    with pytest.raises(SystemExit, match=r"did not finish.*run the same command again"):
        set_up.main()
    assert (set_up.venv / "unfinished").exists()


def test_the_set_up_is_that_of_this_project():
    assert runpy.run_path(str(SCRIPT))["PROJECT"] == PACKAGE.parent
