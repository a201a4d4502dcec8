"""Atomic writes: a file is complete or unchanged, whatever interrupts its writing.

Nothing is locked: if two processes write the same file, the later one wins.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".unfinished-"
LEFT_BEHIND_SECONDS = 24 * 3600


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path whose file replaces `path` if the block succeeds.

    The temporary file has the same name and lies in a folder beside `path`, so on the same file
    system. If the block raises, it is removed and `path` is left untouched.

    Raises:
        OSError: If the folder cannot be created or written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=UNFINISHED) as folder:
        unfinished = Path(folder) / path.name
        yield unfinished
        with unfinished.open("r+b") as written:
            os.fsync(written.fileno())
        unfinished.replace(path)


def _remove_left_behind(folder: Path) -> None:
    """Remove what a process left behind when it was killed while writing."""
    for path in folder.glob(f"{UNFINISHED}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > LEFT_BEHIND_SECONDS:
                shutil.rmtree(path)
