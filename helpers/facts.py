"""Figures and model cards as JSON, and the checksums in them.

What the figures mean is up to whoever writes them.
"""

import hashlib
import json
from pathlib import Path

from helpers.errors import UserError
from helpers.files import atomic_write


class FactsError(UserError):
    """A file of facts cannot be read."""


def write_facts(facts: dict, path: Path) -> None:
    """Write figures or a model card as JSON, atomically.

    Raises:
        OSError: If the file cannot be written; an older one is left untouched.
    """
    with atomic_write(Path(path)) as unfinished:
        unfinished.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def read_facts(path: Path) -> dict:
    """Read figures or a model card written by `write_facts`.

    Raises:
        FactsError: If the file is missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FactsError(
            f"{path} is not a readable JSON file ({error}); rerun the notebook that writes it."
        ) from None


def sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
