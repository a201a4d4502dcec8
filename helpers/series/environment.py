"""Makes `.venv` and installs the pinned packages: run by `make`, with any Python 3.

It imports only the standard library and runs on old Pythons, so that it can say in one
sentence what is missing. `requirements.lock` decides which versions are installed.
"""

import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
VENV = PROJECT / ".venv"
BIN = VENV / ("Scripts" if sys.platform == "win32" else "bin")
# Exists while an installation runs. One that was cut off may have left half a package, which
# pip would take for a complete one.
UNFINISHED = VENV / "unfinished"
OLDEST, NEWEST = (3, 11), (3, 13)


def require_suitable_python() -> None:
    """Stop with one sentence if this Python cannot run TensorFlow 2.21 or make environments."""
    this = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(
            "error: TensorFlow 2.21 has no build for Python " + this + "; install Python 3.11, "
            "3.12 or 3.13 and name it, as in: make tutorial PYTHON=python3.12"
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "error: this Python " + this + " comes without venv; install it (Debian and Ubuntu: "
            "sudo apt install python" + this + "-venv) and run the same command again."
        )


def require_suitable_processor() -> None:
    """Stop with one sentence if TensorFlow 2.21 has no build for this processor."""
    if (sys.platform, platform.machine()) in (("darwin", "x86_64"), ("win32", "ARM64")):
        sys.exit(
            "error: TensorFlow 2.21 has no build for this processor (macOS: Apple's own only; "
            "Windows: x86-64 only); use another machine, Colab or Codespaces."
        )


def environment_works() -> bool:
    """Whether `.venv` holds a Python of this version that can run pip."""
    python = BIN / ("python.exe" if sys.platform == "win32" else "python")
    version = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
    try:
        return subprocess.run([str(python), "-c", version], capture_output=True).returncode == 0
    except OSError:
        return False


def run_pip(*arguments: str) -> None:
    """Run `.venv`'s pip; stop with one sentence if it fails."""
    command = [str(BIN / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    if subprocess.run([*command, "--quiet", *arguments], cwd=PROJECT).returncode != 0:
        sys.exit(
            "error: the installation did not finish, for the reason above. Check the network and "
            "the free disk space (4 GB), then run the same command again."
        )


def main() -> None:
    """Check this Python, rebuild `.venv` unless it works, and install into it."""
    require_suitable_python()
    require_suitable_processor()
    if UNFINISHED.exists() or not environment_works():
        print("Making .venv ...", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        if subprocess.run([sys.executable, "-m", "venv", str(VENV)]).returncode != 0:
            sys.exit("error: .venv could not be made, for the reason above.")
    UNFINISHED.touch()
    print("Installing the pinned packages into .venv, 2 to 5 minutes ...", flush=True)
    run_pip("--require-hashes", "--requirement", "requirements.lock")
    run_pip("--no-deps", "--no-build-isolation", "--editable", ".")
    UNFINISHED.unlink()


if __name__ == "__main__":
    main()
