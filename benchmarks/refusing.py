"""Chooses the probability that makes an answer sure: `python -m benchmarks.refusing`, ten minutes.

A network is trained on 50,000 digits, then reads the other 10,000, as pictures, and pictures
without a digit. Each threshold refuses some of both. The chosen one is the highest that
refuses at most 2 % of the digits: any answer below it is called unsure. It is printed; put it
into `helpers.reading.digits` by hand.
"""

import tempfile
from pathlib import Path

from benchmarks.entries import held_out
from benchmarks.machine import machine
from benchmarks.not_digits import KINDS, make_pictures
from benchmarks.reading import pasted_at_ten_times_its_size
from benchmarks.results import store
from helpers import places
from helpers.data import load_mnist
from helpers.errors import ending_in_one_sentence
from helpers.learning.saving import export_litert
from helpers.learning.training import BEST, train
from helpers.plots import use_style
from helpers.reading.digits import SURE, Digit
from helpers.reading.network import Network
from helpers.reading.pictures import PictureError
from helpers.reading.reader import DigitReader

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image

PICTURES_OF_A_KIND = 1_000
SEED = 0
MOST_REFUSED = 0.02  # of the digits
THRESHOLDS = np.round(np.arange(0.3, 1.0, 0.01), 2)


def read_or_none(reader: DigitReader, picture: Image.Image) -> list[Digit]:
    """Read a picture; return no digits if it is refused as a whole."""
    try:
        return reader.read(picture)
    except PictureError:
        return []


def least_sure(digits: list[Digit]) -> float:
    """The lowest probability on a page of digits; 0 if none was found."""
    return min((digit.probability for digit in digits), default=0.0)


def most_sure(digits: list[Digit]) -> float:
    """The highest probability on a page without digits; 0 if none was found."""
    return max((digit.probability for digit in digits), default=0.0)


def read_everything(
    reader: DigitReader, images: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read held-out digits and pictures of no digits.

    Args:
        reader: Reads with a network that has learned from neither.
        images: The digits, (n, 28, 28) uint8.

    Returns:
        The arguments of `count_mistakes`.
    """
    digit_pages = map(pasted_at_ten_times_its_size, images)
    digits = np.array([least_sure(read_or_none(reader, page)) for page in digit_pages])
    others = {}
    for kind in KINDS:
        pages = make_pictures(kind, PICTURES_OF_A_KIND, SEED)
        others[kind] = np.array([most_sure(read_or_none(reader, page)) for page in pages])
    return digits, others


def count_mistakes(digits: np.ndarray, others: dict[str, np.ndarray]) -> pd.DataFrame:
    """Count both kinds of mistake for each threshold.

    Args:
        digits: The least probability in each picture of a digit, (n,), 0 to 1.
        others: For each kind of picture without a digit the greatest probability in each,
            (m,).

    Returns:
        A row for each of `THRESHOLDS`: "threshold", "digits refused" and, for each
        kind, the share of its pictures that pass for a digit, all 0 to 1.
    """
    return pd.DataFrame(
        {
            "threshold": THRESHOLDS,
            "digits refused": [(digits < threshold).mean() for threshold in THRESHOLDS],
            **{
                f"{kind} read": [(passed >= threshold).mean() for threshold in THRESHOLDS]
                for kind, passed in others.items()
            },
        }
    )


def choose_threshold(mistakes: pd.DataFrame) -> float:
    """The highest threshold that refuses at most `MOST_REFUSED` of the digits."""
    return float(mistakes.loc[mistakes["digits refused"] <= MOST_REFUSED, "threshold"].max())


def plot_mistakes(mistakes: pd.DataFrame, chosen: float) -> Figure:
    """Draw what passes for a digit against the digits that are refused, a line for each kind."""
    figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
    colours = sns.color_palette("colorblind")
    at = mistakes[mistakes["threshold"] == chosen].iloc[0]
    for kind, colour, marker in zip(KINDS, colours, "osD^v", strict=False):
        axis.plot(
            100 * mistakes["digits refused"], 100 * mistakes[f"{kind} read"],
            color=colour, marker=marker, markevery=5, markersize=5, label=kind,
        )  # fmt: skip
    axis.axvline(100 * at["digits refused"], color="0.4", ls=":", label=f"threshold {chosen:.2f}")
    axis.set(
        xlim=(0, 8), ylim=(-2, 102),
        xlabel="digits called unsure or not found, in %",
        ylabel="no digits, but read as sure, in %",
    )  # fmt: skip
    axis.legend(fontsize=9)
    return figure


def main() -> None:
    """Train, read, choose, store, draw."""
    with ending_in_one_sentence():
        images, labels, (held_images, _) = held_out(load_mnist(full=True))
    model, _ = train(images, labels, SEED, BEST)
    with tempfile.TemporaryDirectory() as folder:
        export_litert(model, Path(folder) / "digits.tflite")
        reader = DigitReader(Network(Path(folder) / "digits.tflite"))
        digits, others = read_everything(reader, held_images[..., 0])
    mistakes = count_mistakes(digits, others)
    chosen = choose_threshold(mistakes)
    print(mistakes[::5].round(4).to_string(index=False))
    print(f"\nchosen: {chosen:.2f}; in use: {SURE:.2f} (helpers.reading.digits.SURE)")
    store("refusing", {"refusing": [row | machine() for row in mistakes.to_dict("records")]})
    use_style()
    plot_mistakes(mistakes, chosen).savefig(places.images_folder() / "refusing.png", dpi=110)


if __name__ == "__main__":
    main()
