"""What was read of a picture as one JSON object, and the file that collects such objects.

`read_record` needs nothing but a path, so anything that spreads work over processes or
machines can map it over pictures; see notebook 09. `helpers.reading.command` decides which
pictures to read and what to tell people.
"""

import errno
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from helpers.errors import UserError, reason
from helpers.places import PRETRAINED_LITERT
from helpers.reading.network import Network
from helpers.reading.reader import DigitReader, Reading

import numpy as np

# Every record begins this way, as `json.dumps` writes it.
LINE_START = b'{"path": '
# No record is longer; anything longer would only fill memory.
MOST_LINE_BYTES = 1_000_000
# What may be left of a word, a number or an escaped letter where a line is cut off.
CUT_TOKEN = re.compile(r"[-.\\a-z0-9]{0,6}")
# Two threads must not use one interpreter, so each has its own.
_of_this_thread = threading.local()


class RecordFileError(UserError):
    """A file cannot take records."""


def as_record(reading: Reading) -> dict:
    """Turn what was read of a picture into an object for JSON.

    Returns:
        "path", "error" (None if all went well), and "digits", a list of objects with
        "digit", "probability" (0 to 1), "sure", "answer" ("digit", "unsure" or "no digit"),
        "row" (from 0) and "box" (left, top, right, bottom in pixels).
    """
    digits = [
        {
            "digit": digit.digit,
            "probability": round(digit.probability, 4),
            "sure": digit.is_sure,
            "answer": digit.verdict,
            "row": digit.row,
            "box": [edge * reading.reduced for edge in digit.box],
        }
        for digit in reading.digits
    ]
    return {"path": reading.name, "digits": digits, "error": reading.error}


def read_record(name: str, model: Path = PRETRAINED_LITERT, single: bool = False) -> dict:
    """Read the digits of a picture file.

    Args:
        name: The path of the picture.
        model: The network, a `.tflite` file; loaded once for each thread.
        single: Whether the picture holds a single digit.

    Returns:
        A record as from `as_record`; its "error" says what could not be read.

    Raises:
        ModelFileError: If the model is missing or not a digit network.
    """
    return as_record(_reader(model).read_file(name, single=single))


def _reader(model: Path) -> DigitReader:
    readers = _of_this_thread.__dict__.setdefault("readers", {})
    if model not in readers:
        readers[model] = DigitReader(Network(model))
    return readers[model]


class RecordFile:
    """A file with a record in each line, to which later runs can add.

    Use it as a context manager, in one process at a time. It first cuts off a line that was
    only half written because the process was killed. Names are compared by 64-bit hashes, so
    among n pictures two are mistaken for one with a probability of about n² / 2⁶⁵.
    """

    def __init__(self, path: Path):
        """Open a file, new or with records.

        Raises:
            RecordFileError: If it cannot be opened, or holds anything but records; it is
                left untouched then.
        """
        self.path = path = Path(path)
        if os.path.exists(path) and not os.path.isfile(path):
            raise RecordFileError(f"{path} is not a regular file; name a file for the records.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a+b") as file:
                file.seek(0)
                self._known, end = _names_and_end(file)
                file.truncate(end)
                _end_line(file, end)
            # Unbuffered, so closing the file does not retry a write that a full disk refused.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise self._not_written(error) from None
        except (ValueError, KeyError, TypeError):
            raise RecordFileError(
                f"{path} holds something other than records of pictures; name another file."
            ) from None

    def __contains__(self, name: str) -> bool:
        """Whether the file had a record of this picture when it was opened."""
        place = np.searchsorted(self._known, hash(name))
        return bool(place < len(self._known) and self._known[place] == hash(name))

    def add(self, record: dict) -> None:
        """Add a record; it is in the file when this returns.

        Raises:
            RecordFileError: If the disk is full, or fails.
        """
        rest = json.dumps(record).encode() + b"\n"
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._not_written(error) from None

    def _not_written(self, error: OSError) -> RecordFileError:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free some space, or name another file" if is_full else "name another file"
        return RecordFileError(f"{self.path} cannot be written: {reason(error)}; {remedy}.")

    def __enter__(self) -> "RecordFile":
        return self

    def __exit__(self, *details: object) -> None:
        self._file.close()


def _names_and_end(file: BinaryIO) -> tuple[np.ndarray, int]:
    """Return the sorted hashes of the names in all complete lines, and where the last one ends.

    Eight bytes for each picture: the names themselves would take ten times as much.
    """
    end = 0

    def hashes() -> Iterator[int]:
        nonlocal end
        while line := file.readline(MOST_LINE_BYTES):
            if not line.startswith(LINE_START[: len(line)]):
                raise ValueError("The line is not part of a record.")
            # A lone brace without any record before it may begin anything.
            if not line.endswith(b"\n") and _is_cut_off(line) and (end or len(line) > 1):
                return
            record = json.loads(line)
            if not {"path", "digits", "error"} <= record.keys():
                raise ValueError("The line is not a record.")
            yield hash(record["path"])
            end += len(line)

    return np.sort(np.fromiter(hashes(), np.int64)), end


def _is_cut_off(line: bytes) -> bool:
    """Whether a line is the beginning of a record, as a killed process leaves it."""
    if len(line) <= len(LINE_START):
        return True
    if len(line) == MOST_LINE_BYTES:
        return False
    text = line.decode("ascii", errors="replace")  # `json.dumps` writes nothing but ASCII.
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        is_open = error.msg.startswith("Unterminated string")
        return is_open or (error.msg != "Extra data" and bool(CUT_TOKEN.fullmatch(text, error.pos)))
    return False


def _end_line(file: BinaryIO, end: int) -> None:
    """Add the line break if the process was killed just before writing it."""
    file.seek(max(0, end - 1))
    if file.read(1) not in (b"", b"\n"):
        file.write(b"\n")
