"""Keeps the start-up remarks of native libraries out of outputs that people read.

It hides everything that any thread, or a child process started meanwhile, writes to the
error stream, so keep the block short. Exceptions pass through as usual.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def silenced_native_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2 inside the block.

    The descriptor belongs to the whole process, so only one thread at a time may do this.
    """
    with _LOCK:
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
