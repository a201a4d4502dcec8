"""Keeps the start-up remarks of native libraries out of outputs that people read.

For the length of a `with` block it hides whatever this process, any of its threads or
a child started meanwhile writes to the error stream, so the block should be short.
Exceptions pass as ever.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def silenced_native_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2 inside the block.

    The descriptor is the whole process's, so one thread at a time may silence it.
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
