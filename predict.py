"""Reads the handwritten digits in pictures: `python3 predict.py [IMAGE …]`."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parent
# Where `make` installs Python and all packages.
PROJECT_PYTHONS = (
    PROJECT_FOLDER / ".venv" / "bin" / "python",
    PROJECT_FOLDER / ".venv" / "Scripts" / "python.exe",
)


def run_with_project_python() -> int:
    """Restart this script with the Python of `.venv`, so that nobody needs to activate it."""
    python = next((path for path in PROJECT_PYTHONS if path.exists()), None)
    if python is None or Path(sys.prefix) == PROJECT_FOLDER / ".venv":
        print("error: predict.py needs to be set up once: run `make setup`.", file=sys.stderr)
        return 2
    if os.name == "nt":
        try:
            return subprocess.run([python, __file__, *sys.argv[1:]], check=False).returncode
        except KeyboardInterrupt:  # The other process has said so.
            return 130
    os.execv(python, [str(python), __file__, *sys.argv[1:]])


def main() -> int:
    """Predict with this Python if it has the packages, else with the project's own."""
    needed = ("ai_edge_litert", "numpy", "PIL", "scipy", "skimage", "tqdm")
    if any(importlib.util.find_spec(name) is None for name in needed):
        return run_with_project_python()
    from helpers.reading.command import main as predict

    return predict()


if __name__ == "__main__":
    sys.exit(main())
