"""Counts the digits of a folder that are read right: `python -m benchmarks.custom_digits FOLDER`.

The folder holds pictures of single digits and a table labels.csv with the columns file and
label. A picture counts as right only if exactly one digit is found in it, and it is the right
one. Pictures are neither changed nor chosen, and nothing is learned from them.
"""

import argparse
import csv
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from helpers.errors import UserError, print_error, reason
from helpers.reading.command import MODEL_OPTION
from helpers.reading.network import Network
from helpers.reading.reader import DigitReader

import pandas as pd

LABELS_FILE = "labels.csv"
DIGITS = [str(digit) for digit in range(10)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read every picture of the table and print the shares that are right.

    Args:
        arguments: Arguments of the command line; by default those of the process.

    Returns:
        The exit status: 0, or 2 if the table or the model cannot be used.
    """
    options = _parser().parse_args(arguments)
    try:
        reader = DigitReader(Network(options.model))
        labels = read_labels(options.folder)
    except UserError as error:
        print_error(error)
        return 2
    start = time.perf_counter()
    results = read_all(reader, options.folder, labels)
    seconds = time.perf_counter() - start
    if options.wrong:
        print(results[~results["right"]].to_string(index=False))
    print(summarise(results).to_string())
    print(f"{len(results) / seconds:.0f} pictures a second")
    return 0


class LabelsError(UserError):
    """The table of labels cannot be used."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.custom_digits",
        description="Count the digits of a folder that are read right.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help=f"holds {LABELS_FILE}")
    parser.add_argument("--wrong", action="store_true", help="list what was not read right")
    parser.add_argument("--model", **MODEL_OPTION)
    return parser


def read_labels(folder: Path) -> dict[str, int]:
    """Read which digit each picture of a folder shows.

    Returns:
        The digit, 0 to 9, by the picture's path below the folder.

    Raises:
        LabelsError: If the table is missing, empty or not of this form, or if one of its
            pictures is missing.
    """
    try:
        with (folder / LABELS_FILE).open(encoding="utf-8", newline="") as table:
            labels = {row["file"]: DIGITS.index(row["label"]) for row in csv.DictReader(table)}
    except OSError as error:
        raise LabelsError(f"{folder / LABELS_FILE} cannot be read: {reason(error)}.") from None
    except (KeyError, ValueError):
        raise LabelsError(
            f"{folder / LABELS_FILE} must have the columns file and label, labels 0 to 9."
        ) from None
    if not labels:
        raise LabelsError(f"{folder / LABELS_FILE} lists no picture; add a line for each.")
    if missing := [file for file in labels if not os.path.exists(folder / file)]:
        raise LabelsError(f"{folder / missing[0]} does not exist; correct {LABELS_FILE}.")
    return labels


def read_all(reader: DigitReader, folder: Path, labels: dict[str, int]) -> pd.DataFrame:
    """Read all pictures.

    Returns:
        A row for each: "collection" (the first folder of its path, "." without one),
        "file", "label", "read" (all digits found, as text), "sure" (whether there are
        any and all are sure), "called none" (whether any is called no digit), "right".
    """
    rows = []
    for file, label in labels.items():
        digits = reader.read_file(str(folder / file)).digits
        read = "".join(str(digit.digit) for digit in digits)
        rows.append(
            {
                "collection": Path(file).parts[0] if len(Path(file).parts) > 1 else ".",
                "file": file,
                "label": label,
                "read": read,
                "sure": bool(digits) and all(digit.is_sure for digit in digits),
                "called none": any(digit.verdict == "no digit" for digit in digits),
                "right": read == str(label),
            }
        )
    return pd.DataFrame(rows)


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Count by collection and in total.

    Returns:
        A row for each collection and one for all, with "pictures", "right", "share (%)", how many
        of the right ones are "right but unsure" or "right but called none", and "sure but wrong".
    """
    results = results.assign(
        unsure=results["right"] & ~results["sure"] & ~results["called none"],
        none=results["right"] & results["called none"],
        misled=results["sure"] & ~results["right"],
    )
    groups = results.groupby("collection")
    table = pd.DataFrame(
        {
            "pictures": groups.size(),
            "right": groups["right"].sum(),
            "right but unsure": groups["unsure"].sum(),
            "right but called none": groups["none"].sum(),
            "sure but wrong": groups["misled"].sum(),
        }
    )
    table.loc["all"] = table.sum()
    table.insert(2, "share (%)", (100 * table["right"] / table["pictures"]).round(1))
    return table


if __name__ == "__main__":
    sys.exit(main())
