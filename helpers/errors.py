"""One family of errors, each of them one sentence for the reader, and the way to print it.

An error belongs to the family if the reader can put it right. Anything else is a fault of
the code and keeps its traceback.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class UserError(Exception):
    """Something the reader can put right: the message says what is wrong and what to do."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this, so that a notebook shows the sentence alone.
        return [f"{type(self).__name__}: {self}"]


class ArgumentError(UserError, ValueError):
    """A function got something it cannot work with."""


class ModelFileError(UserError):
    """A model file cannot be used."""


def print_error(error: UserError | str) -> None:
    """Print one sentence to the error stream."""
    print_line(_sentence(error), sys.stderr)


def print_line(text: str, stream: TextIO) -> None:
    """Write a line in one piece: Ctrl-C comes before it or after it, not before its end."""
    print(f"{text}\n", end="", file=stream, flush=True)


@contextmanager
def ending_in_one_sentence() -> Iterator[None]:
    """End the process with status 1 and one sentence if the block raises a `UserError`."""
    try:
        yield
    except UserError as error:
        sys.exit(_sentence(error))


def reason(error: OSError) -> str:
    """Say in a few words why a file could not be used."""
    return error.strerror or str(error)


def _sentence(error: UserError | str) -> str:
    return f"error: {error}"
