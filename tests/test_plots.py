from helpers.plots import (
    plot_answers,
    plot_confusion,
    plot_digits,
    plot_epochs,
    plot_probabilities,
    use_style,
)

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest


@pytest.fixture(autouse=True)
def own_figures():
    with plt.rc_context():
        yield
    plt.close("all")


def drawn(figure):
    """The images of a figure in reading order."""
    return [axis.images[0] for axis in figure.axes if axis.images]


@pytest.mark.parametrize("channel", [(), (1,)], ids=["without channel", "with channel"])
def test_digits_are_drawn_row_by_row_and_upright(channel):
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 28, *channel), np.uint8)
    figure = plot_digits(images, columns=3)
    for shown, image in zip(drawn(figure), images, strict=True):
        np.testing.assert_array_equal(shown.get_array(), image.reshape(28, 28))
        assert shown.origin == "upper"
    assert len(figure.axes) == 9
    first, fourth = figure.axes[0].get_subplotspec(), figure.axes[3].get_subplotspec()
    assert (fourth.rowspan.start, fourth.colspan.start) == (1, 0)
    assert first.rowspan.start == 0


def test_places_without_a_digit_stay_empty():
    figure = plot_digits(np.zeros((2, 28, 28)), columns=5)
    assert len(drawn(figure)) == 2
    assert not any(axis.axison for axis in figure.axes)


def test_ink_is_dark_and_paper_light_whatever_the_image_holds():
    faint = np.full((1, 28, 28), 128, np.uint8)
    (shown,) = drawn(plot_digits(faint))
    paper, middle, ink = shown.cmap(shown.norm(np.array([0, 128, 255])))[:, 0]
    assert (paper, ink) == (1.0, 0.0)
    assert 0.4 < middle < 0.6


def test_the_range_of_values_can_be_given():
    (shown,) = drawn(plot_digits(np.zeros((1, 28, 28)), value_range=(-0.4, 2.8)))
    assert shown.get_clim() == (-0.4, 2.8)


def test_each_digit_gets_its_own_title():
    figure = plot_digits(np.zeros((3, 28, 28)), titles=["seven", "two", "one"], columns=2)
    assert [axis.get_title() for axis in figure.axes] == ["seven", "two", "one", ""]


def test_a_running_training_shows_its_errors_and_its_answers():
    history = pd.DataFrame({"accuracy": [0.6, 0.8], "val_accuracy": [0.9, 0.95]}, index=[2, 3])
    answers = {(0, 50): np.zeros(10, int), (3, 0): np.arange(10)}
    images = np.zeros((10, 28, 28))
    figure = plot_epochs(history, {"yours": images}, {"yours": answers}, epochs=5)
    curve, box = figure.get_axes()
    training, validation = curve.lines
    assert (training.get_label(), validation.get_label()) == ("training", "validation")
    np.testing.assert_allclose(training.get_xydata(), [[2, 40], [3, 20]])
    np.testing.assert_allclose(validation.get_xydata(), [[2, 10], [3, 5]])
    assert curve.get_xlim() == (0.5, 5.5)
    shown = {text.get_position(): (text.get_text(), text.get_color()) for text in box.texts}
    assert len(shown) == 20 and len(box.images) == 10
    names = [label.get_text() for label in box.get_yticklabels()]
    assert names == ["50 batches", *(f"epoch {epoch}" for epoch in range(1, 6))]
    assert [shown[digit, 0][0] for digit in range(10)] == ["0"] * 10
    assert [shown[digit, 3][0] for digit in range(10)] == [str(digit) for digit in range(10)]
    right, wrong = shown[0, 0][1], shown[1, 0][1]
    assert right != wrong
    assert {shown[digit, 3][1] for digit in range(10)} == {right}
    assert {shown[digit, 0][1] for digit in range(1, 10)} == {wrong}


def test_confusions_stand_in_the_row_of_the_truth_and_the_column_of_the_answer():
    labels = np.array([4, 4, 4, 7, 1])
    predictions = np.array([9, 9, 4, 1, 1])
    heatmap = plot_confusion(labels, predictions).axes[0]
    counts = {}
    for text in heatmap.texts:
        column, row = text.get_position()
        counts[int(row), int(column)] = int(text.get_text())
    assert {cell: count for cell, count in counts.items() if count} == {(4, 9): 2, (7, 1): 1}
    assert not any(row == column for row, column in counts)  # right answers are left blank
    assert len(counts) == 90
    assert (heatmap.get_xlabel(), heatmap.get_ylabel()) == ("predicted digit", "true digit")
    assert heatmap.yaxis_inverted()


def test_ten_bars_show_the_probabilities_and_the_highest_stands_out():
    probabilities = np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.6, 0.08, 0.09, 0.02])
    _, axis = plt.subplots()
    plot_probabilities(probabilities, axis)
    bars = axis.patches
    assert [bar.get_height() for bar in bars] == probabilities.tolist()
    colours = [bar.get_facecolor() for bar in bars]
    assert colours.index(max(colours, key=colours.count)) != 6
    assert colours.count(colours[6]) == 1
    assert axis.get_ylim() == (0, 1)


def test_one_style_makes_figures_of_one_size_and_resolution():
    plt.rcParams.update({"figure.dpi": 200, "figure.figsize": (1, 1)})
    use_style()
    figure = plt.figure()
    assert figure.dpi == 80
    assert figure.get_size_inches().tolist() == [8, 3.5]


def test_answers_stand_above_their_images_and_right_ones_are_marked():
    images = np.random.default_rng(0).integers(0, 256, (10, 28, 28, 1), np.uint8)
    answers = {"one": np.arange(10), "two": np.eye(10)[[8] * 10]}
    figure = plot_answers({"one": images, "two": images}, answers)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[:10] == [f"{digit} ✓" for digit in range(10)]
    assert titles[10:] == ["8 ✓" if digit == 8 else "8 ✗" for digit in range(10)]
    assert [figure.axes[place].get_ylabel() for place in (0, 10)] == ["one", "two"]
    assert len({axis.title.get_color() for axis in figure.axes}) == 2
    np.testing.assert_array_equal(drawn(figure)[13].get_array(), images[3, ..., 0])
