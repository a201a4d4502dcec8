"""Draws the two figures of the README: error against time, accuracy against size."""

from pathlib import Path

from benchmarks.results import RESULTS, load
from helpers.plots import use_style

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

IMAGES = Path(__file__).parent.parent / "images"
LITERATURE = Path(__file__).parent / "literature.csv"
MARKERS = "osD^vPX*"
OURS = {"sprint", "quick", "best"}
NAMES = {
    "published": "project it grew out of",
    "keras-example": "Keras' example",
    "one-epoch": "train_mnist_fast",
    "pytorch-example": "PyTorch's example",
    "sprint": "ours, one epoch",
    "quick": "ours, quick",
    "best": "ours, best",
}


def plot_error_against_time(epochs: pd.DataFrame) -> Figure:
    """Draw the test error after each epoch against the seconds spent, a line a recipe.

    Args:
        epochs: The table "epochs"; of each entry the first seed is drawn.
    """
    figure, axis = plt.subplots(figsize=(8, 4.2), layout="constrained")
    colours = sns.color_palette("colorblind")
    present = [name for name in NAMES if name in set(epochs["entry"])]
    for index, name in enumerate(present):
        curve = epochs[(epochs["entry"] == name) & (epochs["seed"] == 0)]
        axis.plot(
            curve["seconds"], 100 * (1 - curve["accuracy"]),
            marker=MARKERS[index], markersize=5, color=colours[index], label=NAMES[name],
            lw=2.2 if name in OURS else 1.2, ls="-" if name in OURS else "--",
        )  # fmt: skip
    axis.set(
        xscale="log", yscale="log",
        xlabel="seconds of training (log scale)", ylabel="test error in % (log scale)",
    )  # fmt: skip
    axis.set_yticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"], minor=False)
    axis.set_yticks([], minor=True)
    axis.set_xticks([10, 30, 100, 300], ["10", "30", "100", "300"])
    axis.set_xticks([], minor=True)
    axis.legend(fontsize=9, loc="lower left", bbox_to_anchor=(1.0, 0.0))
    return figure


def plot_accuracy_against_size(literature: pd.DataFrame, card: dict) -> Figure:
    """Draw published accuracies and ours against the number of parameters.

    Args:
        literature: The published points: "name", "parameters", "accuracy" and "std" in %.
        card: The model card of the network that ships.
    """
    figure, axis = plt.subplots(figsize=(8, 3.8), layout="constrained")
    colours = sns.color_palette("colorblind")
    axis.errorbar(
        literature["parameters"], literature["accuracy"], yerr=literature["std"].fillna(0),
        fmt="s", color=colours[1], capsize=4, label="published, ± standard deviation if given",
    )  # fmt: skip
    for point in literature.itertuples():
        axis.annotate(
            f"{point.name}, {point.epochs} epochs".replace("1 epochs", "1 epoch"),
            (point.parameters, point.accuracy), xytext=(0, -16), textcoords="offset points",
            ha="center", fontsize=9,
        )  # fmt: skip
    scores = card["test accuracy"]
    ours = (card["parameters"], 100 * scores["mean"])
    axis.errorbar(
        *ours, yerr=100 * scores["std"], fmt="o", color=colours[0], capsize=4, ms=8, label="ours"
    )
    axis.annotate(
        f"this series, {card['recipe']['epochs']} epochs", ours, xytext=(0, 12),
        textcoords="offset points", ha="center", fontsize=9,
    )  # fmt: skip
    axis.set(
        xscale="log", xlim=(4e4, 4e6), ylim=(98.9, 99.85),
        xlabel="parameters (log scale)", ylabel="test accuracy in %",
    )  # fmt: skip
    axis.legend(fontsize=9, loc="lower left")
    return figure


def draw_figures(card: dict, results: Path = RESULTS, folder: Path = IMAGES) -> None:
    """Draw both figures into a folder, as PNG."""
    use_style()
    figures = {
        "error_against_time.png": plot_error_against_time(load("epochs", results)),
        "accuracy_against_size.png": plot_accuracy_against_size(pd.read_csv(LITERATURE), card),
    }
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=110)
        plt.close(figure)
