"""What must not be open to strangers: the JupyterLab server, and files with code in them."""

import ast
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import requests

PROJECT = Path(__file__).parents[2]
SOURCES = [
    *PROJECT.glob("*.py"),
    *(
        path
        for name in ("helpers", "benchmarks", "images")
        for path in (PROJECT / name).rglob("*.py")
    ),
]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


# JupyterLab


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """What JupyterLab tells about itself, started as `make lab` does, but without a browser."""
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    (options,) = re.findall(r"^\t@\$\(RUN\) (-m jupyterlab .*) \$\(LAB\)$", makefile, re.MULTILINE)
    runtime = tmp_path_factory.mktemp("runtime")
    command = [sys.executable, *options.split(), "--no-browser", "--ServerApp.port=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # which JupyterLab asks of root alone
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime)}
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        deadline = time.monotonic() + 180
        while not (found := list(runtime.glob("jpserver-*.json"))) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        yield json.loads(found[0].read_text())
        running.terminate()


def test_jupyterlab_listens_on_this_machine_alone(server):
    assert server["hostname"] in ("localhost", "127.0.0.1")
    assert server["url"].startswith(f"http://{server['hostname']}:")


def test_jupyterlab_asks_for_its_token(server):
    files = f"http://127.0.0.1:{server['port']}/api/contents"
    assert len(server["token"]) >= 32 and not server["password"]
    assert requests.get(files, timeout=10).status_code == 403
    assert requests.get(files, params={"token": "guessed"}, timeout=10).status_code == 403
    assert requests.get(files, params={"token": server["token"]}, timeout=10).status_code == 200


def test_no_setting_of_the_project_opens_jupyterlab():
    settings = [path for path in PROJECT.rglob("jupyter*config*") if ".venv" not in path.parts]
    assert settings == []
    for name in ("Makefile", "README.md", ".ci/run"):
        text = (PROJECT / name).read_text(encoding="utf-8")
        assert not re.search(r"token=|password=|--ip|0\.0\.0\.0|allow_origin|disable_check", text)


# Pickled objects, which run code when they are read

# Notebook 07 shows once what it forbids, with a file that it has just written itself.
SHOWN_ONCE = "network = keras.saving.load_model(gift, safe_mode=False)"


def code_of(path):
    if path.suffix == ".py":
        return path.read_text(encoding="utf-8")
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return code.replace(SHOWN_ONCE, "", 1) if path.stem == "07_saving" else code


def test_the_one_unsafe_file_is_the_notebooks_own():
    path = PROJECT / "notebooks" / "07_saving.ipynb"
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    shown = next(place for place, source in enumerate(code) if SHOWN_ONCE in source)
    assert 'gift = work / "note.txt", work / "free-99.99-percent.keras"' in code[shown - 1]
    assert ".save(gift)" in code[shown - 1] and "work = Path(tempfile.mkdtemp())" in code[0]


@pytest.mark.parametrize("path", [*SOURCES, *NOTEBOOKS], ids=lambda path: path.name)
def test_nothing_is_pickled_or_unpickled(path):
    for node in ast.walk(ast.parse(code_of(path))):
        match node:
            case ast.Import(names=names):
                imported = {alias.name.split(".")[0] for alias in names}
                assert not imported & {"pickle", "dill", "shelve", "marshal", "cloudpickle"}
            case ast.ImportFrom(module=str(module)):
                assert module.split(".")[0] not in {"pickle", "dill", "shelve", "cloudpickle"}
            case ast.Call(func=ast.Attribute(value=ast.Name(id="joblib"), attr=name)):
                assert name not in {"load", "dump", "Memory"}
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="load"), keywords=words):
                assert {word.arg: getattr(word.value, "value", None) for word in words}[
                    "allow_pickle"
                ] is False
            case ast.keyword(arg="allow_pickle" | "safe_mode" as name, value=ast.Constant(value)):
                assert value is (name == "safe_mode")
