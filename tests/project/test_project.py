"""The project around the code: dependencies, commands, documents, pictures."""

import ast
import hashlib
import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

from helpers.reading.pictures import open_picture

import nbformat
import numpy as np
import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def declared():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return project["dependencies"] + extras["scale"] + extras["dev"]


@pytest.fixture(scope="module")
def for_the_site():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return project["optional-dependencies"]["docs"]


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


def test_lock_pins_every_declared_dependency_with_hashes(declared, for_the_site):
    lock = (PROJECT / "requirements.lock").read_text()
    pinned = {match.lower() for match in re.findall(r"^([A-Za-z0-9-]+)==", lock, re.MULTILINE)}
    assert {name_of(requirement) for requirement in [*declared, *for_the_site]} <= pinned
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
        "help", "setup", "tutorial", "check", "test", "test-browser", "test-full", "faults", "lab",
        "notebooks", "html", "pretrained", "bench", "lint", "lock", "clean"
    } <= set(commands)  # fmt: skip


def test_workflows_and_the_dev_container_call_commands_that_exist():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) | {".venv/ready"}
    files = [
        *(PROJECT / ".github").glob("*/*.yml"),
        PROJECT / ".devcontainer" / "devcontainer.json",
    ]
    for file in [*files, PROJECT / ".ci" / "run"]:
        text = file.read_text(encoding="utf-8")
        called = set(re.findall(r"(?:run: |`|: \"|^)make ([a-z./-]+)", text, re.MULTILINE))
        assert called <= targets, file
        assert (
            called
            or file.suffix == ".md"
            or "ISSUE_TEMPLATE" in file.parts
            or file.stem == "dependabot"
        )


def test_documents_link_only_to_what_exists():
    for document in (PROJECT / "README.md", PROJECT / "helpers" / "pretrained" / "README.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if not re.match(r"https?://", target):
                assert (document.parent / target).exists(), target
        for target in re.findall(r'src="([^"]+)"', document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), target


HELPERS = sorted((PROJECT / "helpers").rglob("*.py"))


def test_the_map_of_the_package_names_each_room_and_what_they_share():
    map_of_package = ast.get_docstring(parsed(PROJECT / "helpers" / "__init__.py"))
    listed = set(re.findall(r"(?:^ +|  )([a-z]+)  ", map_of_package, re.MULTILINE))
    (last_line,) = re.findall(r"^ +((?:\w+, )+\w+)$", map_of_package, re.MULTILINE)
    listed |= set(last_line.split(", "))
    rooms = {path.parent.name for path in HELPERS} - {"helpers"}
    shared = {path.stem for path in HELPERS if path.parent.name == "helpers"} - {"__init__"}
    assert listed == rooms | shared


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def used_names(tree):
    """Every name, attribute and imported name in a program; a mention in a text is no use."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name


def test_each_public_helper_is_used_outside_its_own_face():
    users = [PROJECT / "predict.py", *HELPERS]
    users += [path for name in ("benchmarks", "images") for path in (PROJECT / name).glob("*.py")]
    trees = [parsed(path) for path in users if path.name != "__init__.py"]
    for path in (PROJECT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        solutions = [text for cell in cells for text in SOLUTION.findall(cell.source)]
        trees += map(ast.parse, [*code, *solutions])
    used = {name for tree in trees for name in used_names(tree)}
    for path in HELPERS:
        for node in parsed(path).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert node.name in {"main"} | used, f"{path}: {node.name}"


SOLUTION = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("face", ["learning", "reading"])
def test_a_face_offers_what_it_lists(face):
    tree = parsed(PROJECT / "helpers" / face / "__init__.py")
    imported = {
        name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for name in (alias.name for alias in node.names)
    }
    (listed,) = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    assert set(ast.literal_eval(listed)) == imported


def test_each_module_says_what_it_is_for():
    for path in HELPERS:
        assert len(ast.get_docstring(parsed(path))) > 60, path.name


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
    assert finished.stderr == "error: predict.py needs to be set up once: run `make setup`.\n"


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
        now = np.asarray(open_picture(tmp_path / name), int)
        then = np.asarray(open_picture(PROJECT / "images" / name), int)
        # Libraries may round differently by a grey level.
        assert now.shape == then.shape and np.abs(now - then).max() <= 2, name


def test_the_network_that_ships_is_small_and_the_one_of_its_card():
    folder = PROJECT / "helpers" / "pretrained"
    assert sum(path.stat().st_size for path in folder.glob("digits.*")) <= 2_500_000
    card = json.loads((folder / "card.json").read_text())
    assert set(card["files"]) == {path.name for path in folder.iterdir()} - {
        "card.json",
        "README.md",
    }
    checksums = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in card["files"]
    }
    assert card["files"] == checksums
    read = f"{100 * card['mnist only']['validation accuracy']:.1f} % of digits of MNIST"
    assert read in (PROJECT / "notebooks" / "01_loading.ipynb").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="there is no root")
def test_jupyterlab_as_root_says_what_to_do(tmp_path):
    (tmp_path / "id").write_text("#!/bin/sh\necho 0\n")
    (tmp_path / "id").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    refused = subprocess.run(
        ["make", "--silent", "--assume-old=.venv/ready", "lab"],
        cwd=PROJECT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "in a container, run: make lab LAB=--allow-root" in refused.stderr.splitlines()[0]
