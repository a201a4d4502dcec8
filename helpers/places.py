"""Where things lie: the project, what ships with it, and where results are written.

This module names places; it neither reads nor creates them. Results go to the project's
`build` folder. Where the package is installed without the project around it, the working
folder takes the project's place, so nothing is ever written beside the installed code.
"""

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import UserError

PACKAGE = Path(__file__).parent
PRETRAINED_FOLDER = PACKAGE / "pretrained"
MODEL_FILE, LITERT_FILE, HEAD_FILE = "digits.keras", "digits.tflite", "likeness.keras"
PAIRS_FILE = "pairs.tflite"
CARD_FILE, EVALUATION_FILE = "card.json", "evaluation.json"
PRETRAINED_LITERT = PRETRAINED_FOLDER / LITERT_FILE
# A network that says whether two digits touch, and which.
PAIRS_LITERT = PRETRAINED_FOLDER / PAIRS_FILE
# A network that has seen nothing but MNIST as it is, for showing what that leads to.
MNIST_ONLY_MODEL = PRETRAINED_FOLDER / "mnist_only.keras"
MNIST_ONLY_LITERT = PRETRAINED_FOLDER / "mnist_only.tflite"
# What tells a checkout of the project from any other folder.
LANDMARKS = ("predict.py", "helpers", "notebooks")


def project_folder() -> Path:
    """Find the project: around this package, else around the working folder, else the latter."""
    return _checkout() or Path.cwd()


def _checkout() -> Path | None:
    def candidates() -> Iterator[Path]:
        yield PACKAGE.parent
        working_folder = Path.cwd()
        yield from (working_folder, *working_folder.parents)

    return next((folder for folder in candidates() if _is_checkout(folder)), None)


def _is_checkout(folder: Path) -> bool:
    # Unlike Path's own methods, this does not raise where looking is forbidden.
    return all(os.path.exists(folder / name) for name in LANDMARKS)


def require_project() -> None:
    """Refuse to work where only the package is installed.

    Raises:
        UserError: If neither this package nor the working folder is part of the project.
    """
    if not _checkout():
        raise UserError(f"{Path.cwd()} is not in a clone of the project; change into one first.")


def build_folder() -> Path:
    """Where results are written, all of which `make clean` removes."""
    return project_folder() / "build"


def images_folder() -> Path:
    """Where the pictures that come with the project lie.

    Raises:
        UserError: If neither this package nor the working folder is part of the project.
    """
    folder = project_folder() / "images"
    if not os.path.isdir(folder):
        raise UserError(
            f"{folder} does not exist: the pictures come with the project, so clone it and "
            "change into its folder first."
        )
    return folder


def ten_folder() -> Path:
    """Where the reader's ten digits are kept, `build/ten`; it need not exist yet."""
    return build_folder() / "ten"


def trained_folder(is_full: bool) -> Path:
    """Where the notebooks keep what they train, one folder for each kind of data.

    Args:
        is_full: Whether the data is the full MNIST. The sample has a folder of its own,
            so a quick run on it never replaces a network trained on all digits.

    Returns:
        A folder below `MNIST_MODELS` (relative to the project), by default
        `build/models`. It need not exist yet.
    """
    models = os.environ.get("MNIST_MODELS")
    folder = project_folder() / Path(models).expanduser() if models else build_folder() / "models"
    return folder / ("full" if is_full else "sample")


def best_folder(is_full: bool) -> Path:
    """The folder of your own trained network if there is one, else of the one that ships."""
    folder = trained_folder(is_full)
    return folder if os.path.isfile(folder / MODEL_FILE) else PRETRAINED_FOLDER


def relative_to_project(path: Path) -> Path:
    """Shorten a path for a message: relative to the project if it lies inside."""
    project = project_folder()
    return path.relative_to(project) if path.is_relative_to(project) else path


def found_from_project(path: Path) -> Path:
    """Resolve a relative path of the user from the working folder, else from the project.

    `MNIST_PATH=../mnist.npz make tutorial` is meant from the project's folder, while the
    kernel of a notebook works in `notebooks/`.
    """
    from_project = project_folder() / path
    return from_project if os.path.exists(from_project) and not os.path.exists(path) else path


def reading_command(path: Path) -> str:
    """The command that reads the digits of a picture, to be typed in the project's folder."""
    program = ["predict.py"] if _checkout() else ["-m", "helpers.reading.command"]
    arguments = [*program, relative_to_project(path).as_posix()]
    if os.name == "nt":
        return subprocess.list2cmdline(["python", *arguments])
    return shlex.join(["python3", *arguments])
