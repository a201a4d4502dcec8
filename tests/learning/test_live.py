from dataclasses import replace
from types import SimpleNamespace

from helpers.learning import live
from helpers.learning.live import LiveFigure, LiveFolds
from helpers.learning.training import QUICK, train

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure


@pytest.fixture
def shown(monkeypatch):
    """Collects what a notebook would show: new figures, and those that replace them."""
    figures = []
    handle = SimpleNamespace(update=lambda figure: figures.append(("renewed", figure)))

    def display(figure, display_id):
        figures.append(("new", figure))
        return handle

    plt.close("all")
    monkeypatch.setattr(live, "in_notebook", lambda: True)
    monkeypatch.setattr(live, "display", display)
    return figures


def report(watching, epochs, first=0, answer=3):
    """Run a training's hooks with a network that takes every digit for the same one."""
    watching.set_model(lambda images, training: np.eye(10)[np.full(len(images), answer)])
    watching.set_params({"epochs": 4})
    watching.on_train_begin()
    for epoch in range(first, first + epochs):
        watching.on_epoch_begin(epoch)
        for batch in range(60):
            watching.on_train_batch_end(batch)
        logs = {"accuracy": 0.8, "val_accuracy": 0.9 + 0.01 * epoch, "loss": 1.0}
        watching.on_epoch_end(epoch, logs)


@pytest.fixture
def watching():
    images = np.zeros((10, 28, 28, 1), np.uint8)
    return LiveFigure({"squeezed": images, "prepared": images})


def texts(axis):
    return [(text.get_position(), text.get_text()) for text in axis.texts]


def test_one_figure_renews_itself_after_each_epoch(watching, shown):
    report(watching, epochs=3)
    assert [kind for kind, _ in shown] == ["new"] + ["renewed"] * 5
    figure = shown[-1][1]
    assert isinstance(figure, Figure) and not plt.get_fignums(), "it would be shown twice"
    curve, *boxes = figure.get_axes()
    training, validation = curve.get_lines()
    np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(validation.get_ydata(), [10, 9, 8])
    assert [box.get_title() for box in boxes] == ["squeezed", "prepared"]
    for box in boxes:
        expected = [((digit, line), "3") for digit in range(10) for line in range(6)]
        assert sorted(texts(box)) == sorted(expected)
        colours = {text.get_color() for text in box.texts if text.get_position()[0] == 3}
        assert len(colours) == 1
        assert colours.isdisjoint(t.get_color() for t in box.texts if t.get_position()[0] != 3)


def test_the_digits_are_read_before_the_training_and_early_in_it(watching, shown):
    report(watching, epochs=2)
    assert list(watching.answers["prepared"]) == [(0, 0), (0, 25), (0, 50), (1, 0), (2, 0)]
    (curve, *_), (_, box, _) = shown[0][1].get_axes(), shown[1][1].get_axes()
    assert not curve.get_lines() and curve.get_legend() is None
    names = [label.get_text() for label in box.get_yticklabels()]
    assert names == ["at first", "25 batches", "epoch 1", "epoch 2", "epoch 3", "epoch 4"]


def test_a_continued_training_keeps_the_epochs_before(watching, shown):
    report(watching, epochs=2, answer=1)
    report(watching, epochs=2, first=2, answer=5)
    assert list(watching.history) == [1, 2, 3, 4]
    kept = watching.answers["prepared"]
    assert [kept[epoch, 0][0] for epoch in (1, 2, 3, 4)] == [1, 1, 5, 5]
    assert [kind for kind, _ in shown].count("new") == 2


def test_a_new_training_begins_with_an_empty_figure(watching, shown):
    report(watching, epochs=3, answer=1)
    report(watching, epochs=1, answer=5)
    assert list(watching.history) == [1]
    assert {answers[0] for answers in watching.answers["squeezed"].values()} == {5}


def test_a_training_without_validation_part_has_one_curve(watching, shown):
    watching.set_model(lambda images, training: np.eye(10))
    watching.set_params({"epochs": 1})
    watching.on_train_begin()
    watching.on_epoch_begin(0)
    watching.on_epoch_end(0, {"accuracy": 0.8})
    assert len(shown[-1][1].get_axes()[0].get_lines()) == 1


def test_outside_a_notebook_nothing_is_drawn(watching, monkeypatch):
    monkeypatch.setattr(live, "display", lambda *args, **kwargs: pytest.fail("drawn"))
    report(watching, epochs=1)
    assert list(watching.history) == [1]


def test_watching_changes_nothing(sample, watching):
    images, labels = sample.x_train[:100], sample.y_train[:100]
    recipe = replace(QUICK, epochs=1, batch_size=4)
    alone, _ = train(images, labels, 0, recipe)
    watched, history = train(images, labels, 0, recipe, callbacks=[watching])
    for one, other in zip(alone.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert list(watching.answers["prepared"]) == [(0, 0), (0, 25), (1, 0)]
    assert watching.history[1]["accuracy"] == pytest.approx(history["accuracy"][0])


def test_the_folds_have_a_figure_that_renews_itself(shown):
    folds = LiveFolds(epochs=3)
    folds.show([{1: 0.9}, {}])
    folds.show([{1: 0.9, 2: 0.95}, {1: 0.8}])
    assert [kind for kind, _ in shown] == ["new", "renewed"]
    first, second = shown[-1][1].axes[0].lines
    np.testing.assert_allclose(first.get_xydata(), [[1, 10], [2, 5]])
    np.testing.assert_allclose(second.get_xydata(), [[1, 20]])
    assert not plt.get_fignums(), "it would be shown twice"


def test_outside_a_notebook_no_folds_are_drawn(monkeypatch):
    monkeypatch.setattr(live, "display", lambda *args, **kwargs: pytest.fail("drawn"))
    LiveFolds(epochs=1).show([{1: 0.9}])
