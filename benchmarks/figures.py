"""Draws the two figures of the README: error against time, accuracy against size.

They show the tables in `results/`; nothing is measured here.
"""

from pathlib import Path

from benchmarks.results import RESULTS, load
from helpers import places
from helpers.plots import use_style

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

LITERATURE = Path(__file__).parent / "literature.csv"
MARKERS = "osD^<>vPX*"
OURS = {"dash", "sprint", "quick", "tiny", "best"}
NAMES = {
    "published": "project it grew out of",
    "keras-example": "Keras' example",
    "one-epoch": "train_mnist_fast",
    "pytorch-example": "PyTorch's example",
    "dash": "ours, dash",
    "sprint": "ours, sprint",
    "quick": "ours, quick",
    "tiny": "ours, tiny",
    "best": "ours, best",
}


def plot_error_against_time(epochs: pd.DataFrame) -> Figure:
    """Draw the test error after each epoch against the seconds spent, one line for each recipe.

    Args:
        epochs: The table "epochs", of which the first seed of each entry is drawn.
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
    axis.set_xticks([5, 10, 30, 100, 300, 1000], ["5", "10", "30", "100", "300", "1000"])
    axis.set_xticks([], minor=True)
    axis.legend(fontsize=9, loc="lower left", bbox_to_anchor=(1.0, 0.0))
    return figure


def plot_accuracy_against_size(literature: pd.DataFrame, trainings: pd.DataFrame) -> Figure:
    """Draw published accuracies and ours against the number of parameters.

    Args:
        literature: The published points: "name", "parameters", "epochs", "accuracy" and
            "std" in %.
        trainings: The table "trainings"; drawn is the mean over seeds for each of our recipes.
    """
    figure, axis = plt.subplots(figsize=(8, 3.8), layout="constrained")
    ours = trainings[trainings["entry"].isin(OURS)].groupby("entry")
    measured = ours[["parameters", "epoch"]].first().rename(columns={"epoch": "epochs"})
    measured["accuracy"] = 100 * ours["accuracy"].mean()
    measured["std"] = 100 * ours["accuracy"].std()
    measured["name"] = [NAMES[entry].split(", ")[1] for entry in measured.index]
    colours = sns.color_palette("colorblind")
    for points, label, colour, marker, side in (
        (literature, "published", colours[1], "s", 1),
        (measured, "this series", colours[0], "o", -1),
    ):
        axis.errorbar(
            points["parameters"], points["accuracy"], yerr=points["std"].fillna(0), fmt=marker,
            color=colour, capsize=4, label=f"{label}, ± standard deviation if known",
        )  # fmt: skip
        for point in points.itertuples():
            axis.annotate(
                f"{point.name}, {point.epochs} epochs".replace(" 1 epochs", " 1 epoch"),
                (point.parameters, point.accuracy), xytext=(8 * side, 0),
                textcoords="offset points", ha="left" if side > 0 else "right", va="center",
                fontsize=9, zorder=1, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip
    axis.set(
        xscale="log", xlim=(1.5e3, 2e7), ylim=(98.9, 99.8),
        xlabel="parameters (log scale)", ylabel="test accuracy in %",
    )  # fmt: skip
    axis.legend(fontsize=9, loc="center right")
    return figure


def draw_figures(results: Path = RESULTS, folder: Path | None = None) -> None:
    """Draw both figures as PNG into a folder, by default `images`."""
    folder = folder or places.images_folder()
    use_style()
    figures = {
        "error_against_time.png": plot_error_against_time(load("epochs", results)),
        "accuracy_against_size.png": plot_accuracy_against_size(
            pd.read_csv(LITERATURE), load("trainings", results)
        ),
    }
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=110)
        plt.close(figure)
