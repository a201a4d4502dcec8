"""Measures how networks read corrupted digits: `python -m benchmarks.corruptions PATH`, 15 minutes.

PATH is MNIST-C (Mu and Gilmer 2019, arXiv:1906.02337): its folder as published, or a `.npz` file
with "labels", "identity" (the clean digits) and an array for each corruption, (n, 28, 28) uint8.
By the rule of that benchmark, nothing is trained on its corruptions, and nothing is chosen by them.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks import recipes
from benchmarks.machine import in_fresh_process, machine
from benchmarks.measuring import Scoreboard
from benchmarks.results import store
from helpers import places
from helpers.data import NOT_READABLE, load_mnist
from helpers.errors import UserError, ending_in_one_sentence
from helpers.learning.training import QUICK
from helpers.plots import use_style
from helpers.reading.network import Network
from helpers.reading.pictures import PictureError
from helpers.reading.reader import DigitReader

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image

CLEAN = "identity"
UNREAD = -1
SHIPS, READ = "the network that ships", "the same, through predict.py --one"
# Whole trainings on MNIST, with the epochs of their recipes.
TRAININGS: dict[str, tuple[Callable, int]] = {
    "the project that this series grew out of": (recipes.train_published, 10),
    "Keras' example": (recipes.train_keras_example, 15),
    "tuomaso's epoch": (recipes.train_one_epoch, 1),
    "ours, quick": (partial(recipes.train_ours, recipe=QUICK), QUICK.epochs),
}
# Maps images (n, 28, 28) uint8 to digits (n,), `UNREAD` where none is found.
Reader = Callable[[np.ndarray], np.ndarray]


class CorruptionsError(UserError):
    """A collection of corrupted digits cannot be used."""


def load_corruptions(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Load MNIST-C.

    Args:
        path: Its folder as published, `<corruption>/test_images.npy` and `test_labels.npy`,
            or a `.npz` file with an array for each corruption and "labels".

    Returns:
        Images (n, 28, 28) uint8 by corruption, the clean ones as "identity", and labels (n,).

    Raises:
        CorruptionsError: If the path holds anything else.
    """
    try:
        arrays = _from_folder(path) if path.is_dir() else _from_archive(path)
        labels = arrays.pop("labels")
        corruptions = {name: images.reshape(len(labels), 28, 28) for name, images in arrays.items()}
    except NOT_READABLE as error:
        raise CorruptionsError(
            f"{path} is not MNIST-C: {error}; name its folder or file."
        ) from None
    if CLEAN not in corruptions or len(corruptions) < 2:
        raise CorruptionsError(f"{path} must hold the clean digits, {CLEAN}, and corruptions.")
    return corruptions, labels


def _from_folder(path: Path) -> dict[str, np.ndarray]:
    files = sorted(path.glob("*/test_images.npy"))
    arrays = {file.parent.name: np.load(file, allow_pickle=False) for file in files}
    labels = np.load(path / CLEAN / "test_labels.npy", allow_pickle=False)
    return arrays | {"labels": labels}


def _from_archive(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def read_pictures(reader: DigitReader, images: np.ndarray) -> np.ndarray:
    """Read images as pictures of one digit each, as `predict.py --one` does."""

    def read(image: np.ndarray) -> int:
        try:
            return reader.read(Image.fromarray(image), single=True)[0].digit
        except PictureError:
            return UNREAD

    return np.array(list(map(read, images)))


def read_directly(network: Network, images: np.ndarray) -> np.ndarray:
    """Read images with the network alone."""
    return network.predict(images).argmax(axis=1)


def score(read: Reader, path: Path) -> list[dict]:
    """Score a reader on all corruptions: a row for each, with "corruption" and "accuracy"."""
    corruptions, labels = load_corruptions(path)
    return [
        {"corruption": name, "accuracy": float(np.mean(read(images) == labels))}
        for name, images in corruptions.items()
    ]


def train_and_score(name: str, path: Path) -> list[dict]:
    """Train by one of `TRAININGS` on full MNIST, and score the network after its last epoch."""
    mnist = load_mnist(full=True)
    train_by, epochs = TRAININGS[name]
    board = Scoreboard(mnist.x_test[..., None], mnist.y_test)
    train_by(mnist.x_train[..., None], mnist.y_train, 0, epochs, board)
    return score(lambda images: board.predict(images[..., None]).argmax(axis=1), path)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise scores, in %.

    Args:
        table: A row for each reader and corruption: "entry", "corruption", "accuracy" (0 to 1).

    Returns:
        A row for each reader: "clean", "mean" and "worst" over the corruptions, "worst is", and a
        column for each corruption.
    """
    by_reader = 100 * table.pivot(index="entry", columns="corruption", values="accuracy")
    corrupted = by_reader.drop(columns=CLEAN)
    summary = pd.DataFrame(
        {
            "clean": by_reader[CLEAN],
            "mean": corrupted.mean(axis=1),
            "worst": corrupted.min(axis=1),
            "worst is": corrupted.idxmin(axis=1),
        }
    )
    return summary.join(corrupted).loc[table["entry"].unique()]


def plot_clean_against_corrupted(summary: pd.DataFrame) -> Figure:
    """Draw the mean error on corrupted digits against the error on clean ones."""
    figure, axis = plt.subplots(figsize=(7.5, 3.8), layout="constrained")
    colours, markers = sns.color_palette("colorblind"), "osD^vPX*"
    for index, (name, row) in enumerate(summary.iterrows()):
        axis.plot(
            100 - row["clean"], 100 - row["mean"], ls="", marker=markers[index],
            markersize=8, color=colours[index], label=name,
        )  # fmt: skip
    axis.set(
        xscale="log", yscale="log", xlabel="error on clean digits in % (log scale)",
        ylabel="mean error on corrupted\ndigits in % (log scale)",
    )  # fmt: skip
    for ticks, values in ((axis.set_xticks, [0.3, 0.5, 1, 2]), (axis.set_yticks, [3, 5, 10, 20])):
        ticks(values, [f"{value:g}" for value in values])
        ticks([], minor=True)
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, train, score, store and draw."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.corruptions",
        description="Measure how networks read corrupted digits.",
    )
    parser.add_argument(
        "path", metavar="PATH", type=Path, help="MNIST-C: its folder, or a .npz file"
    )
    parser.add_argument("--ships", action="store_true", help="only the network that ships")
    options = parser.parse_args(arguments)
    with ending_in_one_sentence():
        load_corruptions(options.path)
        network = Network()
        rows = {
            SHIPS: score(partial(read_directly, network), options.path),
            READ: score(partial(read_pictures, DigitReader(network)), options.path),
        }
        if not options.ships:
            for name in TRAININGS:
                print(f"{name} ...", flush=True)
                rows[name] = in_fresh_process(train_and_score, name, options.path)
    for name, scores in rows.items():
        store(name, {"corruptions": [row | machine() for row in scores]})
    table = pd.DataFrame([{"entry": name} | row for name in rows for row in rows[name]])
    summary = summarise(table)
    print(summary.round(1).to_string())
    if not options.ships:
        use_style()
        figure = plot_clean_against_corrupted(summary.drop(index=READ))
        figure.savefig(places.images_folder() / "clean_against_corrupted.png", dpi=110)


if __name__ == "__main__":
    main()
