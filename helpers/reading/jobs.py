"""Reads many pictures on several cores, in their order.

`helpers.reading.command` says how many processes to use. Few pictures are read in this one,
since a process takes as long to start as a hundred small pictures to read.
"""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from itertools import chain, count, islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from helpers.errors import UserError
from helpers.reading.network import Network
from helpers.reading.reader import DigitReader, Reading

# The name of a picture, and where to read it.
Source = tuple[str, Path | BytesIO]
Batch = tuple[Source, ...]

# Fewer pictures are read before the first process would have started.
FEWEST = 32
BATCH = 16
# Batches for each process that may be read ahead of the next one to be yielded. More would
# take more memory, fewer would let processes wait for a batch of large pictures.
AHEAD = 4


class JobsError(UserError):
    """A process that reads pictures has ended."""


def cores() -> int:
    """How many cores this process may use, a container's limit included."""
    from joblib import cpu_count  # Its import takes longer than a few pictures.

    return cpu_count()


def read_in_order(
    reader: DigitReader, model: Path, sources: Iterable[Source], single: bool, jobs: int | None
) -> Iterator[Reading]:
    """Read pictures, in this process if they are few, else in several.

    Memory does not grow with their number: at most `AHEAD` × `jobs` batches of `BATCH` are
    read ahead. The processes end with the iterator, and with this process, however it ends.

    Args:
        reader: Reads the pictures in this process.
        model: The file of its network, from which each process loads its own.
        sources: Consumed only as pictures are read.
        single: Whether each picture holds a single digit.
        jobs: The number of processes, at least 1; by default one for each core.

    Yields:
        For each source, in the order of the sources, what was read; from other processes
        without the picture itself.

    Raises:
        JobsError: If a process ends unexpectedly, for example for lack of memory.
    """
    sources = iter(sources)
    first = list(islice(sources, FEWEST)) if jobs != 1 else []
    sources = chain(first, sources)
    jobs = (jobs or cores()) if len(first) == FEWEST else 1
    if jobs == 1:
        for name, source in sources:
            yield reader.read_file(name, source, single)
        return
    with _processes(model, single, jobs) as connections:
        yield from _in_order(connections, _batches(sources))


def _batches(sources: Iterator[Source]) -> Iterator[tuple[int, Batch]]:
    """Yield numbered batches; the last one is empty."""
    for number in count():
        yield number, tuple(islice(sources, BATCH))


def _in_order(
    connections: list[Connection], batches: Iterator[tuple[int, Batch]]
) -> Iterator[Reading]:
    """Hand out batches, one at a time to each process, and yield the readings in their order.

    A process that gets a second batch before its first is fetched could wait for us to fetch
    while we wait for it to take.
    """
    from multiprocessing.connection import wait

    idle, at_work = list(connections), dict[Connection, int]()
    finished: dict[int, list[Reading]] = {}
    following = 0  # the number of the next batch to be yielded
    while True:
        while idle and len(finished) + len(at_work) < AHEAD * len(connections):
            number, batch = next(batches)
            if not batch:
                break
            _send(idle[-1], batch)
            at_work[idle.pop()] = number
        if not at_work:
            return
        for connection in cast(list[Connection], wait(list(at_work))):
            finished[at_work.pop(connection)] = _received(connection)
            idle.append(connection)
        while following in finished:
            yield from finished.pop(following)
            following += 1


def _send(connection: Connection, batch: Batch) -> None:
    try:
        connection.send(batch)
    except OSError:
        raise _ended() from None


def _received(connection: Connection) -> list[Reading]:
    try:
        return connection.recv()
    except (EOFError, OSError):
        raise _ended() from None


def _ended() -> JobsError:
    return JobsError(
        "a process that reads pictures has ended, perhaps for lack of memory; try --jobs 1."
    )


@contextmanager
def _processes(model: Path, single: bool, jobs: int) -> Iterator[list[Connection]]:
    """Start processes that read what comes through their connections, and end them at last."""
    from multiprocessing import get_context

    # A new interpreter: a copy of this process would also copy the locks that its threads hold.
    context = get_context("spawn")
    started = []
    connections: list[Connection] = []
    try:
        for _ in range(jobs):
            ours, theirs = context.Pipe()
            connections.append(ours)
            process = context.Process(target=_work, args=(theirs, model, single), daemon=True)
            with _interruptions_held():
                process.start()
            started.append(process)
            theirs.close()  # Else it would stay open when the process ends.
        yield connections
    finally:
        for connection in connections:
            connection.close()
        for process in started:
            process.terminate()
            process.join()


@contextmanager
def _interruptions_held() -> Iterator[None]:
    """Let Ctrl-C wait; a process started meanwhile never gets it, and prints no traceback."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection, model: Path, single: bool) -> None:
    """Read batches until the other end of the connection is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Whoever started this process is told.
    reader = DigitReader(Network(model))
    try:
        while True:
            batch = connection.recv()
            readings = [reader.read_file(name, source, single) for name, source in batch]
            connection.send([replace(reading, image=None) for reading in readings])
    except (EOFError, OSError):
        return
