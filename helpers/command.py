"""The command line of `predict.py`: reads pictures and tells which digits they show.

Each picture is read, reported and forgotten before the next is opened. What cannot be
read is named, and does not stop the others. How a picture is read is the business of
`helpers.prediction`.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, count, groupby
from pathlib import Path

from helpers.images import PICTURE_FORMATS
from helpers.prediction import PRETRAINED_LITERT, Digit, DigitReader
from helpers.records import RecordFile, RecordFileError, as_record, read_picture

from PIL import Image

PROJECT_FOLDER = Path(__file__).parent.parent
EXAMPLE_IMAGE = Path("images") / "seven.png"
SHOWN_FOLDER = PROJECT_FOLDER / "build" / "shown"
STANDARD_INPUT = "-"
# The name of a picture, and where to read it.
Source = tuple[str, Path | io.BytesIO]
# Shared by all commands that read digits.
MODEL_OPTION = {
    "metavar": "FILE",
    "type": Path,
    "default": PRETRAINED_LITERT,
    "help": "a .tflite file; default: the network that ships",
}


class OutputError(Exception):
    """Standard output cannot be written; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell which digits each picture shows.

    Args:
        arguments: Those of the command line; the process's own if None.

    Returns:
        The exit status: 0 if every picture was read, 1 if one could not be, or its
        drawing not be written, 2 if the model could not be loaded, or the output not be
        written, 130 if the run was interrupted, 141 if nobody reads the output any
        more. Wrong usage ends the process with 2.
    """
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (RecordFileError, OutputError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        further = "; the same command goes on from there" if options.output else ""
        print(f"interrupted{further}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `… | head` has seen enough.
        return 141


def _run(options: argparse.Namespace) -> int:
    # A file name may hold bytes that are no text; it is shown all the same.
    if hasattr(sys.stdout, "reconfigure"):  # In a notebook it is another kind of stream.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        reader = DigitReader(options.model)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    sources = _sources(options.images)
    if options.output is None:
        report = report_json if options.json else report_text
        return _read_all(reader, sources, options, report)
    with RecordFile(options.output) as records:
        return _read_all(reader, _new(sources, records), options, partial(_add, records))


def _read_all(
    reader: DigitReader, sources: Iterable[Source], options: argparse.Namespace, report: Callable
) -> int:
    drawings = _Drawings(SHOWN_FOLDER)
    status = 0
    for name, source in sources:
        image, digits, error = read_picture(reader, name, source, options.one)
        report(name, digits, error)
        if error or (options.show and not drawings.save(name, image, digits)):
            status = 1
    return status


def _new(sources: Iterable[Source], records: RecordFile) -> Iterator[Source]:
    """Those that the file has no record of; on a terminal, counts all of them."""
    from tqdm import tqdm

    for name, source in tqdm(sources, unit=" pictures", disable=None):
        if name == STANDARD_INPUT or name not in records:
            yield name, source


def _add(records: RecordFile, name: str, digits: list[Digit], error: str | None) -> None:
    records.add(as_record(name, digits, error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="predict.py",
        description="Tell which handwritten digits each picture shows.",
        epilog="Exit status: 0 all read, 1 a picture could not be read or a drawing not be "
        "written, 2 wrong usage, no model, or no output.",
    )
    parser.add_argument(
        "images",
        metavar="IMAGE",
        nargs="*",
        help=f"a picture, a folder of pictures, or - for standard input; default: {EXAMPLE_IMAGE}",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="add the JSON objects to a file instead, and leave out pictures that it has already",
    )
    parser.add_argument("--one", action="store_true", help="each picture holds a single digit")
    parser.add_argument("--model", **MODEL_OPTION)
    parser.add_argument(
        "--show", action="store_true", help="draw what was found, and what the network saw"
    )
    return parser


def _sources(images: Sequence[str]) -> Iterator[Source]:
    """The name of each picture, and where to read it."""
    if not images:
        yield str(EXAMPLE_IMAGE), PROJECT_FOLDER / EXAMPLE_IMAGE
    for image in images:
        if image == STANDARD_INPUT:
            yield STANDARD_INPUT, io.BytesIO(sys.stdin.buffer.read())
        elif os.path.isdir(image):
            yield from ((str(path), path) for path in pictures_in(Path(image)))
        else:
            yield image, Path(image)


def pictures_in(folder: Path) -> Iterator[Path]:
    """Files below a folder whose ending is that of a picture.

    Each folder's own files come before those of the folders in it, all in the order
    of their names; of more than one folder's names none are held in memory.

    Yields:
        Paths; also those of files that cannot be examined, and at the end those of
        folders that cannot be looked into.
    """
    endings = {
        ending
        for ending, picture_format in Image.registered_extensions().items()
        if picture_format in PICTURE_FORMATS
    }
    errors = []
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
    """Drawings of one run, in one folder; pictures of the same name are numbered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def save(self, name: str, image: Image.Image, digits: list[Digit]) -> bool:
        from helpers.showing import save_shown

        stem = "stdin" if name == STANDARD_INPUT else Path(name).stem
        numbered = chain([stem], (f"{stem}-{number}" for number in count(2)))
        free = next(candidate for candidate in numbered if candidate not in self._taken)
        self._taken.add(free)
        path = self._folder / f"{free}.png"
        try:
            save_shown(image, digits, path)
        except OSError as error:
            reason = error.strerror or error
            print(f"error: {path} cannot be written: {reason}.", file=sys.stderr)
            return False
        print(f"drawn: {path}", file=sys.stderr)
        return True


def report_text(name: str, digits: list[Digit], error: str | None) -> None:
    """Print what was read for people; what could not be read goes to standard error."""
    if error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return
    rows = [_row_text(list(row)) for _, row in groupby(digits, key=lambda digit: digit.row)]
    _print(f"{name}: {rows[0]}" if len(rows) == 1 else "\n  ".join([f"{name}:", *rows]))


def _row_text(row: list[Digit]) -> str:
    least = min(row, key=lambda digit: digit.probability)
    text = " ".join(f"{digit.digit}{'' if digit.is_sure else '?'}" for digit in row)
    words = "" if least.is_sure else ", unsure"
    return f"{text} ({'' if len(row) == 1 else 'at least '}{least.probability:.1%}{words})"


def report_json(name: str, digits: list[Digit], error: str | None) -> None:
    """Print what was read as one JSON object in a line."""
    _print(json.dumps(as_record(name, digits, error)))


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError as error:
        # What is still in the buffer would be tried once more, and fail, at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"standard output cannot be written: {error.strerror}.") from None
