"""The project around the code: dependencies, commands, documents, pictures."""

import ast
import hashlib
import json
import re
import runpy
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from types import SimpleNamespace

from helpers.evaluation import predict_probabilities
from helpers.prediction import DigitReader
from helpers.pretraining import render_card
from helpers.saving import MODEL_FILE, PRETRAINED_FOLDER, load_model

import numpy as np
import pytest
from PIL import Image

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def declared():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return project["dependencies"] + [requirement for extra in extras for requirement in extra]


def name_of(requirement):
    return re.match(r"[A-Za-z0-9-]+", requirement).group().lower()


def test_conda_environment_lists_what_pyproject_declares(declared):
    lines = (PROJECT / "environment.yml").read_text().splitlines()
    listed = [re.match(r"      - ([^#]*?)\s*#", line) for line in lines]
    listed = [match.group(1) for match in listed if match]
    assert listed[-1] == "--editable ."
    assert sorted(listed[:-1]) == sorted(declared)


def test_conda_environment_says_what_each_dependency_is_for():
    lines = (PROJECT / "environment.yml").read_text().splitlines()
    for line in (line for line in lines if line.startswith("      - ")):
        assert re.search(r"# \w+", line), line


def test_lock_pins_every_declared_dependency_with_hashes(declared):
    lock = (PROJECT / "requirements.lock").read_text()
    pinned = {match.lower() for match in re.findall(r"^([A-Za-z0-9-]+)==", lock, re.MULTILINE)}
    assert {name_of(requirement) for requirement in declared} <= pinned
    for block in re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_lock_names_no_index():
    lock = (PROJECT / "requirements.lock").read_text()
    assert "://" not in lock and "--index" not in lock and "--find-links" not in lock


def test_pinned_versions_are_the_installed_ones():
    from importlib.metadata import version

    lock = (PROJECT / "requirements.lock").read_text()
    for name in ("tensorflow", "keras", "ai-edge-litert", "nbval", "scikit-image"):
        assert f"{name}=={version(name)} " in lock


def test_make_alone_lists_the_commands():
    listed = subprocess.run(["make"], cwd=PROJECT, capture_output=True, text=True, check=True)
    commands = re.findall(r"^make (\S+)", listed.stdout, re.MULTILINE)
    assert {
        "help", "tutorial", "test", "test-full", "lab", "notebooks", "lint", "lock", "clean"
    } <= set(commands)  # fmt: skip


def test_documents_link_only_to_what_exists():
    for document in (PROJECT / "README.md", PROJECT / "helpers" / "pretrained" / "README.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if not re.match(r"https?://", target):
                assert (document.parent / target).exists(), target
        for target in re.findall(r'src="([^"]+)"', document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), target


def test_every_helper_module_is_listed_in_the_package():
    import helpers

    modules = {path.stem for path in (PROJECT / "helpers").glob("*.py")} - {"__init__"}
    assert all(re.search(rf"\b{module}\b", helpers.__doc__) for module in modules)


def public_names(module):
    tree = ast.parse((PROJECT / "helpers" / f"{module}.py").read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]


def imported_helpers(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    froms = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[1] for name in froms if name.startswith("helpers.")}


def test_helpers_do_not_import_each_other_in_circles():
    graph = {path.stem: imported_helpers(path) for path in (PROJECT / "helpers").glob("*.py")}
    assert set(TopologicalSorter(graph).static_order()) == set(graph)


@pytest.mark.parametrize("module", [path.stem for path in (PROJECT / "helpers").glob("[a-z]*.py")])
def test_each_public_helper_is_used(module):
    users = [PROJECT / "predict.py", PROJECT / "Makefile", PROJECT / "images" / "draw_digits.py"]
    for folder, kind in (("helpers", "*.py"), ("benchmarks", "*.py"), ("notebooks", "*.ipynb")):
        users += (PROJECT / folder).glob(kind)
    text = "\n".join(path.read_text(encoding="utf-8") for path in users)
    for name in public_names(module):
        # Once where it is defined, once more where it is used.
        assert name == "main" or len(re.findall(rf"\b{name}\b", text)) >= 2, name


def test_each_module_says_what_it_is_for():
    for path in (PROJECT / "helpers").glob("*.py"):
        assert len(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))) > 60, path.name


def test_predict_reads_the_example_without_arguments():
    finished = subprocess.run(
        [sys.executable, "predict.py"], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0
    assert finished.stdout.startswith("images/seven.png: 7 (")
    assert finished.stderr == ""


def test_predict_finds_the_projects_own_python():
    script = runpy.run_path(str(PROJECT / "predict.py"))
    assert PROJECT / ".venv" / "bin" / "python" in script["PROJECT_PYTHONS"]


def test_predict_without_set_up_says_what_to_do(tmp_path):
    (tmp_path / "predict.py").write_text((PROJECT / "predict.py").read_text())
    without_packages = [sys.executable, "-S", "-I", "predict.py"]
    finished = subprocess.run(
        without_packages, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 2
    assert finished.stderr == "error: predict.py needs to be set up once: run `make tutorial`.\n"


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_set_up_refuses_a_python_without_tensorflow(monkeypatch, version):
    environment = runpy.run_path(str(PROJECT / "helpers" / "environment.py"))
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    with pytest.raises(SystemExit, match=r"no build for Python 3\.1[04]; install Python 3\.11"):
        environment["require_suitable_python"]()


def test_set_up_names_the_package_that_brings_venv(monkeypatch):
    environment = runpy.run_path(str(PROJECT / "helpers" / "environment.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"comes without venv; install it .*-venv"):
        environment["require_suitable_python"]()


def test_pictures_are_what_the_script_draws(tmp_path, monkeypatch):
    draw = runpy.run_path(str(PROJECT / "images" / "draw_digits.py"))
    draw["main"].__globals__["FOLDER"] = tmp_path
    draw["main"]()
    drawn = sorted(path.name for path in tmp_path.iterdir())
    digits = [f"digit_{digit}.png" for digit in range(10)]
    assert drawn == [
        "ambiguous.png",
        "blackboard.png",
        *digits,
        "easy.png",
        "seven.png",
        "sheet.png",
    ]
    for name in drawn:
        now = np.asarray(Image.open(tmp_path / name), int)
        then = np.asarray(Image.open(PROJECT / "images" / name), int)
        # Libraries may round differently by a grey level.
        assert now.shape == then.shape and np.abs(now - then).max() <= 2, name


@pytest.fixture
def set_up(tmp_path, monkeypatch):
    """The set-up script on a folder of its own; its commands are recorded, not run."""
    script = runpy.run_path(str(PROJECT / "helpers" / "environment.py"))
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


def test_the_network_that_ships_is_small_and_the_one_of_its_card():
    folder = PROJECT / "helpers" / "pretrained"
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 1_500_000
    card = json.loads((folder / "card.json").read_text())
    checksums = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("digits.keras", "digits.tflite")
    }
    assert card["files"] == checksums
    assert render_card(card) == (folder / "README.md").read_text(encoding="utf-8")


def test_the_network_that_ships_answers_alike_in_both_formats(sample):
    pictures = sample.x_test[:500]
    by_keras = predict_probabilities(
        load_model(PRETRAINED_FOLDER / MODEL_FILE), pictures[..., None]
    )
    by_litert = DigitReader().predict(pictures)
    assert np.abs(by_keras - by_litert).max() < 1e-4
    assert np.array_equal(by_keras.argmax(axis=1), by_litert.argmax(axis=1))
