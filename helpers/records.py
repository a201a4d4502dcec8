"""What was read of a picture as one JSON object, and the file to which such objects are added.

`read_record` needs nothing but a path, so it can be mapped over any number of pictures
by whatever spreads work over processes or machines; see notebook 08. Which pictures are
read, and what people are told of them, is the business of `helpers.command`.
"""

import json
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from helpers.images import ImageError, read_image
from helpers.prediction import PRETRAINED_LITERT, Digit, DigitReader

import numpy as np
from PIL import Image

# What `json.dumps` begins each record with.
LINE_START = b'{"path": '
# An interpreter must not be used by two threads at a time, so each has its own.
_of_this_thread = threading.local()


class RecordFileError(Exception):
    """A file cannot take records; the message says why and what to do."""


def as_record(name: str, digits: Sequence[Digit], error: str | None) -> dict:
    """What was read of a picture, ready for JSON.

    Returns:
        "path", "error" (None if all went well), and "digits", a list of objects with
        "digit", "probability" (0 to 1), "sure", "row" (from 0) and "box" (left, top,
        right, bottom in pixels).
    """
    read = [
        {
            "digit": digit.digit,
            "probability": round(digit.probability, 4),
            "sure": digit.is_sure,
            "row": digit.row,
            "box": list(digit.box),
        }
        for digit in digits
    ]
    return {"path": name, "digits": read, "error": error}


def read_picture(
    reader: DigitReader, name: str, source: Path | BinaryIO, single: bool = False
) -> tuple[Image.Image | None, list[Digit], str | None]:
    """Read the digits of a picture; what cannot be read is told, not raised.

    Args:
        reader: The network.
        name: What the error calls the picture.
        source: A path or an open file.
        single: Whether the picture holds a single digit.

    Returns:
        The picture as it is seen, the digits in reading order, and None; or None, no
        digits, and what was wrong in one sentence.
    """
    try:
        image = read_image(source, name)
    except ImageError as error:
        return None, [], str(error)
    try:
        return image, reader.read(image, single), None
    except ImageError as error:
        return None, [], f"{name}: {error}"


def read_record(name: str, model: Path = PRETRAINED_LITERT, single: bool = False) -> dict:
    """Read the digits of a picture file.

    Args:
        name: The path of the picture.
        model: The network, a `.tflite` file; loaded once a thread.
        single: Whether the picture holds a single digit.

    Returns:
        A record as by `as_record`; what cannot be read is said in its "error".

    Raises:
        ValueError: If the model is missing or no digit network.
    """
    _, digits, error = read_picture(_reader(model), name, Path(name), single)
    return as_record(name, digits, error)


def _reader(model: Path) -> DigitReader:
    readers = _of_this_thread.__dict__.setdefault("readers", {})
    if model not in readers:
        readers[model] = DigitReader(model)
    return readers[model]


class RecordFile:
    """A file with a record in each line, to which a run adds, and a later run goes on adding.

    Use it as a context manager, in one process at a time. A line that was only half
    written, because the process was killed, is cut off first.
    """

    def __init__(self, path: Path):
        """Open a file, new or with records already.

        Raises:
            RecordFileError: If it cannot be opened, or holds something else.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a+b") as file:
                file.seek(0)
                self._known, end = _names_and_end(file)
                file.truncate(end)
                _end_line(file, end)
            # Unbuffered: what a full disk refuses is not tried once more when it is closed.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise self._not_written(error) from None
        except (ValueError, KeyError, TypeError):
            raise RecordFileError(
                f"{path} holds something else than records of pictures; name another file."
            ) from None

    def __contains__(self, name: str) -> bool:
        """Whether there was a record of this picture when the file was opened."""
        place = np.searchsorted(self._known, hash(name))
        return place < len(self._known) and self._known[place] == hash(name)

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
        reason = error.strerror or error
        return RecordFileError(
            f"{self.path} cannot be written: {reason}; free some space, or name another file."
        )

    def __enter__(self) -> "RecordFile":
        return self

    def __exit__(self, *details: object) -> None:
        self._file.close()


def _names_and_end(lines: BinaryIO | Iterable[bytes]) -> tuple[np.ndarray, int]:
    """The sorted hashes of the names in all whole lines, and where the last of these ends.

    Eight bytes a picture; the names of a million pictures would take ten times that.
    """
    end = 0

    def hashes():
        nonlocal end
        for line in lines:
            if not line.endswith(b"\n") and not _is_whole(line):
                if not line.startswith(LINE_START[: len(line)]):
                    raise ValueError("The last line is no part of a record.")
                return
            yield hash(json.loads(line)["path"])
            end += len(line)

    return np.sort(np.fromiter(hashes(), np.int64)), end


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _end_line(file: BinaryIO, end: int) -> None:
    """Add the line break that is missing if only that was not written any more."""
    file.seek(max(0, end - 1))
    if file.read(1) not in (b"", b"\n"):
        file.write(b"\n")
