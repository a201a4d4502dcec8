"""The command line of `predict.py`: reads pictures and prints the digits in them.

Each picture is read, reported and forgotten; `helpers.reading.jobs` spreads many of them over
the cores. Unreadable ones are reported and do not stop the others. `helpers.reading.reader`
reads a single picture.
"""

import argparse
import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, groupby
from pathlib import Path
from typing import Any

from helpers import places
from helpers.errors import UserError, print_error, print_line, reason
from helpers.reading.digits import Digit
from helpers.reading.jobs import Source, read_in_order
from helpers.reading.network import Network
from helpers.reading.pictures import MOST_BYTES, PICTURE_FORMATS
from helpers.reading.reader import DigitReader, Reading
from helpers.reading.records import RecordFile, as_record

from PIL import Image

EXAMPLE_IMAGE = Path("images") / "seven.png"
STANDARD_INPUT = "-"
Report = Callable[[Reading], None]
# An option of all commands that read digits.
MODEL_OPTION: dict[str, Any] = {
    "metavar": "FILE",
    "type": Path,
    "default": places.PRETRAINED_LITERT,
    "help": "a .tflite file; default: the network that ships",
}


class OutputError(UserError):
    """Standard output cannot be written."""


class InputError(UserError):
    """Standard input cannot be read."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the digits in each picture.

    Args:
        arguments: Arguments of the command line; by default those of the process.

    Returns:
        The exit status: 0 if every picture was read; 1 if one could not be read, or its
        drawing could not be written; 2 if the model could not be loaded, or the output could
        not be written; 130 if the run was interrupted; 141 if the reader of the output is gone.
        Wrong usage ends the process with 2.
    """
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except UserError as error:
        print_error(error)
        return 2
    except KeyboardInterrupt:
        resumable = "; the same command resumes from there" if options.output else ""
        print_line(f"interrupted{resumable}", sys.stderr)
        return 130
    except BrokenPipeError:  # `… | head` has seen enough.
        return 141


def _run(options: argparse.Namespace) -> int:
    # A file name may hold bytes that are not text; print it all the same.
    if isinstance(sys.stdout, io.TextIOWrapper):  # In a notebook it is another kind of stream.
        sys.stdout.reconfigure(errors="backslashreplace")
    reader = DigitReader(Network(options.model))
    sources = _sources(options.images)
    if options.output is None:
        report = report_json if options.json else report_text
        return _read_all(reader, sources, options, report)
    with RecordFile(options.output) as records:
        new_sources = _without_record(sources, records)
        return _read_all(reader, new_sources, options, lambda it: records.add(as_record(it)))


def _read_all(
    reader: DigitReader, sources: Iterable[Source], options: argparse.Namespace, report: Report
) -> int:
    drawings = _Drawings(places.build_folder() / "shown")
    status = 0
    jobs = 1 if options.show else options.jobs  # Drawings need the pictures here.
    for reading in read_in_order(reader, options.model, sources, options.one, jobs):
        report(reading)
        if reading.error:
            status = 1
        elif options.show:
            saved = drawings.save(reading)
            status = status if saved else 1
    return status


