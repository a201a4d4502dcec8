"""Chooses what is called no digit: `python -m benchmarks.refusing`, 20 minutes.

A network is trained on 50,000 digits, and so is its head, which says how much a picture is like a
digit. They read the other 10,000, as pictures, and pictures without a digit. Each threshold of the
likeness refuses some of both. The chosen one is the highest that, together with `SURE`, refuses at
most `MOST_REFUSED` of the digits. It is printed; put it into `helpers.reading.digits` by hand.

The head has learned from drawings of `helpers.series.outliers`, and among the pictures without a
digit here are printed letters, too. So name a folder of real characters, which it cannot know:
`--characters FOLDER`. With `--ships` only these are read, by the network that ships.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.custom_digits import LABELS_FILE
from benchmarks.entries import held_out
from benchmarks.machine import machine
from benchmarks.not_digits import KINDS, make_pictures
from benchmarks.reading import pasted_at_ten_times_its_size
from benchmarks.results import store
from helpers import places
from helpers.data import load_mnist
from helpers.errors import UserError, ending_in_one_sentence, reason
from helpers.learning.likeness import with_head
from helpers.learning.saving import export_litert
from helpers.learning.training import BEST, train
from helpers.plots import use_style
from helpers.reading.digits import LIKE_A_DIGIT, SURE, Digit
from helpers.reading.network import Network
from helpers.reading.pictures import PictureError, open_picture
from helpers.reading.reader import DigitReader
from helpers.series.shipping import train_its_head

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image

PICTURES_OF_A_KIND = 1_000
SEED = 0
MOST_REFUSED = 0.01  # of the digits
THRESHOLDS = np.round(np.arange(0, 1.0, 0.01), 2)
# Which real characters count, by the column "like" of their table; the others look like digits.
CHARACTERS = {"": "real letters", "unknown": "real signs of other scripts"}

# For each picture, likeness and probability of what was found in it: (found, 2) float.
Pages = list[np.ndarray]


class CharactersError(UserError):
    """The folder of real characters cannot be used."""


def read_characters(folder: Path) -> dict[str, list[Image.Image]]:
    """Open the pictures of real characters that are unlike any digit.

    Args:
        folder: Holds a table labels.csv with the columns file and like: empty for a letter unlike
            any digit, unknown for a sign of another script. Other rows are left out.

    Returns:
        The pictures, by what `CHARACTERS` calls them.

    Raises:
        CharactersError: If the table is missing or not of this form.
        PictureError: If one of its pictures cannot be read.
    """
    try:
        with (folder / LABELS_FILE).open(encoding="utf-8", newline="") as table:
            rows = [(row["file"], row["like"]) for row in csv.DictReader(table)]
    except OSError as error:
        raise CharactersError(f"{folder / LABELS_FILE} cannot be read: {reason(error)}.") from None
    except (KeyError, ValueError):
        raise CharactersError(
            f"{folder / LABELS_FILE} must have the columns file and like."
        ) from None
    return {
        name: [open_picture(folder / file) for file, its_like in rows if its_like == like]
        for like, name in CHARACTERS.items()
    }


def read_pages(reader: DigitReader, pictures: Iterable[Image.Image], single: bool = False) -> Pages:
    """Read pictures, each as one digit if asked to; nothing is found in one that is refused."""
    pages = []
    for picture in pictures:
        try:
            digits: list[Digit] = reader.read(picture, single)
        except PictureError:
            digits = []
        found = [(digit.likeness, digit.probability) for digit in digits]
        pages.append(np.array(found).reshape(-1, 2))
    return pages


def refused(pages: Pages, likeness: float, probability: float) -> float:
    """The share of the pages on which anything lies below a threshold, or nothing was found."""
    return float(
        np.mean([not len(page) or not _passes(page, likeness, probability).all() for page in pages])
    )


def passing(pages: Pages, likeness: float, probability: float) -> float:
    """The share of the pages on which anything passes for a digit, and is sure."""
    return float(np.mean([_passes(page, likeness, probability).any() for page in pages]))


def _passes(page: np.ndarray, likeness: float, probability: float) -> np.ndarray:
    return (page[:, 0] >= likeness) & (page[:, 1] >= probability)


def choose_likeness(digits: Pages) -> float:
    """The highest threshold of the likeness that refuses at most `MOST_REFUSED` of the digits."""
    return float(max(t for t in THRESHOLDS if refused(digits, t, SURE) <= MOST_REFUSED))


def count_mistakes(digits: Pages, others: dict[str, Pages]) -> pd.DataFrame:
    """Count both kinds of mistake for each threshold of the likeness.

    Args:
        digits: Pages with one digit each.
        others: Pages without, by their kind.

    Returns:
        A row for each of `THRESHOLDS`: "threshold", "digits called none", "digits refused"
        and, for each kind, the share of its pictures that pass for a digit, all 0 to 1.
    """
    return pd.DataFrame(
        {
            "threshold": THRESHOLDS,
            "digits called none": [refused(digits, at, 0.0) for at in THRESHOLDS],
            "digits refused": [refused(digits, at, SURE) for at in THRESHOLDS],
            **{
                f"{kind} read": [passing(pages, at, SURE) for at in THRESHOLDS]
                for kind, pages in others.items()
            },
        }
    )


def plot_mistakes(mistakes: pd.DataFrame, chosen: float) -> Figure:
    """Draw what passes for a digit against the digits that are refused, a line for each kind."""
    figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
    colours = sns.color_palette("colorblind")
    at = mistakes[mistakes["threshold"] == chosen].iloc[0]
    kinds = [name.removesuffix(" read") for name in mistakes if name.endswith(" read")]
    for kind, colour, marker in zip(kinds, colours, "osD^vPX", strict=False):
        axis.plot(
            100 * mistakes["digits refused"], 100 * mistakes[f"{kind} read"],
            color=colour, marker=marker, markevery=5, markersize=5, label=kind,
        )  # fmt: skip
    axis.axvline(100 * at["digits refused"], color="0.4", ls=":", label=f"likeness {chosen:.2f}")
    axis.set(
        xlim=(0, 8), ylim=(-1, 41),
        xlabel="digits called unsure or none, or not found, in %",
        ylabel="no digits, but read as sure, in %",
    )  # fmt: skip
    axis.legend(fontsize=9)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, read, choose, store, draw."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.refusing",
        description="Choose what is called no digit.",
    )
    parser.add_argument(
        "--characters",
        metavar="FOLDER",
        type=Path,
        help=f"real characters, listed in {LABELS_FILE} with the columns file and like",
    )
    parser.add_argument(
        "--ships", action="store_true", help="only read the characters, with the network that ships"
    )
    options = parser.parse_args(arguments)
    if options.ships and not options.characters:
        parser.error("--ships needs --characters FOLDER")
    with ending_in_one_sentence():
        characters = read_characters(options.characters) if options.characters else {}
        if options.ships:
            print(what_passes(DigitReader(), characters).round(3).to_string())
            return
        images, labels, (held_images, _) = held_out(load_mnist(full=True))
    model, _ = train(images, labels, SEED, BEST)
    head = train_its_head(model, images[..., 0], labels)
    with tempfile.TemporaryDirectory() as folder:
        export_litert(with_head(model, head), Path(folder) / "digits.tflite")
        reader = DigitReader(Network(Path(folder) / "digits.tflite"))
        judge(reader, held_images[..., 0], characters)


def what_passes(reader: DigitReader, characters: dict[str, list[Image.Image]]) -> pd.DataFrame:
    """The share of characters that pass for sure digits, found on the page and with `--one`.

    Returns:
        A row for each kind of `characters`, with the columns "pictures", "read", "read with --one".
    """
    return pd.DataFrame(
        {
            kind: {
                "pictures": len(pictures),
                "read": passing(read_pages(reader, pictures), LIKE_A_DIGIT, SURE),
                "read with --one": passing(
                    read_pages(reader, pictures, single=True), LIKE_A_DIGIT, SURE
                ),
            }
            for kind, pictures in characters.items()
        }
    ).T


def judge(
    reader: DigitReader, images: np.ndarray, characters: dict[str, list[Image.Image]]
) -> None:
    """Read held-out digits and what is none, choose the threshold, store and draw what it costs.

    Args:
        reader: Reads with a network and a head that have learned from none of them.
        images: The digits, (n, 28, 28) uint8.
        characters: Real characters by their kind.
    """
    digits = read_pages(reader, map(pasted_at_ten_times_its_size, images))
    drawn = {kind: make_pictures(kind, PICTURES_OF_A_KIND, SEED) for kind in KINDS}
    others = {kind: read_pages(reader, made) for kind, made in (characters | drawn).items()}
    likeness = choose_likeness(digits)
    mistakes = count_mistakes(digits, others)
    print(mistakes[::5].round(4).to_string(index=False))
    print(
        f"\nchosen: likeness {likeness:.2f}; in use: {LIKE_A_DIGIT:.2f} "
        "(helpers.reading.digits.LIKE_A_DIGIT)"
    )
    store("refusing", {"refusing": [row | machine() for row in mistakes.to_dict("records")]})
    use_style()
    plot_mistakes(mistakes, likeness).savefig(places.images_folder() / "refusing.png", dpi=110)


if __name__ == "__main__":
    main()
