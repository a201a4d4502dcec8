"""Figures that more than one notebook draws, and the one style that all of them share.

The functions draw and return a figure; the notebook shows it.
"""

import io
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from PIL import Image
from sklearn.metrics import confusion_matrix

# Digits are drawn as ink on paper, which is easier on the eye than white on black.
INK = "gray_r"


def use_style() -> None:
    """Set seaborn's theme for all figures: colour-blind palette, text of 10 points, 80 dpi."""
    # Matplotlib brings this font, so figures look the same everywhere.
    sns.set_theme(style="whitegrid", palette="colorblind", font="DejaVu Sans", font_scale=0.95)
    plt.rcParams.update({"figure.dpi": 80, "figure.figsize": (8, 3.5), "axes.titlesize": 11})
    # Pixels with sharp edges: truer, and a third of the file size.
    plt.rcParams["image.interpolation"] = "nearest"


def with_palette(png: bytes) -> bytes:
    """Give a PNG file a palette of 64 colours: a quarter to a half of the size.

    Beyond a figure's own few colours there are only the soft edges of lines and letters, so
    the palette is off by less than a grey level on average, which nobody sees.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    smaller = io.BytesIO()
    picture.quantize(64, kmeans=1).save(smaller, "PNG", optimize=True)
    return smaller.getvalue()


def plot_digits(
    images: np.ndarray,
    titles: Sequence[str] | None = None,
    columns: int = 10,
    size: float = 0.9,
    value_range: tuple[float, float] = (0, 255),
) -> Figure:
    """Draw digits in a grid, dark on light, row by row.

    Args:
        images: (n, 28, 28) or (n, 28, 28, 1).
        titles: A caption for each image, or None.
        columns: Images in a row.
        size: Width of one image in inches.
        value_range: The values drawn as paper and as ink.
    """
    rows = -(-len(images) // columns)
    height = size * (1.35 if titles is not None else 1.05)
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * height), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.axis("off")
    shades = plt.get_cmap(INK, 16)  # More cannot be told apart at this size, and cost bytes.
    for index, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(np.squeeze(image), cmap=shades, vmin=value_range[0], vmax=value_range[1])
        if titles is not None:
            axis.set_title(titles[index], fontsize=10)
    return figure


def plot_answers(
    rows: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray], size: float = 0.85
) -> Figure:
    """Draw rows of ten images, 0 to 9, each with what was read; right answers are marked.

    The images are drawn as they are stored, 0 black and 255 white.

    Args:
        rows: The name of each row and its images, (10, 28, 28) or (10, 28, 28, 1).
        answers: For each name the answers, digits (10,) or probabilities (10, 10).
        size: Width of one image in inches.
    """
    figure, axes = plt.subplots(
        len(rows), 10, figsize=(10 * size, 1.45 * size * len(rows)), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    right, wrong = sns.color_palette("colorblind")[2:4]
    shades = plt.get_cmap("gray", 16)  # see `plot_digits`
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        given = np.asarray(answers[name])
        digits = given.argmax(axis=1) if given.ndim > 1 else given
        for digit, (axis, image) in enumerate(zip(line, images, strict=True)):
            is_right = digits[digit] == digit
            axis.imshow(np.squeeze(image), cmap=shades, vmin=0, vmax=255)
            axis.set_title(
                f"{digits[digit]:.0f} {'✓' if is_right else '✗'}",
                color=right if is_right else wrong,
            )
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def plot_epochs(
    history: pd.DataFrame,
    rows: Mapping[str, np.ndarray],
    answers: Mapping[str, Mapping[tuple[int, int], np.ndarray]],
    epochs: int,
) -> Figure:
    """Draw a training that may still run: its errors, and its answers to ten digits.

    Args:
        history: A row for each finished epoch, whose number from 1 is the index, with
            "accuracy" and, if there is a validation part, "val_accuracy", both 0 to 1. May be
            empty.
        rows: The name of each row and its images of 0 to 9, (10, 28, 28) or (10, 28, 28, 1),
            drawn as they are stored, 0 black and 255 white.
        answers: For each name the answers, (10,) digits, by the moment: the number of
            finished epochs and of batches since then.
        epochs: How many epochs there will be.
    """
    figure, (axis, *boxes) = plt.subplots(
        1, 1 + len(rows), figsize=(2.9 + 2.8 * len(rows), 3.8), layout="constrained"
    )
    styles = {"accuracy": ("o-", "training"), "val_accuracy": ("s--", "validation")}
    for measure in history.columns.intersection(list(styles)):
        style, name = styles[measure]
        axis.plot(history.index, 100 * (1 - history[measure]), style, label=name)
    axis.set(xlabel="epoch", ylabel="misread (%, log scale)", yscale="log")
    axis.set(xlim=(0.5, epochs + 0.5), xticks=range(1, epochs + 1))
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())
    if axis.lines:
        axis.legend()
    for box, (name, images) in zip(boxes, rows.items(), strict=True):
        _draw_answers(box, name, images, answers[name], epochs)
        box.tick_params(labelleft=box is boxes[0])
    return figure


def _draw_answers(
    axis: Axes,
    name: str,
    images: np.ndarray,
    answers: Mapping[tuple[int, int], np.ndarray],
    epochs: int,
) -> None:
    """Draw ten images, and below each its answers, a line for each moment."""
    colours = sns.color_palette("colorblind")
    moments = sorted({*answers, *((epoch, 0) for epoch in range(1, epochs + 1))})
    for digit, image in enumerate(images):
        place = (digit - 0.45, digit + 0.45, -0.6, -2.2)
        axis.imshow(np.squeeze(image), cmap="gray", vmin=0, vmax=255, extent=place)
        for moment, given in answers.items():
            is_right = given[digit] == digit
            style = {"color": colours[2]} if is_right else {"color": colours[3], "weight": "bold"}
            line = moments.index(moment)
            axis.text(digit, line, given[digit], ha="center", va="center", **style)
    axis.set(xlim=(-0.5, 9.5), ylim=(len(moments) - 0.4, -2.2), aspect="auto", xticks=[])
    axis.set(yticks=range(len(moments)), yticklabels=map(_moment, moments), title=name)
    axis.tick_params(axis="y", labelsize=9)
    axis.grid(visible=False)


def _moment(moment: tuple[int, int]) -> str:
    epoch, batches = moment
    if epoch:
        return f"epoch {epoch}"
    return f"{batches} batches" if batches else "at first"


def plot_folds(scores: Sequence[Mapping[int, float]], epochs: int) -> Figure:
    """Draw how many digits each fold of a cross-validation misreads; it may still run.

    The figure is none of pyplot's, so another thread than the main one may draw it, too.

    Args:
        scores: For each fold its validation accuracy, 0 to 1, by epoch, from 1.
        epochs: How many epochs there will be.
    """
    figure = Figure(figsize=(6, 2.8), layout="constrained")
    axis = figure.subplots()
    for fold, by_epoch in enumerate(scores, start=1):
        wrong = [100 * (1 - score) for score in by_epoch.values()]
        marker = "osD^v"[fold % 5 - 1]
        axis.plot(list(by_epoch), wrong, marker + "-", ms=6, label=f"fold {fold}")
    axis.set(xlabel="epoch", ylabel="wrong in the fold\n(%, log scale)", yscale="log")
    axis.set(xlim=(0.8, epochs + 0.2), xticks=range(1, epochs + 1))
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())
    axis.legend(ncols=2)
    return figure


def plot_confusion(labels: np.ndarray, predictions: np.ndarray) -> Figure:
    """Draw how often each digit was taken for another; right answers are left blank.

    Args:
        labels: (n,) integers, 0 to 9.
        predictions: (n,) integers, 0 to 9.
    """
    counts = confusion_matrix(labels, predictions, labels=np.arange(10))
    figure, axis = plt.subplots(figsize=(5, 4.4), layout="constrained")
    right_answers = np.eye(10, dtype=bool)
    sns.heatmap(
        counts, mask=right_answers, annot=True, fmt="d", cmap="rocket_r", ax=axis, linewidths=0.5,
        cbar=False,
    )  # fmt: skip
    axis.grid(visible=False)
    axis.set(xlabel="predicted digit", ylabel="true digit")
    return figure


def plot_probabilities(probabilities: np.ndarray, axis: Axes) -> None:
    """Draw the ten probabilities of one image as bars, the most probable one darker.

    Args:
        probabilities: (10,), summing to 1.
        axis: Where to draw.
    """
    colours = sns.color_palette("colorblind")
    bars = axis.bar(range(10), probabilities, color=colours[9])
    bars[int(np.argmax(probabilities))].set_color(colours[0])
    axis.set(ylim=(0, 1), xticks=range(10), xlabel="digit", ylabel="probability")
