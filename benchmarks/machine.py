"""This machine and its processes: a description, peak memory, and processes of their own.

TensorFlow is not imported here, so what is measured is not its start. The memory of a process
is known on Linux and macOS only. `benchmarks.measuring` times trainings.
"""

import multiprocessing
import os
import platform
import re
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


def in_fresh_process(function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function of a module in a process of its own, and return its result."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as executor:
        return executor.submit(function, *arguments).result()


def peak_memory_mb() -> float:
    """The peak memory of this process, in MB (10^6 bytes)."""
    if sys.platform == "darwin":
        import resource  # Unix only

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # On Linux, `ru_maxrss` starts with the size of the parent process.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (kilobytes,) = re.findall(r"VmHWM:\s*(\d+) kB", status)
    return int(kilobytes) * 1024 / 1e6


def machine() -> dict[str, str | int]:
    """Describe this machine and the versions in use, for the rows of a result."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("tensorflow", "keras", "numpy", "torch")},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # Not Linux.
        lines = []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