def _without_record(sources: Iterable[Source], records: RecordFile) -> Iterator[Source]:
    """Yield the pictures that the file has no record of; on a terminal, count all of them."""
    from tqdm import tqdm

    for name, source in tqdm(sources, unit=" pictures", disable=None):
        if name == STANDARD_INPUT or name not in records:
            yield name, source


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="predict.py",
        description="Print the handwritten digits in each picture.",
        epilog="A question mark follows a digit that is unsure, and a dash stands for what is no "
        "digit. Exit status: 0 all read, 1 a picture could not be read or a drawing could not be "
        "written, 2 wrong usage, no model, or no output.",
    )
    parser.add_argument(
        "images",
        metavar="IMAGE",
        nargs="*",
        help=f"a picture, a folder of pictures, or - for standard input; default: {EXAMPLE_IMAGE}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="add the JSON objects to a file instead, skipping pictures that it already has",
    )
    parser.add_argument("--one", action="store_true", help="each picture holds a single digit")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=_positive,
        help="read many pictures in N processes; default: one for each core",
    )
    parser.add_argument("--model", **MODEL_OPTION)
    parser.add_argument(
        "--show", action="store_true", help="draw what was found and what the network saw"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _sources(images: Sequence[str]) -> Iterator[Source]:
    """Yield the name of each picture, and where to read it."""
    if not images:
        yield EXAMPLE_IMAGE.as_posix(), places.images_folder() / EXAMPLE_IMAGE.name
    for image in images:
        if image == STANDARD_INPUT:
            yield STANDARD_INPUT, _standard_input()
        elif os.path.isdir(image):
            yield from ((str(path), path) for path in pictures_in(Path(image)))
        else:
            yield image, Path(image)


def _standard_input() -> io.BytesIO:
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InputError(
            f"Standard input holds more than {MOST_BYTES // 1_000_000} MB; scale the picture "
            "down first."
        )
    return io.BytesIO(content)


def pictures_in(folder: Path) -> Iterator[Path]:
    """Find the files below a folder whose names end like those of pictures.

    A folder's own files come before those of its subfolders, each in the order of their
    names. Only one folder's names are held in memory at a time.

    Yields:
        Paths, including those of files that cannot be examined and, at the end, of folders
        that cannot be listed.
    """
    endings = {
        ending
        for ending, picture_format in Image.registered_extensions().items()
        if picture_format in PICTURE_FORMATS
    }
    errors: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=errors.append):
        folders.sort()
        names.sort()
        for name in names:
            path = Path(parent, name)
            # Unlike Path's own methods, these do not raise where looking is forbidden.
            is_picture = os.path.isfile(path) or not os.path.exists(path)
            if path.suffix.lower() in endings and is_picture:
                yield path
    yield from (Path(error.filename) for error in errors)


class _Drawings:
    """The drawings of one run in one folder; those of equal names are numbered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def save(self, reading: Reading) -> bool:
        """Draw a picture that was read, and say where; return whether that succeeded."""
        from helpers.reading.drawing import save_drawing

        assert reading.image is not None, "it was read"
        path = self._free_path(reading.name)
        try:
            save_drawing(reading.image, reading.digits, path)
        except OSError as error:
            print_error(f"{path} cannot be written: {reason(error)}.")
            return False
        print_line(f"drawn: {path}", sys.stderr)
        return True

    def _free_path(self, name: str) -> Path:
        stem = "stdin" if name == STANDARD_INPUT else Path(name).stem
        numbered = chain([stem], (f"{stem}-{number}" for number in count(2)))
        # Some file systems take upper and lower case for the same.
        free = next(candidate for candidate in numbered if candidate.casefold() not in self._taken)
        self._taken.add(free.casefold())
        return self._folder / f"{free}.png"


def report_text(reading: Reading) -> None:
    """Print what was read for people; errors go to the error stream."""
    if reading.error:
        print_error(reading.error)
        return
    rows = [_row_text(list(row)) for _, row in groupby(reading.digits, key=lambda it: it.row)]
    name = reading.name
    _print(f"{name}: {rows[0]}" if len(rows) == 1 else "\n  ".join([f"{name}:", *rows]))


def _row_text(row: list[Digit]) -> str:
    text = " ".join(digit.text for digit in row)
    found = [digit for digit in row if digit.verdict != "no digit"]
    if not found:
        return f"{text} (no digit)"
    words = ", unsure" if any(digit.verdict == "unsure" for digit in found) else ""
    words += "" if len(found) == len(row) else "; – is no digit"
    least = min(digit.probability for digit in found)
    return f"{text} ({'' if len(found) == 1 else 'at least '}{least:.1%}{words})"


def report_json(reading: Reading) -> None:
    """Print what was read as one JSON object on a line."""
    _print(json.dumps(as_record(reading)))


def _print(text: str) -> None:
    try:
        print_line(text, sys.stdout)
    except OSError as error:
        # Otherwise Python would retry the rest of the buffer at exit, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
            raise BrokenPipeError from None  # Windows says EINVAL (python/cpython#79935).
        raise OutputError(f"standard output cannot be written: {reason(error)}.") from None


if __name__ == "__main__":
    sys.exit(main())
