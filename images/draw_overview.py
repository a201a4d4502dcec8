"""Draws `images/overview.png`, the picture of the README: `python images/draw_overview.py`.

A network that has seen nothing but MNIST reads the same ten photos twice: squeezed to 28 × 28
pixels, and prepared the way MNIST was.
"""

import io
from collections.abc import Sequence
from pathlib import Path

from helpers.places import MNIST_ONLY_LITERT
from helpers.plots import use_style, with_palette
from helpers.reading.network import Network
from helpers.reading.pictures import open_picture
from helpers.reading.preparation import prepare_digit

import matplotlib.pyplot as plt
import numpy as np

FOLDER = Path(__file__).parent


def main() -> None:
    """Read the ten digits both ways and draw what the network saw and said."""
    photos = [open_picture(FOLDER / f"digit_{digit}.png") for digit in range(10)]
    squeezed = np.stack([np.asarray(photo.resize((28, 28)), np.uint8) for photo in photos])
    prepared = np.stack([prepare_digit(photo) for photo in photos])
    network = Network(MNIST_ONLY_LITERT)
    use_style()
    figure, axes = plt.subplots(3, 10, figsize=(10, 3.6), layout="constrained", dpi=100)
    rows: tuple[tuple[str, Sequence], ...] = (
        ("the photo", photos),
        ("squeezed", list(squeezed)),
        ("prepared\nlike MNIST", list(prepared)),
    )
    for row, (name, pictures) in zip(axes, rows, strict=True):
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for axis, picture in zip(row, pictures, strict=True):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
    for row, images in ((axes[1], squeezed), (axes[2], prepared)):
        for digit, reading in enumerate(network.predict(images).argmax(axis=1)):
            mark, colour = ("✓", "C2") if reading == digit else ("✗", "C3")
            row[digit].set_title(f"{reading} {mark}", color=colour, fontsize=12)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    (FOLDER / "overview.png").write_bytes(with_palette(drawn.getvalue()))


if __name__ == "__main__":
    main()
